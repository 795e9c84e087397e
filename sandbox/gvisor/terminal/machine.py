"""The host's end of one machine under gVisor: its slot, its keeper, its shell's terminal, and how it is saved."""

import contextlib
import json
import os
import secrets
import select
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from palestra.sandbox import wire
from palestra.sandbox.base import MIB, Command, ExecResult, InfraError, Limits, Python, SandboxFileError
from palestra.sandbox.capture import take_until
from palestra.sandbox.line import Line
from palestra.sandbox.native import messages
from palestra.sandbox.native.cgroups import Hierarchy
from palestra.sandbox.native.plan import Plan
from palestra.sandbox.native.slot import Slot
from palestra.sandbox.native.terminal.boot import BOOT
from palestra.sandbox.native.terminal.plan import REPORTS, MachinePlan
from palestra.sandbox.outcome import Outcome, check_command, resource_limits, to_result
from palestra.sandbox.sealed import sealed_file

_START_S, _GRACE_S, _SAVE_S, _STILL_S = 30.0, 15.0, 60.0, 15.0
_SOURCE = f"exec({BOOT!r}, {{}})"
_KERNEL_BYTES = 192 * MIB  # gVisor's own, and the keeper's interpreter
_ADDRESS_SPACE = 64 * MIB  # of a process, beyond the memory that it may use
_MOST_THREADS = 8192  # gVisor's own, several for each process of the machine
_CHUNK_BYTES = 1 << 16


class Machine(Slot):
    """A started machine. Every method raises InfraError when it is dead, does not answer or is in use."""

    def __init__(
        self,
        plan: Plan,
        machine: MachinePlan,
        limits: Limits,
        hierarchy: Hierarchy | None,
        image: int | None = None,
    ) -> None:
        """Start a machine.

        Args:
            plan: of its slot.
            machine: what it is made of.
            limits: of memory and disk, for its life.
            hierarchy: where control groups can be made.
            image: an open file with a saved machine, to go on from there.

        Raises:
            InfraError: it could not be started.
        """
        super().__init__(plan, hierarchy)
        self._machine, self._limits = machine, limits
        self._variables = machine.environment()
        with self._exchange():
            self._begin(image)

    def _begin(self, image: int | None) -> None:
        ours, theirs = contextlib.ExitStack(), contextlib.ExitStack()
        with theirs:
            ask, asked = socket.socketpair()
            screen, shown = socket.socketpair()
            reports, reported = os.pipe2(os.O_CLOEXEC)
            for connection in (ask, screen):
                ours.enter_context(connection)
            ours.callback(os.close, reports)
            self._held.push(ours)
            for connection in (asked, shown):
                theirs.enter_context(connection)
            theirs.callback(os.close, reported)
            plan = theirs.enter_context(sealed_file(self._machine.to_json().encode()))
            self._limit_all(os.fstat(image).st_size if image is not None else 0)
            given = [plan, asked.fileno(), shown.fileno(), reported, *([] if image is None else [image])]
            messages.send(self._control, {"do": "start", "disk_bytes": self._limits.disk_bytes}, given)
            self._answer(_START_S)
        screen.setblocking(False)
        os.set_blocking(reports, False)
        self._line, self.screen, self.reports = Line(ask), screen.fileno(), reports
        self._talk({"do": "begin", "memory_bytes": self._limits.memory_bytes}, timeout_s=_START_S)
        if image is not None:
            self._talk({"do": "go_on"})
            self._ask({"do": "started"})
            self._limit_all()

    def ask(
        self,
        question: dict[str, Any],
        data: Iterable[bytes] = (),
        *,
        timeout_s: float = _GRACE_S,
        limit_bytes: int = 0,
    ) -> tuple[dict[str, Any], bytes]:
        """Let the keeper do something with data; return its answer and the data that came back.

        Args:
            question: what to do.
            data: what to do it with.
            timeout_s: a machine whose keeper takes longer is ended.
            limit_bytes: more than this never comes back from one that works.

        Raises:
            SandboxFileError: it refused.
        """
        with self._exchange():
            answer, got = self._talk(question, data, timeout_s=timeout_s, limit_bytes=limit_bytes)
        if "refused" in answer:
            code, reason = answer["refused"]
            raise SandboxFileError(int(code or 0), str(reason))
        return answer, got

    def execute(self, command: Command, stdin: bytes, env: Mapping[str, str], limits: Limits) -> ExecResult:
        """Run one program in the workspace and return what came of it."""
        check_command(command, stdin, env)
        argv = [self._machine.python, "-s", "-c", _SOURCE, *command.argv] if isinstance(command, Python) else [*command]
        texts = [json.dumps({"argv": argv, "env": {**self._variables, **env}}).encode(), bytes(stdin)]
        if isinstance(command, Python):
            texts.append(command.source.encode("utf-8", "surrogatepass"))
        question = {
            "do": "run",
            "lengths": [len(text) for text in texts],
            "wall_s": limits.wall_s,
            "disk_bytes": limits.disk_bytes,
            "memory_bytes": limits.memory_bytes,
            "output_bytes": limits.output_bytes,
            "file_bytes": limits.file_bytes,
            "rlimits": resource_limits(limits) | _address_space(limits),
        }
        is_larger = limits.memory_bytes > self._limits.memory_bytes
        if is_larger:
            self._limit_all(2 * limits.memory_bytes)
        room = 2 * max(limits.output_bytes, 1)
        answer, output = self.ask(question, texts, timeout_s=limits.wall_s + _GRACE_S, limit_bytes=room)
        if is_larger:
            self._limit_all()
        length, cut = int(answer.pop("stdout")), answer.pop("truncated")
        stdout, stderr = _Output(output[:length], cut[0]), _Output(output[length:], cut[1])
        return to_result(Outcome(**answer), limits, stdout, stderr)

    def start_shell(self, env: Mapping[str, str], state: bytes, status: int) -> "GvisorTerminal":
        """Start a shell with a state; ended by its `close`."""
        self.hold_still()  # and so takes what an earlier shell has shown
        self.ask({"do": "go_on"})
        question = {
            "do": "start_shell",
            "env": {**self._variables, **env},
            "status": status,
            "rlimits": {"RLIMIT_CORE": (0, 0)} | _address_space(self._limits),
        }
        answer, _ = self.ask(question, [state])
        return GvisorTerminal(self, bool(answer["is_bash"]))

    def hold_still(self) -> tuple[bytes, bytes]:
        """Have the keeper pass nothing on until it is told to go on; return all that was shown and reported before."""
        mark = secrets.token_hex(8)
        end = f"\0M{mark}\0".encode()
        shown, reported, deadline = bytearray(), bytearray(), time.monotonic() + _STILL_S
        with self._exchange():
            self._line.allow(_GRACE_S)
            wire.send_question(self._line.write, {"do": "still", "mark": mark})
            while not reported.endswith(end):  # the keeper waits until all of it is read
                poll = select.poll()
                for descriptor in (self.screen, self.reports):
                    poll.register(descriptor, select.POLLIN)
                if time.monotonic() > deadline:
                    raise TimeoutError("the shell's terminal does not come to rest")
                for descriptor, _ in poll.poll(100):
                    (shown if descriptor == self.screen else reported).extend(_read(descriptor))
            with contextlib.suppress(BlockingIOError):
                while True:
                    shown += _read(self.screen)
            self._receive(0)
        return bytes(shown), bytes(reported[: -len(end)])

    def save(self) -> int:
        """Return an open file with the machine as it is now, processes and all; the machine goes on."""
        with self._exchange():
            held = self._group.held_bytes() if self._group else 0
            self._limit_all(2 * held)
            messages.send(self._control, {"do": "save"})
            if not take_until(self._control.fileno(), (), _SAVE_S):
                raise TimeoutError(f"the machine was not saved within {_SAVE_S:g} s")
            answer, files = messages.receive(self._control)
            if "error" in answer:
                raise OSError(f"the machine was not saved: {answer['error']}")
            try:
                image = _copy(files[0])
            finally:
                messages.close_all(files)
            self._limit_all()
        return image

    def _limit_all(self, extra_bytes: int = 0) -> None:
        """Set the control group's limits: far from what the keeper allows, since nothing survives them."""
        if self._group:
            limits = self._limits
            size = _KERNEL_BYTES + 2 * limits.memory_bytes + 2 * limits.disk_bytes
            self._group.limit(size + extra_bytes, _MOST_THREADS)

    def _talk(
        self,
        question: dict[str, Any],
        data: Iterable[bytes] = (),
        *,
        timeout_s: float = _GRACE_S,
        limit_bytes: int = 0,
    ) -> tuple[dict[str, Any], bytes]:
        self._line.allow(timeout_s)
        wire.send_question(self._line.write, question, data)
        return self._receive(limit_bytes)

    def _receive(self, limit_bytes: int) -> tuple[dict[str, Any], bytes]:
        got = b"".join(wire.receive_data(self._line.read, limit_bytes))
        return wire.receive_message(self._line.read), got

    def _failure(self, error: Exception) -> InfraError:
        """End the machine and return what to raise about it, with what gVisor says if it says anything."""
        if self.is_alive:
            with contextlib.suppress(OSError, EOFError, ValueError):
                messages.send(self._control, {"do": "why"})
                if take_until(self._control.fileno(), (), 1.0):
                    complaint = messages.receive(self._control)[0].get("complaint", "")
                    error = type(error)(f"{error}. {complaint}".strip(" .")) if complaint else error
        return super()._failure(error)


@dataclass(frozen=True, slots=True)
class _Output:
    """What came of one stream."""

    data: bytes
    truncated: bool


class GvisorTerminal:
    """A shell's terminal as the host holds it. Its descriptors are the machine's, and go with it."""

    reports_file = REPORTS

    def __init__(self, machine: Machine, is_bash: bool) -> None:
        self.screen, self.reports, self.is_bash = machine.screen, machine.reports, is_bash
        self._machine: Machine | None = machine

    def calm(self) -> None:
        """Put the terminal's modes back after a program that left them otherwise."""
        if self._machine is not None:
            self._machine.ask({"do": "calm"})

    def resize(self, rows: int, columns: int) -> None:
        """Change the terminal's size."""
        if self._machine is not None:
            self._machine.ask({"do": "resize", "rows": rows, "columns": columns})

    def close(self) -> None:
        """End the shell and what it started; a second call does nothing."""
        machine, self._machine = self._machine, None
        if machine is not None:
            with contextlib.suppress(InfraError):
                machine.ask({"do": "hang_up"})

    def let_go(self) -> None:
        """Let go of a shell that has ended by itself."""
        self._machine = None


def _address_space(limits: Limits) -> dict[str, tuple[int, int]]:
    size = limits.memory_bytes + _ADDRESS_SPACE
    return {"RLIMIT_AS": (size, size)}


def _read(descriptor: int) -> bytes:
    data = os.read(descriptor, _CHUNK_BYTES)
    if not data:
        raise EOFError("the machine has ended")
    return data


def _copy(file: int) -> int:
    """Return an unnamed file in this process's own memory with the content of another."""
    copy = os.memfd_create("palestra-machine", os.MFD_CLOEXEC)
    try:
        while sent := os.sendfile(copy, file, None, 1 << 30):  # from where it stands
            del sent
    except BaseException:
        os.close(copy)
        raise
    return copy
