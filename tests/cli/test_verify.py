"""``palestra verify``: exit codes, the table, the first failing input, and reports for machines."""

import importlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from palestra.envs.base import Task
from palestra.envs.registry import make

Run = Callable[..., Any]
WORD = "toy/Word-v0"
TOYS = Path(__file__).parents[1] / "envs"


@pytest.fixture(autouse=True)
def words_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOYS))
    importlib.import_module("wordgym.env").register_words()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sol").mkdir()
    return tmp_path


def words(n: int, **hidden: object) -> list[Task]:
    tasks = [make(WORD).tasks.sample(seed) for seed in range(n)]
    return [replace(task, hidden={**task.hidden, **hidden}) for task in tasks]


def write(tasks: list[Task], *, right: int = 0, wrong: int = 0) -> None:
    """Write the tasks, right solutions of the first ones and wrong ones of those that follow."""
    Path("tasks.json").write_text(json.dumps([task.to_dict() for task in tasks]))
    for number, task in enumerate(tasks[: right + wrong]):
        text = task.hidden["answer"] if number < right else f"wrong \x1b[31m{number}"
        Path(f"sol/word__train__{task.seed}.txt").write_text(text)


ARGS = ("verify", "tasks.json", "--env", WORD, "--solutions", "sol")


def test_all_right_is_0(run: Run, here: Path) -> None:
    write(words(3), right=3)
    said = run(*ARGS)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[0].split() == ["status", "seconds", "task"]
    assert [line.split()[0] for line in said.out.splitlines()[1:4]] == ["passed"] * 3
    assert said.out.splitlines()[-1] == "toy/Word-v0: 3 passed"


def test_a_wrong_one_is_1_and_its_first_failing_input_is_told(run: Run, here: Path) -> None:
    tasks = words(3)
    write(tasks, right=2, wrong=1)
    said = run(*ARGS)
    assert said.code == 1
    assert f"    | {tasks[2].hidden['word']}\n    | wanted:\n    | {tasks[2].hidden['answer']}\n" in said.out
    assert "\x1b" not in said.out
    said = run(*ARGS, "--no-explain")
    assert (said.code, tasks[2].hidden["answer"] in said.out) == (1, False)


def test_a_missing_one_is_1_unless_any_will_do(run: Run, here: Path) -> None:
    write(words(3), right=2)
    said = run(*ARGS)
    assert said.code == 1
    assert "no solution; wanted: sol/word__train__2.txt" in said.out
    said = run(*ARGS, "--require", "any", "--junit", "o.xml")
    assert (said.code, "no solution" in said.out) == (0, False)
    suite = next(ElementTree.parse("o.xml").iter("testsuite"))
    assert [suite.attrib[name] for name in ("tests", "failures", "skipped")] == ["3", "0", "1"]
    write(words(4)[3:])
    said = run(*ARGS, "--require", "any")
    assert (said.code, "has no solution of any task" in said.err) == (2, True)


@pytest.mark.parametrize("hidden", [{"broken": True}, {"lost": 99}])
def test_a_broken_task_or_a_lost_machine_is_2(run: Run, here: Path, hidden: dict[str, object]) -> None:
    write([*words(2), *[replace(task, id="bad") for task in words(1, **hidden)]], right=1, wrong=1)
    Path("sol/bad.txt").write_text("x")
    said = run(*ARGS, "--junit", "o.xml")
    assert said.code == 2
    assert said.out.splitlines()[-1] == "toy/Word-v0: 1 passed, 1 failed, 1 fault"
    assert len(list(ElementTree.parse("o.xml").iter("error"))) == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("none.json", "--solutions", "sol"), "cannot read the task file 'none.json'"),
        (("tasks.json", "--solutions", "none", "--env", WORD), "'none' is neither"),
        (("tasks.json", "--solutions", "sol", "--env", "toy/Wurd-v0"), "did you mean 'toy/Word"),
        (("tasks.json", "--solutions", "sol", "--env", WORD, "--sandbox", "x"), "has no option 'sandbox'"),
        (("tasks.json", "--solutions", "sol", "--env", WORD, "--junit", "no/o.xml"), "cannot write the report"),
        (("tasks.json", "--solutions", "sol", "--env", WORD, "--summary", "no/s.md"), "cannot write the summary"),
        (("tasks.json",), "Missing option '--solutions'"),
    ],
)
def test_a_request_that_makes_no_sense_is_2(run: Run, here: Path, asked: tuple[str, ...], told: str) -> None:
    write(words(1), right=1)
    said = run("verify", *asked)
    assert (said.code, told in said.err) == (2, True), said.err


def test_an_environment_that_judges_no_texts_is_refused_and_those_that_do_are_named(run: Run, here: Path) -> None:
    Path("tasks.json").write_text(json.dumps(make("palestra/ToolUseMini-v0").tasks.sample(0).to_dict()))
    said = run("verify", "tasks.json", "--env", "palestra/ToolUseMini-v0", "--solutions", "sol")
    assert (said.code, "palestra/Code-v0" in said.err) == (2, True)


def test_reports_for_machines_hold_the_same(run: Run, here: Path) -> None:
    write(words(4), right=1, wrong=2)
    Path("sol/stranger.txt").touch()
    Path("summary.md").write_text("before\n")
    said = run(*ARGS, "--json", "--junit", "o.xml", "--summary", "summary.md")
    report = json.loads(said.out)
    assert report["counts"] == {"passed": 1, "failed": 2, "missing": 1, "fault": 0}
    assert [row["status"] for row in report["rows"]] == ["passed", "failed", "failed", "missing"]
    assert report["rows"][1]["first_failing"] == "word"
    assert report["strangers"] == ["sol/stranger.txt"]
    cases = {case.attrib["name"]: [part.tag for part in case] for case in ElementTree.parse("o.xml").iter("testcase")}
    assert list(cases) == [row["task_id"] for row in report["rows"]]
    assert ["failure" in parts for parts in cases.values()] == [False, True, True, True]
    text = Path("summary.md").read_text()
    assert text.startswith("before\n## toy/Word\\-v0\n\n1 passed, 2 failed, 1 missing\n")
    assert "\x1b" not in text


def test_several_solutions_of_a_task_are_counted_without_bias(run: Run, here: Path) -> None:
    tasks = words(2)
    write(tasks)
    lines = [(task.id, task.hidden["answer"] if right else "x") for task in tasks for right in (1, 0, 0, task.seed)]
    rows = [json.dumps({"task_id": task_id, "solution": text}) + "\n" for task_id, text in lines]
    Path("tries.jsonl").write_text("".join(rows))
    said = run("verify", "tasks.json", "--env", WORD, "--solutions", "tries.jsonl", "--json")
    # Of four tries one passes and two pass: 1 - C(3,2)/C(4,2) = 1/2 and 1 - C(2,2)/C(4,2) = 5/6.
    assert json.loads(said.out)["pass_at"] == pytest.approx({"1": 3 / 8, "2": (1 / 2 + 5 / 6) / 2, "4": 1.0})
    assert said.code == 1


def test_more_processes_say_the_same(run: Run, here: Path) -> None:
    write(words(4), right=2, wrong=1)
    one, two = (json.loads(run(*ARGS, "--json", "--jobs", jobs).out) for jobs in ("1", "2"))
    for report in (one, two):
        for row in report["rows"]:
            row.pop("duration_s", None)
    assert one == two


def test_a_process_that_dies_takes_no_other_solution_with_it(run: Run, here: Path) -> None:
    tasks = words(5)
    tasks[1] = replace(tasks[1], hidden={**tasks[1].hidden, "deadly": True})
    write(tasks, right=4, wrong=1)
    said = run(*ARGS, "--json", "--jobs", "2")
    assert said.code == 2
    rows = json.loads(said.out)["rows"]
    assert [row["status"] for row in rows] == ["passed", "fault", "passed", "passed", "failed"]
    assert "ended with code 3" in rows[1]["detail"]


def test_nothing_that_lies_around_is_imported(run: Run, here: Path) -> None:
    write(words(2), right=2)
    for name in ("multiprocessing", "sitecustomize", "json", "wordgym", "palestra", "numpy"):
        Path(f"{name}.py").write_text("open('imported', 'w').close()\n")
    assert run(*ARGS, "--jobs", "2").code == 0
    assert not Path("imported").exists()
    assert "PYTHONSAFEPATH" not in os.environ


def test_programs_are_verified_as_they_are_generated(run: Run, here: Path) -> None:
    assert run("generate", "Code-v0", "-n", "2", "--level", "quick", "--workers", "1", "-o", "tasks.jsonl").code == 0
    for number, line in enumerate(Path("tasks.jsonl").read_text().splitlines()):
        task = json.loads(line)["task"]
        text = task["hidden"]["solution"] if number else "import os; os._exit(0)\n"
        Path(f"sol/{task['id'].replace('/', '__')}.py").write_text(text)
    said = run("verify", "tasks.jsonl", "--solutions", "sol")
    assert said.code == 1
    assert "    | input:\n" in said.out
    assert said.out.splitlines()[-1] == "palestra/Code-v0: 1 passed, 1 failed"
