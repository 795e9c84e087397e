"""Lengths on a drawing: lines with arrows at both ends and a number beside them."""

from typing import Final

import numpy as np

from palestra.envs.cad.drawing.letters import lettered
from palestra.envs.cad.drawing.raster import OVERSAMPLING, Canvas
from palestra.envs.cad.drawing.scene import Floats, Scene
from palestra.envs.cad.records import View

INK: Final = (170, 30, 30)
PAPER: Final = (255, 255, 255)
_ARROW: Final = 0.03  # of the picture's size
_AWAY: Final = 0.055
_AXIS_COLOURS: Final = ((200, 40, 40), (30, 130, 50), (40, 70, 200))


def number(length: float) -> str:
    """Return a length with two decimals at most, without zeros at its end."""
    return f"{length:.2f}".rstrip("0").rstrip(".")


def write(canvas: Canvas, text: str, middle: Floats, colour: tuple[int, int, int] = INK) -> None:
    """Write a line of text on white, around a place, moved inside the picture where it would hang over."""
    dots = lettered(text, _dot(canvas))
    height, width = dots.shape
    margin, fine = 2 * _dot(canvas), canvas.size * OVERSAMPLING
    left = int(np.clip(round(middle[0] * OVERSAMPLING - width / 2), margin, max(margin, fine - width - margin)))
    top = int(np.clip(round(middle[1] * OVERSAMPLING - height / 2), margin, max(margin, fine - height - margin)))
    canvas.stamp(np.ones((height + 2 * margin, width + 2 * margin), dtype=bool), left - margin, top - margin, PAPER)
    canvas.stamp(dots, left, top, colour)


def text_size(canvas: Canvas, text: str) -> Floats:
    """Return how wide and high a line of text is, in pixels shown."""
    height, width = lettered(text, _dot(canvas)).shape
    return np.array([width, height]) / OVERSAMPLING


def measure_box(canvas: Canvas, view: View, scene: Scene, place: "Place") -> None:
    """Draw the lengths of the bounding box that a view shows."""
    low, high = scene.low, scene.high
    if view == "isometric":
        front, right = np.array([high[0], low[1], low[2]]), np.array([high[0], high[1], low[2]])
        _length(canvas, place, (low, front), np.array([0.0, -1.0, 0.0]))
        _length(canvas, place, (front, right), np.array([1.0, 0.0, 0.0]))
        _length(canvas, place, (right, high), np.array([0.7, 0.7, 0.0]))
        return
    across, up, _ = place.axes
    begin = np.where(across + up >= 0, low, high)  # to the lower left
    corner = np.where(np.abs(across) > 0.5, low + high - begin, begin)
    end = np.where(np.abs(up) > 0.5, low + high - begin, corner)
    _length(canvas, place, (begin, corner), -up)
    _length(canvas, place, (corner, end), across)


def mark_axes(canvas: Canvas, axes: Floats) -> None:
    """Draw which way x, y and z go, in the upper right corner."""
    length = 0.075 * canvas.size
    base = np.array([0.85 * canvas.size, 0.12 * canvas.size])
    for name, axis, colour in zip("xyz", axes.T, _AXIS_COLOURS, strict=True):
        along = np.array([axis[0], -axis[1]])
        if np.hypot(*along) < 0.1:
            continue
        tip = base + along * length
        canvas.line(_flat(base, tip), colour, width=3)
        write(canvas, name, tip + along / np.hypot(*along) * 0.03 * canvas.size, colour)


def label(canvas: Canvas, text: str, at: Floats, away_from: Floats) -> None:
    """Write beside a place on paper, with a line to it."""
    away = at - away_from
    along = away / np.hypot(*away) if np.hypot(*away) > 1.0 else np.array([0.6, -0.8])
    begin = at + along * 0.13 * canvas.size
    canvas.line(_flat(begin, at), INK, width=2)
    _arrow(canvas, at, -along)
    write(canvas, text, begin + along * text_size(canvas, text) / 2)


class Place:
    """Where a view puts points in space on its canvas."""

    def __init__(self, axes: Floats, scale: float, centre: Floats, middle: Floats) -> None:
        """Put `centre`, right and up in the turned space, at `middle` of the canvas, `scale` pixels a millimetre."""
        self.axes, self._scale, self._centre, self._middle = axes, scale, centre, middle

    def __call__(self, points: Floats) -> Floats:
        """Return right, down, and towards the reader, all in pixels, of points (..., 3)."""
        turned = points @ self.axes.T
        placed = turned * self._scale
        placed[..., 0] = (turned[..., 0] - self._centre[0]) * self._scale + self._middle[0]
        placed[..., 1] = self._middle[1] - (turned[..., 1] - self._centre[1]) * self._scale
        return placed


def _length(canvas: Canvas, place: Place, ends: tuple[Floats, Floats], out: Floats) -> None:
    """Draw the distance of two points in space, on a line moved outwards."""
    begin, end = place(ends[0])[:2], place(ends[1])[:2]
    moved = (place(ends[0] + out) - place(ends[0]))[:2]
    moved = moved / np.hypot(*moved) * _AWAY * canvas.size
    for corner in (begin, end):
        canvas.line(_flat(corner + 0.2 * moved, corner + 1.25 * moved), INK, width=1)
    begin, end = begin + moved, end + moved
    size, along = np.hypot(*(end - begin)), _unit(end - begin)
    is_short = size < 3 * _ARROW * canvas.size
    if is_short:
        canvas.line(_flat(begin - along * 2 * _ARROW * canvas.size, end + along * 2 * _ARROW * canvas.size), INK)
    canvas.line(_flat(begin, end), INK, width=2)
    for tip, way in ((begin, -along), (end, along)):
        _arrow(canvas, tip, -way if is_short else way)
    text = number(float(np.linalg.norm(ends[1] - ends[0])))
    away = _unit(moved)
    half = text_size(canvas, text) / 2 + 0.012 * canvas.size
    write(canvas, text, (begin + end) / 2 + away * (np.abs(away) @ half))


def _arrow(canvas: Canvas, tip: Floats, way: Floats) -> None:
    """Draw an arrowhead that points a way."""
    length, side = _ARROW * canvas.size, np.array([-way[1], way[0]])
    backs = [tip - way * length + side * length * 0.3 * share for share in np.linspace(-1, 1, 9)]
    canvas.line(np.concatenate([_flat(tip, back) for back in backs]), INK, width=1)


def _flat(begin: Floats, end: Floats) -> Floats:
    """Return a line on paper as the canvas takes it."""
    return np.array([[[begin[0], begin[1], 0.0], [end[0], end[1], 0.0]]])


def _unit(vector: Floats) -> Floats:
    size = float(np.hypot(*vector))
    return vector / size if size > 1e-9 else np.array([1.0, 0.0])


def _dot(canvas: Canvas) -> int:
    """Return the fine pixels that a dot of a letter is wide."""
    return max(2, round(canvas.size * OVERSAMPLING * 1.5 / 256))
