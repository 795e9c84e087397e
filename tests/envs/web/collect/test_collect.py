"""Collections: files whose every row was done again, however the run was stopped."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from palestra.envs.base import TaskError
from palestra.envs.web.collect.demonstration import Demonstration, NotShown, from_json, read, verify
from palestra.envs.web.collect.run import Order, collect, journal_path

ORDER = Order(policy="scripted", steps=16, every=8, knobs={"size": 6, "site": "inbox"})
N = 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("collected") / "demos.jsonl"
    assert collect(ORDER, out, n=N).kept >= 2
    return out


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text(encoding="ascii").splitlines()]


def test_a_file_tells_all_that_a_demonstration_is_of(made: Path) -> None:
    demonstrations = list(read(made))
    assert [one.to_json() for one in demonstrations] == rows(made)
    for one, row in zip(demonstrations, rows(made), strict=True):
        assert row["site"] == "inbox"
        assert row["instruction"] in one.task.instruction
        assert row["steps"][0]["observation"] in one.task.instruction
        distances = [step["distance"] for step in row["steps"]]
        assert distances[0] == one.task.provenance["distance"] <= len(distances)
        assert distances[-1] == 1
        assert all(now <= after + 1 for now, after in itertools.pairwise(distances))
        assert row["provenance"]["policy"] == "scripted"


def test_bytes_are_the_same_for_a_seed_whatever_runs_beside(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "again.jsonl"
    collected = collect(ORDER, out, n=N, concurrency=3)
    assert out.read_bytes() == made.read_bytes()
    assert collected.episodes == N
    assert collected.kept + sum(collected.dropped.values()) == collected.looks
    other = tmp_path / "other.jsonl"
    collect(replace(ORDER, seed=50), other, n=N)
    assert not other.exists() or other.read_bytes() != made.read_bytes()


def test_a_run_goes_on_where_it_was_torn_off(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "demos.jsonl"
    whole = journal_path(made).read_bytes()
    journal_path(out).write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(TaskError, match="--resume"):
        collect(ORDER, out, n=N)
    with pytest.raises(TaskError, match="asked for something else"):
        collect(replace(ORDER, every=4), out, n=N, resume=True)
    assert collect(ORDER, out, n=N, resume=True).episodes == N
    assert out.read_bytes() == made.read_bytes()


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "demos.jsonl"
    wanted = ("--policy", "scripted", "--steps", "16", "--every", "8", "-d", "size=6", "-d", "site=inbox")
    command = [sys.executable, "-m", "palestra", "web", "collect", "-n", "4", *wanted, "--resume", "-o", str(out)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while first.poll() is None and (not journal_path(out).exists() or journal_path(out).read_bytes().count(b"\n") < 2):
        time.sleep(0.01)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert not out.exists()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert out.read_bytes() == made.read_bytes()


def changed(one: Demonstration, **hidden: Any) -> Demonstration:
    goal = {**one.task.hidden["goal"], **hidden}
    return replace(one, task=replace(one.task, hidden={**one.task.hidden, "goal": goal}))


def test_what_does_not_do_what_it_says_is_refused(made: Path) -> None:
    one = next(iter(read(made)))
    verify(one)
    changes = dict(one.task.hidden["goal"]["changes"])
    cell, value = next((name, value) for name, value in changes.items() if name.endswith(("starred", "folder")))
    other = not value if isinstance(value, bool) else "Receipts" if value != "Receipts" else "Projects"
    wrong = {
        "it does not do what it says": replace(one, steps=(*one.steps[:-2], one.steps[-1])),
        "what it shows is not what is shown": replace(
            one, steps=(replace(one.steps[0], observation="another page"), *one.steps[1:])
        ),
        "it does not end where it ends": replace(one, steps=(*one.steps, one.steps[-1])),
        "its goal is met at the start": changed(one, changes={}),
        "its instruction does not tell its goal": changed(one, changes={**changes, cell: other}),
        "its instruction is not that of its goal": changed(one, intent="Delete all messages."),
    }
    for reason, spoilt in wrong.items():
        with pytest.raises(NotShown) as why:
            verify(spoilt)
        assert str(why.value) in (reason, "what it shows is not what is shown")
    said = "Star everything."
    task = replace(one.task, public={**one.task.public, "intent": said}, instruction=f"{said}\n\nAddress")
    with pytest.raises(NotShown, match="does not tell its goal"):
        verify(changed(replace(one, task=task, provenance={"label": "model"}), intent=said))


def test_files_that_were_tampered_with_are_refused(made: Path, tmp_path: Path) -> None:
    (row, *_), out = rows(made), tmp_path / "spoilt.jsonl"
    steps = row["steps"]
    for spoilt, told in (
        ({**row, "instruction": "Delete all messages."}, "instruction of a demonstration is not that"),
        ({**row, "site_seed": 7}, "site_seed of a demonstration"),
        ({**row, "steps": []}, "has steps"),
        ({**row, "steps": [{**steps[0], "action": 5}]}, "of texts"),
        ({**row, "steps": [{**steps[0], "more": 5}]}, "malformed"),
        ({**row, "steps": steps[:-2] + steps[-1:]}, "is no demonstration"),
        ({**row, "version": 2}, "version 1"),
        ([], "version 1"),
    ):
        out.write_text(json.dumps(spoilt) + "\n")
        with pytest.raises(TaskError, match=told):
            list(read(out))
    out.write_text('{"version": 1')
    with pytest.raises(TaskError, match=r"line 1 .* is damaged"):
        list(read(out))


def test_rows_fit_the_task_that_they_hold(made: Path) -> None:
    one = from_json(rows(made)[0])
    assert one.actions[-1].startswith("<tool_call>")
    assert "send_msg_to_user" in one.actions[-1]


def test_orders_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    wrongs: list[dict[str, Any]] = [{"steps": 3}, {"seed": -1}, {"knobs": {"parts": 1}}, {"knobs": {"size": 1}}]
    for wrong in wrongs:
        with pytest.raises(TaskError):
            Order(**wrong)
    with pytest.raises(TaskError, match="no server"):
        collect(Order(policy="model"), tmp_path / "a.jsonl", n=1)
    there = tmp_path / "there.jsonl"
    there.write_text("mine")
    with pytest.raises(TaskError, match="is there already"):
        collect(ORDER, there, n=1)
    assert there.read_text() == "mine"
