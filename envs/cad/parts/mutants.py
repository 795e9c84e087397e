"""Parts that are wrong in one thing: a dimension, an axis, a position, a count, a feature left out, all mirrored."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from math import dist
from typing import Final, get_args

import numpy as np

from palestra.envs.cad.parts.bases import middle
from palestra.envs.cad.parts.feature_tests import facts, holds, spread
from palestra.envs.cad.parts.model import Model, is_makeable, model
from palestra.envs.cad.parts.shapes import plane_axes
from palestra.envs.cad.parts.tree import (
    AXES,
    Axis,
    Box,
    Grid,
    Line,
    Loft,
    Mirror,
    PartError,
    Pocket,
    Polar,
    Profile,
    Relation,
    Repeat,
    Rib,
    Slot,
    Step,
    Tree,
    independent,
    kind_of,
    plain,
    with_value,
)

PERCENTS: Final = (5, 2, 1)  # the first of them for which there is room
LEAST: Final = Decimal("0.1")  # mm (degrees): less would not count as wrong
MOVED: Final = Decimal(2)  # mm
_COUNTS: Final = ("sides", "count", "columns", "rows")
_SAMPLES: Final = 4096
_OPPOSITE: Final[dict[str | int, str]] = {"left": "right", "right": "left", "front": "back", "back": "front"}
_TURNED: Final[dict[str | int, str]] = {"left": "front", "front": "left", "right": "back", "back": "right"}


def mutants(tree: Tree) -> list[tuple[str, Tree]]:
    """Return what is wrong with each, and its tree; those that are the same part after all are not among them."""
    found: list[tuple[str, Tree]] = []
    for kind, other in _candidates(tree):
        try:
            made = model(other)
        except PartError:
            continue
        if not is_same(model(tree), made):
            found.append((kind, other))
    return found


def is_same(one: Model, other: Model) -> bool:
    """Return whether two parts are one as far as their sums, faces, holes and many points in them tell."""
    if not all(holds(test, other) for test in facts(one)):
        return False
    if abs(one.body.volume - other.body.volume) > 1e-9 * one.body.volume:
        return False
    if dist(one.body.centroid, other.body.centroid) > 1e-9 * (1 + dist(*one.body.bounds)):
        return False
    points = spread(one.body.bounds, _SAMPLES)
    return bool(np.array_equal(one.body.contains(points), other.body.contains(points)))


def _candidates(tree: Tree) -> Iterator[tuple[str, Tree]]:
    yield from _resized(tree)
    yield from _swapped(tree)
    yield from _moved(tree)
    yield from _left_out(tree)
    yield "all mirrored", mirrored(tree)


def _resized(tree: Tree) -> Iterator[tuple[str, Tree]]:
    for path, value in independent(tree).items():
        if isinstance(value, Decimal) and value:
            for sign in (1, -1):
                for percent in PERCENTS:
                    change = sign * max(abs(value) * percent / 100, LEAST)
                    other = with_value(tree, path, plain(value + change))
                    if is_makeable(other):
                        yield f"{path} {sign * percent:+d} %", other
                        break
        elif isinstance(value, int) and path.rsplit(".", 1)[-1] in _COUNTS:
            for more in (1, -1):
                yield f"{path} {more:+d}", with_value(tree, path, value + more)


def _swapped(tree: Tree) -> Iterator[tuple[str, Tree]]:
    base = tree.base
    if isinstance(base, (Box, Profile, Loft)):
        swapped_base = replace(base, length=base.width, width=base.length)
        yield "length and width swapped", replace(tree, base=swapped_base, relations=())
    if isinstance(base, Profile):
        for shape in get_args(type(base).__annotations__["shape"]):
            if shape != base.shape:
                yield f"{shape} for {base.shape}", replace(tree, base=replace(base, shape=shape))
    for number, step in enumerate(tree.steps, 1):
        feature = step.feature
        free = _without_relations(tree, str(number))
        if step.at[0] != step.at[1]:
            yield (
                f"position of step {number} swapped",
                _with_step(free, number, replace(step, at=(step.at[1], step.at[0]))),
            )
        if isinstance(feature, Pocket):
            turned = replace(feature, length=feature.width, width=feature.length)
            yield f"pocket of step {number} turned", _with_step(free, number, replace(step, feature=turned))
        axes = plane_axes(model(tree).steps[number - 1].place.axis)
        if isinstance(feature, (Slot, Rib)):
            other = _other(feature.direction, axes)
            turned_step = replace(step, feature=replace(feature, direction=other))
            yield f"{kind_of(feature)} of step {number} turned", _with_step(tree, number, turned_step)
        if isinstance(step.repeat, Line):
            along = replace(step.repeat, direction=_other(step.repeat.direction, axes))
            yield f"row of step {number} turned", _with_step(tree, number, replace(step, repeat=along))
        if isinstance(step.repeat, Mirror):
            across = Mirror(_other(step.repeat.across, axes))
            yield f"mirror of step {number} turned", _with_step(tree, number, replace(step, repeat=across))


def _moved(tree: Tree) -> Iterator[tuple[str, Tree]]:
    for number, step in enumerate(tree.steps, 1):
        free = _without_relations(tree, str(number))
        for index, name in enumerate("ab"):
            for sign in (1, -1):
                at = list(step.at)
                at[index] += sign * MOVED
                moved = _with_step(free, number, replace(step, at=(at[0], at[1])))
                yield f"{number}.{name} moved by {sign * MOVED}", moved
        if isinstance(step.on, str) and step.on in (*_OPPOSITE, "top", "bottom"):
            on = _OPPOSITE.get(step.on) or ("bottom" if step.on == "top" else "top")
            yield f"step {number} on the {on}", _with_step(tree, number, replace(step, on=on))
        if step.repeat is not None:
            yield f"step {number} not repeated", _with_step(free, number, replace(step, repeat=None))


def _left_out(tree: Tree) -> Iterator[tuple[str, Tree]]:
    for number, edge in enumerate(tree.edges, 1):
        edges = tree.edges[: number - 1] + tree.edges[number:]
        yield f"{kind_of(edge)} left out", replace(tree, edges=edges, relations=_no_edges(tree))
    for number, step in enumerate(tree.steps, 1):
        yield f"{kind_of(step.feature)} of step {number} left out", without_step(tree, number)


def without_step(tree: Tree, number: int) -> Tree:
    """Return the tree without a step, and without those that stand on it."""
    gone = {number}
    for other, step in enumerate(tree.steps, 1):
        if isinstance(step.on, int) and step.on in gone:
            gone.add(other)
    kept = [other for other in range(1, len(tree.steps) + 1) if other not in gone]
    renamed = {other: index for index, other in enumerate(kept, 1)}
    steps = []
    for other in kept:
        step = tree.steps[other - 1]
        steps.append(replace(step, on=renamed[step.on]) if isinstance(step.on, int) else step)
    relations = []
    for relation in tree.relations:
        head, _, rest = relation.path.partition(".")
        if not head.isdecimal():
            relations.append(relation)
        elif int(head) in renamed:
            relations.append(replace(relation, path=f"{renamed[int(head)]}.{rest}"))
    return replace(tree, steps=tuple(steps), relations=tuple(relations))


def mirrored(tree: Tree) -> Tree:
    """Return the mirror image, in the middle plane that leaves the base as it is, or across an L's legs."""
    plainly = replace(tree, relations=())
    if isinstance(tree.base, Profile) and tree.base.shape == "L":
        base = replace(tree.base, length=tree.base.width, width=tree.base.length)
        turned = [_transposed(plainly, number, step) for number, step in enumerate(tree.steps, 1)]
        return replace(plainly, base=base, steps=tuple(turned))
    axis: Axis = "x" if isinstance(tree.base, (Box, Profile, Loft)) else "y"
    centre = middle(tree)[AXES.index(axis)].value
    steps = [_reflected(plainly, number, step, axis, centre) for number, step in enumerate(tree.steps, 1)]
    return replace(plainly, steps=tuple(steps))


def _reflected(tree: Tree, number: int, step: Step, axis: Axis, centre: Decimal) -> Step:
    axes = plane_axes(model(tree).steps[number - 1].place.axis)
    if axis not in axes:
        return replace(step, on=_OPPOSITE.get(step.on, step.on))
    index = axes.index(axis)
    at = list(step.at)
    at[index] = 2 * centre - at[index]
    repeat: Repeat | None = step.repeat
    if isinstance(repeat, Line) and repeat.direction == axis:
        at[index] -= repeat.spacing * (repeat.count - 1)
    elif isinstance(repeat, Grid):
        at[index] -= (
            repeat.column_spacing * (repeat.columns - 1) if index == 0 else repeat.row_spacing * (repeat.rows - 1)
        )
    elif isinstance(repeat, Polar):
        repeat = replace(repeat, start=Decimal(180 if index == 0 else 0) - repeat.start)
    return replace(step, at=(at[0], at[1]), repeat=repeat)


def _transposed(tree: Tree, number: int, step: Step) -> Step:
    turned: dict[Axis, Axis] = {"x": "y", "y": "x", "z": "z"}
    feature, repeat, at = step.feature, step.repeat, step.at
    if isinstance(feature, (Slot, Rib)):
        feature = replace(feature, direction=turned[feature.direction])
    if isinstance(repeat, Line):
        repeat = replace(repeat, direction=turned[repeat.direction])
    elif isinstance(repeat, Mirror):
        repeat = Mirror(turned[repeat.across])
    if model(tree).steps[number - 1].place.axis == 2:
        at = (at[1], at[0])
        if isinstance(feature, Pocket):
            feature = replace(feature, length=feature.width, width=feature.length)
        if isinstance(repeat, Grid):
            repeat = Grid(repeat.rows, repeat.row_spacing, repeat.columns, repeat.column_spacing)
        elif isinstance(repeat, Polar):
            repeat = replace(repeat, start=Decimal(90) - repeat.start)
    return Step(feature, _TURNED.get(step.on, step.on), at, repeat)


def _with_step(tree: Tree, number: int, step: Step) -> Tree:
    return replace(tree, steps=(*tree.steps[: number - 1], step, *tree.steps[number:]))


def _without_relations(tree: Tree, head: str) -> Tree:
    kept = tuple(relation for relation in tree.relations if relation.path.partition(".")[0] != head)
    return replace(tree, relations=kept)


def _no_edges(tree: Tree) -> tuple[Relation, ...]:
    return tuple(relation for relation in tree.relations if not relation.path.startswith("edges."))


def _other(direction: Axis, axes: tuple[Axis, Axis]) -> Axis:
    return axes[0] if direction == axes[1] else axes[1]
