"""C."""

from collections.abc import Sequence
from typing import ClassVar, Final

from palestra.envs.code.ir.looks import is_zero, names_changed
from palestra.envs.code.ir.nodes import (
    INT,
    STR,
    Block,
    Constant,
    Expression,
    ForEach,
    Function,
    Item,
    Items,
    Minus,
    Name,
    NewMap,
    Operation,
    Pick,
    Place,
    Read,
    Type,
    Use,
    list_of,
)
from palestra.envs.code.ir.place import Address
from palestra.envs.code.ir.printers.c_helpers import HELPERS, LIST, MAP, OF_LISTS, OF_MAPS
from palestra.envs.code.ir.printers.printer import ADD, CALLED, COMPARE, OR, PICK, UNARY, Made, Printer

_WORDS = """\
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool true false main
abs labs llabs div exit abort atexit rand srand system getenv malloc calloc realloc free qsort bsearch atoi atol atoll
atof remove rename puts gets getchar putchar printf scanf index rindex time clock signal raise read write open close
pipe link unlink access sleep pause alarm fork wait kill y0 y1 yn j0 j1 jn gamma log exp sin cos tan pow sqrt floor ceil
round trunc linux unix errno stdin stdout stderr select accept bind connect listen send environ daemon truncate sync
swab nice strlen strcmp strstr memcpy memmove sprintf snprintf ungetc ints texts bools line_has_begun asm typeof
"""
_ITEMS: Final = {"int": "long long", "bool": "bool", "str": "const char *"}
_NAMES: Final = {"int": "ints", "bool": "bools", "str": "texts"}
_ORDER: Final = {"int": "(a > b) - (a < b)", "bool": "a - b", "str": "strcmp(a, b)"}


class CPrinter(Printer):
    """Writes C17. What is allocated is not freed before the program ends."""

    language = "c"
    end = ";"
    reserved = frozenset(_WORDS.split())
    augments = frozenset(("+", "-", "*"))
    symbols: ClassVar = {"and": "&&", "or": "||"}
    helpers = HELPERS
    forms: ClassVar = {
        "len": ("{0:c}->size", CALLED),
        "len:str": ("(long long)strlen({0})", UNARY),
        "abs": ("llabs({0})", CALLED),
        "min": ("@min_of({0}, {1})", CALLED),
        "max": ("@max_of({0}, {1})", CALLED),
        "ord": ("(long long){0:c}[0]", UNARY),
        "chr": ("@text_of_char({0})", CALLED),
        "str": ("@text_of_int({0})", CALLED),
        "int": ("atoll({0})", CALLED),
        "concat:str": ("@text_joined({0}, {1})", CALLED),
        "slice:str": ("@text_slice({0}, {1}, {2})", CALLED),
        "reversed:str": ("@text_reversed({0})", CALLED),
        "contains:str": ("strstr({0}, {1}) != NULL", COMPARE),
        "join": ("@join({0}, {1})", CALLED),
        "split": ("@split({0})", CALLED),
    }
    phrases: ClassVar = {
        "let": "{0:t}{0} = {1};",
        "assign": "{0} = {1};",
        "pop": "{0:c}->size--;",
        "pop_into": "{1} = {0:c}->items[--{0:c}->size];",
    }
    blocks: ClassVar = {
        "if": "if ({0}) {{",
        "elif": "}} else if ({0}) {{",
        "else": "}} else {{",
        "while": "while ({0}) {{",
        "up": "for (long long {name} = {0}; {name} < {1}; {name}++) {{",
        "down": "for (long long {name} = {0}; {name} > {1}; {name}--) {{",
        "hoist": "{0:t}{name} = {0};",
        "end": "}}",
    }

    def head(self) -> list[str]:
        text = "\n".join([*self.helper_lines(), *self.page.lines])
        first = ["#include <stdbool.h>"] if "bool" in text else []
        rest = [f"#include <{name}.h>" for name in ("stdio", "stdlib", "string")]
        return [*first, *rest, "", *self.helper_lines()]

    def write_function(self, function: Function) -> None:
        given = ", ".join(self.type(type) + self.name(name) for name, type in function.parameters) or "void"
        head = f"{self.type(function.returns)}{self.name(function.name)}({given}) {{"
        with self.page.inside(head, "}"):
            self.block(function.body, (function.name,))
        self.page.write("")

    def write_main(self, body: Block) -> None:
        with self.page.inside("int main(void) {", "}"):
            self.block(body, ("",))

    def type(self, type: Type) -> str:
        """Return a type as it stands before a name."""
        match type.kind:
            case "list" | "map":
                return f"{self.kept(type)} *"
            case "none":
                return "void "
        item = _ITEMS[type.kind]
        return item if item.endswith("*") else f"{item} "

    # -- lists and maps: a struct and functions for each type that is used ---------------------------

    def kept(self, type: Type) -> str:
        """Return the name of a list's or a map's struct; it will be written."""
        if type.kind == "map":
            key, value = type.of
            name = f"map_{key.kind}_{value.kind}"
            words = {"key": _ITEMS[key.kind], "value": _ITEMS[value.kind], "compare": _ORDER[key.kind]}
            self.sources.setdefault(name, MAP.format(name=name, **words))
        else:
            item = type.of[0]
            if item.kind == "list":
                inner = self.kept(item)
                name, words = f"{inner}_rows", {"item": f"{inner} *"}
            else:
                name, words = _NAMES[item.kind], {"item": _ITEMS[item.kind]}
            self.sources.setdefault(name, LIST.format(name=name, **words))
        self.used[name] = None
        return name

    def of_list(self, type: Type, what: str, name: str) -> str:
        """Return the name of a function of lists without lists in them; it will be written."""
        item = type.of[0]
        one = {"str": "text"}.get(item.kind, item.kind)
        words = {"name": self.kept(type), "item": _ITEMS[item.kind], "compare": _ORDER[item.kind], "one": one}
        name = name.format(**words)
        if what in ("grid", "copy_rows"):
            self.kept(list_of(type))
        if what == "grid":
            self.of_list(type, "repeat", "{name}_repeat")
        self.sources.setdefault(name, OF_LISTS[what].format(**words))
        return self.helper(name)

    def of_map(self, type: Type, what: str) -> str:
        """Return the name of a function of maps; it will be written."""
        key, value = type.of
        name = self.kept(type)
        if what in OF_MAPS:
            words = {"name": name, "key": _ITEMS[key.kind], "value": _ITEMS[value.kind]}
            self.sources.setdefault(f"{name}_{what}", OF_MAPS[what].format(**words))
            self.helper(f"{name}_{what}")
        return f"{name}_{what}"

    # -- statements -----------------------------------------------------------------------------

    def append(self, of: Place, value: Expression) -> None:
        self.page.write(f"{self.kept(of.type)}_push({self.e(of)}, {self.e(value)});")

    def put(self, of: Place, key: Expression, value: Expression) -> None:
        self.page.write(f"{self.of_map(of.type, 'put')}({self.e(of)}, {self.e(key)}, {self.e(value)});")

    def remove(self, of: Place, key: Expression) -> None:
        self.page.write(f"{self.of_map(of.type, 'remove')}({self.e(of)}, {self.e(key)});")

    def for_each(self, loop: ForEach, at: Address) -> None:
        of, place, name = loop.of, self.fresh("at"), self.name(loop.name)
        root = of
        while isinstance(root, Item):
            root = root.of
        if not isinstance(root, Name) or (isinstance(root, Name) and root.name in names_changed(loop.body)):
            of = self.hoisted("items", of)
        text = self.e(of, CALLED)
        if of.type == STR:
            first = f"const char *{name} = {self.helper('text_of_char')}({text}[{place}]);"
            head = f"for (long long {place} = 0; {text}[{place}]; {place}++) {{"
        else:
            first = f"{self.type(of.type.of[0])}{name} = {text}->items[{place}];"
            head = f"for (long long {place} = 0; {place} < {text}->size; {place}++) {{"
        with self.page.inside(head, "}"):
            self.page.write(first)
            self.block(loop.body, at)

    def print(self, values: Sequence[Expression]) -> None:
        if any(value.type.kind == "list" for value in values):
            for value in values:
                if value.type.kind == "list":
                    for needed in ("put_text", "text_of_int", "put_int"):
                        self.helper(needed)
                    put = self.of_list(value.type, "put", "put_{name}")
                else:
                    put = self.helper("put_text" if value.type == STR else "put_int")
                self.page.write(f"{put}({self.e(value)});")
            self.page.write(f"{self.helper('end_line')}();")
            return
        shapes = {"int": "%lld", "bool": "%d", "str": "%s"}
        line = " ".join(shapes[value.type.kind] for value in values)
        given = (f", {self._long(value)}" if value.type == INT else f", {self.e(value)}" for value in values)
        self.page.write(f'printf("{line}\\n"{"".join(given)});')

    # -- expressions ----------------------------------------------------------------------------

    def number(self, value: int) -> str:
        return str(value) if abs(value) < 1000 else f"{value}LL"

    def text(self, value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("??", "?\\?") + '"'

    def _long(self, value: Expression) -> str:
        return f"{self.e(value, UNARY)}LL" if isinstance(value, Constant) else f"(long long){self.e(value, UNARY)}"

    def operation(self, value: Operation) -> Made:
        left, right = value.left, value.right
        if value.operator in ("//", "%"):
            helper = self.helper("floor_div" if value.operator == "//" else "floor_mod")
            return f"{helper}({self.e(left)}, {self.e(right)})", CALLED
        if left.type == STR:
            return f"strcmp({self.e(left)}, {self.e(right)}) {value.operator} 0", COMPARE
        if value.operator == "*" and isinstance(left, Constant | Minus | Pick | Operation):
            level = self.e(right, UNARY)
            return f"(long long){self.e(left, UNARY)} * {level}", ADD + 1
        return super().operation(value)

    def pick(self, value: Pick) -> Made:
        condition, then = self.e(value.condition, OR), self.e(value.then, OR)
        return f"{condition} ? {then} : {self.e(value.otherwise, PICK)}", PICK

    def item(self, of: Expression, index: Expression) -> Made:
        if of.type == STR:
            return f"{self.helper('text_of_char')}({self.e(of, CALLED)}[{self.e(index)}])", CALLED
        if of.type.kind == "map":
            blank = '""' if of.type.of[1] == STR else "0"
            return f"{self.of_map(of.type, 'get')}({self.e(of)}, {self.e(index)}, {blank})", CALLED
        return f"{self.e(of, CALLED)}->items[{self.e(index)}]", CALLED

    def items(self, value: Items) -> Made:
        name = self.kept(value.type)
        if not value.items:
            return f"{name}_new()", CALLED
        items = ", ".join(self.e(each) for each in value.items)
        item = self.type(value.type.of[0]).strip()
        return f"{name}_of({len(value.items)}, ({item}[]){{{items}}})", CALLED

    def new_map(self, value: NewMap) -> Made:
        return f"{self.kept(value.type)}_new()", CALLED

    def read(self, value: Read) -> Made:
        one = value.reader.removesuffix("s").replace("word", "text").replace("row", "int")
        for needed in ("after_word", "read_until", *(["read_text"] if one != "line" else []), f"read_{one}"):
            self.helper(needed)
        if not value.sizes:
            return f"read_{one}()", CALLED
        if value.reader == "rows":
            return self._rows(value)
        if one == "line":
            name = "read_lines"
            self.kept(value.type)
            words = {"name": "texts", "one": "line"}
            source = OF_LISTS["read"].format(**words).replace("read_texts", "read_lines")
            self.sources.setdefault(name, source)
            self.helper(name)
        else:
            name = self.of_list(value.type, "read", "read_{name}")
        return f"{name}({self.e(value.sizes[0])})", CALLED

    def _rows(self, value: Read) -> Made:
        self.kept(value.type)
        one = self.of_list(value.type.of[0], "read", "read_{name}")
        self.sources.setdefault(
            "read_rows",
            "static ints_rows *read_rows(long long rows, long long columns) {\n"
            "    ints_rows *made = ints_rows_new();\n"
            "    for (long long i = 0; i < rows; i++) {\n"
            f"        ints_rows_push(made, {one}(columns));\n"
            "    }\n    return made;\n}\n",
        )
        return f"{self.helper('read_rows')}({', '.join(self.e(each) for each in value.sizes)})", CALLED

    def use(self, value: Use) -> Made:
        of, *rest = value.arguments
        given = ", ".join(self.e(each) for each in value.arguments)
        match value.builtin, of.type.kind:
            case (("has" | "get"), _):
                return f"{self.of_map(of.type, value.builtin)}({given})", CALLED
            case "keys", _:
                keys, text = self.kept(list_of(of.type.of[0])), self.e(of, CALLED)
                self.kept(of.type)
                return f"{keys}_of({text}->size, {text}->keys)", CALLED
            case "copy", "map":
                return f"{self.of_map(of.type, 'copy')}({given})", CALLED
            case (("concat" | "sorted" | "reversed" | "contains"), "list"):
                name = "joined" if value.builtin == "concat" else str(value.builtin)
                return f"{self.of_list(of.type, name, '{name}_' + name)}({given})", CALLED
            case "copy", "list" if of.type.of[0].kind == "list":
                return f"{self.of_list(of.type.of[0], 'copy_rows', '{name}_copy_rows')}({given})", CALLED
            case "copy", "list":
                text = self.e(of, CALLED)
                return f"{self.kept(of.type)}_of({text}->size, {text}->items)", CALLED
            case "slice", "list":
                start, end = rest
                size = self.e(end) if is_zero(start) else f"{self.e(end, ADD)} - {self.e(start, ADD + 1)}"
                first = f"{self.e(of, CALLED)}->items" + ("" if is_zero(start) else f" + {self.e(start, ADD + 1)}")
                return f"{self.kept(of.type)}_of({size}, {first})", CALLED
            case "repeat", _:
                return f"{self.of_list(value.type, 'repeat', '{name}_repeat')}({given})", CALLED
            case "grid", _:
                return f"{self.of_list(value.type.of[0], 'grid', '{name}_grid')}({given})", CALLED
            case (("join" | "split"), _):
                self.kept(list_of(STR))
        return super().use(value)
