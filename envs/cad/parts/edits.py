"""Changes of a part and how they are asked for: a dimension, a position, one thing more, one thing less."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from palestra.envs.base import Split
from palestra.envs.cad.parts.draw import grow
from palestra.envs.cad.parts.model import model
from palestra.envs.cad.parts.mutants import is_same, without_step
from palestra.envs.cad.parts.phrases import UNITS, say_length
from palestra.envs.cad.parts.shapes import plane_axes
from palestra.envs.cad.parts.text import ANGLES, say_step
from palestra.envs.cad.parts.tree import PartError, Tree, independent, kind_of, plain, with_value
from palestra.envs.draws import Draws

Change = tuple[Tree, str]
_TRIES: Final = 80
_SHARES: Final = tuple(Decimal(one) for one in ("0.6", "0.7", "0.8", "1.25", "1.4", "1.5"))
_COUNTS: Final = ("sides", "count", "columns", "rows")
_WORDS: Final = {  # for training, held out
    "set": ("Change {what} from {old} to {new}", "Now {new} instead of {old}: that is what {what} shall be"),
    "move": ("Move {what} to {position}", "{what} belongs at {position} instead; shift it there"),
    "add": ("Add one thing: {what}", "What is still lacking: {what}"),
    "remove": ("Remove {what}", "Do without {what}"),
}


def edit(tree: Tree, units: tuple[str, ...], split: Split, draws: Draws, distance: int = 1) -> tuple[Tree, str]:
    """Return a changed part, and the changes in words, one a line, by the numbers of the given part's steps.

    Raises:
        PartError: no such change was found.
    """
    kinds = _kinds(tree, draws, distance)
    editor = _Editor(units, split, draws)
    changed, told = tree, []
    for kind in kinds:
        done = editor.tried(_EDITS[kind], changed)
        changed, words = done
        told.append(f"{words}.")
    if is_same(model(tree), model(changed)):
        raise PartError("the changes undo each other")
    return changed, "\n".join(told)


def _kinds(tree: Tree, draws: Draws, distance: int) -> list[str]:
    """Return the kinds of so many changes, removals last, so that steps keep their numbers till then."""
    kinds = [draws.pick(("set", "set", "move", "add")) for _ in range(distance)]
    if len(tree.steps) > 1 and draws.chance(0.25):
        kinds[-1] = "remove"
    return kinds


class _Editor:
    """Makes changes, each of something that was not changed before."""

    def __init__(self, units: tuple[str, ...], split: Split, draws: Draws) -> None:
        self.units, self.draws = units, draws
        self.split: Split = split
        self.touched: set[str] = set()

    def tried(self, change: Callable[["_Editor", Tree], Change], tree: Tree) -> Change:
        """Return a change that can be made, of many tries.

        Raises:
            PartError: none can.
        """
        for _ in range(_TRIES):
            touched = set(self.touched)
            try:
                changed, words = change(self, tree)
                if not is_same(model(tree), model(changed)):
                    return changed, words
            except PartError:
                pass
            self.touched = touched
        raise PartError("no such change fits the part")

    def say(self, kind: str, **slots: str) -> str:
        """Return a change in words."""
        said = _WORDS[kind][self.split == "heldout"].format(**slots)
        return said[0].upper() + said[1:]

    def touch(self, path: str) -> None:
        """Take a dimension for a change.

        Raises:
            PartError: it is taken.
        """
        if path in self.touched:
            raise PartError("a thing is changed once")
        self.touched.add(path)

    def set(self, tree: Tree) -> Change:
        """Change one dimension, and those that follow from it."""
        known = {path: value for path, value in independent(tree).items() if _is_size(path, value)}
        path = self.draws.pick(sorted(known))
        self.touch(path)
        if any(one.source == path for one in tree.relations):
            raise PartError("others follow from it, of which the words would say nothing")
        value: Any = known[path]
        name = path.rsplit(".", 1)[-1]
        if isinstance(value, int):
            new: Any = value + self.draws.pick((-1, 1, 2))
            old_said, new_said = str(value), str(new)
        else:
            is_angle = name in ANGLES
            unit = "mm" if is_angle else self._unit(path)
            new = _rounded(value / UNITS[unit], self.draws.pick(_SHARES)) * UNITS[unit]
            old_said = f"{plain(value)} degrees" if is_angle else say_length(value, unit)
            new_said = f"{new} degrees" if is_angle else say_length(new, unit)
        if new == value or new <= 0:
            raise PartError("that is no change")
        what = f"the {name.replace('_', ' ')} of {_owner(tree, path)}"
        return with_value(tree, path, new), self.say("set", what=what, old=old_said, new=new_said)

    def move(self, tree: Tree) -> Change:
        """Move one step."""
        number = self.draws.between(1, len(tree.steps))
        free = {one.path for one in tree.relations}.isdisjoint({f"{number}.a", f"{number}.b"})
        if not free or any(step.on == number for step in tree.steps):
            raise PartError("others stand on it, or its position follows from something")
        self.touch(f"{number}.a")
        self.touch(f"{number}.b")
        step = tree.steps[number - 1]
        unit = self._unit(f"{number}.a")
        away = [Decimal(self.draws.pick((-20, -12, -8, -5, 0, 5, 8, 12, 20))) for _ in range(2)]
        at = (plain(step.at[0] + away[0]), plain(step.at[1] + away[1]))
        steps = (*tree.steps[: number - 1], replace(step, at=at), *tree.steps[number:])
        axes = plane_axes(model(tree).steps[number - 1].place.axis)
        position = ", ".join(f"{axis} = {say_length(one, unit)}" for axis, one in zip(axes, at, strict=True))
        what = f"{_owner(tree, f'{number}.a')} on its face"
        return replace(tree, steps=steps), self.say("move", what=what, position=position)

    def add(self, tree: Tree) -> Change:
        """Add a step."""
        unit = self._unit(str(len(self.units) - 1))
        grown = grow(tree, self.draws, unit)
        number = len(grown.steps)
        self.touched |= {f"{number}.a", f"{number}.b"}
        units = (*self.units, *("mm" for _ in range(number - len(self.units))), unit)
        return grown, self.say("add", what=say_step(grown, units, self.split, self.draws, number))

    def remove(self, tree: Tree) -> Change:
        """Remove a step and what stands on it."""
        number = self.draws.between(1, len(tree.steps))
        if any(path.partition(".")[0] == str(number) for path in self.touched):
            raise PartError("what was changed stays")
        is_alone = not any(step.on == number for step in tree.steps)
        what = _owner(tree, f"{number}.a") + ("" if is_alone else ", and all that stands on it")
        return without_step(tree, number), self.say("remove", what=what)

    def _unit(self, path: str) -> str:
        head = path.partition(".")[0]
        index = int(head) if head.isdecimal() else 0
        return self.units[index] if index < len(self.units) else self.units[0]


_EDITS: Final[dict[str, Callable[[_Editor, Tree], Change]]] = {
    "set": _Editor.set,
    "move": _Editor.move,
    "add": _Editor.add,
    "remove": _Editor.remove,
}


def _is_size(path: str, value: object) -> bool:
    name = path.rsplit(".", 1)[-1]
    return (isinstance(value, Decimal) and value != 0 and name not in ("a", "b", "start")) or name in _COUNTS


def _owner(tree: Tree, path: str) -> str:
    head, _, rest = path.partition(".")
    if head == "base":
        return f"the base ({kind_of(tree.base)})"
    if head == "edges":
        edge = tree.edges[int(rest.partition(".")[0]) - 1]
        where = {"vertical": "upright edges", "top": "edges round the top"}.get(getattr(edge, "edges", ""), "base")
        return f"the {kind_of(edge)} of the {where}"
    step = tree.steps[int(head) - 1]
    if rest.startswith("repeat") and step.repeat is not None:
        return f"the {kind_of(step.repeat)} pattern of step {head} ({kind_of(step.feature)})"
    return f"step {head} ({kind_of(step.feature)})"


def _rounded(number: Decimal, share: Decimal) -> Decimal:
    """Return a share of a number, with no more decimals than it has (four, if it has more)."""
    exponent = round(number, 4).normalize().as_tuple().exponent
    return plain(round(number * share, max(0, -exponent) if isinstance(exponent, int) else 0))
