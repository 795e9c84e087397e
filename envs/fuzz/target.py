"""A target: a small parser in the part of Python that C has too, and the branch of it that is to be reached.

The text is the one description of the program; `emit` makes both languages of it. Its decisions, the ``if`` and
``while`` of the text, are numbered from 0 in the order of their lines. What the target depends on is read off the
text: the decisions that enclose it, and those before it that may return.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from palestra.envs.reading import python_tree

REACHED: Final = 100  # what the program returns where it is to be taken
MARK: Final = "target"

Turn = tuple[int, bool]  # a decision and how it is taken


@dataclass(frozen=True)
class Target:
    """A function ``parse()`` over ``at(i)``, ``data[i:j]`` and ``size``, one of whose returns is the target.

    Raises:
        ValueError: the text is no such function.
    """

    text: str
    most: int  # bytes of input that are read

    def __post_init__(self) -> None:
        try:
            wanted = self.path
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise ValueError(f"the description is not Python: {error}") from error
        if not wanted or type(self.most) is not int or self.most < 1:
            raise ValueError("the description has no target that depends on anything, or reads no input")

    @cached_property
    def function(self) -> ast.FunctionDef:
        """The syntax tree of the function; not to be changed."""
        tree = python_tree(self.text)
        if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
            raise ValueError("the description must be one function")
        return tree.body[0]

    @cached_property
    def decisions(self) -> tuple[ast.If | ast.While, ...]:
        """The decisions, by number."""
        found = [node for node in ast.walk(self.function) if isinstance(node, ast.If | ast.While)]
        return tuple(sorted(found, key=lambda node: node.lineno))

    @cached_property
    def path(self) -> tuple[Turn, ...]:
        """What must be taken how for the target to be reached, in order; the last one reaches it."""
        numbers = {id(node): number for number, node in enumerate(self.decisions)}
        return tuple((numbers[id(node)], way) for node, way in _chain(self.function.body))


_Way = tuple[ast.If | ast.While, bool]


def is_target(statement: ast.AST) -> bool:
    """Return whether a statement is the target."""
    return (
        isinstance(statement, ast.Return)
        and isinstance(statement.value, ast.Constant)
        and statement.value.value == REACHED
    )


def _chain(body: Sequence[ast.stmt]) -> Iterator[_Way]:
    """Yield what the target in a body depends on."""
    for statement in body:
        if is_target(statement):
            return
        if isinstance(statement, ast.If | ast.While) and _holds_target([statement]):
            inside = _holds_target(statement.body)
            yield statement, inside
            yield from _chain(statement.body if inside else statement.orelse)
            return
        yield from _exits(statement)
    raise ValueError(f"the description has no 'return {REACHED}'")


def _holds_target(body: Sequence[ast.stmt]) -> bool:
    return any(is_target(node) for part in body for node in ast.walk(part))


def _exits(statement: ast.stmt) -> Iterator[_Way]:
    """Yield how the decisions in a statement that may return must be taken for it not to."""
    if isinstance(statement, ast.If):
        for way, body in ((False, statement.body), (True, statement.orelse)):
            if body and isinstance(body[-1], ast.Return):
                yield statement, way
    if isinstance(statement, ast.If | ast.While):
        for inner in (*statement.body, *statement.orelse):
            yield from _exits(inner)
