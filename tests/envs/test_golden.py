"""Golden hashes: no version of ours changes, and a change is named by the task that it changes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import palestra
from palestra.envs.base import SPLITS
from palestra.envs.certify.golden import GoldenError, golden_file, has_golden, known, measured, unchanged, write
from palestra.envs.registry import EnvEntry, register

KEPT = [entry for entry in palestra.list_envs() if entry.id.startswith("palestra/") and has_golden(entry)]


def test_our_generated_families_have_golden_hashes() -> None:
    assert {"palestra/ToolUse-v0", "palestra/ToolUseMini-v0", "palestra/Code-v0"} <= {entry.id for entry in KEPT}


@pytest.mark.parametrize("entry", KEPT, ids=lambda entry: str(entry.id))
def test_no_version_has_changed(entry: EnvEntry) -> None:
    """A changed hash changes every published task: give the environment's id a new version and write its hashes."""
    found = unchanged(entry)
    assert found.passed, found.detail


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnvEntry:
    """An environment in a package of its own, whose code may be changed."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"kept_{tmp_path.name}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "env.py").write_text("from placegym.env import PlaceEnv\n")
    made = EnvEntry(
        id=f"kept/{name.title()}-v0", entry_point=f"{name}.env:PlaceEnv", family="place", summary="says yes"
    )
    register(made)
    return made


def test_hashes_are_written_once_and_hold(entry: EnvEntry) -> None:
    assert not has_golden(entry)
    assert known(entry) is None
    path = write(entry, seeds=3)
    assert path == golden_file(entry)
    assert has_golden(entry)
    assert known(entry) == measured(entry, 3)
    assert [len(known(entry)[split]) for split in SPLITS] == [3, 3]  # type: ignore[index]
    assert unchanged(entry).passed
    before = path.read_text()
    with pytest.raises(GoldenError, match="give the environment a new version"):
        write(entry, seeds=5)
    assert path.read_text() == before
    write(entry, seeds=5, overwrite=True)
    assert len(json.loads(path.read_text())[entry.id]["train"]) == 5


def test_a_new_version_keeps_the_hashes_of_the_old_one(entry: EnvEntry) -> None:
    path = write(entry, seeds=3)
    newer = EnvEntry(id=entry.id.replace("-v0", "-v1"), entry_point=entry.entry_point, family="place", summary="yes")
    register(newer)
    assert "has no golden hashes of" in unchanged(newer).detail
    write(newer, seeds=3)
    assert sorted(json.loads(path.read_text())) == [entry.id, newer.id]
    assert unchanged(entry).passed
    assert unchanged(newer).passed


@pytest.mark.parametrize(("place", "what"), [(0, "the task"), (1, "what the oracle sees in the task")])
def test_a_change_is_named(entry: EnvEntry, place: int, what: str) -> None:
    path = write(entry, seeds=3)
    held = json.loads(path.read_text())
    held[entry.id]["heldout"][2][place] = "0" * 12
    path.write_text(json.dumps(held))
    found = unchanged(entry)
    assert not found.passed
    assert f"{what} of split heldout, seed 2 has changed, and the version of {entry.id} has not" in found.detail
    assert found.evidence["was"][place] == "0" * 12


@pytest.mark.parametrize(
    "text", ["", "[]", '{"ID": 3}', '{"ID": {"train": []}}', '{"ID": {"train": [1], "heldout": []}}']
)
def test_a_malformed_file_is_named(entry: EnvEntry, text: str) -> None:
    golden_file(entry).write_text(text.replace("ID", entry.id))
    with pytest.raises(GoldenError, match="does not hold golden hashes"):
        known(entry)


def test_an_entry_without_a_file_has_none() -> None:
    assert not has_golden(EnvEntry(id="a/B-v0", entry_point="no_such.module:X", family="x", summary="x"))


def test_the_command_refuses_to_overwrite_a_version() -> None:
    command = [sys.executable, "-m", "palestra.envs.certify.golden", "palestra/ToolUseMini-v0"]
    done = subprocess.run(command, env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "has the golden hashes of palestra/ToolUseMini-v0" in done.stderr
