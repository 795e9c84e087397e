"""What is installed elsewhere: a wheel and an sdist that hold the package and no generic name."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("agents", "envs", "rewards", "sandbox")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from the sdist, as a release does; return their folder."""
    return build(tmp_path_factory.mktemp("dist"))


def build(folder: Path, *options: str) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def names_in(folder: Path) -> set[str]:
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def sources() -> set[str]:
    """Return the package's files as git has them, new ones that are not ignored included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *FOLDERS, "src"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = {path for path in listed.split("\0") if (ROOT / path).is_file() and not (ROOT / path).is_symlink()}
    return {path.removeprefix("src/") if path.startswith("src/") else f"palestra/{path}" for path in files}


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    names = names_in(built)
    inside = {name for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert inside == sources()
    assert {name.split("/")[0] for name in inside} == {"palestra"}
    assert any(name.endswith("/LICENSE") for name in names)


def test_the_wheel_is_the_same_from_the_checkout_as_from_the_sdist(built: Path, tmp_path: Path) -> None:
    assert names_in(build(tmp_path, "--wheel")) == names_in(built)


def test_the_sdist_holds_what_builds_and_tests_the_package(built: Path) -> None:
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert not [member.name for member in members if member.issym() or member.islnk()]
    names = {member.name.partition("/")[2] for member in members}
    assert {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", "tests/conftest.py", "Makefile"} <= names
    assert {name.split("/")[0] for name in names if "/" in name} == {*FOLDERS, "src", "tests"}


def test_an_installed_wheel_works_away_from_the_checkout(built: Path, tmp_path: Path) -> None:
    [wheel] = built.glob("*.whl")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-qq",
        "--no-deps",
        "--target",
        str(tmp_path / "site"),
        str(wheel),
    ]
    subprocess.run(command, check=True)
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    code = "import palestra; print(palestra.__file__); print(len(palestra.list_envs()))"
    said = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert Path(said[0]).is_relative_to(tmp_path)
    assert int(said[1]) >= 2
    command = [sys.executable, "-m", "palestra", "list"]
    listed = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "palestra/ToolUseMini-v0" in listed


@pytest.mark.slow
def test_its_own_dependencies_are_enough(built: Path, tmp_path: Path) -> None:
    """In a new virtual environment, with no extra, every environment is listed, made and checked."""
    [wheel] = built.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([python, "-m", "pip", "install", "-qq", str(wheel)], env=env, check=True)
    for words in (["list"], ["info", "Code-v0"], ["check", "ToolUseMini-v0", "-n", "2"]):
        command = [str(python.with_name("palestra")), *words]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "palestra/" in done.stdout
