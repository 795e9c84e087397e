"""The process between the host and a slot: makes the namespaces, then becomes the watcher, which cleans up.

It stays outside, as the slot's parent: when the host process dies, however that came, the slot is
killed and its control groups are removed.
"""

import contextlib
import errno
import json
import os
import select
import signal
import socket
import sys
from typing import NoReturn

from palestra.sandbox.native import linux, messages
from palestra.sandbox.native.plan import AGENT_ID, PACKAGE_DIR, ROOT_ID, Plan, bootstrap
from palestra.sandbox.native.rootfs import build_root, clone_trees

_NAMESPACES = linux.NEWUSER | linux.NEWNS | linux.NEWPID | linux.NEWNET | linux.NEWIPC | linux.NEWUTS
HINTS: dict[int | None, str] = {
    errno.EPERM: "; this user may be forbidden user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns), "
    "or this container by its seccomp profile, or a container covers parts of /proc (systempaths=unconfined)",
    errno.EACCES: "; AppArmor may restrict user namespaces, or this user cannot read the interpreter",
    errno.ENOSYS: "; this kernel is too old (Linux 5.12 is needed) or a seccomp profile hides the call",
    errno.EINVAL: "; this kernel lacks a kind of namespace or mount",
    errno.ENOSPC: "; the number of namespaces is used up or set to 0 (see the sysctls user.max_*_namespaces)",
}


def main() -> NoReturn:
    """Run a slot to its end: ``argv`` holds the plan and the descriptor of the control socket."""
    plan, control = Plan.from_json(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
    try:
        host = os.pidfd_open(plan.owner_pid)
        slot = _start(plan, control)
    except OSError as error:
        _report(control, error)
        os._exit(1)
    control.close()  # only the slot has that end now
    os.set_inheritable(host, True)
    watcher = f"{plan.package}/sandbox/native/watcher.py"
    words = [plan.python, "-I", "-S", watcher, str(host), str(slot), *plan.cgroup_dirs]
    os.execve(plan.python, words, {})


def _start(plan: Plan, control: socket.socket) -> int:
    """Return the slot's first process, its ids mapped and its control groups joined."""
    trees = clone_trees(plan) if plan.host_ids else None  # root may read what the slot's own root may not
    ready, go = os.pipe()
    caller = (os.geteuid(), os.getegid())
    launcher = os.pidfd_open(os.getpid())
    slot = linux.clone(_NAMESPACES)
    if slot == 0:
        os.close(go)
        _enter(plan, trees, ready, launcher, control)
    os.close(launcher)
    os.close(ready)
    try:
        for file in plan.cgroup_procs:
            _write(file, str(slot))
        _map_ids(plan, slot, caller)
    except OSError:
        os.kill(slot, signal.SIGKILL)
        os.waitpid(slot, 0)
        raise
    os.write(go, b"g")
    os.close(go)
    for tree in (trees or {}).values():
        os.close(tree)
    return slot


def _map_ids(plan: Plan, slot: int, caller: tuple[int, int]) -> None:
    if plan.host_ids:
        table = "".join(f"{inner} {outer} 1\n" for inner, outer in zip((ROOT_ID, AGENT_ID), plan.host_ids, strict=True))
        if plan.id_range:
            table = f"0 {plan.id_range[0]} {plan.id_range[1]}\n"
        _write(f"/proc/{slot}/uid_map", table)
        _write(f"/proc/{slot}/gid_map", table)
        return
    _write(f"/proc/{slot}/setgroups", "deny")
    _write(f"/proc/{slot}/uid_map", f"{AGENT_ID} {caller[0]} 1")
    _write(f"/proc/{slot}/gid_map", f"{AGENT_ID} {caller[1]} 1")


def _enter(plan: Plan, trees: dict[str, int] | None, ready: int, launcher: int, control: socket.socket) -> NoReturn:
    """In the slot: build the root and become the server."""
    try:
        if os.read(ready, 1) != b"g":
            os._exit(1)
        linux.unshare(linux.NEWCGROUP)
        if plan.host_ids:
            os.setresgid(ROOT_ID, ROOT_ID, ROOT_ID)
            os.setresuid(ROOT_ID, ROOT_ID, ROOT_ID)
            os.setgroups([])
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # which a change of user would undo
        if select.select([launcher], [], [], 0)[0]:
            os._exit(1)  # it was killed already
        socket.sethostname("sandbox")
        build_root(plan, trees if trees is not None else clone_trees(plan))
        if not plan.host_ids:
            linux.keep_capabilities_over_exec(linux.last_capability())
        config = {"control": control.fileno(), "imports": plan.import_dirs, "preload": plan.preload}
        config["changes_user"] = plan.host_ids is not None
        os.set_inheritable(control.fileno(), True)
        command = [plan.python, "-s", "-S", "-P", "-c", bootstrap(plan.server)]
        os.execve(plan.python, [*command, PACKAGE_DIR, json.dumps(config)], plan.environment())
    except BaseException as error:
        _report(control, error)
        os._exit(1)


def _report(control: socket.socket, error: BaseException) -> None:
    """Tell the host why there will be no slot."""
    code = error.errno if isinstance(error, OSError) else None
    answer = {"error": f"{type(error).__name__}: {error}{HINTS.get(code, '')}", "permanent": code in HINTS}
    with contextlib.suppress(OSError):
        messages.send(control, answer)


def _write(file: str, text: str) -> None:
    with open(file, "w") as handle:
        handle.write(text)
