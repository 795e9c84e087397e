"""Programs that are almost right: each differs from a given one in a single small way."""

import ast
import copy
from collections.abc import Iterator
from typing import Final

from palestra.envs.reading import python_tree

_COMPARE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_BINARY: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}
_NAMES: Final = {"max": "min", "min": "max", "sorted": "list", "sum": "len", "len": "sum"}


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the source of every mutant of a program.

    Kinds: "compare" (a relational operator), "arithmetic", "off_by_one" (an integer), "name" (a
    function for a related one), "dropped" (a statement left out), "branch" (a condition always true).
    """
    tree = python_tree(source)
    for number, node in enumerate(ast.walk(tree)):
        for kind in _kinds(node):
            changed = copy.deepcopy(tree)
            _change(kind, list(ast.walk(changed))[number])
            yield kind, ast.unparse(ast.fix_missing_locations(changed)) + "\n"


def _kinds(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        yield "compare"
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _BINARY:
        yield "arithmetic"
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield "off_by_one"
    if isinstance(node, ast.Name) and node.id in _NAMES:
        yield "name"
    if isinstance(node, ast.If | ast.IfExp):
        yield "branch"
    if isinstance(node, ast.For | ast.If | ast.AugAssign):
        yield "dropped"


def _change(kind: str, node: ast.AST) -> None:
    match node:
        case ast.Compare():
            node.ops[0] = _COMPARE[type(node.ops[0])]()
        case ast.BinOp() | ast.AugAssign() if kind == "arithmetic":
            node.op = _BINARY[type(node.op)]()
        case ast.Constant(value=int(value)):
            node.value = value + 1
        case ast.Name():
            node.id = _NAMES[node.id]
        case ast.If() | ast.IfExp() if kind == "branch":
            node.test = ast.Constant(True)
        case ast.For() | ast.If():
            node.body = [ast.Pass()]
            node.orelse = []
        case ast.AugAssign():
            node.value = ast.Constant(0)
