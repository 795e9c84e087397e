"""The nodes of a small typed language that means the same in every language it is printed in.

What a program may do is what all of them agree on, and nothing more:

- integers stay within `MOST` on both sides (a double holds them); `//` rounds down, `%` has the divisor's sign;
- texts are printable ASCII, an item of a text is a text of length 1;
- lists nest once and hold integers, truths or texts; maps are of integers or texts to one of these three;
- lists and maps are owned by one name: a name takes a new one (made, sliced, sorted, copied, returned),
  never another's; a function reads the lists and maps that it is given and changes only its own;
- the keys of a map come sorted;
- a variable is seen from where it is made to the end of that block; a name has one type in all of a function;
- expressions change nothing: what is read is the whole value of a statement, and a function with a result
  neither reads nor prints, so that it does not matter what is looked at first;
- calls nest `DEEPEST` deep at most;
- what is not defined here (an index outside, a division by 0, a number too large) ends the program:
  no input of a task leads to it.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

MOST: Final = 2**53 - 1
DEEPEST: Final = 400

Kind = Literal["int", "bool", "str", "list", "map", "none"]
Arithmetic = Literal["+", "-", "*", "//", "%"]
Comparison = Literal["==", "!=", "<", "<=", ">", ">="]  # of integers and of texts; the first two of truths as well
Logic = Literal["and", "or"]  # the right side is looked at only if it decides
Builtin = Literal[
    "len",  # of a text, a list or a map
    "abs",
    "min",  # of two integers
    "max",
    "ord",  # of a text of length 1
    "chr",
    "str",  # an integer in decimal
    "int",  # a text of decimal digits, perhaps with a "-" before
    "concat",  # two texts, or two lists
    "slice",  # text or list, from, to: as in Python, with 0 <= from <= to <= length
    "repeat",  # a new list: an item that is no list, so many times, at least 0
    "grid",  # a new list of lists: an item, rows, columns, at least 0
    "sorted",  # a new list of integers or texts, ascending
    "reversed",  # a new list or text
    "copy",  # a new list, its lists copied as well, or a new map
    "contains",  # a list of integers or texts; or a text in a text: the second argument is what is looked for
    "join",  # texts of a list with a text between
    "split",  # a text at spaces; no empty pieces
    "has",  # map, key
    "get",  # map, key, value if there is none
    "keys",  # of a map, a new list, sorted
]
Reader = Literal[
    "int",  # the next word, an integer
    "word",  # the next word
    "line",  # a whole line, which may be empty; never mixed with words on the same line
    "ints",  # so many integers
    "words",  # so many words
    "lines",  # so many lines
    "rows",  # rows, columns: a list of lists of integers
]


class IrError(ValueError):
    """A program of this language cannot be what it was taken for; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Type:
    """What a value is; `of` holds the item of a list, or the key and the value of a map."""

    kind: Kind
    of: "tuple[Type, ...]" = ()

    def __str__(self) -> str:
        return {"list": "list", "map": "dict"}.get(self.kind, self.kind) + (
            f"[{', '.join(map(str, self.of))}]" if self.of else ""
        )


INT: Final = Type("int")
BOOL: Final = Type("bool")
STR: Final = Type("str")
NONE: Final = Type("none")  # what a function without a result returns


def list_of(item: Type) -> Type:
    """Return the type of lists of an item."""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """Return the type of maps; a key is an integer or a text."""
    return Type("map", (key, value))


# -- expressions: each knows its type, which `check` has seen to --------------------------------


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a truth or a text."""

    value: int | bool | str
    type: Type


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Operation:
    """Two values and what is between them; `+` is of integers only."""

    operator: Arithmetic | Comparison | Logic
    left: "Expression"
    right: "Expression"
    type: Type


@dataclass(frozen=True, slots=True)
class Not:
    """The other truth."""

    value: "Expression"
    type: Type = BOOL


@dataclass(frozen=True, slots=True)
class Minus:
    """A number with its sign changed."""

    value: "Expression"
    type: Type = INT


@dataclass(frozen=True, slots=True)
class Pick:
    """One of two values; the other is not looked at."""

    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"
    type: Type


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list or a text, counted from 0, or what a map has for a key that is in it."""

    of: "Expression"
    index: "Expression"
    type: Type


@dataclass(frozen=True, slots=True)
class Items:
    """A new list with these items."""

    items: "tuple[Expression, ...]"
    type: Type


@dataclass(frozen=True, slots=True)
class NewMap:
    """A new map with nothing in it."""

    type: Type


@dataclass(frozen=True, slots=True)
class Use:
    """What the language brings."""

    builtin: Builtin
    arguments: "tuple[Expression, ...]"
    type: Type


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the program."""

    function: str
    arguments: "tuple[Expression, ...]"
    type: Type


@dataclass(frozen=True, slots=True)
class Read:
    """The next of the input; `sizes` are how many."""

    reader: Reader
    sizes: "tuple[Expression, ...]"
    type: Type


Expression = Constant | Name | Operation | Not | Minus | Pick | Item | Items | NewMap | Use | Call | Read
Place = Name | Item  # what can be assigned to


# -- statements ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Let:
    """A new variable, seen to the end of the block."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Assign:
    """Another value for a variable or an item."""

    place: Place
    value: Expression


@dataclass(frozen=True, slots=True)
class Append:
    """One more item at the end of a list."""

    of: Place
    value: Expression


@dataclass(frozen=True, slots=True)
class Pop:
    """The last item of a list leaves it; `into`, if any, is a variable that was made before."""

    of: Place
    into: Name | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """A value for a key of a map."""

    of: Place
    key: Expression
    value: Expression


@dataclass(frozen=True, slots=True)
class Remove:
    """A key leaves a map, if it is in it."""

    of: Place
    key: Expression


@dataclass(frozen=True, slots=True)
class If:
    """One way or another."""

    condition: Expression
    then: "Block"
    otherwise: "Block" = ()


@dataclass(frozen=True, slots=True)
class While:
    """Again as long as something holds; a loop that holds always has a `Break`."""

    condition: Expression
    body: "Block"


@dataclass(frozen=True, slots=True)
class ForRange:
    """From `start` to before `stop`, both looked at once, in steps of `step`; the variable is read only."""

    name: str
    start: Expression
    stop: Expression
    body: "Block"
    step: Literal[1, -1] = 1


@dataclass(frozen=True, slots=True)
class ForEach:
    """Each item of a list or a text in its order; neither the list nor the variable is changed meanwhile."""

    name: str
    of: Expression
    body: "Block"


@dataclass(frozen=True, slots=True)
class Break:
    """Leave the innermost loop."""


@dataclass(frozen=True, slots=True)
class Continue:
    """Go on with the innermost loop's next turn."""


@dataclass(frozen=True, slots=True)
class Return:
    """Leave the function, with a value if it has one."""

    value: Expression | None = None


@dataclass(frozen=True, slots=True)
class Print:
    """A line: values with a space between, a list as its items, a truth as 1 or 0; nothing gives an empty line."""

    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Do:
    """Call a function that has no result."""

    call: Call


Statement = (
    Let
    | Assign
    | Append
    | Pop
    | Put
    | Remove
    | If
    | While
    | ForRange
    | ForEach
    | Break
    | Continue
    | Return
    | Print
    | Do
)
Block = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function; it sees its parameters and what it makes, nothing else."""

    name: str
    parameters: tuple[tuple[str, Type], ...]
    returns: Type
    body: Block


@dataclass(frozen=True, slots=True)
class Program:
    """Functions, each before those that use it (itself included), and what is done."""

    body: Block
    functions: tuple[Function, ...] = field(default=())
