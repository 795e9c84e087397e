"""Programs that do the same and are written otherwise."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from palestra.envs.code.ir.check import find_problem
from palestra.envs.code.ir.nodes import (
    BOOL,
    INT,
    STR,
    Assign,
    Block,
    Break,
    Constant,
    Continue,
    Expression,
    ForEach,
    ForRange,
    If,
    Item,
    Let,
    Name,
    Not,
    Operation,
    Pick,
    Pop,
    Print,
    Program,
    Put,
    Read,
    Return,
    Statement,
    Use,
    While,
)
from palestra.envs.code.ir.place import Address, replaced, statements
from palestra.envs.code.ir.rewrite import Variant, Ways, changed, opposite, transformed, variables, variants
from palestra.envs.code.ir.rules import is_scalar

_TURNED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_FRESH: Final = ("value", "held", "kept", "amount", "spare", "extra")
_ONE: Final = Constant(1, INT)


def refactorings(program: Program) -> Iterator[Variant]:
    """Yield checked programs that do what a checked one does, wherever that is defined, each once.

    Kinds: "swapped_sides" (b + a), "turned_comparison" (y > x), "negated_comparison" (not x >= y), "spelled_out" (a
    choice for min, max and abs), "turned_branches" (the opposite condition first), "for_as_while", "while_true" (left
    by a break), "indexed_loop" (over a list's places), "temporary" (a value is given a name first) and
    "inlined_constant" (in all of its places; the address is that of the variable).
    """
    yield from variants(program, _ways)
    for address, statement in statements(program):
        match statement:
            case Let(name, Constant() as value) if _is_made_once(program, address, name):
                without = replaced(program, address, ())
                made = _with_functions(without, address[0], functools.partial(_put, name, value))
                if find_problem(made) is None:
                    yield Variant("inlined_constant", address, made)


def _put(name: str, value: Constant, node: Any) -> Any:
    return value if isinstance(node, Name) and node.name == name else node


def _with_functions(program: Program, name: object, change: Callable[[Any], Any]) -> Program:
    if not name:
        return replace(program, body=transformed(program.body, change))
    functions = (transformed(each, change) if each.name == name else each for each in program.functions)
    return replace(program, functions=tuple(functions))


def _is_made_once(program: Program, at: Address, name: str) -> bool:
    """Return whether a variable of a function is made in one place and keeps its value."""
    parameters = [given for each in program.functions if each.name == at[0] for given, _ in each.parameters]
    made = parameters.count(name)
    for address, statement in statements(program):
        if address[0] == at[0]:
            match statement:
                case Let(other) | ForRange(other) | ForEach(other) if other == name:
                    made += 1
                case Assign(Name(other)) | Pop(_, Name(other)) if other == name:
                    return False
    return made == 1


def _ways(program: Program, address: Address, statement: Statement) -> Ways:
    for kind, made in changed(statement, _otherwise):
        yield kind, (made,)
    names = {*variables(program, address[0]), *(each.name for each in program.functions)}
    fresh = next((name for name in _FRESH if name not in names), "")
    if fresh:
        yield from _with_temporary(statement, fresh)
        yield from _other_loop(statement, fresh)
    if isinstance(statement, If) and statement.otherwise:
        turned = If(opposite(statement.condition), statement.otherwise, statement.then)
        yield "turned_branches", (turned,)
    if isinstance(statement, While) and not isinstance(statement.condition, Constant):
        leave = If(opposite(statement.condition), (Break(),))
        yield "while_true", (While(Constant(True, BOOL), (leave, *statement.body)),)


def _otherwise(value: Expression) -> Iterator[tuple[str, Expression]]:
    match value:
        case Operation("+" | "*", left, right) if left != right:
            yield "swapped_sides", replace(value, left=right, right=left)
        case Operation(operator, left, right) if operator in _TURNED and left != right:
            yield "turned_comparison", Operation(_TURNED[operator], right, left, BOOL)  # type: ignore[arg-type]
            yield "negated_comparison", Not(opposite(value))
        case Use("min" | "max" as builtin, (left, right)) if left != right:
            yield "swapped_sides", replace(value, arguments=(right, left))
            yield "spelled_out", Pick(Operation("<" if builtin == "min" else ">", left, right, BOOL), left, right, INT)
        case Use("abs", (of,)):
            zero = Constant(0, INT)
            yield "spelled_out", Pick(Operation("<", of, zero, BOOL), Operation("-", zero, of, INT), of, INT)


def _with_temporary(statement: Statement, fresh: str) -> Ways:
    match statement:
        case Assign(_, value) | Put(_, _, value) | Return(value) if value is not None and _is_computed(value):
            yield "temporary", (Let(fresh, value), replace(statement, value=Name(fresh, value.type)))
        case If(condition) if _is_computed(condition):
            yield "temporary", (Let(fresh, condition), replace(statement, condition=Name(fresh, BOOL)))
        case Print((value, *rest)) if _is_computed(value):
            yield "temporary", (Let(fresh, value), Print((Name(fresh, value.type), *rest)))


def _is_computed(value: Expression) -> bool:
    return is_scalar(value.type) and not isinstance(value, Constant | Name | Read)


def _other_loop(statement: Statement, fresh: str) -> Ways:
    match statement:
        case ForRange(name, start, stop, body, step) if not _continues(body):
            i = Name(name, INT)
            limit = stop if isinstance(stop, Constant) else Name(fresh, INT)
            turn = Assign(i, Operation("+" if step == 1 else "-", i, _ONE, INT))
            holds = Operation("<" if step == 1 else ">", i, limit, BOOL)
            ends = isinstance(body[-1], Break | Return)
            loop = While(holds, body if ends else (*body, turn))
            made = () if isinstance(stop, Constant) else (Let(fresh, stop),)
            yield "for_as_while", (*made, Let(name, start), loop)
        case ForEach(name, Name() as of, body):
            item = STR if of.type == STR else of.type.of[0]
            if is_scalar(item):
                first = Let(name, Item(of, Name(fresh, INT), item))
                length = Use("len", (of,), INT)
                yield "indexed_loop", (ForRange(fresh, Constant(0, INT), length, (first, *body)),)


def _continues(body: Block) -> bool:
    return any(
        isinstance(each, Continue) or (isinstance(each, If) and (_continues(each.then) or _continues(each.otherwise)))
        for each in body
    )
