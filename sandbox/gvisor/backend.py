"""The gVisor backend."""

import os
from typing import Any

from palestra.sandbox.base import MIB, Capabilities, InfraError, PermanentInfraError
from palestra.sandbox.capture import Capture
from palestra.sandbox.gvisor.bundle import find_runsc
from palestra.sandbox.native.slot import Slot
from palestra.sandbox.slotted import SlottedBackend


class GvisorSlot(Slot):
    """A slot whose server starts `runsc`."""

    _helpers = 4096  # threads of gVisor's own, several for each process of a program
    _helper_bytes = 36 * MIB  # gVisor's kernel, and the init's interpreter

    def _start_program(
        self, request: dict[str, Any], payload: int, stdin: int, stdout: Capture, stderr: Capture
    ) -> dict[str, Any]:
        """Return what came of a program; raise InfraError where gVisor has died and no limit tells why."""
        before = self._blows()
        answer = super()._start_program(request, payload, stdin, stdout, stderr)
        complaint = answer.pop("lost", None)
        if complaint is not None and not answer["timed_out"] and self._blows() == before:
            self.is_worn = True
            raise InfraError(f"runsc died or was killed; run the program again. {complaint}".strip())
        return answer

    def _blows(self) -> tuple[int, int]:
        """Return how often a program has come up against a limit of the control group."""
        return (self._kills(), self._group.refusals()) if self._group else (0, 0)


class GvisorBackend(SlottedBackend):
    """Programs under gVisor's kernel, which is a program itself: the host's is out of their reach. Thread-safe.

    A slot as the native backend's holds the workspace and shows what programs may see; in it, `runsc`
    makes a container for every program, at about ten times what native takes. What it does not stop:
    programs can measure time and load. It does not count processes: a program that starts very many
    is ended whole, by the memory limit.
    """

    name = "gvisor"
    server = "palestra.sandbox.gvisor.server"
    slot = GvisorSlot

    def __init__(self, proven: Capabilities | None = None) -> None:
        """Make a backend with no slot yet.

        Args:
            proven: what `probe` returned in another process of this user on this machine, not to run it again.

        Raises:
            PermanentInfraError: there is no `runsc`, this process is not root's, or this is not Linux on a
                machine whose system calls are known.
        """
        super().__init__(proven)
        if find_runsc() is None:
            raise PermanentInfraError(
                "the gvisor backend needs the program runsc, of 2023 or newer; install it with: apt-get install runsc "
                "(on Debian 12: -t bookworm-backports)"
            )
        if os.geteuid() != 0:
            raise PermanentInfraError("the gvisor backend needs root; run as root, or use the native backend")
