"""The native backend and its sandboxes."""

import atexit
import errno
import os
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path

from palestra.sandbox.archive import archive_limit
from palestra.sandbox.base import (
    MIB,
    Capabilities,
    Command,
    ExecResult,
    Limits,
    PermanentInfraError,
    Sandbox,
    SandboxFileError,
    SandboxSnapshot,
    SavedSnapshot,
    Spec,
)
from palestra.sandbox.canary import examine
from palestra.sandbox.images import image_folder, list_images
from palestra.sandbox.limits import check_limits, check_spec
from palestra.sandbox.native.cgroups import Hierarchy, find_hierarchy, remove_stale
from palestra.sandbox.native.plan import Plan
from palestra.sandbox.native.pool import Pool
from palestra.sandbox.native.slot import Slot
from palestra.sandbox.native.syscalls import machine
from palestra.sandbox.native.terminal.client import NurseryClient
from palestra.sandbox.native.terminal.machine import Machine
from palestra.sandbox.native.terminal.plan import MachinePlan
from palestra.sandbox.native.terminal.sandbox import TerminalSandbox
from palestra.sandbox.native.terminal.scratch import Scratch
from palestra.sandbox.transfers import Transfers
from palestra.sandbox.workspace import folder_in, split_path


class NativeBackend:
    """Programs in namespaces of their own, forked from a warm interpreter. Thread-safe.

    What it does not stop: programs share a kernel with the host, so a hole in the kernel is
    a hole in the sandbox; they can measure time and load; and where `memory_tree` is False each process
    is bounded but not their sum.
    """

    name = "native"

    def __init__(self, proven: Capabilities | None = None, *, scratch: Path | None = None) -> None:
        """Make a backend with no slot yet.

        Args:
            proven: what `probe` returned in another process of this user on this machine, not to run it again.
            scratch: a folder on a disk for what terminals and images write, instead of memory. The disk limit of
                `Limits` is not enforced there. The default is ``$PALESTRA_SCRATCH``, and memory without that.

        Raises:
            PermanentInfraError: this is not Linux on a machine whose system calls are known.
            ValueError: the scratch folder is none that this user may write to.
        """
        if sys.platform != "linux":
            raise PermanentInfraError(f"the native backend needs Linux; this is {sys.platform}")
        try:
            machine()
        except OSError as error:
            raise PermanentInfraError(f"the native backend cannot work here: {error}") from error
        place = scratch or os.environ.get("PALESTRA_SCRATCH")
        self._scratch = Scratch(Path(place)) if place else None
        self._lock = threading.RLock()  # the canary makes sandboxes while it is held
        self._pools: dict[tuple[str, ...], Pool] = {}
        self._nursery = NurseryClient()
        self._machine_plans: dict[tuple[Path | None, bool], MachinePlan] = {}
        self._capabilities = proven
        self._hierarchy: Hierarchy | None = find_hierarchy(Path("/proc/self/mountinfo").read_text(), os.geteuid() == 0)
        if self._hierarchy:
            remove_stale(self._hierarchy)
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    def probe(self) -> Capabilities:
        """Run the canary (once; cached) and return what is really enforced on this machine.

        Raises:
            InfraError: no sandbox could be started.
        """
        with self._lock:
            if self._capabilities is None:
                self._capabilities = examine(self.create_unproven, terminal=True, image=_some_image())
            return self._capabilities

    def create(self, spec: Spec) -> Sandbox:
        """Return a sandbox that holds to the spec, with an empty workspace.

        Raises:
            CapabilityError: a need of the spec was not proven by the canary.
            InfraError: no sandbox could be started.
            ValueError: a limit or a need makes no sense.
        """
        check_spec(self.name, spec, self.probe())
        return self.create_unproven(spec)

    def create_unproven(self, spec: Spec) -> Sandbox:
        """Return a sandbox without asking what was proven, which the canary needs before anything is.

        Raises:
            InfraError: no sandbox could be started.
        """
        if spec.terminal or spec.image:
            return TerminalSandbox(self._make_machine, spec, self._capabilities or Capabilities())
        return self.take_slot(spec)

    def take_slot(self, spec: Spec) -> "NativeSandbox":
        """Return a sandbox without a terminal; raises as `create_unproven`."""
        with self._lock:
            pool = self._pool(spec.preload)
        return NativeSandbox(self, pool, spec, self._capabilities or Capabilities())

    def close(self) -> None:
        """End every slot and machine; what lies in the scratch folder goes, snapshots included."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()
        self._nursery.close()
        if self._scratch:
            self._scratch.remove()

    def _make_machine(self, spec: Spec) -> Machine:
        image = image_folder(spec.image) if spec.image else None
        kind = (image, not spec.terminal)
        with self._lock:
            if kind not in self._machine_plans:
                self._machine_plans[kind] = MachinePlan.make(image, is_sealed=not spec.terminal)
            plan = self._machine_plans[kind]
        folder = self._scratch.machine_folder(plan.ids) if self._scratch else None
        return Machine(self._nursery, plan, spec.limits, self._hierarchy, folder)

    def _pool(self, preload: tuple[str, ...]) -> Pool:
        if preload not in self._pools:
            plan = Plan.make(preload)
            self._pools[preload] = Pool(lambda: Slot(plan, self._hierarchy))
        return self._pools[preload]

    def _forget(self) -> None:
        self._lock = threading.RLock()
        pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.forget()
        self._nursery.forget()
        if self._scratch:
            self._scratch.forget()


def _some_image() -> str:
    """Return the name of a built image for the canary to try, or "" where there is none."""
    return next((image.name for image in list_images() if image.is_current), "")


class NativeSandbox(Transfers):
    """A slot in use. It is given back by `close`, or when nobody refers to it any more."""

    def __init__(self, backend: NativeBackend, pool: Pool, spec: Spec, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self._backend, self._spec = backend, spec
        self._slot = pool.acquire(spec.limits.disk_bytes)
        self._give_back = weakref.finalize(self, pool.release, self._slot)
        self._give_back.atexit = False  # the backend ends every slot then

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        """Run one program to its end and return what came of it; every process it left is dead.

        A command that does not exist ends with exit code 127, as in a shell.

        Raises:
            InfraError: the program could not be started for a reason of ours.
            ValueError: the command, a variable or a limit makes no sense.
        """
        if limits is not None:
            check_limits(limits)
        return self._open_slot().run(command, stdin, {**self._spec.env, **(env or {})}, limits or self._spec.limits)

    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return a regular file's bytes; links are not followed.

        Raises:
            SandboxFileError: missing, not a regular file, larger than the limit, or outside.
        """
        split_path(path)
        question = {"do": "read", "path": path, "limit_bytes": limit_bytes}
        return self._open_slot().ask_files(question, limit_bytes=limit_bytes)[1]

    def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return what is at a path as a tar archive, as `Sandbox.collect`.

        Raises:
            SandboxFileError: missing, a link on its way, or the files add up to more than the limit.
        """
        folder_in(path)
        question = {"do": "collect", "path": path, "limit_bytes": limit_bytes}
        return self._open_slot().ask_files(question, limit_bytes=archive_limit(limit_bytes))[1]

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        """Return the workspace as it is now.

        Raises:
            SandboxFileError: its files add up to more than the disk limit, as sparse ones can.
        """
        size = self._spec.limits.disk_bytes
        answer, data = self._open_slot().ask_files({"do": "save", "limit_bytes": size}, limit_bytes=archive_limit(size))
        return SavedSnapshot(data, str(answer["digest"]))

    def restore(self, snapshot: SandboxSnapshot) -> None:
        """Make the workspace what it was at the snapshot; nothing written since then is left.

        Raises:
            SandboxFileError: the snapshot is damaged or does not fit; the workspace is empty then.
        """
        slot = self._open_slot()
        slot.wipe(self._spec.limits.disk_bytes)
        try:
            answer, _ = slot.ask_files({"do": "load"}, snapshot.data)
            if answer["digest"] != snapshot.digest:
                raise SandboxFileError(
                    errno.EINVAL, f"the snapshot's content does not match its digest {snapshot.digest[:12]}"
                )
        except SandboxFileError:
            slot.wipe(self._spec.limits.disk_bytes)
            raise

    def fork(self, *, end_processes: bool = False) -> "NativeSandbox":
        """Return a new sandbox whose workspace is a copy of this one's; the two are independent."""
        snapshot = self.snapshot()
        twin = self._backend.take_slot(self._spec)
        try:
            twin.restore(snapshot)
        except BaseException:
            twin.close()
            raise
        return twin

    def close(self) -> None:
        """Give the sandbox back; a second call does nothing."""
        self._give_back()

    def check(self) -> None:
        """Return if programs could run now; raises InfraError if not."""
        self._open_slot().check()

    def reset(self) -> None:
        """Empty the workspace, as in a new sandbox."""
        self._open_slot().wipe(self._spec.limits.disk_bytes)

    def discard(self) -> None:
        """Close the sandbox and let no other have its slot."""
        self._slot.is_worn = True
        self.close()

    def interrupt(self) -> None:
        """End what runs, from another thread and without waiting: its `exec` raises InfraError. Close it then."""
        self._slot.interrupt()

    def _open_slot(self) -> Slot:
        if not self._give_back.alive:
            raise ValueError("the sandbox is closed; create another")
        return self._slot

    def _write(self, path: str, data: bytes, mode: int | None) -> None:
        split_path(path)
        size_bytes, limit = memoryview(data).nbytes, self._spec.limits.disk_bytes
        if size_bytes > limit:
            raise SandboxFileError(errno.ENOSPC, f"{path!r}: {size_bytes} bytes are more than the disk limit {limit}")
        self._open_slot().ask_files({"do": "write", "path": path, "mode": mode}, data)
