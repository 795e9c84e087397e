"""The package that the tasks come from: found without being imported, and one clear error where it is not there."""

import importlib.util
import subprocess
import sys
from importlib import metadata

import pytest

import palestra
from palestra.cli import main
from palestra.envs.bfcl import package

IDS = ["palestra/BFCLSingleTurn-v0", "palestra/BFCLMultiTurn-v0"]


def said_by(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["palestra", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


@pytest.mark.parametrize("env_id", IDS)
def test_where_the_package_is_missing_the_error_says_what_to_install(
    env_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package.root.cache_clear()
    monkeypatch.setattr(package, "find_spec", lambda name: None)
    try:
        with pytest.raises(package.BfclMissingError, match=r"pip install --no-deps bfcl-eval==\d"):
            palestra.make(env_id)
        assert said_by(monkeypatch, "run", env_id, "--agent", "oracle") == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert "pip install --no-deps bfcl-eval" in said
    finally:
        package.root.cache_clear()


def test_another_version_is_refused_by_both_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    package.root.cache_clear()
    monkeypatch.setattr(metadata, "version", lambda name: "1999.1")
    try:
        with pytest.raises(package.BfclMissingError, match=rf"{package.VERSION}, not of 1999\.1"):
            package.root()
    finally:
        package.root.cache_clear()


def test_ids_are_listed_where_the_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(package, "root", lambda: pytest.fail("the package was looked for"))
    assert said_by(monkeypatch, "list") == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in IDS)


def test_nothing_of_the_package_is_imported_for_a_single_turn() -> None:
    code = (
        "import sys, palestra; env = palestra.make('palestra/BFCLSingleTurn-v0'); env.reset(seed=1); "
        "env.step(next(env.oracle())); print([name for name in sys.modules if name.startswith('bfcl_eval')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
    assert importlib.util.find_spec("bfcl_eval") is not None
