"""Building an image: what is in it, that it is the same twice, and that a killed build leaves nothing."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from palestra.sandbox.base import InfraError, PermanentInfraError
from palestra.sandbox.images import Image, ImageNotBuiltError, UnknownImageError, find_image, image_folder, list_images
from palestra.sandbox.images import build as building
from palestra.sandbox.images.build import build_image
from palestra.sandbox.images.recipe import Recipe, RecipeError
from palestra.sandbox.images.store import remove_image, staging


def test_an_image_is_a_plain_folder_found_by_name(tiny: Image) -> None:
    root = image_folder("tiny")
    assert root == tiny.root == find_image("tiny").root
    assert (root / "bin/busybox").stat().st_mode & 0o777 == 0o755
    assert os.readlink(root / "bin/sh") == "busybox"
    assert (root / "etc/hostname").read_text() == "tiny\n"
    shown = subprocess.run(["chroot", root, "/usr/local/bin/hello"], capture_output=True, check=True)
    assert shown.stdout == b"hello\n"


def test_what_every_sandbox_expects_is_there(tiny: Image) -> None:
    for name in ("dev", "proc", "sys", "run", "root", "tmp", "workspace"):
        assert (tiny.root / name).is_dir(), name
        assert list((tiny.root / name).iterdir()) == [], name
    assert (tiny.root / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert (tiny.root / "workspace").stat().st_uid == 1000
    assert "agent:x:1000:1000:" in (tiny.root / "etc/passwd").read_text()


def test_nothing_of_the_building_machine_is_in_it(tiny: Image) -> None:
    assert not (tiny.root / "etc/resolv.conf").exists()
    assert list((tiny.root / "etc/apt/sources.list.d").iterdir()) == []
    for folder, _, names in os.walk(tiny.root):
        for name in names:
            mode = os.lstat(os.path.join(folder, name)).st_mode
            assert not mode & 0o6000, name
            assert mode & 0o170000 in (0o100000, 0o120000), f"{name} is neither a file nor a link"


def test_it_is_built_once(tiny: Image, recipe: Recipe) -> None:
    told: list[str] = []
    assert build_image(recipe, told=told.append) == tiny
    assert told == []


def test_the_same_recipe_gives_the_same_content(
    tiny: Image, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path))
    again = build_image(recipe)
    assert again.root != tiny.root
    assert again.digest == tiny.digest
    other = build_image(replace(recipe, files={**recipe.files, "/etc/motd": "x"}))
    assert other.digest != tiny.digest


def test_a_name_that_is_not_built_says_how_to(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path))
    with pytest.raises(
        ImageNotBuiltError, match="image 'base' is not built on this machine; run: palestra image build"
    ):
        image_folder("base")
    near = "'bsae' is not known here; did you mean 'base'[?] build it with `palestra image build base`"
    with pytest.raises(UnknownImageError, match=near) as unknown:
        image_folder("bsae")
    with pytest.raises(UnknownImageError, match="'debian' is not known here; known: base, cad, code, terminal, web; "):
        image_folder("debian")
    assert isinstance(pickle.loads(pickle.dumps(unknown.value)), UnknownImageError)
    assert list_images() == []


def test_a_name_near_a_built_image_says_that_it_is_built(tiny: Image) -> None:
    with pytest.raises(UnknownImageError, match=r"'tinny' is not known here; did you mean 'tiny'[?] it is built;"):
        image_folder("tinny")


def test_an_image_that_is_removed_is_gone(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path))
    remove_image(build_image(recipe))
    assert list_images() == []
    assert list((tmp_path / "images").iterdir()) == []


def test_a_package_that_does_not_exist_is_told(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path))
    with pytest.raises(InfraError, match=r"'tiny' could not be built: mmdebstrap .*no-such-package"):
        build_image(replace(recipe, packages=("no-such-package",)))
    assert list((tmp_path / "images").iterdir()) == []


def test_a_file_that_would_leave_the_image_is_refused(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path / "cache"))
    outside = tmp_path / "outside"
    outside.mkdir()
    links = {**recipe.links, "/escape/door": str(outside)}
    with pytest.raises(RecipeError, match="'/escape/door/file' goes through a link that leaves the image"):
        build_image(replace(recipe, links={**links, "/escape/door/file": "x"}))
    assert list(outside.iterdir()) == []
    assert list_images() == []


def test_without_mmdebstrap_it_says_what_to_install(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermanentInfraError, match="apt-get install mmdebstrap"):
        build_image(recipe)


def test_sources_of_another_release_are_not_used() -> None:
    assert building._own_sources("no-such-suite") == []


@pytest.mark.parametrize("wait_for", [".building-*", ".building-*/root.tar", ".building-*/image/root/bin"])
def test_a_killed_build_leaves_nothing_that_is_used(tiny_file: Path, tmp_path: Path, wait_for: str) -> None:
    """SIGKILL at several moments: no image appears, no process goes on, and the next build cleans up."""
    env = {**os.environ, "PALESTRA_CACHE": str(tmp_path)}
    command = [sys.executable, "-m", "palestra", "image", "build", str(tiny_file)]
    build = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list((tmp_path / "images").glob(wait_for)) and build.poll() is None:
        time.sleep(0.002)
    build.send_signal(signal.SIGKILL)
    build.wait()
    images = tmp_path / "images"
    is_done = [folder for folder in images.iterdir() if not folder.name.startswith(".")]
    assert all((folder / "image.json").exists() for folder in is_done)
    deadline = time.monotonic() + 30
    while _uses(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _uses(tmp_path) == []
    done = subprocess.run([*command, "--json"], env=env, capture_output=True, check=True)
    assert Path(json.loads(done.stdout)["root"], "bin/busybox").is_file()
    assert [folder.name for folder in images.iterdir() if folder.name.startswith(".")] == []


def test_what_was_killed_before_it_held_its_lock_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path))
    (tmp_path / "images/.building-dead/image").mkdir(parents=True)
    with staging() as first, staging() as second:
        assert sorted((tmp_path / "images").iterdir()) == sorted([first, second])
    assert list((tmp_path / "images").iterdir()) == []


def _uses(folder: Path) -> list[str]:
    """Return the processes and mounts that have to do with a folder."""
    found = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(folder) in line]
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and str(folder).encode() in (process / "cmdline").read_bytes():
                found.append(process.name)
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.slow
def test_the_base_image_is_reproducible_and_runs_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from palestra.sandbox.images.recipe import find_recipe

    first = build_image(find_recipe("base"))
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path))
    second = build_image(find_recipe("base"))
    assert (second.digest, second.packages) == (first.digest, first.packages)
    assert any(package.startswith("python3=") for package in first.packages)
    ran = subprocess.run(["chroot", first.root, "python3", "-c", "print(6 * 7)"], capture_output=True, check=True)
    assert ran.stdout == b"42\n"


def test_a_build_that_stands_still_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """apt waits for ever when it found no room and has removed what it could not finish."""
    monkeypatch.setattr(building, "_STILL_S", 0.2)
    started = "echo I: running apt-get update; echo some > grown; sleep 60"
    (tmp_path / "folder").mkdir()
    with pytest.raises(InfraError, match=r"stood still .* said: I: running apt-get update"):
        building._run_while_there_is_room(["sh", "-c", f"cd {tmp_path}/folder; {started}"], {}, tmp_path / "folder")


def test_one_that_grows_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_STILL_S", 0.2)
    grows = f"cd {tmp_path}; for each in 1 2 3 4 5 6 7 8 9 10; do head -c 50000 /dev/zero > $each; sleep 0.1; done"
    assert building._run_while_there_is_room(["sh", "-c", grows + "; exit 3"], {}, tmp_path) == (3, "")
