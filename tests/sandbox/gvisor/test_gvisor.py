"""What is particular to programs under gVisor's kernel; the rest is every backend's."""

import os
import pickle
from collections.abc import Iterator
from contextlib import closing

import pytest

from palestra.sandbox import create, probe
from palestra.sandbox.base import CapabilityError, Limits, PermanentInfraError, Python, Sandbox, Spec
from palestra.sandbox.conformance.case import descendants
from palestra.sandbox.gvisor import bundle
from palestra.sandbox.gvisor.backend import GvisorBackend

needs_runsc = pytest.mark.skipif(
    "CI" not in os.environ and (bundle.find_runsc() is None or os.geteuid() != 0),
    reason="needs root and runsc, which CI installs",
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of a backend that nobody else uses."""
    backend = GvisorBackend(probe("gvisor"))
    with closing(backend), closing(backend.create(Spec())) as made:
        yield made


def test_without_the_program_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "FOLDERS", "/nonexistent")
    with pytest.raises(PermanentInfraError, match="apt-get install runsc") as caught:
        GvisorBackend()
    assert not pickle.loads(pickle.dumps(caught.value)).retryable


@needs_runsc
def test_an_ordinary_user_is_told_what_to_use_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(PermanentInfraError, match="needs root"):
        GvisorBackend()


@needs_runsc
def test_it_is_another_kernel(sandbox: Sandbox) -> None:
    assert sandbox.exec(["uname", "-r"]).stdout.strip().decode() != os.uname().release
    assert sandbox.exec(["id", "-u"]).stdout == b"1000\n"


@needs_runsc
def test_it_claims_no_more_than_it_does(sandbox: Sandbox) -> None:
    proven = probe("gvisor")
    assert proven.network_off
    assert proven.read_only_root
    assert proven.fork
    assert proven.terminal == proven.process_snapshot == (bundle.platform(bundle.find_runsc() or "") == "systrap")
    assert not proven.image
    with pytest.raises(CapabilityError, match="no shell"):
        sandbox.shell()
    with pytest.raises(CapabilityError, match="gvisor backend does not enforce image"):
        create(Spec(image="base"), backend="gvisor")


@needs_runsc
def test_a_program_has_no_part_in_what_its_init_is_told_and_tells(sandbox: Sandbox) -> None:
    source = """
import os, resource
for action in (lambda: os.listdir("/run"), lambda: open("/run/report", "w"), lambda: open("/proc/1/mem", "wb"),
               lambda: os.kill(1, 9), lambda: resource.prlimit(1, resource.RLIMIT_CPU, (1, 1))):
    try:
        print(action())
    except OSError as error:
        print(type(error).__name__)
"""
    assert set(sandbox.exec(Python(source)).stdout.split()) == {b"PermissionError"}


@needs_runsc
def test_what_ends_it_by_a_limit_is_its_result_and_leaves_nothing(sandbox: Sandbox) -> None:
    sandbox.exec(["true"])
    before = descendants(os.getpid())
    late = sandbox.exec(["sh", "-c", "setsid sleep 60 & sleep 60"], limits=Limits(wall_s=0.5))
    assert (late.timed_out, late.signal) == (True, 9)
    assert late.duration_s >= 0.5
    assert descendants(os.getpid()) == before
    bomb = "import os, time\nwhile True:\n    if os.fork() == 0:\n        time.sleep(60)"
    crowd = sandbox.exec(Python(bomb), limits=Limits(memory_bytes=32 << 20, wall_s=30))
    assert crowd.oom or crowd.timed_out or not crowd.ok
    assert descendants(os.getpid()) == before
    assert sandbox.exec(["true"]).ok
