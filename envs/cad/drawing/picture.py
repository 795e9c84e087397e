"""A picture of a scene: views side by side, all at one scale."""

from typing import Final

import numpy as np

from palestra.envs.cad.drawing.dimensions import PAPER, Place, label, mark_axes, measure_box, write
from palestra.envs.cad.drawing.raster import Canvas, Pixels
from palestra.envs.cad.drawing.scene import Floats, Scene, axes_of, corners_of, outlines
from palestra.envs.cad.records import VIEWS, Picture, View

SIZES: Final = (32, 1024)  # pixels
MOST_LABELS: Final = 64
_PART: Final = (176, 200, 228)
_EDGE: Final = (25, 35, 50)
_SMOOTH: Final = (120, 140, 165)
_GREY: Final = (110, 110, 110)
_LIGHT: Final = np.array([-0.32, 0.55, 0.77])  # from where, as the reader sees it
_AMBIENT: Final = 0.42
_PLAIN: Final = (0.07, 0.07, 0.07, 0.07)  # margins: left, right, above, below
_WITH_LENGTHS: Final = (0.17, 0.28, 0.14, 0.22)


def pictured(scene: Scene, picture: Picture) -> Pixels:
    """Return the views side by side: (size, views * size, 3).

    `marks` may hold "labels", each with a "text" and the place in space that it is "at".

    Raises:
        ValueError: there is no such view, size or mark, or too much lies on top of each other.
    """
    _check(picture)
    extents = [np.ptp(corners_of(scene) @ axes_of(view).T, axis=0)[:2] for view in picture.views]
    left, right, above, below = _WITH_LENGTHS if picture.has_dimensions else _PLAIN
    room = picture.size * np.array([1 - left - right, 1 - above - below])
    scale = float(min((room / np.maximum(extent, 1e-9)).min() for extent in extents))
    middle = picture.size * np.array([(1 + left - right) / 2, (1 + above - below) / 2])
    return np.concatenate([_view(scene, picture, view, scale, middle) for view in picture.views], axis=1)


def _view(scene: Scene, picture: Picture, view: View, scale: float, middle: Floats) -> Pixels:
    axes = axes_of(view)
    corners = corners_of(scene) @ axes.T
    place = Place(axes, scale, (corners.min(axis=0) + corners.max(axis=0))[:2] / 2, middle)
    canvas = Canvas(picture.size, PAPER)
    _fill(canvas, scene, axes, place)
    slack = 1.0  # pixels of depth
    canvas.line(place(scene.lines[scene.is_smooth]), _SMOOTH, width=1, slack=slack)
    canvas.line(place(outlines(scene, axes)), _EDGE, width=2, slack=2 * slack)
    canvas.line(place(scene.lines[~scene.is_smooth]), _EDGE, width=2, slack=slack)
    if picture.has_dimensions:
        measure_box(canvas, view, scene, place)
        mark_axes(canvas, axes)
        write(canvas, f"{view.upper()} (mm)", np.array([0.0, 0.045 * picture.size]), _GREY)
    for mark in picture.marks.get("labels", ()):
        at = place(np.array(mark["at"], dtype=np.float64))[:2]
        label(canvas, str(mark["text"])[:24], at, middle)
    return canvas.shown()


def _fill(canvas: Canvas, scene: Scene, axes: Floats, place: Place) -> None:
    corners = scene.vertices[scene.triangles]
    outwards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    seen = outwards @ axes[2] > 0
    shade = _AMBIENT + (1 - _AMBIENT) * np.clip(scene.normals @ axes.T @ _LIGHT, 0, 1)
    canvas.fill(place(corners[seen]), shade[scene.triangles[seen]], _PART)


def _check(picture: Picture) -> None:
    if not picture.views or any(view not in VIEWS for view in picture.views) or len(picture.views) > len(VIEWS):
        raise ValueError(f"views are some of {', '.join(VIEWS)}, not {list(picture.views)!r}")
    if type(picture.size) is not int or not SIZES[0] <= picture.size <= SIZES[1]:
        raise ValueError(
            f"a view's size is a whole number of pixels from {SIZES[0]} to {SIZES[1]}, not {picture.size!r}"
        )
    if unknown := sorted(set(picture.marks) - {"labels"}):
        raise ValueError(f"no marks are called {unknown[0]!r}; there are 'labels'")
    for mark in picture.marks.get("labels", ())[:MOST_LABELS]:
        if set(mark) != {"text", "at"} or not np.isfinite(np.array(mark["at"], dtype=np.float64)).all():
            raise ValueError(f"a label has a text and a place in space that it is at, not {mark!r}")
