"""A pool's places: what sits there, and whether it still works."""

import signal
import time
from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

from palestra.sandbox.base import ExecResult, InfraError, Sandbox
from palestra.sandbox.lane import Lane


@runtime_checkable
class Reusable(Protocol):
    """A sandbox that can serve one borrower after another. Any other is replaced by a new one each time."""

    def check(self) -> None:
        """Raise InfraError unless programs could run now; cheaper than running one."""
        ...

    def reset(self) -> None:
        """Become as new: empty, nothing running. Raises InfraError when that is impossible."""
        ...

    def discard(self) -> None:
        """Close the sandbox and let nothing warm of it serve another."""
        ...


class Seat:
    """A place for one warm sandbox after another. Used by its borrower, or in its own lane, never by both."""

    def __init__(self, number: int, make: Callable[[], Sandbox]) -> None:
        self.lane = Lane(f"seat-{number}")
        self.state: Literal["preparing", "ready", "lent", "empty"] = "empty"
        self.trouble: Exception | None = None  # why no sandbox could be started here the last time
        self.tried_at = float("-inf")
        self.sandbox: Sandbox | None = None
        self.health: Literal["good", "suspicious", "dead"] = "good"
        self.programs = 0
        self._make = make

    def start(self) -> None:
        """Seat a new sandbox; raises whatever making one raises."""
        self.tried_at = time.monotonic()
        self.sandbox = self._make()
        self.programs, self.health, self.trouble = 0, "good", None

    def note(self, result: ExecResult | None) -> None:
        """Count a program: what came of it, or None for a fault."""
        self.programs += 1
        if result is None:
            self.health = "dead"
        elif result.timed_out or result.oom or result.signal == signal.SIGKILL:
            self.health = "suspicious"  # no later program shall pay for it

    def reset(self) -> bool:
        """Make the sandbox as new for the next borrower; return False when it has to be replaced."""
        if not isinstance(self.sandbox, Reusable):
            return False
        try:
            self.sandbox.reset()
        except InfraError:
            self.health = "dead"
        return self.health == "good"

    def works(self) -> bool:
        """Whether the sandbox would run a program now."""
        try:
            if isinstance(self.sandbox, Reusable):
                self.sandbox.check()
            elif self.sandbox is not None:
                self.sandbox.exec(["true"])
        except InfraError:
            self.health = "dead"
        return self.sandbox is not None and self.health == "good"

    def discard(self) -> None:
        """End the sandbox, whatever state it is in."""
        sandbox, self.sandbox = self.sandbox, None
        if isinstance(sandbox, Reusable):
            sandbox.discard()
        elif sandbox is not None:
            sandbox.close()
