"""The digest of a folder's content."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path


def digest_tree(root: Path) -> tuple[str, int]:
    """Return the sha256 of everything below a folder, and the bytes that its files hold.

    Names, kinds, permissions, owners, links and contents count; times do not.
    """
    total, content = 0, hashlib.sha256()
    for path, state in _walk(str(root), ""):
        said = ""
        if stat.S_ISLNK(state.st_mode):
            said = os.readlink(root / path)
        elif stat.S_ISREG(state.st_mode):
            with open(root / path, "rb") as file:
                said = hashlib.file_digest(file, "sha256").hexdigest()
            total += state.st_size
        mode = 0 if stat.S_ISLNK(state.st_mode) else stat.S_IMODE(state.st_mode)
        entry = [path, stat.S_IFMT(state.st_mode), mode, state.st_uid, state.st_gid, said]
        content.update(json.dumps(entry).encode() + b"\n")
    return content.hexdigest(), total


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what is below a folder, each folder before what it holds, in the order of the names' bytes."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
    for entry in entries:
        yield prefix + entry.name, entry.stat(follow_symlinks=False)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{prefix}{entry.name}/")
