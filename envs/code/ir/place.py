"""Where a statement stands in a program, and the program with another in its place."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, cast

from palestra.envs.code.ir.nodes import Block, Program, Statement

# From the program down: the name of a function or "", then by turns a number in a block and the field
# of that statement that holds the next block.
Address = tuple[str | int, ...]


def statements(program: Program) -> Iterator[tuple[Address, Statement]]:
    """Yield every statement with its address: functions first, outer statements before those in them."""
    for function in program.functions:
        yield from _within(function.body, (function.name,))
    yield from _within(program.body, ("",))


def replaced(program: Program, address: Address, by: Block) -> Program:
    """Return the program with other statements, or none, where one was."""
    if not address[0]:
        return replace(program, body=_put(program.body, address[1:], by))
    functions = tuple(
        replace(function, body=_put(function.body, address[1:], by)) if function.name == address[0] else function
        for function in program.functions
    )
    return replace(program, functions=functions)


def _within(block: Block, at: Address) -> Iterator[tuple[Address, Statement]]:
    for number, statement in enumerate(block):
        yield (*at, number), statement
        for name, inner in _blocks(statement):
            yield from _within(inner, (*at, number, name))


def _blocks(statement: Statement) -> Iterator[tuple[str, Block]]:
    for each in fields(statement):
        if each.name in ("then", "otherwise", "body"):
            yield each.name, getattr(statement, each.name)


def _put(block: Block, address: Address, by: Block) -> Block:
    number = int(address[0])
    before, after = block[:number], block[number + 1 :]
    if len(address) == 1:
        return (*before, *by, *after)
    statement, name = cast(Any, block[number]), str(address[1])
    inner = _put(getattr(statement, name), address[2:], by)
    return (*before, replace(statement, **{name: inner}), *after)
