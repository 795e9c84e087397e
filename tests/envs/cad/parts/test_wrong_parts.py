"""Mutants fail a test of the part; edits change it as they say; faulty programs are not the right one."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from palestra.envs.cad.parts import Part, PartError
from palestra.envs.cad.parts.feature_tests import holds
from palestra.envs.cad.parts.mutants import is_same, mirrored, without_step
from palestra.envs.cad.parts.tree import Tree, independent
from palestra.envs.draws import Draws

PartOf = Callable[[int], Part]


@pytest.mark.parametrize("seed", range(12))
def test_every_mutant_fails_a_test(seed: int, part_of: PartOf) -> None:
    part = part_of(seed)
    tests = part.tests()
    passed = [kind for kind, other in part.mutants() if all(holds(test, other.model) for test in tests)]
    assert passed == []


@pytest.mark.parametrize("seed", range(12))
def test_every_feature_matters(seed: int, part_of: PartOf) -> None:
    part = part_of(seed)
    kinds = [kind for kind, _ in part.mutants()]
    for number in range(1, len(part.tree.steps) + 1):
        assert any(kind.endswith(f"of step {number} left out") for kind in kinds)


def test_nearly_every_dimension_has_a_mutant(part_of: PartOf) -> None:
    wanted, found = 0, 0
    for seed in range(12):
        kinds = [kind for kind, _ in part_of(seed).mutants()]
        told = independent(part_of(seed).tree).items()
        sizes = [path for path, value in told if isinstance(value, Decimal) and value]
        wanted += len(sizes)
        found += sum(any(kind.startswith(f"{path} ") for kind in kinds) for path in sizes)
    assert found >= 0.97 * wanted > 100  # some parts are so full that nothing of them can be larger or smaller


@pytest.mark.parametrize("seed", range(12))
def test_mirroring_twice_gives_the_part_again(seed: int, part_of: PartOf) -> None:
    tree = part_of(seed).tree
    twice = Part(mirrored(mirrored(tree)))
    assert is_same(part_of(seed).model, twice.model)
    assert abs(twice.volume()[0] - part_of(seed).volume()[0]) < 1e-6


def test_what_stands_on_a_step_goes_with_it(part_of: PartOf) -> None:
    tree: Tree = next(
        part_of(seed).tree for seed in range(99) if any(isinstance(step.on, int) for step in part_of(seed).tree.steps)
    )
    number = next(step.on for step in tree.steps if isinstance(step.on, int))
    left = without_step(tree, number)
    assert len(left.steps) <= len(tree.steps) - 2
    Part(left)


@pytest.mark.parametrize("seed", range(12))
def test_an_edit_changes_the_part_and_says_so(seed: int, part_of: PartOf) -> None:
    part = part_of(seed)
    for distance in (1, 2, 3):
        try:
            changed, told = part.edit(Draws("cad", "tests", seed, "edit"), distance)
        except PartError:
            assert distance > 1  # a crowded part may have room for one change only
            continue
        assert not is_same(part.model, changed.model)
        assert len(told.splitlines()) == distance
        assert changed.program() != part.program()


@pytest.mark.parametrize("seed", range(6))
def test_faults_are_of_many_kinds_and_never_the_right_program(seed: int, part_of: PartOf) -> None:
    part = part_of(seed)
    found = part.faults(Draws("cad", "tests", seed, "faults"))
    assert part.program() not in [source for source, _ in found]
    kinds = [kind for _, kind in found]
    assert len(kinds) == len(set(kinds))
    assert {"missing result", "wrong name", "wrong sign", "missing feature", "wrong dimension"} <= set(kinds)
