"""Processes of environments start without what lies in the working folder."""

import operator
import os
from pathlib import Path

import pytest

from palestra.envs.workers import ProcessWorker


@pytest.mark.parametrize("before", [None, "1"])
def test_nothing_in_the_working_folder_is_imported_as_a_process_starts(
    before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("multiprocessing", "sitecustomize", "pickle", "json"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONSAFEPATH", before)
    worker = ProcessWorker(lambda: dict(os.environ))  # what programs that an environment starts are told
    try:
        told = worker.submit(operator.methodcaller("get", "PYTHONSAFEPATH")).result(60.0)
    finally:
        worker.retire()
        assert worker.join(60.0)
    assert not (tmp_path / "imported").exists()
    assert told == os.environ.get("PYTHONSAFEPATH") == before
