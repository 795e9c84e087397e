"""Lines get the labels that running the programs gives them."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from palestra.envs.base import Task
from palestra.envs.code.draws import Draws
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.generate import CodeTasks
from palestra.envs.code.hunks import Hunk, are_apart
from palestra.envs.code.labels.dataset import Counts, Wanted, labelled, write
from palestra.envs.code.labels.labelling import Labelled, Labeller
from palestra.envs.code.labels.ways import Way, reference_of
from palestra.envs.code.writing import program_task
from palestra.envs.rows import parquet_library
from palestra.rewards.base import Check, Verdict, VerifierError

SOURCE = "n = int(input())\ntotal = 0\nfor i in range(n + 1):\n    total += i\nprint(total)"
IR = """n = read_int()
total = 0
for i in range(n + 1):
    total += i
print(total)
"""


def sums(**hidden: str) -> Task:
    cases = [{"input": f"{n}\n", "output": f"{n * (n + 1) // 2}\n"} for n in (0, 1, 4, 9)]
    task = program_task(
        name="sums",
        seed=0,
        statement="The sum of 1 to n.",
        examples=cases[:2],
        tests=cases,
        provenance={"template": "sums", "split": "train"},
        language=hidden.pop("language", "python"),
        oracle=SOURCE,
    )
    return Task.from_dict({**task.to_dict(), "hidden": {**task.hidden, **hidden}})


def passes(right: Callable[[str], bool]) -> Callable[[Task, str], Verdict]:
    return lambda task, text: Verdict.of([Check(name="hidden test 0", passed=right(text), evidence="wrong output")])


def way(first: int, old: str, new: str, kind: str = "mutant: x") -> Way:
    return Way(kind=kind, hunk=Hunk(first=first, old=tuple(old.splitlines()), new=tuple(new.splitlines())))


def shown(row: Labelled) -> list[str]:
    short = {"good": "+", "bad": "-", None: "?"}
    return [
        f"{short[line.label]}{short[line.prefix]}{'*' if line.is_changed else ' '}{line.text}" for line in row.lines
    ]


@pytest.fixture(scope="module")
def env() -> Iterator[CodeEnv]:
    with closing(CodeEnv()) as made:
        yield made


def test_a_changed_line_is_right_if_the_program_with_it_passes() -> None:
    labeller = Labeller(sums(), passes(lambda text: "-=" not in text))
    harmless, fault = way(1, "total = 0", "zero = 0\ntotal = zero"), way(3, "    total += i", "    total -= i")
    row = labeller.label([fault, harmless])
    assert shown(row) == [
        "++ n = int(input())",
        "+?*zero = 0",
        "++*total = zero",
        "++ for i in range(n + 1):",
        "--*    total -= i",
        "+- print(total)",
    ]
    assert (row.passed, row.evidence) == (False, "hidden test 0: wrong output")
    assert labeller.runs == 4  # the reference, each change, both


def test_what_is_missing_is_told_at_the_line_after_it() -> None:
    labeller = Labeller(sums(), passes(lambda text: "total +=" in text))
    assert shown(labeller.label([way(3, "    total += i", "")]))[2:] == ["++ for i in range(n + 1):", "--*print(total)"]
    last = Labeller(sums(), passes(lambda text: "print" in text))
    assert shown(last.label([way(4, "print(total)", "")]))[2:] == ["++ for i in range(n + 1):", "--*    total += i"]


def test_faults_that_make_up_for_each_other_are_wrong_lines_of_a_right_program() -> None:
    labeller = Labeller(sums(), passes(lambda text: text.count("-") != 1))
    row = labeller.label([way(1, "total = 0", "total = -0"), way(3, "    total += i", "    total -= i")])
    assert row.passed
    assert [line.label for line in row.lines if line.is_changed] == ["bad", "bad"]
    assert [line.prefix for line in row.lines] == ["good", "bad", "bad", "good", "good"]


def test_changes_that_touch_each_other_are_refused() -> None:
    labeller = Labeller(sums(), passes(lambda text: True))
    with pytest.raises(ValueError, match="touch each other"):
        labeller.label([way(1, "total = 0", "total = 1"), way(2, "for i in range(n + 1):", "for i in []:")])


@pytest.mark.parametrize("hidden", [{}, {"ir": IR}])
def test_mutants_are_wrong_and_refactorings_right(env: CodeEnv, hidden: dict[str, str]) -> None:
    labeller = Labeller(sums(**hidden), env.judge)
    assert labeller.label().passed
    assert all(labeller.label([one]).passed for one in labeller.reference.ways if one.kind.startswith("refactoring"))
    kinds = {one.kind for one in labeller.reference.ways}
    assert {kind.split(":")[0] for kind in kinds} == {"mutant", "refactoring"}
    assert not all(labeller.label([one]).passed for one in labeller.reference.ways if one.kind.startswith("mutant"))


def test_a_reference_in_another_language_is_changed_in_that() -> None:
    reference = reference_of(sums(ir=IR, language="javascript"))
    assert any("console.log" in line for line in reference.lines)
    assert len(reference.ways) > 10
    with pytest.raises(VerifierError, match="no reference that can be changed"):
        reference_of(sums(language="javascript"))


def test_several_changes_lie_apart() -> None:
    labeller = Labeller(sums(), passes(lambda text: True))
    for seed in range(20):
        chosen = labeller.several(Draws("test", seed, "several"), 2)
        assert are_apart([one.hunk for one in chosen])


def test_tasks_become_rows_and_counts(env: CodeEnv, tmp_path: Path) -> None:
    tasks = [CodeTasks().sample(seed, {"area": "chains"}) for seed in range(2)]
    counts = Counts()
    rows = list(labelled([*tasks, sums(language="c")], env.judge, Wanted(single=4, several=2), counts))
    assert counts.tasks == 2
    assert list(counts.left_out) == ["sums"]
    assert counts.programs == len(rows)
    assert sum(good + bad for good, bad in counts.by_kind().values()) >= 8
    write(tmp_path / "labels.jsonl", rows)
    read = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert read == [row.to_json() for row in rows]
    assert rows == list(labelled(tasks, env.judge, Wanted(single=4, several=2), Counts()))


def test_rows_are_written_as_parquet(tmp_path: Path) -> None:
    parquet = parquet_library()
    row = Labeller(sums(), passes(lambda text: True)).label([way(1, "total = 0", "total = 1")])
    write(tmp_path / "labels.parquet", [row, row])
    assert parquet.read_table(tmp_path / "labels.parquet").to_pylist() == [row.to_json()] * 2


def test_a_reference_that_fails_its_tests_is_left_out() -> None:
    counts = Counts()
    assert not list(labelled([sums()], passes(lambda text: False), Wanted(), counts))
    assert counts.left_out == {"sums": "its reference fails its tests: hidden test 0: wrong output"}
