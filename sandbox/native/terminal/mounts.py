"""Mounts that are held by a descriptor and belong to no place until they are attached.

A file system that nobody has attached is in no mount namespace, so nothing of it is left when the last
descriptor is closed, however that came.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Mapping

from palestra.sandbox.native import linux
from palestra.sandbox.native.syscalls import machine, number

_libc = ctypes.CDLL(None, use_errno=True)
_MACHINE = machine()
_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE, _FSOPEN_CLOEXEC, _FSMOUNT_CLOEXEC = 1, 1, 1
_SET_FLAG, _SET_STRING, _CREATE = 0, 1, 6
_MOVE_FROM_EMPTY, _MOVE_TO_EMPTY = 4, 0x40
_ATTR_IDMAP = 0x100000
_SETATTR_BYTES = 32


def new_filesystem(kind: str, options: Mapping[str, str], attributes: int) -> int:
    """Return a descriptor of a new, unattached file system; an option without a value is a flag."""
    context = _call("fsopen", kind.encode(), ctypes.c_uint(_FSOPEN_CLOEXEC), what=f"fsopen {kind}")
    try:
        for name, value in options.items():
            command = ctypes.c_uint(_SET_STRING if value else _SET_FLAG)
            _call("fsconfig", context, command, name.encode(), value.encode() or None, 0, what=f"{kind}: {name}")
        _call("fsconfig", context, ctypes.c_uint(_CREATE), None, None, 0, what=f"create {kind}")
        return _call("fsmount", context, ctypes.c_uint(_FSMOUNT_CLOEXEC), ctypes.c_uint(attributes))
    finally:
        os.close(context)


def copy_tree(tree: int | str, attributes: int = 0, users: int = -1, *, is_recursive: bool = True) -> int:
    """Return a descriptor of an unattached copy of the mounts at a path or behind a descriptor.

    Args:
        tree: where the mounts are.
        attributes: set on all of the copy.
        users: a user namespace whose ids the owners of files are shown as, or -1.
        is_recursive: copy what is mounted below, too.
    """
    at, path = (_AT_FDCWD, os.fsencode(tree)) if isinstance(tree, str) else (tree, b"")
    deep = _AT_RECURSIVE if is_recursive else 0
    flags = ctypes.c_uint(_OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_EMPTY_PATH | deep)
    copy = _call("open_tree", at, path, flags, what=f"open_tree {tree}")
    if attributes or users >= 0:
        wanted = struct.pack("=QQQQ", attributes | (_ATTR_IDMAP if users >= 0 else 0), 0, 0, max(users, 0))
        flags = ctypes.c_uint(_AT_EMPTY_PATH | deep)
        try:
            size = ctypes.c_size_t(_SETATTR_BYTES)
            _call("mount_setattr", copy, b"", flags, wanted, size, what=f"mount_setattr {tree}")
        except OSError:
            os.close(copy)
            raise
    return copy


def copy_as_owned(path: str, attributes: int, users: int) -> int:
    """Return an unattached copy of a mount whose files' owners are shown as a namespace's, if it can be had.

    Not every file system can do that; files are somebody else's then, and only what all may read is read.
    """
    try:
        return copy_tree(path, attributes, users, is_recursive=False)
    except OSError as error:
        if users < 0 or error.errno != errno.EINVAL:
            raise
        return copy_tree(path, attributes, is_recursive=False)


def attach(tree: int, folder: int | str) -> None:
    """Mount what a descriptor holds at a path or on an open folder, and close it."""
    at, path = (_AT_FDCWD, os.fsencode(folder)) if isinstance(folder, str) else (folder, b"")
    flags = ctypes.c_uint(_MOVE_FROM_EMPTY | (0 if path else _MOVE_TO_EMPTY))
    try:
        _call("move_mount", tree, b"", at, path, flags, what=f"move_mount to {folder}")
    finally:
        os.close(tree)


def new_tmpfs(size_bytes: int, mode: str = "755", attributes: int = linux.ATTR_NOSUID | linux.ATTR_NODEV) -> int:
    """Return a descriptor of a new, unattached tmpfs of a size."""
    inodes = max(256, size_bytes // 2048)
    options = {"size": str(max(size_bytes, 64 * 1024)), "nr_inodes": str(inodes), "mode": mode}
    return new_filesystem("tmpfs", options, attributes)


def _call(name: str, *arguments: object, what: str = "") -> int:
    result = _libc.syscall(ctypes.c_long(number(name, _MACHINE) or -1), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what or name}: {os.strerror(code)}")
    return int(result)
