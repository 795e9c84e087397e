"""Flat regions with closed forms: area, centroid, membership. Plain floats, in the coordinates of their plane."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import atan2, cos, hypot, pi, sin, tan
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Point = tuple[float, float]
Bounds = tuple[float, float, float, float]  # low a, low b, high a, high b


class Section(Protocol):
    """A region of a plane."""

    @property
    def area(self) -> float: ...

    @property
    def centroid(self) -> Point: ...

    @property
    def bounds(self) -> Bounds: ...

    def contains(self, a: Floats, b: Floats) -> Mask:
        """Return which of the points lie in it."""
        ...


@dataclass(frozen=True)
class Disc:
    """A disc."""

    a: float
    b: float
    radius: float

    @property
    def area(self) -> float:
        return pi * self.radius**2

    @property
    def centroid(self) -> Point:
        return self.a, self.b

    @property
    def bounds(self) -> Bounds:
        return self.a - self.radius, self.b - self.radius, self.a + self.radius, self.b + self.radius

    def contains(self, a: Floats, b: Floats) -> Mask:
        found: Mask = np.hypot(a - self.a, b - self.b) <= self.radius
        return found


@dataclass(frozen=True)
class Rounded:
    """A rectangle about a point whose corners have a radius: a slot if that is half its smaller edge."""

    a: float
    b: float
    length: float  # along a
    width: float
    radius: float = 0.0

    @property
    def area(self) -> float:
        return self.length * self.width - (4.0 - pi) * self.radius**2

    @property
    def centroid(self) -> Point:
        return self.a, self.b

    @property
    def bounds(self) -> Bounds:
        half, other = self.length / 2, self.width / 2
        return self.a - half, self.b - other, self.a + half, self.b + other

    def contains(self, a: Floats, b: Floats) -> Mask:
        beyond_a = np.abs(a - self.a) - (self.length / 2 - self.radius)
        beyond_b = np.abs(b - self.b) - (self.width / 2 - self.radius)
        found: Mask = (np.maximum(beyond_a, beyond_b) <= self.radius) & (
            np.hypot(np.maximum(beyond_a, 0.0), np.maximum(beyond_b, 0.0)) <= self.radius + 1e-12
        )
        return found


@dataclass(frozen=True)
class Corner:
    """One corner of an outline: where, which way its edges run, and how far they turn there."""

    at: Point
    back: Point  # unit, towards the corner before
    ahead: Point  # unit, towards the next one
    turn: float  # positive at a convex corner


@dataclass(frozen=True)
class Outline:
    """A polygon, counter-clockwise, all of whose corners have a radius (0: sharp)."""

    points: tuple[Point, ...]
    radius: float = 0.0

    @cached_property
    def corners(self) -> tuple[Corner, ...]:
        """Its corners in order."""
        found = []
        for index, here in enumerate(self.points):
            back = _unit(here, self.points[index - 1])
            ahead = _unit(here, self.points[(index + 1) % len(self.points)])
            turn = atan2(-back[0] * ahead[1] + back[1] * ahead[0], -back[0] * ahead[0] - back[1] * ahead[1])
            found.append(Corner(here, back, ahead, turn))
        return tuple(found)

    @cached_property
    def _moments(self) -> tuple[float, float, float]:
        """Area, and area times each coordinate of its centroid."""
        pieces = [_cut_of(corner, self.radius) for corner in self.corners] if self.radius else []
        pieces.append(_polygon(self.points))
        return sum(one[0] for one in pieces), sum(one[1] for one in pieces), sum(one[2] for one in pieces)

    @property
    def area(self) -> float:
        return self._moments[0]

    @property
    def centroid(self) -> Point:
        area, first, second = self._moments
        return first / area, second / area

    @cached_property
    def perimeter(self) -> float:
        """Length of its boundary."""
        straight = sum(
            hypot(here[0] - self.points[index - 1][0], here[1] - self.points[index - 1][1])
            for index, here in enumerate(self.points)
        )
        bends = (abs(corner.turn) for corner in self.corners)
        return straight - sum(self.radius * (2 * tan(bend / 2) - bend) for bend in bends)

    @cached_property
    def curvature(self) -> float:
        """What the area of a convex outline set inwards by d gains beyond area - perimeter d, over d squared."""
        return pi if self.radius else sum(tan(corner.turn / 2) for corner in self.corners)

    @property
    def bounds(self) -> Bounds:
        return self._bounds

    @cached_property
    def _bounds(self) -> Bounds:
        a, b = zip(*self.points, strict=True)
        low_a, low_b, high_a, high_b = min(a), min(b), max(a), max(b)
        if self.radius:  # a corner that alone reaches a bound is cut back by its rounding
            reach = [self._reach(*way) for way in ((-1.0, 0.0), (0.0, -1.0), (1.0, 0.0), (0.0, 1.0))]
            low_a, low_b, high_a, high_b = -reach[0], -reach[1], reach[2], reach[3]
        return low_a, low_b, high_a, high_b

    def _reach(self, a: float, b: float) -> float:
        furthest = -np.inf
        for corner in self.corners:
            if corner.turn > 0:
                middle = _arc_centre(corner, self.radius)
                furthest = max(furthest, middle[0] * a + middle[1] * b + self.radius)
        return float(furthest)

    def contains(self, a: Floats, b: Floats) -> Mask:
        return self.inset_contains(a, b, np.zeros_like(a))

    def inset_contains(self, a: Floats, b: Floats, inset: Floats) -> Mask:
        """Return which points lie in it and at least so far from its edges; insets need a convex outline."""
        inside = _even_odd(self.points, a, b)
        if np.any(inset > 0.0):
            for corner in self.corners:
                off = (b - corner.at[1]) * corner.ahead[0] - (a - corner.at[0]) * corner.ahead[1]
                inside &= off >= inset
        for corner in self.corners if self.radius else ():
            self._round(corner, a, b, inset, inside)
        return inside

    def _round(self, corner: Corner, a: Floats, b: Floats, inset: Floats, inside: Mask) -> None:
        setback = self.radius * tan(abs(corner.turn) / 2)
        off_a, off_b = a - corner.at[0], b - corner.at[1]
        middle = _arc_centre(corner, self.radius)
        zone = (off_a * corner.back[0] + off_b * corner.back[1] < setback) & (
            off_a * corner.ahead[0] + off_b * corner.ahead[1] < setback
        )
        zone &= np.hypot(off_a, off_b) <= hypot(middle[0] - corner.at[0], middle[1] - corner.at[1])
        distance = np.hypot(a - middle[0], b - middle[1])
        if corner.turn > 0:
            inside &= ~(zone & (distance > self.radius - inset))
        else:  # the zone lies beside the outline, and what is beyond the arc belongs to it
            off_back = off_a * corner.back[1] - off_b * corner.back[0]
            off_ahead = off_b * corner.ahead[0] - off_a * corner.ahead[1]
            inside |= zone & (distance >= self.radius) & (off_back <= 0) & (off_ahead <= 0)


def bevelled(points: Sequence[Point], setback: float) -> tuple[Point, ...]:
    """Return an outline whose corners are cut, the cuts beginning at a distance from each corner."""
    found: list[Point] = []
    for corner in Outline(tuple(points)).corners:
        for way in (corner.back, corner.ahead):
            found.append((corner.at[0] + setback * way[0], corner.at[1] + setback * way[1]))
    return tuple(found)


def _unit(start: Point, end: Point) -> Point:
    length = hypot(end[0] - start[0], end[1] - start[1])
    return (end[0] - start[0]) / length, (end[1] - start[1]) / length


def _arc_centre(corner: Corner, radius: float) -> Point:
    away = radius / cos(corner.turn / 2)
    a, b = corner.back[0] + corner.ahead[0], corner.back[1] + corner.ahead[1]
    return corner.at[0] + away * a / hypot(a, b), corner.at[1] + away * b / hypot(a, b)


def _cut_of(corner: Corner, radius: float) -> tuple[float, float, float]:
    """Return what a rounding adds to the area (negative at convex corners) and to its moments."""
    half = abs(corner.turn) / 2
    centre = _arc_centre(corner, radius)
    way = _unit(centre, corner.at)
    kite, sector = radius**2 * tan(half), radius**2 * half
    along = kite * radius * (cos(half) + 1 / cos(half)) / 3 - sector * radius * 2 * sin(half) / (3 * half)
    area = (kite - sector) * (-1.0 if corner.turn > 0 else 1.0)
    along *= -1.0 if corner.turn > 0 else 1.0
    return area, area * centre[0] + along * way[0], area * centre[1] + along * way[1]


def _polygon(points: Sequence[Point]) -> tuple[float, float, float]:
    area = first = second = 0.0
    for index, (a, b) in enumerate(points):
        before_a, before_b = points[index - 1]
        cross = before_a * b - a * before_b
        area += cross / 2
        first += cross * (before_a + a) / 6
        second += cross * (before_b + b) / 6
    return area, first, second


def _even_odd(points: Sequence[Point], a: Floats, b: Floats) -> Mask:
    inside = np.zeros(a.shape, dtype=np.bool_)
    for index, (end_a, end_b) in enumerate(points):
        start_a, start_b = points[index - 1]
        if start_b == end_b:
            continue
        crosses = (start_b > b) != (end_b > b)
        inside ^= crosses & (a < (end_a - start_a) * (b - start_b) / (end_b - start_b) + start_a)
    return inside
