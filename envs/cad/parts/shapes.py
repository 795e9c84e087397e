"""What each copy of a feature comes to in its place, and where the copies of a repeat stand."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from math import cos, pi, radians, sin, tan

from palestra.envs.cad.parts.place import NEAR, WALL, Area, Claim, Named, Place, Round, Shaped
from palestra.envs.cad.parts.section import Disc, Point, Rounded
from palestra.envs.cad.parts.solid import IN_PLANE, Cone, Extrusion, Solid, in_space
from palestra.envs.cad.parts.tree import (
    AXES,
    Axis,
    Boss,
    Counterbore,
    Countersink,
    Feature,
    Grid,
    Hole,
    Line,
    PartError,
    Pocket,
    Polar,
    Rib,
    Slot,
    Step,
    field_names,
    kind_of,
)


def footprint(feature: Feature, axis: int, at: Point) -> Disc | Rounded:
    """Return what a feature covers of its place.

    Raises:
        PartError: its own dimensions contradict each other.
    """
    for name in field_names(type(feature)):
        value = getattr(feature, name)
        if isinstance(value, Decimal) and (value < 0 or (value == 0 and name != "radius")):
            raise PartError(f"{name} must be positive, not {value}")
    if isinstance(feature, (Hole, Boss)):
        return Disc(*at, float(feature.diameter) / 2)
    if isinstance(feature, (Counterbore, Countersink)):
        if feature.head_diameter <= feature.diameter:
            raise PartError(f"a head of {feature.head_diameter} is no wider than its hole of {feature.diameter}")
        return Disc(*at, float(feature.head_diameter) / 2)
    if isinstance(feature, Pocket):
        length, width, radius = float(feature.length), float(feature.width), float(feature.radius)
        if radius > min(length, width) / 2 - WALL / 2:
            raise PartError(f"corners of {radius} do not fit a pocket of {length} by {width}")
        return Rounded(*at, length, width, radius)
    width = float(feature.width if isinstance(feature, Slot) else feature.thickness)
    length = float(feature.length)
    if length <= width + WALL / 2:
        raise PartError(f"a {kind_of(feature)} must be longer than {width}, not {length}")
    radius = width / 2 if isinstance(feature, Slot) else 0.0
    if is_along_first(feature.direction, axis):
        return Rounded(*at, length, width, radius)
    return Rounded(*at, width, length, radius)


def is_along_first(direction: str, axis: int) -> bool:
    """Return whether a direction is the first of a plane's coordinates rather than the second.

    Raises:
        PartError: it leads out of the plane.
    """
    index = AXES.index(direction)
    if index == axis:
        raise PartError(f"nothing runs along {direction} in a face square to it")
    return index == IN_PLANE[axis][0]


def plane_axes(axis: int) -> tuple[Axis, Axis]:
    """Return the axes whose coordinates vary in a plane square to an axis, in order."""
    first, second = IN_PLANE[axis]
    return AXES[first], AXES[second]


def shape_copy(feature: Feature, place: Place, at: Point, prefix: str) -> Shaped:
    """Return what one copy of a feature in a place comes to.

    Raises:
        PartError: there is no room for it, or not enough material beneath it.
    """
    flat = footprint(feature, place.axis, at)
    area = place.area_for(flat)
    if area is None:
        raise PartError(f"a {kind_of(feature)} at {at[0]:g}, {at[1]:g} reaches beyond the room on its face")
    if isinstance(feature, (Boss, Rib)):
        return _raised(feature, place, area, flat, prefix)
    deep = area.thickness
    if feature.depth is not None:
        deep = Named(feature.depth, f"{prefix}_depth")
        if float(deep) > float(area.thickness) - WALL + NEAR:
            raise PartError(f"a depth of {feature.depth} leaves no wall of the {float(area.thickness):g} beneath")
    elif not area.is_passable:
        raise PartError("nothing can go through there")
    return _Cut(feature, place, area, flat, deep).shaped()


def _span(place: Place, start: float, end: float) -> tuple[float, float]:
    """Return the heights, low first, between two distances outwards from a place's face."""
    one, other = float(place.level) + place.sign * start, float(place.level) + place.sign * end
    return min(one, other), max(one, other)


def _raised(feature: Boss | Rib, place: Place, area: Area, flat: Disc | Rounded, prefix: str) -> Shaped:
    height = Named(feature.height, f"{prefix}_height")
    low, high = _span(place, 0.0, float(height))
    claim = Claim(place.axis, *_span(place, -WALL, float(height)), flat)
    places: dict[str, Place] = {}
    if isinstance(feature, Boss):
        level = place.level + height if place.sign > 0 else place.level - height
        above = Area(flat, area.thickness + height, area.is_passable)
        places["end"] = Place(place.axis, place.sign, level, (above,))
        faces = Counter(cylinder=1, plane=1)
    else:
        faces = Counter(plane=5)
    return Shaped(((1, Extrusion(place.axis, low, high, flat)),), faces, claims=(claim,), places=places)


class _Cut:
    """One copy of something that is taken away."""

    def __init__(
        self,
        feature: Hole | Counterbore | Countersink | Slot | Pocket,
        place: Place,
        area: Area,
        flat: Disc | Rounded,
        deep: Named,
    ) -> None:
        self.feature, self.place, self.area, self.flat, self.deep = feature, place, area, flat, deep
        self.is_through = feature.depth is None

    def shaped(self) -> Shaped:
        """Return what it comes to."""
        feature, places = self.feature, {}
        below = WALL if self.is_through else 0.0
        claim = Claim(self.place.axis, *_span(self.place, -float(self.deep) - below, WALL), self.flat)
        holes: tuple[Round, ...] = ()
        if isinstance(feature, (Slot, Pocket)):
            pieces: list[tuple[int, Solid]] = [(-1, self._column(self.flat, 0.0, float(self.deep)))]
            faces = self._flat_faces()
            if isinstance(feature, Pocket) and not self.is_through:
                places["end"] = self._floor(float(feature.radius))
        elif isinstance(feature, Countersink):
            pieces, faces, holes = self._sunk(feature)
        else:
            pieces, faces, holes = self._round(feature)
        if not self.is_through:
            faces["plane"] += 1
        return Shaped(tuple(pieces), faces, int(self.is_through), holes, (claim,), places)

    def _column(self, flat: Disc | Rounded, start: float, end: float) -> Extrusion:
        return Extrusion(self.place.axis, *_span(self.place, -start, -end), flat)

    def _flat_faces(self) -> Counter[str]:
        if isinstance(self.feature, Slot):
            return Counter(plane=2, cylinder=2)
        assert isinstance(self.flat, Rounded)
        return Counter(plane=4, cylinder=4 if self.flat.radius else 0)

    def _floor(self, radius: float) -> Place:
        assert isinstance(self.flat, Rounded)
        level = self.place.level - self.deep if self.place.sign > 0 else self.place.level + self.deep
        inner = Rounded(self.flat.a, self.flat.b, self.flat.length - 2 * radius, self.flat.width - 2 * radius)
        beneath = Area(inner, self.area.thickness - self.deep, self.area.is_passable)
        return Place(self.place.axis, self.place.sign, level, (beneath,))

    def _hole(self, diameter: float, start: float, end: float, is_through: bool | None) -> Round:
        low, high = _span(self.place, -start, -end)
        centre = self.flat.centroid
        return Round(
            diameter, self.place.axis, in_space(self.place.axis, (low + high) / 2, *centre), end - start, is_through
        )

    def _round(self, feature: Hole | Counterbore) -> tuple[list[tuple[int, Solid]], Counter[str], tuple[Round, ...]]:
        diameter, deep = float(feature.diameter), float(self.deep)
        narrow = Disc(*self.flat.centroid, diameter / 2)
        if isinstance(feature, Hole):
            hole = self._hole(diameter, 0.0, deep, self.is_through)
            return [(-1, self._column(narrow, 0.0, deep))], Counter(cylinder=1), (hole,)
        head = float(feature.head_depth)
        if head > deep - WALL + NEAR:
            raise PartError(f"a head {head:g} deep leaves nothing of a hole {deep:g} deep")
        holes = (
            self._hole(float(feature.head_diameter), 0.0, head, None),
            self._hole(diameter, head, deep, None),
        )
        pieces: list[tuple[int, Solid]] = [
            (-1, self._column(self.flat, 0.0, head)),
            (-1, self._column(narrow, head, deep)),
        ]
        return pieces, Counter(cylinder=2, plane=1), holes

    def _sunk(self, feature: Countersink) -> tuple[list[tuple[int, Solid]], Counter[str], tuple[Round, ...]]:
        if not 60 <= feature.angle <= 120:
            raise PartError(f"a countersink's angle is between 60 and 120 degrees, not {feature.angle}")
        wide, narrow, deep = float(feature.head_diameter) / 2, float(feature.diameter) / 2, float(self.deep)
        head = (wide - narrow) / tan(radians(float(feature.angle)) / 2)
        if head > deep - WALL + NEAR:
            raise PartError(f"a countersink {head:g} deep leaves nothing of a hole {deep:g} deep")
        centre = self.flat.centroid
        low, high = _span(self.place, 0.0, -head)
        ends = (narrow, wide) if self.place.sign > 0 else (wide, narrow)
        pieces: list[tuple[int, Solid]] = [
            (-1, Cone(self.place.axis, *centre, low, high, *ends)),
            (-1, self._column(Disc(*centre, narrow), head, deep)),
        ]
        return pieces, Counter(cylinder=1, cone=1), (self._hole(2 * narrow, head, deep, None),)


def copies(step: Step, place: Place, middle: tuple[Named, Named, Named]) -> Iterator[Point]:
    """Yield the positions, in the coordinates of the place, of a step's copies.

    Raises:
        PartError: the repeat makes no sense there.
    """
    a, b = float(step.at[0]), float(step.at[1])
    repeat = step.repeat
    if repeat is None:
        yield a, b
    elif isinstance(repeat, Line):
        _check_count(repeat.count)
        is_first = is_along_first(repeat.direction, place.axis)
        for index in range(repeat.count):
            away = index * float(repeat.spacing)
            yield (a + away, b) if is_first else (a, b + away)
    elif isinstance(repeat, Grid):
        _check_count(repeat.columns)
        _check_count(repeat.rows)
        for column in range(repeat.columns):
            for row in range(repeat.rows):
                yield a + column * float(repeat.column_spacing), b + row * float(repeat.row_spacing)
    elif isinstance(repeat, Polar):
        _check_count(repeat.count)
        if not isinstance(step.feature, (Hole, Counterbore, Countersink, Boss)):
            raise PartError(f"only round features go round a circle, no {kind_of(step.feature)}")
        for index in range(repeat.count):
            angle = radians(float(repeat.start)) + 2 * pi * index / repeat.count
            yield a + float(repeat.circle) / 2 * cos(angle), b + float(repeat.circle) / 2 * sin(angle)
    else:
        axis = AXES.index(repeat.across)
        if axis == place.axis:
            raise PartError(f"a mirror across {repeat.across} leaves a feature on a face square to it where it is")
        centre = float(middle[axis])
        yield a, b
        yield (2 * centre - a, b) if axis == IN_PLANE[place.axis][0] else (a, 2 * centre - b)


def _check_count(count: int) -> None:
    if not 2 <= count <= 24:
        raise PartError(f"a repeat has 2 to 24 of each, not {count}")
