"""The first process of a machine's container: builds it, starts what runs in it, outlives its programs. Runs inside.

It serves one question of the host at a time, and passes on meanwhile what the shell shows and what is typed.
It is out of the machine's own numbering of processes, so nothing in the machine can see or end it. When the
host is gone, it ends, and so does the container.
"""

import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any, NoReturn

from palestra.sandbox import archive, wire
from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.capture import Capture
from palestra.sandbox.gvisor.terminal import changes
from palestra.sandbox.gvisor.terminal.attendant import Attendant
from palestra.sandbox.gvisor.terminal.files import MachineFiles
from palestra.sandbox.gvisor.terminal.frames import QUESTION, Frames
from palestra.sandbox.gvisor.terminal.guard import SLOW_TICK_S, TICK_S, Guard
from palestra.sandbox.gvisor.terminal.root import Root
from palestra.sandbox.gvisor.terminal.window import Window
from palestra.sandbox.native import linux
from palestra.sandbox.native.seccomp import build_filter
from palestra.sandbox.native.syscalls import machine
from palestra.sandbox.native.terminal.files import folder_of
from palestra.sandbox.native.terminal.plan import REPORTS, START
from palestra.sandbox.native.terminal.processes import Processes
from palestra.sandbox.native.terminal.program import Child, calm, open_terminal, resize
from palestra.sandbox.sealed import sealed_file
from palestra.sandbox.shell import shell_command, start_script
from palestra.sandbox.workspace import told_as

_INPUT, _OUTPUT, _ERRORS = 0, 1, 2
_CHUNK_BYTES = 1 << 16


def main() -> None:
    """Serve until the input ends: ``argv`` holds the bytes that files may take."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o022)
    os.set_blocking(_ERRORS, False)
    Keeper(int(sys.argv[1])).serve()


class Keeper(Processes):
    """Answers one question after another."""

    def __init__(self, disk_bytes: int) -> None:
        self._root = Root(disk_bytes)
        super().__init__(self._root.processes, _INPUT)
        self._child = Child(build_filter(machine()), self._root.processes, (), 0)
        self._root.enter()
        self._window = Window(_ERRORS)
        self._guard = Guard(self._root.memory, self._root.written)
        self._files = MachineFiles()
        self._frames, self._questions = Frames(), bytearray()
        self._first: int | None = None
        self._shell: int | None = None
        self._spared: int | None = None  # the shell's attendant
        self._is_running = False  # a program that somebody waits for
        self._limit_bytes = 0  # of memory, for the shell and what it starts

    def serve(self) -> NoReturn:
        """Answer until the host is gone."""
        actions: dict[str, Callable[[dict[str, Any], Iterator[bytes]], dict[str, Any]]] = {
            name: getattr(self, f"_answer_{name}")
            for name in (
                "begin",
                "run",
                "start_shell",
                "hang_up",
                "calm",
                "resize",
                "left",
                "end",
                "read",
                "collect",
                "write",
            )
        }
        actions |= {"still": self._answer_still, "go_on": self._answer_go_on, "digest": self._answer_digest}
        while True:
            question = wire.receive_message(self._receive)
            given = wire.receive_data(self._receive)
            try:
                answer = actions[question["do"]](question, given)
            except SandboxFileError as error:
                answer = {"refused": [error.errno, error.strerror]}
            for _ in given:  # what nobody needed
                pass
            wire.send_data(self._write_all, ())
            wire.send_answer(self._write_all, answer)

    def wait(self, descriptor: int, timeout_s: float | None) -> None:
        """Let things go on until a descriptor can be read, a child has ended or the time is up."""
        self._step({descriptor: lambda: None} if descriptor != _INPUT else {}, timeout_s)

    def wait_for(self, pid: int, timeout_s: float | None) -> bool:
        """Return whether a child has ended in time."""
        return self._take_until_ended(pid, (), timeout_s)

    def _step(self, also: dict[int, Callable[[], object]], timeout_s: float | None) -> None:
        """Wait for something to happen, and handle it.

        Args:
            also: what to do when other descriptors can be read.
            timeout_s: the longest wait; None for as long as it takes.
        """
        poll = select.poll()
        window = self._window.wanted()
        for descriptor, events in ({_INPUT: select.POLLIN, self._wake: select.POLLIN} | window).items():
            poll.register(descriptor, events)
        for descriptor in also:
            poll.register(descriptor, select.POLLIN)
        tick_s = TICK_S if self._is_running else SLOW_TICK_S if self._first is not None else None
        wait_s = min((each for each in (tick_s, timeout_s) if each is not None), default=None)
        for descriptor, event in poll.poll(None if wait_s is None else max(0.0, wait_s) * 1000):
            if descriptor == _INPUT:
                self._take_input()
            elif descriptor in also:
                also[descriptor]()
            elif descriptor in window:
                self._window.handle(descriptor, event)
        if tick_s is not None:
            self._guard.look(self._proc, self._all)
        self._reap()
        self._tell_of_shell()

    def _all(self) -> list[int]:
        return [pid for pid in super()._all() if pid not in (self._first, self._spared)]

    def _take_input(self) -> None:
        data = os.read(_INPUT, _CHUNK_BYTES)
        if not data:
            os._exit(0)
        for kind, content in self._frames.feed(data):
            if kind == QUESTION:
                self._questions += content
            else:
                self._window.type(content)

    def _receive(self, count: int) -> bytes:
        while len(self._questions) < count:
            self._step({}, None)
        data = bytes(self._questions[:count])
        del self._questions[:count]
        return data

    def _write_all(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(_OUTPUT, view) :]

    def _emit(self, data: bytes) -> None:
        for start in range(0, len(data), wire.LARGEST_PIECE):
            self._write_all(wire.piece(data[start : start + wire.LARGEST_PIECE]))

    def _answer_begin(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        """Set the limits of the shell and what it starts."""
        self._limit_bytes = self._guard.limit_bytes = question["memory_bytes"]
        return {}

    def _have_processes(self) -> None:
        """Have a first process, which what runs in the machine may have ended, and so everything."""
        if self._first is not None and self.take_ended(self._first) is not None:
            self._first = None
        if self._first is None:
            self._first = self._root.start_processes()
            self.expect(self._first)

    def _answer_run(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        """Run one program to its end, and end whatever it left."""
        self._have_processes()
        parts = b"".join(given)
        texts = []
        for length in question["lengths"]:
            texts.append(parts[:length])
            parts = parts[length:]
        sizes = (question["output_bytes"], question["file_bytes"])
        with Capture(*sizes) as stdout, Capture(*sizes) as stderr, ExitStack() as opened:
            description, stdin, *source = [opened.enter_context(sealed_file(text)) for text in texts]
            self._guard.limit_bytes = max(0, self._guard.taken) + question["memory_bytes"]
            self._is_running = True
            try:
                answer = self._watch(question, [description, stdin], source, (stdout, stderr))
            finally:
                self._guard.limit_bytes, self._is_running = self._limit_bytes, False
            for capture in (stdout, stderr):
                capture.drain()
                self._emit(capture.data)
            return answer | {"stdout": len(stdout.data), "truncated": [stdout.truncated, stderr.truncated]}

    def _watch(
        self, question: dict[str, Any], given: list[int], source: list[int], captures: tuple[Capture, Capture]
    ) -> dict[str, Any]:
        kills, (told, tell), start = self._guard.kills, os.pipe(), time.monotonic()
        pid = os.fork()
        if pid == 0:
            self._child.run(question, [*given, *(capture.write_end for capture in captures), *source], tell)
        os.close(tell)
        for capture in captures:
            capture.close_write_end()
        with os.fdopen(told, "rb") as pipe:
            mark, _, trouble = pipe.read().partition(b"\n")  # ends when the program begins
        timed_out = not self._take_until_ended(pid, captures, question["wall_s"])
        if timed_out:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._take_until_ended(pid, captures, None)
        duration = time.monotonic() - start
        self.end_marked(mark.decode())
        status, usage = self.collect(pid)
        if trouble:
            raise OSError(trouble.decode("utf-8", "replace"))
        code = os.waitstatus_to_exitcode(status)
        return {
            "code": code,
            "timed_out": timed_out,
            "oom": code != 0 and self._guard.kills > kills,
            "duration_s": duration,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "max_rss_bytes": usage.ru_maxrss * 1024,
        }

    def _take_until_ended(self, pid: int, captures: Sequence[Capture], timeout_s: float | None) -> bool:
        """Return whether a child has ended in time; take what it prints meanwhile."""
        self.expect(pid)
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while pid not in self._ended:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._step({capture.read_end: capture.take for capture in captures if capture.is_open}, left)
        return True

    def _answer_start_shell(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        """Start a shell on a new terminal."""
        self._have_processes()
        is_bash = any(os.path.exists(path) for path in ("/bin/bash", "/usr/bin/bash"))
        folder = self._root.shell_folder
        start, fifo = os.path.basename(START), os.path.basename(REPORTS)
        for name in os.listdir(folder):
            os.unlink(name, dir_fd=folder)
        file = os.open(start, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        master, slave = open_terminal()
        with os.fdopen(file, "wb") as script:
            state, name = b"".join(given), os.ttyname(slave)  # gVisor's /dev/tty cannot be opened
            script.write(start_script(is_bash, REPORTS, state, question["status"], terminal_file=name))
        os.mkfifo(fifo, 0o600, dir_fd=folder)
        reports = os.open(fifo, os.O_RDWR | os.O_NONBLOCK, dir_fd=folder)
        argv, env = shell_command(is_bash, START)
        told, tell = os.pipe()
        attendant = Attendant()
        pid = os.fork()
        if pid == 0:
            variables, kept = question["env"] | env, [attendant.inner]
            self._child.shell(question, argv, variables, slave, tell, kept=kept, before=attendant.start)
        os.close(tell)
        os.close(slave)
        self._shell = pid
        self.expect(pid)
        self._window.open(master, reports, attendant)
        with os.fdopen(told, "rb") as pipe:
            if trouble := pipe.read():
                raise OSError(trouble.decode("utf-8", "replace"))
        self._spared = attendant.find()
        return {"is_bash": is_bash}

    def _tell_of_shell(self) -> None:
        """Report the end of the shell."""
        if self._shell is not None and self._shell in self._ended:
            status, _ = self.collect(self._shell)
            self._shell = self._spared = None
            self._window.tell_end(os.waitstatus_to_exitcode(status))

    def _answer_hang_up(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        """End everything in the machine."""
        self.end_all()
        self._shell = self._first = self._spared = None
        self._window.close()
        return {}

    def _answer_calm(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        if self._window.terminal is not None:
            calm(self._window.terminal)
        return {}

    def _answer_resize(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        if self._window.terminal is not None:
            resize(self._window.terminal, question["rows"], question["columns"])
            self._window.signal(signal.SIGWINCH)
        return {}

    def _answer_left(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        """Return what runs beside the shell."""
        return {"left": self.names(self._shell)[:20]}

    def _answer_end(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        """End what runs beside the shell."""
        self.end_all_but(self._shell)
        return {}

    def _answer_read(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        for chunk in self._files.read(question["path"], question["limit_bytes"]):
            self._emit(chunk)
        return {}

    def _answer_collect(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        place = folder_of(question["path"])
        archive.collect(self._files, f"/{place}", place, self._emit, question["limit_bytes"])
        return {}

    def _answer_write(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        self._files.write(question["path"], given, question["mode"])
        return {}

    def _answer_still(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        """Pass nothing on any more, so that nothing is on its way when the machine is saved."""
        self._window.hold_still(question["mark"])
        return {}

    def _answer_go_on(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        self._window.go_on()
        return {}

    def _answer_digest(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        with told_as("the machine"):
            return {"digest": changes.digest(self._root.written, self._root.below)}
