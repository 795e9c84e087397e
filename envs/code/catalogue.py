"""What programs are made of: typed operations, each known three ways.

An operation has the phrase a statement says, the code a solver would write, and its law: the same
function by another algorithm. Statements come from phrases, the oracle's program from code, expected
outputs from laws; so an oracle that passes is two independent references that agree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, Literal, NamedTuple, TypeVar

Kind = Literal["ints", "number", "text", "words", "grid", "moves", "line"]  # "line" is printed, never read
Constant = int | str | None
Law = Callable[..., Any]
L = TypeVar("L", bound=Law)


class Pool(NamedTuple):
    """The values an operation's constant takes; no value is in both splits."""

    train: tuple[int | str, ...]
    heldout: tuple[int | str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One step of a program, from a value of one kind to a value of another."""

    name: str
    takes: Kind
    gives: Kind
    phrase: str  # an imperative sentence; {k} stands for the constant
    code: str  # statements that turn x into the new x
    law: Law  # (x) or (x, k) -> the new x; never changes its argument
    pool: Pool | None  # of the constant k
    domain: tuple[int, int] | None  # the numbers it is asked for, when not all
    is_heldout: bool  # never part of a training task


OPERATIONS: dict[str, Operation] = {}
SMALL = Pool((2, 3, 5), (4, 6))
COUNTS = Pool((1, 2, 3), (4, 5))
STRIDES = Pool((2, 3), (4,))
THRESHOLDS = Pool((0, 3, 5, 8, 12), (2, 6, 7, 10))
ADDENDS = Pool((1, 3, 7, 10), (2, 4, 9, 15))
LETTERS = Pool(("a", "e", "r", "t"), ("o", "n", "s", "i"))


def operation(
    takes: Kind,
    gives: Kind,
    phrase: str,
    code: str,
    *,
    k: Pool | None = None,
    domain: tuple[int, int] | None = None,
    heldout: bool = False,
) -> Callable[[L], L]:
    """Add the decorated law to the catalogue, under its own name."""

    def add(law: L) -> L:
        OPERATIONS[law.__name__] = Operation(
            name=law.__name__,
            takes=takes,
            gives=gives,
            phrase=phrase,
            code=dedent(code).strip(),
            law=law,
            pool=k,
            domain=domain,
            is_heldout=heldout,
        )
        return law

    return add
