"""Words, an environment that judges texts without a sandbox."""

import importlib
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def words_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    importlib.import_module("wordgym.env").register_words()
