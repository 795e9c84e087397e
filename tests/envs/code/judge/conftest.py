"""What the tests of the judge share: benches, and a task so small that only cheating could be hard."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import Case
from palestra.envs.code.judge.exam import Exam, examine
from palestra.envs.code.judge.pytest_exam import PytestBench
from palestra.envs.code.languages.shelf import find_language
from palestra.rewards.base import Verdict
from palestra.sandbox.base import MIB, Limits, PermanentInfraError

LIMITS = Limits(wall_s=20.0, cpu_s=3.0, memory_bytes=64 * MIB, processes=8, output_bytes=4096)
DOUBLE = Exam(cases=tuple(Case(b"%d\n" % n, b"%d\n" % (2 * n)) for n in (3, 40, 7919)), limits=LIMITS)
RIGHT = {
    "bare": "print(2 * int(input()))\n",  # Python that is not locked in
    "python": "print(2 * int(input()))\n",
    "perl": "print 2 * <STDIN>, qq(\\n);\n",
    "lua": "print(2 * io.read('n'))\n",
    "c": '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d\\n", 2 * n); return 0; }\n',
}
Take = Callable[..., Verdict]


@pytest.fixture(scope="session")
def workbench() -> Iterator[Bench]:
    """One bench for all candidates."""
    with closing(Bench.open()) as made:
        yield made


@pytest.fixture(scope="session")
def desk() -> Iterator[Bench]:
    """Another, for checkers."""
    with closing(Bench.open()) as made:
        yield made


@pytest.fixture(scope="session")
def examiner() -> Iterator[PytestBench]:
    with closing(PytestBench.open()) as made:
        yield made


@pytest.fixture
def take(workbench: Bench) -> Take:
    """Have a program in some language take an exam."""

    def take(language: str, source: str, exam: Exam = DOUBLE, nonce: str = "1") -> Verdict:
        try:
            is_bare = language == "bare"
            made = Program.python(source) if is_bare else workbench.prepare(find_language(language), source)
        except PermanentInfraError as error:
            if "CI" in os.environ:  # which has installed it
                raise
            pytest.skip(str(error))
        return examine(workbench, made, exam, nonce=nonce)

    return take
