"""What a backend was seen to enforce: the battery and a few bombs, tried through the protocol alone.

A capability is claimed only when every attempt against it was seen to fail, and a program that must
work was seen to work. A backend's `probe` hands over how it makes a sandbox, without asking `probe` again:

    self._capabilities = examine(self._make)
"""

import contextlib
from collections.abc import Callable, Iterator

from palestra.sandbox.base import (
    MIB,
    Capabilities,
    CapabilityError,
    InfraError,
    Limits,
    ProcessesRunningError,
    Python,
    Sandbox,
    SandboxFileError,
    Spec,
)
from palestra.sandbox.battery.attempt import ITEMS, Bait
from palestra.sandbox.battery.host import LIMITS, items_of, set_out_bait, try_items

Make = Callable[[Spec], Sandbox]

_TREE_LIMITS = Limits(wall_s=20.0, cpu_s=10.0, memory_bytes=64 * MIB, processes=8, disk_bytes=4 * MIB)
_SPEC = Spec(limits=LIMITS)
_OLD = b"\x00old"

_TWO_BIG_CHILDREN = """
import os, signal, sys, time
signal.signal(signal.SIGCHLD, lambda *_: sys.exit(1))  # one of them was killed
told, tell = os.pipe()
for _ in range(2):
    if os.fork() == 0:
        block = bytearray(b"x") * (40 << 20)
        os.write(tell, b"1")
        time.sleep(30)
both = os.read(told, 1) + os.read(told, 1)  # both held at once
"""
_AS_MANY_AS_IT_CAN = """
import os, time
started = 0
try:
    while started < 64:
        if os.fork() == 0:
            time.sleep(30)
        started += 1
except BlockingIOError:
    print(started)
"""
_COUNT = "palestra_n=100; while :; do echo $((palestra_n += 1)) >/var/palestra-count; sleep 0.02; done"
_COUNTS_ON = (
    "look() { while ! read -r seen </var/palestra-count; do :; done; }; look; was=$seen; tries=0; "
    'while look; test "$seen" -le "$was" && test $((tries += 1)) -lt 400; do sleep 0.02; done; '
    'kill %1; test "$was" -gt 100 && test "$seen" -gt "$was" && echo $palestra_kept'
)


def examine(make: Make, *, terminal: bool = False, image: str = "") -> Capabilities:
    """Return what the sandboxes of a backend were seen to enforce and to offer.

    Args:
        make: returns a sandbox for a spec, without checking what the spec needs.
        terminal: whether the backend means to offer `Spec.terminal`. Every item is tried in both kinds then,
            and a capability that one kind lacks is not claimed.
        image: a built image to try; "" claims none.

    Raises:
        InfraError: no sandbox could be started, or it cannot even run a program.
    """
    with set_out_bait() as bait:
        with _made(make, _SPEC) as sandbox:
            held = _held(sandbox, bait, terminal=False)
            many = sandbox.exec(Python(_AS_MANY_AS_IT_CAN), limits=_TREE_LIMITS)
            held["memory_tree"] = any(_is_ended_for_memory(sandbox) for _ in range(2))  # one end may be told too late
            held["process_count"] = many.ok and _count(many.stdout) in range(1, _TREE_LIMITS.processes + 1)
            held["snapshot"] = _brings_files_back(sandbox)
            held["fork"] = held["snapshot"] and _forks(sandbox)
        offered = _offered_as_terminal(make, bait) if terminal else {}
    for name in held.keys() & offered.keys():
        held[name] = held[name] and offered[name]
    return Capabilities(**{**offered, **held, "image": bool(image) and _boots(make, image)})


def _is_ended_for_memory(sandbox: Sandbox) -> bool:
    """Return whether two processes were seen to be ended for what they hold together."""
    return sandbox.exec(Python(_TWO_BIG_CHILDREN), limits=_TREE_LIMITS).oom


def _count(output: bytes) -> int:
    return int(output) if output.strip().isdigit() else 0


def _held(sandbox: Sandbox, bait: Bait, *, terminal: bool) -> dict[str, bool]:
    """Return, for each capability that items are about, whether nothing came through."""
    found = try_items(sandbox, bait, items_of(terminal), terminal=terminal)
    held = {ITEMS[name].capability: True for name in found}
    for name, lines in found.items():
        if lines:
            held[ITEMS[name].capability] = False
    return held


def _brings_files_back(sandbox: Sandbox) -> bool:
    """Return whether a workspace comes back as it was saved."""
    try:
        sandbox.write("kept/file", _OLD)
        saved = sandbox.snapshot()
        sandbox.write("kept/file", b"new")
        sandbox.write("late", b"new")
        sandbox.restore(saved)
        gone = sandbox.exec(["test", "!", "-e", "late"]).ok
        return gone and sandbox.read("kept/file") == _OLD and sandbox.snapshot().digest == saved.digest
    except (SandboxFileError, CapabilityError):
        return False


def _forks(sandbox: Sandbox) -> bool:
    """Return whether a fork begins with the same files and goes its own way."""
    try:
        with contextlib.closing(sandbox.fork()) as twin:
            begins_here = twin.read("kept/file") == _OLD
            twin.write("kept/file", b"twin's")
            return begins_here and sandbox.read("kept/file") == _OLD
    except (SandboxFileError, CapabilityError):
        return False


def _offered_as_terminal(make: Make, bait: Bait) -> dict[str, bool]:
    """Return what held in a terminal sandbox, and whether it is one."""
    try:
        with _made(make, Spec(limits=LIMITS, terminal=True)) as sandbox:
            shell = sandbox.shell()
            shell.run("cd /var; palestra_was=here")
            answer = shell.run('echo "$palestra_was $PWD $(id -u)"')
            shell.close()
            works = answer.exit_code == 0 and answer.output.split()[:2] == [b"here", b"/var"]
            sandbox.write("/etc/palestra-canary", b"kept")
            writes = sandbox.exec(["cat", "/etc/palestra-canary"]).stdout == b"kept"
            is_root = answer.output.split()[2:] == [b"0"] and sandbox.exec(["chown", "1:1", "/etc/palestra-canary"]).ok
            if not (works and writes):
                return {}
            found = try_items(sandbox, bait, items_of(terminal=True), terminal=True)
            goes_on = _brings_processes_back(sandbox)
    except (SandboxFileError, InfraError):
        return {}
    held = {ITEMS[name].capability: True for name in found}
    held |= {ITEMS[name].capability: False for name, lines in found.items() if lines}
    inner_root = is_root and not found["no_user_of_the_host"] and not found["no_capability"]
    return {**held, "terminal": True, "inner_root": inner_root, "process_snapshot": goes_on}


def _brings_processes_back(sandbox: Sandbox) -> bool:
    """Return whether what the shell has started goes on from where it stood, with the shell."""
    shell = sandbox.shell()
    shell.run("palestra_kept=here; rm -f /var/palestra-count")
    shell.run(f"({_COUNT}) &")
    shell.run("while ! test -s /var/palestra-count; do sleep 0.02; done")
    try:
        saved = sandbox.snapshot()
    except ProcessesRunningError:
        return False
    shell.run("kill %1; echo 0 >/var/palestra-count; palestra_kept=")
    sandbox.restore(saved)
    answer = sandbox.shell().run(_COUNTS_ON)
    return answer.exit_code == 0 and b"here" in answer.output.split()


def _boots(make: Make, image: str) -> bool:
    """Return whether a sandbox runs on an image's files and not on the host's."""
    try:
        with _made(make, Spec(limits=LIMITS, image=image)) as sandbox:
            return sandbox.exec(["true"]).ok
    except InfraError:
        return False


@contextlib.contextmanager
def _made(make: Make, spec: Spec) -> Iterator[Sandbox]:
    with contextlib.closing(make(spec)) as sandbox:
        yield sandbox
