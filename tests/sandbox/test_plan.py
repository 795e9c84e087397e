"""What of the host a slot is made of."""

import json
import os
import sys
from pathlib import Path

import pytest

import palestra.sandbox
from palestra.sandbox.native.plan import Plan


def test_a_plan_crosses_as_text() -> None:
    plan = Plan.make(("json",))
    assert Plan.from_json(plan.to_json()) == plan
    assert json.loads(plan.to_json())["owner_pid"] == os.getpid()


def test_site_packages_are_there_only_for_a_preload() -> None:
    assert Plan.make(()).import_dirs == ()
    assert all("-packages" in folder for folder in Plan.make(("json",)).import_dirs)


def test_a_plan_holds_no_folder_of_the_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = Plan.make(()).folders
    for folder in (os.getcwd(), os.path.expanduser("~"), "/tmp", "/etc", "/", str(Path(__file__).parent)):
        assert folder not in bound
        assert not any(folder.startswith(place + "/") for place in bound if place != "/usr")


def test_the_settings_of_compilers_are_there_and_nothing_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's R, Java and GHC lie in /usr and end at links to files elsewhere."""
    there = {"/etc/R": ["/etc/R"], "/etc/java-*-openjdk": ["/etc/java-17-openjdk"], "/var/lib/ghc": ["/var/lib/ghc"]}
    monkeypatch.setattr("glob.glob", lambda pattern: there[pattern])
    exists = os.path.exists
    monkeypatch.setattr("os.path.exists", lambda path: path in ("/etc/R", "/var/lib/ghc") or exists(path))
    bound = Plan.make(()).folders
    assert {"/etc/R", "/var/lib/ghc"} <= set(bound)
    assert not {"/etc", "/var", "/var/lib"} & set(bound)


def test_an_installed_palestra_is_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wherever it lies below a folder that programs see, as an image's site-packages or /usr/src."""
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    (site / "palestra" / "sandbox").mkdir(parents=True)
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    assert str(site) in Plan.make(()).hidden
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    assert str(site / "palestra") in Plan.make(("json",)).hidden
    assert str(site) not in Plan.make(("json",)).hidden
    other = tmp_path / "src" / "app"
    (other / "sandbox").mkdir(parents=True)
    (other / "sandbox" / "__init__.py").touch()
    monkeypatch.setattr(palestra.sandbox, "__file__", str(other / "sandbox" / "__init__.py"))
    assert str(other) in Plan.make(()).hidden


def test_the_programs_environment_is_the_same_whatever_the_hosts_is(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Plan.make(()).environment()
    monkeypatch.setenv("PATH", "/somewhere")
    monkeypatch.setenv("LD_PRELOAD_LIKE", "x")
    assert Plan.make(()).environment() == before
