"""The sandboxes that one environment judges in, each started when it is first needed and given back together."""

import importlib.util

from palestra.envs.base import Task
from palestra.envs.code.feedback import Feedback, feedback
from palestra.envs.code.judge.bench import Bench
from palestra.envs.code.judge.case import Attempt, Case
from palestra.envs.code.judge.checker_program import ProgramChecker
from palestra.envs.code.judge.pytest_exam import PytestBench
from palestra.envs.code.languages.language import Language
from palestra.envs.code.modules import is_module, judge_module, try_module
from palestra.envs.code.verify import checked_by, examples, judge, limits_of, program_of
from palestra.rewards.base import Verdict
from palestra.sandbox.base import PermanentInfraError


class Rooms:
    """A bench for candidates, a desk for checker programs, and a bench with pytest; after a fault they are given up.

    Args:
        backend: a name in `palestra.sandbox.BACKENDS`.
        unsafe: accept a backend that does not isolate programs.
    """

    def __init__(self, backend: str, *, unsafe: bool) -> None:
        self._backend, self._unsafe = backend, unsafe
        self._bench: Bench | None = None
        self._desk: Bench | None = None
        self._examiner: PytestBench | None = None
        self._checkers: dict[tuple[str, str], ProgramChecker] = {}  # the newest, by language and source

    def close(self) -> None:
        """Give all sandboxes back."""
        for room in (self._bench, self._desk, self._examiner):
            if room is not None:
                room.close()

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on a program or a module.

        Raises:
            VerifierError: the task's tests are broken.
            InfraError: a sandbox failed.
        """
        if is_module(task):
            return judge_module(self._pytest_bench(), task, text)
        return judge(self._program_bench(), task, text, self._checker)

    def run(self, task: Task, text: str) -> Feedback:
        """Try a program on a task's examples, or a module on its public tests, and return what is to be told of it.

        Raises:
            VerifierError: the examples are broken.
            InfraError: a sandbox failed.
        """
        if is_module(task):
            return Feedback(0, try_module(self._pytest_bench(), task, text))
        bench, exam = self._program_bench(), checked_by(task, examples(task), self._checker)
        return feedback(bench, program_of(bench, task, text), exam)

    def attempt(self, task: Task, text: str, given: str) -> Attempt:
        """Run a program of a task on any input, and return what it did; any output counts as wrong.

        Raises:
            VerifierError: the task's limits or its language make no sense.
            InfraError: a sandbox failed.
        """
        bench, limits = self._program_bench(), limits_of(task.public["limits"])
        stdin = given.encode("utf-8", "surrogatepass")
        return bench.attempt(program_of(bench, task, text), Case(stdin, b""), limits)

    def _program_bench(self) -> Bench:
        self._bench = self._bench or Bench.open(backend=self._backend, unsafe=self._unsafe)
        return self._bench

    def _pytest_bench(self) -> PytestBench:
        if self._examiner is None:
            if importlib.util.find_spec("pytest") is None:
                raise PermanentInfraError("modules are judged by tests of pytest; install it with: pip install pytest")
            self._examiner = PytestBench.open(backend=self._backend, unsafe=self._unsafe)
        return self._examiner

    def _checker(self, language: Language, source: str) -> ProgramChecker:
        if (language.name, source) not in self._checkers:
            self._desk = self._desk or Bench.open(backend=self._backend, unsafe=self._unsafe)
            self._checkers = {(language.name, source): ProgramChecker(self._desk, language, source)}
        return self._checkers[language.name, source]
