"""`palestra/CodeRepair-v0`: find the faults in a program, mend them by edits, hand it in."""

from collections.abc import Iterator
from typing import Any, ClassVar, Unpack

from palestra.envs.actions import ToolCall
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource
from palestra.envs.code.feedback import told_of
from palestra.envs.code.rooms import Rooms
from palestra.envs.code.verify import PYTHON, explain, language_name, language_of
from palestra.envs.env import EnvOptions
from palestra.envs.repair.generate import RepairTasks
from palestra.envs.repair.oracle import solve
from palestra.envs.repair.text import EditError, edited, integers, source, view
from palestra.envs.repair.verify import check_task, judge
from palestra.envs.submission import SubmissionEnv
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.kept import Kept


class CodeRepairEnv(SubmissionEnv):
    """A program with faults, the task that it was to solve, and edits of its lines.

    ``view`` shows it; ``replace`` and ``insert`` change it; ``run`` tries it on the examples or on an input of the
    agent's own; ``submit`` ends the episode with the outcome 1.0 if the program, whatever became of it, passes every
    hidden test, else 0.0. Tasks with ``minimal`` want few lines changed as well. The potential is the share of the
    examples that the program failed at first and the best run passed, the hidden tests counted as one more.

    Args:
        sandbox: the backend that runs the programs.
        unsafe: accept a backend that does not isolate programs from this machine.
    """

    env_id: ClassVar[str] = "palestra/CodeRepair-v0"
    system_prompt: ClassVar[str] = "Mend the program: read it, run it, change its lines, and hand it in with submit."
    no_call: ClassVar[str] = "error: call view, replace, insert, run or submit"
    told: ClassVar[tuple[str, str]] = ("passed all hidden tests", "failed the hidden tests")
    state_tells_answer: ClassVar[bool] = True  # which is the program

    def __init__(self, *, sandbox: str = "native", unsafe: bool = False, **options: Unpack[EnvOptions]) -> None:
        super().__init__(**options)
        self._rooms = Kept(lambda: Rooms(sandbox, unsafe=unsafe))
        self._lines: list[str] = []
        self._best = 0  # examples passed by the best run so far

    def close(self) -> None:
        self._rooms.close()

    def oracle(self) -> Iterator[str]:
        return solve(self.task)

    def artefact(self, task: Task) -> str:
        """Return the name of a file with a mended program."""
        return "main.py" if language_name(task) == PYTHON else language_of(task).file

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on a mended program."""
        return self._rooms.use(lambda rooms: judge(rooms, task, text))

    def explain(self, task: Task, check: Check) -> str:
        """Return the hidden test that a check is about: its input and what was to be printed."""
        return explain(task, check)

    def _source(self, split: Split) -> TaskSource:
        return RepairTasks(split)

    def _begin(self, task: Task) -> None:
        try:
            check_task(task)
        except VerifierError as error:
            raise TaskError(f"{task.id!r} is not a repair task: {error}") from error
        self._lines = task.public["program"].splitlines()
        self._best = 0

    def _handed_in(self, call: ToolCall) -> str:
        return source(self._lines)

    def _is_costly(self, call: ToolCall) -> bool:
        return call.name == "run"

    def _try(self, call: ToolCall) -> str:
        given: Any = call.arguments
        if call.name == "run":
            return self._run(given.get("input"))
        try:
            if call.name == "view":
                return view(self._lines, **integers(given))
            self._lines = edited(self._lines, call)
        except EditError as error:
            return f"error: {error}"
        return f"done; the program has {len(self._lines)} lines"

    def _run(self, given: str | None) -> str:
        program = source(self._lines)
        if given is not None:
            return told_of(self._rooms.use(lambda rooms: rooms.attempt(self.task, program, given)))
        told = self._rooms.use(lambda rooms: rooms.run(self.task, program))
        self._best = max(self._best, told.passed)
        return told.text

    def _potential(self) -> float:
        before = int(self.task.hidden.get("passed", 0))
        return max(0, self._best - before) / (max(0, len(self.task.public["examples"]) - before) + 1)

    def _dump(self) -> Json:
        return {"lines": list(self._lines), "best": self._best}

    def _load(self, state: Json) -> None:
        self._lines, self._best = [str(line) for line in state["lines"]], int(state["best"])
