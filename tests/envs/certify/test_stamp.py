"""Environment certificates: written of a check that passed, and asked for by ``register(..., certified=True)``."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import palestra
from palestra.envs.base import TaskError
from palestra.envs.certify.certificate import code_digest
from palestra.envs.certify.environment import CheckReport
from palestra.envs.certify.findings import CheckResult
from palestra.envs.certify.stamp import Stamp, problem
from palestra.envs.registry import EnvEntry, RegistrationError, certificates_not_due, register

KINDS = {"value": {"killed": 9, "hole": 1, "equivalent": 2}}


def report(**changes: Any) -> CheckReport:
    results = (CheckResult(name="oracle", status="passed", detail="", evidence={"kinds": KINDS}),)
    whole = CheckReport(env_id="x", level="full", n=5, splits=("train", "heldout"), seed=0, results=results)
    return dataclasses.replace(whole, **changes)


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnvEntry:
    """A family of its own for each test, so that nothing of another's is remembered."""
    name = f"stamped{tmp_path.name}".replace("-", "_")
    (tmp_path / name).mkdir()
    (tmp_path / name / "env.py").write_text("from palestra.envs.toolmini.env import ToolUseMiniEnv\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return EnvEntry(
        id=f"stamped/{name}-v0",
        entry_point=f"{name}.env:ToolUseMiniEnv",
        family="tooluse",
        summary="a test",
        certificate=f"{name}/it.certificate.json",
    )


@pytest.fixture
def place(entry: EnvEntry, tmp_path: Path) -> Path:
    return tmp_path / entry.certificate


def test_what_passed_is_registered_as_certified(entry: EnvEntry, place: Path) -> None:
    Stamp.of(entry, report()).write(place)
    register(entry, certified=True)
    assert palestra.find(entry.id) is entry
    told = json.loads(place.read_text())
    assert (told["env_id"], told["n"], told["seed"], told["level"]) == (entry.id, 5, 0, "full")
    assert told["mutants"] == KINDS
    assert (told["version"], told["results"]) == (palestra.__version__, {"oracle": "passed"})


def refusal(entry: EnvEntry) -> str:
    with pytest.raises(RegistrationError) as refused:
        register(entry, certified=True)
    assert entry.id not in [known.id for known in palestra.list_envs()]
    said = str(refused.value)
    assert said.startswith(f"{entry.id} has no valid certificate: ")
    assert f"; run: palestra check {entry.id} --level full --out " in said
    return said


def test_nothing_else_is(entry: EnvEntry, place: Path) -> None:
    assert "names none" in refusal(dataclasses.replace(entry, certificate=""))
    assert "names no package" in refusal(dataclasses.replace(entry, certificate="no_such_package/it.certificate.json"))
    assert "ends in '.certificate.json'" in refusal(
        dataclasses.replace(entry, certificate=f"{place.parent.name}/it.json")
    )
    assert f"'{place}' cannot be read (No such file or directory)" in refusal(entry)
    assert refusal(entry).endswith(f"--out {place}")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"env_id": "other/Env-v0"}, "is of other/Env-v0"),
        ({"level": "quick"}, "at level 'quick', not 'full'"),
        ({"results": {"oracle": "failed", "nop": "fault"}}, "oracle failed and 1 more"),
        ({"results": {}}, "nothing was asked"),
        ({"results": {"oracle": "fine"}}, "holds none (a result is 'fine')"),
        ({"results": 3}, "holds none"),
        ({"code": "0" * 64}, "its code has changed since (000000000000, now "),
        ({"colour": "red"}, "holds none"),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused(
    entry: EnvEntry, place: Path, change: dict[str, Any], told: str
) -> None:
    Stamp.of(entry, report()).write(place)
    place.write_text(json.dumps({**json.loads(place.read_text()), **change}))
    assert told in refusal(entry)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b"null"])
def test_a_file_that_holds_no_certificate_is_refused(entry: EnvEntry, place: Path, content: bytes) -> None:
    place.write_bytes(content)
    assert "holds none" in refusal(entry)


def test_a_change_of_the_code_ends_the_certificate_and_the_certificate_is_no_code(entry: EnvEntry, place: Path) -> None:
    Stamp.of(entry, report()).write(place)
    code_digest.cache_clear()
    assert problem(entry) == ""
    (place.parent / "env.py").write_text("from palestra.envs.toolmini.env import ToolUseMiniEnv\n\n")
    code_digest.cache_clear()
    assert "its code has changed since" in problem(entry)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"level": "quick"}, "at level 'quick'"),
        ({"results": (CheckResult(name="fork", status="fault", detail=""),)}, "fork fault"),
    ],
)
def test_a_check_that_looked_at_too_little_gets_none(entry: EnvEntry, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=f"gets no certificate: .*{told}"):
        Stamp.of(entry, report(**changes))


def test_what_is_to_be_certified_can_be_reached(entry: EnvEntry) -> None:
    with certificates_not_due():
        register(entry, certified=True)
    assert palestra.find(entry.id) is entry
    assert "cannot be read" in problem(entry)


def test_registering_as_certified_imports_nothing_heavy(entry: EnvEntry, place: Path) -> None:
    Stamp.of(entry, report()).write(place)
    code = (
        "import palestra, sys\n"
        f"palestra.register(palestra.EnvEntry(id={entry.id!r}, entry_point={entry.entry_point!r}, family='tooluse',"
        f" summary='x', certificate={entry.certificate!r}), certified=True)\n"
        "print(*sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(place.parents[1]), *sys.path])}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {"gymnasium", "numpy", "jsonschema", entry.entry_point.split(":")[0]}.isdisjoint(done.stdout.split())


OURS = [known for known in palestra.list_envs() if known.id.startswith("palestra/") and known.certificate]


@pytest.mark.parametrize("known", OURS, ids=lambda known: known.id)
def test_our_own_certificates_hold(known: EnvEntry) -> None:
    assert problem(known) == "", "make certificates"
