"""What a tree comes to: solids with closed forms, faces, holes; and whether it can be made at all."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import hypot
from typing import Final

from palestra.envs.cad.parts.bases import middle, shape_base
from palestra.envs.cad.parts.place import NEAR, WALL, Claim, Place, Round
from palestra.envs.cad.parts.section import Point
from palestra.envs.cad.parts.shapes import copies, footprint, shape_copy
from palestra.envs.cad.parts.solid import Compound, Solid
from palestra.envs.cad.parts.tree import Mirror, PartError, Prism, Step, Sweep, Tree, kind_of

MOST_COPIES: Final = 64


@dataclass(frozen=True)
class Made:
    """One step as it came out."""

    place: Place
    copies: tuple[tuple[Point, tuple[tuple[int, Solid], ...]], ...]
    depth_text: str  # how a program says how deep it goes


@dataclass(frozen=True)
class Model:
    """A part as geometry, in closed form."""

    body: Compound
    faces: Mapping[str, int]
    euler: int
    holes: tuple[Round, ...]
    steps: tuple[Made, ...]
    places: Mapping[str | int, Place]  # free faces, and the ends of steps by their numbers


@lru_cache(maxsize=512)
def model(tree: Tree) -> Model:
    """Return what a tree comes to.

    Raises:
        PartError: something does not fit, leaves no wall, or meets another thing.
    """
    base = shape_base(tree)
    pieces, faces, handles = list(base.pieces), Counter(base.faces), base.handles
    holes, made = list(base.holes), []
    claims: list[tuple[int, Claim]] = [(0, claim) for claim in base.claims]
    ends: dict[str | int, Place] = {}
    for number, step in enumerate(tree.steps, 1):
        try:
            _check_mirror(tree, step)
            place = _place(step, base.places, ends, number)
            forebears = _forebears(tree, number)
            done = []
            for at in _checked(copies(step, place, middle(tree))):
                shaped = shape_copy(step.feature, place, at, prefix(step, number))
                kept = [claim for owner, claim in claims if owner not in forebears or owner == 0]
                _keep_clear(shaped.claims[0], [*kept, *place.claims])
                claims.append((number, shaped.claims[0]))
                pieces += shaped.pieces
                faces.update(shaped.faces)
                handles += shaped.handles
                holes += shaped.holes
                done.append((at, shaped.pieces))
                if "end" in shaped.places and step.repeat is None:
                    ends[number] = shaped.places["end"]
            made.append(Made(place, tuple(done), _depth_text(step, number, place, done[0][0])))
        except PartError as error:
            raise PartError(f"step {number}, {kind_of(step.feature)}: {error}") from error
    places: dict[str | int, Place] = {}
    places.update(base.places)
    places.update(ends)
    found = {name: count for name, count in faces.items() if count}
    return Model(Compound(tuple(pieces)), found, 2 - 2 * handles, tuple(holes), tuple(made), places)


def is_makeable(tree: Tree) -> bool:
    """Return whether a tree can be made."""
    try:
        model(tree)
    except PartError:
        return False
    return True


def prefix(step: Step, number: int) -> str:
    """Return what the names of a step's dimensions begin with in a program."""
    return f"{kind_of(step.feature)}_{number}"


def _checked(points: Iterable[Point]) -> list[Point]:
    found = list(points)
    if len(found) > MOST_COPIES:
        raise PartError(f"{len(found)} copies are more than {MOST_COPIES}")
    for index, (a, b) in enumerate(found):
        if any(hypot(a - other[0], b - other[1]) < WALL for other in found[:index]):
            raise PartError("two copies of it are in one spot")
    return found


def _place(step: Step, faces: Mapping[str, Place], ends: Mapping[str | int, Place], number: int) -> Place:
    if isinstance(step.on, int):
        if step.on not in ends:
            raise PartError(f"step {step.on} has no end face that step {number} could stand on")
        return ends[step.on]
    if step.on not in faces:
        raise PartError(f"the part has no free face {step.on!r}; it has {', '.join(sorted(faces))}")
    return faces[step.on]


def _check_mirror(tree: Tree, step: Step) -> None:
    """Refuse mirrors of which "the middle plane of the base" would not say where they stand."""
    if not isinstance(step.repeat, Mirror):
        return
    is_odd = isinstance(tree.base, Prism) and tree.base.sides % 2 == 1
    if (is_odd or isinstance(tree.base, Sweep)) and step.repeat.across != "y":
        raise PartError(f"the base has no middle plane square to {step.repeat.across}")


def _forebears(tree: Tree, number: int) -> set[int]:
    found: set[int] = set()
    on = tree.steps[number - 1].on
    while isinstance(on, int) and 0 < on < number and on not in found:
        found.add(on)
        on = tree.steps[on - 1].on
    return found


def _keep_clear(claim: Claim, others: list[Claim]) -> None:
    for other in others:
        if claim.room_to(other) < WALL - NEAR:
            raise PartError("it meets something else, or leaves less than a wall between")


def _depth_text(step: Step, number: int, place: Place, at: Point) -> str:
    if getattr(step.feature, "depth", 0) is not None:
        return f"{prefix(step, number)}_depth"
    area = place.area_for(footprint(step.feature, place.axis, at))
    return area.thickness.text if area is not None else ""
