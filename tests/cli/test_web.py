"""``palestra web label`` writes preferences and says how many there are."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_preferences_are_written(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "labels.jsonl"
    said = run("web", "label", "--out", str(out), "-n", "2", "-d", "site=inbox", "-d", "longest=6", "--json")
    assert said.code == 0, said.err
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert json.loads(said.out) == {"file": str(out), "tasks": 2, "states": len(rows)}
    assert {row["task_id"].split("/")[1] for row in rows} == {"inbox"}
    assert all(len(row["negatives"]) == 4 for row in rows)


def test_what_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    assert "must end in .jsonl" in run("web", "label", "--out", str(tmp_path / "labels.csv")).err
    said = run("web", "label", "--out", str(tmp_path / "missing" / "labels.jsonl"), "-n", "1")
    assert said.code == 2
    assert "cannot write" in said.err
    assert "unknown difficulty knob" in run("web", "label", "--out", str(tmp_path / "a.jsonl"), "-d", "colour=1").err


def test_demonstrations_are_collected_and_counted(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "demos.jsonl"
    words = ("web", "collect", "-o", str(out), "-n", "3", "--policy", "scripted", "-d", "site=inbox", "-d", "size=6")
    said = run(*words)
    assert said.code == 0, said.err
    assert "3  episodes of" in said.out
    rows = out.read_text().splitlines()
    assert f"{len(rows)}  demonstrations kept" in said.out
    assert "is of an earlier run: go on with --resume" in run(*words).err
    again = json.loads(run(*words, "--resume", "--json").out)
    assert (again["kept"], again["episodes"], again["faults"]) == (len(rows), 3, 0)


def test_a_collection_without_a_server_or_a_place_is_refused(run: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "demos.jsonl")
    assert "must end in .jsonl" in run("web", "collect", "-o", str(tmp_path / "demos.csv")).err
    assert "no server is told" in run("web", "collect", "-o", out, "--policy", "model").err
    assert "unknown difficulty knob" in run("web", "collect", "-o", out, "-d", "parts=1").err
    said = run("web", "collect", "-o", out, "--policy", "model", "--base-url", "ftp://x")
    assert "starts with http://" in said.err
    assert run("web", "collect", "-o", out, "-n", "1", "--steps", "1", "--every", "1").code == 1
