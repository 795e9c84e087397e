"""What `AgentEnv` does for every family, shown on a small one: faults, lost episodes, what is paid."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from palestra.envs.actions import Action, call_text, function_tool
from palestra.envs.base import Budget, EpisodeOver, Json, Snapshot, Split, Task, TaskError, TaskSource
from palestra.envs.env import MAX_OBSERVATION_CHARS, AgentEnv, StepResult
from palestra.rewards.base import RecordError, VerifierError
from palestra.sandbox.base import InfraError

TASK = Task(
    id="count/1",
    family="count",
    seed=0,
    instruction="Count to 3, then stop.",
    tools=(
        function_tool("count", "Count on.", {"by": {"type": "integer"}}, []),
        function_tool("stop", "Stop.", {}),
        function_tool("break", "Break down.", {"how": {"type": "string"}}),
        function_tool("say", "Say it often.", {"times": {"type": "integer"}}),
    ),
    budget=Budget(turns=6),
    hidden={"target": 3},
)
FAULTS: dict[str, Callable[[], BaseException]] = {
    "infra": lambda: InfraError("the machine is gone"),
    "verifier": lambda: VerifierError("the verifier is gone"),
    "bug": lambda: KeyError("a bug"),
    "interrupt": lambda: KeyboardInterrupt(),
}


class OneTask:
    """Whatever the seed, the one task."""

    def __init__(self) -> None:
        self.split: Split = "train"
        self.knobs: Mapping[str, Json] = {}

    def sample(self, seed: int, difficulty: Any = None) -> Task:
        return TASK

    def __iter__(self) -> Iterator[Task]:
        while True:
            yield TASK


class CountEnv(AgentEnv):
    """Count to the target by calls and stop there."""

    env_id: ClassVar[str] = "test/Count-v0"
    system_prompt: ClassVar[str] = "You count."

    def _source(self, split: Split) -> TaskSource:
        return OneTask()

    def _begin(self, task: Task) -> None:
        if "target" not in task.hidden:
            raise TaskError("no target")
        self.n = 0

    def _act(self, action: Action) -> StepResult:
        replies: list[str] = []
        for call in action.calls:
            if call.name == "break":
                self.n = 99
                raise FAULTS[call.arguments["how"]]()
            if call.name == "stop":
                done = self.n == self.task.hidden["target"]
                return StepResult(
                    replies=(*replies, "stopped"), parts={"outcome": float(done)}, done=True, is_success=done
                )
            if call.name == "say":
                replies.append("x" * call.arguments["times"])
                continue
            self.n += call.arguments.get("by", 1)
            replies.append(str(self.n))
        return StepResult(replies=tuple(replies) or ("nothing counted",))

    def _potential(self) -> float:
        return min(self.n, 3) / 3

    def _dump(self) -> Json:
        return {"n": self.n}

    def _load(self, state: Json) -> None:
        self.n = state["n"]

    def oracle(self) -> Iterator[str]:
        yield call_text("count", {}) * 3
        yield call_text("stop", {})


@pytest.fixture
def env() -> CountEnv:
    env = CountEnv()
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("how", sorted(FAULTS))
def test_a_fault_loses_the_episode_and_earns_no_reward(env: CountEnv, how: str) -> None:
    before = env.snapshot()
    with pytest.raises(type(FAULTS[how]())):
        env.step(call_text("break", {"how": how}))
    for use in (lambda: env.step("more"), env.snapshot, lambda: env.cut("tokens"), lambda: env.task):
        with pytest.raises(EpisodeOver, match=r"lost it to a fault; call reset\(\)"):
            use()
    env.restore(before)
    assert env.snapshot() == before
    with pytest.raises(type(FAULTS[how]())):
        env.step(call_text("break", {"how": how}))
    env.reset(seed=0)
    assert env.step(call_text("count", {}))[0] == "1"


def test_a_task_that_cannot_begin_leaves_no_episode(env: CountEnv) -> None:
    with pytest.raises(TaskError, match="no target"):
        env.reset(options={"task": {**TASK.to_dict(), "hidden": {}}})
    with pytest.raises(EpisodeOver):
        env.step("more")


def test_a_wrong_option_leaves_the_episode_as_it_was(env: CountEnv) -> None:
    env.step(call_text("count", {}))
    before = env.snapshot()
    with pytest.raises(TaskError, match="'tsak'"):
        env.reset(options={"tsak": 1})
    assert env.snapshot() == before


def test_a_restore_that_fails_half_way_leaves_no_episode(env: CountEnv) -> None:
    state = env.snapshot().verify("test/Count-v0")
    for name in state:
        broken = Snapshot.take("test/Count-v0", {key: value for key, value in state.items() if key != name}, {})
        env.reset(seed=0)
        with pytest.raises(ValueError, match="holds no episode"):
            env.restore(broken)
        with pytest.raises(EpisodeOver):
            env.step("more")


def test_progress_is_paid_and_taken_back(env: CountEnv) -> None:
    paid = [env.step(action)[1] for action in env.oracle()]
    assert paid == [1.0, 0.0]  # the outcome of 1, less the potential that was paid before
    env.reset(seed=0)
    assert env.step(call_text("count", {"by": 2}))[1] == pytest.approx(2 / 3)
    assert env.step(call_text("count", {"by": -1}))[1] == pytest.approx(-1 / 3)
    assert env.step(call_text("stop", {}))[1] == pytest.approx(-1 / 3)


@pytest.mark.parametrize(
    ("shaping", "paid"), [("none", [0.0, 1.0]), ("potential", [1.0, 0.0]), ("progress", [1.0, 1.0])]
)
def test_what_each_shaping_pays(shaping: Any, paid: list[float]) -> None:
    env = CountEnv(shaping=shaping)
    env.reset(seed=0)
    steps = [env.step(action) for action in env.oracle()]
    assert [step[1] for step in steps] == paid
    assert steps[-1][4]["outcome"].reward == sum(paid)
    assert steps[-1][4]["is_success"]


def test_each_call_gets_its_reply(env: CountEnv) -> None:
    observation, *_, info = env.step("One, two. " + call_text("count", {}) + call_text("count", {"by": 5}))
    assert observation == "1\n6"
    said, *replies = info["messages"][2:]
    assert said["content"] == "One, two."
    assert [(r["tool_call_id"], r["name"], r["content"]) for r in replies] == [
        ("call_1_0", "count", "1"),
        ("call_1_1", "count", "6"),
    ]


def test_a_very_long_observation_is_cut_to_what_the_space_holds(env: CountEnv) -> None:
    observation, *_ = env.step(call_text("say", {"times": 2 * MAX_OBSERVATION_CHARS}))
    assert observation == "x" * MAX_OBSERVATION_CHARS
    assert observation in env.observation_space


def test_the_first_observation_has_the_prompt_the_tools_and_the_task(env: CountEnv) -> None:
    observation, info = env.reset(seed=0)
    assert observation == "You count.\n\nTools: count, stop, break, say\n\nCount to 3, then stop."
    assert [message["role"] for message in info["messages"]] == ["system", "user"]
    assert info["tools"] == [dict(tool) for tool in TASK.tools]


def test_an_unreadable_action_costs_a_turn_and_is_explained(env: CountEnv) -> None:
    observation, reward, _, _, info = env.step('{"name": "count", "arguments": {"by": "two"}}')
    assert observation == "error: bad arguments for count.by: 'two' is not of type 'integer'"
    assert info["error"] == observation.removeprefix("error: ")
    assert reward == 0.0
    assert info["messages"][-1] == {"role": "user", "content": observation}


class MalformedEnv(CountEnv):
    """What it says of an action is what the test wants."""

    result: ClassVar[StepResult]

    def _act(self, action: Action) -> StepResult:
        return self.result


@pytest.mark.parametrize("paid", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("done", [False, True])
def test_what_is_no_number_is_no_reward(paid: float, done: bool) -> None:
    env = MalformedEnv()
    env.result = StepResult(replies=("",), parts={"outcome": paid, "more": 1.0}, done=done, is_success=True)  # type: ignore[misc]
    env.reset(seed=0)
    with pytest.raises(RecordError, match=f"must be finite, not {paid}"):
        env.step("hello")
    with pytest.raises(EpisodeOver, match="lost it to a fault"):
        env.step("hello")


def test_replies_that_do_not_fit_the_calls_lose_the_episode() -> None:
    """What was paid with them could not be told, and must not be forgotten as if it had been nothing."""
    env = MalformedEnv()
    env.result = StepResult(replies=("one", "too many"), parts={"outcome": 1.0})  # type: ignore[misc]
    env.reset(seed=0)
    with pytest.raises(ValueError, match="zip"):
        env.step(call_text("count", {}))
    with pytest.raises(EpisodeOver, match="lost it to a fault"):
        env.step("hello")
