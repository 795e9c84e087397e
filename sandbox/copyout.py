"""Opening a file that somebody hostile has prepared, without being led elsewhere."""

import ctypes
import errno
import os
import stat
import struct

from palestra.sandbox.base import SandboxFileError

_libc = ctypes.CDLL(None, use_errno=True)
_OPENAT2 = 437  # on every machine
_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


def open_to_read(folder: int, path: str, limit_bytes: int, shown: str = "") -> int:
    """Return the descriptor of a regular file below an open folder, for reading.

    No component of the path is a link, whatever somebody changes meanwhile; the file has no second name,
    which could be one of somewhere else, and is not larger than the limit. Nothing is waited for.

    Args:
        folder: where the path begins.
        path: relative to it.
        limit_bytes: the largest size.
        shown: what errors call it, if not by the path.

    Raises:
        SandboxFileError: it is missing, or one of these does not hold.

    Source: openat2(2).
    """
    name = repr(shown or path)
    how = struct.pack("=QQQ", _FLAGS, 0, _BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS)
    size = ctypes.c_size_t(len(how))
    file = int(_libc.syscall(ctypes.c_long(_OPENAT2), folder, os.fsencode(path), how, size))
    if file < 0:
        code = ctypes.get_errno()
        reasons = {errno.ELOOP: "it is a link or has one on its way", errno.EXDEV: "it leads outside"}
        raise SandboxFileError(code, f"{name}: {reasons.get(code, os.strerror(code))}")
    try:
        state = os.fstat(file)
        if not stat.S_ISREG(state.st_mode):
            raise SandboxFileError(errno.EINVAL, f"{name} is not a regular file")
        if state.st_nlink != 1:
            raise SandboxFileError(errno.EMLINK, f"{name} has {state.st_nlink} names; copy it and read the copy")
        if state.st_size > limit_bytes:
            raise SandboxFileError(errno.EFBIG, f"{name} has {state.st_size} bytes, more than the limit {limit_bytes}")
    except BaseException:
        os.close(file)
        raise
    return file
