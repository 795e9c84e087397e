"""How the machine of a task is when its episode begins: files, what a script made of them, and services.

All of it is done before the agent is there, so the machine's own programs can be trusted. When a task begins for the
second time, what came of it is kept as a snapshot for later episodes, whose machines begin with those very files;
processes cannot be kept, so services are started anew.
"""

import atexit
import contextlib
import os
import shlex
import threading
from collections import OrderedDict
from typing import Any, Final

from palestra.envs.base import Task, TaskError
from palestra.envs.terminal.formats.images import PREFIX, provide
from palestra.envs.terminal.tree import Tree
from palestra.sandbox import create
from palestra.sandbox.base import (
    MIB,
    Limits,
    ProcessesRunningError,
    Sandbox,
    SandboxFileError,
    SandboxSnapshot,
    Shell,
    Spec,
)

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_COMMITTED: Final = "2026-01-05T09:00:00+00:00"  # so that commits have the same hashes whenever they are made
_ENVIRONMENT: Final = {
    "PATH": _PATH,
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PAGER": "cat",
    "GIT_AUTHOR_DATE": _COMMITTED,
    "GIT_COMMITTER_DATE": _COMMITTED,
    "GIT_CONFIG_COUNT": "1",  # no commit starts another program to look whether there is something to clean up
    "GIT_CONFIG_KEY_0": "maintenance.auto",
    "GIT_CONFIG_VALUE_0": "false",
}
_LIMITS: Final = Limits(
    wall_s=120,
    cpu_s=600,
    memory_bytes=512 * MIB,
    processes=128,
    file_bytes=128 * MIB,
    disk_bytes=256 * MIB,
    output_bytes=8 * MIB,
)
NEEDS: Final = frozenset({"terminal", "network_off", "process_count", "pid_hidden", "socket_families"})
_FILES, _SCRIPT = "/tmp/.start.tar", "/tmp/.setup.sh"
_UNPACK: Final = f"tar --no-overwrite-dir -xpf {_FILES} -C / && rm {_FILES}"
_SETUP_S, _READY_S = 60, 10
_KEPT: Final = 64  # tasks
_BACKENDS: Final = ("native", "docker")  # that a task may ask for
_IMAGE: Final = "terminal"  # has the programs that generated tasks call, as a machine of the native backend has


class Starts:
    """The tasks that began last, and of those that began again the start as a snapshot. Thread-safe."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[tuple[int, str], SandboxSnapshot | None] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, task: Task) -> SandboxSnapshot | None:
        """Return the start of a task, if it was kept in this process."""
        with self._lock:
            if _key(task) in self._kept:
                self._kept.move_to_end(_key(task))
            return self._kept.get(_key(task))

    def begins_again(self, task: Task) -> bool:
        """Remember that a task begins, and tell whether it did so before."""
        with self._lock:
            is_known = _key(task) in self._kept
            self._put(task, self._kept.get(_key(task)))
            return is_known

    def put(self, task: Task, snapshot: SandboxSnapshot | None) -> None:
        """Keep the start of a task, or forget it."""
        with self._lock:
            self._put(task, snapshot)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()

    def _put(self, task: Task, snapshot: SandboxSnapshot | None) -> None:
        self._kept[_key(task)] = snapshot
        self._kept.move_to_end(_key(task))
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)


def _key(task: Task) -> tuple[int, str]:
    return os.getpid(), task.digest  # a machine of the process that this one was forked from is not ours


_starts = Starts(_KEPT)
atexit.register(_starts.clear)


def backend_of(task: Task, asked: str | None) -> str:
    """Return the backend of a task's machine: the one that was asked for, else the task's own, else "native"."""
    told = str(task.public.get("sandbox", ""))
    return asked or (told if told in _BACKENDS else _BACKENDS[0])


def image_for(task: Task, backend: str) -> str:
    """Return the image of a task's machines; "" means the programs of this machine."""
    return str(task.public.get("image", "")) or (_IMAGE if backend == "docker" else "")


def new_sandbox(task: Task, backend: str, *, unsafe: bool) -> Sandbox:
    """Return an empty machine of the kind that a task asks for.

    Raises:
        CapabilityError, InfraError: there is none.
        TaskError: the task brings a Dockerfile of which no image can be made.
    """
    image = image_for(task, backend)
    if image.startswith(PREFIX):
        if backend != "docker":
            raise TaskError(f"{task.id!r} is played in an image of Docker's, and so on docker, not on {backend!r}")
        provide(task, image)
    spec = Spec(terminal=True, limits=_LIMITS, env=_ENVIRONMENT, image=image, needs=NEEDS)
    return create(spec, backend=backend, unsafe=unsafe)


def started(task: Task, backend: str, *, unsafe: bool) -> Sandbox:
    """Return a machine in which a task's episode can begin.

    Raises:
        TaskError: the task's start is none.
        CapabilityError, InfraError: there is no machine.
    """
    sandbox = laid_out(task, backend, unsafe=unsafe)
    try:
        start_services(task, sandbox)
    except BaseException:
        sandbox.close()
        raise
    return sandbox


def laid_out(task: Task, backend: str, *, unsafe: bool) -> Sandbox:
    """Return a machine with a task's files, before its services are started; raises as `started`."""
    kept = _starts.get(task)
    sandbox = new_sandbox(task, backend, unsafe=unsafe)
    try:
        if kept is not None:
            try:
                sandbox.restore(kept)
            except SandboxFileError:  # it is no more what it was
                _starts.put(task, None)
                sandbox.close()
                return laid_out(task, backend, unsafe=unsafe)
        else:
            _lay_out(task, sandbox, backend)
    except BaseException:
        sandbox.close()
        raise
    return sandbox


def _lay_out(task: Task, sandbox: Sandbox, backend: str) -> None:
    try:
        tree, setup = Tree.from_json(task.hidden["start"]), str(task.hidden.get("setup", ""))
        lay_out(sandbox, tree, setup)
        if enter := str(task.hidden.get("enter", "")):
            _must(sandbox.shell(), enter, "its shell does not begin")
    except (KeyError, TypeError, AttributeError, ValueError, SandboxFileError) as error:
        raise TaskError(f"{task.id!r} has no start: {error}") from error
    if backend == "native" and _starts.begins_again(task):  # elsewhere, to restore is to start another machine
        with contextlib.suppress(ProcessesRunningError):  # which its setup has started
            _starts.put(task, sandbox.snapshot())


def lay_out(sandbox: Sandbox, start: Tree, setup: str) -> None:
    """Put files into an empty machine, and run a script there as root.

    Raises:
        ValueError: the files cannot be put there, or the script fails.
        SandboxFileError: there is no room for them.
    """
    shell = sandbox.shell()
    if start:
        sandbox.write(_FILES, start.to_tar())
        _must(shell, _UNPACK, "the files cannot be laid out")
    if setup:
        sandbox.write(_SCRIPT, setup.encode())
        _must(shell, f"bash {_SCRIPT} </dev/null && rm {_SCRIPT}", "its setup fails")


def start_services(task: Task, sandbox: Sandbox) -> None:
    """Start what runs in a task's machine beside the agent, all in their order, and wait until each is ready.

    A service is a line of bash, or an object with that as ``run`` and a line ``ready`` that succeeds when it is.

    Raises:
        TaskError: one does not become ready.
    """
    services: list[Any] = list(task.hidden.get("services", ()))
    if not services:
        return
    told = [{"run": service} if isinstance(service, str) else service for service in services]
    starts = [f"setsid bash -c {shlex.quote(str(one['run']))} </dev/null >/dev/null 2>&1 &" for one in told]
    waits = [
        f"looks=0; until (eval {shlex.quote(str(one.get('ready', 'true')))}) >/dev/null 2>&1; do "
        f"((looks++ < {_READY_S * 100})) || {{ echo {shlex.quote(str(one['run'])[:80])}; exit 1; }}; sleep 0.01; done"
        for one in told
    ]
    lines = ["(cd /", *starts, ")", f"bash -c {shlex.quote(chr(10).join(waits))} </dev/null"]
    try:
        _must(sandbox.shell(), "\n".join(lines), "a service does not get ready")
    except ValueError as error:
        raise TaskError(f"{task.id!r}: {error}") from error


def _must(shell: Shell, line: str, trouble: str) -> None:
    done = shell.run(line, timeout_s=_SETUP_S)
    if done.exit_code != 0:
        shown = done.output[-500:].decode("utf-8", "replace").strip()
        raise ValueError(f"{trouble} (exit code {done.exit_code}): {shown}")
