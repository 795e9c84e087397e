"""Solids with closed forms, of which parts are made by adding and taking away: volume, centroid, membership."""

from dataclasses import dataclass, field
from functools import cached_property
from math import hypot, pi
from typing import Final, Literal, Protocol

import numpy as np

from palestra.envs.cad.parts.section import Bounds, Disc, Floats, Mask, Outline, Rounded, Section

Box3 = tuple[tuple[float, float, float], tuple[float, float, float]]
IN_PLANE: Final = ((1, 2), (0, 2), (0, 1))  # the coordinates that vary in a plane square to each axis, in order


class Solid(Protocol):
    """A body whose volume and centroid are known."""

    @property
    def volume(self) -> float: ...

    @property
    def centroid(self) -> tuple[float, float, float]: ...

    @property
    def bounds(self) -> Box3: ...

    def contains(self, points: Floats) -> Mask:
        """Return which of (n, 3) points lie in it."""
        ...


def in_space(axis: int, along: float, a: float, b: float) -> tuple[float, float, float]:
    """Return the point of a height along an axis and the two other coordinates."""
    found = [a, b]
    found.insert(axis, along)
    return found[0], found[1], found[2]


@dataclass(frozen=True)
class Extrusion:
    """A section along an axis."""

    axis: int
    low: float
    high: float
    section: Section

    @property
    def volume(self) -> float:
        return self.section.area * (self.high - self.low)

    @property
    def centroid(self) -> tuple[float, float, float]:
        return in_space(self.axis, (self.low + self.high) / 2, *self.section.centroid)

    @property
    def bounds(self) -> Box3:
        return _bounds(self.axis, self.low, self.high, self.section.bounds)

    def contains(self, points: Floats) -> Mask:
        along, a, b = _split(points, self.axis)
        return (along >= self.low) & (along <= self.high) & self.section.contains(a, b)


@dataclass(frozen=True)
class Cone:
    """A frustum along an axis."""

    axis: int
    a: float
    b: float
    low: float
    high: float
    low_radius: float
    high_radius: float

    @property
    def volume(self) -> float:
        small, large = self.low_radius, self.high_radius
        return pi * (self.high - self.low) * (small**2 + small * large + large**2) / 3

    @property
    def centroid(self) -> tuple[float, float, float]:
        small, large = self.low_radius, self.high_radius
        share = (small**2 + 2 * small * large + 3 * large**2) / (4 * (small**2 + small * large + large**2))
        return in_space(self.axis, self.low + share * (self.high - self.low), self.a, self.b)

    @property
    def bounds(self) -> Box3:
        return _bounds(
            self.axis, self.low, self.high, Disc(self.a, self.b, max(self.low_radius, self.high_radius)).bounds
        )

    def contains(self, points: Floats) -> Mask:
        along, a, b = _split(points, self.axis)
        radius = self.low_radius + (self.high_radius - self.low_radius) * (along - self.low) / (self.high - self.low)
        return (along >= self.low) & (along <= self.high) & (np.hypot(a - self.a, b - self.b) <= radius)


@dataclass(frozen=True)
class Taper:
    """From one rectangle about the z axis's parallel through (a, b) straight to another."""

    a: float
    b: float
    low: float
    high: float
    low_size: tuple[float, float]
    high_size: tuple[float, float]

    def _area(self, share: float) -> float:
        one, other = (start + share * (end - start) for start, end in zip(self.low_size, self.high_size, strict=True))
        return one * other

    @property
    def volume(self) -> float:
        return (self.high - self.low) * (self._area(0.0) + 4 * self._area(0.5) + self._area(1.0)) / 6

    @property
    def centroid(self) -> tuple[float, float, float]:
        height = self.high - self.low
        moment = height * height * (2 * self._area(0.5) + self._area(1.0)) / 6  # Simpson: the integrand is cubic
        return self.a, self.b, self.low + moment / self.volume

    @property
    def bounds(self) -> Box3:
        length, width = (max(pair) for pair in zip(self.low_size, self.high_size, strict=True))
        return _bounds(2, self.low, self.high, Rounded(self.a, self.b, length, width).bounds)

    def contains(self, points: Floats) -> Mask:
        share = (points[:, 2] - self.low) / (self.high - self.low)
        inside = (share >= 0.0) & (share <= 1.0)
        for column, middle, start, end in zip((0, 1), (self.a, self.b), self.low_size, self.high_size, strict=True):
            inside &= np.abs(points[:, column] - middle) <= (start + share * (end - start)) / 2
        return inside


@dataclass(frozen=True)
class Rimmed:
    """An upright convex outline or disc, the edge round whose top is bevelled or rounded."""

    outline: Outline | Disc
    low: float
    high: float
    kind: Literal["chamfer", "fillet"]
    size: float

    @cached_property
    def _rim(self) -> tuple[float, float]:
        """Volume of what lies beside the bevel, and its moment about the rim's lower plane."""
        if isinstance(self.outline, Disc):
            area, perimeter, square = self.outline.area, 2 * pi * self.outline.radius, pi
        else:
            area, perimeter, square = self.outline.area, self.outline.perimeter, self.outline.curvature
        s = self.size
        # integrals over t in [0, s] of d, d^2, t d and t d^2, where d(t) is the inset at t above the rim's lower plane
        first, second, third, fourth = (
            (s**2 / 2, s**3 / 3, s**3 / 3, s**4 / 4)
            if self.kind == "chamfer"
            else (s**2 * (1 - pi / 4), s**3 * (5 / 3 - pi / 2), s**3 / 6, s**4 / 12)
        )
        return (
            area * s - perimeter * first + square * second,
            area * s**2 / 2 - perimeter * third + square * fourth,
        )

    @property
    def volume(self) -> float:
        return self.outline.area * (self.high - self.size - self.low) + self._rim[0]

    @property
    def centroid(self) -> tuple[float, float, float]:
        brink = self.high - self.size
        below = self.outline.area * (brink - self.low)
        moment = below * (brink + self.low) / 2 + self._rim[0] * brink + self._rim[1]
        return (*self.outline.centroid, moment / self.volume)

    @property
    def bounds(self) -> Box3:
        return _bounds(2, self.low, self.high, self.outline.bounds)

    def contains(self, points: Floats) -> Mask:
        above = np.clip(points[:, 2] - (self.high - self.size), 0.0, self.size)
        inset = above if self.kind == "chamfer" else self.size - np.sqrt(self.size**2 - above**2)
        if isinstance(self.outline, Disc):
            away = np.hypot(points[:, 0] - self.outline.a, points[:, 1] - self.outline.b)
            inside: Mask = away <= self.outline.radius - inset
        else:
            inside = self.outline.inset_contains(points[:, 0], points[:, 1], inset)
        return inside & (points[:, 2] >= self.low) & (points[:, 2] <= self.high)


@dataclass(frozen=True)
class Bend:
    """A round rod along a quarter circle, from straight up at the origin's side to straight along +x."""

    start: float  # height where it begins, above the origin
    bend: float  # radius of its centre line
    radius: float

    @property
    def volume(self) -> float:
        return pi * self.radius**2 * self.bend * pi / 2

    @property
    def centroid(self) -> tuple[float, float, float]:
        away = 2 / pi * (self.bend + self.radius**2 / (4 * self.bend))  # from the bend's axis, along each leg
        return self.bend - away, 0.0, self.start + away

    @property
    def bounds(self) -> Box3:
        r = self.radius
        return (-r, -r, self.start), (self.bend, r, self.start + self.bend + r)

    def contains(self, points: Floats) -> Mask:
        x, z = self.bend - points[:, 0], points[:, 2] - self.start
        inside: Mask = (x >= 0) & (z >= 0) & (np.hypot(np.hypot(x, z) - self.bend, points[:, 1]) <= self.radius)
        return inside


@dataclass(frozen=True)
class Compound:
    """Solids that are added and taken away in turn, each wholly beside or wholly within what was there."""

    pieces: tuple[tuple[int, Solid], ...] = field(default=())  # +1 or -1

    @property
    def volume(self) -> float:
        return sum(sign * solid.volume for sign, solid in self.pieces)

    @property
    def centroid(self) -> tuple[float, float, float]:
        whole = self.volume
        x, y, z = (
            sum(sign * solid.volume * solid.centroid[i] for sign, solid in self.pieces) / whole for i in range(3)
        )
        return x, y, z

    @property
    def bounds(self) -> Box3:
        lows = [solid.bounds[0] for sign, solid in self.pieces if sign > 0]
        highs = [solid.bounds[1] for sign, solid in self.pieces if sign > 0]
        low = (min(one[0] for one in lows), min(one[1] for one in lows), min(one[2] for one in lows))
        high = (max(one[0] for one in highs), max(one[1] for one in highs), max(one[2] for one in highs))
        return low, high

    def contains(self, points: Floats) -> Mask:
        inside = np.zeros(len(points), dtype=np.bool_)
        for sign, solid in self.pieces:
            inside = inside | solid.contains(points) if sign > 0 else inside & ~solid.contains(points)
        return inside


def gap(one: Bounds, other: Bounds) -> float:
    """Return how far two rectangles lie apart; negative if they overlap in both coordinates."""
    a = max(one[0] - other[2], other[0] - one[2])
    b = max(one[1] - other[3], other[1] - one[3])
    return hypot(max(a, 0.0), max(b, 0.0)) if max(a, b) > 0 else max(a, b)


def _split(points: Floats, axis: int) -> tuple[Floats, Floats, Floats]:
    first, second = IN_PLANE[axis]
    return points[:, axis], points[:, first], points[:, second]


def _bounds(axis: int, low: float, high: float, flat: Bounds) -> Box3:
    return in_space(axis, low, flat[0], flat[1]), in_space(axis, high, flat[2], flat[3])
