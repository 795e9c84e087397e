"""Reading a file of the host that is to be copied into a sandbox."""

import errno
import os
import stat

from palestra.sandbox.base import SandboxFileError

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_source(source: str, limit_bytes: int) -> tuple[bytes, int]:
    """Return a host file's bytes and its permissions, without set-user-id, set-group-id and sticky bit.

    Links are followed: the path is the caller's own. Nothing is waited for.

    Raises:
        OSError: there is no such file, or it may not be read.
        SandboxFileError: it is not a regular file, or larger than the limit.
    """
    file = os.open(source, _FLAGS)
    try:
        state = os.fstat(file)
        if not stat.S_ISREG(state.st_mode):
            raise SandboxFileError(errno.EINVAL, f"{source!r} is not a regular file")
        data = b""
        if state.st_size <= limit_bytes:
            with open(file, "rb", closefd=False) as content:
                data = content.read(limit_bytes + 1)
    finally:
        os.close(file)
    if (size := max(state.st_size, len(data))) > limit_bytes:
        raise SandboxFileError(errno.EFBIG, f"{source!r}: {size} bytes are more than the disk limit {limit_bytes}")
    return data, state.st_mode & 0o777
