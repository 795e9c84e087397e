"""Parts are the same from a seed, are told completely, and their own tests hold of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from palestra.envs.cad.parts import KNOBS, REGISTERS, Part, PartError, draw_part, is_heldout, parse
from palestra.envs.cad.parts.feature_tests import holds
from palestra.envs.cad.parts.mutants import is_same, mirrored
from palestra.envs.draws import Draws

PartOf = Callable[[int], Part]
SEEDS = range(24)


@pytest.mark.parametrize("seed", SEEDS)
def test_splits_share_no_template(seed: int, part_of: PartOf) -> None:
    assert is_heldout(part_of(seed).template) == (seed % 5 == 0)


@pytest.mark.parametrize("features", [1, 4, 8])
def test_a_seed_gives_one_part_with_what_is_asked_for(features: int) -> None:
    knobs = {"features": features, "implicit": 2, "decimals": 2, "datum": "corner", "base": "box"}
    part, again = (draw_part(Draws("cad", "tests", 3, "part"), knobs) for _ in range(2))
    assert part == again
    assert (len(part.tree.steps), part.tree.datum, len(part.tree.relations)) == (features, "corner", 2)


@pytest.mark.parametrize("base", ["box", "cylinder", "prism", "profile", "revolve", "loft", "sweep"])
def test_symmetric_parts_are_their_own_mirror_images(base: str) -> None:
    for seed in range(4):
        part = draw_part(Draws("cad", "symmetric", seed, "part"), {"symmetric": True, "base": base, "nesting": 2})
        assert is_same(part.model, Part(mirrored(part.tree)).model)


@pytest.mark.parametrize("seed", SEEDS)
def test_json_goes_both_ways(seed: int, part_of: PartOf) -> None:
    assert Part.from_json(part_of(seed).to_json()) == part_of(seed)


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e99999", "9" * 5000, "x", "-1", None, True, [], {}, 10**9])
def test_json_with_odd_values_is_refused_or_a_part(value: Any, part_of: PartOf) -> None:
    whole = part_of(7).to_json()

    def spots(node: Any) -> Any:
        for key in node if isinstance(node, dict) else range(len(node)):
            yield node, key
            if isinstance(node[key], (dict, list)):
                yield from spots(node[key])

    refused = 0
    for node, key in list(spots(whole["tree"])):
        kept, node[key] = node[key], value
        try:
            Part.from_json(whole).program()
        except PartError:
            refused += 1
        node[key] = kept
    assert refused > 10
    assert Part.from_json(whole) == part_of(7)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("register", REGISTERS)
def test_every_text_is_read_back_to_the_tree(seed: int, register: Any, part_of: PartOf) -> None:
    part = part_of(seed)
    for paraphrase in range(3):
        assert parse(part.text(register, paraphrase), register) == part.tree


@pytest.mark.parametrize("register", REGISTERS)
def test_a_text_with_something_left_out_is_another_part_or_none(register: Any, part_of: PartOf) -> None:
    part = part_of(9)
    text = part.text(register)
    lines = text.split("\n") if register != "layman" else text.split(". ")
    for index, line in enumerate(lines):
        if not line or line.startswith(("| item", "| ---", "Note")):
            continue
        shorter = ("\n" if register != "layman" else ". ").join(lines[:index] + lines[index + 1 :])
        try:
            found = parse(shorter, register)
        except (PartError, KeyError):
            continue
        assert found != part.tree


@pytest.mark.parametrize("register", REGISTERS)
def test_huge_numbers_in_texts_are_refused(register: Any, part_of: PartOf) -> None:
    with pytest.raises(PartError):
        parse(part_of(2).text(register).replace("1", "9" * 5000), register)


@pytest.mark.parametrize(
    "text", ["", "Step 1: a hole.", "Datum: somewhere.", "| base | box |", "\x00" * 99, "9" * 999, "the " * 9999]
)
@pytest.mark.parametrize("register", REGISTERS)
def test_texts_that_tell_no_part_are_refused(text: str, register: Any) -> None:
    with pytest.raises(PartError):
        parse(text, register)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_part_passes_its_own_tests(seed: int, part_of: PartOf) -> None:
    part = part_of(seed)
    assert [test for test in part.tests() if not holds(test, part.model)] == []


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_volume_agrees_with_membership(seed: int, part_of: PartOf) -> None:
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
