"""Programs that are almost the same: with one small fault, or with none and written otherwise."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Literal

from palestra.envs.code.ir.nodes import (
    BOOL,
    INT,
    STR,
    Assign,
    Call,
    Constant,
    Expression,
    ForRange,
    If,
    Let,
    Name,
    Not,
    Operation,
    Pick,
    Program,
    Put,
    Return,
    Statement,
    Type,
    Use,
    While,
)
from palestra.envs.code.ir.place import Address, statements
from palestra.envs.code.ir.refactor import refactorings
from palestra.envs.code.ir.rewrite import Variant, Ways, changed, opposite, variables, variants

__all__ = ["KINDS", "Mutant", "mutants", "refactorings", "some_mutants"]

Mutant = Variant
Kind = Literal[
    "relational",  # a comparison for another
    "arithmetic",  # an operator for another
    "logic",  # and for or; a not too few
    "off_by_one",  # a number, or the end of a range
    "initial_value",  # that a variable begins with
    "base_case",  # a constant that a function returns
    "dropped_statement",
    "missing_update",  # a dropped statement that gives a variable, or an item, a value made of its last one
    "dropped_branch",
    "condition",  # always true, always false, or the opposite
    "swapped_arguments",  # of a function, or of an operator
    "min_for_max",
    "wrong_sort",  # missing, or the other way round
    "wrong_variable",  # of the same type
]
KINDS: Final[tuple[str, ...]] = Kind.__args__  # type: ignore[attr-defined]

_COMPARISONS: Final = {
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "==": ("!=",),
    "!=": ("==",),
}
_ARITHMETIC: Final = {"+": ("-",), "-": ("+",), "*": ("+",), "//": ("*", "%"), "%": ("//",)}
_ONE: Final = Constant(1, INT)


def mutants(program: Program) -> Iterator[Mutant]:
    """Yield every checked program that differs from a checked one by a single small fault, each once.

    A mutant's kind is one of `KINDS`; its address is that of the faulty, or dropped, statement. Some mutants behave
    as the program does, and some never end.
    """
    return variants(program, _ways)


def some_mutants(program: Program, most: int) -> Iterator[Mutant]:
    """Yield at most so many of a program's mutants, from all of its places; faster than to choose among all."""
    count = sum(1 for address, statement in statements(program) for _ in _ways(program, address, statement))
    wanted = {number * count // most for number in range(most)}
    numbers = itertools.count()

    def ways(program: Program, address: Address, statement: Statement) -> Ways:
        return (way for way in _ways(program, address, statement) if next(numbers) in wanted)

    return variants(program, ways)


def _ways(program: Program, address: Address, statement: Statement) -> Ways:
    yield from _dropped(statement)
    names = variables(program, address[0])
    for kind, made in changed(statement, lambda value: _faults(value, names)):
        if kind == "off_by_one" and made.__class__ in (Let, Return) and isinstance(made.value, Constant):
            kind = "initial_value" if isinstance(made, Let) else "base_case"
        yield kind, (made,)
    match statement:
        case If(condition) | While(condition):
            for other in (Constant(True, BOOL), Constant(False, BOOL), opposite(condition)):
                yield "condition", (replace(statement, condition=other),)
        case ForRange(_, start, stop):
            yield from (("off_by_one", (replace(statement, stop=each),)) for each in _beside(stop))
            yield from (("off_by_one", (replace(statement, start=each),)) for each in _beside(start))


def _dropped(statement: Statement) -> Ways:
    match statement:
        case Assign(place, value) if _mentions(value, place):
            yield "missing_update", ()
        case Put(of, key, value) if _mentions(value, of) or _mentions(value, key):
            yield "missing_update", ()
        case If(_, _, ()):
            yield "dropped_branch", ()
        case If(condition, _, otherwise):
            yield "dropped_branch", (replace(statement, otherwise=()),)
            yield "dropped_branch", (If(opposite(condition), otherwise),)
        case _:
            yield "dropped_statement", ()


def _mentions(value: object, what: Expression) -> bool:
    if value == what:
        return True
    if isinstance(value, tuple):
        return any(_mentions(each, what) for each in value)
    slots = getattr(value, "__slots__", ())
    return any(_mentions(getattr(value, name), what) for name in slots if name != "type")


def _beside(value: Expression) -> Iterator[Expression]:
    if not isinstance(value, Constant):  # which is changed itself
        yield Operation("+", value, _ONE, INT)
        yield Operation("-", value, _ONE, INT)


def _faults(value: Expression, names: dict[str, Type]) -> Iterator[tuple[str, Expression]]:
    match value:
        case Operation(operator, left, right):
            yield from _of_operation(value)
            if operator in ("-", "//", "%") and left != right:
                yield "swapped_arguments", replace(value, left=right, right=left)
        case Not(of):
            yield "logic", of
        case Constant():
            yield from _of_constant(value)
        case Name(name, type):
            others = [other for other, found in names.items() if found == type and other != name]
            yield from (("wrong_variable", Name(other, type)) for other in others[:3])
        case Pick(_, then, otherwise) if then != otherwise:
            yield "condition", replace(value, then=otherwise, otherwise=then)
        case Call(_, arguments):
            for at in range(len(arguments) - 1):
                first, second = arguments[at : at + 2]
                if first.type == second.type and first != second:
                    swapped = (*arguments[:at], second, first, *arguments[at + 2 :])
                    yield "swapped_arguments", replace(value, arguments=swapped)
        case Use():
            yield from _of_builtin(value)


def _of_operation(value: Operation) -> Iterator[tuple[str, Expression]]:
    for other in _COMPARISONS.get(value.operator, ()):
        yield "relational", replace(value, operator=other)  # type: ignore[arg-type]
    for other in _ARITHMETIC.get(value.operator, ()):
        yield "arithmetic", replace(value, operator=other)  # type: ignore[arg-type]
    if value.operator in ("and", "or"):
        yield "logic", replace(value, operator="or" if value.operator == "and" else "and")


def _of_constant(value: Constant) -> Iterator[tuple[str, Expression]]:
    match value.value:
        case bool(truth):
            yield "initial_value", Constant(not truth, BOOL)
        case int(number):
            yield "off_by_one", Constant(number + 1, INT)
            yield "off_by_one", Constant(number - 1, INT)


def _of_builtin(value: Use) -> Iterator[tuple[str, Expression]]:
    match value.builtin, value.arguments:
        case "min", _:
            yield "min_for_max", replace(value, builtin="max")
        case "max", _:
            yield "min_for_max", replace(value, builtin="min")
        case "sorted", _:
            yield "wrong_sort", replace(value, builtin="copy")
            yield "wrong_sort", Use("reversed", (value,), value.type)
        case "keys", _:
            yield "wrong_sort", Use("reversed", (value,), value.type)
        case "reversed", (of,):
            yield "wrong_sort", of if of.type == STR else replace(value, builtin="copy")
        case "concat", (left, right) if left != right:
            yield "swapped_arguments", replace(value, arguments=(right, left))
