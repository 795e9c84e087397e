"""How operators of logs and data come to a step: a plan that is told as Python and as bash, and its near misses.

A near miss is the same plan with one thing changed, so its bash is almost right, and its effect shows whether
that matters with the data drawn. A draw on which fewer than two of them fail is drawn again.
"""

import csv
import io
import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, Protocol, TypeVar

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.predicates import evaluate
from palestra.envs.terminal.step import TOLD, Area, Artefact, Knobs, Shape, Step
from palestra.envs.terminal.tree import Folder, Tree

TRIES: Final = 40
Item = TypeVar("Item")


class Plan(Protocol):
    """What a step does, with all its values."""

    def effect(self, tree: Tree) -> Tree:
        """Return what is there afterwards."""
        ...

    def bash(self) -> str:
        """Return lines of bash that do the same."""
        ...


@dataclass(frozen=True, slots=True)
class Pool(Generic[Item]):
    """Things to draw from: those of training, and those that only held-out tasks have."""

    train: Sequence[Item]
    heldout: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Value:
    """A value that a step needs: what it is, how bash comes by it, and how the text tells it."""

    actual: str
    word: str
    told: str

    @classmethod
    def of(cls, actual: object) -> "Value":
        """Return a value that is told as it is."""
        return cls(str(actual), shlex.quote(str(actual)), f"`{actual}`")


@dataclass(slots=True)
class Desk:
    """What one draw has put together so far."""

    draws: Draws
    folder: str
    given: Artefact | None
    knobs: Knobs
    heldout: bool
    starts: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of the items."""
        return self.draws.pick(items)

    def of(self, pool: Pool[Item]) -> Sequence[Item]:
        """Return the items of a pool that this task may have."""
        return pool.heldout if self.heldout else pool.train

    def word(self, pool: Pool[Item]) -> Item:
        """Return one of the items of a pool."""
        return self.draws.pick(self.of(pool))

    def some(self, items: Sequence[Item], count: int) -> list[Item]:
        """Return as many different items, in a random order."""
        return self.draws.shuffled(items)[:count]

    def path(self, name: str) -> str:
        """Return the path of a file of the step's own."""
        return f"{self.folder}/{name}"

    def out(self, name: str) -> str:
        """Return the path of a file to make: drawn, so that what solves one task does not solve another."""
        stem, dot, end = name.rpartition(".")
        return self.path(f"{stem}-{self.draws.between(100, 999)}{dot}{end}")

    def put(self, name: str, text: str) -> str:
        """Lay a file out that must stay as it is, and return its path."""
        self.starts[self.path(name)] = text
        return self.path(name)

    def value(self, name: str, actual: object) -> Value:
        """Return a value of the task, which a file tells if values are to be looked up."""
        if not self.knobs.indirect:
            return Value.of(actual)
        path = self.path(TOLD)
        self.settings[name] = str(actual)
        return Value(str(actual), f"\"$(sed -n 's/^{name}=//p' {path})\"", f"the value of `{name}` in `{path}`")

    def lines_check(self, path: str, text: str) -> tuple[Json, ...]:
        """Return what is asked of a text file: its lines, or every byte."""
        if self.knobs.strict:
            return ({"kind": "file", "group": 0, "path": path, "equals": text},)
        return ({"kind": "file", "group": 0, "path": path, "lines": text.splitlines()},)

    def table_check(self, path: str, text: str) -> tuple[Json, ...]:
        """Return what is asked of a CSV file: its rows, or every byte."""
        if self.knobs.strict:
            return self.lines_check(path, text)
        return ({"kind": "csv", "group": 0, "path": path, "rows": list(csv.reader(io.StringIO(text)))},)

    def start(self) -> Tree:
        """Return what is there when the step begins."""
        tree = Tree()
        if self.given is not None:
            tree = tree.put(self.given.path, rendered(self.given))
        return tree.joined(self._own())

    def _own(self) -> Tree:
        tree = Tree()
        for path, text in self.starts.items():
            tree = tree.put(path, text)
        if self.settings:
            told = "".join(f"{name}={value}\n" for name, value in self.settings.items())
            tree = tree.put(self.path(TOLD), told)
        return tree if tree else tree.put(self.folder, Folder())

    def step(
        self,
        *,
        choices: tuple[str, ...],
        text: str,
        plan: Plan,
        wrong: Mapping[str, Plan],
        checks: Iterable[Json],
        makes: Sequence[str],
        gives: Artefact | None = None,
        changes: Sequence[str] = (),
        is_bytewise: bool = True,
        tools: Sequence[str] = (),
    ) -> Step | None:
        """Return the step, or None if the drawn data lets too many near misses pass.

        Args:
            changes: files of the start that the step is to change or remove.
            is_bytewise: what is made is compared byte for byte if that is how strict the task is.
            tools: programs that bash uses beside those that are always there.
        """
        start, own, asked = self.start(), self._own(), tuple(checks)

        def passes(tree: Tree) -> bool:
            return all(evaluate(tree, check).passed for check in asked)

        missed = {name: other for name, other in wrong.items() if not passes(other.effect(start))}
        if len(missed) < 2 or passes(start) or not passes(plan.effect(start)):
            return None
        keeps = tuple(path for path in own if path not in changes and path != self.folder)
        last = [text]
        if self.knobs.strict and is_bytewise:
            last.append(STRICT)
        if keeps:
            last.append(f"Leave the files that are in `{self.folder}` as they are{OTHERS if changes else ''}.")
        return Step(
            operator="",
            choices=choices,
            text=" ".join(last),
            starts=own,
            effect=plan.effect,
            solve=plan.bash(),
            checks=asked,
            wrong={name: other.bash() for name, other in missed.items()},
            makes=tuple(makes),
            keeps=keeps,
            tools=tuple(tools),
            gives=gives,
        )


STRICT: Final = "What you write is compared byte for byte; every line, the last one too, ends with one newline."
OTHERS: Final = ", but for what is said here"


@dataclass(slots=True)
class Operation:
    """An operator that draws again until a draw is worth asking."""

    name: str
    area: Area
    takes: Shape | None
    attempt: Callable[[Desk], Step | None]

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        """Return a step, see `palestra.envs.terminal.step.Operator`; without a given one it brings its own files."""
        if given is not None and given.shape != self.takes:
            given = None
        for _ in range(TRIES):
            step = self.attempt(Desk(draws, folder, given, knobs, heldout))
            if step is not None:
                return replace(step, operator=self.name)
        return None


def rendered(given: Artefact) -> str:
    """Return what an artefact's file holds, as this family writes it."""
    if given.shape == "lines":
        return joined(given.content)
    if given.shape == "table":
        return csv_text(list(given.content[0]), [list(row.values()) for row in given.content])
    return json.dumps(given.content, indent=2) + "\n"


def joined(lines: Iterable[str]) -> str:
    """Return lines as a text, each ended."""
    return "".join(f"{line}\n" for line in lines)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return CSV with a header."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([columns, *rows])
    return written.getvalue()


def table(path: str, text: str, about: str) -> Artefact | None:
    """Return a CSV text as what a later step may go on with, if it has rows."""
    rows = list(csv.DictReader(io.StringIO(text)))
    return Artefact("table", path, rows, about) if rows else None


def lines(path: str, text: str, about: str) -> Artefact | None:
    """Return a text as what a later step may go on with, if it has lines."""
    return Artefact("lines", path, text.splitlines(), about) if text else None
