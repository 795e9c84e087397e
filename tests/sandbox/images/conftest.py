"""A small image, built once."""

from pathlib import Path

import pytest

from palestra.sandbox.images import Image
from palestra.sandbox.images.build import build_image
from palestra.sandbox.images.recipe import Recipe, load_recipe

TINY = """
summary = "busybox and nothing else"
variant = "extract"
packages = ["busybox-static"]
[files]
"/etc/hostname" = "tiny\\n"
"/usr/local/bin/hello" = "#!/bin/sh\\necho hello\\n"
[links]
"/bin/sh" = "busybox"
"""


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe that builds in two seconds."""
    file = tmp_path_factory.mktemp("recipes") / "tiny.toml"
    file.write_text(TINY, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder of the tests' own."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def recipe(tiny_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """The small recipe, with the tests' cache in place."""
    monkeypatch.setenv("PALESTRA_CACHE", str(cache))
    return load_recipe(tiny_file)


@pytest.fixture
def tiny(recipe: Recipe) -> Image:
    """The built image."""
    return build_image(recipe)
