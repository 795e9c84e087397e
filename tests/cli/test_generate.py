"""``palestra generate``: what it shows and refuses; the files are tested beside the factory."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from palestra.envs.certify import factory
from palestra.envs.registry import EnvEntry, register

Run = Callable[..., Any]
QUICK = ("--level", "quick", "--workers", "1")


def test_a_file_is_made_and_told(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "tasks.jsonl"
    words = (
        "generate",
        "ToolUseMini-v0",
        "--n",
        "3",
        "--difficulty",
        "hops=2",
        "--split",
        "heldout",
        "--out",
        str(out),
    )
    said = run(*words, *QUICK)
    assert (said.code, said.out, said.err) == (0, f"{out}: 3 certified tasks\n", "")
    tasks = [json.loads(line)["task"] for line in out.read_text().splitlines()]
    assert [(task["difficulty"]["hops"], task["provenance"]["split"]) for task in tasks] == [(2, "heldout")] * 3
    again = run(*words, *QUICK, "--resume", "--json")
    assert json.loads(again.out) == {
        "out": str(out),
        "kept": 3,
        "rejected": 0,
        "resumed": 3,
        "faults": 0,
        "rejects": None,
    }


def test_rejections_are_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "envs"))
    register(EnvEntry(id="maker/Mixed-v0", entry_point="makergym.env:MixedEnv", family="tooluse", summary="a maker"))
    said = run("generate", "maker/Mixed-v0", "-n", "3", "-o", str(tmp_path / "t.jsonl"), *QUICK)
    assert said.out.splitlines()[1] == f"{tmp_path}/t.rejected.jsonl: 3 rejected, with the reasons"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-o", "tasks.txt"), "ends in .jsonl or .parquet, unlike 'tasks.txt'"),
        (("-o", "/dev/null/tasks.jsonl"), "cannot write '/dev/null/tasks.jsonl': "),
        (("-o", "tasks.jsonl", "-d", "hopps=1"), "unknown difficulty knob 'hopps'"),
        (("-o", "tasks.jsonl", "-d", "hops"), "KNOB=VALUE"),
    ],
)
def test_a_wrong_request_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("generate", "ToolUseMini-v0", *words, *QUICK)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert told in said.err
    assert list(tmp_path.iterdir()) == []


def test_parquet_without_pyarrow_is_told_before_the_work(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pyarrow.parquet", raising=False)
    said = run("generate", "ToolUseMini-v0", "-n", "1", "-o", str(tmp_path / "t.parquet"), *QUICK)
    assert (said.code, said.out) == (1, "")
    assert said.err == "error: this needs pyarrow; install it with: pip install 'palestra[parquet]'\n"
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_interrupted_says_how_to_go_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = factory.Press.attempt

    def interrupted(press: factory.Press, seed: int) -> factory.Attempt:
        if seed == 2:
            raise KeyboardInterrupt
        return attempt(press, seed)

    words = ("generate", "ToolUseMini-v0", "-n", "4", "-o", str(tmp_path / "t.jsonl"), *QUICK)
    with monkeypatch.context() as patched:
        patched.setattr(factory.Press, "attempt", interrupted)
        said = run(*words)
    assert (said.code, said.out, said.err) == (130, "", "2 tasks are kept; go on with --resume\ninterrupted\n")
    said = run(*words, "--resume")
    assert said.out == f"{tmp_path}/t.jsonl: 4 certified tasks (2 of them by an earlier run)\n"
