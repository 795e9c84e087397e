"""Operators that break something: their own checks reject whatever they make."""

import pytest
from tests.envs.tooluse.operators.negatives import NEGATIVES
from tests.envs.tooluse.operators.samples import composed

from palestra.envs.tooluse.operators.operator import Refused

WANTED, MOST_SEEDS = 5, 70


@pytest.mark.parametrize("name", list(NEGATIVES))
def test_what_is_broken_is_rejected(name: str) -> None:
    operator = NEGATIVES[name]
    made = 0
    for seed in range(MOST_SEEDS):
        try:
            after = operator.made(composed(seed), seed)
        except Refused:
            continue
        made += 1
        assert operator.check(composed(seed), after), f"{after.instruction!r} passed"
        if made == WANTED:
            break
    assert made, f"{name} fits none of {MOST_SEEDS} tasks, so nothing was shown"


def test_there_are_negatives_of_every_operator_that_needs_the_world() -> None:
    assert len(NEGATIVES) >= 26
    assert {name.partition(":")[0] for name in NEGATIVES} == {
        "indirect", "ambiguous", "withheld", "wrong", "missing", "bereft", "irrelevant", "near", "locale"
    }  # fmt: skip
