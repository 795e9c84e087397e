"""Files of certified tasks: the same bytes however they were made, and nothing in them that did not pass."""

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from palestra.envs.base import TaskError
from palestra.envs.certify.factory import Order, Tally, generate
from palestra.envs.taskfile import TaskFile
from palestra.sandbox.base import InfraError

OrderOf = Callable[[str], Order]
TOOL_USE = Order(env_id="palestra/ToolUseMini-v0", level="quick")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def stop_at(kept: int) -> Callable[[Tally], None]:
    def seen(tally: Tally) -> None:
        if tally.kept >= kept:
            raise KeyboardInterrupt

    return seen


def test_what_does_not_pass_is_kept_apart_with_its_reason(order_of: OrderOf, tmp_path: Path) -> None:
    tally = generate(order_of("Mixed"), 4, tmp_path / "tasks.jsonl")
    assert [record["task"]["seed"] for record in lines(tmp_path / "tasks.jsonl")] == [0, 1, 5, 6]
    reasons = {line["seed"]: line["reasons"][0] for line in lines(tmp_path / "tasks.rejected.jsonl")}
    first = lines(tmp_path / "tasks.jsonl")[1]["task"]["id"]
    assert reasons == {
        2: f"an agent is told the same as in {first!r}",
        3: "the generator raised ZeroDivisionError('no world fits')",
        4: "oracle: the oracle earned 0 and did not succeed",
    }
    assert (tally.kept, tally.rejected) == (4, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tasks.jsonl", "tasks.rejected.jsonl"]


def test_the_bytes_do_not_depend_on_the_number_of_workers(order_of: OrderOf, tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        generate(order_of("Mixed"), 12, tmp_path / f"{name}.jsonl", workers=workers)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert (tmp_path / "one.rejected.jsonl").read_bytes() == (tmp_path / "two.rejected.jsonl").read_bytes()


def test_a_run_cut_off_at_any_byte_goes_on_to_the_same_bytes(order_of: OrderOf, tmp_path: Path) -> None:
    order, out, journal = order_of("Mixed"), tmp_path / "tasks.jsonl", tmp_path / "tasks.jsonl.part"
    with pytest.raises(KeyboardInterrupt):
        generate(order, 6, out, seen=stop_at(6))
    written = journal.read_bytes()
    generate(order, 6, out, resume=True)
    whole, rejected = out.read_bytes(), (tmp_path / "tasks.rejected.jsonl").read_bytes()
    ends = [place + 1 for place, byte in enumerate(written) if byte == ord("\n")]
    for cut in [0, 1, *ends[::2], ends[3] - 1, *random.Random(0).sample(range(len(written)), 3)]:
        out.unlink(missing_ok=True)
        (tmp_path / "tasks.rejected.jsonl").unlink(missing_ok=True)
        journal.write_bytes(written[:cut])
        generate(order, 6, out, resume=True)
        assert out.read_bytes() == whole, f"cut off after {cut} bytes"
        assert (tmp_path / "tasks.rejected.jsonl").read_bytes() == rejected


def test_a_run_cut_off_while_it_publishes_goes_on(order_of: OrderOf, tmp_path: Path) -> None:
    order, out, journal = order_of("Mixed"), tmp_path / "tasks.jsonl", tmp_path / "tasks.jsonl.part"
    with pytest.raises(KeyboardInterrupt):
        generate(order, 3, out, seen=stop_at(3))
    written = journal.read_bytes()
    generate(order, 3, out, resume=True)
    whole = out.read_bytes()
    journal.write_bytes(written)  # everything is published, and the journal is still there
    generate(order, 3, out, resume=True)
    assert (out.read_bytes(), journal.exists()) == (whole, False)
    out.unlink()
    journal.write_bytes(written)  # only the rejected are published
    generate(order, 3, out, resume=True)
    assert (out.read_bytes(), journal.exists()) == (whole, False)


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    words = ["generate", "ToolUseMini-v0", "-n", "40", "--level", "quick", "--workers", "2"]
    command = [sys.executable, "-m", "palestra", *words]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    out = tmp_path / "killed.jsonl"
    process = subprocess.Popen([*command, "--out", str(out)], env=env, stdout=subprocess.DEVNULL)
    journal = tmp_path / "killed.jsonl.part"
    while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > 5):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = journal.read_bytes().count(b"\n") - 1
    assert 5 <= before < 40
    done = subprocess.run(
        [*command, "--out", str(out), "--resume"], env=env, check=True, capture_output=True, text=True
    )
    assert f"40 certified tasks ({before} of them by an earlier run)" in done.stdout
    generate(TOOL_USE, 40, tmp_path / "whole.jsonl")
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_fault_of_the_machine_is_tried_again_and_changes_nothing(
    order_of: OrderOf, tmp_path: Path, workers: int
) -> None:
    tally = generate(order_of("Shaky"), 10, tmp_path / "shaky.jsonl", workers=workers)
    generate(order_of("Mixed"), 10, tmp_path / "steady.jsonl")
    assert tally.faults > 0
    assert "the disk is full" in tally.last_fault
    shaky, steady = lines(tmp_path / "shaky.jsonl"), lines(tmp_path / "steady.jsonl")
    assert [record["task"] for record in shaky] == [record["task"] for record in steady]
    rejected = [[line["seed"] for line in lines(tmp_path / f"{name}.rejected.jsonl")] for name in ("shaky", "steady")]
    assert rejected[0] == rejected[1]


def test_a_machine_that_keeps_failing_stops_the_run_and_loses_nothing(
    order_of: OrderOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "tasks.jsonl"
    monkeypatch.setenv("MAKER_FAULT", "5")
    with pytest.raises(InfraError, match="seed 5: InfraError: the disk is full"):
        generate(order_of("Shaky"), 4, out)
    assert not out.exists()
    monkeypatch.delenv("MAKER_FAULT")
    tally = generate(order_of("Shaky"), 4, out, resume=True)
    assert (tally.resumed, tally.kept) == (2, 4)
    assert [record["task"]["seed"] for record in lines(out)] == [0, 1, 5, 6]


def test_a_worker_that_dies_is_replaced(order_of: OrderOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKER_MARK", str(tmp_path / "died"))
    tally = generate(order_of("Dying"), 6, tmp_path / "tasks.jsonl", workers=2)
    assert (tmp_path / "died").exists()
    assert [record["task"]["seed"] for record in lines(tmp_path / "tasks.jsonl")] == [0, 1, 5, 6, 10, 11]
    assert (tally.faults, "killed by signal 9" in tally.last_fault) == (1, True)


def test_an_environment_without_tasks_is_given_up(order_of: OrderOf, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"none of the last 200 seeds .*\(0 are kept\).* did not succeed"):
        generate(order_of("Empty"), 1, tmp_path / "tasks.jsonl")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 3}, "of a run with seed=0, not 3"),
        ({"split": "heldout"}, "of a run with split='train', not 'heldout'"),
        ({"difficulty": {"hops": 2}}, "of a run with difficulty={}, not {'hops': 2}"),
        ({"level": "full"}, "of a run with level='quick', not 'full'"),
    ],
)
def test_a_run_goes_on_only_as_it_began(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    out = tmp_path / "tasks.jsonl"
    with pytest.raises(KeyboardInterrupt):
        generate(TOOL_USE, 5, out, seen=stop_at(1))
    with pytest.raises(TaskError) as refused:
        generate(dataclasses.replace(TOOL_USE, **change), 5, out, resume=True)
    assert told in str(refused.value)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    out = tmp_path / "tasks.jsonl"
    with pytest.raises(KeyboardInterrupt):
        generate(TOOL_USE, 2, out, seen=stop_at(1))
    with pytest.raises(TaskError, match="is of an unfinished run: go on with --resume"):
        generate(TOOL_USE, 2, out)
    generate(TOOL_USE, 2, out, resume=True)
    with pytest.raises(TaskError, match="is there already"):
        generate(TOOL_USE, 2, out)
    assert generate(TOOL_USE, 2, out, resume=True).resumed == 2
    with pytest.raises(TaskError, match="holds 2 tasks, not 3"):
        generate(TOOL_USE, 3, out, resume=True)
    out.unlink()
    (tmp_path / "tasks.rejected.jsonl").touch()
    with pytest.raises(TaskError, match=r"tasks\.rejected\.jsonl' is there already"):
        generate(TOOL_USE, 2, out)


def test_one_run_at_a_time_writes_a_file(tmp_path: Path) -> None:
    out = tmp_path / "tasks.jsonl"

    def meanwhile(tally: Tally) -> None:
        with pytest.raises(TaskError, match="another run is writing"):
            generate(TOOL_USE, 2, out, resume=True)

    assert generate(TOOL_USE, 2, out, seen=meanwhile).kept == 2


def test_a_damaged_journal_is_named_with_its_line(tmp_path: Path) -> None:
    out, journal = tmp_path / "tasks.jsonl", tmp_path / "tasks.jsonl.part"
    with pytest.raises(KeyboardInterrupt):
        generate(TOOL_USE, 5, out, seen=stop_at(3))
    written = journal.read_bytes().splitlines(keepends=True)
    for damaged in ([*written[:2], b"{}\n"], [*written[:2], written[3]], [*written[:2], b"\xff\n"], [b"[]\n"]):
        journal.write_bytes(b"".join(damaged))
        with pytest.raises(TaskError, match=rf"line {len(damaged)} of .* is damaged"):
            generate(TOOL_USE, 5, out, resume=True)


@pytest.mark.parametrize("knobs", [{"hopps": 1}, {"hops": 9}, {"hops": "two"}])
def test_a_wrong_knob_is_told_before_anything_is_written(tmp_path: Path, knobs: dict[str, Any]) -> None:
    with pytest.raises(TaskError, match=next(iter(knobs))):
        generate(dataclasses.replace(TOOL_USE, difficulty=knobs), 1, tmp_path / "tasks.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_parquet_holds_the_same_tasks(tmp_path: Path) -> None:
    order = dataclasses.replace(TOOL_USE, split="heldout", difficulty={"hops": 2})
    for name in ("tasks.jsonl", "tasks.parquet"):
        generate(order, 3, tmp_path / name)
    one, other = TaskFile(tmp_path / "tasks.jsonl"), TaskFile(tmp_path / "tasks.parquet")
    assert [one.sample(seed) for seed in range(3)] == [other.sample(seed) for seed in range(3)]
    assert (other.split, len(other), other.sample(0).difficulty["hops"]) == ("heldout", 3, 2)
