"""Every family has a Dockerfile too, which names the packages of its recipe."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from palestra.sandbox.images.dockerfile import to_dockerfile
from palestra.sandbox.images.recipe import RecipeError, find_recipe, known_recipes

CONTAINERS = Path(__file__).parents[3] / "containers"


@pytest.mark.parametrize("name", known_recipes())
def test_a_dockerfile_is_what_its_recipe_makes(name: str) -> None:
    """After a change of a recipe: python -m palestra.sandbox.images.dockerfile."""
    assert (CONTAINERS / f"Dockerfile.{name}").read_text(encoding="utf-8") == to_dockerfile(find_recipe(name))


@pytest.mark.parametrize("name", known_recipes())
def test_a_dockerfile_and_its_recipe_install_the_same(name: str) -> None:
    text = (CONTAINERS / f"Dockerfile.{name}").read_text(encoding="utf-8")
    found = re.search(r"--no-install-recommends \\\n(.*?) \\\n    && rm ", text, re.DOTALL)
    assert found
    packages = found[1].replace("\\", " ").split()
    assert packages == sorted(set(find_recipe(name).packages))
    assert f"ARG BASE=debian:{find_recipe(name).suite}-slim\n" in text


def test_a_file_that_only_a_recipe_can_give_is_refused_by_name() -> None:
    base = find_recipe("base")
    with pytest.raises(RecipeError, match="'/etc/motd' of recipe 'base'"):
        to_dockerfile(replace(base, files={**base.files, "/etc/motd": "x"}))


def test_it_is_run_where_the_dockerfiles_are(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "palestra.sandbox.images.dockerfile"]
    elsewhere = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert elsewhere.returncode == 1
    assert "at the root of the repository" in elsewhere.stderr
    (tmp_path / "containers").mkdir()
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    assert sorted(file.name for file in (tmp_path / "containers").iterdir()) == [
        f"Dockerfile.{name}" for name in known_recipes()
    ]
