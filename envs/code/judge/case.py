"""The judge's nouns: a test, what a program did on it, and what compares the two."""

from dataclasses import dataclass
from typing import Final, Protocol

from palestra.sandbox.base import ExecResult, Limits

WRONG: Final = "wrong output"
TIMEOUT: Final = "out of time"


@dataclass(frozen=True, slots=True)
class Case:
    """One test: what a program reads, what it must print, and limits if they are not those of the exam."""

    stdin: bytes
    stdout: bytes
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one program did on one case, or when it was compiled; `problem` is empty when all was well."""

    problem: str
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def passed(self) -> bool:
        """True when the program ended well and printed the right output."""
        return not self.problem

    @property
    def is_timeout(self) -> bool:
        """True when the program used up its time."""
        return self.problem == TIMEOUT


class Checker(Protocol):
    """Says whether an output is right. It is asked about programs that ended well, and sees nothing else of them."""

    def accepts(self, case: Case, printed: bytes) -> bool:
        """Return whether this output, which may be any bytes, is right.

        Raises:
            VerifierError: the checker itself is broken.
            InfraError: its sandbox failed.
        """
        ...


def trouble(result: ExecResult, limits: Limits) -> str:
    """Return how a program failed to end well, or "" if it did; what it printed plays no part."""
    if result.timed_out:
        return TIMEOUT
    if result.oom:
        return "out of memory"
    if result.truncated:
        return f"more than {limits.output_bytes} bytes of output"
    if result.signal is not None:
        return f"killed by signal {result.signal}"
    return f"exit code {result.exit_code}" if result.exit_code != 0 else ""
