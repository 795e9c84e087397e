"""Parts drawn at random: a base, its edges, then features where there is room for them."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from math import floor
from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.cad.parts.bases import middle
from palestra.envs.cad.parts.model import is_makeable, model
from palestra.envs.cad.parts.phrases import UNITS
from palestra.envs.cad.parts.place import WALL, Area, Place
from palestra.envs.cad.parts.shapes import footprint, plane_axes
from palestra.envs.cad.parts.tree import (
    AXES,
    Axis,
    Base,
    Boss,
    Box,
    Chamfer,
    Counterbore,
    Countersink,
    Cylinder,
    Datum,
    Feature,
    Fillet,
    Grid,
    Hole,
    Line,
    Loft,
    Mirror,
    Outline,
    PartError,
    Pocket,
    Polar,
    Prism,
    Profile,
    Relation,
    Repeat,
    Revolve,
    Rib,
    Shell,
    Slot,
    Step,
    Sweep,
    Treatment,
    Tree,
    plain,
    values,
    with_value,
)
from palestra.envs.draws import Draws

KNOBS: Final[Mapping[str, Json]] = {
    "features": 3,  # 1 to 8
    "nesting": 1,  # features on the ends of others, one upon another: 0 to 3
    "faces": 2,  # faces that are worked on: 1 to 6
    "copies": 4,  # most of one pattern along one line or circle: 1 (no patterns) to 12
    "decimals": 0,  # of dimensions, in their unit: 0 to 3
    "implicit": 0,  # dimensions told as a share of one of the base's: 0 to 3
    "units": "mm",  # mm, cm, in, mixed
    "datum": "any",  # corner, centre, any
    "symmetric": False,
    "base": "any",
    "edit_distance": 1,  # 1 to 3
}
_RANGES: Final = {
    "features": range(1, 9),
    "nesting": range(0, 4),
    "faces": range(1, 7),
    "copies": range(1, 13),
    "decimals": range(0, 4),
    "implicit": range(0, 4),
    "units": ("mm", "cm", "in", "mixed"),
    "datum": ("corner", "centre", "any"),
    "symmetric": (False, True),
    "base": ("any", "box", "cylinder", "prism", "profile", "revolve", "loft", "sweep"),
    "edit_distance": range(1, 4),
}
_TRIES: Final = 60


def check_knobs(knobs: Mapping[str, Json]) -> None:
    """Refuse knobs that are out of range.

    Raises:
        PartError: one is, or is unknown.
    """
    for name, value in knobs.items():
        if name not in _RANGES:
            raise PartError(f"unknown knob {name!r}; known: {', '.join(_RANGES)}")
        if type(value) is not type(KNOBS[name]) or value not in _RANGES[name]:
            raise PartError(f"{name} must be one of {_RANGES[name]}, not {value!r}")


def draw_tree(draws: Draws, knobs: Mapping[str, Any]) -> tuple[Tree, tuple[str, ...]] | None:
    """Return a part's tree, and the unit of its base and of each step; None if this draw came to nothing."""
    return _Drawing(draws, knobs).drawn()


def grow(tree: Tree, draws: Draws, unit: str) -> Tree:
    """Return the tree with one more step, its dimensions round in a unit.

    Raises:
        PartError: there was no room for one.
    """
    grown = _Drawing(draws, {**KNOBS, "units": unit, "faces": 6}).grown(tree)
    if grown is None:
        raise PartError("there is no room for one more feature")
    return grown


class _Drawing:
    """One part in the making."""

    def __init__(self, draws: Draws, knobs: Mapping[str, Any]) -> None:
        self.draws, self.knobs = draws, knobs
        self.unit = knobs["units"] if knobs["units"] != "mixed" else "mm"
        self.units = [self.unit]
        self.faces: list[str] = []
        self.plane: Axis = "x"  # what a symmetric part's mirror is square to
        self.middle: list[Decimal] = []

    def drawn(self) -> tuple[Tree, tuple[str, ...]] | None:
        """Return the tree and its units."""
        tree = self._base()
        if not is_makeable(tree):
            return None
        self.plane = "x" if isinstance(tree.base, (Box, Profile, Loft)) else "y"
        self.middle = [one.value for one in middle(tree)]
        edges = self._edges(tree)
        tree = edges if is_makeable(edges) else tree
        for _ in range(self.knobs["features"]):
            grown = self.grown(tree)
            if grown is None:
                return None
            tree = grown
        return self._implied(tree), tuple(self.units)

    def number(self, low: float, high: float) -> Decimal:
        """Return a length between two, in mm, of as many decimals of its unit as are asked for.

        Raises:
            PartError: there is none.
        """
        step = UNITS[self.unit].scaleb(-max(self.knobs["decimals"], {"mm": 0, "cm": 1, "in": 2}[self.unit]))
        first, last = -floor(-low / float(step) + 1e-9), floor(high / float(step) + 1e-9)
        if last < first:
            raise PartError(f"no length of that precision lies between {low} and {high}")
        return plain(self.draws.between(first, last) * step)

    def _base(self) -> Tree:
        kinds = ("box", "box", "box", "cylinder", "prism", "profile", "profile", "revolve", "loft", "sweep")
        kind = self.knobs["base"] if self.knobs["base"] != "any" else self.draws.pick(kinds)
        if kind == "sweep" and self.knobs["features"] > 4:
            kind = "revolve"
        wanted = self.knobs["datum"] if self.knobs["datum"] != "any" else self.draws.pick(("corner", "centre"))
        datum: Datum = "corner" if wanted == "corner" and kind in ("box", "profile", "loft") else "centre"
        return Tree(self._base_of(kind), datum)

    def _base_of(self, kind: str) -> Base:
        number = self.number
        if kind == "box":
            return Box(number(50, 120), number(40, 90), number(12, 50))
        if kind == "cylinder":
            return Cylinder(number(40, 90), number(12, 60))
        if kind == "prism":
            return Prism(self.draws.pick((3, 5, 6, 8)), number(50, 100), number(12, 50))
        if kind == "profile":
            shapes: tuple[Outline, ...] = ("T", "U") if self.knobs["symmetric"] else ("L", "T", "U")
            return Profile(self.draws.pick(shapes), number(70, 130), number(60, 100), number(12, 20), number(20, 60))
        if kind == "revolve":
            lower = number(50, 100)
            upper = number(24, float(lower) - 24)
            return Revolve(lower, number(8, 25), upper, number(10, 40), number(6, float(upper) - 10))
        if kind == "loft":
            length, width = number(60, 110), number(50, 90)
            return Loft(length, width, number(40, float(length) - 4), number(30, float(width) - 4), number(15, 50))
        diameter = number(24, 50)
        bore = Decimal(0) if self.draws.chance(0.5) else number(4, float(diameter) - 18)
        bend = number(float(diameter) / 2 + 2, float(diameter) / 2 + 30)
        return Sweep(diameter, bore, number(20, 60), bend, number(20, 60))

    def _edges(self, tree: Tree) -> Tree:
        base, draws = tree.base, self.draws
        if isinstance(base, (Revolve, Loft, Sweep)) or draws.chance(0.25):
            return tree
        made: list[Treatment] = []
        if not isinstance(base, Cylinder) and draws.chance(0.5):
            most = 4 if isinstance(base, Profile) else 8
            size = self.number(2, most)
            bevel = isinstance(base, Box) and draws.chance(0.3)
            made.append(Chamfer("vertical", size) if bevel else Fillet("vertical", size))
        if not isinstance(base, Profile) and not isinstance(made[0] if made else None, Chamfer):
            if draws.chance(0.4):
                made.append(Shell(self.number(2, 5)))
            elif draws.chance(0.7):
                size = self.number(1, 3)
                made.append(Fillet("top", size) if draws.chance(0.5) else Chamfer("top", size))
        return replace(tree, edges=tuple(made))

    def grown(self, tree: Tree) -> Tree | None:
        """Return the tree with one more step, or None if there was no room in many tries."""
        places = model(tree).places
        base_unit = self.unit
        on = self._on(tree, places)
        wish = self._wish() if isinstance(on, str) else ""
        for attempt in range(_TRIES):
            self.unit = base_unit if self.knobs["units"] != "mixed" else self.draws.pick(("mm", "cm", "in"))
            unit = self.unit
            try:
                if attempt % 12 == 11:
                    on = self._on(tree, places)
                step = self._step(places[on], on, wish if attempt < _TRIES // 2 else "")
                grown = replace(tree, steps=(*tree.steps, step))
                model(grown)
            except PartError:
                continue
            finally:
                self.unit = base_unit
            self.units.append(unit)
            if isinstance(on, str) and on not in self.faces:
                self.faces.append(on)
            return grown
        return None

    def _wish(self) -> str:
        """Return the kind of repeat that the next step shall have, or nothing."""
        if self.knobs["symmetric"]:
            return "mirror" if self.draws.chance(0.7) else ""
        if self.knobs["copies"] < 2 or self.draws.chance(0.55):
            return ""
        return self.draws.pick(("line", "grid", "polar", "mirror"))

    def _on(self, tree: Tree, places: Mapping[str | int, Place]) -> str | int:
        ends = [on for on in places if isinstance(on, int) and _depth(tree, on) <= self.knobs["nesting"]]
        if ends and self.draws.chance(0.6):
            return self.draws.pick(ends)
        faces = [on for on in places if isinstance(on, str)]
        if len(self.faces) >= self.knobs["faces"]:
            return self.draws.pick(self.faces)
        if self.knobs["symmetric"]:
            faces = [on for on in faces if self.plane in plane_axes(places[on].axis)]
        if not faces:
            raise PartError("the base has no face to work on")
        fresh = [on for on in faces if on not in self.faces and on != "bottom"]
        return self.draws.pick(fresh if fresh and self.draws.chance(0.5) else faces)

    def _step(self, place: Place, on: str | int, wish: str) -> Step:
        area = self.draws.pick(place.areas)
        low_a, low_b, high_a, high_b = area.flat.bounds
        room = min(high_a - low_a, high_b - low_b) - 2 * WALL
        feature = self._feature(place, area, room, wish)
        repeat = self._repeat(wish, feature, place, room) if wish else None
        if wish and (isinstance(on, int) or repeat is None):
            raise PartError("a repeat stands on a face")
        half_a, half_b = _halves(feature, place)
        if isinstance(repeat, Polar):
            return Step(feature, on, self._middle(area), repeat)
        if isinstance(on, int) and (self.draws.chance(0.6) or self.knobs["symmetric"]):
            return Step(feature, on, self._middle(area))
        at = [
            self.number(low_a + half_a + WALL, high_a - half_a - WALL),
            self.number(low_b + half_b + WALL, high_b - half_b - WALL),
        ]
        if self.knobs["symmetric"] and repeat is None:
            index = plane_axes(place.axis).index(self.plane)
            at[index] = self.middle[AXES.index(self.plane)]
        return Step(feature, on, (at[0], at[1]), repeat)

    def _middle(self, area: Area) -> tuple[Decimal, Decimal]:
        a, b = area.flat.centroid
        return plain(round(Decimal(repr(a)), 6)), plain(round(Decimal(repr(b)), 6))

    def _feature(self, place: Place, area: Area, room: float, wish: str) -> Feature:
        number, draws = self.number, self.draws
        thickness = float(area.thickness)
        first, second = plane_axes(place.axis)
        kinds = ["hole", "hole", "counterbore", "countersink", "boss", *["boss"] * (self.knobs["nesting"] - 1)]
        if room >= 14:
            kinds += ["slot", "pocket", "pocket", "rib", "boss", *["pocket"] * (self.knobs["nesting"] - 1)]
        kind = draws.pick(kinds)
        if wish == "polar":
            kind = draws.pick(("hole", "hole", "counterbore", "countersink", "boss"))
        most = min(room, 30.0) if wish in ("", "mirror") else min(room / 3, 14.0)
        if kind == "boss":
            return Boss(number(min(8.0, most / 2), most), number(4, 15))
        if kind == "rib":
            return Rib(
                number(most / 2, room), number(2, min(8.0, most / 3)), number(4, 12), draws.pick((first, second))
            )
        is_through = area.is_passable and draws.chance(0.5)
        depth = None if is_through else number(2, min(thickness - WALL, 20.0))
        deep = thickness if depth is None else float(depth)
        if kind == "hole":
            return Hole(number(3, min(most, 16.0)), depth)
        if kind in ("counterbore", "countersink"):
            diameter = number(3, min(most - 4, 10.0))
            head = number(float(diameter) + 2, min(most, float(diameter) + 8))
            if kind == "counterbore":
                return Counterbore(diameter, head, number(1, deep - WALL - 1), depth)
            return Countersink(diameter, head, Decimal(draws.pick((82, 90, 100, 120))), depth)
        if kind == "slot":
            width = number(3, min(most / 2, 10.0))
            return Slot(number(float(width) * 1.5 + 1, min(room, 50.0)), width, draws.pick((first, second)), depth)
        length, width = (
            number(min(8.0, most), min(most * 1.5, room, 40.0)),
            number(min(8.0, most), min(most * 1.5, room, 40.0)),
        )
        radius = number(1, min(float(length), float(width)) / 2 - 2) if draws.chance(0.5) else Decimal(0)
        return Pocket(length, width, min(radius, plain(Decimal(4) * UNITS[self.unit] / UNITS["mm"])), depth)

    def _repeat(self, wish: str, feature: Feature, place: Place, room: float) -> Repeat | None:
        draws, most = self.draws, self.knobs["copies"]
        half_a, half_b = _halves(feature, place)
        first, second = plane_axes(place.axis)
        if wish == "mirror":
            return Mirror(self.plane if self.knobs["symmetric"] else draws.pick((first, second)))
        count = draws.between(2, most)
        if wish == "line":
            direction = draws.pick((first, second))
            least = 2 * (half_a if direction == first else half_b) + WALL
            return Line(count, self.number(least, least + 15), direction)
        if wish == "grid":
            columns, rows = draws.between(2, min(most, 4)), draws.between(2, min(most, 4))
            column_spacing = self.number(2 * half_a + WALL, 2 * half_a + 15)
            return Grid(columns, column_spacing, rows, self.number(2 * half_b + WALL, 2 * half_b + 15))
        if count < 3:
            return None
        start = Decimal(draws.pick((0, 0, 15, 30, 45)))
        return Polar(count, self.number(4 * half_a, room - 2 * half_a), start)

    def _implied(self, tree: Tree) -> Tree:
        """Return the tree with some dimensions a plain share of one of the base's."""
        wanted = self.knobs["implicit"]
        sources = [name for name in ("length", "width", "height", "diameter") if hasattr(tree.base, name)]
        for _ in range(_TRIES if wanted else 0):
            if len(tree.relations) >= wanted:
                break
            number = self.draws.between(1, len(tree.steps))
            feature = tree.steps[number - 1].feature
            names = [
                name
                for name in ("diameter", "length", "width", "depth", "height", "head_diameter")
                if isinstance(getattr(feature, name, None), Decimal)
            ] + (["a", "b"] if tree.datum == "corner" else [])
            path = f"{number}.{self.draws.pick(names)}"
            source = self.draws.pick(sources)
            factor = self.draws.pick(tuple(Decimal(one) for one in ("0.5", "0.25", "0.75", "0.2", "0.1")))
            if any(one.path == path for one in tree.relations):
                continue
            related = replace(tree, relations=(*tree.relations, Relation(path, f"base.{source}", factor)))
            related = with_value(related, f"base.{source}", getattr(tree.base, source))
            tree = related if is_makeable(related) else tree
        order = list(values(tree))
        return replace(tree, relations=tuple(sorted(tree.relations, key=lambda one: order.index(one.path))))


def _halves(feature: Feature, place: Place) -> tuple[float, float]:
    low_a, low_b, high_a, high_b = footprint(feature, place.axis, (0.0, 0.0)).bounds
    return (high_a - low_a) / 2, (high_b - low_b) / 2


def _depth(tree: Tree, number: int) -> int:
    """Return how many steps stand one upon another, up to this one."""
    on = tree.steps[number - 1].on
    return 1 + (_depth(tree, on) if isinstance(on, int) else 0)
