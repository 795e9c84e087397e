"""The gVisor backend's terminals keep what every terminal promises."""

import os
from contextlib import suppress
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

    def processes_of(self, sandbox: Sandbox, before: set[int]) -> list[int]:
        """Leave out gVisor's stubs, which have no words: one that is killed is found by the time limit only."""
        named = []
        for pid in super().processes_of(sandbox, before):
            with suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes():
                    named.append(pid)
        return named
