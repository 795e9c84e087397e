"""The first process of a machine: builds it, starts what runs in it, keeps its layers, outlives its programs.

Nobody in the machine can end it, stop it or look into it. It serves one request of the host at a time
and goes with the host's end of the socket, and everything in the machine with it.
"""

import contextlib
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.native import linux, messages, stream
from palestra.sandbox.native.seccomp import build_filter
from palestra.sandbox.native.syscalls import machine
from palestra.sandbox.native.terminal import content, files
from palestra.sandbox.native.terminal.layers import LAYERS, Layers
from palestra.sandbox.native.terminal.plan import REPORTS, START, MachinePlan
from palestra.sandbox.native.terminal.processes import Processes
from palestra.sandbox.native.terminal.program import Child, open_terminal
from palestra.sandbox.native.terminal.root import Root
from palestra.sandbox.shell import shell_command, start_script

_DEEPEST_STACK = 24

Reply = dict[str, Any]


class Init:
    """Answers the host's requests."""

    def __init__(
        self, plan: MachinePlan, disk_bytes: int, control: socket.socket, data: socket.socket, group: list[int]
    ) -> None:
        self._control, self._data, self._disk_bytes = control, data, disk_bytes
        self._layers = Layers(plan, disk_bytes)
        self._root = Root(self._layers, disk_bytes)
        processes = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
        self._child = Child(build_filter(machine()), processes, group, plan.agent)
        self._agent = plan.agent
        self._processes = Processes(processes, control.fileno())
        self._shell: int | None = None
        self._reports: int | None = None

    def serve(self) -> NoReturn:
        """Answer until the host is gone."""
        actions: dict[str, Callable[[dict[str, Any], list[int]], tuple[Reply, list[int]]]] = {
            name: getattr(self, f"_{name}")
            for name in (
                "run",
                "start_shell",
                "hang_up",
                "left",
                "end",
                "read",
                "collect",
                "write",
                "freeze",
                "restore",
            )
        }
        actions |= {name: getattr(self, f"_{name}") for name in ("add", "save", "load", "check")}
        while True:
            self._processes.wait(self._control.fileno(), None)
            self._tell_of_shell()
            if not self._processes.is_asked():
                continue
            try:
                request, descriptors = messages.receive(self._control)
            except EOFError:
                os._exit(0)
            try:
                reply, given = actions[request["do"]](request, descriptors)
            except SandboxFileError as error:
                reply, given = stream.refuse(error), []
            except OSError as error:
                reply, given = {"error": f"{type(error).__name__}: {error}"}, []
            finally:
                messages.close_all(descriptors)
            self._tell_of_shell()  # before the host goes on
            messages.send(self._control, reply, given)
            messages.close_all([descriptor for descriptor in given if descriptor not in self._lent()])

    def _lent(self) -> list[int | None]:
        """Descriptors that are given to the host and needed here still."""
        return [self._layers.share(layer) for layer in self._layers.stack]

    def _check(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        return {}, []

    def _run(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        """Run one program to its end, and end whatever it left."""
        self._root.build(request["layer"])
        if count := request["rlimits"].get("RLIMIT_NPROC"):  # which counts what runs beside the program, too
            request["rlimits"]["RLIMIT_NPROC"] = [value + self._processes.threads() for value in count]
        told, tell = os.pipe()
        start = time.monotonic()
        pid = os.fork()
        if pid == 0:
            self._child.run(request, descriptors, tell)
        os.close(tell)
        with os.fdopen(told, "rb") as pipe:
            mark, _, trouble = pipe.read().partition(b"\n")  # ends when the program begins
        timed_out = not self._processes.wait_for(pid, request["wall_s"])
        if timed_out:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._processes.wait_for(pid, None)
        duration = time.monotonic() - start
        self._processes.end_marked(mark.decode())
        if self._shell is not None:  # which the program may have killed: its end is told before the program's
            self._processes.settle(self._shell)
        status, usage = self._processes.collect(pid)
        if trouble:
            return {"error": trouble.decode("utf-8", "replace")}, []
        return {
            "code": os.waitstatus_to_exitcode(status),
            "timed_out": timed_out,
            "duration_s": duration,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "max_rss_bytes": usage.ru_maxrss * 1024,
        }, []

    def _start_shell(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        """Start a shell on a new terminal; the host gets the terminal and the reports."""
        self._root.build(request["layer"])
        is_bash = any(os.path.exists(path) for path in ("/bin/bash", "/usr/bin/bash"))
        state = b"".join(stream.receive_chunks(self._data))
        stream.receive_message(self._data)
        folder = self._root.shell_folder
        for name in os.listdir(f"/proc/self/fd/{folder}"):
            os.unlink(name, dir_fd=folder)
        file = os.open(os.path.basename(START), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        with os.fdopen(file, "wb") as start:
            start.write(start_script(is_bash, REPORTS, state, request["status"]))
        fifo = os.path.basename(REPORTS)
        os.mkfifo(fifo, 0o600, dir_fd=folder)
        reports = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK, dir_fd=folder)
        self._let_reports_go()
        self._reports = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK, dir_fd=folder)
        master, slave = open_terminal()
        argv, env = shell_command(is_bash, START)
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._child.shell(request, argv, request["env"] | env, slave, tell)
        os.close(tell)
        os.close(slave)
        self._shell = pid
        self._processes.expect(pid)
        with os.fdopen(told, "rb") as pipe:
            trouble = pipe.read()
        if trouble:
            os.close(master)
            os.close(reports)
            return {"error": trouble.decode("utf-8", "replace")}, []
        return {"is_bash": is_bash}, [master, reports]

    def _tell_of_shell(self) -> None:
        """Report the end of the shell."""
        if self._shell is not None and (ended := self._processes.take_ended(self._shell)) is not None:
            self._shell = None
            if self._reports is not None:
                with contextlib.suppress(OSError):
                    os.write(self._reports, f"\0E{os.waitstatus_to_exitcode(ended)}\0".encode())

    def _let_reports_go(self) -> None:
        if self._reports is not None:
            os.close(self._reports)
            self._reports = None

    def _hang_up(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        """End everything in the machine."""
        self._processes.end_all()
        self._shell = None
        self._let_reports_go()
        return {}, []

    def _left(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        """Return what runs beside the shell."""
        return {"left": self._processes.names(self._shell)[:20]}, []

    def _end(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        """End what runs beside the shell."""
        self._processes.end_all_but(self._shell)
        return {}, []

    def _read(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        self._root.build(request["layer"])
        try:
            with _as_user(self._agent):
                for chunk in files.read(request["path"], request["limit_bytes"]):
                    stream.send_chunk(self._data, chunk)
        finally:
            stream.send_end(self._data, {})
        return {}, []

    def _collect(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        self._root.build(request["layer"])
        emit: Callable[[bytes], None] = lambda chunk: stream.send_chunk(self._data, chunk)  # noqa: E731
        try:
            with _as_user(self._agent):
                files.collect(request["path"], emit, request["limit_bytes"])
        finally:
            stream.send_end(self._data, {})
        return {}, []

    def _write(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        chunks = stream.receive_chunks(self._data)
        try:
            self._root.build(request["layer"])
            with _as_user(self._agent):
                files.write(request["path"], chunks, request["mode"])
        finally:
            stream.drop(chunks)
            stream.receive_message(self._data)
        return {}, []

    def _freeze(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        """End everything, and let what was written be a layer of its own; return the stack as it is then."""
        self._hang_up(request, descriptors)
        self._root.leave()
        self._layers.freeze()
        if len(self._layers.stack) > _DEEPEST_STACK:
            self._join(request["spare"])
        return {"stack": self._layers.stack}, self._shared(request["known"])

    def _shared(self, known: list[int]) -> list[int]:
        """Return the descriptors of the layers that the host does not know, the lowest first."""
        new = [layer for layer in self._layers.stack if layer not in known]
        shared = [self._layers.share(layer) for layer in new]
        return [tree for tree in shared if tree is not None]

    def _join(self, layer: int) -> None:
        """Make one layer of the whole stack."""
        spool = os.memfd_create("palestra-layers", os.MFD_CLOEXEC)
        with os.fdopen(spool, "w+b") as file:
            content.save(self._layers, lambda chunk: (file.write(chunk), None)[1], content.limit(self._disk_bytes))
            file.seek(0)
            self._fill(layer, iter(lambda: file.read(1 << 16), b""))
        self._layers.keep([layer])

    def _fill(self, layer: int, chunks: Any) -> None:
        before, self._layers.stack = self._layers.stack, []
        try:
            self._layers.make(layer, content.limit(self._disk_bytes))
            content.load(f"{LAYERS}/{layer}", [number for number, _ in self._layers.written_parts()], chunks)
        finally:
            self._layers.stack = before

    def _add(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        """Take a layer of another machine, in the workshop."""
        with self._root.in_workshop():
            if "place" in request:
                self._layers.add_folder(request["layer"], request["place"])
            else:
                self._layers.add(request["layer"], os.dup(descriptors[0]))
        return {}, []

    def _restore(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        """End everything, and let the stack be another; what was written since is gone."""
        self._hang_up(request, descriptors)
        self._root.leave()
        self._layers.keep(request["stack"])
        linux.unshare(linux.NEWIPC)
        return {}, []

    def _save(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        """Send what a stack changes, which is digested on the way."""
        emit: Callable[[bytes], None] = lambda chunk: stream.send_chunk(self._data, chunk)  # noqa: E731
        before, self._layers.stack = self._layers.stack, request["stack"]
        try:
            with self._root.in_workshop():
                return {"digest": content.save(self._layers, emit, request["limit_bytes"])}, []
        finally:
            self._layers.stack = before
            stream.send_end(self._data, {})

    def _load(self, request: dict[str, Any], descriptors: list[int]) -> tuple[Reply, list[int]]:
        """Make a layer of what was saved, and let it be the whole stack."""
        self._hang_up(request, descriptors)
        self._root.leave()
        chunks = stream.receive_chunks(self._data)
        try:
            self._layers.keep([])
            self._fill(request["layer"], chunks)
            self._layers.keep([request["layer"]])
        except BaseException:
            self._layers.keep([])
            raise
        finally:
            stream.drop(chunks)
            stream.receive_message(self._data)
        return {}, self._shared([])


@contextlib.contextmanager
def _as_user(user: int) -> Iterator[None]:
    """Touch files as the programs' user does."""
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # which a change of user undoes


def become_init(
    plan: MachinePlan, disk_bytes: int, control: socket.socket, data: socket.socket, group: list[int]
) -> NoReturn:
    """Be the first process of a machine, in the workshop already."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # so that nobody in the machine can interrupt it
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    init = Init(plan, disk_bytes, control, data, group)
    messages.send(control, {"ready": True})
    init.serve()
