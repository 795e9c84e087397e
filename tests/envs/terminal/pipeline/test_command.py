"""``palestra terminal write`` as a person runs it: what it shows, and what it refuses before it asks anybody."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from palestra.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        out = ("-o", str(tmp_path / "deep" / "t.jsonl")) if "-o" not in words else ()
        monkeypatch.setattr(sys, "argv", ["palestra", "terminal", "write", *out, *words])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def test_a_table_tells_what_every_stage_let_through(author: Any, scripted: Any, run: Run, tmp_path: Path) -> None:
    seen: list[str] = []

    def build(seed: str) -> Any:
        seen.append(seed)
        return author.say("no, \x1b[2J never") if len(seen) == 1 else good(seed)

    good, author.build = author.build, build
    words = ("--base-url", scripted.url, "-n", "1", "--most", "2", "--attempts", "2", "--repairs", "0")
    code, out, err = run(*words, "--concurrency", "1")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line.split()[1:7] for line in out.splitlines()[:7]}
    assert rows["describe"] == ["2", "2", "100%", "2", "0", "200"]
    assert rows["build"] == ["2", "1", "50%", "2", "0", "200"]
    assert rows["filter"] == ["1", "1", "100%", "4", "0", "400"]
    assert rows["all"] == ["2", "1", "50%", "9", "0", "900"]
    assert all(len(line) <= 80 for line in out.splitlines()[:7])
    told = "\n".join(out.splitlines()[7:])
    assert "1 of 2 attempts passed" in told
    assert r"build rejected last: the model's answer is no JSON: 'no, \x1b[2J never'" in told
    assert f"{tmp_path}/deep/t.jsonl: 1 certified tasks" in told
    assert "\x1b" not in out


def test_an_end_without_tasks_is_told_as_such(author: Any, scripted: Any, run: Run, tmp_path: Path) -> None:
    author.describe = lambda seed: author.say("I am a very small model.")
    words = ("--base-url", scripted.url, "-n", "2", "--most", "3", "--repairs", "1")
    code, out, err = run(*words)
    assert (code, err) == (1, "")
    assert "no task was kept" in out
    assert "go on with --resume and a larger --most" in out
    assert not (tmp_path / "deep" / "t.jsonl").exists()
    code, out, err = run(*words, "--resume", "--json")
    told = json.loads(out)
    assert (code, err, told["kept"], told["rejected"]) == (1, "", 0, 3)
    assert told["stages"]["describe"]["yield"] == 0.0
    assert told["stages"]["build"]["yield"] is None
    assert set(told["files"]) == {"rejected", "journal"}


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "another ending": (("-o", "t.txt"), "a task file's name ends in .jsonl or .parquet, unlike 't.txt'"),
    "no address": (("--base-url", "localhost:8000"), "starts with http:// or https://"),
    "no key": (("--api-key-env", "NOT_SET_ANYWHERE"), "the variable 'NOT_SET_ANYWHERE' that is to hold"),
    "as many as k": (("--attempts", "4", "-k", "4"), "takes more attempts than k"),
    "no folder": (("-o", "/dev/null/t.jsonl"), "cannot write '/dev/null/t.jsonl'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused(name: str, scripted: Any, run: Run) -> None:
    words, told = REFUSED[name]
    url = () if "--base-url" in words else ("--base-url", scripted.url)
    code, out, err = run(*url, *words)
    assert (code, out, told in err) == (2, "", True), err
    assert not scripted.asked


def test_a_server_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    code, out, err = run("--base-url", "http://127.0.0.1:9", "--retries", "0")
    assert (code, out) == (1, "")
    assert "EndpointError: http://127.0.0.1:9/v1/models failed" in err
    assert not list(tmp_path.glob("deep/*"))
