"""Parts are the same from a seed, are told completely, and their own tests hold of them."""

from typing import Any

import numpy as np
import pytest

from palestra.envs.cad.parts import KNOBS, REGISTERS, Part, PartError, draw_part, is_heldout, parse
from palestra.envs.cad.parts.feature_tests import holds
from palestra.envs.draws import Draws

SEEDS = range(24)


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


def part_of(seed: int) -> Part:
    """Return a part of a seed, every fifth of the held-out split."""
    return draw_part(Draws("cad", "tests", seed, "part"), knobs_of(seed), "heldout" if seed % 5 == 0 else "train")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_gives_one_part_of_its_split(seed: int) -> None:
    part = part_of(seed)
    assert part == part_of(seed)
    assert is_heldout(part.template) == (seed % 5 == 0)
    assert len(part.tree.steps) == knobs_of(seed)["features"]
    assert len(part.tree.relations) <= knobs_of(seed)["implicit"]


@pytest.mark.parametrize("seed", SEEDS)
def test_json_goes_both_ways(seed: int) -> None:
    part = part_of(seed)
    assert Part.from_json(part.to_json()) == part


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("register", REGISTERS)
def test_every_text_is_read_back_to_the_tree(seed: int, register: Any) -> None:
    part = part_of(seed)
    for paraphrase in range(3):
        assert parse(part.text(register, paraphrase), register) == part.tree


@pytest.mark.parametrize("seed", SEEDS)
def test_a_part_passes_its_own_tests(seed: int) -> None:
    part = part_of(seed)
    assert [test for test in part.tests() if not holds(test, part.model)] == []


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_volume_agrees_with_membership(seed: int) -> None:
    part = part_of(seed)
    low, high = (np.array(corner) for corner in part.model.body.bounds)
    points = low + (high - low) * np.random.default_rng(seed).random((40_000, 3))
    share = float(np.mean(part.contains(points)))
    box = float(np.prod(high - low))
    spread = box * (share * (1 - share) / 40_000) ** 0.5
    assert abs(share * box - part.volume()[0]) < 4.5 * spread


@pytest.mark.parametrize(
    "knobs", [{"features": 0}, {"features": True}, {"units": "ell"}, {"colour": 1}, {"symmetric": 1}]
)
def test_knobs_out_of_range_are_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(PartError):
        draw_part(Draws("cad", "tests", 0, "part"), knobs)


def test_knobs_have_their_usual_values() -> None:
    assert draw_part(Draws("cad", "tests", 1, "part"), dict(KNOBS)) == draw_part(Draws("cad", "tests", 1, "part"))
