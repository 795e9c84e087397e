"""A target as a Python program: as it is shown, and with probes at its decisions.

The probed program is made from the syntax tree of the shown one. Every condition becomes a call that measures how
far it was from true and from false (Korel 1990, Tracey 1998). What was measured goes to stderr, where nothing else is
written.
"""

import ast
from collections.abc import Callable
from typing import Any, Final

from palestra.envs.fuzz.target import Target
from palestra.envs.fuzz.trace import Trace
from palestra.envs.reading import python_tree

_PROGRAM: Final = """import sys

data = sys.stdin.buffer.read({most})
size = len(data)


def at(i):
    return data[i] if 0 <= i < size else -1


{parse}


print(parse())
"""
# Distances are pairs of whole numbers: to true and to false, one of which is 0.
_PROBES: Final = """
seen = {}


def take(number, pair):
    true, false, near_true, near_false = seen.get(number, (0, 0, -1, -1))
    if pair[0]:
        seen[number] = true, false + 1, pair[0] if near_true < 0 else min(near_true, pair[0]), near_false
        return False
    seen[number] = true + 1, false, near_true, pair[1] if near_false < 0 else min(near_false, pair[1])
    return True


def apart(a, b):
    if isinstance(a, int):
        return abs(a - b)
    return sum(abs(x - y) for x, y in zip(a, b)) + 256 * abs(len(a) - len(b))


def eq(a, b):
    return apart(a, b), int(a == b)


def le(a, b):
    return max(a - b, 0), max(b - a + 1, 0)


def both(x, y):
    return x[0] + y[0], 0 if x[0] or y[0] else min(x[1], y[1])


def opposite(x):
    return x[1], x[0]


def either(x, y):
    return opposite(both(opposite(x), opposite(y)))


def ne(a, b):
    return opposite(eq(a, b))


def lt(a, b):
    return opposite(le(b, a))


def gt(a, b):
    return lt(b, a)


def ge(a, b):
    return le(b, a)
"""
_TELL: Final = "\nfor number in sorted(seen):\n    print(number, *seen[number], file=sys.stderr)\n"
COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
}


def shown(target: Target) -> str:
    """Return the program as an agent reads it."""
    return _PROGRAM.format(most=target.most, parse=target.text.strip())


def probed(target: Target) -> str:
    """Return the program with probes: it prints the same, and what was measured to stderr."""
    return _PROBES + _PROGRAM.format(most=target.most, parse=_probed_parse(target)) + _TELL


def first_line(target: Target) -> int:
    """Return the line of the shown program that is the first of the description."""
    return shown(target)[: shown(target).index(target.text.strip())].count("\n") + 1


def plain_in_process(target: Target) -> Callable[[bytes], int]:
    """Return the target as a function of this process. For descriptions of our own generator only."""
    names = _load(target, target.text)

    def run(data: bytes) -> int:
        names["data"] = data = data[: target.most]
        names["size"] = len(data)
        result: int = names["parse"]()
        return result

    return run


def probed_in_process(target: Target) -> Callable[[bytes], Trace]:
    """Return what traces the target within this process. For descriptions of our own generator only."""
    names = _load(target, _probed_parse(target))
    exec(_PROBES, names)
    seen: dict[int, tuple[int, int, int, int]] = names["seen"]

    def run(data: bytes) -> Trace:
        names["data"] = data = data[: target.most]
        names["size"] = len(data)
        seen.clear()
        names["parse"]()
        return Trace.of(seen)

    return run


def _load(target: Target, parse: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec("def at(i):\n    return data[i] if 0 <= i < size else -1\n", names)
    exec(compile(parse, "<target>", "exec", dont_inherit=True), names)
    return names


def _probed_parse(target: Target) -> str:
    return ast.unparse(ast.fix_missing_locations(_Probing(target).visit(python_tree(target.text).body[0])))


class _Probing(ast.NodeTransformer):
    """Puts probes at the decisions of a function."""

    def __init__(self, target: Target) -> None:
        self._numbers = {(node.lineno, node.col_offset): number for number, node in enumerate(target.decisions)}

    def visit_If(self, node: ast.If) -> ast.AST:
        return self._take(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._take(node)

    def _take(self, node: ast.If | ast.While) -> ast.AST:
        number = ast.Constant(self._numbers[node.lineno, node.col_offset])
        self.generic_visit(node)
        node.test = _call("take", number, _pair(node.test))
        return node


def _pair(test: ast.expr) -> ast.expr:
    """Return an expression for how far a condition is from true and from false."""
    match test:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _call(COMPARISONS[type(op)], left, right)
        case ast.BoolOp(op=op, values=[first, *others]):
            pair = _pair(first)
            for other in others:
                pair = _call("both" if isinstance(op, ast.And) else "either", pair, _pair(other))
            return pair
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _call("opposite", _pair(operand))
    raise ValueError(f"a condition must compare, not {ast.unparse(test)!r:.80}")


def _call(name: str, *args: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])
