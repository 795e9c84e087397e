"""One program, from the fork to its end. Runs inside the slot, in namespaces made for it."""

import json
import os
import traceback
from typing import Any, NoReturn

from palestra.sandbox.limits import lower_limit
from palestra.sandbox.native import linux
from palestra.sandbox.native.execution import close_all_but, execute
from palestra.sandbox.native.interpreter import Interpreter
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.privileges import Privileges
from palestra.sandbox.native.rootfs import mount_fresh_proc, mount_fresh_tmp


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
        execute(description["argv"], description["env"])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)  # never back into the fork-server's code


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
