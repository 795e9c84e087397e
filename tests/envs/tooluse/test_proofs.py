"""A step that a coincidence makes idle is found without playing an episode."""

from dataclasses import replace

import pytest
from tests.envs.tooluse.byhand import BASE, PENDING, both_case, task_of

from palestra.envs.base import SPLITS, Split
from palestra.envs.certify.oracle import necessary, solvable
from palestra.envs.tooluse.attacks import TWINS
from palestra.envs.tooluse.case import Step
from palestra.envs.tooluse.env import ToolUseEnv
from palestra.envs.tooluse.proofs import idle_steps


def test_a_step_that_shows_what_is_used_is_needed() -> None:
    assert idle_steps(task_of(both_case(PENDING[0]))) == frozenset()


def test_a_value_that_is_told_elsewhere_needs_a_twin() -> None:
    case = both_case(PENDING[0])
    told = f"Let {case.steps[1].arguments['carrier']} deliver {PENDING[0]}. Is its fee {case.goal.answer}?"
    assert idle_steps(task_of(case, told)) == frozenset()  # in a twin the fee is another
    assert idle_steps(task_of(replace(case, goal=replace(case.goal, sources=())), told)) == {0}


def test_a_step_beside_the_purpose_is_idle() -> None:
    case = both_case(PENDING[0])
    customer = str(BASE.rows["orders"][PENDING[0]]["customer_id"])
    look = Step(tool="get_customer", arguments={"customer_id": customer})
    more = replace(case, steps=(*case.steps, look))
    assert idle_steps(task_of(more, f"Look at {customer}.")) == {2}


@pytest.mark.parametrize("split", SPLITS)
def test_the_gate_agrees(split: Split) -> None:
    env = ToolUseEnv(split=split)
    for seed in range(60, 90):
        task = env.tasks.sample(seed)
        assert idle_steps(task) == frozenset()
        assert necessary(solvable(env, task, 0)[1], {}, TWINS).passed, task.id
