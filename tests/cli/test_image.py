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


DEAD = "Types: deb\nURIs: http://127.0.0.1:9/debian\nSuites: bookworm\nComponents: main\nTrusted: yes\n"


def failed_in_one_line(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the error of a build that failed as it should: after the line that it begins, one more."""
    assert (done.returncode, done.stdout) == (1, ""), done
    lines = done.stderr.splitlines()
    assert len(lines) <= 2, done.stderr
    assert lines[-1].startswith("error: "), done.stderr
    return lines[-1]


def test_without_mmdebstrap_it_says_what_to_install(palestra: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (palestra / "small.toml").write_text(RECIPE)
    monkeypatch.setenv("PATH", str(palestra))
    assert failed_in_one_line(run("build", str(palestra / "small.toml"))).endswith("run: apt-get install mmdebstrap")


def test_a_cache_that_cannot_be_written_to_is_named(palestra: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (palestra / "small.toml").write_text(RECIPE)
    monkeypatch.setenv("PALESTRA_CACHE", str(palestra / "small.toml"))
    assert str(palestra / "small.toml") in failed_in_one_line(run("build", str(palestra / "small.toml")))
    assert run("list").returncode == 0


@pytest.mark.slow
def test_a_mirror_that_does_not_answer_is_named(palestra: Path) -> None:
    (palestra / "small.toml").write_text(RECIPE)
    (palestra / "dead.sources").write_text(DEAD)
    done = run("build", str(palestra / "small.toml"), "--sources", str(palestra / "dead.sources"))
    assert "Could not connect to 127.0.0.1:9" in failed_in_one_line(done)
    assert json.loads(run("list", "--json").stdout)["images"] == []


@pytest.mark.parametrize("size", ["512k", "12m", "32m"])  # full at once, in mid-work, and told by apt
def test_a_full_disk_is_told_and_nothing_goes_on(palestra: Path, size: str) -> None:
    """apt waits for ever when it finds no room."""
    (palestra / "small.toml").write_text(RECIPE)
    (palestra / "cache").mkdir()
    show = 'mount -t tmpfs -o size="$1" none "$PALESTRA_CACHE" || exit 99; shift; "$@"; code=$?; '
    show += '[ -z "$(ls -A "$PALESTRA_CACHE/images")" ] || exit 98; exit $code'
    command = [sys.executable, "-m", "palestra", "image", "build", str(palestra / "small.toml")]
    apart = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", show, "sh", size, *command]
    told = failed_in_one_line(subprocess.run(apart, capture_output=True, text=True))
    assert "No space left" in told
    assert "set PALESTRA_CACHE to a folder that has more" in told


def test_two_builds_of_one_image_at_once_give_one_image(palestra: Path) -> None:
    (palestra / "small.toml").write_text(RECIPE)
    command = [sys.executable, "-m", "palestra", "image", "build", str(palestra / "small.toml"), "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
    told = [json.loads(build.communicate()[0]) for build in both]
    assert [build.returncode for build in both] == [0, 0]
    assert told[0]["digest"] == told[1]["digest"]
    assert [str(folder) for folder in (palestra / "cache/images").iterdir()] == [str(Path(told[0]["root"]).parent)]
