"""What a part is made of: a base, what is done to its edges, and features in order; JSON both ways.

Numbers are exact decimals in millimetres (angles in degrees), so that a text can say every one of them. The datum is
the base's: the origin lies in the low corner of the base's bounding box, or in the centre of its footprint; the
base's lowest face is at z = 0 either way. A place is a flat face, named by where it looks ("top" is +z, "right" is
+x, "back" is +y), or the step whose end face it is (the top of a boss, the floor of a pocket). A position in a place
is given by the two coordinates of the datum that vary there, in the order x, y, z.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

Json = Any
Value = Decimal | int | str | None
Axis = Literal["x", "y", "z"]
AXES: Final[tuple[Axis, Axis, Axis]] = ("x", "y", "z")
Datum = Literal["corner", "centre"]
Outline = Literal["L", "T", "U"]
FACES: Final = ("top", "bottom", "left", "right", "front", "back")


class PartError(ValueError):
    """A part cannot be made as it is described; the message says which step and why."""


@dataclass(frozen=True, slots=True)
class Box:
    """Along x, y and z."""

    length: Decimal
    width: Decimal
    height: Decimal


@dataclass(frozen=True, slots=True)
class Cylinder:
    """Round, upright."""

    diameter: Decimal
    height: Decimal


@dataclass(frozen=True, slots=True)
class Prism:
    """A regular polygon, upright, a corner on the +x axis; `across` its corners."""

    sides: int
    across: Decimal
    height: Decimal


@dataclass(frozen=True, slots=True)
class Profile:
    """An L, T or U seen from above, extruded upwards; every limb has the same thickness.

    L: limbs along the front (y low) and the left (x low). U: limbs along left, front and right. T: a limb along the
    back (y high), and one in the middle of it towards the front.
    """

    shape: Outline
    length: Decimal
    width: Decimal
    thickness: Decimal
    height: Decimal


@dataclass(frozen=True, slots=True)
class Revolve:
    """A stepped profile turned about z: a lower disc, a smaller upper one, and a bore through both."""

    diameter: Decimal
    height: Decimal
    upper_diameter: Decimal
    upper_height: Decimal
    bore: Decimal


@dataclass(frozen=True, slots=True)
class Loft:
    """From a rectangle at z = 0 straight to another one above its middle."""

    length: Decimal
    width: Decimal
    top_length: Decimal
    top_width: Decimal
    height: Decimal


@dataclass(frozen=True, slots=True)
class Sweep:
    """A round tube: up along z, a quarter bend of the centre line towards +x, then along x."""

    diameter: Decimal
    bore: Decimal
    rise: Decimal
    bend: Decimal
    run: Decimal


@dataclass(frozen=True, slots=True)
class Fillet:
    """Rounds the base's upright edges, or those round its top."""

    edges: Literal["vertical", "top"]
    radius: Decimal


@dataclass(frozen=True, slots=True)
class Chamfer:
    """Bevels the base's upright edges, or those round its top, at equal setbacks."""

    edges: Literal["vertical", "top"]
    setback: Decimal


@dataclass(frozen=True, slots=True)
class Shell:
    """Hollows the base from the top, which is open then; walls and floor of one thickness."""

    wall: Decimal


@dataclass(frozen=True, slots=True)
class Hole:
    """Round, flat-bottomed; through what is beneath it where there is no depth."""

    diameter: Decimal
    depth: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Counterbore:
    """A hole with a wider cylinder at its mouth; the depth is the whole one."""

    diameter: Decimal
    head_diameter: Decimal
    head_depth: Decimal
    depth: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Countersink:
    """A hole with a cone at its mouth, of an included angle in degrees; the depth is the whole one."""

    diameter: Decimal
    head_diameter: Decimal
    angle: Decimal
    depth: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """Round-ended; `length` is over both ends, along an axis."""

    length: Decimal
    width: Decimal
    direction: Axis
    depth: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Pocket:
    """Rectangular, `length` along the first coordinate of its place; its upright corners may be round."""

    length: Decimal
    width: Decimal
    radius: Decimal
    depth: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Boss:
    """A round pad."""

    diameter: Decimal
    height: Decimal


@dataclass(frozen=True, slots=True)
class Rib:
    """A straight wall, `length` along an axis."""

    length: Decimal
    thickness: Decimal
    height: Decimal
    direction: Axis


@dataclass(frozen=True, slots=True)
class Line:
    """So many copies in a row from the position on, towards higher coordinates."""

    count: int
    spacing: Decimal
    direction: Axis


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows and columns from the position on, towards higher coordinates."""

    columns: int  # along the place's first coordinate
    column_spacing: Decimal
    rows: int
    row_spacing: Decimal


@dataclass(frozen=True, slots=True)
class Polar:
    """Evenly on a circle about the position; the first at `start` degrees from the first coordinate's axis."""

    count: int
    circle: Decimal
    start: Decimal


@dataclass(frozen=True, slots=True)
class Mirror:
    """A second one beyond the base's middle plane, which is square to an axis."""

    across: Axis


Base = Box | Cylinder | Prism | Profile | Revolve | Loft | Sweep
Treatment = Fillet | Chamfer | Shell
Feature = Hole | Counterbore | Countersink | Slot | Pocket | Boss | Rib
Repeat = Line | Grid | Polar | Mirror
Node = Base | Treatment | Feature | Repeat
BASES: Final = (Box, Cylinder, Prism, Profile, Revolve, Loft, Sweep)
TREATMENTS: Final = (Fillet, Chamfer, Shell)
FEATURES: Final = (Hole, Counterbore, Countersink, Slot, Pocket, Boss, Rib)
REPEATS: Final = (Line, Grid, Polar, Mirror)
KINDS: Final[Mapping[str, type]] = {
    one.__name__.lower(): one for group in (BASES, TREATMENTS, FEATURES, REPEATS) for one in group
}
_FIELDS: Final[Mapping[type, tuple[str, ...]]] = {
    kind: tuple(one.name for one in fields(kind)) for group in (BASES, TREATMENTS, FEATURES, REPEATS) for kind in group
}
_HINTS: Final[Mapping[type, Mapping[str, Any]]] = {kind: typing.get_type_hints(kind) for kind in _FIELDS}


@dataclass(frozen=True, slots=True)
class Step:
    """One feature in its place, or several by one repeat."""

    feature: Feature
    on: str | int  # a face, or the number of an earlier step, the first being 1
    at: tuple[Decimal, Decimal]
    repeat: Repeat | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """One dimension that follows from one of the base's."""

    path: str  # as in `values`
    source: str
    factor: Decimal


@dataclass(frozen=True, slots=True)
class Tree:
    """All of a part but its words."""

    base: Base
    datum: Datum = "corner"
    edges: tuple[Treatment, ...] = ()
    steps: tuple[Step, ...] = ()
    relations: tuple[Relation, ...] = ()


def kind_of(node: Node) -> str:
    """Return the name of a node's kind: "box", "hole", "polar"."""
    return type(node).__name__.lower()


def field_names(kind: type) -> tuple[str, ...]:
    """Return the names of a kind's dimensions, in order."""
    return _FIELDS[kind]


def values(tree: Tree) -> dict[str, Value]:
    """Return every dimension by its path: "base.length", "edges.1.radius", "2.diameter", "2.a", "2.repeat.count"."""
    found: dict[str, Value] = {}

    def put(prefix: str, node: Node) -> None:
        for name in field_names(type(node)):
            found[f"{prefix}.{name}"] = getattr(node, name)

    put("base", tree.base)
    for number, edge in enumerate(tree.edges, 1):
        put(f"edges.{number}", edge)
    for number, step in enumerate(tree.steps, 1):
        put(str(number), step.feature)
        found[f"{number}.a"], found[f"{number}.b"] = step.at
        if step.repeat is not None:
            put(f"{number}.repeat", step.repeat)
    return found


def with_value(tree: Tree, path: str, value: Value) -> Tree:
    """Return the tree with one dimension changed; those that follow from it follow.

    Raises:
        PartError: there is no such path.
    """
    changed = _set(tree, path, value)
    known = values(changed)
    for relation in changed.relations:
        if relation.source == path:
            changed = _set(changed, relation.path, _scaled(known[path], relation.factor))
    return changed


def independent(tree: Tree) -> dict[str, Value]:
    """Return the dimensions that do not follow from others: those that a text has to say."""
    derived = {relation.path for relation in tree.relations}
    return {path: value for path, value in values(tree).items() if path not in derived}


def _scaled(value: Value, factor: Decimal) -> Decimal:
    if not isinstance(value, Decimal):
        raise PartError(f"only a length can be what others follow from, not {value!r}")
    return plain(value * factor)


def _set(tree: Tree, path: str, value: Value) -> Tree:
    head, _, rest = path.partition(".")
    try:
        if head == "base":
            return replace(tree, base=_changed(tree.base, rest, value))
        if head == "edges":
            number, _, name = rest.partition(".")
            edges = list(tree.edges)
            edges[int(number) - 1] = _changed(edges[int(number) - 1], name, value)
            return replace(tree, edges=tuple(edges))
        steps = list(tree.steps)
        steps[int(head) - 1] = _step_with(steps[int(head) - 1], rest, value)
        return replace(tree, steps=tuple(steps))
    except (ValueError, IndexError, TypeError) as error:
        raise PartError(f"the part has no dimension {path!r}: {error}") from error


def _step_with(step: Step, name: str, value: Value) -> Step:
    if name in ("a", "b"):
        if not isinstance(value, Decimal):
            raise PartError(f"a position is a length, not {value!r}")
        return replace(step, at=(value, step.at[1]) if name == "a" else (step.at[0], value))
    if name.startswith("repeat.") and step.repeat is not None:
        return replace(step, repeat=_changed(step.repeat, name.removeprefix("repeat."), value))
    return replace(step, feature=_changed(step.feature, name, value))


def _changed(node: Any, name: str, value: Value) -> Any:
    if name not in field_names(type(node)):
        raise PartError(f"{kind_of(node)} has no dimension {name!r}")
    return replace(node, **{name: value})


def plain(value: Decimal) -> Decimal:
    """Return the number without trailing zeros or exponent: 40, 12.5, 0.05."""
    slim = value.normalize()
    return slim.quantize(Decimal(1)) if slim == slim.to_integral_value() else slim


def exact(value: Json) -> Decimal:
    """Return a number of a text, at most a million and of at most 12 decimals.

    Raises:
        PartError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)) or len(str(value)) > 40:
        raise PartError(f"{str(value)[:40]!r} is no number")
    number = Decimal(value if isinstance(value, (str, int, Decimal)) else repr(value))
    if not number.is_finite() or abs(number) > 1_000_000 or number != round(number, 12):
        raise PartError(f"{number} is no number that a drawing has")
    return plain(number)


def shape_of(tree: Tree) -> Json:
    """Return the tree without its numbers: what a template is, which is held out or not."""
    return [
        [kind_of(tree.base), getattr(tree.base, "shape", "")],
        tree.datum,
        [[kind_of(edge), getattr(edge, "edges", "")] for edge in tree.edges],
        [
            [
                kind_of(step.feature),
                getattr(step.feature, "depth", 0) is None,
                step.on,
                kind_of(step.repeat) if step.repeat else "",
            ]
            for step in tree.steps
        ],
        sorted(relation.path for relation in tree.relations),
    ]


def to_json(tree: Tree) -> Json:
    """Return the tree as JSON, decimals as texts."""
    return {
        "base": _node_json(tree.base),
        "datum": tree.datum,
        "edges": [_node_json(edge) for edge in tree.edges],
        "steps": [
            {
                "feature": _node_json(step.feature),
                "on": step.on,
                "at": [str(plain(number)) for number in step.at],
                "repeat": _node_json(step.repeat) if step.repeat else None,
            }
            for step in tree.steps
        ],
        "relations": [[one.path, one.source, str(plain(one.factor))] for one in tree.relations],
    }


def from_json(found: Json) -> Tree:
    """Return the tree of its JSON.

    Raises:
        PartError: it is no such JSON.
    """
    try:
        if found["datum"] not in ("corner", "centre"):
            raise PartError(f"a datum is corner or centre, not {found['datum']!r}")
        return Tree(
            base=_node(found["base"], BASES),
            datum=found["datum"],
            edges=tuple(_node(edge, TREATMENTS) for edge in found["edges"]),
            steps=tuple(
                Step(
                    _node(step["feature"], FEATURES),
                    step["on"] if type(step["on"]) is int else str(step["on"]),
                    (exact(step["at"][0]), exact(step["at"][1])),
                    _node(step["repeat"], REPEATS) if step["repeat"] else None,
                )
                for step in found["steps"]
            ),
            relations=tuple(
                Relation(str(path), str(source), exact(factor)) for path, source, factor in found["relations"]
            ),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, InvalidOperation) as error:
        raise PartError(f"this JSON is no part: {error!r}") from error


def _node_json(node: Node) -> Json:
    found: dict[str, Json] = {"kind": kind_of(node)}
    for name in field_names(type(node)):
        value = getattr(node, name)
        found[name] = str(plain(value)) if isinstance(value, Decimal) else value
    return found


def _node(found: Json, allowed: tuple[type, ...]) -> Any:
    kind = KINDS[found["kind"]]
    if kind not in allowed:
        raise PartError(f"a {found['kind']} cannot stand there")
    return make(kind, {name: value for name, value in found.items() if name != "kind"})


def make(kind: type, given: Mapping[str, Json]) -> Any:
    """Return a node of a kind from its dimensions as texts, numbers or values.

    Raises:
        PartError: a dimension is unknown, missing or of the wrong type.
    """
    hints = _HINTS[kind]
    if unknown := set(given) - set(hints):
        raise PartError(f"{kind.__name__.lower()} has no dimension {min(unknown)!r}")
    if missing := set(hints) - set(given):
        raise PartError(f"{kind.__name__.lower()} lacks its {min(missing)}")
    try:
        return kind(**{name: _value(hints[name], value) for name, value in given.items()})
    except (TypeError, InvalidOperation) as error:
        raise PartError(f"{kind.__name__.lower()}: {error}") from error


def _value(hint: Any, value: Json) -> Value:
    if typing.get_origin(hint) is Literal:
        if value not in typing.get_args(hint):
            raise PartError(f"{value!r} is none of {typing.get_args(hint)}")
        return str(value)
    if isinstance(hint, types.UnionType) and value is None:
        return None
    number = exact(value)
    if hint is not int:
        return number
    if number != int(number):
        raise PartError(f"a count is a whole number, not {number}")
    return int(number)
