"""Operators of scripting: what they ask for is met by their solutions, and near misses miss."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from palestra.envs.terminal.frozen import Frozen
from palestra.envs.terminal.operators import (
    scripting_branches,
    scripting_builds,
    scripting_cron,
    scripting_history,
    scripting_processes,
    scripting_profiles,
    scripting_scripts,
    scripting_services,
    scripting_templates,
)
from palestra.envs.terminal.predicates import RUNNING
from palestra.envs.terminal.runs import Stage
from palestra.envs.terminal.step import Knobs, Operator, Step
from palestra.envs.terminal.tree import Tree

OPERATORS: tuple[Operator, ...] = (
    *scripting_branches.OPERATORS,
    *scripting_builds.OPERATORS,
    *scripting_cron.OPERATORS,
    *scripting_history.OPERATORS,
    *scripting_processes.OPERATORS,
    *scripting_profiles.OPERATORS,
    *scripting_scripts.OPERATORS,
    *scripting_services.OPERATORS,
    *scripting_templates.OPERATORS,
)
LONG = {"scripting_builds", "scripting_services"}  # these compile, or wait for what never listens
EACH = [pytest.param(one, marks=[pytest.mark.slow] if one.name in LONG else [], id=one.name) for one in OPERATORS]
HARD = Knobs(size=30, decoys=2, indirect=True, strict=True)


@pytest.fixture(scope="module")
def judge() -> Iterator[Callable[[Step, Tree], list[str]]]:
    """Return the function that tells what is wrong with programs that a tree holds."""
    with closing(Stage()) as stage:

        def reasons(step: Step, tree: Tree) -> list[str]:
            frozen = Frozen((tree.to_tar(),), {})
            running = [check for check in step.checks if check["kind"] in RUNNING]
            return [told for check in running if (told := stage.reason(frozen, check))]

        yield reasons


@pytest.mark.parametrize("operator", EACH)
def test_the_solution_is_right_and_near_misses_are_not(operator: Operator, prove: Any, judge: Any) -> None:
    assert prove(operator, 0, judge_runs=judge)
    assert prove(operator, 1, judge_runs=judge, knobs=HARD, heldout=True)


@pytest.mark.slow
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda one: one.name)
def test_twenty_draws_of_each(operator: Operator, prove: Any, judge: Any) -> None:
    steps = [
        prove(operator, seed, judge_runs=judge, knobs=HARD if seed % 3 == 0 else None, heldout=seed % 2 == 0)
        for seed in range(100, 122)
    ]
    made = [step for step in steps if step is not None]
    assert len(made) >= 20
    assert len({step.choices for step in made}) >= 3
