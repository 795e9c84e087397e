"""What single steps cost: sandboxes, files, terminals; and the memory that idle ones hold."""

import contextlib
import glob
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from palestra.sandbox import create, probe
from palestra.sandbox.base import MIB, InfraError, Limits, Sandbox, Shell, Spec
from palestra.sandbox.native.backend import NativeBackend

Times = dict[str, list[float]]  # milliseconds
TERMINAL = Spec(terminal=True, limits=Limits(disk_bytes=256 * MIB))


def timed(action: Callable[[], object]) -> float:
    """Return the milliseconds that an action took."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def steps(rounds: int) -> Times:
    """Time creation, files and snapshots without a terminal."""
    times: Times = {}
    proven = probe()
    for _ in range(max(5, rounds // 10)):
        backend = NativeBackend(proven)
        times.setdefault("create, cold: start a slot", []).append(timed(lambda b=backend: b.create(Spec())))  # type: ignore[misc]
        backend.close()
    with closing(create()) as sandbox:
        sandbox.write("main.py", b"print(1)\n")
        sandbox.write("data", b"x" * 1000)
        saved = sandbox.snapshot()
        actions: dict[str, Callable[[], object]] = {
            "create and close, warm": lambda: create().close(),
            "argv true": lambda: sandbox.exec(["true"]),
            "write 1 kB": lambda: sandbox.write("data", b"x" * 1000),
            "read 1 kB": lambda: sandbox.read("data"),
            "snapshot, 2 files": sandbox.snapshot,
            "restore, 2 files": lambda: sandbox.restore(saved),
            "fork and close, 2 files": lambda: sandbox.fork().close(),
        }
        for _ in range(rounds):
            for name, action in actions.items():
                times.setdefault(name, []).append(timed(action))
    return times


def terminals(rounds: int) -> Times:
    """Time a terminal sandbox's steps."""
    times: Times = {}
    _open_terminal()[0].close()
    for _ in range(rounds):
        start = time.perf_counter()
        sandbox, shell = _open_terminal()
        times.setdefault("terminal: start to first prompt", []).append((time.perf_counter() - start) * 1000)
        with closing(sandbox):
            _use_shell(sandbox, shell, times)
    with closing(create(TERMINAL)) as sandbox:
        _keep_files(sandbox, "files", rounds * 3, times)
    with tempfile.TemporaryDirectory(prefix="palestra-benchmark-") as folder:
        backend = NativeBackend(probe(), scratch=Path(folder))
        with closing(backend), closing(backend.create(TERMINAL)) as sandbox:
            _keep_files(sandbox, "files, on disk", rounds * 3, times)
    return times


def _keep_files(sandbox: Sandbox, what: str, rounds: int, times: Times) -> None:
    sandbox.write("/workspace/file", b"x" * 100_000)
    saved = sandbox.snapshot()
    for number in range(rounds):
        sandbox.write("/workspace/file", b"%d" % number)
        times.setdefault(f"terminal: snapshot of {what}", []).append(timed(sandbox.snapshot))
        times.setdefault(f"terminal: restore of {what}", []).append(timed(lambda: sandbox.restore(saved)))


def _use_shell(sandbox: Sandbox, shell: Shell, times: Times) -> None:
    shell.run("cd /tmp; x=1; f() { echo $x; }")
    for _ in range(5):
        times.setdefault("terminal: built-in round trip", []).append(timed(lambda: shell.run(":")))
    start = time.perf_counter()
    with closing(sandbox.fork()) as twin:
        told = _to_prompt(twin).run("pwd; f").output.split()
        milliseconds = (time.perf_counter() - start) * 1000
    times.setdefault("terminal: fork with a live shell, to its prompt", []).append(milliseconds)
    if told != [b"/tmp", b"1"]:
        raise SystemExit(f"the fork's shell is not where its parent's was: {told}")


def _open_terminal() -> tuple[Sandbox, Shell]:
    sandbox = create(TERMINAL)
    return sandbox, _to_prompt(sandbox)


def _to_prompt(sandbox: Sandbox) -> Shell:
    shell = sandbox.shell()
    if not shell.is_idle and shell.wait(timeout_s=30).timed_out:
        raise InfraError("no prompt within 30 s")
    return shell


def idle_slot_bytes() -> float:
    """Return the memory that the processes of one idle slot share with no other."""
    before = set(descendants(os.getpid()))
    backend = NativeBackend(probe())
    before_create = before | set(descendants(os.getpid()))
    with closing(backend.create(Spec())) as sandbox:
        sandbox.exec(["true"])
        own = [pid for pid in descendants(os.getpid()) if pid not in before_create]
        size = sum(_table(f"/proc/{pid}/smaps_rollup", "Private_") for pid in own)
    backend.close()
    return float(size)


def idle_terminals_bytes(count: int) -> float:
    """Return the memory that so many terminals hold at their prompts."""

    def begin(stack: contextlib.ExitStack) -> None:
        for _ in range(count):
            _to_prompt(stack.enter_context(closing(create(TERMINAL))))

    return held_bytes(begin)


def held_bytes(begin: Callable[[contextlib.ExitStack], object]) -> float:
    """Return the memory of what is begun and goes on: control groups, and processes outside them."""
    before = set(descendants(os.getpid()))
    before_groups = set(control_groups())
    with contextlib.ExitStack() as stack:
        begin(stack)
        groups = [group for group in control_groups() if group not in before_groups]
        inside = {int(line) for group in groups for line in (group / "cgroup.procs").read_text().split()}
        outside = [pid for pid in descendants(os.getpid()) if pid not in before | inside]
        held = sum(_usage(group) for group in groups)
        return float(held + sum(_table(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in outside))


def descendants(pid: int) -> Iterator[int]:
    """Yield every process below one."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from descendants(child)


def control_groups() -> list[Path]:
    """Return this process's control groups that count memory."""
    found = map(Path, glob.glob(f"/sys/fs/cgroup/**/palestra-{os.getpid()}-*", recursive=True))
    return sorted({group.resolve() for group in found if (group / "memory.stat").exists()})


def _usage(group: Path) -> int:
    file = group / "memory.usage_in_bytes"
    return int((file if file.exists() else group / "memory.current").read_text())


def _table(file: str, prefix: str) -> int:
    """Return the bytes in the lines that begin so."""
    with contextlib.suppress(OSError):
        return 1024 * sum(
            int(line.split()[1]) for line in Path(file).read_text().splitlines() if line.startswith(prefix)
        )
    return 0
