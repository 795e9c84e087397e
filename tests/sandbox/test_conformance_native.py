"""The native backend keeps what every sandbox promises."""

from palestra.sandbox.base import Backend
from palestra.sandbox.conformance import SandboxConformance
from palestra.sandbox.native.backend import NativeBackend


class TestNative(SandboxConformance):
    def make_backend(self) -> Backend:
        return NativeBackend()
