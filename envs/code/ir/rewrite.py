"""Statements and programs with something in them written otherwise."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final

from palestra.envs.code.ir.check import find_problem
from palestra.envs.code.ir.nodes import (
    Block,
    Comparison,
    Expression,
    ForEach,
    ForRange,
    Let,
    Not,
    Operation,
    Program,
    Statement,
    Type,
)
from palestra.envs.code.ir.place import Address, replaced, statements

_BLOCKS: Final = ("then", "otherwise", "body")
_OPPOSITE: Final[dict[str, Comparison]] = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Variant:
    """A checked program that differs from another at one statement."""

    kind: str
    address: Address  # of the statement in the other
    program: Program


Ways = Iterator[tuple[str, Block]]  # the kind of a change, and what comes in a statement's place


def variants(program: Program, ways: Callable[[Program, Address, Statement], Ways]) -> Iterator[Variant]:
    """Yield every checked program that has one statement written in another of these ways, each once."""
    seen = {program}
    for address, statement in statements(program):
        for kind, block in ways(program, address, statement):
            made = replaced(program, address, block)
            if made not in seen and find_problem(made) is None:
                seen.add(made)
                yield Variant(kind, address, made)


def changed(node: Any, change: Callable[[Expression], Iterator[tuple[str, Expression]]]) -> Iterator[tuple[str, Any]]:
    """Yield a statement or an expression with one expression in it changed; blocks are not looked into."""
    if isinstance(node, Expression):
        yield from change(node)
    for name, child in _children(node):
        if isinstance(child, tuple):
            for number, each in enumerate(child):
                for kind, new in changed(each, change):
                    yield kind, replace(node, **{name: (*child[:number], new, *child[number + 1 :])})
        else:
            for kind, new in changed(child, change):
                yield kind, replace(node, **{name: new})


def transformed(node: Any, change: Callable[[Any], Any]) -> Any:
    """Return a program, or a part of one, with every node in it changed, the inner ones first."""
    if isinstance(node, tuple):
        return tuple(transformed(each, change) for each in node)
    if not is_dataclass(node) or isinstance(node, Type):
        return node
    new = {each.name: transformed(getattr(node, each.name), change) for each in fields(node)}
    return change(replace(node, **new))  # type: ignore[type-var]


def opposite(condition: Expression) -> Expression:
    """Return what holds where a condition does not."""
    match condition:
        case Operation(operator) if operator in _OPPOSITE:
            return replace(condition, operator=_OPPOSITE[operator])
        case Not(of):
            return of
    return Not(condition)


def variables(program: Program, function: object) -> dict[str, Type]:
    """Return the variables of a function, or of the program for "", in the order in which they are made."""
    found: dict[str, Type] = {}
    for each in program.functions:
        if each.name == function:
            found |= dict(each.parameters)
    for address, statement in statements(program):
        if address[0] == function:
            match statement:
                case Let(name, value):
                    found.setdefault(name, value.type)
                case ForRange(name):
                    found.setdefault(name, Type("int"))
                case ForEach(name, of):
                    found.setdefault(name, of.type.of[0] if of.type.of else Type("str"))
    return found


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    for each in fields(node):
        child = getattr(node, each.name)
        is_block = isinstance(child, tuple) and each.name in _BLOCKS  # a choice between two values has none
        if not is_block and not isinstance(child, Type) and (isinstance(child, tuple) or is_dataclass(child)):
            yield each.name, child
