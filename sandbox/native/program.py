"""One program, from the fork to its end. Runs inside the slot, in namespaces made for it."""

import json
import os
import signal
import traceback
from typing import Any, NoReturn

from palestra.sandbox.limits import lower_limit
from palestra.sandbox.native import linux
from palestra.sandbox.native.interpreter import Interpreter
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.privileges import Privileges
from palestra.sandbox.native.rootfs import mount_fresh_proc, mount_fresh_tmp

_COMMAND_NOT_FOUND, _COMMAND_NOT_EXECUTABLE = 127, 126


def run(
    request: dict[str, Any], descriptors: list[int], trouble: int, privileges: Privileges, interpreter: Interpreter
) -> NoReturn:
    """Be the program.

    Args:
        request: the limits, as numbers.
        descriptors: the program's description, its stdin, stdout and stderr.
        trouble: where to say why there is no program.
        privileges: what the program must not have.
        interpreter: runs it if it is Python.
    """
    try:
        try:
            for target, source in enumerate(descriptors[1:]):
                os.dup2(source, target)
            close_all_but(descriptors[0], trouble)
            _isolate(request, privileges)
            description = json.loads(os.read(descriptors[0], os.fstat(descriptors[0]).st_size))
            close_all_but()
        except BaseException as error:
            os.write(trouble, f"{type(error).__name__}: {error}".encode()[:1000])
            os._exit(1)
        if "source" in description:
            interpreter.run(description["source"], description["argv"], description["env"], WORKSPACE)
        _execute(description["argv"], description["env"])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)  # never back into the fork-server's code


def close_all_but(*kept: int) -> None:
    """Close every descriptor but the standard ones and these."""
    lowest = 3
    for descriptor in sorted(kept):
        os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, 1 << 20)


def _isolate(request: dict[str, Any], privileges: Privileges) -> None:
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # or its own files in /proc belong to somebody else
    score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(score, b"1000")  # the fork-server outlives a shortage of memory
    os.close(score)
    mount_fresh_tmp(request["disk_bytes"])
    mount_fresh_proc()
    os.chdir(WORKSPACE)
    os.setsid()
    for name, value in request["rlimits"].items():
        lower_limit(0, name, tuple(value))
    privileges.drop()
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # so that it may open /proc/self/fd


def _execute(argv: list[str], env: dict[str, str]) -> NoReturn:
    """Become a command, or end as a shell would when there is none."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        code = _COMMAND_NOT_FOUND if isinstance(error, FileNotFoundError) else _COMMAND_NOT_EXECUTABLE
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode("utf-8", "surrogateescape"))
        os._exit(code)
