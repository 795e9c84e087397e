"""What all printers share: which statement and expression is written by which method, and where parentheses belong."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from palestra.envs.code.ir.looks import is_zero, moved, nodes, stays
from palestra.envs.code.ir.nodes import (
    INT,
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
    Items,
    Let,
    Minus,
    Name,
    NewMap,
    Not,
    Operation,
    Pick,
    Place,
    Pop,
    Print,
    Program,
    Put,
    Read,
    Remove,
    Return,
    Statement,
    Type,
    Use,
    While,
)
from palestra.envs.code.ir.place import Address
from palestra.envs.code.ir.printers.page import NotInThisLanguage, Page, Printed, free_names

# How tightly a text holds together: what is looser than its place wants is put in parentheses.
LOOSE: Final = 0
PICK: Final = 1
OR: Final = 2
AND: Final = 3
NOT: Final = 4
COMPARE: Final = 5
JOIN: Final = 6  # an operator of its own for texts, where there is one
ADD: Final = 7
MULTIPLY: Final = 8
UNARY: Final = 9
CALLED: Final = 10  # something with parentheses or an index behind it
ATOM: Final = 11

Found = TypeVar("Found")
Made = tuple[str, int]  # a text and how tightly it holds together
_PLACES: Final = {
    "": LOOSE,
    "p": PICK + 1,
    "k": COMPARE + 1,
    "j": JOIN,
    "a": ADD,
    "A": ADD + 1,
    "m": MULTIPLY,
    "M": MULTIPLY + 1,
    "u": UNARY,
    "c": CALLED,
    "x": ATOM,
}
LEVELS: Final[dict[str, int]] = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), COMPARE),
    **dict.fromkeys(("+", "-"), ADD),
    **dict.fromkeys(("*", "//", "%"), MULTIPLY),
}


class Printer(ABC):
    """Writes one program in one language; used once."""

    language: ClassVar[str]  # the name on the shelf
    indent: ClassVar[str] = "    "
    reserved: ClassVar[frozenset[str]]  # names that the program's own must not take
    helpers: ClassVar[Mapping[str, str]] = {}  # functions that are written only where they are used, by their names
    helpers_of_lines: ClassVar[Mapping[str, str]] = {}  # instead of these, where whole lines are read as well
    symbols: ClassVar[Mapping[str, str]] = {}  # operators that are written otherwise
    forms: ClassVar[Mapping[str, Made]]  # what a builtin is, by its name alone or with ":" and a type or kind
    phrases: ClassVar[Mapping[str, str]]  # what a statement is, likewise
    blocks: ClassVar[Mapping[str, str]]  # how they begin: if, elif, else, while, up, up0, down, each; and end
    augments: ClassVar[frozenset[str]] = frozenset()  # operators that have a form such as +=

    def __init__(self, program: Program) -> None:
        self.program = program
        self.page = Page(self.indent)
        readers = {node.reader.removesuffix("s") for node in nodes(program) if isinstance(node, Read)}
        self.reads_lines = "line" in readers
        self.reads_words = bool(readers - {"line"})
        self.sources = dict(self.helpers)
        if self.reads_lines and self.reads_words:
            self.sources = {**self.helpers, **self.helpers_of_lines}
        self.names = free_names(program, self.reserved | {*self.helpers})
        self.used: dict[str, None] = {}  # helpers, in the order of their first use
        self.function: Function | None = None  # that is being written
        self._fresh = 0

    # -- the whole ------------------------------------------------------------------------------

    def render(self) -> Printed:
        """Return the program's text and where its statements begin."""
        for function in self.program.functions:
            self.function = function
            self.write_function(function)
        self.function = None
        self.write_main(self.program.body)
        return self.page.under(self.head())

    @abstractmethod
    def write_function(self, function: Function) -> None:
        """Write a function."""

    @abstractmethod
    def write_main(self, body: Block) -> None:
        """Write what the program does."""

    def head(self) -> list[str]:
        """Return the lines before the functions: what is imported, and the helpers that were used."""
        return self.helper_lines()

    def helper_lines(self) -> list[str]:
        """Return the helpers that were used, those first that others use."""
        wanted: dict[str, None] = {}
        for name in self.used:
            self._want(name, wanted)
        return [line for name in wanted for line in (*self.sources[name].strip("\n").split("\n"), "")]

    def _want(self, name: str, wanted: dict[str, None]) -> None:
        for other in self.sources:
            if other not in wanted and other != name and re.search(rf"\b{other}\b", self.sources[name]):
                self._want(other, wanted)
        wanted[name] = None

    def helper(self, name: str) -> str:
        """Return a helper's name; it will be written."""
        self.used[name] = None
        return name

    def fresh(self, name: str) -> str:
        """Return a name that nothing else has."""
        taken = {*self.names.values(), *self.reserved, *self.helpers}
        while True:
            self._fresh += 1
            if (made := f"{name}{self._fresh}") not in taken:
                return made

    def no(self, what: str) -> NotInThisLanguage:
        """Return the error to raise where the language has no way to write something."""
        return NotInThisLanguage(f"the printer for {self.language} cannot write {what}")

    # -- statements -----------------------------------------------------------------------------

    def block(self, block: Block, at: Address) -> None:
        """Write statements."""
        for number, statement in enumerate(block):
            self.page.mark((*at, number))
            self.statement(statement, (*at, number))

    def statement(self, statement: Statement, at: Address) -> None:
        """Write a statement."""
        match statement:
            case Let():
                self.let(statement)
            case Assign(place, value):
                self.store(place, value)
            case Append(of, value):
                self.append(of, value)
            case Pop(of, into):
                self.pop(of, into)
            case Put(of, key, value):
                self.put(of, key, value)
            case Remove(of, key):
                self.remove(of, key)
            case If():
                self.if_(statement, at)
            case While(condition, body):
                self.while_(condition, body, (*at, "body"))
            case ForRange():
                self.for_range(statement, (*at, "body"))
            case ForEach():
                self.for_each(statement, (*at, "body"))
            case Break():
                self.break_()
            case Continue():
                self.continue_()
            case Return(value):
                self.return_(value)
            case Print(values):
                self.print(values)
            case Do(call):
                self.do(call)

    def store(self, place: Place, value: Expression) -> None:
        """Write an assignment, in its short form where there is one."""
        match value:
            case Operation(operator, left, right) if left == place and operator in self.augments:
                self.augment(place, operator, right)
            case Use("concat", (left, right)) if left == place and value.type == STR and "concat" in self.augments:
                self.augment(place, "concat", right)
            case _:
                self.assign(place, value)

    def augment(self, place: Place, operator: str, value: Expression) -> None:
        """Write an assignment such as +=."""
        self.page.write(f"{self.e(place)} {self.symbols.get(operator, operator)}= {self.e(value)}{self.end}")

    end: ClassVar[str] = ""  # what ends a statement

    def break_(self) -> None:
        """Write the end of a loop."""
        self.page.write(f"break{self.end}")

    def continue_(self) -> None:
        """Write the end of a turn."""
        self.page.write(f"continue{self.end}")

    def return_(self, value: Expression | None) -> None:
        """Write the end of a function."""
        self.page.write(f"return {self.e(value)}{self.end}" if value else f"return{self.end}")

    def do(self, call: Call) -> None:
        """Write a call that is a statement."""
        self.page.write(f"{self.e(call)}{self.end}")

    def let(self, statement: Let) -> None:
        """Write a new variable."""
        self.say("let", Name(statement.name, statement.value.type), statement.value)

    def assign(self, place: Place, value: Expression) -> None:
        """Write an assignment."""
        self.say("assign", place, value)

    def append(self, of: Place, value: Expression) -> None:
        """Write one more item."""
        self.say("append", of, value)

    def pop(self, of: Place, into: Name | None) -> None:
        """Write one item less."""
        if into:
            self.say("pop_into", of, into)
        else:
            self.say("pop", of)

    def put(self, of: Place, key: Expression, value: Expression) -> None:
        """Write a value for a key."""
        self.say("put", of, key, value)

    def remove(self, of: Place, key: Expression) -> None:
        """Write a key's removal."""
        self.say("remove", of, key)

    def say(self, phrase: str, *parts: Expression) -> None:
        """Write the lines of a statement's phrase."""
        template = self.found(self.phrases, phrase, parts)
        if template is None:
            raise self.no(f"the statement {phrase}")
        self.page.write(*self.filled(template, parts).split("\n"))

    def if_(self, statement: If, at: Address) -> None:
        """Write a choice of ways; a choice that is all of the other way goes on with it."""
        word = "if"
        while True:
            self.page.write(self.filled(self.blocks[word], [statement.condition]))
            self.inside(statement.then, (*at, "then"))
            match statement.otherwise:
                case (If() as statement,) if "elif" in self.blocks:
                    word, at = "elif", (*at, "otherwise", 0)
                    self.page.mark(at)
                    continue
                case ():
                    pass
                case otherwise:
                    self.page.write(self.filled(self.blocks["else"], []))
                    self.inside(otherwise, (*at, "otherwise"))
            self.close("if")
            return

    def while_(self, condition: Expression, body: Block, at: Address) -> None:
        """Write a loop; the address is its body's."""
        self.page.write(self.filled(self.blocks["while"], [condition]))
        self.inside(body, at)
        self.close("while")

    def for_range(self, loop: ForRange, at: Address) -> None:
        """Write a loop over numbers; the address is its body's."""
        stop = loop.stop
        if "hoist" in self.blocks and not stays(stop, loop.body):
            stop = self.hoisted("last", stop)
        word = "up" if loop.step == 1 else "down"
        if word == "up" and is_zero(loop.start) and "up0" in self.blocks:
            word = "up0"
        parts = [loop.start, stop, moved(stop, -loop.step)]
        self.page.write(self.filled(self.blocks[word], parts, name=self.name(loop.name)))
        self.inside(loop.body, at)
        self.close("for")

    def for_each(self, loop: ForEach, at: Address) -> None:
        """Write a loop over items; the address is its body's."""
        template = self.found(self.blocks, "each", [loop.of])
        self.page.write(*self.filled(str(template), [loop.of], name=self.name(loop.name)).split("\n"))
        self.inside(loop.body, at)
        self.close("for")

    def hoisted(self, name: str, value: Expression) -> Name:
        """Give a value a name of its own and return it."""
        name = self.fresh(name)
        self.names[name] = name
        self.page.write(self.filled(self.blocks["hoist"], [value], name=name))
        return Name(name, value.type)

    def inside(self, block: Block, at: Address) -> None:
        """Write an indented block."""
        with self.page.inside():
            self.block(block, at)

    def close(self, word: str) -> None:
        """Write what ends a block."""
        if end := self.blocks.get(f"end {word}", self.blocks.get("end")):
            self.page.write(self.filled(end, []))

    @abstractmethod
    def print(self, values: Sequence[Expression]) -> None:
        """Write a line's output."""

    # -- expressions ----------------------------------------------------------------------------

    def e(self, value: Expression, least: int = LOOSE) -> str:
        """Return an expression's text, in parentheses if its place wants what holds together more tightly."""
        text, level = self.made(value)
        return f"({text})" if level < least else text

    def made(self, value: Expression) -> Made:
        """Return an expression's text, and how tightly it holds together."""
        match value:
            case Constant(constant):
                return self.constant(constant)
            case Name(name):
                return self.name(name), ATOM
            case Operation():
                return self.operation(value)
            case Not(of):
                return self.not_(of)
            case Minus(of):
                return f"-{self.e(of, CALLED)}", UNARY
            case Pick():
                return self.pick(value)
            case Item(of, index):
                return self.item(of, index)
            case Items():
                return self.items(value)
            case NewMap():
                return self.new_map(value)
            case Use():
                return self.use(value)
            case Call(function, arguments):
                return f"{self.name(function)}({', '.join(self.e(each) for each in arguments)})", CALLED
            case Read():
                return self.read(value)

    def use(self, value: Use) -> Made:
        """Return what a builtin makes, by its form."""
        form = self.found(self.forms, value.builtin, value.arguments)
        if form is None:
            raise self.no(f"{value.builtin} of {value.arguments[0].type}")
        return self.filled(form[0], value.arguments), form[1]

    def filled(self, template: str, parts: Sequence[Expression], **names: str) -> str:
        """Return a template with expressions written in and its helpers noted.

        `{0}` is the first expression as it is, `{0:c}` in parentheses if it needs them before a dot or an index (the
        letters are those of `_PLACES`), `{0:t}` its type in the language, `@name` a helper.
        """
        for name in re.findall(r"@([a-z_]+)", template):
            self.helper(name)
        return re.sub(r"@([a-z_]+)", r"\1", template).format(*(_Part(self, each) for each in parts), **names)

    def found(self, table: Mapping[str, Found], name: str, parts: Sequence[Expression]) -> Found | None:
        """Return what a table has for the type of the first part, its kind, or any."""
        type = parts[0].type if parts else INT
        kind = "rows" if type.kind == "list" and type.of[0].kind == "list" else type.kind
        names = (f"{name}:{type}", f"{name}:{kind}", name)
        return next((table[each] for each in names if each in table), None)

    def type(self, type: Type) -> str:
        """Return a type's name."""
        raise self.no(f"the type {type}")

    def name(self, name: str) -> str:
        """Return what a name of the program is called."""
        return self.names[name]

    def number(self, value: int) -> str:
        """Return a number's text."""
        return str(value)

    def constant(self, value: int | bool | str) -> Made:
        """Return a constant's text."""
        if isinstance(value, bool):
            return self.truth(value), ATOM
        if isinstance(value, int):
            return self.number(value), UNARY if value < 0 else ATOM
        return self.text(value), ATOM

    def truth(self, value: bool) -> str:
        """Return a truth's text."""
        return "true" if value else "false"

    @abstractmethod
    def text(self, value: str) -> str:
        """Return a text's literal."""

    def operation(self, value: Operation) -> Made:
        """Return an operation: from left to right, comparisons never in a row."""
        level = LEVELS[value.operator]
        symbol = self.symbols.get(value.operator, value.operator)
        left = self.e(value.left, level + (level == COMPARE))
        return f"{left} {symbol} {self.e(value.right, level + 1)}", level

    def not_(self, value: Expression) -> Made:
        """Return the other truth."""
        return f"!{self.e(value, UNARY)}", UNARY

    @abstractmethod
    def pick(self, value: Pick) -> Made:
        """Return one of two values."""

    @abstractmethod
    def item(self, of: Expression, index: Expression) -> Made:
        """Return an item of a list or a text, or what a map has for a key."""

    @abstractmethod
    def items(self, value: Items) -> Made:
        """Return a new list."""

    @abstractmethod
    def new_map(self, value: NewMap) -> Made:
        """Return a new map."""

    @abstractmethod
    def read(self, value: Read) -> Made:
        """Return what reads."""


@dataclass(frozen=True)
class _Part:
    """An expression in a template."""

    printer: Printer
    value: Expression

    def __format__(self, place: str) -> str:
        if place == "t":
            return self.printer.type(self.value.type)
        return self.printer.e(self.value, _PLACES[place])
