"""Looking at programs: what is in them, what changes, and expressions in a shorter form."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from palestra.envs.code.ir.nodes import (
    INT,
    Append,
    Assign,
    Block,
    Constant,
    Expression,
    Item,
    Minus,
    Name,
    Operation,
    Pop,
    Put,
    Remove,
    Type,
    Use,
)


def nodes(value: Any) -> Iterator[Any]:
    """Yield every node of a program, from the outside in."""
    if isinstance(value, tuple):
        for each in value:
            yield from nodes(each)
    elif is_dataclass(value):
        yield value
        for each in fields(value):
            yield from nodes(getattr(value, each.name))


def names_changed(block: Block, *, rebound: bool = False) -> set[str]:
    """Return the variables that a block changes, or only those that it gives other values."""
    found = set()
    for node in nodes(block):
        match node:
            case Assign(place) | Append(place) | Pop(place) | Put(place) | Remove(place):
                is_rebound = isinstance(node, Assign) and isinstance(place, Name)
                root: Expression = place
                while isinstance(root, Item):
                    root = root.of
                if isinstance(root, Name) and (is_rebound or not rebound):
                    found.add(root.name)
        if isinstance(node, Pop) and node.into:
            found.add(node.into.name)
    return found


def stays(value: Expression, block: Block) -> bool:
    """Return whether an expression is cheap and is the same after each turn of a block."""
    changed = names_changed(block)
    return all(
        isinstance(node, Constant | Operation | Minus | Type)
        or (isinstance(node, Name) and node.name not in changed)
        or (isinstance(node, Use) and node.builtin == "len")
        for node in nodes(value)
    )


def moved(value: Expression, by: int) -> Expression:
    """Return an integer expression with a small number added, in its shortest form."""
    match value:
        case Constant(int(number)):
            return Constant(number + by, INT)
        case Operation("+" | "-" as sign, left, Constant(int(number))):
            by += number if sign == "+" else -number
            value = left
    if by == 0:
        return value
    return Operation("+" if by > 0 else "-", value, Constant(abs(by), INT), INT)


def is_zero(value: Expression) -> bool:
    """Return whether an expression is the number 0."""
    return value == Constant(0, INT)


def is_length(value: Expression, of: Expression) -> bool:
    """Return whether an expression is the length of another."""
    return isinstance(value, Use) and value.builtin == "len" and value.arguments == (of,)


def from_end(of: Expression, index: Expression) -> int:
    """Return how far from the end an index is if it is written as a length less a number, or else 0."""
    match index:
        case Operation("-", length, Constant(int(number))) if is_length(length, of) and number > 0:
            return number
    return 0
