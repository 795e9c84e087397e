"""A warm process on the host from which machines are forked, so that they share its memory.

It stays outside: when the host process dies, however that came, it ends every machine and removes
their control groups.
"""

import contextlib
import fcntl
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from palestra.sandbox.native import linux, messages
from palestra.sandbox.native.execution import close_all_but
from palestra.sandbox.native.rootfs import bring_up_loopback
from palestra.sandbox.native.terminal.init import become_init
from palestra.sandbox.native.terminal.plan import MachinePlan
from palestra.sandbox.native.terminal.removal import remove_tree
from palestra.sandbox.native.terminal.root import build_workshop, copy_bases
from palestra.sandbox.native.watcher import remove_folders

_NAMESPACES = linux.NEWUSER | linux.NEWNS | linux.NEWPID | linux.NEWNET | linux.NEWIPC | linux.NEWUTS


def main() -> NoReturn:
    """Serve the host: ``argv`` holds the owner's process id and the descriptor of its socket."""
    given = (os.pidfd_open(int(sys.argv[1])), int(sys.argv[2]))
    owner, control = (fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10) for descriptor in given)
    messages.close_all(given)
    nothing = fcntl.fcntl(os.open(os.devnull, os.O_RDWR), fcntl.F_DUPFD_CLOEXEC, 10)
    for number in (0, 3):  # the nursery's own source, and where a program's source will be
        os.dup2(nothing, number, inheritable=False)
    Nursery(socket.socket(fileno=control), owner).serve()


class Nursery:
    """Makes machines and cleans up after them."""

    def __init__(self, control: socket.socket, owner: int) -> None:
        self._control, self._owner = control, owner
        self._machines: dict[int, tuple[int, tuple[str, ...]]] = {}  # by pidfd: the process and its control groups
        self._users: dict[tuple[int, int], int] = {}
        self._scratch: set[str] = set()  # the host's folders of layers, which it removes itself unless it is killed
        self._is_dismissed = False

    def serve(self) -> NoReturn:
        """Serve until the host is gone, and end every machine then."""
        while True:
            poll = select.poll()
            for descriptor in (self._control.fileno(), self._owner, *self._machines):
                poll.register(descriptor, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll()}
            for descriptor in ready & self._machines.keys():
                self._bury(descriptor)
            if self._owner in ready or (self._control.fileno() in ready and not self._answer()):
                for descriptor, (pid, _) in list(self._machines.items()):
                    os.kill(pid, signal.SIGKILL)
                    self._bury(descriptor)
                if not self._is_dismissed:
                    for folder in self._scratch:
                        remove_tree(Path(folder))
                os._exit(0)

    def _answer(self) -> bool:
        """Make one machine; return False when the host is gone."""
        try:
            request, descriptors = messages.receive(self._control)
        except (EOFError, OSError):
            return False
        if request.get("end"):
            self._is_dismissed = True
            return False
        reply: dict[str, Any]
        try:
            pid = self._start(request, descriptors)
            ended = os.pidfd_open(pid)
            self._machines[ended] = (pid, tuple(request["cgroup_dirs"]))
            reply, given = {"pid": pid}, [ended]
        except OSError as error:
            remove_folders(tuple(request["cgroup_dirs"]))
            reply, given = {"error": f"{type(error).__name__}: {error}", "code": error.errno}, []
        finally:
            messages.close_all(descriptors)
        with contextlib.suppress(OSError):
            messages.send(self._control, reply, given)
        return True

    def _bury(self, ended: int) -> None:
        pid, folders = self._machines.pop(ended)
        os.waitpid(pid, 0)
        os.close(ended)
        remove_folders(folders)

    def _start(self, request: dict[str, Any], descriptors: list[int]) -> int:
        """Fork a machine's first process, and map its ids."""
        plan = MachinePlan.from_json(_read(descriptors[0]))
        users = self._namespace_of(plan.ids) if plan.ids else -1
        if plan.scratch:
            self._scratch.add(os.path.dirname(plan.scratch))
        bases = copy_bases(plan, users) if plan.ids else None  # root may read what the machine's root may not
        ready, go = os.pipe()
        caller = (os.geteuid(), os.getegid())
        pid = linux.clone(_NAMESPACES)
        if pid == 0:
            os.close(go)
            _enter(plan, bases, ready, request["disk_bytes"], descriptors[1:])
        os.close(ready)
        messages.close_all(list((bases or {}).values()))
        try:
            _map_ids(pid, plan.ids, caller)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(go)
            raise
        os.write(go, b"g")
        os.close(go)
        return pid

    def _namespace_of(self, ids: tuple[int, int]) -> int:
        """Return a user namespace with these ids, by which mounts are shown as the machine's own."""
        if ids not in self._users:
            wait, end = os.pipe()
            pid = linux.clone(linux.NEWUSER)
            if pid == 0:
                os.close(end)
                os.read(wait, 1)
                os._exit(0)
            try:
                _map_ids(pid, ids, (0, 0))
                self._users[ids] = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
            finally:
                os.close(wait)
                os.close(end)
                os.waitpid(pid, 0)
        return self._users[ids]


def _read(file: int) -> str:
    return os.pread(file, os.fstat(file).st_size, 0).decode()


def _map_ids(pid: int, ids: tuple[int, int] | None, caller: tuple[int, int]) -> None:
    tables = {"uid_map": f"0 {caller[0]} 1", "gid_map": f"0 {caller[1]} 1"}
    tables = {"setgroups": "deny", **tables} if ids is None else dict.fromkeys(tables, f"0 {ids[0]} {ids[1]}")
    for name, text in tables.items():
        with open(f"/proc/{pid}/{name}", "w") as file:
            file.write(text)


def _enter(
    plan: MachinePlan, bases: dict[int, int] | None, ready: int, disk_bytes: int, descriptors: list[int]
) -> NoReturn:
    """In the new process: build the workshop and serve."""
    close_all_but(3, ready, *descriptors, *(bases or {}).values())
    control, data = (socket.socket(fileno=descriptor) for descriptor in descriptors[:2])
    try:
        if os.read(ready, 1) != b"g":
            os._exit(1)
        os.close(ready)
        if plan.ids:
            os.setresgid(0, 0, 0)
            os.setresuid(0, 0, 0)
            os.setgroups([])
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        socket.sethostname("sandbox")
        bring_up_loopback()
        build_workshop(plan, bases if bases is not None else copy_bases(plan, -1))
        become_init(plan, disk_bytes, control, data, descriptors[2:])
    except BaseException as error:
        code = error.errno if isinstance(error, OSError) else None
        with contextlib.suppress(OSError):
            messages.send(control, {"error": f"{type(error).__name__}: {error}", "code": code})
        os._exit(1)
