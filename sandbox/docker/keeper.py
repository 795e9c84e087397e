"""The first process of a container: runs programs and serves files for the host. Runs inside.

It reads questions from its input and writes answers to its output, which dockerd passes on. When its
input ends, because the host's process or dockerd is gone, it ends, and so does the container.

Programs of a sandbox without terminal have the keeper's own user id, and no capability. They cannot
reach into it: it is not dumpable, so its memory and its descriptors belong to somebody else, and
the kernel spares the first process the signals that it does not handle. That is why it may end all
of them, whatever they have become, by one signal to everybody but itself.
"""

import ctypes
import errno
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from resource import struct_rusage
from typing import Any, NoReturn

from palestra.sandbox import archive, wire
from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.capture import Capture, take_until
from palestra.sandbox.docker import changes
from palestra.sandbox.docker.machine import Machine, Process
from palestra.sandbox.limits import lower_limit
from palestra.sandbox.native import linux
from palestra.sandbox.native.execution import close_all_but, execute
from palestra.sandbox.native.interpreter import Interpreter
from palestra.sandbox.native.terminal import files
from palestra.sandbox.sealed import sealed_file
from palestra.sandbox.workspace import Workspace, told_as

WORKSPACE = "/workspace"
_SHARED = ("/tmp", "/dev/shm", "/dev/mqueue")  # emptied after every program
_MOUNTED = ("tmp", "workspace")  # of a machine: apart from its root, so that they have a size
_KERNELS = ("proc", "sys")
_INTERPROCESS = {"shm": "shmctl", "msg": "msgctl", "sem": "semctl"}
_REMOVE = 0  # IPC_RMID
_CHILD_SUBREAPER = 36  # prctl(2)
_COUNTERS = ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events")
_MEMORY_STATE = ("/sys/fs/cgroup/memory/memory.stat", "/sys/fs/cgroup/memory.stat")


def main() -> None:
    """Serve until the input ends: ``argv`` holds "terminal" or "programs"."""
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what has no handler does nothing to the first process
    os.umask(0o022)
    questions, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    keeper = Keeper(questions, answers, is_terminal=sys.argv[1] == "terminal")
    wire.send_data(keeper.write, ())
    wire.send_answer(keeper.write, keeper.state())
    gc.collect()
    gc.freeze()  # so that a collection in a program does not copy the memory it shares with this process
    keeper.serve()


class Keeper:
    """Answers one question after another."""

    def __init__(self, questions: int, answers: int, *, is_terminal: bool) -> None:
        self._questions, self._answers = questions, answers
        self._is_terminal = is_terminal
        self._interpreter = Interpreter()
        self._workspace = Workspace(WORKSPACE)
        self._machine = Machine()
        self._is_running = False
        if is_terminal:
            signal.signal(signal.SIGCHLD, self._reap)  # what the shell's programs leave is ours

    def serve(self) -> NoReturn:
        """Answer until the host is gone."""
        actions = {
            "run": self._run,
            "read": self._read,
            "collect": self._collect,
            "write": self._write,
            "save": self._save,
            "load": self._load,
            "empty": self._empty,
            "pack": self._pack,
            "unpack": self._unpack,
            "others": self._others,
            "end_others": self._end_others,
            "shell": self._prepare_shell,
            "calm": self._calm,
        }
        while True:
            try:
                question = wire.receive_message(self._receive)
            except EOFError:
                os._exit(0)
            given = wire.receive_data(self._receive)
            try:
                answer = actions[question["do"]](question, given)
            except SandboxFileError as error:
                answer = {"refused": [error.errno, error.strerror]}
            for _ in given:  # what nobody needed
                pass
            wire.send_data(self.write, ())
            wire.send_answer(self.write, {**answer, **self.state()})

    def state(self) -> dict[str, Any]:
        """Return the bytes that the keeper and the files in memory hold, without what the kernel can take back."""
        table = _table(_first_text(_MEMORY_STATE))
        return {"held_bytes": table.get("rss", table.get("anon", 0)) + table.get("shmem", 0)}

    def write(self, data: bytes) -> None:
        """Pass bytes to the host."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._answers, view) :]

    def _emit(self, data: bytes) -> None:
        """Pass data to the host, as a part of the answer."""
        for start in range(0, len(data), wire.LARGEST_PIECE):
            self.write(wire.piece(data[start : start + wire.LARGEST_PIECE]))

    def _receive(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = os.read(self._questions, count - len(parts))
            if not part:
                raise EOFError("the host is gone")
            parts += part
        return bytes(parts)

    def _run(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        """Run one program to its end, and end whatever it left."""
        with sealed_file(b"".join(given)) as stdin:
            limits = (question["output_bytes"], question["file_bytes"])
            with Capture(*limits) as stdout, Capture(*limits) as stderr:
                answer = self._watch(question, stdin, stdout, stderr)
                answer |= {"stdout": len(stdout.data), "truncated": [stdout.truncated, stderr.truncated]}
                for part in (stdout.data, stderr.data):
                    self._emit(part)
        return answer

    def _watch(self, question: dict[str, Any], stdin: int, stdout: Capture, stderr: Capture) -> dict[str, Any]:
        before = self._machine.processes() if self._is_terminal else {}
        kills, start = _out_of_memory_kills(), time.monotonic()
        told, tell = os.pipe()
        self._is_running = True
        child = os.fork()
        if child == 0:
            streams = (stdin, stdout.write_end, stderr.write_end)
            if self._is_terminal:
                self._be_warden(question, streams, tell)
            self._become(question, streams)
        os.close(tell)
        for capture in (stdout, stderr):
            capture.close_write_end()
        ended = told if self._is_terminal else os.pidfd_open(child)
        in_time = take_until(ended, (stdout, stderr), question["wall_s"])
        duration_s = time.monotonic() - start
        report = self._end_machines(child, told, before) if self._is_terminal else self._end_all(child)
        for descriptor in {ended, told}:
            os.close(descriptor)
        self._is_running = False
        self._clean_up()
        for capture in (stdout, stderr):
            capture.drain()
        return {
            "code": report["code"] if in_time else -signal.SIGKILL,
            "timed_out": not in_time,
            "oom": report["code"] != 0 and _out_of_memory_kills() > kills,
            "duration_s": duration_s,
            "cpu_s": report["cpu_s"],
            "max_rss_bytes": report["max_rss_bytes"],
        }

    def _end_all(self, program: int) -> dict[str, Any]:
        """End a program and everything else; return how it ended."""
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        return _report(*os.wait4(program, 0)[1:])

    def _end_machines(self, warden: int, told: int, before: dict[int, Process]) -> dict[str, Any]:
        """End everything below a warden, which ends then; return how its program ended."""
        self._machine.end_below(warden)
        text = b""
        while part := os.read(told, 4096):
            text += part
        os.waitpid(warden, 0)
        if text:
            return dict(json.loads(text))
        self._machine.end_since(before)  # a program has killed its warden
        return {"code": -signal.SIGKILL, "cpu_s": 0.0, "max_rss_bytes": 0}

    def _be_warden(self, question: dict[str, Any], streams: tuple[int, int, int], tell: int) -> NoReturn:
        """Be the one whom all that a program leaves have as parent, so that the shell's are told apart."""
        try:
            linux.prctl(_CHILD_SUBREAPER, 1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            program = os.fork()
            if program == 0:
                self._become(question, streams)
            close_all_but(tell)
            while True:
                pid, status, usage = os.wait4(-1, 0)
                if pid == program:
                    os.write(tell, json.dumps(_report(status, usage)).encode())
        except ChildProcessError:  # all have ended
            os._exit(0)
        finally:
            os._exit(1)

    def _become(self, question: dict[str, Any], streams: tuple[int, int, int]) -> NoReturn:
        try:
            linux.prctl(linux.PR_SET_DUMPABLE, 1)  # so that its own files in /proc are its own
            with open("/proc/self/oom_score_adj", "w") as score:
                score.write("1000")  # the keeper outlives a shortage of memory
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for target, source in enumerate(streams):
                os.dup2(source, target)
            close_all_but()
            os.setsid()
            os.chdir(WORKSPACE)
            for name, value in question["rlimits"].items():
                lower_limit(0, name, (value[0], value[1]))
            if "source" in question:
                self._interpreter.run(question["source"], question["argv"], question["env"], WORKSPACE)
            execute(question["argv"], question["env"])
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)  # never back into the keeper's code

    def _clean_up(self) -> None:
        """Take in the orphans; leave nothing of a program but its workspace, unless it is a machine to work in."""
        if self._is_terminal:
            self._reap()
            return
        with suppress(ChildProcessError):
            while True:
                os.wait()
        for folder in _SHARED:
            _empty_folder(folder)
        _remove_interprocess()
        os.chmod(WORKSPACE, 0o755)  # whatever the program made of it

    def _reap(self, *_: object) -> None:
        with suppress(ChildProcessError):
            while not self._is_running and os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def _read(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        path = self._place(question["path"])
        read = files.read if self._is_terminal else self._workspace.read
        for piece in read(path, question["limit_bytes"]):
            self._emit(piece)
        return {}

    def _collect(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        path, limit_bytes = question["path"], question["limit_bytes"]
        if self._is_terminal:
            files.collect(path, self._emit, limit_bytes)
        else:
            archive.collect_inside(self._workspace, path, self._emit, limit_bytes)
        return {}

    def _write(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        path = self._place(question["path"])
        write = files.write if self._is_terminal else self._workspace.write
        write(path, given, question.get("mode"))
        return {}

    def _place(self, path: str) -> str:
        """Return a path that is no door to the keeper's own affairs."""
        if self._is_terminal and files.place_of(path).partition("/")[0] in _KERNELS:
            raise SandboxFileError(errno.EACCES, f"{path!r} is of the kernel and no file")
        return path

    def _pack(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        with told_as("the machine"):
            paths = [*json.loads(b"".join(given)), *changes.below("/", _MOUNTED)]
            changes.pack("/", paths, self._emit, question["limit_bytes"])
        return {}

    def _unpack(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        changes.unpack("/", given)
        return {}

    def _save(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        return {"digest": archive.save(self._workspace, self._emit, question["limit_bytes"])}

    def _load(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        _empty_folder(WORKSPACE)
        return {"digest": archive.load(self._workspace, given)}

    def _empty(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        _empty_folder(WORKSPACE)
        return {}

    def _others(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        return {"others": self._machine.others(question["shell"])}

    def _end_others(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        self._machine.end_others(question["shell"])
        self._reap()
        return {}

    def _prepare_shell(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        self._machine.prepare_shell(b"".join(given))
        return {}

    def _calm(self, question: dict[str, Any], given: Iterator[bytes]) -> dict[str, Any]:
        self._machine.calm()
        return {}


def _report(status: int, usage: struct_rusage) -> dict[str, Any]:
    seconds = usage.ru_utime + usage.ru_stime
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "cpu_s": seconds, "max_rss_bytes": usage.ru_maxrss * 1024}


def _empty_folder(folder: str) -> None:
    """Remove what is in a folder, whatever its owner did to permissions and depth."""
    with suppress(OSError):  # no such folder here
        for entry in list(os.scandir(folder)):
            try:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    os.unlink(entry.path)
            except (OSError, RecursionError):
                subprocess.run(["chmod", "-R", "u+rwX", entry.path], check=False, stderr=subprocess.DEVNULL)
                subprocess.run(["rm", "-rf", "--", entry.path], check=False, stderr=subprocess.DEVNULL)


def _remove_interprocess() -> None:
    """Remove shared memory, queues and semaphores of System V, which outlive processes."""
    libc = ctypes.CDLL(None)
    for kind, control in _INTERPROCESS.items():
        with suppress(OSError), open(f"/proc/sysvipc/{kind}") as table:
            for line in list(table)[1:]:
                arguments = (int(line.split()[1]), 0, _REMOVE) if kind == "sem" else (int(line.split()[1]), _REMOVE)
                getattr(libc, control)(*arguments, None)


def _first_text(files: Iterable[str]) -> str:
    for file in files:
        with suppress(OSError), open(file) as opened:
            return opened.read()
    return ""


def _table(text: str) -> dict[str, int]:
    return {words[0]: int(words[1]) for line in text.splitlines() if len(words := line.split()) == 2}


def _out_of_memory_kills() -> int:
    return _table(_first_text(_COUNTERS)).get("oom_kill", 0)
