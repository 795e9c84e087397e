"""The process backend keeps what every sandbox promises."""

from palestra.sandbox.base import Backend
from palestra.sandbox.conformance import SandboxConformance
from palestra.sandbox.process import ProcessBackend


class TestProcess(SandboxConformance):
    """It claims nothing, so that most laws about escapes are met by being refused."""

    def make_backend(self) -> Backend:
        return ProcessBackend()
