"""Operators of logs and data: bash and Python agree on a machine, and what is almost right does not pass."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from palestra.envs.terminal.operators import (
    data_convert,
    data_group,
    data_join,
    data_settings,
    data_table,
    logs_access,
    logs_rotate,
    logs_spans,
    logs_text,
    logs_time,
)
from palestra.envs.terminal.step import Knobs, Operator

MODULES: Final = (
    data_convert,
    data_group,
    data_join,
    data_settings,
    data_table,
    logs_access,
    logs_rotate,
    logs_spans,
    logs_text,
    logs_time,
)
OPERATORS: Final[tuple[Operator, ...]] = tuple(one for module in MODULES for one in module.OPERATORS)
VARIED: Final = (
    Knobs(),
    Knobs(size=20, decoys=2, strict=True),
    Knobs(size=8, indirect=True),
    Knobs(size=40, decoys=3, indirect=True, strict=True),
)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda one: one.name)
def test_what_is_asked_is_done_by_bash_as_by_python(operator: Operator, prove: Callable[..., Any]) -> None:
    steps = [prove(operator, seed, knobs=VARIED[seed % 4], heldout=seed % 2 == 1) for seed in range(2)]
    assert all(steps)


@pytest.mark.slow
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda one: one.name)
def test_more_of_what_is_asked(operator: Operator, prove: Callable[..., Any]) -> None:
    steps = [prove(operator, seed, knobs=VARIED[seed % 4], heldout=seed % 3 == 0) for seed in range(2, 26)]
    assert sum(step is not None for step in steps) >= 20


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda one: one.name)
def test_there_are_many_templates(operator: Operator, templates: Callable[..., set[tuple[str, ...]]]) -> None:
    found = templates(operator, range(12))
    assert len(found) >= 5
    assert all(len(choices) >= 3 for choices in found)
