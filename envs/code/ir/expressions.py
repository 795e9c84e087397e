"""Expressions of the language from those of Python, each with its type."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, cast

from palestra.envs.code.ir.nodes import (
    BOOL,
    INT,
    NONE,
    STR,
    Arithmetic,
    Builtin,
    Call,
    Comparison,
    Constant,
    Expression,
    Function,
    IrError,
    Item,
    Items,
    Logic,
    Minus,
    Name,
    NewMap,
    Not,
    Operation,
    Pick,
    Place,
    Read,
    Reader,
    Type,
    Use,
    list_of,
    map_of,
)
from palestra.envs.code.ir.rules import READERS, builtin_type, item_type, operation_type

_ARITHMETIC: Final[dict[type[ast.operator], Arithmetic]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
_COMPARISONS: Final[dict[type[ast.cmpop], Comparison]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_PLAIN: Final[frozenset[str]] = frozenset(("len", "abs", "min", "max", "ord", "chr", "str", "sorted"))
_DEEPEST: Final = 40


class NotInLanguage(IrError):
    """A text has something that is not in the language; the message names the line."""


def _no(node: ast.AST, problem: str) -> NoReturn:
    raise NotInLanguage(f"line {getattr(node, 'lineno', 1)}: {problem}")


def is_call(node: ast.expr, name: str) -> bool:
    """Return whether an expression calls a function of a name, or a method if the name begins with a dot."""
    match node:
        case ast.Call(func=ast.Name(id=found)):
            return found == name
        case ast.Call(func=ast.Attribute(attr=found)):
            return f".{found}" == name
    return False


def parse_type(node: ast.expr) -> Type:
    """Return the type that an annotation is.

    Raises:
        NotInLanguage: it is none.
    """
    match node:
        case ast.Name(id="int" | "bool" | "str" as name):
            return Type(name)
        case ast.Constant(value=None):
            return NONE
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            return list_of(parse_type(item))
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, value])):
            return map_of(parse_type(key), parse_type(value))
    _no(node, f"{ast.unparse(node)[:60]} is no type of the language")


@dataclass(frozen=True)
class Expressions:
    """Makes expressions where these names and functions are known."""

    names: Mapping[str, Type]
    functions: Mapping[str, Function]
    depth: int = 0

    def value(self, node: ast.expr, wanted: Type | None = None) -> Expression:
        """Return what a variable is given: an expression, or something that is read."""
        match node:
            case ast.Call(func=ast.Name(id=name), args=sizes, keywords=[]) if name.startswith("read_"):
                reader = cast(Reader, name.removeprefix("read_"))
                if reader not in READERS:
                    _no(node, f"{name} reads nothing; there are {', '.join('read_' + each for each in READERS)}")
                return Read(reader, tuple(self.expression(each) for each in sizes), READERS[reader][1])
        return self.expression(node, wanted)

    def printed(self, node: ast.expr) -> Expression:
        """Return a value of a line."""
        match node:
            case ast.Starred(value=value):
                made = self.expression(value)
                return made if made.type.kind == "list" else _no(node, f"only a list has a *, not {made.type}")
            case ast.Call(func=ast.Name(id="int"), args=[value], keywords=[]):
                made = self.expression(value)
                return made if made.type == BOOL else self.expression(node)
        made = self.expression(node)
        if made.type == BOOL or made.type.kind == "list":
            _no(node, "a truth is printed as int(...), a list with a *")
        return made

    def place(self, node: ast.expr) -> Place:
        """Return what can be assigned to."""
        made = self.expression(node)
        return made if isinstance(made, Name | Item) else _no(node, "this is nothing that can be changed")

    def expression(self, node: ast.expr, wanted: Type | None = None) -> Expression:
        """Return an expression; `wanted` is the type of an empty list or map."""
        if self.depth > _DEEPEST:
            _no(node, "this is nested too deeply")
        return Expressions(self.names, self.functions, self.depth + 1)._made(node, wanted)

    def between(self, node: ast.AST, op: ast.operator, left: Expression, right: Expression) -> Expression:
        """Return what an operator makes of two values."""
        if isinstance(op, ast.Add) and left.type != INT:
            return self._use(node, "concat", (left, right))
        if isinstance(op, ast.Mult) and isinstance(left, Items) and len(left.items) == 1:
            return self._use(node, "repeat", (left.items[0], right))
        if type(op) not in _ARITHMETIC:
            _no(
                node, f"the operator {type(op).__name__} is not in the language" + " (use //)" * isinstance(op, ast.Div)
            )
        return self._operation(node, _ARITHMETIC[type(op)], left, right)

    def _made(self, node: ast.expr, wanted: Type | None) -> Expression:
        match node:
            case ast.Constant(value=bool() | int() | str() as value):
                return Constant(value, BOOL if isinstance(value, bool) else INT if isinstance(value, int) else STR)
            case ast.Name(id=name):
                return Name(name, self.names[name]) if name in self.names else _no(node, f"{name} is not made before")
            case ast.BinOp(left=left, op=op, right=right):
                return self.between(node, op, self.expression(left), self.expression(right, wanted))
            case ast.UnaryOp(op=op, operand=operand):
                return self._unary(node, op, self.expression(operand))
            case ast.BoolOp(op=op, values=values):
                made, *rest = (self.expression(each) for each in values)
                for each in rest:
                    made = self._operation(node, "and" if isinstance(op, ast.And) else "or", made, each)
                return made
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self._comparison(node, ops, [left, *comparators])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                then = self.expression(body)
                return Pick(self.expression(test), then, self.expression(orelse), then.type)
            case ast.Subscript(value=of, slice=index):
                return self._subscript(node, self.expression(of), index)
            case ast.Call(keywords=[]):
                return self._call(node)
        return self._container(node, wanted)

    def _container(self, node: ast.expr, wanted: Type | None) -> Expression:
        match node:
            case ast.List(elts=[]) | ast.Dict(keys=[]) if wanted is None:
                _no(node, "something empty needs a type: x: list[int] = []")
            case ast.List(elts=items):
                item = wanted.of[0] if wanted and wanted.kind == "list" else None
                made = tuple(self.expression(each, item) for each in items)
                return Items(made, list_of(made[0].type) if made else cast(Type, wanted))
            case ast.Dict(keys=[]):
                return NewMap(cast(Type, wanted))
            case ast.ListComp(elt=each, generators=[ast.comprehension(ifs=[], is_async=0) as over]):
                return self._comprehension(node, each, over, wanted)
        _no(node, f"{ast.unparse(node)[:60]} is not in the language")

    def _comprehension(
        self, node: ast.expr, each: ast.expr, over: ast.comprehension, wanted: Type | None
    ) -> Expression:
        match each, over.iter:
            case ast.List(elts=[]), ast.Call(func=ast.Name(id="range"), args=[rows]):
                if wanted is None or wanted.kind != "list" or wanted.of[0].kind != "list":
                    _no(node, "something empty needs a type: x: list[list[int]] = [[] for ...]")
                kind = wanted.of[0].of[0]
                blank = Constant({"int": 0, "bool": False}.get(kind.kind, ""), kind)
                return self._use(node, "grid", (blank, self.expression(rows), Constant(0, INT)))
            case (
                ast.BinOp(left=ast.List(elts=[item]), op=ast.Mult(), right=columns),
                ast.Call(func=ast.Name(id="range"), args=[rows]),
            ):
                made = self.expression(item), self.expression(rows), self.expression(columns)
                return self._use(node, "grid", made)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=row), attr="copy"), args=[]), of if (
                isinstance(over.target, ast.Name) and over.target.id == row
            ):
                return self._use(node, "copy", (self.expression(of),))
        _no(node, "lists are made by [[v] * columns for _ in range(rows)], [row.copy() for row in rows] and loops")

    def _unary(self, node: ast.expr, op: ast.unaryop, value: Expression) -> Expression:
        match op, value:
            case ast.USub(), Constant(int(number), Type("int")):
                return Constant(-number, INT)
            case ast.USub(), _ if value.type == INT:
                return Minus(value)
            case ast.Not(), _ if value.type == BOOL:
                return Not(value)
        _no(node, f"the operator {type(op).__name__} is not for {value.type}")

    def _comparison(self, node: ast.expr, ops: Sequence[ast.cmpop], nodes: Sequence[ast.expr]) -> Expression:
        values = [self.expression(each) for each in nodes]
        if any(not isinstance(each, Name | Constant) for each in values[1:-1]):
            _no(node, "only a variable or a number stands between two comparisons")
        made: Expression | None = None
        for op, left, right in zip(ops, values, values[1:], strict=False):
            one: Expression
            if isinstance(op, ast.In | ast.NotIn):
                one = self._use(node, "has" if right.type.kind == "map" else "contains", (right, left))
                one = Not(one) if isinstance(op, ast.NotIn) else one
            elif type(op) in _COMPARISONS:
                one = self._operation(node, _COMPARISONS[type(op)], left, right)
            else:
                _no(node, f"the operator {type(op).__name__} is not in the language")
            made = self._operation(node, "and", made, one) if made else one
        return cast(Expression, made)

    def _subscript(self, node: ast.expr, of: Expression, index: ast.expr) -> Expression:
        zero, end = Constant(0, INT), Use("len", (of,), INT)
        match index:
            case ast.Slice(lower=None, upper=None, step=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))):
                return self._use(node, "reversed", (of,))
            case ast.Slice(lower=lower, upper=upper, step=None):
                start = self.expression(lower) if lower else zero
                return self._use(node, "slice", (of, start, self.expression(upper) if upper else end))
            case ast.Slice():
                _no(node, "slices go in steps of 1; [::-1] turns a list round")
        at = self.expression(index)
        match at:
            case Constant(int(number), Type("int")) if number < 0 and of.type.kind != "map":
                at = Operation("-", end, Constant(-number, INT), INT)
        item = item_type(of.type, at.type)
        return Item(of, at, item) if item else _no(node, f"{of.type} has no item at {at.type}")

    # -- calls ----------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Expression:
        match node.func:
            case ast.Name(id=name) if name in self.functions:
                function = self.functions[name]
                types = [type for _, type in function.parameters]
                wanted = [*types, *[None] * len(node.args)][: len(node.args)]
                made = (self.expression(each, type) for each, type in zip(node.args, wanted, strict=True))
                return Call(name, tuple(made), function.returns)
            case ast.Name(id=name):
                return self._builtin(node, name, [self.expression(each) for each in node.args])
            case ast.Attribute(value=of, attr=name):
                return self._method(node, self.expression(of), name)
        _no(node, f"{ast.unparse(node)[:60]} is not in the language")

    def _builtin(self, node: ast.Call, name: str, given: list[Expression]) -> Expression:
        first = given[0].type if given else NONE
        if name in ("min", "max") and len(given) > 2:
            return self._use(node, cast(Builtin, name), (self._builtin(node, name, given[:-1]), given[-1]))
        if name == "int" and first == BOOL:
            return Pick(given[0], Constant(1, INT), Constant(0, INT), INT)
        if name == "sorted" and first.kind == "map":
            return self._use(node, "keys", given)
        if (name, first.kind) in (("list", "list"), ("dict", "map")):
            return self._use(node, "copy", given)
        if name in _PLAIN or name == "int":
            return self._use(node, cast(Builtin, name), given)
        if name.startswith("read_"):
            _no(node, "what is read has to be given a name first")
        _no(node, f"no function {name} is made before, or is in the language")

    def _method(self, node: ast.Call, of: Expression, name: str) -> Expression:
        given = [self.expression(each) for each in node.args]
        match name, of.type.kind, given:
            case "get", "map", [_, _]:
                return self._use(node, "get", (of, *given))
            case "copy", ("list" | "map"), []:
                return self._use(node, "copy", (of,))
            case "join", "str", [texts]:
                return self._use(node, "join", (texts, of))
            case "split", "str", []:
                return self._use(node, "split", (of,))
            case "pop", _, _:
                _no(node, "pop() is a statement of its own, or all that a variable is given")
        _no(node, f"{of.type} has no method {name} in the language that takes {len(given)} arguments")

    def _use(self, node: ast.AST, builtin: Builtin, given: Sequence[Expression]) -> Expression:
        if made := builtin_type(builtin, [each.type for each in given]):
            return Use(builtin, tuple(given), made)
        _no(node, f"{builtin} is not for {', '.join(str(each.type) for each in given) or 'nothing'}")

    def _operation(
        self, node: ast.AST, operator: Arithmetic | Comparison | Logic, left: Expression, right: Expression
    ) -> Expression:
        if made := operation_type(operator, left.type, right.type):
            return Operation(operator, left, right, made)
        _no(node, f"{operator} is not for {left.type} and {right.type}")
