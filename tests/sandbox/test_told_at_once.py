"""It is told within a second that a part of a sandbox was killed from outside.

A busy machine tells nobody at once of anything: so a plain child is killed at the same moment, and the time until that
is seen to be gone is taken off. The median of five rounds counts.
"""

import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from palestra.sandbox import probe
from palestra.sandbox.base import InfraError, Limits, Spec
from palestra.sandbox.native.backend import NativeBackend

LIMITS = Limits(wall_s=100.0)
BOUND_S, ROUNDS = 1.0, 5
SLEEP = ["sleep", "87.5"]


@pytest.fixture
def backend() -> Iterator[NativeBackend]:
    """A backend whose processes are nobody else's."""
    made = NativeBackend(proven=probe())
    yield made
    made.close()


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]


def inner_ids(pid: int) -> list[str]:
    """Return a process's numbers, in the outermost process namespace first."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.startswith("NSpid:"))


def line_to(pid: int) -> list[int]:
    """Return the processes from one down to the program that sleeps, which it waits for."""
    if command(pid) == SLEEP:
        return [pid]
    return next(([pid, *below] for child in children(pid) if (below := line_to(child))), [])


def once_asleep() -> list[int]:
    """Wait until the program sleeps; return the processes from this one's child down to it."""
    while True:
        try:
            if (line := line_to(os.getpid())) and len(line) > 1:
                return line[1:]
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.01)


def init_of_program(line: list[int]) -> int:
    return next(pid for pid in children(line[1]) if inner_ids(pid)[2:] == ["1"])


PARTS: dict[str, tuple[bool, Callable[[list[int]], int]]] = {
    "the slot's launcher": (False, lambda line: line[0]),
    "the fork-server": (False, lambda line: line[1]),
    "the program's init": (False, init_of_program),
    "the nursery": (True, lambda line: line[0]),
    "the machine's init": (True, lambda line: line[1]),
    "the shell": (True, lambda line: line[2]),
}


def told_after_s(backend: NativeBackend, is_terminal: bool, victim_of: Callable[[list[int]], int]) -> tuple[float, str]:
    """Kill a part while a program sleeps; return the time until that was told, and how."""
    box = backend.create(Spec(terminal=is_terminal, limits=LIMITS))
    seen: list[float] = []

    def kill() -> None:
        victim = victim_of(once_asleep())
        with subprocess.Popen(["sleep", "1000"]) as plain:
            seen.append(time.monotonic())
            os.kill(victim, signal.SIGKILL)
            plain.kill()
            plain.wait()
            seen.append(time.monotonic())

    killer = threading.Thread(target=kill, daemon=True)
    try:
        shell = box.shell() if is_terminal else None
        killer.start()
        try:
            result = shell.run(" ".join(SLEEP), timeout_s=100.0) if shell else box.exec(SLEEP)
            told = f"exit code {result.exit_code}"
        except InfraError as error:
            told = type(error).__name__
        end = time.monotonic()
        killer.join()
    finally:
        box.close()
    killed, plain_was_gone = seen
    return (end - killed) - (plain_was_gone - killed), told


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_told_within_a_second(backend: NativeBackend, part: str) -> None:
    rounds = [told_after_s(backend, *PARTS[part]) for _ in range(ROUNDS)]
    assert {told for _, told in rounds} == {"exit code 137" if part == "the shell" else "InfraError"}
    assert statistics.median(seconds for seconds, _ in rounds) < BOUND_S
