"""Steps are put together to one task: in folders of their own, or one going on with what another made.

What is put together is looked at as values before any machine is: every step must be met by the effects of all, and
missed where its own effect alone is left out, so that no step undoes, does or spoils what another one asks.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from palestra.envs.base import Json, Split
from palestra.envs.draws import Draws
from palestra.envs.terminal.catalogue import OPERATORS, REPAIRS
from palestra.envs.terminal.harder import harder
from palestra.envs.terminal.predicates import RUNNING, evaluate
from palestra.envs.terminal.step import HOME, Artefact, Knobs, Operator, Step
from palestra.envs.terminal.tree import File, Folder, Tree

AREAS: Final = ("files", "logs", "data", "scripting", "databases")
TOOLS: Final = ("python3", "perl", "awk", "sed", "jq", "sqlite3")  # what can be taken away
FOLDERS: Final[Mapping[Split, tuple[str, ...]]] = {
    "train": (
        "intake", "depot", "studio", "ledger", "bureau", "archive", "kitchen", "office", "garage", "attic", "cabin",
        "museum", "library", "market", "lab",
    ),
    "heldout": (
        "foundry", "clinic", "chapel", "registry", "hangar", "dockyard", "gallery", "pavilion", "bakery", "brewery",
    ),
}  # fmt: skip
_NOISE: Final[Mapping[Split, tuple[str, ...]]] = {
    "train": ("minutes.txt", "todo.txt", "contacts.csv", "old.log", "draft.md", "prices.csv", "notes.json", "list.tmp"),
    "heldout": ("agenda.txt", "errata.txt", "members.csv", "trace.log", "plan.md", "stock.csv", "state.json", "x.tmp"),
}
_GOES_ON: Final = 0.5  # how often a step goes on with what there is, where it can
_DRAWS: Final = 8  # of an operator, for one place


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted of a task."""

    steps: int = 2
    area: str = "any"
    faults: int = 0  # steps that mend something
    without: tuple[str, ...] = ()  # programs of `TOOLS` that are not to be had
    knobs: Knobs = field(default_factory=Knobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """Steps that go together, and all that is there before and after them."""

    steps: tuple[Step, ...]
    sources: tuple[int, ...]  # of each step the place of the one that it goes on with; -1: it brings its own files
    folders: tuple[str, ...]
    start: Tree
    end: Tree
    noise: Tree  # files that nothing is asked of

    @property
    def template(self) -> Json:
        """What makes the task another than others but for values and names: its structure."""
        return template_of(self.steps, self.sources)

    @property
    def checks(self) -> list[Json]:
        """Every step's predicates, each with the place of its step."""
        return [{**check, "group": at} for at, step in enumerate(self.steps) for check in step.checks]


def compose(
    wish: Wish, split: Split, seed: int, attempt: int, is_wanted: Callable[[Json], bool] = lambda template: True
) -> Composed | None:
    """Return a drawn task, or None if the draw makes none.

    Args:
        wish: how many steps, of which kinds and how hard.
        split: whose operators, words and values.
        seed: of the task.
        attempt: other draws for the same seed.
        is_wanted: which templates will do.
    """
    draws = Draws("terminal", f"compose/{split}", seed, f"plan/{attempt}")
    folders = [f"{HOME}/{name}" for name in draws.shuffled(FOLDERS[split])]
    mends = draws.shuffled([True] * wish.faults + [False] * (wish.steps - wish.faults))
    steps: list[Step] = []
    sources: list[int] = []
    for place, mend in enumerate(mends):
        found = _draw(wish, split, seed, attempt, steps, folders[place], draws, mend=mend)
        if found is None:
            return None
        step, source = found
        steps.append(step)
        sources.append(source)
    if not is_wanted(template_of(steps, sources)):
        return None
    noise = _noise(split, folders[-1], wish.knobs, draws)
    return joined(steps, sources, folders[: len(steps)], noise)


def template_of(steps: Sequence[Step], sources: Sequence[int]) -> Json:
    """Return the structure of steps: their operators and choices, and which goes on with which."""
    return [[one.operator, list(one.choices), at] for one, at in zip(steps, sources, strict=True)]


def needs(step: Step, tools: Sequence[str]) -> bool:
    """Return whether a step's solution uses one of these programs, or a variant of it."""
    words = "|".join(f"{re.escape(tool)}" if tool != "awk" else "[gm]?awk" for tool in tools)
    return bool(words) and (
        any(tool in step.tools for tool in tools)
        or re.search(rf"(?<![\w.-])({words})(?![\w-])", step.solve) is not None
    )


def _draw(
    wish: Wish, split: Split, seed: int, attempt: int, steps: Sequence[Step], folder: str, draws: Draws, *, mend: bool
) -> tuple[Step, int] | None:
    """Return a step for the next place, and the place of the one that it goes on with."""
    place = len(steps)
    known = [one for one in OPERATORS.values() if wish.area in ("any", one.area) and (not mend or can_mend(one))]
    used = {step.operator for step in steps}
    fresh = [one for one in known if one.name not in used] or known
    if wish.area == "any" and fresh:
        area = draws.pick(sorted({one.area for one in fresh}))  # areas alike, however many operators they have
        fresh = [one for one in fresh if one.area == area]
    at_hand = {at: step.gives for at, step in enumerate(steps) if step.gives is not None}
    if at_hand and not mend and draws.chance(_GOES_ON):
        at = draws.pick(sorted(at_hand))
        takers = [one for one in known if one.takes == at_hand[at].shape]
        fresh = [one for one in takers if one.name not in used] or takers or fresh
    else:
        at_hand = {}
    for count, operator in enumerate(draws.shuffled(fresh)[:_DRAWS]):
        own = Draws("terminal", operator.name, seed, f"step/{split}/{attempt}/{place}/{count}")
        source, given = _given(operator, at_hand, own)
        step = operator.draw(own, folder, given, wish.knobs, heldout=split == "heldout")
        if step is None or needs(step, wish.without):
            continue
        is_damaged = mend and operator.name not in REPAIRS
        held = split == "heldout"
        made = harder(step, operator, own, folder, given, wish.knobs, heldout=held, is_damaged=is_damaged)
        if made is not None:
            return made, source
    return None


def can_mend(operator: Operator) -> bool:
    """Return whether something broken can be a part of an operator's steps."""
    return operator.name in REPAIRS or operator.area != "scripting"


def _given(operator: Operator, at_hand: Mapping[int, Artefact], draws: Draws) -> tuple[int, Artefact | None]:
    fitting = [at for at in sorted(at_hand) if at_hand[at].shape == operator.takes]
    if not fitting:
        return -1, None
    at = draws.pick(fitting)
    return at, at_hand[at]


def _noise(split: Split, folder: str, knobs: Knobs, draws: Draws) -> Tree:
    """Return files beside those of the steps."""
    tree = Tree()
    for name in draws.shuffled(_NOISE[split])[: knobs.decoys]:
        tree = tree.put(f"{folder}/{name}", f"{draws.between(100, 99999)} {name.partition('.')[0]}\n")
    return tree


def joined(steps: Sequence[Step], sources: Sequence[int], folders: Sequence[str], noise: Tree) -> Composed | None:
    """Return steps together, each in its folder, or None if one is in the way of another."""
    if any(_overlap(one.starts, other.starts) for at, one in enumerate(steps) for other in steps[:at]):
        return None
    start = noise
    for folder, step in zip(folders, steps, strict=True):
        start = start.joined(step.starts)
        if folder not in start.folders:
            start = start.put(folder, Folder())
    try:
        end = _after(steps, start)
        found = Composed(
            steps=tuple(steps), sources=tuple(sources), folders=tuple(folders), start=start, end=end, noise=noise
        )
        return found if _is_sound(found) else None
    except (KeyError, ValueError):  # an effect misses what another one took away
        return None


def _after(steps: Sequence[Step], tree: Tree, without: int = -1) -> Tree:
    """Return what the effects make of a tree, those left out that start from what only a machine holds."""
    for at, step in enumerate(steps):
        if at != without and not step.setup:
            tree = step.effect(tree)
    return tree


def _is_sound(found: Composed) -> bool:
    """Return whether every step that can be judged as a value is met in the end, and missed without its own effect."""
    for at, step in enumerate(found.steps):
        if step.setup:
            continue
        checks = [{**check, "group": at} for check in step.checks if check["kind"] not in RUNNING]
        if not all(evaluate(found.end, check).passed for check in checks):
            return False
        if checks and len(checks) == len(step.checks) and all(evaluate(found.start, check).passed for check in checks):
            return False
        if any(not _is_same(found.start, found.end, path) for path in step.keeps):
            return False
        later = [place for place, source in enumerate(found.sources) if source == at]
        if len(found.steps) > 1 and not later and len(checks) == len(step.checks):
            left = _after(found.steps, found.start, without=at)
            if all(evaluate(left, check).passed for check in checks):
                return False
    return True


def _is_same(one: Tree, other: Tree, path: str) -> bool:
    here, there = one.get(path), other.get(path)
    return isinstance(here, File) and isinstance(there, File) and here.data == there.data


def _overlap(one: Tree, other: Tree) -> bool:
    """Return whether two trees have a path in common, or one a path below a file of the other."""
    if set(one) & set(other):
        return True
    return any(_is_below(one, folder) or _is_below(other, folder) for folder in ({*one.folders} ^ {*other.folders}))


def _is_below(tree: Tree, folder: str) -> bool:
    return isinstance(tree.get(folder), File)
