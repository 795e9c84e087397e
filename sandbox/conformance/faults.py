"""Laws about faults: what is killed from outside is told as a fault, at once, and leaves nothing."""

import contextlib
import itertools
import os
import pickle
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from palestra.sandbox.base import ExecResult, InfraError, Limits, Sandbox
from palestra.sandbox.conformance.case import HELLO, Case, Create, descendants, eventually

_MOST_WARM = 16  # sandboxes whose processes are there before they are asked for
_BEGINS_S = 5.0


class FaultLaws(Case):
    """`kill -9` of any process that a sandbox is made of, as `processes_of` tells them."""

    def test_a_killed_process_is_a_fault_or_is_not_noticed(self, create: Create) -> None:
        """Each process of an idle sandbox is killed in turn."""
        for index in itertools.count():
            with self._fresh(create) as (sandbox, before):
                sandbox.write("kept", b"1")
                victims = self.processes_of(sandbox, before)
                if index >= len(victims):
                    break
                _kill(victims[index])
                fault = _fault_of(lambda: (sandbox.exec(HELLO).stdout, sandbox.read("kept")), (b"hello\n", b"1"))
                if fault is not None:
                    assert fault.retryable
                    assert type(pickle.loads(pickle.dumps(fault))) is type(fault)
        _works(create)

    def test_a_kill_during_a_program_is_told_before_its_time_is_up(self, create: Create) -> None:
        """The program would sleep for minutes; nobody waits for that, and it is never told as a success."""
        for index in itertools.count():
            with self._fresh(create) as (sandbox, before):
                told, was_last = self._kill_during(sandbox, before, index)
                if isinstance(told, ExecResult):  # the program itself was killed, which its sandbox outlives
                    assert (told.signal, told.exit_code, told.timed_out) == (signal.SIGKILL, None, False)
                else:
                    assert told.retryable
            _works(create)
            if was_last:
                break

    def test_closing_what_was_killed_leaves_nothing(self, create: Create) -> None:
        """No more than the same left the first time: what is kept warm is not a leak."""
        with contextlib.ExitStack() as held:
            for _ in range(_MOST_WARM):  # so that no more are kept warm afterwards
                held.callback(create().close)
        self._kill_and_close(create)
        before = self.leftovers()
        self._kill_and_close(create)
        assert eventually(lambda: not self.left_since(before)), self.left_since(before)

    def _kill_and_close(self, create: Create) -> None:
        for index in itertools.count():
            with self._fresh(create) as (sandbox, known):
                victims = self.processes_of(sandbox, known)
                for victim in victims[index:]:
                    _kill(victim)
            _works(create)
            if index >= len(victims):
                return

    @contextlib.contextmanager
    def _fresh(self, create: Create) -> Iterator[tuple[Sandbox, set[int]]]:
        """Give a sandbox that was started for us, not taken from those that are kept warm, and what ran before."""
        with contextlib.ExitStack() as held:
            for attempt in itertools.count(1):
                before = descendants(os.getpid())
                sandbox = create()
                held.callback(sandbox.close)
                if self.processes_of(sandbox, before) or attempt == _MOST_WARM:
                    yield sandbox, before
                    return

    def _kill_during(self, sandbox: Sandbox, before: set[int], index: int) -> tuple[ExecResult | InfraError, bool]:
        """Kill a sandbox's process, the last when there are fewer, while a program sleeps; return what was told."""
        seconds = f"300.{secrets.randbelow(10**9):09}"  # by which the program is known
        was_last: list[bool] = []

        def kill_one() -> None:
            victims: list[int] = []
            deadline = time.monotonic() + _BEGINS_S
            while time.monotonic() < deadline and not _runs(f"sleep\0{seconds}\0".encode()):
                time.sleep(0.01)
            victims = self.processes_of(sandbox, before) or _runs(f"sleep\0{seconds}\0".encode())
            was_last.append(index >= len(victims) - 1)
            for victim in victims[index : index + 1] or victims[-1:]:
                _kill(victim)

        killer = threading.Thread(target=kill_one)
        killer.start()
        try:
            told: ExecResult | InfraError = sandbox.exec(["sleep", seconds], limits=Limits(wall_s=400.0))
        except InfraError as error:
            told = error
        finally:
            killer.join()
        return told, was_last[0]


def _fault_of(action: Callable[[], object], expected: object) -> InfraError | None:
    """Return the fault that an action met; one that met none has lost nothing."""
    try:
        assert action() == expected
    except InfraError as fault:
        return fault
    return None


def _works(create: Create) -> None:
    """A new sandbox is not touched by what happened to another."""
    with contextlib.closing(create()) as sandbox:
        assert sandbox.exec(HELLO).stdout == b"hello\n"


def _runs(command_line: bytes) -> list[int]:
    """Return the processes on this host with a command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes() == command_line:
                found.append(int(folder.name))
    return found


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
