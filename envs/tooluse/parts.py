"""Parts: the sub-goals of a request, as a template fixes them before any world is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from palestra.envs.base import Json
from palestra.envs.tooluse.case import Source
from palestra.envs.tooluse.planner import Known
from palestra.envs.tooluse.referral import Way

How = Literal["", "sum", "difference", "largest", "smallest"]
_NONE: Mapping[str, "Loan"] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """What an argument is taken from: a column of a row, or what follows from a column of several rows."""

    table: str
    path: str
    ways: tuple[Way, ...]
    how: How = ""

    @property
    def name(self) -> str:
        """What it adds to the name of a template."""
        return f"{self.how}{'.' if self.how else ''}{self.table}.{self.path}[{','.join(way.name for way in self.ways)}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sub-goal.

    value: what a column of a row holds, or what follows from a column of several rows. total: what a Total tells.
    listed: what follows from a column of all rows that a search lists. write: a writing call; each of its values is
    told in the request, or taken from other rows.
    """

    kind: Literal["value", "total", "listed", "write"]
    asked: Loan | None = None  # of a value
    tool: str = ""  # of the others
    ways: tuple[Way, ...] = ()  # of the rows that its arguments name, in their order
    filters: tuple[str, ...] = ()  # the arguments of a total or a search that are given
    path: str = ""  # the column of what is listed
    how: How = ""
    loans: Mapping[str, Loan] = field(default_factory=lambda: _NONE)  # of a write's arguments

    @property
    def name(self) -> str:
        """What it adds to the name of a template."""
        if self.asked is not None:
            return self.asked.name
        told = self.tool
        if self.kind == "listed":
            told = f"{self.how}.{self.tool}.{self.path}"
        if self.filters:
            told += f"({','.join(self.filters)})"
        lent = "".join(f"<{argument}={loan.name}>" for argument, loan in self.loans.items())
        return f"{told}[{','.join(way.name for way in self.ways)}]{lent}"

    @property
    def level(self) -> int:
        """The highest level of indirection of its rows."""
        loans = [*self.loans.values(), *([self.asked] if self.asked else [])]
        return max((way.level for way in (*self.ways, *(way for loan in loans for way in loan.ways))), default=0)


@dataclass(slots=True, kw_only=True)
class Worked:
    """A part in a world: what the request says of it, and what it comes to."""

    part: Part
    phrase: str = ""  # of a question: "the shipping fee of order ord_1"
    answer: Json = None
    source: Source | None = None
    said: Mapping[str, str] | None = None  # of a write: what stands for each argument
    unknowns: Mapping[str, str] = field(default_factory=dict)  # of a write: the arguments that are told by a phrase
    arguments: Mapping[str, Known] | None = None
