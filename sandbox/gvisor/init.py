"""The first process of a container: runs the program as another user, bounds its time, tells how it ended.

Under gVisor's own kernel it is root, and the program is not: it can neither end it nor see what it reads
and writes. An interpreter is started for every program, so this imports next to nothing.
"""

import marshal
import os
import resource
import signal
import sys
import time
from types import FrameType

from palestra.sandbox.gvisor.exchange import FOLDER, PROGRAM, REPORT
from palestra.sandbox.native import linux
from palestra.sandbox.native.execution import close_all_but, execute

_USER = 1000


def main() -> None:
    """Run the program that the exchange describes; never returns."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with open(f"{FOLDER}/{PROGRAM}", "rb") as file:
        wall_s, limits, *rest = marshal.load(file)
    timed_out = False

    def end_all(number: int, frame: FrameType | None) -> None:
        nonlocal timed_out
        timed_out = True
        os.kill(-1, signal.SIGKILL)

    signal.signal(signal.SIGALRM, end_all)
    start = time.monotonic()
    program = os.fork()
    if program == 0:
        _be_program(limits, *rest)
    signal.setitimer(signal.ITIMER_REAL, wall_s)
    while True:
        pid, status, usage = os.wait4(-1, 0)
        if pid == program:
            break
    signal.setitimer(signal.ITIMER_REAL, 0)
    report = {
        "code": os.waitstatus_to_exitcode(status),
        "timed_out": timed_out,
        "duration_s": time.monotonic() - start,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "max_rss_bytes": usage.ru_maxrss * 1024,
    }
    with open(f"{FOLDER}/{REPORT}", "wb") as answer:
        marshal.dump(report, answer)
    os._exit(0)


def _drop_bounding_set() -> None:
    for capability in range(64):
        try:
            linux.prctl(linux.PR_CAPBSET_DROP, capability)
        except OSError:  # there are no more
            return


def _be_program(
    limits: dict[str, list[int]],
    rules: bytes,
    imports: list[str],
    source: str | None,
    argv: list[str],
    env: dict[str, str],
) -> None:
    try:
        os.setsid()
        close_all_but()
        os.chdir("/workspace")
        _drop_bounding_set()
        os.setgroups([])
        os.setresgid(_USER, _USER, _USER)
        os.setresuid(_USER, _USER, _USER)
        for name, (soft, hard) in limits.items():
            resource.setrlimit(getattr(resource, name), (soft, hard))
        linux.install_filter(rules)
        if source is None:
            execute(argv, env)
        else:
            from palestra.sandbox.native.interpreter import Interpreter  # which commands do not need

            sys.path.extend(imports)
            Interpreter().run(source, argv, env, os.getcwd())
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(1)  # never back into the init's code
