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
