"""Tools that are carried out in a sandbox reply what they reply here, and a sandbox that dies is a fault."""

from collections.abc import Iterator

import pytest
from tests.envs.tooluse.byhand import PENDING, both_case, say, task_of

from palestra.envs.base import Task
from palestra.envs.scripts import SCRIPTS, Script, play
from palestra.envs.tooluse.env import ToolUseEnv
from palestra.envs.tooluse.generate import ToolUseSource
from palestra.envs.tooluse.interpret import call
from palestra.envs.tooluse.sandboxed import SandboxedWorld
from palestra.envs.tooluse.stage import stage
from palestra.sandbox.base import InfraError


@pytest.fixture
def envs() -> Iterator[tuple[ToolUseEnv, ToolUseEnv]]:
    here, there = ToolUseEnv(), ToolUseEnv(sandboxed=True)
    yield here, there
    there.close()


def tasks() -> list[Task]:
    return [task_of(both_case(PENDING[0])), ToolUseSource().sample(3), ToolUseSource("heldout").sample(4)]


@pytest.mark.parametrize("script", [SCRIPTS["oracle"], SCRIPTS["random"]])
def test_episodes_are_the_same_in_a_sandbox(script: Script, envs: tuple[ToolUseEnv, ToolUseEnv]) -> None:
    for seed, task in enumerate(tasks()):
        here, there = (play(env, script, seed, task) for env in envs)
        assert here.stream == there.stream
        assert here.reward == there.reward


def test_any_text_passes(envs: tuple[ToolUseEnv, ToolUseEnv]) -> None:
    write = say("change_carrier", order_id=PENDING[0], carrier="Zürich \x03\n\r\t\x1b[2J \u202e\ud800 " + "x" * 5000)
    seen = []
    for env in envs:
        env.reset(options={"task": task_of(both_case(PENDING[0]))})
        seen.append([env.step(action)[:4] for action in (write, say("get_order", order_id=PENDING[0]))])
    assert seen[0] == seen[1]


def test_a_fork_goes_on_in_a_sandbox_of_its_own(envs: tuple[ToolUseEnv, ToolUseEnv]) -> None:
    there = envs[1]
    there.reset(options={"task": task_of(both_case(PENDING[0]))})
    there.step(say("change_carrier", order_id=PENDING[0], carrier="Globo"))
    (fork,) = there.fork()
    there.close()
    assert '"carrier":"Globo"' in fork.step(say("get_order", order_id=PENDING[0]))[0]
    fork.close()


def test_what_dies_is_a_fault_and_no_reward(envs: tuple[ToolUseEnv, ToolUseEnv]) -> None:
    there = envs[1]
    look = say("get_order", order_id=PENDING[0])
    there.reset(options={"task": task_of(both_case(PENDING[0]))})
    there.step(look)
    assert there._inside is not None
    there._inside._sandbox.exec(["sh", "-c", "kill -9 -1"])
    with pytest.raises(InfraError):
        there.step(look)
    there.reset(options={"task": task_of(both_case(PENDING[0]))})
    assert '"shipping_fee"' in there.step(look)[0]


def test_a_tool_that_fails_inside_is_a_fault() -> None:
    world = SandboxedWorld(both_case(PENDING[0]))
    with pytest.raises(InfraError, match="KeyError"):
        world.call({}, "no_such_tool", {})
    world.close()
    world.close()


def test_a_call_changes_nothing_but_what_it_returns() -> None:
    case = both_case(PENDING[0])
    world, at = SandboxedWorld(case), stage(task_of(case))
    arguments = dict(case.steps[1].arguments)
    reply, changes = world.call({}, "change_carrier", arguments)
    local = at.world()
    assert reply == call(local, "change_carrier", arguments)
    assert changes == local.changes != {}
    assert world.call({}, "get_order", {"order_id": PENDING[0]})[1] == {}
    world.close()
