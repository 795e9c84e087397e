"""The gVisor backend's terminals keep what every terminal promises."""

import os
from pathlib import Path

import pytest

from palestra.sandbox.base import Backend, Sandbox
from palestra.sandbox.conformance import TerminalConformance
from palestra.sandbox.gvisor.backend import GvisorBackend
from palestra.sandbox.gvisor.bundle import find_runsc

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "CI" not in os.environ and (find_runsc() is None or os.geteuid() != 0),
        reason="needs root and runsc, which CI installs",
    ),
]


class TestGvisorTerminal(TerminalConformance):
    deep = 5  # nothing is piled up: every snapshot is whole

    def make_backend(self) -> Backend:
        return GvisorBackend()

    def leftovers(self) -> set[str]:
        """Leave out gVisor's stubs: it keeps as many as ever ran at once, and ends them with the machine."""
        return {name for name in super().leftovers() if not (name.startswith("process ") and is_stub(int(name[8:])))}

    def processes_of(self, sandbox: Sandbox, before: set[int]) -> list[int]:
        """Leave out gVisor's stubs: one that is killed is found by the time limit only."""
        return [pid for pid in super().processes_of(sandbox, before) if not is_stub(pid)]


def is_stub(pid: int) -> bool:
    """Whether a process is one in which gVisor runs programs: those have no words. One that is gone is."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
