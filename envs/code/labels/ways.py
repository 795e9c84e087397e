"""Other ways to write a task's reference: with a small fault in a statement, or with a statement written otherwise.

References of problems are changed in the language of references and printed in the task's language; all others must be
Python, and are changed as its parser sees them. Whether a change does harm is not asked here: the tests tell.
"""

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Task
from palestra.envs.code.hunks import Hunk, hunks
from palestra.envs.code.ir.mutate import mutants, refactorings
from palestra.envs.code.ir.nodes import Program
from palestra.envs.code.ir.parse import parse
from palestra.envs.code.ir.printers.catalogue import NotInThisLanguage, render
from palestra.envs.code.mutants import mutants as python_mutants
from palestra.envs.code.oracle import solution_of
from palestra.envs.code.verify import PYTHON, language_name
from palestra.envs.reading import python_tree
from palestra.rewards.base import VerifierError

_TURNED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.Gt,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
_OPPOSITE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.GtE,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One change of a reference: its kind, such as "mutant: relational", and what it does to neighbouring lines."""

    kind: str
    hunk: Hunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference's lines, and the ways in which each statement may be written otherwise."""

    lines: tuple[str, ...]
    ways: tuple[Way, ...]


def reference_of(task: Task) -> Reference:
    """Return a programming task's reference with all of its ways; those that change lines far apart are left out.

    Raises:
        VerifierError: the task has no reference, or none that can be changed.
    """
    if told := task.hidden.get("ir"):
        whole, variants = _written(parse(told), language_name(task))
    elif language_name(task) == PYTHON and (solution := solution_of(task)):
        whole, variants = _python(solution)
    else:
        raise VerifierError(f"{task.id!r} has no reference that can be changed: neither Python nor one of a problem")
    lines = tuple(whole.splitlines())
    made: dict[Hunk, Way] = {}
    for kind, text in variants:
        if len(changes := hunks(lines, text.splitlines())) == 1:
            made.setdefault(changes[0], Way(kind=kind, hunk=changes[0]))
    return Reference(lines=lines, ways=tuple(made.values()))


def _written(program: Program, language: str) -> tuple[str, Iterator[tuple[str, str]]]:
    def variants() -> Iterator[tuple[str, str]]:
        for name, changed in (("mutant", mutants(program)), ("refactoring", refactorings(program))):
            for one in changed:
                try:
                    yield f"{name}: {one.kind}", render(one.program, language).source
                except NotInThisLanguage:
                    continue

    try:
        return render(program, language).source, variants()
    except NotInThisLanguage as error:
        raise VerifierError(f"the reference cannot be written in {language}: {error}") from error


def _python(solution: str) -> tuple[str, Iterator[tuple[str, str]]]:
    try:
        tree = python_tree(solution)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise VerifierError(f"the reference is no Python: {error}") from error

    def variants() -> Iterator[tuple[str, str]]:
        for kind, text in python_mutants(solution):
            yield f"mutant: {kind}", text
        for kind, text in _refactored(tree):
            yield f"refactoring: {kind}", text

    return ast.unparse(tree), variants()


def _refactored(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield Python programs that should do the same: comparisons turned or negated, values named first."""
    for number, node in enumerate(ast.walk(tree)):
        for kind in _kinds(node):
            changed = copy.deepcopy(tree)
            _write_otherwise(kind, list(ast.walk(changed))[number], changed)
            yield kind, ast.unparse(ast.fix_missing_locations(changed))


def _kinds(node: ast.AST) -> Sequence[str]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _TURNED:
            return ("turned_comparison", "negated_comparison")
        case ast.If(orelse=[_, *_]):
            return ("turned_branches",)
        case ast.Assign(targets=[ast.Name()], value=value) if not isinstance(value, ast.Constant | ast.Name):
            return ("temporary",)
    return ()


def _write_otherwise(kind: str, node: ast.AST, tree: ast.Module) -> None:
    match node:
        case ast.Compare() if kind == "turned_comparison":
            node.left, node.comparators = node.comparators[0], [node.left]
            node.ops = [_TURNED[type(node.ops[0])]()]
        case ast.Compare():
            _negate(node)
        case ast.If(test=test):
            node.test = ast.UnaryOp(ast.Not(), test)
            node.body, node.orelse = node.orelse, node.body
        case ast.Assign():
            held = ast.Assign([ast.Name("held", ast.Store())], node.value)
            node.value = ast.Name("held", ast.Load())
            _put_before(tree, node, held)


def _negate(node: ast.Compare) -> None:
    """Say that the opposite of a comparison is false."""
    inner = ast.Compare(node.left, [_OPPOSITE[type(node.ops[0])]()], node.comparators)
    node.left, node.ops, node.comparators = inner, [ast.Is()], [ast.Constant(False)]


def _put_before(tree: ast.Module, statement: ast.stmt, new: ast.stmt) -> None:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and statement in block:
                block.insert(block.index(statement), new)
                return
