"""What shapes are paid: values worked out by hand, edges, and what is missing or invalid."""

import math

import pytest

from palestra.envs.cad import records
from palestra.envs.cad.records import Comparison
from palestra.envs.cad.rewards import (
    Weights,
    bench_cad,
    cad_coder,
    cad_rl,
    cadrille,
    gain_over,
    graded,
    is_pass,
    summary,
)

HELD, BROKEN = records.Tested({"kind": "solids"}, True, ""), records.Tested({"kind": "solids"}, False, "")


def made(
    iou: float, *tests: records.Tested, box: float = 0.5, topology: float = 1.0, chamfer: float = 0.0
) -> Comparison:
    return Comparison(
        iou=iou,
        iou_box=box,
        is_exact=True,
        spread=0.0,
        chamfer=chamfer,
        hausdorff=chamfer,
        normals=1.0,
        topology=topology,
        tests=tests,
    )


@pytest.mark.parametrize(
    ("iou", "free", "want"),
    [
        (1.0, 0.5, 1.0),
        (0.75, 0.5, 0.5),
        (0.9, 0.8, 0.5),
        (0.5, 0.5, 0.0),
        (0.3, 0.5, 0.0),
        (0.4, 0.0, 0.4),
        (2.0, 0.5, 1.0),
        (-1.0, 0.0, 0.0),
        (0.7, 1.0, 0.7),  # of what was the part already, what is lost is not paid
    ],
)
def test_a_gain_is_a_share_of_what_was_lacking(iou: float, free: float, want: float) -> None:
    assert gain_over(iou, free) == pytest.approx(want)
    assert bench_cad(made(iou), made(free)) == pytest.approx(want)


def test_a_shape_passes_with_its_overlap_and_every_test() -> None:
    assert is_pass(made(0.99, HELD, HELD))
    assert is_pass(made(1.0))
    assert not is_pass(made(0.98999, HELD))
    assert not is_pass(made(1.0, HELD, BROKEN))


def test_a_reward_is_of_three_parts() -> None:
    found = made(0.75, HELD, BROKEN, topology=0.5)  # gain 0.5
    assert graded(found, None) == pytest.approx({"gain": 0.3125, "features": 0.125, "topology": 0.0625})
    equal = Weights(gain=0.5, features=0.25, topology=0.25)
    assert graded(found, None, equal) == pytest.approx({"gain": 0.25, "features": 0.125, "topology": 0.125})
    assert sum(graded(made(0.99, HELD, topology=0.2), None).values()) == 1.0


def test_what_is_free_is_not_paid() -> None:
    free = made(0.5, HELD, BROKEN, topology=0.5)  # worth 1/8 + 1/16 without its gain
    found = made(0.75, HELD, BROKEN, topology=0.5)  # 8/16: 5/16 more, of 13/16 that were lacking
    parts = graded(found, free)
    assert sum(parts.values()) == pytest.approx(5 / 13)
    assert parts["gain"] == pytest.approx(5 / 13 * 5 / 8)
    assert sum(graded(free, free).values()) == 0.0
    assert sum(graded(made(0.4, HELD, HELD), free).values()) == 0.0  # no better than the box, whatever tests it passes
    assert sum(graded(made(0.5 + 1e-9, HELD, HELD), free).values()) == 0.0  # equal, but for rounding
    assert sum(graded(None, free).values()) == 0.0
    assert sum(graded(made(0.989, HELD, HELD), free).values()) < 1.0


@pytest.mark.parametrize("weights", [(0.5, 0.5, 0.5), (1.5, -0.5, 0.0), (math.nan, 0.5, 0.5)])
def test_weights_add_up_to_one(weights: tuple[float, float, float]) -> None:
    gain, features, topology = weights
    with pytest.raises(ValueError, match="add up to 1"):
        Weights(gain=gain, features=features, topology=topology)


def test_cad_rl_multiplies_by_what_runs() -> None:
    assert cad_rl(None) == 0.0
    assert cad_rl(None, lambda found: 1.0) == 0.0
    assert cad_rl(made(0.8)) == 0.8
    assert cad_rl(made(0.8), lambda found: 0.4) == pytest.approx(0.6)
    weighted = cad_rl(made(0.8), lambda found: 0.5, geometry_weight=0.75, evaluation_weight=0.25)
    assert weighted == pytest.approx(0.725)
    for said in (1.5, -0.1, math.nan):
        with pytest.raises(ValueError, match=r"in \[0, 1\]"):
            cad_rl(made(said), lambda found: found.iou)


def test_cadrille_pays_ten_times_the_overlap() -> None:
    assert [cadrille(None), cadrille(made(0.0)), cadrille(made(0.75)), cadrille(made(1.0))] == [-10.0, 0.0, 7.5, 10.0]


@pytest.mark.parametrize(
    ("chamfer", "extent", "want"),
    [
        (0.0, 100.0, 1.0),
        (1e-3, 100.0, 1.0),  # 1e-5 of the extent
        (50.0, 100.0, 0.0),
        (80.0, 100.0, 0.0),
        (25.0005, 100.0, 0.5),  # halfway between 1e-5 and 0.5
        (5.0, 20.0, (0.5 - 0.25) / (0.5 - 1e-5)),
        (math.nan, 20.0, 0.0),
        (math.inf, 20.0, 0.0),
    ],
)
def test_cad_coder_pays_along_a_line(chamfer: float, extent: float, want: float) -> None:
    assert cad_coder(made(1.0, chamfer=chamfer), extent) == pytest.approx(want)
    assert cad_coder(None, extent) == 0.0


@pytest.mark.parametrize("extent", [0.0, -1.0, math.nan, math.inf])
def test_an_extent_is_a_length(extent: float) -> None:
    with pytest.raises(ValueError, match="extent"):
        cad_coder(None, extent)


def test_invalid_shapes_count_as_nothing_and_are_told() -> None:
    told = summary([made(1.0, HELD, chamfer=1.0), made(0.5, BROKEN, chamfer=3.0), None, None])
    assert told.count == 4
    assert (told.invalid, told.passed, told.iou, told.iou_valid, told.chamfer) == (0.5, 0.25, 0.375, 0.75, 2.0)
    nothing = summary([None])
    assert (nothing.invalid, nothing.iou, nothing.iou_valid, nothing.chamfer) == (1.0, 0.0, 0.0, None)
    with pytest.raises(ValueError, match="at least one"):
        summary([])
