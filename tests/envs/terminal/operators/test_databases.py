"""Operators on databases: Python and bash agree, near misses miss, and templates differ."""

from typing import Any

import pytest

from palestra.envs.terminal.operators import (
    databases_dumps,
    databases_exports,
    databases_imports,
    databases_migrations,
    databases_repairs,
    databases_reports,
    databases_views,
)
from palestra.envs.terminal.step import Knobs, Operator

OPERATORS: tuple[Operator, ...] = (
    *databases_dumps.OPERATORS,
    *databases_exports.OPERATORS,
    *databases_imports.OPERATORS,
    *databases_migrations.OPERATORS,
    *databases_repairs.OPERATORS,
    *databases_reports.OPERATORS,
    *databases_views.OPERATORS,
)
HARD = Knobs(size=30, decoys=2, indirect=True, strict=True)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda one: one.name)
def test_bash_and_python_agree_and_near_misses_miss(operator: Operator, prove: Any) -> None:
    assert all(prove(operator, seed) for seed in range(2))
    assert prove(operator, 2, knobs=HARD, heldout=True)


@pytest.mark.slow
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda one: one.name)
def test_twenty_draws_of_each(operator: Operator, prove: Any) -> None:
    steps = [
        prove(operator, seed, knobs=HARD if seed % 3 == 0 else None, heldout=seed % 2 == 0) for seed in range(100, 122)
    ]
    made = [step for step in steps if step is not None]
    assert len(made) >= 20
    assert len({step.choices for step in made}) >= 3
