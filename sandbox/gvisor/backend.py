"""The gVisor backend."""

import dataclasses
import os
import weakref
from typing import Any

from palestra.sandbox.base import MIB, Capabilities, CapabilityError, InfraError, PermanentInfraError, Sandbox, Spec
from palestra.sandbox.capture import Capture
from palestra.sandbox.gvisor.bundle import find_runsc, platform, release
from palestra.sandbox.gvisor.terminal.machine import Machine
from palestra.sandbox.gvisor.terminal.sandbox import GvisorTerminalSandbox
from palestra.sandbox.native.plan import Plan
from palestra.sandbox.native.slot import Slot
from palestra.sandbox.native.terminal.plan import MachinePlan
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

    A terminal is one container for its life, whose snapshots hold what runs. Its memory is watched from
    inside: the largest process is ended when all hold more than the limit, fifty times a second.
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
        self._machines: weakref.WeakSet[Machine] = weakref.WeakSet()
        super().__init__(proven)
        runsc = find_runsc()
        if runsc is None:
            raise PermanentInfraError(
                "the gvisor backend needs the program runsc, of 2023 or newer; install it with: apt-get install runsc "
                "(on Debian 12: -t bookworm-backports)"
            )
        if os.geteuid() != 0:
            raise PermanentInfraError("the gvisor backend needs root; run as root, or use the native backend")
        self._runsc = runsc
        self._plans: tuple[Plan, MachinePlan] | None = None

    def create(self, spec: Spec) -> Sandbox:
        """Return a sandbox that holds to the spec; raises as any backend's does."""
        if isinstance(spec, Spec) and spec.terminal is True and not spec.image:
            self._require_terminals()
        return super().create(spec)

    def create_unproven(self, spec: Spec) -> Sandbox:
        """Return a sandbox without asking what was proven, which the canary needs before anything is.

        Raises:
            CapabilityError: the spec asks for an image, or for a terminal that this runsc cannot save.
            InfraError: no sandbox could be started.
        """
        if not spec.terminal or spec.image:
            return super().create_unproven(spec)
        self._require_terminals()
        capabilities = self._capabilities or Capabilities()
        return GvisorTerminalSandbox(self._make_gvisor_machine, spec, capabilities, release(self._runsc))

    def close(self) -> None:
        """End every slot and every machine."""
        super().close()
        with self._lock:
            machines = list(self._machines)
        for machine in machines:
            machine.kill()

    def _require_terminals(self) -> None:
        if platform(self._runsc) != "systrap":
            raise CapabilityError(
                f"the gvisor backend has no terminal with {release(self._runsc) or self._runsc}, which loses a machine "
                "when it saves it; install a newer one: apt-get install runsc (on Debian 12: -t bookworm-backports)"
            )

    def _make_gvisor_machine(self, spec: Spec, image: int | None) -> Machine:
        with self._lock:
            if self._plans is None:
                machine = MachinePlan.make(None)
                server = "palestra.sandbox.gvisor.terminal.server"
                self._plans = dataclasses.replace(Plan.make(()), server=server, id_range=machine.ids), machine
        plan, machine = self._plans
        if plan.id_range is None:
            raise CapabilityError(
                "the gvisor backend's terminal needs 65536 user ids of its own, which root in this container has not; "
                "use the native backend"
            )
        made = Machine(plan, machine, spec.limits, self._hierarchy, image)
        with self._lock:
            self._machines.add(made)
        return made

    def _forget(self) -> None:
        super()._forget()
        machines, self._machines = list(self._machines), weakref.WeakSet()
        for machine in machines:
            machine.kill()  # which lets go of what is the parent's
