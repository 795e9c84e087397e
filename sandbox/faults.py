"""What to do about errors of the host, in words."""

import errno

_ADVICE: dict[int | None, str] = {
    errno.EMFILE: "this process has as many open files as it may; close some, use fewer sandboxes at once or raise "
    "`ulimit -n`, then create another",
    errno.ENFILE: "the host has as many open files as it may; end something or raise the sysctl fs.file-max",
    errno.ENOSPC: "a disk or a kernel table is full; free some room (TMPDIR says where temporary files go), "
    "then create another",
    errno.EDQUOT: "this user's share of the disk is used up; free some room, then create another",
    errno.ENOMEM: "the host is out of memory; end something or use fewer sandboxes at once, then create another",
    errno.EAGAIN: "the host has as many processes as it may; end some or raise `ulimit -u`, then create another",
}


def advice(error: BaseException) -> str:
    """Return what to do next about an error that came instead of a sandbox."""
    if isinstance(error, MemoryError):
        return _ADVICE[errno.ENOMEM]
    code = error.errno if isinstance(error, OSError) else None
    return _ADVICE.get(code, "create another and run the program again")
