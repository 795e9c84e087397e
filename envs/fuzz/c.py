"""A target as a C program: as it is shown, and with probes at its decisions.

Both are translated from the description, statement by statement, so they have the same decisions with the same
numbers as the Python program. The translation knows only what descriptions are made of, and refuses the rest.
"""

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from palestra.envs.fuzz.python import COMPARISONS
from palestra.envs.fuzz.target import MARK, Target, is_target

_HEAD: Final = """#include <stdio.h>

static unsigned char data[{most}];
static long size;

static long at(long i) {{
    return 0 <= i && i < size ? data[i] : -1;
}}

static int same(long i, const char *text, long length) {{
    for (long k = 0; k < length; k++) {{
        if (at(i + k) != (unsigned char)text[k]) return 0;
    }}
    return 1;
}}

"""
_TAIL: Final = """
int main(void) {
    size = (long)fread(data, 1, sizeof data, stdin);
    printf("%ld\\n", parse());
    return 0;
}
"""
_PROBES: Final = """#include <stdio.h>

#define DECISIONS {decisions}

static unsigned char data[{most}];
static long size;
static long seen[DECISIONS][4];  // times true and false, nearest to true and to false plus 1

typedef struct {{ long yes, no; }} pair;  // the distances to true and to false

static long at(long i) {{ return 0 <= i && i < size ? data[i] : -1; }}
static long least(long a, long b) {{ return a < b ? a : b; }}
static pair opposite(pair x) {{ return (pair){{x.no, x.yes}}; }}
static pair both(pair x, pair y) {{ return (pair){{x.yes + y.yes, x.yes || y.yes ? 0 : least(x.no, y.no)}}; }}
static pair either(pair x, pair y) {{ return opposite(both(opposite(x), opposite(y))); }}
static pair eq(long a, long b) {{ return (pair){{a < b ? b - a : a - b, a == b}}; }}
static pair le(long a, long b) {{ return (pair){{a > b ? a - b : 0, a > b ? 0 : b - a + 1}}; }}
static pair ne(long a, long b) {{ return opposite(eq(a, b)); }}
static pair lt(long a, long b) {{ return opposite(le(b, a)); }}
static pair gt(long a, long b) {{ return lt(b, a); }}
static pair ge(long a, long b) {{ return le(b, a); }}
static pair same(long i, const char *text, long length) {{
    long far = 0;
    for (long k = 0; k < length; k++) {{
        far += at(i + k) < 0 ? 256 : eq(at(i + k), (unsigned char)text[k]).yes;
    }}
    return (pair){{far, far == 0}};
}}
static int take(int number, pair x) {{
    long *row = seen[number], *near = x.yes ? &row[2] : &row[3], far = x.yes ? x.yes : x.no;
    row[x.yes ? 1 : 0]++;
    *near = *near == 0 ? far + 1 : least(*near, far + 1);
    return x.yes == 0;
}}

"""
_TELL: Final = """
int main(void) {
    size = (long)fread(data, 1, sizeof data, stdin);
    printf("%ld\\n", parse());
    for (int i = 0; i < DECISIONS; i++) {
        long *row = seen[i];
        if (row[0] || row[1]) fprintf(stderr, "%d %ld %ld %ld %ld\\n", i, row[0], row[1], row[2] - 1, row[3] - 1);
    }
    return 0;
}
"""
_COMPARISON: Final = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Mod: "%",
    ast.BitXor: "^",
    ast.BitAnd: "&",
}
_BINDS: Final[dict[type[ast.operator], int]] = {
    ast.BitXor: 0,
    ast.BitAnd: 0,
    ast.Add: 1,
    ast.Sub: 1,
    ast.Mult: 2,
    ast.Mod: 2,
}


def shown(target: Target) -> str:
    """Return the program as an agent reads it."""
    head = _HEAD.format(most=target.most)
    if "data[" not in target.text:
        head = head[: head.index("static int same")]
    return head + "\n".join(_Writer(target, is_probed=False).lines) + "\n" + _TAIL


def probed(target: Target) -> str:
    """Return the program with probes: it prints the same, and what was measured to stderr."""
    head = _PROBES.format(most=target.most, decisions=len(target.decisions))
    return head + "\n".join(_Writer(target, is_probed=True).lines) + "\n" + _TELL


def decision_lines(target: Target) -> list[int]:
    """Return the lines of the shown program on which its decisions stand."""
    writer = _Writer(target, is_probed=False)
    before = shown(target).split("static long parse")[0].count("\n")
    return [before + 1 + line for line in writer.places]


class _Writer:
    """Writes the function of a target, line by line; `places` are the lines of the decisions, from 0."""

    def __init__(self, target: Target, *, is_probed: bool) -> None:
        self._numbers = {id(node): number for number, node in enumerate(target.decisions)}
        self._is_probed = is_probed
        names = dict.fromkeys(_names(target.function))
        self.lines = ["static long parse(void) {", f"    long {', '.join(f'{name} = 0' for name in names)};"]
        self.places = [0] * len(self._numbers)
        self._write(target.function.body, "    ")
        self.lines.append("}")

    def _write(self, body: Sequence[ast.stmt], indent: str) -> None:
        for statement in body:
            self._statement(statement, indent)

    def _statement(self, statement: ast.stmt, indent: str, before: str = "") -> None:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.lines.append(f"{indent}{name} = {_number(value)};")
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                self.lines.append(f"{indent}{name} {_ARITHMETIC[type(op)]}= {_number(value)};")
            case ast.Return(value=ast.expr() as value):
                mark = f"  // {MARK}" if is_target(statement) else ""
                self.lines.append(f"{indent}return {_number(value)};{mark}")
            case ast.If() | ast.While():
                self._decision(statement, indent, before)
            case _:
                raise ValueError(f"no C is known for {ast.unparse(statement)!r:.80}")

    def _decision(self, node: ast.If | ast.While, indent: str, before: str) -> None:
        number = self._numbers[id(node)]
        self.places[number] = len(self.lines)
        test = f"take({number}, {_pair(node.test)})" if self._is_probed else _test(node.test)
        word = "if" if isinstance(node, ast.If) else "while"
        self.lines.append(f"{indent}{before}{word} ({test}) {{")
        self._write(node.body, indent + "    ")
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            self._statement(node.orelse[0], indent, "} else ")
            return
        if node.orelse:
            self.lines.append(f"{indent}}} else {{")
            self._write(node.orelse, indent + "    ")
        self.lines.append(f"{indent}}}")


def _names(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _number(node: ast.expr) -> str:
    """Return an expression of whole numbers."""
    match node:
        case ast.Constant(value=int(value)):
            return str(value)
        case ast.Name(id=name):
            return name
        case ast.Call(func=ast.Name(id="at"), args=[place]):
            return f"at({_number(place)})"
        case ast.BinOp(left=left, op=op, right=right):
            return f"{_operand(left, op)} {_ARITHMETIC[type(op)]} {_operand(right, op, is_right=True)}"
    raise ValueError(f"no C is known for {ast.unparse(node)!r:.80}")


def _operand(node: ast.expr, parent: ast.operator, *, is_right: bool = False) -> str:
    if not isinstance(node, ast.BinOp):
        return _number(node)
    is_plain = _BINDS[type(node.op)] > _BINDS[type(parent)] - (not is_right)
    return _number(node) if is_plain else f"({_number(node)})"


def _side(node: ast.expr) -> str:
    """Return a side of a comparison, which in C binds more than ``^`` and ``&``."""
    is_loose = isinstance(node, ast.BinOp) and not _BINDS[type(node.op)]
    return f"({_number(node)})" if is_loose else _number(node)


def _test(node: ast.expr) -> str:
    """Return a condition."""
    match node:
        case ast.Compare(left=ast.Subscript() as piece, ops=[op], comparators=[ast.Constant(value=bytes(word))]):
            return f"{'!' if isinstance(op, ast.NotEq) else ''}{_same(piece, word)}"
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            sign = _COMPARISON[COMPARISONS[type(op)]]
            return f"{_side(left)} {sign} {_side(right)}"
        case ast.BoolOp(op=op, values=values):
            joint = " && " if isinstance(op, ast.And) else " || "
            return joint.join(f"({_test(one)})" if isinstance(one, ast.BoolOp) else _test(one) for one in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"!({_test(operand)})"
    raise ValueError(f"a condition must compare, not {ast.unparse(node)!r:.80}")


def _pair(node: ast.expr) -> str:
    """Return an expression for how far a condition is from true and from false."""
    match node:
        case ast.Compare(left=ast.Subscript() as piece, ops=[op], comparators=[ast.Constant(value=bytes(word))]):
            return f"opposite({_same(piece, word)})" if isinstance(op, ast.NotEq) else _same(piece, word)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return f"{COMPARISONS[type(op)]}({_number(left)}, {_number(right)})"
        case ast.BoolOp(op=op, values=[first, *others]):
            pair = _pair(first)
            for other in others:
                pair = f"{'both' if isinstance(op, ast.And) else 'either'}({pair}, {_pair(other)})"
            return pair
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"opposite({_pair(operand)})"
    raise ValueError(f"a condition must compare, not {ast.unparse(node)!r:.80}")


def _same(piece: ast.Subscript, word: bytes) -> str:
    """Return the comparison of a piece of the input, which is written data[p:p + n], with a word."""
    match piece.slice:
        case ast.Slice(lower=ast.expr() as lower, upper=ast.expr()):
            text = "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\{byte:03o}" for byte in word)
            return f'same({_number(lower)}, "{text}", {len(word)})'
    raise ValueError(f"no C is known for {ast.unparse(piece)!r:.80}")
