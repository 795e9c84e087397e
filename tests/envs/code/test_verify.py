"""Only right output, from a program that ended well, within its limits, on every hidden input, passes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from palestra.envs.base import SPLITS, Task
from palestra.envs.code.generate import CodeTasks
from palestra.envs.code.judge.bench import Bench
from palestra.envs.code.mutants import mutants
from palestra.envs.code.verify import examples, hidden_tests, judge
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import Command, ExecResult, InfraError, Limits, SandboxSnapshot, SavedSnapshot

LIMITS = {"cpu_s": 5, "wall_s": 30.0, "memory_mb": 64, "output_kb": 1}
QUICK = {**LIMITS, "cpu_s": 1, "wall_s": 0.5}  # for programs that must run out of time
DOUBLE = Task(
    id="code/double",
    family="code",
    seed=0,
    instruction="Print twice the number.",
    public={"examples": [{"input": "1\n", "output": "2\n"}], "limits": LIMITS},
    hidden={"tests": [{"input": f"{n}\n", "output": f"{2 * n}\n"} for n in (3, 40, 7919)]},
)
RIGHT = "print(2 * int(input()))\n"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (RIGHT, ""),
        ("print(2 + int(input()))", "wrong output"),
        (RIGHT + "raise SystemExit(3)", "exit code 3"),
        (RIGHT + "import os; os.kill(os.getpid(), 9)", "killed by signal 9"),
        (RIGHT + "import sys; sys.stdout.flush(); import time; time.sleep(60)", "out of time"),
        (RIGHT + "import sys; sys.stdout.flush()\nwhile True: pass", "out of time"),
        (RIGHT + "print('\\n' * 5000)", "more than 1024 bytes of output"),
        (RIGHT + "import sys; sys.stderr.write('x' * 5000)", "more than 1024 bytes of output"),
        (RIGHT + "print('passed')", "wrong output"),
        ("print(", "exit code 1"),
        ("print(1)\0", "exit code 1"),
        ("print('\ud800')", "the program is not valid Unicode text"),
    ],
)
def test_what_a_program_must_not_do(bench: Bench, code: str, problem: str) -> None:
    limits = QUICK if problem == "out of time" else LIMITS
    verdict = judge(bench, replace(DOUBLE, public={**DOUBLE.public, "limits": limits}), code)
    assert verdict.passed is (problem == "")
    assert verdict.score == float(problem == "")
    assert verdict.checks[-1].evidence == problem


def test_memory_is_limited(bench: Bench) -> None:
    verdict = judge(bench, DOUBLE, RIGHT + "x = bytearray(1 << 30)")
    assert verdict.checks[-1].evidence in ("out of memory", "exit code 1")


def test_every_hidden_test_is_run_and_none_is_told(bench: Bench) -> None:
    verdict = judge(bench, DOUBLE, RIGHT)
    assert sorted(check.name for check in verdict.checks) == ["hidden test 0", "hidden test 1", "hidden test 2"]
    failed = judge(bench, DOUBLE, "import sys; sys.stderr.write(input() * 2); print(7)")
    assert len(failed.checks) == 1
    assert not any(secret in repr(verdict) + repr(failed) for secret in ("7919", "15838", "40", "80"))


def test_the_order_of_tests_is_decided_by_task_and_program(bench: Bench) -> None:
    def order(code: str) -> list[str]:
        return [check.name for check in judge(bench, DOUBLE, code).checks]

    assert order(RIGHT) == order(RIGHT)
    assert len({tuple(order(RIGHT + "#" * n)) for n in range(6)}) > 1


def test_a_program_finds_nothing_of_the_last_one(bench: Bench) -> None:
    leaves = "import os\nassert not os.listdir('.') and not os.listdir('/tmp')\n"
    leaves += "for path in ('mark', '/tmp/mark'):\n    open(path, 'x').write('here')\n"
    assert judge(bench, DOUBLE, leaves + RIGHT).passed


@pytest.mark.parametrize(
    ("public", "hidden", "told"),
    [
        ({}, {"tests": []}, "at least one of its hidden tests"),
        ({}, {}, "at least one of its hidden tests"),
        ({}, {"tests": "12"}, "at least one of its hidden tests"),
        ({}, {"tests": [{"input": "1"}]}, "'output'"),
        ({}, {"tests": [{"input": "1", "output": 2}]}, "'output'"),
        ({}, {"tests": [None]}, "'output'"),
        ({"examples": []}, {}, "at least one of its examples"),
        ({"limits": {}}, {}, "limits"),
        ({"limits": {**LIMITS, "cpu_s": 0}}, {}, "limits"),
        ({"limits": {**LIMITS, "wall_s": True}}, {}, "limits"),
    ],
)
def test_an_exam_that_would_prove_nothing_is_refused(
    bench: Bench, public: dict[str, Any], hidden: dict[str, Any], told: str
) -> None:
    tests = hidden if hidden or not public else DOUBLE.hidden
    task = replace(DOUBLE, public={**DOUBLE.public, **public}, hidden=tests)
    exam_of = examples if "examples" in public else hidden_tests
    with pytest.raises(VerifierError, match=told):
        exam_of(task)
    if "examples" not in public:
        with pytest.raises(VerifierError, match=told):
            judge(bench, task, RIGHT)


class BrokenSandbox:
    """Starts well and fails at the first program."""

    closed = 0

    def snapshot(self) -> SandboxSnapshot:
        return SavedSnapshot(b"", "")

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        raise InfraError("the machine lost it")

    def close(self) -> None:
        self.closed += 1


def test_a_fault_of_the_machine_is_no_verdict() -> None:
    broken: Any = BrokenSandbox()
    with pytest.raises(InfraError, match="lost it"):
        judge(Bench(broken), DOUBLE, RIGHT)


def test_mutants_of_solutions_fail(bench: Bench) -> None:
    assert kill_rate(bench, range(4)) >= 0.9


@pytest.mark.slow
def test_mutants_of_many_solutions_fail(bench: Bench) -> None:
    assert kill_rate(bench, range(100, 130)) >= 0.9


def kill_rate(bench: Bench, seeds: range) -> float:
    """Return the share of near-solutions that fail, over both splits."""
    outcomes = []
    for split in SPLITS:
        for seed in seeds:
            task = CodeTasks(split).sample(seed, {"area": "chains", "steps": 1 + seed % 4})
            task = replace(task, public={**task.public, "limits": QUICK})
            solution = task.hidden["solution"]
            outcomes += [judge(bench, task, mutant).passed for _, mutant in mutants(solution)]
    assert len(outcomes) > 4 * len(seeds)
    return 1 - sum(outcomes) / len(outcomes)
