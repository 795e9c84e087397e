"""What an operator is and what it makes: one thing that is asked for, and all that is known about it.

An operator draws a `Step`. Steps are composed to a task: each has files that are there at the start, or goes
on with what an earlier step made; what it does is told twice, as a function of trees and as lines of bash,
and that both do the same is what the task's certificate rests on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.tree import Tree

HOME: Final = "/workspace"  # where the shell begins; a task's files are below it unless an operator must go elsewhere
TOLD: Final = "settings.conf"  # in a step's folder: values that its text does not tell, as NAME=VALUE

Area = Literal["files", "logs", "data", "scripting", "databases"]
Shape = Literal[
    "lines",  # a text file of lines; content: list[str]
    "table",  # a CSV file with a header; content: list[dict[str, str]], columns in the first row's order
    "records",  # a JSON file, a list of flat objects; content: list[dict[str, Any]]
    "folder",  # a folder of text files; content: dict[str, str] by path below it
    "database",  # an sqlite file; content: dict[str, list[dict[str, Any]]] by table
]


@dataclass(frozen=True, slots=True)
class Artefact:
    """Something that a step made and a later one may go on with."""

    shape: Shape
    path: str
    content: Any  # as `Shape` says; never changed
    about: str  # what it is, in a few words: "the failed requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """How hard steps are to be; an operator heeds those that mean something to it."""

    size: int = 12  # lines, rows or files, roughly
    decoys: int = 0  # files of similar names and contents that must be left alone
    indirect: bool = False  # a value that the step needs stands in a file that the text names
    strict: bool = False  # the format of what is made is asked for to the byte


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that is asked for."""

    operator: str  # its name
    choices: tuple[str, ...]  # what makes it another template: kinds, directions, formats; never values or names
    text: str  # what is asked, complete: every path, format, order, tie and empty case
    starts: Tree  # what must be there at the start; paths are the step's own
    effect: Callable[[Tree], Tree]  # what is there afterwards, of what was there before: pure
    solve: str  # bash that does it; it uses only programs of a Debian base system and those in `tools`
    checks: tuple[Json, ...]  # predicates on the end, see `predicates`; they ask for no more than the text does
    wrong: Mapping[str, str]  # bash that is almost right, by what is wrong with it; at least two
    makes: tuple[str, ...] = ()  # files that `effect` and `solve` must leave alike to the byte
    keeps: tuple[str, ...] = ()  # inputs that must be as they were; the text says so
    tools: tuple[str, ...] = ()  # programs that it cannot do without, beside coreutils, grep, sed, awk, find and bash
    setup: str = ""  # bash that runs as root before the episode, for what no tree can hold, such as a repository
    gives: Artefact | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)  # what the operator's own predicates need


class Operator(Protocol):
    """A kind of thing that can be asked for."""

    name: str
    area: Area
    takes: Shape | None  # what it goes on with; None: it brings its own files

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        """Return a step, or None if this draw makes none that is worth asking.

        Args:
            draws: all randomness; the same draws give the same step.
            folder: below `HOME`, where the step's own files go; no other step of the task uses it.
            given: what it goes on with, of the shape that it takes; its file is where an earlier step put it.
            knobs: how hard.
            heldout: take wordings and values of the held-out pools.
        """
        ...
