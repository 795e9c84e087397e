"""The verifier's own geometry agrees with the tests of parts: right ones pass all of them, wrong ones do not."""

import io
from collections.abc import Callable

import pytest

from palestra.envs.cad.geometry import tests as looking
from palestra.envs.cad.geometry.loading import loaded
from palestra.envs.cad.geometry.part import Part as Shape
from palestra.envs.cad.parts import Part
from palestra.envs.cad.records import ShapeLimits

PartOf = Callable[[int], Part]


def shape_of(part: Part) -> Shape:
    """Return what the verifier loads of a part's program."""
    names: dict[str, object] = {}
    exec(part.program(), names)
    written = io.BytesIO()
    names["result"].val().exportBrep(written)  # type: ignore[attr-defined]
    return loaded(written.getvalue(), ShapeLimits())


def assert_judged(part: Part, every: int) -> None:
    """Assert that a part passes its tests and that some of its mutants, one in so many, do not."""
    tests = part.tests()
    right = shape_of(part)
    assert [one.reason for one in (looking.tested(right, test) for test in tests) if not one.passed] == []
    for kind, mutant in part.mutants()[::every]:
        wrong = shape_of(mutant)
        assert not all(looking.tested(wrong, test).passed for test in tests), kind


@pytest.mark.parametrize("seed", [1, 2])
def test_mutants_are_told_by_the_verifier(seed: int, part_of: PartOf) -> None:
    assert_judged(part_of(seed), every=12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *range(3, 9)])
def test_many_mutants_are_told_by_the_verifier(seed: int, part_of: PartOf) -> None:
    assert_judged(part_of(seed), every=10)
