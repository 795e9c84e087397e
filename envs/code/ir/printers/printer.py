"""What all printers share: which statement and expression is written by which method, and where parentheses belong."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Final

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

Made = tuple[str, int]  # a text and how tightly it holds together
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
    symbols: ClassVar[Mapping[str, str]] = {}  # operators that are written otherwise
    augments: ClassVar[frozenset[str]] = frozenset()  # operators that have a form such as +=

    def __init__(self, program: Program) -> None:
        self.program = program
        self.page = Page(self.indent)
        self.names = free_names(program, self.reserved | {*self.helpers})
        self.used: dict[str, None] = {}  # helpers, in the order of their first use
        self.function: Function | None = None  # that is being written
        readers = {node.reader.removesuffix("s") for node in nodes(program) if isinstance(node, Read)}
        self.reads_lines = "line" in readers
        self.reads_words = bool(readers - {"line"})
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
        return [line for name in wanted for line in (*self.helpers[name].strip("\n").split("\n"), "")]

    def _want(self, name: str, wanted: dict[str, None]) -> None:
        for other, source in self.helpers.items():
            if other != name and other not in wanted and name not in source and other in self.helpers[name]:
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

    @abstractmethod
    def let(self, statement: Let) -> None:
        """Write a new variable."""

    @abstractmethod
    def assign(self, place: Place, value: Expression) -> None:
        """Write an assignment."""

    @abstractmethod
    def append(self, of: Place, value: Expression) -> None:
        """Write one more item."""

    @abstractmethod
    def pop(self, of: Place, into: Name | None) -> None:
        """Write one item less."""

    @abstractmethod
    def put(self, of: Place, key: Expression, value: Expression) -> None:
        """Write a value for a key."""

    @abstractmethod
    def remove(self, of: Place, key: Expression) -> None:
        """Write a key's removal."""

    @abstractmethod
    def if_(self, statement: If, at: Address) -> None:
        """Write a choice of ways."""

    @abstractmethod
    def while_(self, condition: Expression, body: Block, at: Address) -> None:
        """Write a loop; the address is its body's."""

    @abstractmethod
    def for_range(self, loop: ForRange, at: Address) -> None:
        """Write a loop over numbers; the address is its body's."""

    @abstractmethod
    def for_each(self, loop: ForEach, at: Address) -> None:
        """Write a loop over items; the address is its body's."""

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
            case Use(builtin, arguments):
                method: Callable[..., Made] = getattr(self, f"use_{builtin}")
                return method(*arguments)
            case Call(function, arguments):
                return f"{self.name(function)}({', '.join(self.e(each) for each in arguments)})", CALLED
            case Read():
                return self.read(value)

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

    def call(self, function: str, *arguments: Expression) -> Made:
        """Return a call of something that is not the program's own."""
        return f"{function}({', '.join(self.e(each) for each in arguments)})", CALLED

    def call_helper(self, helper: str, *arguments: Expression) -> Made:
        """Return a call of a helper, which will be written."""
        return self.call(self.helper(helper), *arguments)


def nodes(value: Any) -> Iterator[Any]:
    """Yield every node of a program, from the outside in."""
    if isinstance(value, tuple):
        for each in value:
            yield from nodes(each)
    elif is_dataclass(value):
        yield value
        for each in fields(value):
            yield from nodes(getattr(value, each.name))


def is_zero(value: Expression) -> bool:
    """Return whether an expression is the number 0."""
    return value == Constant(0, INT)


def is_length(value: Expression, of: Expression) -> bool:
    """Return whether an expression is the length of another."""
    return isinstance(value, Use) and value.builtin == "len" and value.arguments == (of,)


def from_end(of: Expression, index: Expression) -> int:
    """Return how far from the end an index is if it is written as a length less a number, or else 0."""
    match index:
        case Operation("-", length, Constant(int(number))) if is_length(length, of) and number > 0:
            return number
    return 0
