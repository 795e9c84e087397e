"""The native backend and its sandboxes."""

from collections.abc import Mapping

from palestra.sandbox.base import Capabilities, Command, ExecResult, Limits, Spec
from palestra.sandbox.native.plan import Plan
from palestra.sandbox.native.slot import Slot


class NativeSandbox:
    """A slot in use."""

    def __init__(self, slot: Slot, spec: Spec, capabilities: Capabilities) -> None:
        self._slot, self._spec, self.capabilities = slot, spec, capabilities
        slot.wipe(spec.limits.disk_bytes)

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        """Run one program to its end."""
        return self._slot.run(command, stdin, {**self._spec.env, **(env or {})}, limits or self._spec.limits)

    def close(self) -> None:
        """End the slot."""
        self._slot.kill()


class NativeBackend:
    """Namespaces, cgroups and seccomp."""

    name = "native"

    def probe(self) -> Capabilities:
        """Return what is enforced."""
        return Capabilities()

    def create(self, spec: Spec) -> NativeSandbox:
        """Return a sandbox."""
        return NativeSandbox(Slot(Plan.make(spec.preload)), spec, self.probe())
