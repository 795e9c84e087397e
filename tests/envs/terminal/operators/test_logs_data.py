"""Operators of logs and data: bash and Python agree on a machine, and what is almost right does not pass."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from palestra.envs.terminal.operators import (
    data_check,
    data_convert,
    data_fixed,
    data_group,
    data_join,
    data_lines,
    data_settings,
    data_table,
    data_values,
    data_yaml,
    logs_access,
    logs_records,
    logs_rotate,
    logs_spans,
    logs_text,
    logs_time,
)
from palestra.envs.terminal.operators.drafts import rendered
from palestra.envs.terminal.step import Artefact, Knobs, Operator
from palestra.envs.terminal.tree import Tree

MODULES: Final = (
    data_check,
    data_convert,
    data_fixed,
    data_group,
    data_join,
    data_lines,
    data_settings,
    data_table,
    data_values,
    data_yaml,
    logs_access,
    logs_records,
    logs_rotate,
    logs_spans,
    logs_text,
    logs_time,
)
OPERATORS: Final[tuple[Operator, ...]] = tuple(one for module in MODULES for one in module.OPERATORS)
VARIED: Final = (
    Knobs(),
    Knobs(size=20, decoys=2, strict=True),
    Knobs(size=4, indirect=True),
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
    found = templates(operator, range(16))
    assert len(found) >= 5
    assert all(len(choices) >= 3 for choices in found)


ROWS: Final = [
    {"path": "cart", "hour": "09", "total": "31", "zone": "eu", "rate": "6.45"},
    {"path": "login", "hour": "10", "total": "12", "zone": "us", "rate": "50.00"},
    {"path": "cart", "hour": "10", "total": "7", "zone": "us", "rate": "0.00"},
    {"path": "home", "hour": "09", "total": "31", "zone": "eu", "rate": "12.90"},
    {"path": "login", "hour": "11", "total": "105", "zone": "eu", "rate": "33.33"},
]
TYPED: Final = [
    {"team": name, "site": site, "size": size, "open": size > 5} for name, site, size in (("a", "x", 4), ("b", "y", 9))
]
GIVEN: Final = {
    "table": Artefact("table", "/workspace/one/rates.csv", ROWS, "the rates"),
    "records": Artefact("records", "/workspace/one/teams.json", TYPED, "the teams"),
    "lines": Artefact("lines", "/workspace/one/seen.txt", ["b c", "a 1", "b c", "zz", "a 1", "k"], "the lines"),
}
TAKING: Final = tuple(one for one in OPERATORS if one.takes)


@pytest.mark.parametrize("operator", TAKING, ids=lambda one: one.name)
def test_a_step_goes_on_with_what_another_made(operator: Operator, prove: Callable[..., Any]) -> None:
    given = GIVEN[str(operator.takes)]
    before = Tree().put(given.path, rendered(given))
    steps = [prove(operator, seed, given, before, VARIED[seed % 4], heldout=seed % 2 == 1) for seed in range(2)]
    made = [step for step in steps if step is not None]
    assert made
    assert all(given.path not in step.starts for step in made)


@pytest.mark.parametrize("operator", TAKING, ids=lambda one: one.name)
def test_what_does_not_suit_is_not_taken(operator: Operator, drawn: Callable[..., Any]) -> None:
    odd: dict[str, list[Any]] = {
        "table": [{"a b": 'say "x", y', "n": "1"}, {"a b": "z", "n": "2"}],
        "records": [{"a": [1], "b": "x", "c": "y"}],
        "lines": ["a\tb", "a\tb"],
    }
    assert (
        drawn(operator, 1, Artefact(operator.takes or "lines", "/workspace/one/odd", odd[str(operator.takes)], ""))
        is None
    )


def test_what_is_made_can_be_gone_on_with(drawn: Callable[..., Any]) -> None:
    for operator in OPERATORS:
        for step in filter(None, (drawn(operator, seed) for seed in range(6))):
            if step.gives is None:
                continue
            end = step.effect(step.starts)
            if step.gives.shape == "records":
                assert json.loads(end.text(step.gives.path)) == step.gives.content
            else:
                assert end.text(step.gives.path) == rendered(step.gives)
