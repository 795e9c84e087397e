"""A step that only a twin of the task proves needed: the answer does not name what it showed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from palestra.envs.actions import Action, call_text, function_tool
from palestra.envs.base import Json, Split, Task, TaskSource
from palestra.envs.certify.declared import Declared
from palestra.envs.certify.oracle import Recording, necessary
from palestra.envs.certify.task import Certifier
from palestra.envs.env import AgentEnv, StepResult
from palestra.envs.registry import EnvEntry

TOOLS = (function_tool("look", "", {"at": {"type": "string"}}), function_tool("say", "", {"most": {"type": "integer"}}))


def task_of(**values: int) -> Task:
    return Task(
        id="most/1",
        family="most",
        seed=1,
        instruction="Which is more, a or b?",
        tools=TOOLS,
        hidden={"values": dict(values)},
    )


class Most(AgentEnv):
    """The largest of some numbers is asked for; each is shown by itself."""

    env_id: ClassVar[str] = "test/Most-v0"

    def _source(self, split: Split) -> TaskSource:
        raise NotImplementedError

    def _begin(self, task: Task) -> None:
        self._values: dict[str, int] = task.hidden["values"]

    def _act(self, action: Action) -> StepResult:
        for call in action.calls:
            if call.name == "look":
                return StepResult(replies=(json.dumps(self._values[call.arguments["at"]]),))
            is_right = call.arguments["most"] == max(self._values.values())
            return StepResult(replies=("bye",), parts={"outcome": float(is_right)}, done=True, is_success=is_right)
        return StepResult(replies=("?",))

    def _dump(self) -> Json:
        return None

    def _load(self, state: Json) -> None:
        self._begin(self.task)

    def oracle(self) -> Iterator[str]:
        values: dict[str, int] = self.task.hidden["values"]
        yield from (call_text("look", {"at": name}) for name in values)
        yield call_text("say", {"most": max(values.values())})


@pytest.fixture
def recording() -> Iterator[Recording]:
    with closing(Most(tasks=object())) as env:  # type: ignore[arg-type]  # no task is sampled
        yield Recording.of(env, task_of(a=30, b=50), 0)


def uses(recording: Recording, twins: Any) -> tuple[bool, list[Json]]:
    found = necessary(recording, {}, twins)
    return found.passed, found.evidence["steps"]


def test_what_a_comparison_did_not_choose_is_idle_until_a_twin_shows_that_it_matters(recording: Recording) -> None:
    assert uses(recording, lambda task: ()) == (False, [["look", "idle"]])
    passed, steps = uses(recording, lambda task: [task_of(a=90, b=50)])
    assert (passed, steps) == (True, [["look", "informs"], ["look", "informs"], ["say", "acts"]])


@pytest.mark.parametrize(
    "twin",
    [
        task_of(a=40, b=50),  # the same answer is right
        task_of(a=90, b=60),  # two steps tell it
        task_of(a=30, b=90),  # another step tells it
        task_of(b=50, a=90),  # its oracle does something else
        replace(task_of(a=90, b=50), instruction="What is more, a or b?"),  # it is asked otherwise
    ],
)
def test_a_twin_that_differs_in_more_or_in_nothing_that_matters_proves_nothing(
    recording: Recording, twin: Task
) -> None:
    twins: Iterable[Task] = [twin]
    assert uses(recording, lambda task: twins) == (False, [["look", "idle"]])


def test_calls_that_a_family_declares_idle_in_a_task_may_be_left_out_of_it(recording: Recording) -> None:
    entry = EnvEntry(id="test/Most-v0", entry_point="palestra.envs.env:AgentEnv", family="most", summary="the largest")
    idle = Declared(idle=lambda task: {"look": f"{task.id} asks for the larger only"})
    found = {
        family: Certifier(entry, recording.env, "quick", 0, declared).certify(recording.task)
        for family, declared in {"strict": Declared(), "idle": idle}.items()
    }
    needed = {
        name: next(one for one in certificate.results if one.name == "necessary") for name, certificate in found.items()
    }
    assert (needed["strict"].status, needed["idle"].status) == ("failed", "passed")
