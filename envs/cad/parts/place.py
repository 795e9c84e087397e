"""Where features go: flat faces with room on them, and the space that every feature keeps to itself."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from math import hypot
from typing import Final

from palestra.envs.cad.parts.section import Bounds, Disc, Rounded
from palestra.envs.cad.parts.solid import Box3, Solid, gap, in_space
from palestra.envs.cad.parts.tree import plain

WALL: Final = 1.0  # mm of material or of room that is left between any two things
NEAR: Final = 1e-9


@dataclass(frozen=True)
class Named:
    """A length and how a program says it."""

    value: Decimal
    text: str

    def __add__(self, other: "Named") -> "Named":
        if not self.value:
            return other
        return self if not other.value else Named(self.value + other.value, f"{self.text} + {other.text}")

    def __sub__(self, other: "Named") -> "Named":
        text = f"({other.text})" if " + " in other.text or " - " in other.text else other.text
        if not other.value:
            return self
        return Named(self.value - other.value, f"{self.text} - {text}" if self.value else f"-{text}")

    def half(self) -> "Named":
        """Return half of it."""
        text = f"({self.text})" if " " in self.text else self.text
        return Named(plain(self.value / 2), f"{text} / 2")

    def __float__(self) -> float:
        return float(self.value)


ZERO: Final = Named(Decimal(0), "0")


@dataclass(frozen=True)
class Area:
    """Part of a face that features may use, and how much material lies beneath it."""

    flat: Disc | Rounded
    thickness: Named
    is_passable: bool = True  # all of it is of this thickness, so that a hole may go through


@dataclass(frozen=True)
class Claim:
    """The space of one thing, as a region along an axis, and room beyond its ends."""

    axis: int
    low: float
    high: float
    flat: Disc | Rounded

    @property
    def box(self) -> Box3:
        low_a, low_b, high_a, high_b = self.flat.bounds
        return in_space(self.axis, self.low, low_a, low_b), in_space(self.axis, self.high, high_a, high_b)

    def room_to(self, other: "Claim") -> float:
        """Return the distance between the two, or less; not above 0 if they meet."""
        if self.axis == other.axis:
            along = max(self.low - other.high, other.low - self.high)
            return max(along, _apart(self.flat, other.flat))
        (low, high), (other_low, other_high) = self.box, other.box
        return max(max(low[i] - other_high[i], other_low[i] - high[i]) for i in range(3))


@dataclass(frozen=True)
class Place:
    """A flat face square to an axis."""

    axis: int
    sign: int  # it looks towards higher coordinates or lower ones
    level: Named
    areas: tuple[Area, ...]
    claims: tuple[Claim, ...] = ()  # what features here, besides all others, keep clear of

    def area_for(self, flat: Disc | Rounded) -> Area | None:
        """Return the area that has room for a footprint, with a wall left round it."""
        return next((area for area in self.areas if room_in(area.flat, flat) >= WALL - NEAR), None)


@dataclass(frozen=True)
class Round:
    """A cylindrical inner face: what `records.Hole` tells of one, as far as it is known."""

    diameter: float
    axis: int
    at: tuple[float, float, float]  # its middle
    depth: float
    is_through: bool | None  # None: one diameter of a stepped hole


@dataclass(frozen=True)
class Shaped:
    """What a base or one copy of a feature comes to."""

    pieces: tuple[tuple[int, Solid], ...]
    faces: Counter[str]
    handles: int = 0
    holes: tuple[Round, ...] = ()
    claims: tuple[Claim, ...] = ()
    places: dict[str, Place] = field(default_factory=dict)


def room_in(area: Disc | Rounded, flat: Disc | Rounded) -> float:
    """Return how far a footprint stays within an area, or less; negative if it does not."""
    if isinstance(area, Disc):
        low_a, low_b, high_a, high_b = flat.bounds
        if isinstance(flat, Disc):
            return area.radius - flat.radius - hypot(flat.a - area.a, flat.b - area.b)
        far_a = max(abs(low_a - area.a), abs(high_a - area.a))
        far_b = max(abs(low_b - area.b), abs(high_b - area.b))
        return area.radius - hypot(far_a, far_b)
    outer, inner = area.bounds, flat.bounds
    return min(inner[0] - outer[0], inner[1] - outer[1], outer[2] - inner[2], outer[3] - inner[3])


def rectangle(low_a: float, low_b: float, high_a: float, high_b: float) -> Rounded:
    """Return the rectangle between two corners."""
    return Rounded((low_a + high_a) / 2, (low_b + high_b) / 2, high_a - low_a, high_b - low_b)


def _apart(one: Disc | Rounded, other: Disc | Rounded) -> float:
    if isinstance(one, Disc) and isinstance(other, Disc):
        return hypot(one.a - other.a, one.b - other.b) - one.radius - other.radius
    if isinstance(one, Disc):
        return gap(_point(one), other.bounds) - one.radius
    if isinstance(other, Disc):
        return gap(one.bounds, _point(other)) - other.radius
    return gap(one.bounds, other.bounds)


def _point(disc: Disc) -> Bounds:
    return disc.a, disc.b, disc.a, disc.b
