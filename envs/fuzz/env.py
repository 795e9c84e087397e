"""`palestra/Fuzz-v0`: read a program, try inputs on it, hand in one that reaches the branch that is asked for."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final, Literal, Unpack

from palestra.envs.actions import ToolCall
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource
from palestra.envs.env import EnvOptions
from palestra.envs.fuzz.encoding import InputError
from palestra.envs.fuzz.generate import FuzzTasks
from palestra.envs.fuzz.oracle import solve
from palestra.envs.fuzz.trace import Taken
from palestra.envs.fuzz.verify import Ground, Puzzle, Run
from palestra.envs.submission import SubmissionEnv
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.kept import Kept

Reward = Literal["outcome", "distance"]
SHOWN_DECISIONS: Final = 60


class FuzzEnv(SubmissionEnv):
    """Programs with a branch that few inputs reach.

    ``run(input)`` tells which way the program went, how far from the target it turned off, and what it printed;
    ``submit(input)`` ends the episode with the outcome 1.0 if the input reaches the target, else 0.0. The potential is
    how much nearer than the task's start the best run came. Inputs are texts with escapes (`encoding`).

    Programs are built and run in a sandbox that is started at the first call and given back by `close`.

    Args:
        reward: "outcome" pays 1 or 0; "distance" pays an input that does not reach the target up to 0.5 for how much
            nearer it comes than the start.
        sandbox: the backend that runs the programs.
        unsafe: accept a backend that does not isolate programs from this machine.
    """

    env_id: ClassVar[str] = "palestra/Fuzz-v0"
    no_call: ClassVar[str] = "error: call run or submit with an input"
    submits: ClassVar[str] = "input"
    system_prompt: ClassVar[str] = (
        "Find an input that takes the program to the target. Try inputs with run, then hand one in with submit."
    )

    def __init__(
        self,
        *,
        reward: Reward = "outcome",
        sandbox: str = "native",
        unsafe: bool = False,
        **options: Unpack[EnvOptions],
    ) -> None:
        if reward not in ("outcome", "distance"):
            raise ValueError(f"reward must be 'outcome' or 'distance', not {reward!r}")
        super().__init__(**options)
        self._reward: Reward = reward
        self._ground = Kept(lambda: Ground(backend=sandbox, unsafe=unsafe))
        self._puzzle: Puzzle
        self._best = 0.0  # the least distance so far

    def close(self) -> None:
        self._ground.close()

    def oracle(self) -> Iterator[str]:
        return solve(self.task)

    def artefact(self, task: Task) -> str:
        """Return the name of a file with an input."""
        return "input.txt"

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on an input."""
        puzzle, pays_nearness = Puzzle.of(task), self._reward == "distance"
        return self._ground.use(lambda ground: ground.judge(puzzle, text, pays_nearness=pays_nearness))

    def explain(self, task: Task, check: Check) -> str:
        """Return an input that reaches the target, if the check says that another did not."""
        return "" if check.passed else f"an input that reaches the target:\n{task.hidden['witness']}"

    def _source(self, split: Split) -> TaskSource:
        return FuzzTasks(split)

    def _begin(self, task: Task) -> None:
        self._take(task)
        self._best = self._puzzle.start_distance

    def _try(self, call: ToolCall) -> str:
        text = call.arguments["input"]
        try:
            run = self._ground.use(lambda ground: ground.run(self._puzzle, text))
        except InputError as error:
            return f"error: {error}"
        self._best = min(self._best, run.distance)
        return _report(self._puzzle, run)

    def _pay(self, text: str, verdict: Verdict) -> Mapping[str, float]:
        return {"outcome": verdict.score}

    def _tell(self, verdict: Verdict) -> str:
        if verdict.passed:
            return "the target is reached"
        failed = next(check for check in verdict.checks if not check.passed)
        return f"the target is not reached: {failed.evidence}"

    def _potential(self) -> float:
        return self._puzzle.closeness(self._best)

    def _take(self, task: Task) -> None:
        try:
            self._puzzle = Puzzle.of(task)
        except VerifierError as error:
            raise TaskError(str(error)) from error

    def _dump(self) -> Json:
        return {"best": self._best}

    def _load(self, state: Json) -> None:
        self._take(self.task)
        self._best = float(state["best"])


def _report(puzzle: Puzzle, run: Run) -> str:
    """Return what the agent is told of a run: how near it came, where it turned off, and every decision."""
    if run.trace is None:
        return f"{run.size} bytes; the program did not end well: {run.problem}"
    lines = puzzle.decision_lines()
    if run.distance == 0.0:
        told = [f"{run.size} bytes; the target is reached"]
    else:
        told = [
            f"{run.size} bytes; the target is not reached: distance {run.distance:g}, "
            f"from the start {puzzle.start_distance:g}"
        ]
        place = run.trace.stop(puzzle.target)
        if place is not None:
            number, way = puzzle.target.path[place]
            told.append(f"turned off at line {lines[number]}, which was {_way(not way)} and should be {_way(way)}")
    seen = [f"{lines[number]} {_ways(taken)}" for number, taken in run.trace.taken.items()]
    more = "; ..." if len(seen) > SHOWN_DECISIONS else ""
    told.append(f"decisions by line: {'; '.join(seen[:SHOWN_DECISIONS])}{more}")
    return "\n".join([*told, f"printed: {run.printed[:80]}"])


def _way(way: bool) -> str:
    return "true" if way else "false"


def _ways(taken: Taken) -> str:
    counts = (("true", taken.true), ("false", taken.false))
    return ", ".join(f"{word} {times} times" if times > 1 else word for word, times in counts if times)
