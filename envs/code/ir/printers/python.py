"""Python."""

import builtins
import keyword
from collections.abc import Sequence
from typing import ClassVar

from palestra.envs.code.ir.nodes import (
    BOOL,
    NONE,
    Block,
    Expression,
    ForEach,
    ForRange,
    Function,
    If,
    Item,
    Items,
    Let,
    Name,
    NewMap,
    Pick,
    Place,
    Read,
    Use,
)
from palestra.envs.code.ir.place import Address
from palestra.envs.code.ir.printers.printer import (
    ADD,
    ATOM,
    CALLED,
    COMPARE,
    MULTIPLY,
    NOT,
    OR,
    PICK,
    Made,
    Printer,
    from_end,
    is_length,
    is_zero,
)


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

    def assign(self, place: Place, value: Expression) -> None:
        self.page.write(f"{self.e(place)} = {self.e(value)}")

    def append(self, of: Place, value: Expression) -> None:
        self.page.write(f"{self.e(of)}.append({self.e(value)})")

    def pop(self, of: Place, into: Name | None) -> None:
        self.page.write(f"{self.e(into)} = {self.e(of)}.pop()" if into else f"{self.e(of)}.pop()")

    def put(self, of: Place, key: Expression, value: Expression) -> None:
        self.store(Item(of, key, value.type), value)

    def remove(self, of: Place, key: Expression) -> None:
        self.page.write(f"{self.e(of)}.pop({self.e(key)}, None)")

    def if_(self, statement: If, at: Address) -> None:
        word = "if"
        while True:
            with self.page.inside(f"{word} {self.e(statement.condition)}:"):
                self.block(statement.then, (*at, "then"))
            match statement.otherwise:
                case (If() as statement,):
                    word, at = "elif", (*at, "otherwise", 0)
                    self.page.mark(at)
                case ():
                    return
                case otherwise:
                    with self.page.inside("else:"):
                        self.block(otherwise, (*at, "otherwise"))
                    return

    def while_(self, condition: Expression, body: Block, at: Address) -> None:
        with self.page.inside(f"while {self.e(condition)}:"):
            self.block(body, at)

    def for_range(self, loop: ForRange, at: Address) -> None:
        bounds = [self.e(loop.start), self.e(loop.stop)]
        if loop.step == -1:
            bounds.append("-1")
        elif is_zero(loop.start):
            bounds = bounds[1:]
        with self.page.inside(f"for {self.name(loop.name)} in range({', '.join(bounds)}):"):
            self.block(loop.body, at)

    def for_each(self, loop: ForEach, at: Address) -> None:
        with self.page.inside(f"for {self.name(loop.name)} in {self.e(loop.of)}:"):
            self.block(loop.body, at)

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

    def use_len(self, of: Expression) -> Made:
        return self.call("len", of)

    def use_abs(self, value: Expression) -> Made:
        return self.call("abs", value)

    def use_min(self, left: Expression, right: Expression) -> Made:
        return self.call("min", left, right)

    def use_max(self, left: Expression, right: Expression) -> Made:
        return self.call("max", left, right)

    def use_ord(self, value: Expression) -> Made:
        return self.call("ord", value)

    def use_chr(self, value: Expression) -> Made:
        return self.call("chr", value)

    def use_str(self, value: Expression) -> Made:
        return self.call("str", value)

    def use_int(self, value: Expression) -> Made:
        return self.call("int", value)

    def use_concat(self, left: Expression, right: Expression) -> Made:
        return f"{self.e(left, ADD)} + {self.e(right, ADD + 1)}", ADD

    def use_slice(self, of: Expression, start: Expression, end: Expression) -> Made:
        first = "" if is_zero(start) else self.e(start)
        last = "" if is_length(end, of) else self.e(end)
        return f"{self.e(of, CALLED)}[{first}:{last}]", CALLED

    def use_repeat(self, item: Expression, count: Expression) -> Made:
        return f"[{self.e(item)}] * {self.e(count, MULTIPLY + 1)}", MULTIPLY

    def use_grid(self, item: Expression, rows: Expression, columns: Expression) -> Made:
        row = "[]" if is_zero(columns) else f"[{self.e(item)}] * {self.e(columns, MULTIPLY + 1)}"
        return f"[{row} for _ in range({self.e(rows)})]", ATOM

    def use_sorted(self, of: Expression) -> Made:
        return self.call("sorted", of)

    def use_reversed(self, of: Expression) -> Made:
        return f"{self.e(of, CALLED)}[::-1]", CALLED

    def use_copy(self, of: Expression) -> Made:
        if of.type.kind == "list" and of.type.of[0].kind == "list":
            return f"[row.copy() for row in {self.e(of, OR)}]", ATOM
        return f"{self.e(of, CALLED)}.copy()", CALLED

    def use_contains(self, of: Expression, what: Expression) -> Made:
        return f"{self.e(what, COMPARE + 1)} in {self.e(of, COMPARE + 1)}", COMPARE

    def use_has(self, of: Expression, key: Expression) -> Made:
        return self.use_contains(of, key)

    def use_join(self, texts: Expression, between: Expression) -> Made:
        return f"{self.e(between, CALLED)}.join({self.e(texts)})", CALLED

    def use_split(self, text: Expression) -> Made:
        return f"{self.e(text, CALLED)}.split()", CALLED

    def use_get(self, of: Expression, key: Expression, otherwise: Expression) -> Made:
        return f"{self.e(of, CALLED)}.get({self.e(key)}, {self.e(otherwise)})", CALLED

    def use_keys(self, of: Expression) -> Made:
        return self.call("sorted", of)
