"""The laws of terminal sandboxes, on the native backend."""

from palestra.sandbox.base import Backend
from palestra.sandbox.conformance import TerminalConformance
from palestra.sandbox.native.backend import NativeBackend


class TestNativeTerminal(TerminalConformance):
    """Machines of this user's own."""

    def make_backend(self) -> Backend:
        return NativeBackend()
