"""Folders of the host as values, read as something hostile, and written."""

import os
import stat
from pathlib import Path
from typing import Final

from palestra.envs.base import TaskError
from palestra.envs.terminal.tree import File, Folder, Link, Node, Tree

MOST_BYTES: Final = 8 * 2**20  # of the files of one task, together
_MOST_FILES: Final = 2_000
_MOST_DEEP: Final = 24


def read_folder(root: Path, *, without: frozenset[str] = frozenset()) -> Tree:
    """Return what is in a folder as a tree, whose paths begin at the folder; one that is not there is empty.

    Permissions are kept, owners and times are not. Links are kept if they lead to something in the folder.

    Args:
        root: the folder.
        without: names right in it that are left out.

    Raises:
        TaskError: a link leads out of it, something is neither file, folder nor link, or it is too large; the message
            names the file.
    """
    if not root.is_dir():
        if root.exists() or root.is_symlink():
            raise TaskError(f"{root}: is no folder")
        return Tree()
    if root.is_symlink():
        raise TaskError(f"{root}: is a link; the folder itself is wanted")
    nodes: dict[str, Node] = {}
    _Reader(root, nodes).read(root, "", without)
    return Tree(nodes)


def read_file(path: Path, *, most_bytes: int = MOST_BYTES) -> bytes:
    """Return what is in a regular file.

    Raises:
        TaskError: it cannot be read, is no regular file, or is too large.
    """
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode):
            raise TaskError(f"{path}: is no regular file")
        if found.st_size > most_bytes:
            raise TaskError(f"{path}: has {found.st_size:,} bytes, more than {most_bytes:,}")
        with path.open("rb") as file:
            return file.read(most_bytes)
    except OSError as error:
        raise TaskError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_text(path: Path, *, most_bytes: int = MOST_BYTES) -> str:
    """Return the text in a regular file; raises TaskError as `read_file`, and where it is no UTF-8."""
    try:
        return read_file(path, most_bytes=most_bytes).decode("utf-8")
    except UnicodeDecodeError as error:
        raise TaskError(f"{path}: is not UTF-8: {error.reason} at byte {error.start}") from error


def write_folder(tree: Tree, root: Path) -> None:
    """Write a tree into a folder, which is made if it is not there.

    Raises:
        OSError: it cannot be written.
        TaskError: something lies below a link or a file, and would be written to somewhere else.
    """
    for path in tree:
        parts = path.split("/")
        if any(not isinstance(tree.get("/".join(parts[:end]), Folder()), Folder) for end in range(2, len(parts))):
            raise TaskError(f"{root}: {path!a:.200} lies below what is no folder")
    root.mkdir(parents=True, exist_ok=True)
    for path, node in tree.items():
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(node, Folder):
            place.mkdir(exist_ok=True)
        elif isinstance(node, Link):
            place.symlink_to(node.target)
        else:
            place.write_bytes(node.data)
            place.chmod(node.mode & 0o777)


class _Reader:
    def __init__(self, root: Path, nodes: dict[str, Node]) -> None:
        self._root, self._nodes = root.resolve(), nodes
        self._bytes = 0

    def read(self, folder: Path, at: str, without: frozenset[str]) -> None:
        if at.count("/") > _MOST_DEEP:
            raise TaskError(f"{folder}: is nested more than {_MOST_DEEP} deep")
        try:
            found = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise TaskError(f"{folder}: cannot be read: {error.strerror or error}") from error
        for entry in found:
            if not at and entry.name in without:
                continue
            self._take(Path(entry.path), f"{at}/{entry.name}", entry)
            if len(self._nodes) > _MOST_FILES:
                raise TaskError(f"{self._root}: has more than {_MOST_FILES:,} files")
        if at and not found:
            self._nodes[at] = Folder()

    def _take(self, path: Path, at: str, entry: os.DirEntry[str]) -> None:
        try:
            at.encode()
        except UnicodeEncodeError:
            raise TaskError(f"{path!a}: has a name that is no UTF-8") from None
        if entry.is_symlink():
            self._nodes[at] = Link(self._target(path))
        elif entry.is_dir(follow_symlinks=False):
            self.read(path, at, frozenset())
        else:
            data = read_file(path)
            self._bytes += len(data)
            if self._bytes > MOST_BYTES:
                raise TaskError(f"{path}: with it, the folder has more than {MOST_BYTES:,} bytes")
            self._nodes[at] = File(data, entry.stat(follow_symlinks=False).st_mode & 0o777)

    def _target(self, path: Path) -> str:
        target = os.readlink(path)
        try:
            leads = path.resolve()
        except (OSError, RuntimeError) as error:
            raise TaskError(f"{path}: is a link that leads nowhere: {error}") from error
        if os.path.isabs(target) or not leads.is_relative_to(self._root):
            raise TaskError(f"{path}: is a link to {target!r}, which is not in {self._root}")
        return target
