"""`palestra image`: what it prints, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = 'variant = "extract"\npackages = ["busybox-static"]\n'


@pytest.fixture
def palestra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of one's own; returns a folder for recipes."""
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path / "cache"))
    return tmp_path


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "palestra", "image", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_image_is_built_listed_and_removed(palestra: Path) -> None:
    (palestra / "small.toml").write_text(RECIPE)
    built = run("build", str(palestra / "small.toml"), "--json")
    assert built.returncode == 0, built.stderr
    image = json.loads(built.stdout)
    assert Path(image["root"], "bin/busybox").is_file()
    listed = json.loads(run("list", "--json").stdout)
    assert [entry["name"] for entry in listed["images"]] == ["small"]
    assert [entry["name"] for entry in listed["not_built"]] == ["base", "cad", "code", "terminal", "web"]
    assert run("list").stdout.splitlines()[0].split()[:2] == ["small", image["digest"][:12]]
    removed = run("rm", "small", "--json")
    assert [entry["digest"] for entry in json.loads(removed.stdout)["removed"]] == [image["digest"]]
    assert not Path(image["root"]).exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["build", "tremnal"], "no recipe for an image named 'tremnal'; did you mean 'terminal'?"),
        (["build", "./missing.toml"], "No such file"),
        (["rm", "base"], "no image named 'base' is built here; built: none"),
        (["build"], "Missing argument"),
        (["shrink"], "No such command"),
    ],
)
def test_what_cannot_be_is_told_in_a_line_and_ends_with_2(palestra: Path, words: list[str], told: str) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_build_that_fails_ends_with_1(palestra: Path) -> None:
    (palestra / "bad.toml").write_text('variant = "extract"\npackages = ["no-such-package"]\n')
    done = run("build", str(palestra / "bad.toml"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "InfraError: image 'bad' could not be built" in done.stderr
