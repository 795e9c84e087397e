"""What counts as solved: a program that prints the right output for every hidden input.

Each test is a fresh program in an empty workspace with one input on its stdin. Its output is compared
here, out of its reach; nothing it says about itself is believed. Outputs are equal when their lines
hold the same words: spaces around words and blank lines at the end carry nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json, Task
from palestra.envs.code.draws import Draws
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import MIB, ExecResult, InfraError, Limits, Python, Sandbox
from palestra.sandbox.limits import check_limits

WRONG: Final = "wrong output"
TIMEOUT: Final = "out of time"
_PROCESSES: Final = 16
_FILE_BYTES: Final = 1 * MIB


@dataclass(frozen=True, slots=True)
class Case:
    """One test: what a program reads and what it must print."""

    stdin: bytes
    stdout: bytes


@dataclass(frozen=True, slots=True)
class Exam:
    """All that a task's programs are tried on, read from the task and checked."""

    examples: tuple[Case, ...]
    hidden: tuple[Case, ...]
    limits: Limits

    @classmethod
    def of(cls, task: Task) -> "Exam":
        """Return the exam of a task.

        Raises:
            VerifierError: examples, hidden tests or limits are missing, empty or malformed.
        """
        examples, hidden = task.public.get("examples"), task.hidden.get("tests")
        return cls(_cases(examples, "examples"), _cases(hidden, "hidden tests"), _limits(task.public.get("limits")))


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one program did on one case; `problem` is empty when it passed."""

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


class Bench:
    """Runs programs in a sandbox, one on one input at a time, each in an empty workspace."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        try:
            self._empty = sandbox.snapshot()
        except InfraError:
            sandbox.close()
            raise

    def close(self) -> None:
        """Give the sandbox back."""
        self._sandbox.close()

    def attempt(self, code: str, case: Case, limits: Limits) -> Attempt:
        """Return what a program did on a case.

        Raises:
            InfraError: the sandbox failed, which no program can cause.
        """
        try:
            code.encode()
        except UnicodeEncodeError:
            return Attempt("the program is not valid Unicode text")
        result = self._run(code, case, limits)
        if result.signal is not None and not (result.timed_out or result.oom):
            # By its own doing or by somebody outside, which looks the same; what it does itself it does again.
            result = self._run(code, case, limits)
        if result.timed_out:
            problem = TIMEOUT
        elif result.oom:
            problem = "out of memory"
        elif result.truncated:
            problem = f"more than {limits.output_bytes} bytes of output"
        elif result.signal is not None:
            problem = f"killed by signal {result.signal}"
        elif result.exit_code != 0:
            problem = f"exit code {result.exit_code}"
        else:
            problem = "" if is_same_output(result.stdout, case.stdout) else WRONG
        return Attempt(problem, result.stdout, result.stderr)

    def _run(self, code: str, case: Case, limits: Limits) -> ExecResult:
        result = self._sandbox.exec(Python(code), stdin=case.stdin, limits=limits)
        self._sandbox.restore(self._empty)
        return result


def judge(bench: Bench, task: Task, code: str) -> Verdict:
    """Return the verdict on a program: passed only if it passes every hidden test.

    Tests run in an order that the task and the program decide, and end at the first failure. The
    checks name problems, never inputs or outputs.

    Raises:
        VerifierError: the task's tests are missing, empty or malformed.
        InfraError: the sandbox failed.
    """
    exam = Exam.of(task)
    program_hash = hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
    order = Draws(task.digest, int.from_bytes(program_hash[:8], "big"), "order").shuffled(range(len(exam.hidden)))
    checks = []
    for number in order:
        attempt = bench.attempt(code, exam.hidden[number], exam.limits)
        checks.append(Check(name=f"hidden test {number}", passed=attempt.passed, evidence=attempt.problem))
        if not attempt.passed:
            break
    return Verdict.of(checks)


def is_same_output(printed: bytes, wanted: bytes) -> bool:
    """Return whether two outputs have the same words line by line, but for blank lines at the end."""
    return _words(printed) == _words(wanted)


def _words(output: bytes) -> list[list[bytes]]:
    return [line.split() for line in output.rstrip().split(b"\n")]


def _cases(raw: Json, what: str) -> tuple[Case, ...]:
    if not isinstance(raw, list | tuple) or not raw:
        raise VerifierError(f"a code task needs at least one of its {what}, not {raw!r:.80}")
    cases = []
    for case in raw:
        texts: list[Json] = [case.get("input"), case.get("output")] if isinstance(case, Mapping) else [None]
        if not all(isinstance(text, str) for text in texts):
            raise VerifierError(
                f"each of the {what} is an object with the texts 'input' and 'output', not {case!r:.80}"
            )
        cases.append(Case(*(text.encode("utf-8", "surrogatepass") for text in texts)))
    return tuple(cases)


def _limits(raw: Json) -> Limits:
    try:
        limits = Limits(
            cpu_s=raw["cpu_s"],
            wall_s=raw["wall_s"],
            memory_bytes=int(raw["memory_mb"] * MIB),
            output_bytes=int(raw["output_kb"] * 1024),
            processes=_PROCESSES,
            file_bytes=_FILE_BYTES,
            disk_bytes=4 * _FILE_BYTES,
        )
        check_limits(limits)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        wanted = "limits are positive numbers named cpu_s, wall_s, memory_mb and output_kb"
        raise VerifierError(f"a code task's {wanted}, not {raw!r:.80}: {error!r}") from error
    return limits
