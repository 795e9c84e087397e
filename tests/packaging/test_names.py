"""The folders at the repo root are importable only under the project's name, and the public names are pinned."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import palestra

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"agents", "envs", "rewards", "sandbox"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_public_names_are_these() -> None:
    assert palestra.__all__ == [
        "AgentEnv",
        "EnvEntry",
        "EnvPool",
        "Snapshot",
        "Task",
        "__version__",
        "find",
        "list_envs",
        "make",
        "make_vec",
        "register",
    ]
    for name in palestra.__all__:
        assert getattr(palestra, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = palestra.nothing


def test_the_version_is_the_packages() -> None:
    assert palestra.__version__ == PYPROJECT["project"]["version"]


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_a_root_folder_is_linked_into_the_package(folder: str) -> None:
    link = ROOT / "src" / "palestra" / folder
    assert link.is_symlink(), f"{link} must be a symlink to ../../{folder}"
    assert link.resolve() == ROOT / folder


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_a_generic_name_is_not_importable(folder: str, tmp_path: Path) -> None:
    code = f"import importlib.util as u; exit(u.find_spec({folder!r}) is not None)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == 0, f"`import {folder}` works outside the checkout"


def test_every_list_in_pyproject_names_every_folder() -> None:
    tool = PYPROJECT["tool"]
    hatch = tool["hatch"]["build"]
    lists = {
        "hatch exclude": {Path(path).name for path in hatch["exclude"]},
        "wheel only-include": set(hatch["targets"]["wheel"]["only-include"]),
        "wheel sources": set(hatch["targets"]["wheel"]["sources"]),
        "sdist only-include": set(hatch["targets"]["sdist"]["only-include"]),
        "pyright include": {Path(path).name for path in tool["pyright"]["include"]},
        "ruff banned-api": set(tool["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]),
        "root packages": {path.parent.name for path in ROOT.glob("*/__init__.py")},
    }
    missing = {where: FOLDERS - names for where, names in lists.items()}
    assert {where: gone for where, gone in missing.items() if gone} == {}
    assert lists["root packages"] <= FOLDERS
