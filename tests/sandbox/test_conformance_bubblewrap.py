"""The bubblewrap backend keeps what every sandbox promises."""

from palestra.sandbox.base import Backend
from palestra.sandbox.bubblewrap.backend import BubblewrapBackend
from palestra.sandbox.conformance import SandboxConformance


class TestBubblewrap(SandboxConformance):
    def make_backend(self) -> Backend:
        return BubblewrapBackend()
