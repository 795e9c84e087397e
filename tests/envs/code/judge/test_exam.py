"""What an exam asks of a program, in whatever language: to end well, in time, with the right output, on every test."""

from dataclasses import replace
from typing import Any

import pytest
from tests.envs.code.judge.conftest import DOUBLE, LIMITS, RIGHT, Take

from palestra.envs.code.judge.bench import Bench, Program, sees_landlock
from palestra.envs.code.judge.case import Case
from palestra.envs.code.judge.exam import REPEATED, Exam
from palestra.envs.code.languages.shelf import find_language
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import ExecResult, InfraError, Limits

SHORT = replace(DOUBLE, limits=replace(LIMITS, wall_s=0.5, cpu_s=1.0))
MAIN = "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n#include <signal.h>\nint main(void) {{ {} }}\n"
DONE = 'int n; scanf("%d", &n); printf("%d\\n", 2 * n); fflush(stdout); '


@pytest.mark.parametrize("language", RIGHT)
def test_a_right_program_passes_and_every_test_is_run(take: Take, language: str) -> None:
    verdict = take(language, RIGHT[language])
    assert (verdict.passed, verdict.score) == (True, 1.0)
    assert sorted(check.name for check in verdict.checks) == ["hidden test 0", "hidden test 1", "hidden test 2"]


@pytest.mark.parametrize(
    ("language", "source", "problem"),
    [
        ("c", MAIN.format(DONE + "return 3;"), "exit code 3"),
        ("c", MAIN.format(DONE + "raise(SIGKILL);"), "killed by signal 9"),
        ("c", MAIN.format(DONE + "*(volatile int *)0 = 1;"), "killed by signal 11"),
        ("c", MAIN.format(DONE + "sleep(60);"), "out of time"),
        ("c", MAIN.format(DONE + "for (;;);"), "out of time"),
        ("c", MAIN.format(DONE + 'for (;;) puts("");'), "more than 4096 bytes of output"),
        (
            "c",
            MAIN.format(DONE + "for (n = 0; n < 5000; n++) putc(48, stderr);"),
            "more than 4096 bytes of output",
        ),
        ("c", MAIN.format(DONE + 'puts("passed");'), "wrong output"),
        ("c", "int main(", "does not compile: exit code 1"),
        ("lua", RIGHT["lua"] + "os.exit(3)", "exit code 3"),
        ("lua", "print(", "exit code 1"),
        ("lua", "while true do end", "out of time"),
        ("python", RIGHT["python"] + "raise SystemExit(3)", "exit code 3"),
        ("python", RIGHT["python"] + "1 / 0", "exit code 1"),
        ("python", RIGHT["python"] + "import os; os.abort()", "killed by signal 6"),
        ("python", "print('\ud800')", "the program is not valid Unicode text"),
        ("c", "\ud800", "the program is not valid Unicode text"),
        ("perl", "print 2 * <STDIN>; exit 1", "exit code 1"),
    ],
)
def test_what_a_program_must_not_do(take: Take, language: str, source: str, problem: str) -> None:
    verdict = take(language, source, SHORT if problem == "out of time" else DOUBLE)
    assert (verdict.passed, verdict.checks[-1].evidence) == (False, problem)


def test_memory_is_limited(take: Take) -> None:
    grabs = "char *x; for (long i = 0; i < 1 << 14; i++) { x = malloc(1 << 20); if (!x) abort(); "
    verdict = take("c", MAIN.format(grabs + "for (int j = 0; j < 1 << 20; j += 4096) x[j] = 1; } " + DONE))
    assert verdict.checks[-1].evidence in ("out of memory", "killed by signal 6")


def test_a_test_may_have_limits_of_its_own(take: Take) -> None:
    slow = "import time\nn = int(input())\ntime.sleep(0.6 if n == 40 else 0)\nprint(2 * n)\n"
    assert take("python", slow).passed
    quick = tuple(replace(case, limits=SHORT.limits) if case.stdin == b"40\n" else case for case in DOUBLE.cases)
    assert take("python", slow, replace(DOUBLE, cases=quick)).checks[-1].evidence == "out of time"
    patient = tuple(replace(case, limits=LIMITS) for case in DOUBLE.cases)
    assert take("python", slow, replace(SHORT, cases=patient)).passed


def test_the_order_is_decided_by_nonce_and_program_and_tells_no_secret(take: Take) -> None:
    def order(source: str, nonce: str) -> tuple[str, ...]:
        return tuple(check.name for check in take("bare", source, nonce=nonce).checks)

    assert order(RIGHT["bare"], "1") == order(RIGHT["bare"], "1")
    assert len({order(RIGHT["bare"] + "#" * count, "1") for count in range(6)}) > 1
    assert len({order(RIGHT["bare"], str(nonce)) for nonce in range(6)}) > 1
    failed = take("bare", "import sys; sys.stderr.write(input() * 2); print(7)")
    assert len(failed.checks) == 1
    assert not any(secret in repr(failed) for secret in ("7919", "15838", "40", "80"))


def test_an_exam_that_would_prove_nothing_is_refused() -> None:
    with pytest.raises(VerifierError, match="at least one test"):
        Exam(cases=(), limits=LIMITS)
    with pytest.raises(VerifierError, match="wall_s"):
        Exam(cases=DOUBLE.cases, limits=Limits(wall_s=0))
    with pytest.raises(VerifierError, match="cpu_s"):
        Exam(cases=(Case(b"", b"", Limits(cpu_s=float("nan"))),), limits=LIMITS)
    with pytest.raises(VerifierError, match="repeats"):
        replace(DOUBLE, repeats=4)


def test_a_program_that_guesses_is_asked_again(take: Take) -> None:
    """Its chance is halved by every repetition; here it is right at first and otherwise later, by the clock."""
    honest = take("bare", RIGHT["bare"], replace(DOUBLE, repeats=3))
    assert (honest.passed, len(honest.checks)) == (True, 6)
    guess = "import time\nn = int(input())\nprint(2 * n + (time.time_ns() // 1000 % 2))\n"
    exam = replace(DOUBLE, repeats=3)
    verdicts = [take("bare", guess, exam, nonce=str(number)) for number in range(24)]
    assert sum(verdict.passed for verdict in verdicts) <= 4
    assert all(REPEATED in v.checks[-1].evidence for v in verdicts if not v.passed and len(v.checks) > 3)


def test_a_program_is_compiled_once_and_runs_in_what_the_compiler_left(workbench: Bench) -> None:
    """A run finds its own folder as the first did, whatever the last one made of it."""
    language = find_language("c")
    looks = '#include <stdio.h>\nint main(void) { if (fopen("mark", "r") || fopen("/tmp/mark", "r")) return 9; '
    looks += 'fopen("mark", "w"); fopen("/tmp/mark", "w"); remove("program"); puts("first"); return 0; }\n'
    made = workbench.prepare(language, looks)
    assert isinstance(made, Program)
    assert [workbench.attempt(made, Case(b"", b"first\n"), LIMITS).problem for _ in range(3)] == ["", "", ""]


def test_a_language_that_needs_more_gets_it(workbench: Bench) -> None:
    """What a task allows is for the program; its language's own needs come on top."""
    language = find_language("javascript")
    made = workbench.prepare(language, "console.log(1)")
    assert isinstance(made, Program)
    allowed = made.limits(LIMITS)
    assert allowed.memory_bytes == LIMITS.memory_bytes + (language.runtime.memory_mb << 20)
    assert allowed.processes == language.runtime.processes
    assert allowed.wall_s > LIMITS.wall_s


def test_the_locked_python_tells_errors_like_the_bare_one(workbench: Bench) -> None:
    language, wrong = find_language("python"), "def f(n):\n    return n / 0\n\nprint(f(1))\n"
    for source in (wrong, "x = (", "import sys\nsys.exit('over')\n", "raise KeyError('a') from ValueError('b')\n"):
        bare, made = Program.python(source), workbench.prepare(language, source)
        attempts: list[Any] = [workbench.attempt(program, Case(b"", b""), LIMITS) for program in (bare, made)]
        assert attempts[0] == attempts[1]
        assert attempts[0].stderr


class Elsewhere:
    """A sandbox in which one program ends as it is told, and says what it is told."""

    def __init__(self, exit_code: int, stderr: bytes) -> None:
        self.result = ExecResult(
            exit_code=exit_code, signal=None, stdout=b"", stderr=stderr, truncated=False, timed_out=False, oom=False,
            duration_s=0.0,
        )  # fmt: skip

    def exec(self, *command: object, **options: object) -> ExecResult:
        return self.result


def test_a_kernel_without_landlock_is_told_from_a_fault(workbench: Bench) -> None:
    assert workbench.locks is True
    told = b"OSError: [Errno 38] Landlock does not work here: Function not implemented\n"
    missing: Any = Elsewhere(1, told)
    assert sees_landlock(missing) is False
    broken: Any = Elsewhere(1, b"MemoryError\n")
    with pytest.raises(InfraError, match="MemoryError"):
        sees_landlock(broken)
