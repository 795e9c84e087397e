"""A tiny honest environment and a few copies of it that go wrong, for tests of what stands around environments."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from palestra.envs.actions import Action, call_text, function_tool
from palestra.envs.base import Json, Split, Task, derive_seed, merge_knobs
from palestra.envs.env import AgentEnv, StepResult
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError

TOOLS = (
    function_tool("add", "Add to the counter.", {"amount": {"type": "integer", "minimum": -5, "maximum": 5}}),
    function_tool("finish", "End; say where the counter stands.", {"value": {"type": "integer"}}),
)


class CountTasks:
    """Bring a counter to a number in steps of at most five."""

    knobs: Mapping[str, Json] = {"most": 40}

    def __init__(self, split: Split) -> None:
        self.split: Split = split

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        knobs = merge_knobs(self.knobs, difficulty)
        target = 6 + derive_seed("count", self.split, seed, "target") % (knobs["most"] - 5)
        return Task(
            id=f"count/{self.split}/{seed}",
            family="count",
            seed=seed,
            instruction=self.words(target),
            difficulty=knobs,
            tools=TOOLS,
            hidden={"target": target},
        )

    def words(self, target: int) -> str:
        verb = "Bring" if self.split == "train" else "Take"
        return f"{verb} the counter from 0 to {target}, then finish with its value."

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1


class CountEnv(AgentEnv):
    """The honest one."""

    env_id: ClassVar[str] = "toy/Count-v0"
    count = 0

    def _source(self, split: Split) -> CountTasks:
        return CountTasks(split)

    def _begin(self, task: Task) -> None:
        self.count = 0

    def _act(self, action: Action) -> StepResult:
        replies = []
        for call in action.calls:
            if call.name == "finish":
                won = self.count == call.arguments["value"] == self.task.hidden["target"]
                replies.append("finished")
                replies += [""] * (len(action.calls) - len(replies))
                return StepResult(replies=tuple(replies), parts={"outcome": float(won)}, done=True, is_success=won)
            self.count += call.arguments["amount"]
            replies.append(f"the counter is at {self.count}")
        return StepResult(replies=tuple(replies) or ("call a tool",))

    def _dump(self) -> Json:
        return {"count": self.count}

    def _load(self, state: Json) -> None:
        self.count = state["count"]

    def oracle(self) -> Iterator[str]:
        target = self.task.hidden["target"]
        while self.count < target:
            steps = [5] * 3 if target - self.count >= 15 else [min(5, target - self.count)]
            yield "".join(call_text("add", {"amount": step}) for step in steps)
        yield call_text("finish", {"value": target})


class LazyOracleEnv(CountEnv):
    """Its oracle stops one short on odd targets."""

    def oracle(self) -> Iterator[str]:
        short = self.task.hidden["target"] % 2
        for action in super().oracle():
            yield action if "finish" not in action else call_text("finish", {"value": self.count - short})


class PaysNothingDoneEnv(CountEnv):
    """It believes an agent that claims to be done."""

    def _act(self, action: Action) -> StepResult:
        if "done" in action.content:
            return StepResult(replies=("well done",), parts={"outcome": 1.0}, done=True, is_success=True)
        return super()._act(action)


class LostSandboxEnv(CountEnv):
    """The machine fails it in mid-episode."""

    def _act(self, action: Action) -> StepResult:
        raise InfraError("the sandbox went away")


class BrokenVerifierEnv(CountEnv):
    """Its verifier fails at the end."""

    def _act(self, action: Action) -> StepResult:
        if any(call.name == "finish" for call in action.calls):
            raise VerifierError("the verifier gave no verdict")
        return super()._act(action)
