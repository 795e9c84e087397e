"""Problems of others become task files: what is certified, what is rejected, what cannot be proven, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

from palestra.envs.base import Task
from palestra.envs.taskfile import TaskFile

DOUBLE: dict[str, Any] = {
    "id": "double",
    "statement": "Print twice the number.",
    "tests": [{"input": f"{n}\n", "output": f"{2 * n}\n"} for n in (1, 3, 40, 7919)],
    "solution": "print(2 * int(input()))\n",
}
UNSOLVED = {"id": "next", "statement": "Print the next number.", "tests": DOUBLE["tests"]}
WRONG = {**DOUBLE, "id": "wrong", "statement": "Print it twice over.", "solution": "print(input())\n"}


def written(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_what_is_proven_is_certified_and_the_rest_kept_apart(run: Run, tmp_path: Path) -> None:
    source, out = written(tmp_path / "set.jsonl", DOUBLE, UNSOLVED, WRONG), tmp_path / "tasks.jsonl"
    said = run("import", "plain", str(source), "--out", str(out), "--workers", "1", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert [told[kind] for kind in ("certified", "rejected", "unproven")] == [1, 1, 1]
    assert [task.id for task in (TaskFile(out).sample(0),)] == ["plain/double"]
    unproven = [Task.from_dict(json.loads(line)) for line in Path(told["files"]["unproven"]).read_text().splitlines()]
    assert [task.id for task in unproven] == ["plain/next"]
    [rejected] = [json.loads(line) for line in Path(told["files"]["rejected"]).read_text().splitlines()]
    assert rejected["task"]["id"] == "plain/wrong"
    assert rejected["reasons"][0].startswith("oracle: the oracle earned 0")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("set.jsonl", "tasks.jsonl", "tasks.rejected.jsonl", "tasks.unproven.jsonl")
    ]


def test_what_was_imported_can_be_checked_run_and_verified(run: Run, tmp_path: Path) -> None:
    source, out = written(tmp_path / "set.jsonl", DOUBLE), tmp_path / "tasks.jsonl"
    said = run("import", "plain", str(source), "-o", str(out), "--workers", "1")
    assert (said.code, said.out) == (0, f"{out}: 1 certified tasks of palestra/Code-v0\n")
    assert run("check", str(out)).code == 0
    played = run("run", "palestra/Code-v0", "--tasks", str(out), "-n", "1", "--json")
    assert played.code == 0, played.err
    for solution, code in ((DOUBLE["solution"], 0), ("print(1)\n", 1)):
        written(tmp_path / "solutions.jsonl", {"task_id": "plain/double", "solution": solution})
        assert run("verify", str(out), "--solutions", str(tmp_path / "solutions.jsonl")).code == code


def test_tasks_without_solutions_are_told_of_and_can_be_verified(run: Run, tmp_path: Path) -> None:
    source = written(tmp_path / "set.jsonl", UNSOLVED)
    said = run("import", "plain", str(source), "-o", str(tmp_path / "tasks.jsonl"))
    assert said.code == 0
    assert "tasks.unproven.jsonl: 1 without a solution, so without a certificate" in said.out
    assert not (tmp_path / "tasks.jsonl").exists()
    written(tmp_path / "solutions.jsonl", {"task_id": "plain/next", "solution": DOUBLE["solution"]})
    words = ("verify", str(tmp_path / "tasks.unproven.jsonl"), "--solutions", str(tmp_path / "solutions.jsonl"))
    assert run(*words).code == 0


def test_when_nothing_is_kept_the_exit_code_says_so(run: Run, tmp_path: Path) -> None:
    source = written(tmp_path / "set.jsonl", WRONG)
    said = run("import", "plain", str(source), "-o", str(tmp_path / "tasks.jsonl"))
    assert said.code == 1
    assert "1 rejected, such as plain/wrong: oracle: the oracle earned 0" in said.out


def test_a_task_that_no_file_could_hold_is_rejected(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("palestra.envs.intake.MAX_TASK_BYTES", 2**10)
    source = written(tmp_path / "set.jsonl", UNSOLVED)
    said = run("import", "plain", str(source), "-o", str(tmp_path / "tasks.jsonl"), "--workers", "1")
    assert said.code == 1
    assert "1 rejected, such as plain/next: it has more than" in said.out


def test_a_language_that_does_not_work_here_is_told_and_nothing_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nowhere.yaml").write_text(
        "name: nowhere\ntitle: Nowhere\nfile: main.nw\nexecute: no-such-command main.nw\nversion: no-such-command -v\n"
        "packages: [nowhere-tools]\nhello: {program: 'x', input: '', output: 'x'}\nprompt: Write Nowhere.\n"
    )
    monkeypatch.setenv("PALESTRA_LANGUAGES", str(tmp_path))
    source = written(tmp_path / "set.jsonl", {**DOUBLE, "language": "nowhere"})
    said = run("import", "plain", str(source), "-o", str(tmp_path / "tasks.jsonl"), "--workers", "1")
    assert said.code == 1
    assert "Nowhere does not work here" in said.err
    assert "apt-get install nowhere-tools" in said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nowhere.yaml", "set.jsonl"]


def test_two_tasks_that_are_told_alike_are_one(run: Run, tmp_path: Path) -> None:
    source = written(tmp_path / "set.jsonl", DOUBLE, {**DOUBLE, "id": "again"})
    said = run("import", "plain", str(source), "-o", str(tmp_path / "tasks.jsonl"), "--workers", "1")
    assert "1 rejected, such as plain/again: an agent is told the same as in 'plain/double'" in said.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("leetcode", "set.jsonl", "-o", "tasks.jsonl"), "no format 'leetcode'; known: humaneval"),
        (("plain", "set.jsonl", "-o", "tasks.txt"), "ends in .jsonl or .parquet"),
        (("plain", "missing.jsonl", "-o", "tasks.jsonl"), "missing.jsonl: cannot be read"),
        (("plain", "bad.jsonl", "-o", "tasks.jsonl"), "bad.jsonl: line 2: tests[1].output: 4 is not of type 'string'"),
        (("plain", "set.jsonl", "-o", "there.jsonl"), "is there already"),
        (("exercises", "set.jsonl", "-o", "tasks.jsonl"), "set.jsonl: is no folder"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "set.jsonl", DOUBLE)
    spoilt = [*DOUBLE["tests"][:1], {"input": "2", "output": 4}]
    written(tmp_path / "bad.jsonl", DOUBLE, {**DOUBLE, "id": "other", "tests": spoilt})
    (tmp_path / "there.jsonl").write_text("")
    said = run("import", *words)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.jsonl", "set.jsonl", "there.jsonl"]
