"""What makes a machine ready for tests, from inside: old things are removed, archives unpacked."""

import contextlib
import io
import json
import os
import shutil
import sys
import tarfile


def main() -> None:
    """Read what to do, and the archives, from stdin."""
    given = sys.stdin.buffer.read()
    size = int.from_bytes(given[:8], "big")
    head = json.loads(given[8 : 8 + size])
    for path in head["unlink"]:
        if os.path.islink(path):
            os.unlink(path)
    for path in head["remove"]:
        remove(path, head["keep"])
    place = 8 + size
    for length in head["sizes"]:
        with tarfile.open(fileobj=io.BytesIO(given[place : place + length]), mode="r:") as archive:
            unpack(archive)
        place += length
    for path in head["folders"]:
        os.makedirs(path, exist_ok=True)


def remove(path: str, kept: list[str]) -> None:
    """Remove what is at a path, but for what is kept; a folder that cannot be removed itself is emptied."""
    if path in kept or is_fixed(path):
        return
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path):
        for entry in list(os.scandir(path)):
            if entry.is_dir(follow_symlinks=False):
                remove(entry.path, kept)
            elif not is_fixed(entry.path):
                os.unlink(entry.path)
        with contextlib.suppress(OSError):
            os.rmdir(path)


def is_fixed(path: str) -> bool:
    """Tell whether a path is on what the machine shows of its host, which nobody in it can change."""
    try:
        return bool(os.statvfs(os.path.dirname(path)).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def unpack(archive: tarfile.TarFile) -> None:
    """Write every member at its absolute path; folders' permissions last, so that what is in them can be written."""
    folders = []
    for member in archive:
        path = "/" + member.name.strip("/")
        if is_fixed(path):
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if member.isdir():
            os.makedirs(path, exist_ok=True)
            folders.append((path, member))
        elif member.issym():
            os.symlink(member.linkname, path)
        elif (file := archive.extractfile(member)) is not None:
            with open(path, "wb") as target:
                shutil.copyfileobj(file, target)
            settle(path, member)
    for path, member in reversed(folders):
        settle(path, member)


def settle(path: str, member: tarfile.TarInfo) -> None:
    """Give a file or folder its owner, permissions and time."""
    with contextlib.suppress(OSError):
        os.chown(path, member.uid, member.gid)
    os.chmod(path, member.mode & 0o7777)
    os.utime(path, (member.mtime, member.mtime))


if __name__ == "__main__":
    main()
