"""A canvas with depth: triangles filled row by row, and lines over them where nothing is in front."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from palestra.envs.cad.drawing.scene import Floats, Integers

Pixels = NDArray[np.uint8]
OVERSAMPLING: Final = 2
_MOST_PIECES: Final = 4_000_000  # pixels filled at a time


class Canvas:
    """A square of pixels, drawn finer than it is shown. Places are in pixels shown, from its upper left corner."""

    def __init__(self, size: int, colour: tuple[int, int, int]) -> None:
        self.size = size
        self._fine = size * OVERSAMPLING
        self._depth = np.full(self._fine * self._fine, -np.inf)
        self._colours = np.empty((self._fine * self._fine, 3), np.float64)
        self._colours[:] = colour
        self._near: Floats | None = None

    def fill(self, corners: Floats, lights: Floats, colour: tuple[int, int, int]) -> None:
        """Fill triangles, the nearest to the reader last.

        Args:
            corners: (T, 3, 3): right, down, towards the reader.
            lights: (T, 3): how bright each corner is, from 0 to 1.
            colour: of what is lit fully.
        """
        corners = corners * np.array([OVERSAMPLING, OVERSAMPLING, 1.0])
        pixel, depth, light = _rasterised(corners, lights, self._fine)
        np.maximum.at(self._depth, pixel, depth)
        shown = depth >= self._depth[pixel]
        self._colours[pixel[shown]] = light[shown, None] * np.array(colour, np.float64)
        self._near = None

    def line(self, ends: Floats, colour: tuple[int, int, int], *, width: int = 2, slack: float | None = None) -> None:
        """Draw lines, hidden where something is nearer by more than `slack`; None: nothing hides them.

        Args:
            ends: (L, 2, 3): right, down, towards the reader.
            colour: of the line.
            width: in fine pixels.
            slack: in the unit of depth.
        """
        if not len(ends):
            return
        points = _sampled(ends * np.array([OVERSAMPLING, OVERSAMPLING, 1.0]))
        inside = ((points[:, :2] >= 0) & (points[:, :2] < self._fine)).all(axis=1)
        points = points[inside]
        column, row = points[:, 0].astype(np.int64), points[:, 1].astype(np.int64)
        if slack is not None:
            seen = points[:, 2] + slack >= self._around()[row, column]
            column, row = column[seen], row[seen]
        first = -(width // 2)
        for right in range(first, first + width):
            for down in range(first, first + width):
                x, y = np.clip(column + right, 0, self._fine - 1), np.clip(row + down, 0, self._fine - 1)
                self._colours[y * self._fine + x] = colour

    def stamp(self, mask: NDArray[np.bool_], left: int, top: int, colour: tuple[int, int, int]) -> None:
        """Colour the fine pixels that a mask names, put at a fine place; what hangs over is left out."""
        rows, columns = np.nonzero(mask)
        rows, columns = rows + top, columns + left
        inside = (rows >= 0) & (rows < self._fine) & (columns >= 0) & (columns < self._fine)
        self._colours[rows[inside] * self._fine + columns[inside]] = colour

    def shown(self) -> Pixels:
        """Return the canvas as it is shown: (size, size, 3)."""
        parts = self._colours.reshape(self.size, OVERSAMPLING, self.size, OVERSAMPLING, 3)
        pixels: Pixels = np.rint(parts.mean(axis=(1, 3))).clip(0, 255).astype(np.uint8)
        return pixels

    def _around(self) -> Floats:
        """Return for each pixel the farthest depth of it and its neighbours, since lines lie between faces."""
        if self._near is None:
            depth = np.pad(self._depth.reshape(self._fine, self._fine), 1, mode="edge")
            rows = np.minimum(np.minimum(depth[:-2], depth[1:-1]), depth[2:])
            self._near = np.minimum(np.minimum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
        return self._near


def _sampled(ends: Floats) -> Floats:
    """Return points on lines, at most half a pixel from each other."""
    begin, step = ends[:, 0], ends[:, 1] - ends[:, 0]
    counts = np.ceil(np.abs(step[:, :2]).max(axis=1) * 2).astype(np.int64) + 1
    line, position = _counted(counts)
    points: Floats = begin[line] + step[line] * (position / np.maximum(counts[line] - 1, 1))[:, None]
    return points


def _counted(counts: Integers) -> tuple[Integers, Integers]:
    """Return for each of so many things its number, and the number of the piece within it."""
    things = np.repeat(np.arange(len(counts)), counts)
    begins = np.cumsum(counts) - counts
    return things, np.arange(len(things)) - begins[things]


def _rasterised(corners: Floats, lights: Floats, fine: int) -> tuple[Integers, Floats, Floats]:
    """Return for all triangles the pixels whose middles they cover, and depth and light there."""
    x, y = corners[:, :, 0], corners[:, :, 1]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    kept = np.abs(area) > 1e-9
    corners, lights, area = corners[kept], lights[kept], area[kept]
    x, y = corners[:, :, 0], corners[:, :, 1]
    first = np.clip(np.ceil(y.min(axis=1) - 0.5), 0, fine).astype(np.int64)
    last = np.clip(np.ceil(y.max(axis=1) - 0.5), 0, fine).astype(np.int64)
    triangle, row = _counted(last - first)
    row = row + first[triangle]
    left, right = _spans(x[triangle], y[triangle], row + 0.5)
    begin = np.clip(np.ceil(left - 0.5), 0, fine).astype(np.int64)
    count = np.clip(np.ceil(right - 0.5), 0, fine).astype(np.int64) - begin
    if count.sum() > _MOST_PIECES:
        raise ValueError("there is too much on top of each other to be drawn; make the shape simpler")
    span, column = _counted(np.maximum(count, 0))
    column = column + begin[span]
    owner = triangle[span]
    right_of, below = column + 0.5 - x[owner, 0], row[span] + 0.5 - y[owner, 0]
    planes = _slopes(corners, corners[:, :, 2], area), _slopes(corners, lights, area)
    depth, light = (
        values[owner, 0] + across[owner] * right_of + down[owner] * below
        for values, (across, down) in zip((corners[:, :, 2], lights), planes, strict=True)
    )
    return row[span] * fine + column, depth, np.clip(light, 0.0, 1.0)


def _spans(x: Floats, y: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Return where rows at some heights enter and leave their triangles."""
    left, right = np.full(len(at), np.inf), np.full(len(at), -np.inf)
    for begin, end in ((0, 1), (1, 2), (2, 0)):
        rise = y[:, end] - y[:, begin]
        crosses = (np.minimum(y[:, begin], y[:, end]) <= at) & (at <= np.maximum(y[:, begin], y[:, end])) & (rise != 0)
        share = (at - y[:, begin]) / np.where(crosses, rise, 1.0)
        place = x[:, begin] + share * (x[:, end] - x[:, begin])
        left = np.where(crosses, np.minimum(left, place), left)
        right = np.where(crosses, np.maximum(right, place), right)
    return np.where(np.isfinite(left), left, 0.0), np.where(np.isfinite(right), right, 0.0)


def _slopes(corners: Floats, values: Floats, area: Floats) -> tuple[Floats, Floats]:
    """Return how much values at corners change with a pixel to the right, and with one down."""
    x, y = corners[:, :, 0], corners[:, :, 1]
    (x1, x2), (y1, y2) = (x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), (y[:, 1] - y[:, 0], y[:, 2] - y[:, 0])
    v1, v2 = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    return (v1 * y2 - v2 * y1) / area, (x1 * v2 - x2 * v1) / area
