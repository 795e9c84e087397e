"""The host's end of one machine: asks its first process, and notices when it is gone."""

import contextlib
import itertools
import json
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from palestra.sandbox.archive import archive_limit
from palestra.sandbox.base import MIB, Command, ExecResult, InfraError, Limits, Python, SandboxFileError
from palestra.sandbox.capture import Capture, take_until
from palestra.sandbox.faults import advice
from palestra.sandbox.native import messages, stream
from palestra.sandbox.native.cgroups import ControlGroup, Hierarchy
from palestra.sandbox.native.terminal.boot import BOOT
from palestra.sandbox.native.terminal.client import NurseryClient, raise_if_failed
from palestra.sandbox.native.terminal.content import limit as content_limit
from palestra.sandbox.native.terminal.plan import MachinePlan
from palestra.sandbox.native.terminal.scratch import MachineFolder
from palestra.sandbox.native.terminal.tty import NativeTerminal
from palestra.sandbox.outcome import Outcome, check_command, resource_limits, to_result
from palestra.sandbox.sealed import sealed_file

_START_S, _GRACE_S, _END_S = 30.0, 15.0, 5.0
_NUMBERS = itertools.count(1)
_SOURCE = f"exec({BOOT!r}, {{}})"
_SHARED_MEMORY = 64 * MIB
_COUNTS_PER_NAMESPACE = (5, 14)  # the first Linux whose RLIMIT_NPROC counts a user per user namespace


@dataclass(slots=True, eq=False)
class Layer:
    """Files that are not changed any more, kept as long as somebody refers to them."""

    number: int
    tree: int | None  # a descriptor by which machines share it; None where the kernel cannot
    folder: MachineFolder | None  # where it lies on a disk

    def __post_init__(self) -> None:
        if self.folder:
            self.folder.known.add(self.number)

    def __del__(self) -> None:
        if self.tree is not None:
            os.close(self.tree)
        if self.folder:
            self.folder.drop(self.number)


class Machine:
    """A started machine. Every method raises InfraError when it is dead, does not answer or is in use."""

    def __init__(
        self,
        nursery: NurseryClient,
        plan: MachinePlan,
        limits: Limits,
        hierarchy: Hierarchy | None,
        folder: MachineFolder | None,
    ) -> None:
        """Start it; with a folder, its layers lie there and not in memory."""
        self.is_alive = True
        self.stack: list[Layer] = []
        self._folder, self._limits = folder, limits
        self._plan = replace(plan, scratch=str(folder.path)) if folder else plan
        self._environment = plan.environment()
        self._lock = threading.Lock()
        self._owner_pid = os.getpid()
        self._held = contextlib.ExitStack()
        try:
            self._start(nursery, hierarchy)
        except OSError as error:
            self.kill()
            raise InfraError(f"no sandbox could be started: {error}; {advice(error)}") from error
        except BaseException:
            self.kill()
            raise

    def _start(self, nursery: NurseryClient, hierarchy: Hierarchy | None) -> None:
        self._group = ControlGroup(hierarchy) if hierarchy else None
        if self._group:
            self._held.callback(self._unless_forked, self._group.remove)
        self._control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._held.enter_context(self._control)
        self._data, data = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._held.enter_context(self._data)
        self._data.settimeout(_GRACE_S)
        with control, data:
            ends = (control.fileno(), data.fileno())
            ended = nursery.start(self._plan, self._limits.disk_bytes, self._group, ends)
        self._held.callback(self._end, ended)
        self._answer(_START_S)
        self._limit_all()

    def run(self, command: Command, stdin: bytes, env: Mapping[str, str], limits: Limits) -> ExecResult:
        """Run one program in the workspace and return what came of it."""
        check_command(command, stdin, env)
        variables = {**self._environment, **env}
        is_python = isinstance(command, Python)
        argv = [self._plan.python, "-s", "-c", _SOURCE, *command.argv] if isinstance(command, Python) else list(command)
        source = command.source.encode("utf-8", "surrogatepass") if isinstance(command, Python) else b""
        description = json.dumps({"argv": argv, "env": variables}).encode()
        request = {
            "do": "run",
            "layer": next(_NUMBERS),
            "wall_s": limits.wall_s,
            "disk_bytes": limits.disk_bytes,
            "rlimits": resource_limits(limits) | self._limits_without_group(limits),
        }
        sizes = (limits.output_bytes, limits.file_bytes)
        with self._exchange(), Capture(*sizes) as stdout, Capture(*sizes) as stderr, contextlib.ExitStack() as files:
            kills = self._limit_program(limits)
            given = [files.enter_context(sealed_file(data)) for data in (description, stdin)]
            sources = [files.enter_context(sealed_file(source))] if is_python else []
            if self._plan.ids:  # so that the program may open /dev/stdout
                for capture in (stdout, stderr):
                    os.fchown(capture.write_end, *2 * [self._plan.ids[0] + self._plan.agent])
            messages.send(self._control, request, [*given, stdout.write_end, stderr.write_end, *sources])
            for capture in (stdout, stderr):
                capture.close_write_end()
            answer = self._answer(limits.wall_s + _GRACE_S, (stdout, stderr))[0]
            for capture in (stdout, stderr):
                capture.drain()
            is_short = answer["code"] != 0 and self._kills() > kills
            self._limit_all()
            return to_result(Outcome(**answer, oom=is_short), limits, stdout, stderr)

    def start_shell(self, env: Mapping[str, str], state: bytes, status: int) -> "NativeTerminal":
        """Start a shell with a state; ended by its `close`."""
        request = {
            "do": "start_shell",
            "layer": next(_NUMBERS),
            "env": {**self._environment, **env},
            "status": status,
            "rlimits": {"RLIMIT_CORE": (0, 0)} | self._limits_without_group(self._limits, shells=1),
        }
        with self._exchange():
            answer, (screen, reports) = self._ask(request, state)
        return NativeTerminal(screen, reports, answer["is_bash"], self.hang_up)

    def hang_up(self) -> None:
        """End everything that runs; a machine that is gone has ended it."""
        with contextlib.suppress(InfraError), self._exchange():
            self._ask({"do": "hang_up"})

    def left(self) -> list[str]:
        """Return what runs beside the shell: command lines with their process numbers."""
        with self._exchange():
            return [str(name) for name in self._ask({"do": "left"})[0]["left"]]

    def end_left(self) -> None:
        """End what runs beside the shell."""
        with self._exchange():
            self._ask({"do": "end"})

    def read(self, path: str, limit_bytes: int) -> bytes:
        """Return a regular file's bytes; raises SandboxFileError."""
        request = {"do": "read", "path": path, "limit_bytes": limit_bytes, "layer": next(_NUMBERS)}
        with self._exchange():
            return self._receive(request, limit_bytes)[1]

    def collect(self, path: str, limit_bytes: int) -> bytes:
        """Return an archive of what is at a path; raises SandboxFileError."""
        request = {"do": "collect", "path": path, "limit_bytes": limit_bytes, "layer": next(_NUMBERS)}
        with self._exchange():
            return self._receive(request, archive_limit(limit_bytes))[1]

    def write(self, path: str, data: bytes, mode: int | None) -> None:
        """Create or replace a regular file, as `Workspace.write`; raises SandboxFileError."""
        with self._exchange():
            self._ask({"do": "write", "path": path, "mode": mode, "layer": next(_NUMBERS)}, data)

    def freeze(self) -> tuple[Layer, ...]:
        """End everything, and return the layers that the files now consist of."""
        known = [layer.number for layer in self.stack]
        with self._exchange():
            answer, trees = self._ask({"do": "freeze", "known": known, "spare": next(_NUMBERS)})
            self._take_stack(answer["stack"], trees)
            self._tidy()
        return tuple(self.stack)

    def restore(self, layers: Sequence[Layer]) -> None:
        """End everything, and let the files be those of some layers."""
        here = {layer.number for layer in self.stack}
        with self._exchange():
            for layer in layers:
                if layer.number in here:
                    continue
                request = {"do": "add", "layer": layer.number}
                if layer.folder:
                    self._ask(request | {"place": layer.folder.place_of(layer.number)})
                elif layer.tree is not None:
                    self._ask_with(request, [layer.tree])
            self._ask({"do": "restore", "stack": [layer.number for layer in layers]})
            self.stack = list(layers)
            self._tidy()

    def save(self, layers: Sequence[Layer]) -> tuple[bytes, str]:
        """Return what layers that are here change, as an archive, and its digest; raises SandboxFileError."""
        size = self._limits.disk_bytes
        numbers = [layer.number for layer in layers]
        request = {"do": "save", "stack": numbers, "limit_bytes": content_limit(size)}
        with self._exchange():
            answer, data = self._receive(request, 4 * content_limit(size) + MIB)
        return data, str(answer["digest"])

    def load(self, data: bytes) -> None:
        """End everything, and let the files be those of an archive; raises SandboxFileError, and is empty then."""
        _, self.stack = self.stack, []  # whose layers stay until the machine has let go of them
        number = next(_NUMBERS)
        with self._exchange():
            _, trees = self._ask({"do": "load", "layer": number}, data)
            self._take_stack([number], trees)
            self._tidy()

    def holds(self, layers: Iterable[Layer]) -> bool:
        """Whether all of these are in the machine's own stack."""
        return self.is_alive and {layer.number for layer in layers} <= {layer.number for layer in self.stack}

    def can_take(self, layers: Iterable[Layer]) -> bool:
        """Whether these are in the machine's stack, or could be put there."""
        layers = tuple(layers)
        return self.holds(layers) or all(
            layer.tree is not None if layer.folder is None else layer.folder.is_beside(self._folder) for layer in layers
        )

    def check(self) -> None:
        """Return if the machine answers."""
        with self._exchange():
            self._ask({"do": "check"})

    def kill(self) -> None:
        """End the machine and everything in it; returns when it is gone. A second call does nothing."""
        self.is_alive = False
        self._held.pop_all().close()
        self.stack = []
        self._tidy()

    def interrupt(self) -> None:
        """End the machine from another thread, without waiting; whoever waits for an answer gets InfraError."""
        self.is_alive = False
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)

    def _end(self, ended: int) -> None:
        """Kill the first process, and so everything, and wait for its end."""
        try:
            if os.getpid() == self._owner_pid:
                with contextlib.suppress(OSError):
                    signal.pidfd_send_signal(ended, signal.SIGKILL)
                poll = select.poll()
                poll.register(ended, select.POLLIN)
                poll.poll(_END_S * 1000)
        finally:
            os.close(ended)

    def _unless_forked(self, action: Callable[[], object]) -> None:
        if os.getpid() == self._owner_pid:
            action()

    def _take_stack(self, numbers: Sequence[int], trees: list[int]) -> None:
        old = {layer.number: layer for layer in self.stack}
        new = [number for number in numbers if number not in old]
        given: Mapping[int, int] = dict(zip(new, trees, strict=True)) if trees else {}
        self.stack = [old.get(number) or Layer(number, given.get(number), self._folder) for number in numbers]

    def _tidy(self) -> None:
        """Nothing is written now: remove what was, where memory does not vanish by itself."""
        if self._folder:
            self._folder.tidy()

    def _limit_all(self) -> None:
        """Set the control group's limits for all that lives on: the shell's programs, and the files they write."""
        if self._group:
            limits = self._limits
            size = limits.memory_bytes + limits.disk_bytes + min(limits.disk_bytes, _SHARED_MEMORY)
            self._group.limit(size, limits.processes + 1)

    def _limit_program(self, limits: Limits) -> int:
        """Set the control group's limits for one program; return how many processes were killed so far.

        What lies in the machine already is memory too, but not the program's fault.
        """
        if not self._group:
            return 0
        running = self._group.processes()
        self._group.limit(self._group.held_bytes() + limits.memory_bytes, running + limits.processes)
        return self._kills()

    def _limits_without_group(self, limits: Limits, shells: int = 0) -> dict[str, tuple[int, int]]:
        """Return what takes the place of the control group where there is none: each process is bounded."""
        if self._group is not None:
            return {}
        size, count = limits.memory_bytes + 64 * MIB, limits.processes + 1 + shells  # the first process
        wanted = {"RLIMIT_AS": (size, size)}
        if tuple(int(part) for part in os.uname().release.split(".")[:2]) >= _COUNTS_PER_NAMESPACE:
            wanted["RLIMIT_NPROC"] = (count, count)
        return wanted

    def _kills(self) -> int:
        return self._group.kills() if self._group else 0

    @contextlib.contextmanager
    def _exchange(self) -> Iterator[None]:
        """Hold the machine for one question and its answer; whatever comes between them ends it."""
        if os.getpid() != self._owner_pid:
            raise InfraError("this sandbox belongs to the process that this one was forked from; create another here")
        if not self._lock.acquire(blocking=False):
            raise InfraError("this sandbox is busy for another thread; use one sandbox a thread")
        try:
            if not self.is_alive:
                raise InfraError("the sandbox has died or was closed; create another")
            yield
        except (InfraError, SandboxFileError):
            raise
        except (EOFError, OSError, ValueError) as error:
            self.kill()
            raise InfraError(f"the sandbox died: {error}; {advice(error)}") from error
        except BaseException:
            self.kill()
            raise
        finally:
            self._lock.release()

    def _ask(self, request: dict[str, Any], data: bytes | None = None) -> tuple[dict[str, Any], list[int]]:
        """Ask, with data or without, and return the answer and its descriptors."""
        messages.send(self._control, request)
        if data is not None:
            for chunk in stream.split(data):
                stream.send_chunk(self._data, chunk)
            stream.send_end(self._data, {})
        return self._answer(_GRACE_S)

    def _ask_with(self, request: dict[str, Any], descriptors: Sequence[int]) -> None:
        messages.send(self._control, request, descriptors)
        self._answer(_GRACE_S)

    def _receive(self, request: dict[str, Any], limit_bytes: int) -> tuple[dict[str, Any], bytes]:
        """Ask, and return the answer and the data that came before it."""
        messages.send(self._control, request)
        data = b"".join(stream.receive_chunks(self._data, limit_bytes))
        stream.receive_message(self._data)
        return self._answer(_GRACE_S)[0], data

    def _answer(self, timeout_s: float, captures: Sequence[Capture] = ()) -> tuple[dict[str, Any], list[int]]:
        try:
            if not take_until(self._control.fileno(), captures, timeout_s):
                raise TimeoutError(f"no answer within {timeout_s:g} s")
            answer, descriptors = messages.receive(self._control)
        except (EOFError, OSError, ValueError) as error:
            is_ours = self.is_alive
            self.kill()
            reason = f"the sandbox died: {error}" if is_ours else "the sandbox was ended from another thread"
            raise InfraError(f"{reason}; {advice(error)}") from error
        stream.accept(answer)
        if "error" in answer:
            self.kill()
            raise_if_failed(answer)
        return answer, descriptors
