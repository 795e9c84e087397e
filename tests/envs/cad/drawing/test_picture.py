"""Pictures are the same bytes for the same part, show what is in front, and tell the lengths of the box."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest

from palestra.envs.cad.drawing.dimensions import INK, number
from palestra.envs.cad.drawing.letters import DIAMETER, HEIGHT, WIDTH, lettered
from palestra.envs.cad.drawing.picture import pictured
from palestra.envs.cad.drawing.scene import Floats, Scene, axes_of
from palestra.envs.cad.records import VIEWS, Picture, View

SIDES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))  # outwards


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Scene:
    """Return a box, each of its sides with corners of its own."""
    corners = np.array(list(itertools.product(*zip(low, high, strict=True))))
    vertices = np.concatenate([corners[list(side)] for side in SIDES])
    normals = np.repeat([[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]], 4, axis=0)
    triangles = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]]) + 4 * side for side in range(6)])
    pairs = [(a, b) for a, b in itertools.combinations(range(8), 2) if bin(a ^ b).count("1") == 1]
    lines = np.array([[corners[a], corners[b]] for a, b in pairs])
    smooth = np.zeros(len(lines), dtype=bool)
    return Scene(vertices, normals.astype(float), triangles, lines, smooth, np.array(low, float), np.array(high, float))


def together(*scenes: Scene) -> Scene:
    """Return several scenes as one."""
    begins = np.cumsum([0, *(len(one.vertices) for one in scenes)])
    return Scene(
        np.concatenate([one.vertices for one in scenes]),
        np.concatenate([one.normals for one in scenes]),
        np.concatenate([one.triangles + begin for one, begin in zip(scenes, begins, strict=False)]),
        np.concatenate([one.lines for one in scenes]),
        np.concatenate([one.is_smooth for one in scenes]),
        np.min([one.low for one in scenes], axis=0),
        np.max([one.high for one in scenes], axis=0),
    )


BLOCK = box((0, 0, 0), (60, 40, 20))


def drawn(scene: Scene, *views: View, **options: Any) -> Floats:
    return pictured(scene, Picture(views, **options)).astype(float)


def part_of(pixels: Floats) -> tuple[int, int]:
    """Return how many columns and rows are not white."""
    is_drawn = pixels.min(axis=2) < 250
    return int(is_drawn.max(axis=0).sum()), int(is_drawn.max(axis=1).sum())


@pytest.mark.parametrize("view", VIEWS)
def test_the_same_scene_gives_the_same_bytes(view: View) -> None:
    first, second = (pictured(BLOCK, Picture((view,), 128, True)) for _ in range(2))
    assert first.shape == (128, 128, 3)
    assert first.dtype == np.uint8
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_seen_from_outside_and_not_mirrored(view: View) -> None:
    axes = axes_of(view)
    assert np.allclose(axes @ axes.T, np.eye(3))
    assert np.linalg.det(axes) == pytest.approx(1.0)


def test_views_stand_side_by_side_at_one_scale() -> None:
    pixels = drawn(BLOCK, "front", "top", "right", size=200)
    assert pixels.shape == (200, 600, 3)
    front, top, right = (part_of(pixels[:, start : start + 200]) for start in (0, 200, 400))
    scale = front[0] / 60
    for found, wanted in ((front, (60, 20)), (top, (60, 40)), (right, (40, 20))):
        assert found == pytest.approx((wanted[0] * scale, wanted[1] * scale), abs=3)


def test_what_is_behind_is_not_drawn() -> None:
    behind = box((20, 60, 5), (40, 70, 15))
    alone = dataclasses.replace(BLOCK, high=np.maximum(BLOCK.high, behind.high))
    both = together(BLOCK, behind)
    assert np.array_equal(drawn(alone, "front"), drawn(both, "front"))
    assert not np.array_equal(drawn(alone, "back"), drawn(both, "back"))


def test_edges_in_front_are_drawn_and_sides_differ_in_light() -> None:
    pixels = drawn(BLOCK, "isometric")
    assert (pixels.sum(axis=2) < 200).sum() > 300  # dark lines
    colours, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    assert len(colours[(counts > 1000) & (colours[:, 0] < 250)]) == 3


def test_lengths_are_written_only_if_asked_for() -> None:
    def ink(**options: Any) -> int:
        pixels = drawn(BLOCK, "isometric", **options)
        return int((np.abs(pixels - np.array(INK)).max(axis=2) < 8).sum())

    assert ink() == 0
    assert ink(has_dimensions=True) > 100


def test_another_length_is_another_picture() -> None:
    other = box((0, 0, 0), (60, 40, 20.01))
    assert np.abs(drawn(BLOCK, "front") - drawn(other, "front")).max() < 60
    lengths = drawn(BLOCK, "front", has_dimensions=True) - drawn(other, "front", has_dimensions=True)
    assert (np.abs(lengths).max(axis=2) > 60).sum() > 20


@pytest.mark.parametrize(
    ("length", "text"), [(60.0, "60"), (12.5, "12.5"), (44.7214, "44.72"), (0.004, "0"), (100, "100")]
)
def test_numbers_have_two_decimals_at_most(length: float, text: str) -> None:
    assert number(length) == text


def test_every_letter_of_views_and_lengths_is_known() -> None:
    for letter in f"{''.join(VIEWS).upper()}0123456789.(m)xyz{DIAMETER}":
        assert lettered(letter, 1).any(), letter
    assert lettered("12", 2).shape == (2 * HEIGHT, 2 * (2 * WIDTH + 1))


def test_labels_point_at_places() -> None:
    plain = drawn(BLOCK, "top")
    marked = drawn(BLOCK, "top", marks={"labels": [{"text": f"{DIAMETER}5", "at": [50, 30, 20]}]})
    changed = np.argwhere(np.abs(plain - marked).max(axis=2) > 50)
    assert 20 < len(changed) < 1500


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (Picture(()), "views are some of"),
        (Picture(("inside",)), "views are some of"),  # type: ignore[arg-type]
        (Picture(size=8), "from 32 to 1024"),
        (Picture(size=100_000), "from 32 to 1024"),
        (Picture(marks={"arrows": []}), "no marks are called 'arrows'"),
        (Picture(marks={"labels": [{"text": "a"}]}), "a label has a text and a place"),
        (Picture(marks={"labels": [{"text": "a", "at": [0, 0, float("nan")]}]}), "a label has a text and a place"),
    ],
)
def test_pictures_that_make_no_sense_are_refused(picture: Picture, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        pictured(BLOCK, picture)


def test_too_much_on_top_of_each_other_is_refused() -> None:
    sheets = together(*(box((0, 0, level), (60, 40, level + 0.1)) for level in range(100)))
    with pytest.raises(ValueError, match="too much on top of each other"):
        drawn(sheets, "top", size=1024)
