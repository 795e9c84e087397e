"""`palestra/Code-v0`: write a program, try it on examples, revise it, hand it in."""

from collections.abc import Iterator
from typing import ClassVar, Unpack

from palestra.envs.actions import ToolCall
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource
from palestra.envs.code.generate import CodeTasks
from palestra.envs.code.modules import check_module_task, explain_module, is_module, module_name
from palestra.envs.code.oracle import solve
from palestra.envs.code.rooms import Rooms
from palestra.envs.code.verify import (
    PYTHON,
    check_language,
    examples,
    explain,
    hidden_tests,
    language_name,
    language_of,
)
from palestra.envs.env import EnvOptions
from palestra.envs.submission import SubmissionEnv
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.kept import Kept


class CodeEnv(SubmissionEnv):
    """Programming tasks that a program solves from stdin to stdout, in Python or in another language on the shelf.

    ``run(code)`` tries a program on the task's examples; ``submit(code)`` ends the episode with the
    outcome 1.0 if the program passes every hidden test, else 0.0. A program that takes too long
    fails. The potential is the best share of examples that a run passed, the hidden tests counted
    as one more.

    Tasks that were imported may ask for a Python module instead, which tests of pytest judge; ``run`` then
    tells whether it can be loaded and has what is asked for, and there is no potential.

    Programs run in sandboxes that are started when they are first needed and given back by `close`. Memory is
    limited for each process where the machine cannot limit it for all of them together.

    Args:
        sandbox: the backend that runs the programs.
        unsafe: accept a backend that does not isolate programs from this machine.
    """

    env_id: ClassVar[str] = "palestra/Code-v0"
    no_call: ClassVar[str] = "error: call run or submit with the code of your program"
    submits: ClassVar[str] = "code"
    told: ClassVar[tuple[str, str]] = ("passed all hidden tests", "failed the hidden tests")

    def __init__(
        self,
        *,
        sandbox: str = "native",
        unsafe: bool = False,
        **options: Unpack[EnvOptions],
    ) -> None:
        super().__init__(**options)
        self._rooms = Kept(lambda: Rooms(sandbox, unsafe=unsafe))
        self._best = 0  # examples passed by the best run so far

    @property
    def system_prompt(self) -> str:  # type: ignore[override]  # tasks differ in their language
        """What the agent is asked for, in the language of the current task."""
        return f"Solve the task in {_title(self._task)}. Try your program with run, then hand it in with submit."

    def close(self) -> None:
        self._rooms.close()

    def oracle(self) -> Iterator[str]:
        return solve(self.task)

    def artefact(self, task: Task) -> str:
        """Return the name of a file with a solution."""
        if is_module(task):
            return f"{module_name(task)}.py"
        return "main.py" if language_name(task) == PYTHON else language_of(task).file

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on a program or a module."""
        return self._rooms.use(lambda rooms: rooms.judge(task, text))

    def explain(self, task: Task, check: Check) -> str:
        """Return the hidden test that a check is about: its input and what was to be printed, or its source."""
        return explain_module(task, check) if is_module(task) else explain(task, check)

    def _source(self, split: Split) -> TaskSource:
        return CodeTasks(split)

    def _begin(self, task: Task) -> None:
        try:
            if is_module(task):
                check_module_task(task)
            else:
                check_language(task)
                examples(task)
                hidden_tests(task)
        except VerifierError as error:
            raise TaskError(f"{task.id!r} is not a code task: {error}") from error
        self._best = 0

    def _try(self, call: ToolCall) -> str:
        told = self._rooms.use(lambda rooms: rooms.run(self.task, call.arguments["code"]))
        self._best = max(self._best, told.passed)
        return told.text

    def _potential(self) -> float:
        return self._best / (len(self.task.public.get("examples", ())) + 1)

    def _dump(self) -> Json:
        return {"best": self._best}

    def _load(self, state: Json) -> None:
        self._best = int(state["best"])


def _title(task: Task | None) -> str:
    """Return what the language of a task's programs is called; of tasks without any, the usual one's."""
    try:
        return "Python" if task is None or language_name(task) == PYTHON else language_of(task).title
    except VerifierError:  # which the beginning of its episode will tell of
        return "its language"
