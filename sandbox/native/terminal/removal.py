"""Removes what programs have left on a disk."""

import contextlib
import itertools
import os
from pathlib import Path


def remove_tree(folder: Path) -> None:
    """Remove a folder and what programs have put into it, however deep and whatever its permissions.

    Folders inside folders are moved up before they are emptied, so that no depth is too much. No link is followed.
    """
    with contextlib.suppress(FileNotFoundError):
        top = _open_folder(str(folder))
        try:
            moved = itertools.count()
            while names := os.listdir(top):
                for name in names:
                    if not _removed(name, top):
                        _empty(name, top, moved)
        finally:
            os.close(top)
        os.rmdir(folder)


def _empty(name: str, top: int, moved: "itertools.count[int]") -> None:
    """Remove a folder in the top one; the folders in it go to the top one."""
    folder = _open_folder(name, top)
    try:
        for inner in os.listdir(folder):
            if not _removed(inner, folder):
                os.close(_open_folder(inner, folder))
                os.rename(inner, f"\1{os.getpid()} {next(moved)}", src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)


def _removed(name: str, folder: int) -> bool:
    """Remove what is no folder, or an empty one; say whether it was that."""
    with contextlib.suppress(FileNotFoundError):
        try:
            os.unlink(name, dir_fd=folder)
        except IsADirectoryError:
            try:
                os.rmdir(name, dir_fd=folder)
            except OSError:
                return False
    return True


def _open_folder(name: str, within: int | None = None) -> int:
    """Open a folder, which this user may list and change from then on."""
    place = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)
    try:
        os.chmod(f"/proc/self/fd/{place}", 0o700)
        return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    finally:
        os.close(place)
