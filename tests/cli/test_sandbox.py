"""`palestra sandbox doctor`: what it prints, and how it ends."""

import inspect
import json
import sys
from dataclasses import fields
from typing import Protocol

import pytest

import palestra.sandbox
from palestra.cli import main
from palestra.sandbox import BACKENDS, create, doctor
from palestra.sandbox.base import Capabilities, PermanentInfraError


class Broken:
    """A backend that cannot work."""

    def probe(self) -> Capabilities:
        raise PermanentInfraError("it needs \x1b[31mwhat is\nnot here")


class Loose:
    """A backend that was seen to isolate nothing."""

    def probe(self) -> Capabilities:
        return Capabilities(snapshot=True)


class Leave(Protocol):
    """Leaves backends by name: the real one, or a class in its place."""

    def __call__(self, **backends: type | None) -> None: ...


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Leave:
    """Let the doctor find only some backends."""

    def leave(**backends: type | None) -> None:
        monkeypatch.setattr(doctor, "BACKENDS", {name: BACKENDS.get(name, "") for name in backends})
        monkeypatch.setattr(palestra.sandbox, "BACKENDS", {**BACKENDS, **dict.fromkeys(backends.keys() - BACKENDS, "")})
        made = {name: cls() for name, cls in backends.items() if cls is not None}
        monkeypatch.setattr(palestra.sandbox, "_made", {**palestra.sandbox._made, **made})

    return leave


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["palestra", "sandbox", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_the_table_names_every_capability_of_every_backend(
    monkeypatch: pytest.MonkeyPatch, only: Leave, capsys: pytest.CaptureFixture[str]
) -> None:
    only(native=None, process=None, gvisor=Broken)
    assert run(monkeypatch, "doctor") == 0
    said = capsys.readouterr()
    head, *rows = said.out.partition("\n\n")[0].splitlines()
    assert head.split() == ["native", "process", "gvisor"]
    table = {row.split()[0]: row.split()[1:] for row in rows}
    assert list(table) == ["available", *(entry.name for entry in fields(Capabilities))]
    assert table["available"] == ["yes", "yes", "no"]
    assert table["network_off"] == ["yes", "no", "-"]
    assert table["fork"] == ["yes", "yes", "-"]
    assert "gvisor\n  it needs \\x1b[31mwhat is not here\n" in said.out
    assert said.err == ""


@pytest.mark.parametrize("native", [Broken, Loose])
def test_a_default_that_does_not_isolate_fails(
    monkeypatch: pytest.MonkeyPatch, only: Leave, capsys: pytest.CaptureFixture[str], native: type
) -> None:
    only(native=native, process=None)
    assert run(monkeypatch, "doctor", "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["default"], said["works"]) == ("native", False)
    first, second = said["backends"]
    assert first["available"] == (native is Loose)
    assert bool(first["trouble"]) == (native is Broken)
    assert (second["backend"], second["available"], second["enable"]) == ("process", True, [])


def test_json_is_one_object_with_every_capability(
    monkeypatch: pytest.MonkeyPatch, only: Leave, capsys: pytest.CaptureFixture[str]
) -> None:
    only(native=None)
    assert run(monkeypatch, "doctor", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["works"] is True
    assert set(said["backends"][0]["capabilities"]) == {entry.name for entry in fields(Capabilities)}
    assert said["backends"][0]["capabilities"]["network_off"] is True


def test_what_would_enable_a_missing_backend_is_a_command(monkeypatch: pytest.MonkeyPatch, only: Leave) -> None:
    only(bubblewrap=Broken, gvisor=Broken, docker=Broken)
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    found = {finding.backend: [cure.command for cure in finding.remedies] for finding in doctor.examine_backends()}
    assert found["bubblewrap"] == ["apt-get install bubblewrap"]
    assert found["gvisor"] == ["apt-get install runsc"]
    assert "apt-get install docker.io" in found["docker"]


def test_root_would_enable_what_an_ordinary_user_lacks(monkeypatch: pytest.MonkeyPatch, only: Leave) -> None:
    class ForUser:
        def probe(self) -> Capabilities:
            held = {entry.name: entry.name not in ("memory_tree", "inner_root") for entry in fields(Capabilities)}
            return Capabilities(**held)

    only(native=ForUser, bubblewrap=ForUser)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    native, bubblewrap = doctor.examine_backends()
    assert native.isolates
    assert native.remedies[0].missing == ("inner_root", "memory_tree")
    assert bubblewrap.remedies[0].missing == ("memory_tree",)
    assert native.remedies[0].command.startswith("sudo ")


def test_an_ordinary_user_is_told_what_only_root_can_start(monkeypatch: pytest.MonkeyPatch, only: Leave) -> None:
    class Closed:
        def probe(self) -> Capabilities:
            raise PermanentInfraError("the daemon does not answer: [Errno 13] Permission denied")

    only(gvisor=Broken, docker=Closed, bubblewrap=Broken)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda *_, **__: "/usr/bin/program")
    found = {finding.backend: [cure.command for cure in finding.remedies] for finding in doctor.examine_backends()}
    assert found == {"gvisor": [doctor._AS_ROOT], "docker": [doctor._AS_ROOT], "bubblewrap": []}
    monkeypatch.setattr("os.geteuid", lambda: 0)
    found = {finding.backend: [cure.command for cure in finding.remedies] for finding in doctor.examine_backends()}
    assert found == {"gvisor": [], "docker": ["systemctl start docker"], "bubblewrap": []}


def test_the_default_is_the_one_that_create_takes() -> None:
    assert inspect.signature(create).parameters["backend"].default == doctor.DEFAULT
    assert set(doctor.ISOLATION) <= {entry.name for entry in fields(Capabilities)}


def test_the_group_alone_shows_its_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch) in (0, 2)
    said = capsys.readouterr()
    assert "doctor" in said.out + said.err
