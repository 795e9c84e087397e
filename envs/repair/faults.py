"""Faults for a programming task: each by itself can be seen and fails the hidden tests, and one edit undoes it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Final

from palestra.envs.base import Json, Task
from palestra.envs.code.draws import Draws
from palestra.envs.code.hunks import Hunk, are_apart, hunks, patched
from palestra.envs.code.judge.checkers import lines as same_lines
from palestra.envs.repair.sources import NeverEnds, Source, Wrong, merged, source_of

NEAR: Final = 8  # other wrong programs that come with a task
RIGHT, WRONG, UNDEFINED = "right", "wrong", "undefined"
_LONGEST: Final = 2_000  # characters of an input that programs are run on here
_LINES: Final = 4  # of a fault at most
_TRIED: Final = 60  # faults that are looked at for a task


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault in a reference."""

    kind: str
    hunk: Hunk  # what it changes in the reference's lines
    tree: Any  # the reference with this fault alone

    def to_json(self) -> Json:
        """Return what a task tells of it, to verifiers: its kind, and the line of the reference where it begins."""
        return {"kind": self.kind, "line": self.hunk.first + 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A program with faults."""

    program: str
    reference: str
    faults: tuple[Fault, ...]
    passed: int  # examples
    near: tuple[str, ...]  # other programs that fail the hidden tests: nearly mended, or with another fault


def broken(task: Task, draws: Draws, *, faults: int, kind: str, visible: bool) -> Broken | None:
    """Return the reference of a programming task with faults put in, or None if none were found.

    Args:
        task: with a reference that `source_of` knows.
        draws: which faults.
        faults: how many.
        kind: of each, or "any".
        visible: each fault by itself fails an example, or none does and only the hidden tests show them.
    """
    bench = _Bench(task, visible)
    found: list[Fault] = []
    spare: list[str] = []
    for one in islice(_single(bench, draws, kind), _TRIED):
        if len(found) < faults and _fits(bench, [*found, one]):
            found.append(one)
        elif len(spare) < NEAR:
            spare.append(bench.text([one]))
        if len(found) == faults and len(spare) == NEAR:
            break
    if len(found) < faults:
        return None
    program = bench.text(found)
    partly = [bench.text([each for each in found if each is not left]) for left in found] if faults > 1 else []
    return Broken(
        program=program,
        reference=bench.reference,
        faults=tuple(found),
        passed=bench.passed(_all_of(bench.source, found)),
        near=tuple(dict.fromkeys([*partly, *spare])),
    )


class _Bench:
    """The reference of a task with its tests."""

    def __init__(self, task: Task, visible: bool) -> None:
        self.source: Source = source_of(task)
        self.reference = self.source.printed(self.source.tree) or ""
        self.lines = self.reference.splitlines()
        self.examples: Sequence[Mapping[str, Json]] = task.public["examples"]
        self.hidden = [case for case in task.hidden["tests"] if len(case["input"]) <= _LONGEST]
        self.is_chain = "ir" not in task.hidden
        self.every = list(self.source.faulty())
        self._visible = visible

    def text(self, chosen: Sequence[Fault]) -> str:
        """Return the reference with some faults."""
        return "\n".join(patched(self.lines, [fault.hunk for fault in chosen])) + "\n"

    def passed(self, tree: Any) -> int:
        """Return how many examples a program passes.

        Raises:
            NeverEnds: it takes too long for one.
        """
        return self._does(tree, self.examples).count(RIGHT)

    def matters(self, number: int) -> bool:
        """Return whether the hidden tests fail without a line of the reference, given by the number of those before.

        Without others it is no program, or not one that differs from the reference.
        """
        return all(self.fails(tree) for tree in self._without.get(number, ()))

    def fails(self, tree: Any) -> bool:
        """Return whether a program fails the hidden tests."""
        try:
            return set(self._does(tree, self.hidden)) != {RIGHT}
        except NeverEnds:
            return True

    @cached_property
    def _without(self) -> Mapping[int, Sequence[Any]]:
        """The reference without one of its lines, by the number of those before.

        A line that gives a variable its first value is checked for being there: another value stands for none.
        """
        found: dict[int, list[Any]] = {}
        for wrong in self.every:
            is_first = wrong.kind == "initial_value"
            is_asked = is_first or wrong.kind in ("dropped_statement", "missing_update")
            text = self.source.printed(wrong.tree) if is_asked else None
            for hunk in hunks(self.lines, text.splitlines()) if text else ():
                if len(hunk.old) == 1 and len(hunk.new) == is_first:
                    found.setdefault(hunk.first, []).append(wrong.tree)
        return found

    def is_fault(self, tree: Any) -> bool:
        """Return whether a program ends on every test, prints something wrong on a hidden one, and shows it or not."""
        try:
            is_seen = self.passed(tree) < len(self.examples)
            return is_seen == self._visible and WRONG in self._does(tree, self.hidden)
        except NeverEnds:
            return False

    def _does(self, tree: Any, cases: Sequence[Mapping[str, Json]]) -> list[str]:
        run = self.source.runner(tree)
        made = [(run(case["input"]), case["output"]) for case in cases]
        return [UNDEFINED if text is None else RIGHT if _are_same(text, wanted) else WRONG for text, wanted in made]


def _are_same(printed: str, wanted: str) -> bool:
    return same_lines(printed.encode(), wanted.encode())


def _single(bench: _Bench, draws: Draws, kind: str) -> Iterator[Fault]:
    """Yield faults in a random order in which no kind is rarer than another, each of one hunk."""
    by_kind: dict[str, list[Wrong]] = {}
    for one in bench.every:
        if kind in ("any", one.kind):
            by_kind.setdefault(one.kind, []).append(one)
    while by_kind:
        name = draws.pick(sorted(by_kind))
        wrong = by_kind[name].pop(draws.between(0, len(by_kind[name]) - 1))
        if not by_kind[name]:
            del by_kind[name]
        text = bench.source.printed(wrong.tree)
        changes = hunks(bench.lines, text.splitlines()) if text else ()
        if len(changes) == 1 and bench.is_fault(wrong.tree) and _is_firm(bench, changes[0], wrong.twice):
            yield Fault(kind=name, hunk=changes[0], tree=wrong.tree)


def _is_firm(bench: _Bench, hunk: Hunk, twice: Any) -> bool:
    """Return whether a fault is small, and an edit that is nearly the right one mends nothing.

    The lines around it must matter, in case that one of them is taken away as well, and what is missing must not be
    put back twice. A step of a chain that stands on several lines may leave harmless ones behind.
    """
    if len(hunk.old) > _LINES or len(hunk.new) > (1 if bench.is_chain else _LINES):
        return False
    first = hunk.first - (not hunk.new)  # what is only missing is put back with the line before it
    around = [number for number in (first - 1, hunk.end) if 0 <= number < len(bench.lines)]
    if not all(bench.matters(number) for number in around if bench.lines[number].strip()):
        return False
    return bool(hunk.new) or twice is None or bench.fails(twice)


def _fits(bench: _Bench, chosen: Sequence[Fault]) -> bool:
    """Return whether faults can be together in a program that fails, with each in lines of its own."""
    if len(chosen) == 1:
        return True
    if not are_apart([fault.hunk for fault in chosen]):
        return False
    tree = _all_of(bench.source, chosen)
    return tree is not None and bench.source.printed(tree) == bench.text(chosen) and bench.is_fault(tree)


def _all_of(source: Source, chosen: Sequence[Fault]) -> Any:
    """Return the reference with all of the faults; None if two of them are in the same place."""
    tree = chosen[0].tree
    for fault in chosen[1:]:
        tree = None if tree is None else merged(source.tree, tree, fault.tree)
    return tree
