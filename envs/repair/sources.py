"""What faults are put into: the reference of a programming task, as a tree that can be changed, run here and printed.

References of problems are programs of the language of references, printed in the task's language; those of chains of
operations are lists of operations, printed in Python.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Protocol

from palestra.envs.base import Json, Task
from palestra.envs.code import program as chain
from palestra.envs.code.catalogue import Kind
from palestra.envs.code.ir.check import find_problem
from palestra.envs.code.ir.interpret import TooLong, Undefined, ready
from palestra.envs.code.ir.mutate import KINDS as IR_KINDS
from palestra.envs.code.ir.mutate import mutants
from palestra.envs.code.ir.parse import parse
from palestra.envs.code.ir.place import replaced, statements
from palestra.envs.code.ir.printers.catalogue import NotInThisLanguage, render
from palestra.envs.code.testing import near_misses
from palestra.envs.code.verify import language_name
from palestra.rewards.base import VerifierError

CHAIN_KINDS = ("dropped_step", "wrong_step", "wrong_constant")
KINDS: tuple[str, ...] = (*IR_KINDS, *CHAIN_KINDS)
_MOST_STEPS = 20_000


class NeverEnds(RuntimeError):
    """A program takes more steps than it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A reference with one small fault."""

    kind: str
    tree: Any
    twice: Any = None  # where something is missing: the reference with that twice; None where this could not run


class Source(Protocol):
    """A reference; its trees are frozen dataclasses all the way down."""

    @property
    def tree(self) -> Any:
        """The reference itself."""
        ...

    def faulty(self) -> Iterator[Wrong]:
        """Yield every program with one small fault."""
        ...

    def printed(self, tree: Any) -> str | None:
        """Return the program of a tree; None if it is none, or the language has no way to write it."""
        ...

    def runner(self, tree: Any) -> Callable[[str], str | None]:
        """Return what says of an input what the program of a tree prints; None where it does what is not defined.

        It raises `NeverEnds` where the program takes too long.
        """
        ...


def source_of(task: Task) -> Source:
    """Return the reference of a programming task.

    Raises:
        VerifierError: the task tells of none that can be changed.
    """
    if text := task.hidden.get("ir"):
        return _Written(parse(text), language_name(task))
    if told := task.hidden.get("program"):
        return _Chain(_chain(told))
    raise VerifierError(f"the task {task.id!r} has no reference to put a fault into")


def merged(base: Any, one: Any, other: Any) -> Any:
    """Return a tree with the changes of two others; None where both changed the same part of it."""
    if one == base:
        return other
    if other == base:
        return one
    if isinstance(base, tuple):
        if not len(base) == len(one) == len(other):
            return None
        parts = [merged(*each) for each in zip(base, one, other, strict=True)]
        return None if _lacks(base, parts) else tuple(parts)
    if not is_dataclass(base) or not type(base) is type(one) is type(other):
        return None
    names = [each.name for each in fields(base)]
    parts = [merged(*(getattr(each, name) for each in (base, one, other))) for name in names]
    if _lacks([getattr(base, name) for name in names], parts):
        return None
    return replace(base, **dict(zip(names, parts, strict=True)))  # type: ignore[type-var]


def _lacks(before: Any, parts: list[Any]) -> bool:
    return any(part is None and old is not None for old, part in zip(before, parts, strict=True))


@dataclass(frozen=True)
class _Written:
    """A program of the language of references."""

    tree: Any
    language: str

    def faulty(self) -> Iterator[Wrong]:
        known = dict(statements(self.tree))
        for mutant in mutants(self.tree):
            twice = replaced(self.tree, mutant.address, (known[mutant.address],) * 2)
            # What is given a name once more is given the same one where languages let it.
            again = twice if find_problem(twice) is None else self.tree
            yield Wrong(kind=mutant.kind, tree=mutant.program, twice=again)

    def printed(self, tree: Any) -> str | None:
        if find_problem(tree) is not None:
            return None
        try:
            return render(tree, self.language).source
        except NotInThisLanguage:
            return None

    def runner(self, tree: Any) -> Callable[[str], str | None]:
        run = ready(tree)

        def printed(stdin: str) -> str | None:
            try:
                return run(stdin, _MOST_STEPS).stdout
            except Undefined:
                return None
            except TooLong as error:
                raise NeverEnds(str(error)) from None

        return printed


@dataclass(frozen=True)
class _Chain:
    """Operations, one after the other."""

    tree: chain.Program

    def faulty(self) -> Iterator[Wrong]:
        steps = self.tree.steps
        for miss in near_misses(self.tree):
            if len(miss.steps) < len(steps):
                at = next((at for at, step in enumerate(miss.steps) if step != steps[at]), len(miss.steps))
                is_same = steps[at].operation.takes == steps[at].operation.gives
                twice = replace(self.tree, steps=(*steps[:at], steps[at], *steps[at:])) if is_same else None
                yield Wrong(kind=CHAIN_KINDS[0], tree=miss, twice=twice)
            else:
                is_other = [step.name for step in miss.steps] != [step.name for step in steps]
                yield Wrong(kind=CHAIN_KINDS[1 if is_other else 2], tree=miss)

    def printed(self, tree: chain.Program) -> str | None:
        return tree.source()

    def runner(self, tree: chain.Program) -> Callable[[str], str | None]:
        def printed(stdin: str) -> str | None:
            try:
                return chain.written(tree.gives, tree.trace(_read(tree.reads, stdin))[-1])
            except chain.OutOfRange:
                return None

        return printed


def _chain(told: Json) -> chain.Program:
    return chain.Program(told["reads"], tuple(chain.Step(name, constant) for name, constant in told["steps"]))


def _read(kind: Kind, stdin: str) -> chain.Value:
    """Return the value that `written` wrote as an input."""
    lines = [*stdin.split("\n"), ""]
    match kind:
        case "ints":
            return [int(word) for word in lines[0].split()]
        case "number":
            return int(lines[0])
        case "words":
            return lines[0].split()
        case "grid":
            return [[int(word) for word in line.split()] for line in lines[1 : int(lines[0]) + 1]]
    return lines[0]
