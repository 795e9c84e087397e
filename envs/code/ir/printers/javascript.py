"""JavaScript."""

from collections.abc import Sequence
from typing import ClassVar

from palestra.envs.code.ir.looks import is_length, is_zero, names_changed
from palestra.envs.code.ir.nodes import (
    BOOL,
    Block,
    Expression,
    Function,
    Item,
    Items,
    Let,
    NewMap,
    Operation,
    Pick,
    Place,
    Read,
    Use,
)
from palestra.envs.code.ir.printers.printer import ADD, ATOM, CALLED, COMPARE, OR, PICK, Made, Printer

_WORDS = """\
break case catch class const continue debugger default delete do else enum export extends false finally for function if
implements import in instanceof interface let new null package private protected public return static super switch this
throw true try typeof var void while with yield await async of arguments eval undefined NaN Infinity Math Number String
Array Map Object console process require module exports global words lines next_word next_line pending row word last
"""


class JavaScriptPrinter(Printer):
    """Writes JavaScript for Node."""

    language = "javascript"
    indent = "  "
    end = ";"
    reserved = frozenset(_WORDS.split())
    augments = frozenset(("+", "-", "*", "concat"))
    symbols: ClassVar = {"==": "===", "!=": "!==", "and": "&&", "or": "||", "concat": "+"}
    forms: ClassVar = {
        "len": ("{0:c}.length", CALLED),
        "len:map": ("{0:c}.size", CALLED),
        "abs": ("Math.abs({0})", CALLED),
        "min": ("Math.min({0}, {1})", CALLED),
        "max": ("Math.max({0}, {1})", CALLED),
        "ord": ("{0:c}.charCodeAt(0)", CALLED),
        "chr": ("String.fromCharCode({0})", CALLED),
        "str": ("String({0})", CALLED),
        "int": ("Number({0})", CALLED),
        "concat": ("[...{0}, ...{1}]", ATOM),
        "concat:str": ("{0:a} + {1:A}", ADD),
        "repeat": ("Array({1}).fill({0})", CALLED),
        "grid": ("Array.from({{ length: {1} }}, () => Array({2}).fill({0}))", CALLED),
        "sorted:list[int]": ("[...{0}].sort((a, b) => a - b)", CALLED),
        "sorted:list[str]": ("[...{0}].sort()", CALLED),
        "reversed": ("[...{0}].reverse()", CALLED),
        "reversed:str": ('[...{0}].reverse().join("")', CALLED),
        "copy": ("[...{0}]", ATOM),
        "copy:map": ("new Map({0})", ATOM),
        "copy:rows": ("{0:c}.map((row) => [...row])", CALLED),
        "contains": ("{0:c}.includes({1})", CALLED),
        "join": ("{0:c}.join({1})", CALLED),
        "split": ('{0:c}.split(" ").filter((word) => word !== "")', CALLED),
        "has": ("{0:c}.has({1})", CALLED),
        "get": ("{0:c}.get({1}) ?? {2:c}", PICK),
        "keys:dict[str, int]": ("[...{0:c}.keys()].sort()", CALLED),
        "keys:dict[str, str]": ("[...{0:c}.keys()].sort()", CALLED),
        "keys:dict[str, bool]": ("[...{0:c}.keys()].sort()", CALLED),
        "keys": ("[...{0:c}.keys()].sort((a, b) => a - b)", CALLED),
    }
    phrases: ClassVar = {
        "assign": "{0} = {1};",
        "append": "{0}.push({1});",
        "pop": "{0}.pop();",
        "pop_into": "{1} = {0}.pop();",
        "put": "{0}.set({1}, {2});",
        "remove": "{0}.delete({1});",
    }
    blocks: ClassVar = {
        "if": "if ({0}) {{",
        "elif": "}} else if ({0}) {{",
        "else": "}} else {{",
        "while": "while ({0}) {{",
        "up": "for (let {name} = {0}; {name} < {1}; {name}++) {{",
        "down": "for (let {name} = {0}; {name} > {1}; {name}--) {{",
        "each": "for (const {name} of {0}) {{",
        "hoist": "const {name} = {0};",
        "end": "}}",
    }
    helpers: ClassVar = {
        "mod": """\
function mod(a, b) {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}
""",
        "read_line": """\
const lines = require("fs").readFileSync(0, "utf8").split("\\n");
let next_line = 0;

function read_line() {
  return lines[next_line++];
}
""",
        "read_word": """\
const words = require("fs").readFileSync(0, "utf8").split(/\\s+/).filter((word) => word !== "");
let next_word = 0;

function read_word() {
  return words[next_word++];
}
""",
    }
    helpers_of_lines: ClassVar = {
        "read_word": """\
let pending = [];

function read_word() {
  while (pending.length === 0) {
    pending = read_line().split(" ").filter((word) => word !== "");
  }
  return pending.shift();
}
""",
    }
    _rebound: frozenset[str] = frozenset()

    def head(self) -> list[str]:
        return ['"use strict";', "", *self.helper_lines()]

    def write_function(self, function: Function) -> None:
        self._rebound = frozenset(names_changed(function.body, rebound=True))
        given = ", ".join(self.name(name) for name, _ in function.parameters)
        with self.page.inside(f"function {self.name(function.name)}({given}) {{", "}"):
            self.block(function.body, (function.name,))
        self.page.write("")

    def write_main(self, body: Block) -> None:
        self._rebound = frozenset(names_changed(body, rebound=True))
        self.block(body, ("",))

    def let(self, statement: Let) -> None:
        word = "let" if statement.name in self._rebound else "const"
        self.page.write(f"{word} {self.name(statement.name)} = {self.e(statement.value)};")

    def augment(self, place: Place, operator: str, value: Expression) -> None:
        if isinstance(place, Item) and place.of.type.kind == "map":
            raise self.no("an assignment to a key")
        super().augment(place, operator, value)

    def print(self, values: Sequence[Expression]) -> None:
        if not any(value.type.kind == "list" for value in values):
            if len(values) == 1 and values[0].type.kind == "str":
                text = self.e(values[0])
            else:
                text = f"`{' '.join(f'${{{self.printed(value)}}}' for value in values)}`" if values else '""'
        elif len(values) == 1:
            text = f'{self.e(values[0], CALLED)}.join(" ")'
        else:
            parts = (f"...{self.e(value)}" if value.type.kind == "list" else self.printed(value) for value in values)
            text = f'[{", ".join(parts)}].join(" ")'
        self.page.write(f"console.log({text});")

    def printed(self, value: Expression) -> str:
        return f"Number({self.e(value)})" if value.type == BOOL else self.e(value)

    # -- expressions ----------------------------------------------------------------------------

    def text(self, value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def operation(self, value: Operation) -> Made:
        if value.operator == "//":
            return f"Math.floor({self.e(value.left, COMPARE + 3)} / {self.e(value.right, COMPARE + 4)})", CALLED
        if value.operator == "%":
            return f"{self.helper('mod')}({self.e(value.left)}, {self.e(value.right)})", CALLED
        return super().operation(value)

    def pick(self, value: Pick) -> Made:
        condition, then = self.e(value.condition, OR), self.e(value.then, OR)
        return f"{condition} ? {then} : {self.e(value.otherwise, PICK)}", PICK

    def item(self, of: Expression, index: Expression) -> Made:
        if of.type.kind == "map":
            return f"{self.e(of, CALLED)}.get({self.e(index)})", CALLED
        return f"{self.e(of, CALLED)}[{self.e(index)}]", CALLED

    def items(self, value: Items) -> Made:
        return f"[{', '.join(self.e(each) for each in value.items)}]", ATOM

    def new_map(self, value: NewMap) -> Made:
        return "new Map()", ATOM

    def read(self, value: Read) -> Made:
        one = value.reader.removesuffix("s")
        text = f"{self.helper('read_line' if one == 'line' else 'read_word')}()"
        if one in ("int", "row"):
            text = f"Number({text})"
        for size in reversed(value.sizes):
            text = f"Array.from({{ length: {self.e(size)} }}, () => {text})"
        return text, CALLED

    def use(self, value: Use) -> Made:
        match value:
            case Use("slice", (of, start, end)):
                bounds = [self.e(start)] + ([] if is_length(end, of) else [self.e(end)])
                return f"{self.e(of, CALLED)}.slice({', '.join(bounds)})", CALLED
            case Use("grid", (_, rows, columns)) if is_zero(columns):
                return f"Array.from({{ length: {self.e(rows)} }}, () => [])", CALLED
        return super().use(value)
