"""Backends by name, and what is said when one cannot be had."""

import pickle
import subprocess
import sys

import pytest

from palestra.sandbox import BACKENDS, UnknownBackendError, create, probe
from palestra.sandbox.base import Backend, Capabilities, CapabilityError, Sandbox, Spec


def test_an_unknown_backend_names_the_nearest() -> None:
    with pytest.raises(UnknownBackendError, match="no sandbox backend named 'natve'; did you mean 'native'") as caught:
        create(backend="natve")
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), LookupError)
    with pytest.raises(UnknownBackendError, match=f"known: {', '.join(BACKENDS)}"):
        probe("qqq")


def test_the_process_backend_needs_a_word() -> None:
    with pytest.raises(CapabilityError, match="unsafe=True"):
        create(backend="process")
    assert not create(backend="native").capabilities.missing(frozenset({"snapshot"}))


def test_the_process_backend_claims_nothing_that_it_does_not_do() -> None:
    assert probe("process") == Capabilities(snapshot=True, fork=True)
    with pytest.raises(CapabilityError, match="does not enforce network_off"):
        create(Spec(needs=frozenset({"network_off"})), backend="process", unsafe=True)


def test_sandboxes_are_what_the_protocol_says(sandbox: Sandbox) -> None:
    assert isinstance(sandbox, Sandbox)
    assert sandbox.capabilities.snapshot


def test_importing_the_folder_is_light() -> None:
    """Nothing that runs programs is imported before a sandbox is made."""
    script = "import sys, palestra.sandbox; print([m for m in sys.modules if m.startswith('palestra.sandbox.')])"
    shown = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert shown.stdout.strip() == "['palestra.sandbox.base']"


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_backends_know_their_names(name: str) -> None:
    from palestra.sandbox import _find

    found: Backend = _find(name)
    assert found.name == name
