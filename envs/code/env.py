"""`palestra/Code-v0`: write a Python program, try it on examples, revise it, hand it in."""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Final, TypeVar, Unpack

from palestra import sandbox as sandboxes
from palestra.envs.actions import Action
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource
from palestra.envs.code.generate import CodeTasks
from palestra.envs.code.judge.bench import NEEDS, Bench, Program
from palestra.envs.code.judge.case import WRONG, Attempt, Case
from palestra.envs.code.oracle import solve
from palestra.envs.code.verify import examples, explain, hidden_tests, judge
from palestra.envs.env import AgentEnv, EnvOptions, StepResult
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import InfraError, Spec

MOST_CALLS: Final = 4  # carried out in one turn
SHOWN_CHARS: Final = 400  # of a program's output, and of the end of its errors
NO_CALL: Final = "error: call run or submit with the code of your program"
TOO_MANY: Final = f"error: not done; at most {MOST_CALLS} calls are carried out in one turn"
ENDED: Final = "error: not done; the episode is over"

Made = TypeVar("Made")


class CodeEnv(AgentEnv):
    """Programming tasks that a program solves from stdin to stdout.

    ``run(code)`` tries a program on the task's examples; ``submit(code)`` ends the episode with the
    outcome 1.0 if the program passes every hidden test, else 0.0. A program that takes too long
    fails. The potential is the best share of examples that a run passed, the hidden tests counted
    as one more.

    Programs run in a sandbox that is started at the first call and given back by `close`. Memory is
    limited for each process where the machine cannot limit it for all of them together.

    Args:
        sandbox: the backend that runs the programs.
        unsafe: accept a backend that does not isolate programs from this machine.
    """

    env_id: ClassVar[str] = "palestra/Code-v0"
    system_prompt: ClassVar[str] = "Solve the task in Python. Try your program with run, then hand it in with submit."

    def __init__(
        self,
        *,
        sandbox: str = "native",
        unsafe: bool = False,
        **options: Unpack[EnvOptions],
    ) -> None:
        super().__init__(**options)
        self._backend = sandbox
        self._unsafe = unsafe
        self._bench: Bench | None = None
        self._best = 0  # examples passed by the best run so far

    def close(self) -> None:
        bench, self._bench = self._bench, None
        if bench is not None:
            bench.close()

    def oracle(self) -> Iterator[str]:
        return solve(self.task)

    def artefact(self, task: Task) -> str:
        """Return the name of a file with a solution."""
        return "main.py"

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on a program."""
        return self._with_bench(lambda bench: judge(bench, task, text))

    def explain(self, task: Task, check: Check) -> str:
        """Return the input of the hidden test that a check is about, and what was to be printed."""
        return explain(task, check)

    def _source(self, split: Split) -> TaskSource:
        return CodeTasks(split)

    def _begin(self, task: Task) -> None:
        try:
            examples(task)
            hidden_tests(task)
        except VerifierError as error:
            raise TaskError(f"{task.id!r} is not a code task: {error}") from error
        self._best = 0

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return StepResult(replies=(NO_CALL,))
        replies: list[str] = []
        for call in action.calls[:MOST_CALLS]:
            code = call.arguments["code"]
            if call.name == "run":
                replies.append(self._run(code))
                continue
            passed = self._submit(code)
            replies.append("passed all hidden tests" if passed else "failed the hidden tests")
            left = len(action.calls) - len(replies)
            return StepResult(
                replies=(*replies, *[ENDED] * left), parts={"outcome": float(passed)}, done=True, is_success=passed
            )
        return StepResult(replies=(*replies, *[TOO_MANY] * (len(action.calls) - len(replies))))

    def _run(self, code: str) -> str:
        exam, program = examples(self.task), Program.python(code)

        def tries(bench: Bench) -> list[Attempt]:
            made: list[Attempt] = []
            for case in exam.cases:
                if made and made[-1].is_timeout:
                    break
                made.append(bench.attempt(program, case, exam.limits))
            return made

        attempts = self._with_bench(tries)
        self._best = max(self._best, sum(attempt.passed for attempt in attempts))
        return _report(exam.cases, attempts)

    def _submit(self, code: str) -> bool:
        return self.judge(self.task, code).passed

    def _with_bench(self, job: Callable[[Bench], Made]) -> Made:
        """Do a job on the environment's bench, set up if need be; one that failed is not used again."""
        try:
            if self._bench is None:
                spec = Spec(needs=frozenset() if self._unsafe else NEEDS, env={"PYTHONHASHSEED": "0"})
                self._bench = Bench(sandboxes.create(spec, backend=self._backend, unsafe=self._unsafe))
            return job(self._bench)
        except InfraError:
            self.close()
            raise

    def _potential(self) -> float:
        return self._best / (len(self.task.public["examples"]) + 1)

    def _dump(self) -> Json:
        return {"best": self._best}

    def _load(self, state: Json) -> None:
        self._best = int(state["best"])


def _report(examples: Sequence[Case], attempts: Sequence[Attempt]) -> str:
    """Return what the agent is told of a run: how many examples passed, and how the first of the others went."""
    lines = [f"passed {sum(attempt.passed for attempt in attempts)} of {len(examples)} examples"]
    failed = [number for number, attempt in enumerate(attempts) if not attempt.passed]
    for number in failed:
        lines.append(f"example {number + 1}: {attempts[number].problem}")
        lines += _details(examples[number], attempts[number]) if number == failed[0] else []
    if len(attempts) < len(examples):
        lines.append("the other examples were not tried")
    return "\n".join(lines)


def _details(case: Case, attempt: Attempt) -> list[str]:
    wanted, printed, errors = (
        text.decode(errors="replace").strip() for text in (case.stdout, attempt.stdout, attempt.stderr)
    )
    details = ["expected:", wanted[:SHOWN_CHARS]] if attempt.problem == WRONG else []
    details += ["printed:", printed[:SHOWN_CHARS]] if printed or attempt.problem == WRONG else []
    return details + (["errors:", errors[-SHOWN_CHARS:]] if errors else [])
