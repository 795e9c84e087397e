"""What a site is: seeded data, pages as pure functions of it, and commands that change it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from palestra.envs.base import Json, Split
from palestra.envs.draws import Draws
from palestra.envs.web.element import Command, Page, Ui

Data = Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """How hard a site is; each site takes of it what it has."""

    size: int = 12  # rows, messages, products
    fields: int = 4  # of forms
    pages: int = 2  # over which lists and forms are spread, at most
    distractors: int = 3  # elements that no goal is about: links, buttons, advertisements
    popups: bool = False  # a dialog is in the way, once, on a page or two
    paraphrase: bool = True  # labels and intents in one of several wordings
    shuffle: bool = True  # fields, columns and parts stand in an order of the seed's
    strict: bool = False  # forms refuse what is malformed or missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a page is a function of, and what a command changes. Nothing in it is ever changed in place.

    Attributes:
        data: what goals are about, by table or part: JSON.
        visit: what the server remembers of the visitor besides: a basket, a wizard's answers, dialogs that were closed.
        path: of the address, such as "/items/3".
        query: of the address, as texts.
        ui: what was entered on the page since it was opened; forgotten when it is left.
    """

    data: Data
    visit: Data
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    ui: Ui = field(default_factory=dict)

    def at(self, href: str) -> Self:
        """Return the place that an address on the site names, newly opened."""
        split = urlsplit(href)
        return replace(self, path=split.path or "/", query=dict(parse_qsl(split.query)), ui={})

    def to(self, path: str, **query: str) -> Self:
        """Return the place of this path and query, newly opened."""
        return replace(self, path=path, query=query, ui={})

    def entered(self, **values: Json) -> Self:
        """Return the place with these entries of its ui; None forgets one."""
        merged = {**self.ui, **values}
        return replace(self, ui={name: value for name, value in merged.items() if value is not None})

    def noted(self, **values: Json) -> Self:
        """Return the place with these things remembered of the visitor."""
        return replace(self, visit={**self.visit, **values})

    def put(self, table: str, row: str, **values: Json) -> Self:
        """Return the place with these values in a row of a table of the data, which is made if it is not there."""
        rows = self.data[table]
        return replace(self, data={**self.data, table: {**rows, row: {**rows.get(row, {}), **values}}})

    def drop(self, table: str, row: str) -> Self:
        """Return the place without a row of a table."""
        return replace(self, data={**self.data, table: {k: v for k, v in self.data[table].items() if k != row}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is wanted of a site, and how it is said.

    Attributes:
        kind: "change" the data, "answer" a question, or "infeasible" (the right end is to report that).
        template: names the kind of goal on this site, for splits and figures, such as "refund by reference".
        intent: what the agent is asked for.
        changes: of "change": every cell that must differ from the start, and its value: "table/row/column" (a row
            removed is "table/row": None). All other data must be as it was.
        answer: of "answer": the right one, typed: a text or a number.
        facts: of "answer" and "infeasible": what pages must have told before the end can be known, such as the names of
            the rows to count, or that a record is locked. The end is worth something only after all were seen, each
            as a whole word of some page, and not all are told at the start. A fact is a text, or what `together` and
            `either` of `palestra.envs.web.verify` make of several.
        forbidden: commands' first words that no honest solution carries out, such as what an injected text asks for;
            carrying one out is a policy violation.
        values: texts that solving needs entered or chosen, for the search of a solution.
        parts: shorter goals on the way, as (intent, changes), the easiest first; the whole is not among them. The site
            is asked what matters to one as to any goal, by a goal with that intent.
    """

    kind: str
    template: str
    intent: str
    changes: Mapping[str, Json] = field(default_factory=dict)
    answer: str | float | None = None
    facts: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    parts: tuple[tuple[str, Mapping[str, Json]], ...] = ()


class Site(ABC):
    """A site of one template, drawn by a seed. Instances never change once they are made.

    Everything is pure and deterministic: equal places give equal pages, and equal commands equal places. Numbers of
    new rows follow from the data (one more than the largest), moments from a day that the seed draws.
    """

    name: ClassVar[str]  # such as "inbox"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        self.seed, self.knobs = seed, knobs
        self.split: Split = split

    def draws(self, stage: str) -> Draws:
        """Return the choices of one stage of drawing this site."""
        return Draws("web", f"{self.name}/{self.split}", self.seed, stage)

    @abstractmethod
    def start(self) -> Place:
        """Return the place where an episode begins."""

    @abstractmethod
    def page(self, place: Place) -> Page | None:
        """Return what a place shows; None if there is no such path or row."""

    @abstractmethod
    def do(self, place: Place, command: Command) -> Place:
        """Return where a command of an element on the page leads, and what it changes.

        Only commands of elements that the page shows and that are not disabled are ever given. A path or query other
        than before is a new page, whose ui is empty.
        """

    @abstractmethod
    def goals(self) -> Iterator[Goal]:
        """Yield goals of this site, each of another template as far as there are such, in an order of the seed's.

        Feasible ones can be reached from the start; infeasible ones cannot, by no sequence of actions.
        """

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        """Whether using an element of the page can be part of a shortest solution of the goal.

        The search of solutions tries only these. True for what is in doubt: it must never be False for an element
        that some shortest solution uses, whatever the place.
        """
        return True

    def texts(self, place: Place, goal: Goal, key: str) -> Sequence[str]:
        """Return what some shortest solution of the goal may enter in a field of the page, or choose of a list.

        The search tries only these; of all of the goal's values, which are meant where nothing else is told, a site
        with large forms names those of each field.
        """
        return goal.values

    def called(self, table: str, row: str) -> str:
        """Return how a row is called where its data do not tell, such as "the savings account"; else its number."""
        return row


def changes(before: Data, after: Data) -> dict[str, Json]:
    """Return the cells by which two states of data differ, as `Goal.changes` has them."""
    found: dict[str, Json] = {}
    for table in before.keys() | after.keys():
        old: Mapping[str, Json] = before.get(table, {})
        new: Mapping[str, Json] = after.get(table, {})
        if old is new:
            continue
        for row in sorted(old.keys() | new.keys()):
            if row not in new:
                found[f"{table}/{row}"] = None
            elif old.get(row) is not new[row]:
                cells = old.get(row, {})
                found |= {
                    f"{table}/{row}/{column}": value
                    for column, value in new[row].items()
                    if column not in cells or cells[column] != value
                }
    return found


def wording(draws: Draws, is_varied: bool, options: Sequence[str]) -> str:
    """Return one of several wordings; the first where wordings do not vary."""
    return draws.pick(options) if is_varied else options[0]
