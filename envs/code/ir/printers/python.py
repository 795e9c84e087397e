"""Python."""

import builtins
import keyword
from collections.abc import Sequence
from typing import ClassVar

from palestra.envs.code.ir.looks import from_end, is_length, is_zero
from palestra.envs.code.ir.nodes import (
    BOOL,
    NONE,
    Block,
    Expression,
    Function,
    Item,
    Items,
    Let,
    NewMap,
    Pick,
    Place,
    Read,
    Use,
)
from palestra.envs.code.ir.printers.printer import ADD, ATOM, CALLED, COMPARE, MULTIPLY, NOT, OR, PICK, Made, Printer


class PythonPrinter(Printer):
    """Writes Python 3.11."""

    language = "python"
    reserved = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | {"main", "sys", "words", "pending", "_"}
    augments = frozenset(("+", "-", "*", "//", "%", "concat"))
    symbols: ClassVar = {"concat": "+"}
    helpers: ClassVar = {
        "words": "words = iter(sys.stdin.read().split())",
        "read_word": """\
pending: list[str] = []


def read_word() -> str:
    while not pending:
        pending.extend(reversed(input().split()))
    return pending.pop()

""",
    }

    forms: ClassVar = {
        "len": ("len({0})", CALLED),
        "abs": ("abs({0})", CALLED),
        "min": ("min({0}, {1})", CALLED),
        "max": ("max({0}, {1})", CALLED),
        "ord": ("ord({0})", CALLED),
        "chr": ("chr({0})", CALLED),
        "str": ("str({0})", CALLED),
        "int": ("int({0})", CALLED),
        "concat": ("{0:a} + {1:A}", ADD),
        "repeat": ("[{0}] * {1:M}", MULTIPLY),
        "grid": ("[[{0}] * {2:M} for _ in range({1})]", ATOM),
        "sorted": ("sorted({0})", CALLED),
        "reversed": ("{0:c}[::-1]", CALLED),
        "copy": ("{0:c}.copy()", CALLED),
        "copy:rows": ("[row.copy() for row in {0:p}]", ATOM),
        "contains": ("{1:k} in {0:k}", COMPARE),
        "join": ("{1:c}.join({0})", CALLED),
        "split": ("{0:c}.split()", CALLED),
        "has": ("{1:k} in {0:k}", COMPARE),
        "get": ("{0:c}.get({1}, {2})", CALLED),
        "keys": ("sorted({0})", CALLED),
    }
    phrases: ClassVar = {
        "assign": "{0} = {1}",
        "append": "{0}.append({1})",
        "pop": "{0}.pop()",
        "pop_into": "{1} = {0}.pop()",
        "remove": "{0}.pop({1}, None)",
    }

    blocks: ClassVar = {
        "if": "if {0}:",
        "elif": "elif {0}:",
        "else": "else:",
        "while": "while {0}:",
        "up0": "for {name} in range({1}):",
        "up": "for {name} in range({0}, {1}):",
        "down": "for {name} in range({0}, {1}, -1):",
        "each": "for {name} in {0}:",
    }

    def head(self) -> list[str]:
        lines = self.helper_lines()
        if "read_word" in self.used:
            lines.append("")
        return ["import sys", "", *lines, ""] if "words" in self.used else lines

    def write_function(self, function: Function) -> None:
        given = ", ".join(f"{self.name(name)}: {type}" for name, type in function.parameters)
        returns = "None" if function.returns == NONE else function.returns
        with self.page.inside(f"def {self.name(function.name)}({given}) -> {returns}:"):
            self.block(function.body, (function.name,))
            if not function.body:
                self.page.write("return")
        self.page.write("", "")

    def write_main(self, body: Block) -> None:
        with self.page.inside("def main() -> None:"):
            self.block(body, ("",))
            if not body:
                self.page.write("return")
        self.page.write("", "", "main()")

    # -- statements -----------------------------------------------------------------------------

    def let(self, statement: Let) -> None:
        value, name = statement.value, self.name(statement.name)
        if isinstance(value, NewMap) or (isinstance(value, Items) and not value.items):
            name = f"{name}: {value.type}"
        self.page.write(f"{name} = {self.e(value)}")

    def put(self, of: Place, key: Expression, value: Expression) -> None:
        self.store(Item(of, key, value.type), value)

    def print(self, values: Sequence[Expression]) -> None:
        texts = []
        for value in values:
            if value.type == BOOL:
                texts.append(f"int({self.e(value)})")
            else:
                texts.append(f"*{self.e(value, OR)}" if value.type.kind == "list" else self.e(value))
        self.page.write(f"print({', '.join(texts)})")

    # -- expressions ----------------------------------------------------------------------------

    def truth(self, value: bool) -> str:
        return str(value)

    def text(self, value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def not_(self, value: Expression) -> Made:
        match value:
            case Use("contains" | "has", (of, what)):
                return f"{self.e(what, COMPARE + 1)} not in {self.e(of, COMPARE + 1)}", COMPARE
        return f"not {self.e(value, NOT)}", NOT

    def pick(self, value: Pick) -> Made:
        then, condition = self.e(value.then, OR), self.e(value.condition, OR)
        return f"{then} if {condition} else {self.e(value.otherwise, PICK)}", PICK

    def item(self, of: Expression, index: Expression) -> Made:
        back = from_end(of, index)
        return f"{self.e(of, CALLED)}[{-back if back else self.e(index)}]", CALLED

    def items(self, value: Items) -> Made:
        return f"[{', '.join(self.e(each) for each in value.items)}]", ATOM

    def new_map(self, value: NewMap) -> Made:
        return "{}", ATOM

    def read(self, value: Read) -> Made:
        one, sizes = value.reader.removesuffix("s"), [self.e(each) for each in value.sizes]
        if one == "line":
            text = "input()"
        else:
            word = f"{self.helper('read_word')}()" if self.reads_lines else f"next({self.helper('words')})"
            text = word if one == "word" else f"int({word})"
        for size in reversed(sizes):
            text = f"[{text} for _ in range({size})]"
        return text, CALLED

    def use(self, value: Use) -> Made:
        match value:
            case Use("slice", (of, start, end)):
                first = "" if is_zero(start) else self.e(start)
                last = "" if is_length(end, of) else self.e(end)
                return f"{self.e(of, CALLED)}[{first}:{last}]", CALLED
            case Use("grid", (_, rows, columns)) if is_zero(columns):
                return f"[[] for _ in range({self.e(rows)})]", ATOM
        return super().use(value)
