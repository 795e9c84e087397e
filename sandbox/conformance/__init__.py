"""What every sandbox promises, as pytest classes that a backend of one's own can inherit.

from palestra.sandbox.conformance import SandboxConformance

class TestMine(SandboxConformance):
    def make_backend(self):
        return MyBackend()

This is the only folder here that imports pytest, which palestra does not install by itself.
"""

import pytest

_TOPICS = ("case", "programs", "streams", "endings", "files", "snapshots", "lifecycle", "claims", "security", "faults")
for _topic in (*_TOPICS, "terminal", "shell", "resumption"):
    pytest.register_assert_rewrite(f"{__name__}.{_topic}")

from palestra.sandbox.base import Spec  # noqa: E402
from palestra.sandbox.conformance.case import Case  # noqa: E402 - a failing assertion shows its values only now
from palestra.sandbox.conformance.claims import ClaimLaws  # noqa: E402
from palestra.sandbox.conformance.endings import EndingLaws  # noqa: E402
from palestra.sandbox.conformance.faults import FaultLaws  # noqa: E402
from palestra.sandbox.conformance.files import FileLaws, WorkspaceLaws  # noqa: E402
from palestra.sandbox.conformance.lifecycle import LifecycleLaws  # noqa: E402
from palestra.sandbox.conformance.programs import ProgramLaws  # noqa: E402
from palestra.sandbox.conformance.resumption import ResumptionLaws  # noqa: E402
from palestra.sandbox.conformance.security import SecurityLaws  # noqa: E402
from palestra.sandbox.conformance.shell import ShellLaws  # noqa: E402
from palestra.sandbox.conformance.snapshots import SnapshotLaws  # noqa: E402
from palestra.sandbox.conformance.streams import StreamLaws  # noqa: E402
from palestra.sandbox.conformance.terminal import MachineLaws  # noqa: E402

__all__ = ["SandboxConformance", "TerminalConformance"]


class _Common(
    ProgramLaws, StreamLaws, EndingLaws, FileLaws, SnapshotLaws, LifecycleLaws, FaultLaws, SecurityLaws, Case
):
    """What holds of both kinds."""


class SandboxConformance(WorkspaceLaws, ClaimLaws, _Common):
    """What a sandbox promises without `Spec.terminal`. Inherit it and say which backend is meant."""


class TerminalConformance(ShellLaws, MachineLaws, ResumptionLaws, _Common):
    """What a sandbox promises with `Spec.terminal`. Inherit it and say which backend is meant."""

    spec = Spec(terminal=True)
