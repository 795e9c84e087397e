"""Programs from a typed, restricted Python text, which also runs as Python once the readers are there.

Nothing of the text is run. The readers are `read_int()`, `read_word()`, `read_line()`, `read_ints(n)`,
`read_words(n)`, `read_lines(n)` and `read_rows(rows, columns)`.
"""

import ast
import warnings
from dataclasses import dataclass, field
from typing import Final, NoReturn, cast

from palestra.envs.code.ir.check import CheckError, find_problem
from palestra.envs.code.ir.expressions import Expressions, NotInLanguage, is_call, parse_type
from palestra.envs.code.ir.nodes import (
    INT,
    NONE,
    STR,
    Append,
    Assign,
    Block,
    Break,
    Call,
    Constant,
    Continue,
    Do,
    Expression,
    ForEach,
    ForRange,
    Function,
    If,
    Item,
    Let,
    Name,
    Operation,
    Place,
    Pop,
    Print,
    Program,
    Put,
    Remove,
    Return,
    Statement,
    Type,
    Use,
    While,
)
from palestra.envs.code.ir.place import Address
from palestra.envs.reading import python_tree

LONGEST: Final = 50_000  # characters
DEEPEST_BLOCK: Final = 12


class SourceError(CheckError):
    """A text is no program of the language; the message names the line."""


def parse(source: str) -> Program:
    """Return the program that a text is, checked.

    Raises:
        SourceError: it is none; the message names the line and what is wrong there.
    """
    if len(source) > LONGEST:
        raise SourceError(f"a source of {len(source)} characters is too long; the most is {LONGEST}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = python_tree(source)
        parser = _Parser()
        program = parser.program(tree)
    except NotInLanguage as error:
        raise SourceError(str(error)) from None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SourceError(f"this is no Python: {str(error) or type(error).__name__}") from None
    if found := find_problem(program):
        address, problem = found
        raise SourceError(f"line {parser.lines.get(address, 1)}: {problem}")
    return program


def _no(node: ast.AST, problem: str) -> NoReturn:
    raise NotInLanguage(f"line {getattr(node, 'lineno', 1)}: {problem}")


@dataclass
class _Parser:
    """Makes statements; what they hold is made by `Expressions`."""

    functions: dict[str, Function] = field(default_factory=dict)
    lines: dict[Address, int] = field(default_factory=dict)
    scopes: list[dict[str, Type]] = field(default_factory=list)
    returns: Type = NONE

    def program(self, tree: ast.Module) -> Program:
        rest: list[ast.stmt] = []
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef):
                rest.append(node)
                continue
            if rest:
                _no(node, "functions come before the program's statements")
            function = self._function(node)
            self.functions[function.name] = function
        self.returns = NONE
        return Program(self._block(rest, ("",)), tuple(self.functions.values()))

    def _function(self, node: ast.FunctionDef) -> Function:
        given = node.args
        if given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs or given.defaults:
            _no(node, "a function has plain parameters")
        if node.decorator_list or node.name in self.functions:
            _no(node, "a function has no decorator and a name of its own")
        parameters = []
        for each in given.args:
            if each.annotation is None:
                _no(each, f"the parameter {each.arg} needs a type")
            parameters.append((each.arg, parse_type(each.annotation)))
        self.returns = parse_type(node.returns) if node.returns else NONE
        signature = Function(node.name, tuple(parameters), self.returns, ())
        self.functions[node.name] = signature
        self.lines[(node.name,)] = node.lineno
        body = self._block(node.body, (node.name,), dict(parameters))
        return Function(node.name, tuple(parameters), self.returns, body)

    def _block(self, nodes: list[ast.stmt], at: Address, made: dict[str, Type] | None = None) -> Block:
        if len(at) > 2 * DEEPEST_BLOCK:
            _no(nodes[0], "blocks are nested too deeply")
        self.scopes.append(dict(made or {}))
        block: list[Statement] = []
        for node in nodes:
            new = self._statement(node, (*at, len(block)))
            for number in range(len(block), len(block) + len(new)):
                self.lines[(*at, number)] = node.lineno
            block += new
        self.scopes.pop()
        return tuple(block)

    @property
    def _see(self) -> Expressions:
        names = {name: type for scope in self.scopes for name, type in scope.items()}
        return Expressions(names, self.functions)

    # -- statements -----------------------------------------------------------------------------

    def _statement(self, node: ast.stmt, at: Address) -> list[Statement]:
        match node:
            case ast.Assign(targets=[target], value=value):
                return self._assign(node, target, value, None)
            case ast.AnnAssign(target=target, annotation=annotation, value=ast.expr() as value):
                return self._assign(node, target, value, parse_type(annotation))
            case ast.AugAssign(target=target, op=op, value=value):
                return self._augmented(node, target, op, value)
            case ast.Expr(value=value):
                return [self._effect(value)]
            case ast.If(test=test, body=body, orelse=orelse):
                condition = self._see.expression(test)
                then = self._block(body, (*at, "then"))
                return [If(condition, then, self._block(orelse, (*at, "otherwise")))]
            case ast.While(test=test, body=body, orelse=[]):
                return [While(self._see.expression(test), self._block(body, (*at, "body")))]
            case ast.For(target=ast.Name(id=name), iter=over, body=body, orelse=[]):
                return [self._for(name, over, body, at)]
            case ast.Break():
                return [Break()]
            case ast.Continue():
                return [Continue()]
            case ast.Return(value=value):
                return [Return(self._see.expression(value, self.returns) if value else None)]
        _no(node, f"{type(node).__name__} is not in the language")

    def _for(self, name: str, over: ast.expr, body: list[ast.stmt], at: Address) -> Statement:
        see = self._see
        if not is_call(over, "range"):
            of = see.expression(over)
            item = STR if of.type == STR else of.type.of[0] if of.type.kind == "list" else None
            if item is None:
                _no(over, f"a loop goes through a list or a text, not {of.type}; through a map by sorted(...)")
            return ForEach(name, of, self._block(body, (*at, "body"), {name: item}))
        bounds = [see.expression(each) for each in cast(ast.Call, over).args]
        step = 1
        if len(bounds) == 3:
            last = bounds.pop()
            if not isinstance(last, Constant) or last.value not in (1, -1):
                _no(over, "a range goes in steps of 1 or -1")
            step = int(last.value)
        if len(bounds) == 1:
            bounds.insert(0, Constant(0, INT))
        if len(bounds) != 2 or cast(ast.Call, over).keywords:
            _no(over, "range takes a stop, or a start and a stop, or these and 1 or -1")
        inner = self._block(body, (*at, "body"), {name: INT})
        return ForRange(name, bounds[0], bounds[1], inner, -1 if step == -1 else 1)

    def _assign(self, node: ast.stmt, target: ast.expr, value: ast.expr, given: Type | None) -> list[Statement]:
        see = self._see
        if isinstance(target, ast.Name) and target.id not in see.names:
            if is_call(value, ".pop"):
                of = see.place(cast(ast.Attribute, cast(ast.Call, value).func).value)
                if of.type.kind != "list" or cast(ast.Call, value).args:
                    _no(node, "pop() takes the last item of a list")
                last = Operation("-", Use("len", (of,), INT), Constant(1, INT), INT)
                self.scopes[-1][target.id] = of.type.of[0]
                return [Let(target.id, Item(of, last, of.type.of[0])), Pop(of)]
            made = see.value(value, given)
            if given and made.type != given:
                _no(node, f"{target.id} is said to be {given}, and its value is {made.type}")
            self.scopes[-1][target.id] = made.type
            return [Let(target.id, made)]
        if given:
            _no(node, "only a new variable is given a type")
        place = see.place(target)
        if is_call(value, ".pop"):
            of = see.place(cast(ast.Attribute, cast(ast.Call, value).func).value)
            if not isinstance(place, Name) or cast(ast.Call, value).args:
                _no(node, "what pop() gives goes to a variable, and it takes the last item of a list")
            return [Pop(of, place)]
        return [self._stored(place, see.value(value, place.type))]

    def _augmented(self, node: ast.stmt, target: ast.expr, op: ast.operator, value: ast.expr) -> list[Statement]:
        see = self._see
        place = see.place(target)
        return [self._stored(place, see.between(node, op, place, see.expression(value, place.type)))]

    def _stored(self, place: Place, value: Expression) -> Statement:
        if isinstance(place, Item) and place.of.type.kind == "map":
            return Put(cast(Place, place.of), place.index, value)
        return Assign(place, value)

    def _effect(self, node: ast.expr) -> Statement:
        see = self._see
        match node:
            case ast.Call(func=ast.Name(id="print"), args=arguments, keywords=[]):
                return Print(tuple(see.printed(each) for each in arguments))
            case ast.Call(func=ast.Name(id=name), keywords=[]) if name in self.functions:
                return Do(cast(Call, see.expression(node)))
            case ast.Call(func=ast.Attribute(value=of, attr="append"), args=[value], keywords=[]):
                place = see.place(of)
                return Append(place, see.value(value, place.type.of[0] if place.type.kind == "list" else None))
            case ast.Call(func=ast.Attribute(value=of, attr="pop"), args=[], keywords=[]):
                return Pop(see.place(of))
            case ast.Call(func=ast.Attribute(value=of, attr="pop"), args=[key, ast.Constant(value=None)], keywords=[]):
                return Remove(see.place(of), see.expression(key))
        _no(node, f"{ast.unparse(node)[:60]} does nothing here, or is not in the language")
