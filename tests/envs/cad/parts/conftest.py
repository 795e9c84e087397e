"""Parts of many kinds, from seeds."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from palestra.envs.cad.parts import Part, draw_part
from palestra.envs.draws import Draws


def knobs_of(seed: int) -> dict[str, Any]:
    """Return knobs that differ from seed to seed."""
    return {
        "features": 1 + seed % 6,
        "nesting": seed % 4,
        "faces": 1 + seed % 5,
        "decimals": seed % 4,
        "implicit": seed % 3,
        "units": ("mm", "cm", "in", "mixed")[seed % 4],
        "symmetric": seed % 7 == 0,
    }


@cache
def _part_of(seed: int) -> Part:
    return draw_part(Draws("cad", "tests", seed, "part"), knobs_of(seed), "heldout" if seed % 5 == 0 else "train")


@pytest.fixture
def part_of() -> Callable[[int], Part]:
    """Return a part of a seed, every fifth of the held-out split, with knobs that differ from seed to seed."""
    return _part_of
