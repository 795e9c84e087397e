"""``palestra init``: a package that works as it is."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
MODULES = ("__init__", "attacks", "env", "generate", "oracle", "verify")


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_package_is_written_under_its_name(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("init", "corner-shop")
    assert said.code == 0
    assert "    palestra check corner_shop/Ledger-v0 --level full" in said.out
    written = files(tmp_path / "corner-shop")
    sources = {f"src/corner_shop/{name}.py" for name in MODULES}
    assert set(written) == sources | {"pyproject.toml", "README.md", "tests/test_corner_shop.py"}
    assert not [name for name, text in written.items() if "my_env" in text]
    for name in sources:
        compile(written[name], name, "exec")
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "E,F,I,UP,B,SIM,RUF", "."],
        cwd=tmp_path / "corner-shop",
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_nothing_is_written_over(run: Run, tmp_path: Path) -> None:
    empty, full, file = tmp_path / "empty", tmp_path / "full", tmp_path / "file"
    empty.mkdir()
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    file.write_text("mine")
    assert run("init", "shop", "--dir", str(empty)).code == 0
    for taken in (empty, full, file):
        before = files(tmp_path)
        said = run("init", "shop", "--dir", str(taken))
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
        assert f"'{taken}' is there already" in said.err
        assert files(tmp_path) == before
    said = run("init", "shop", "--dir", str(file / "below"))
    assert (said.code, "cannot write" in said.err) == (2, True)


@pytest.mark.parametrize(
    "name", ["", "Shop", "1shop", "a b", "a/b", "..", "class", "json", "palestra", "ä", "_", "a.b"]
)
def test_a_name_that_is_none_is_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("init", name)
    assert (said.code, said.out) == (2, "")
    assert repr(name) in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., str]:
    """Run a program as in a shell that stands in a new folder, where a package was installed to ``site``."""
    path = os.pathsep.join([str(tmp_path / "site"), *sys.path])
    env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}

    def shell(*words: str, cwd: str = ".", code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path / cwd,
            env=env,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return shell


INSTALL = (
    "pip",
    "install",
    "-q",
    "--no-deps",
    "--no-build-isolation",
    "--no-index",
    "--upgrade",
    "--target",
    "../site",
)


CHECK = ("palestra", "check", "my_env/Ledger-v0", "--n", "2", "--level", "full")


@pytest.mark.slow
def test_the_package_passes_the_check_as_it_is(shell: Callable[..., str]) -> None:
    """The steps of docs/new_family.md that succeed."""
    shell("palestra", "init", "my_env")
    shell(*INSTALL, ".", cwd="my_env")
    assert "my_env/Ledger-v0 " in shell("palestra", "list")
    assert "list_orders(customer: string)" in shell("palestra", "info", "my_env/Ledger-v0")
    assert "100.0%" in shell("palestra", "run", "my_env/Ledger-v0")
    out = "src/my_env/Ledger-v0.certificate.json"
    assert f"certificate: {out}" in shell(*CHECK, "--out", out, cwd="my_env")
    shell("palestra", "generate", "my_env/Ledger-v0", "-n", "8", "--out", "tasks.jsonl", "-d", "orders=4")
    shell("palestra", "check", "tasks.jsonl", "--level", "full")
    shell("palestra", "run", "my_env/Ledger-v0", "--tasks", "tasks.jsonl")
    assert "4 passed" in shell("pytest", "-q", "-p", "no:cacheprovider", cwd="my_env")
    assert "Success" in shell("mypy", "--strict", "src", "tests", cwd="my_env")


@pytest.mark.slow
def test_the_package_is_refused_without_a_certificate_and_fails_where_it_is_lax(
    shell: Callable[..., str], tmp_path: Path
) -> None:
    """The steps that must not succeed; the check reaches what cannot be registered yet."""
    shell("palestra", "init", "my_env")
    source = tmp_path / "my_env" / "src" / "my_env"
    for name, old, new in [
        ("__init__", 'json",\n        )\n', 'json",\n        ),\n        certified=True,\n'),
        ("verify", "answer == total(task)", "answer > 1000"),
    ]:
        text = (source / f"{name}.py").read_text()
        assert text.count(old) == 1
        (source / f"{name}.py").write_text(text.replace(old, new))
    shell(*INSTALL, ".", cwd="my_env")
    told = shell("palestra", "list", code=1)
    assert f"my_env/Ledger-v0 has no valid certificate: '{tmp_path}/site/my_env/Ledger-v0.certificate.json'" in told
    assert "run: palestra check my_env/Ledger-v0 --level full --out " in told
    told = shell(*CHECK, "--out", "Ledger-v0.certificate.json", code=1)
    for question in ("mutants", "attack:one_order", "attack:many_answers", "guess:typical"):
        assert f"failed  {question}: " in told
    assert not (tmp_path / "Ledger-v0.certificate.json").exists()
