"""A checker that is a program: it reads the input, the wanted and the printed output, and its exit code decides."""

import hashlib
from dataclasses import replace
from typing import Final

from palestra.envs.code.judge.bench import Bench
from palestra.envs.code.judge.case import Attempt, Case
from palestra.envs.code.languages.language import Language
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import MIB, Limits, SandboxFileError

CHECKER_LIMITS: Final = Limits(wall_s=30.0, cpu_s=10.0, memory_bytes=256 * MIB, file_bytes=64 * MIB)


class ProgramChecker:
    """Runs a checker program on a bench of its own, where no candidate ever runs.

    It finds the files ``input``, ``expected`` and ``output`` in its folder. Exit code 0 accepts. Anything else, a
    crash or a time-out on an output made for that included, rejects; but a checker that rejects what was
    expected, too, is broken, and that is no verdict.
    """

    def __init__(self, bench: Bench, language: Language, source: str, limits: Limits = CHECKER_LIMITS) -> None:
        """Compile the checker.

        Args:
            bench: for this checker only.
            language: the checker's own, whatever the candidates' is.
            source: the checker.
            limits: of each of its runs.

        Raises:
            VerifierError: it does not compile.
            InfraError: the sandbox failed, or the language does not work in it.
        """
        made = bench.prepare(language, source)
        if isinstance(made, Attempt):
            raise VerifierError(f"the checker program {made.problem}: {made.stderr[:500].decode(errors='replace')}")
        self._bench, self._program, self._limits = bench, made, limits
        self._proven: set[bytes] = set()  # cases whose expected output it was seen to accept

    @property
    def bench(self) -> Bench:
        """Where it runs."""
        return self._bench

    def accepts(self, case: Case, printed: bytes) -> bool:
        """Return whether the checker ended with exit code 0.

        Raises:
            VerifierError: it does not accept the expected output either.
            InfraError: the sandbox failed.
        """
        if self._accepts(case, printed):
            return True
        name = hashlib.sha256(hashlib.sha256(case.stdin).digest() + case.stdout).digest()
        if name not in self._proven:
            if not self._accepts(case, case.stdout):
                raise VerifierError("the checker program does not accept the output that the test itself expects")
            self._proven.add(name)
        return False

    def _accepts(self, case: Case, printed: bytes) -> bool:
        files = {"input": case.stdin, "expected": case.stdout, "output": printed}
        limits = self._program.limits(replace(self._limits, processes=max(self._limits.processes, 1)))
        try:
            result = self._bench.run(self._program, b"", limits, extra_files=files)
        except SandboxFileError as error:
            raise VerifierError(f"the files of a test do not fit where its checker runs: {error}") from error
        return result.exit_code == 0 and not (result.timed_out or result.oom)
