"""The first process inside `bwrap`: starts the program, takes in its orphans and tells how it ended.

`bwrap` itself would tell a program killed by signal 9 and one that ended with code 137 alike. An
interpreter is started for every program, so this imports next to nothing.
"""

import marshal
import os
import signal
import sys

from palestra.sandbox.native import linux
from palestra.sandbox.native.execution import close_all_but, execute

BEGUN = b"s"  # told before the program starts; how it ended follows


def main() -> None:
    """Run a program to its end: ``argv`` holds the descriptor of its description; never returns."""
    linux.prctl(linux.PR_SET_DUMPABLE, 0)  # a program of the same user cannot reach into it
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what has no handler does nothing to the first process
    told = int(sys.argv[1])
    tell, *rest = marshal.loads(os.read(told, os.fstat(told).st_size))
    os.write(tell, BEGUN)
    program = os.fork()
    if program == 0:
        _be_program(*rest)
    while True:
        pid, status, usage = os.wait4(-1, 0)
        if pid == program:
            break
    seconds = usage.ru_utime + usage.ru_stime
    report = {"code": os.waitstatus_to_exitcode(status), "cpu_s": seconds, "max_rss_bytes": usage.ru_maxrss * 1024}
    os.write(tell, marshal.dumps(report))
    os._exit(0)


def _be_program(
    proc: int, streams: list[int], imports: list[str], source: str | None, argv: list[str], env: dict[str, str]
) -> None:
    try:
        linux.prctl(linux.PR_SET_DUMPABLE, 1)  # so that its own files in /proc are its own
        score = os.open("self/oom_score_adj", os.O_WRONLY, dir_fd=proc)
        os.write(score, b"1000")  # the init outlives a shortage of memory
        for target, file in enumerate(streams):
            os.dup2(file, target)
        close_all_but()
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
