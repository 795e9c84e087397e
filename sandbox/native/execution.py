"""The last steps before a process becomes a program. Imported for every one, so it needs little."""

import os
import signal

_COMMAND_NOT_FOUND, _COMMAND_NOT_EXECUTABLE = 127, 126


def close_all_but(*kept: int) -> None:
    """Close every descriptor but the standard ones and these."""
    lowest = 3
    for descriptor in sorted(kept):
        os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, 1 << 20)


def execute(argv: list[str], env: dict[str, str]) -> None:
    """Become a command, or end as a shell would when there is none; never returns."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        code = _COMMAND_NOT_FOUND if isinstance(error, FileNotFoundError) else _COMMAND_NOT_EXECUTABLE
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode("utf-8", "surrogateescape"))
        os._exit(code)
