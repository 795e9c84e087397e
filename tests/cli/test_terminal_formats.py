"""Folders of Harbor and Terminal-Bench on the command line: imported, run, exported."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.cli.conftest import Run
from tests.envs.terminal.formats.conftest import BENCH, HELLO, no_daemon, written

from palestra.envs.terminal.formats.harbor import read_package
from palestra.envs.terminal.generate import TerminalTasks

__all__ = ["no_daemon"]

DONE_ALREADY = {**HELLO, "tests/test.sh": "echo 1 > /logs/verifier/reward.txt\n"}
WRONG = {**HELLO, "solution/solve.sh": "echo bye > hello.txt\n"}
ALPINE = {**HELLO, "environment/Dockerfile": "FROM alpine\n"}


def test_a_folder_is_run_with_a_table_and_a_report(run: Run, tmp_path: Path) -> None:
    for name, files in (("good", HELLO), ("alpine", ALPINE)):
        written(tmp_path / "set" / name, files)
    report = tmp_path / "report.xml"
    said = run("run", str(tmp_path / "set"), "--agent", "oracle", "--junit", str(report))
    assert said.code == 0, said.err
    assert "terminal/harbor/good" in said.out
    assert "left out" in said.out
    [suite] = ElementTree.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "0", "1")
    [good, alpine] = suite.findall("testcase")
    assert good.get("name") == "terminal/harbor/good/heldout/1"
    skipped = alpine.find("skipped")
    assert skipped is not None
    assert "Dockerfile:1: FROM alpine" in str(skipped.get("message"))


def test_what_is_wrong_with_tasks_is_found(run: Run, tmp_path: Path) -> None:
    written(tmp_path / "set" / "wrong", WRONG)
    written(tmp_path / "set" / "done", DONE_ALREADY)
    failed = {}
    for agent in ("oracle", "nop"):
        report = tmp_path / f"{agent}.xml"
        said = run("run", str(tmp_path / "set"), "--agent", agent, "--junit", str(report), "--json")
        assert said.code == 1
        json.loads(said.out)
        cases = ElementTree.parse(report).getroot()[0].findall("testcase")
        failed[agent] = [
            (case.get("name"), wrong.get("message")) for case in cases for wrong in case.findall("failure")
        ]
    assert failed == {
        "oracle": [("terminal/harbor/wrong/heldout/1", "not solved")],
        "nop": [("terminal/harbor/done/heldout/0", "solved by doing nothing")],
    }


def test_imported_exported_and_imported_again(run: Run, tmp_path: Path) -> None:
    written(tmp_path / "set" / "hello", HELLO)
    written(tmp_path / "set" / "wrong", WRONG)
    written(tmp_path / "set" / "alpine", ALPINE)
    tasks, out = tmp_path / "tasks.jsonl", tmp_path / "out"
    refused = run("import", "harbor", str(tmp_path / "set"), "-o", str(tasks))
    assert (refused.code, tasks.exists()) == (2, False)
    assert "alpine/environment/Dockerfile:1" in refused.err
    said = run("import", "harbor", str(tmp_path / "set"), "-o", str(tasks), "--workers", "1", "--skip", "--json")
    assert said.code == 0, said.err
    assert {name: json.loads(said.out)[name] for name in ("certified", "rejected")} == {"certified": 1, "rejected": 1}
    assert "left out" in said.err
    assert run("export", "harbor", str(tasks), "--out", str(out)).code == 0
    assert read_package(out / "hello") == read_package(tmp_path / "set" / "hello")
    assert run("export", "harbor", str(tasks), "--out", str(out)).code == 2
    assert run("run", str(tasks), "--agent", "nop").code == 0


def test_tasks_of_terminal_bench(run: Run, tmp_path: Path) -> None:
    written(tmp_path / "set" / "hello", BENCH)
    assert run("run", str(tmp_path / "set"), "--agent", "oracle").code == 0


@pytest.mark.slow
def test_generated_tasks_are_exported_and_played(run: Run, tmp_path: Path) -> None:
    task = TerminalTasks("train").sample(1)
    (tmp_path / "task.json").write_text(json.dumps(task.to_dict()))
    said = run("export", "harbor", str(tmp_path / "task.json"), "-o", str(tmp_path / "out"), "--json")
    assert said.code == 0, said.err
    assert len(json.loads(said.out)["written"]) == 1
    for agent in ("oracle", "nop"):
        assert run("run", str(tmp_path / "out"), "--agent", agent).code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("export", "zip", "x.jsonl", "-o", "out"), "there is no format 'zip' to write"),
        (("export", "harbor", "nowhere.jsonl", "-o", "out"), "nowhere.jsonl"),
        (("run", "."), "has no task, which is a folder with task.toml or task.yaml in it"),
        (("import", "harbor", ".", "-o", "t.jsonl"), "has no task, which is a folder with task.toml in it"),
    ],
)
def test_what_cannot_be_is_told(
    words: tuple[str, ...], told: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run(*words)
    assert said.code == 2
    assert told in said.err


def test_docker_is_for_folders_and_needs_a_daemon(run: Run, tmp_path: Path) -> None:
    folder = written(tmp_path / "hello", HELLO)
    said = run("run", str(folder), "--docker")
    assert said.code == 2
    assert "the docker daemon at" in said.err or "program docker" in said.err
    assert run("import", "harbor", str(folder), "-o", str(tmp_path / "a.jsonl"), "--workers", "1").code == 0
    (tmp_path / "b.jsonl").write_text("{}\n")
    for words in (
        ("run", "palestra/Terminal-v0", "--docker"),
        ("run", str(tmp_path / "a.jsonl"), "--docker"),
        ("import", "plain", str(tmp_path / "b.jsonl"), "-o", str(tmp_path / "c.jsonl"), "--docker"),
    ):
        said = run(*words)
        assert (said.code, "--docker is for folders" in said.err) == (2, True), said.err
