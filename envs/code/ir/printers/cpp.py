"""C++."""

from collections.abc import Sequence
from typing import ClassVar

from palestra.envs.code.ir.looks import from_end, is_length, is_zero, moved, names_changed
from palestra.envs.code.ir.nodes import (
    INT,
    NONE,
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
)
from palestra.envs.code.ir.place import Address
from palestra.envs.code.ir.printers.cpp_helpers import HELPERS, HELPERS_OF_LINES
from palestra.envs.code.ir.printers.printer import ADD, CALLED, COMPARE, OR, PICK, UNARY, Made, Printer

# Keywords, and what the standard library has outside of std.
_WORDS = """\
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl
concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default delete do
double dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable namespace
new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires return
short signed sizeof static static_assert static_cast struct switch template this thread_local throw true try typedef
typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq std main abs labs div exit abort
atexit rand srand system getenv malloc calloc realloc free qsort bsearch atoi atol atof remove rename puts gets getchar
putchar printf scanf index rindex time clock signal raise read write open close pipe link unlink access sleep pause
alarm fork wait kill y0 y1 yn j0 j1 jn gamma log exp sin cos tan pow sqrt floor ceil round trunc string vector map row
linux unix errno stdin stdout stderr select accept bind connect listen send environ daemon truncate sync swab nice
"""


class CppPrinter(Printer):
    """Writes C++20."""

    language = "cpp"
    end = ";"
    reserved = frozenset(_WORDS.split())
    augments = frozenset(("+", "-", "*", "concat"))
    symbols: ClassVar = {"and": "&&", "or": "||", "concat": "+"}
    helpers = HELPERS
    helpers_of_lines = HELPERS_OF_LINES
    forms: ClassVar = {
        "len": ("(long long){0:c}.size()", UNARY),
        "abs": ("std::abs({0})", CALLED),
        "chr": ("std::string(1, (char)({0}))", CALLED),
        "str": ("std::to_string({0})", CALLED),
        "int": ("std::stoll({0})", CALLED),
        "concat": ("@joined({0}, {1})", CALLED),
        "concat:str": ("{0:a} + {1:A}", ADD),
        "slice": ("@slice({0}, {1}, {2})", CALLED),
        "repeat": ("std::vector<{0:t}>({1}, {0})", CALLED),
        "grid": ("std::vector<std::vector<{0:t}>>({1}, std::vector<{0:t}>({2}, {0}))", CALLED),
        "sorted": ("@sorted({0})", CALLED),
        "reversed": ("@reversed({0})", CALLED),
        "contains": ("@contains({0}, {1})", CALLED),
        "contains:str": ("{0:c}.find({1}) != std::string::npos", COMPARE),
        "join": ("@join({0}, {1})", CALLED),
        "split": ("@split({0})", CALLED),
        "has": ("{0:c}.contains({1})", CALLED),
        "get": ("@get_or({0}, {1}, {2})", CALLED),
        "keys": ("@keys({0})", CALLED),
    }
    phrases: ClassVar = {
        "let": "{0:t} {0} = {1};",
        "assign": "{0} = {1};",
        "append": "{0}.push_back({1});",
        "pop": "{0}.pop_back();",
        "pop_into": "{1} = {0}.back();\n{0}.pop_back();",
        "put": "{0}[{1}] = {2};",
        "remove": "{0}.erase({1});",
    }
    blocks: ClassVar = {
        "if": "if ({0}) {{",
        "elif": "}} else if ({0}) {{",
        "else": "}} else {{",
        "while": "while ({0}) {{",
        "up": "for (long long {name} = {0}; {name} < {1}; {name}++) {{",
        "down": "for (long long {name} = {0}; {name} > {1}; {name}--) {{",
        "hoist": "const auto {name} = {0};",
        "end": "}}",
    }
    _is_wide: bool = False  # constants are written so that they are long long and std::string by themselves

    def head(self) -> list[str]:
        lines = self.helper_lines()
        text = "\n".join([*lines, *self.page.lines])
        wanted = {
            "algorithm": ("std::min", "std::max", "std::sort", "std::find", "std::reverse"),
            "cstdlib": ("std::abs", "std::exit"),
            "iostream": ("std::cin", "std::cout"),
            "map": ("std::map",),
            "sstream": ("stringstream",),
            "string": ("std::string", "std::to_string", "std::stoll"),
            "vector": ("std::vector",),
        }
        includes = [f"#include <{name}>" for name, uses in wanted.items() if any(use in text for use in uses)]
        return [*includes, "", *lines]

    def write_function(self, function: Function) -> None:
        changed = names_changed(function.body)
        given = ", ".join(
            f"{self.type(type)} {self.name(name)}"
            if name in changed or type.kind in ("int", "bool")
            else f"const {self.type(type)}& {self.name(name)}"
            for name, type in function.parameters
        )
        head = f"{self.type(function.returns)} {self.name(function.name)}({given}) {{"
        with self.page.inside(head, "}"):
            self.block(function.body, (function.name,))
        self.page.write("")

    def write_main(self, body: Block) -> None:
        with self.page.inside("int main() {", "}"):
            self.block(body, ("",))

    def type(self, type: Type) -> str:
        if type == NONE:
            return "void"
        names = {"int": "long long", "bool": "bool", "str": "std::string", "list": "std::vector", "map": "std::map"}
        inner = ", ".join(self.type(each) for each in type.of)
        return f"{names[type.kind]}<{inner}>" if inner else names[type.kind]

    # -- statements -----------------------------------------------------------------------------

    def for_each(self, loop: ForEach, at: Address) -> None:
        of, name = loop.of, self.name(loop.name)
        root = of
        while isinstance(root, Item):
            root = root.of
        if not isinstance(root, Name) and (isinstance(of, Item | Constant)):
            of = self.hoisted("items", of)
        if of.type == STR:
            letter = self.fresh("letter")
            self.page.write(f"for (char {letter} : {self.e(of)}) {{")
            with self.page.inside():
                self.page.write(f"std::string {name}(1, {letter});")
        else:
            type = self.type(of.type.of[0])
            type = type if of.type.of[0].kind in ("int", "bool") else f"const {type}&"
            self.page.write(f"for ({type} {name} : {self.e(of)}) {{")
        self.inside(loop.body, at)
        self.close("for")

    def augment(self, place: Place, operator: str, value: Expression) -> None:
        letter = self._letter(value) if operator == "concat" else ""
        if letter:
            self.page.write(f"{self.e(place)} += {letter};")
        else:
            super().augment(place, operator, value)

    def print(self, values: Sequence[Expression]) -> None:
        if any(value.type.kind == "list" for value in values):
            self.page.write(f"{self.helper('print_line')}({', '.join(self._wide(value) for value in values)});")
            return
        texts = [self._letter(value) or self.e(value, ADD) for value in values]
        line = ' << " " << '.join(texts)
        self.page.write(f'std::cout << {line} << "\\n";' if texts else 'std::cout << "\\n";')

    # -- expressions ----------------------------------------------------------------------------

    def number(self, value: int) -> str:
        return f"{value}LL" if self._is_wide else str(value)

    def text(self, value: str) -> str:
        text = _quoted(value, '"')
        return f"std::string({text})" if self._is_wide else text

    def _wide(self, value: Expression, least: int = 0) -> str:
        """Return an expression that has its own type even where it is a constant."""
        before, self._is_wide = self._is_wide, True
        text = self.e(value, least)
        self._is_wide = before
        return text

    def e(self, value: Expression, least: int = 0) -> str:
        before = self._is_wide
        if not isinstance(value, Constant | Minus | Pick) and not (
            isinstance(value, Operation) and value.type == INT and _is_narrow(value)
        ):
            self._is_wide = False
        text = super().e(value, least)
        self._is_wide = before
        return text

    def _letter(self, value: Expression) -> str:
        """Return a text of one character as a char, or "" if it is no such text at sight."""
        match value:
            case Item(of, index) if of.type == STR:
                back = from_end(of, index)
                if back == 1 and isinstance(of, Name):
                    return f"{self.e(of, CALLED)}.back()"
                return f"{self._wide(of, CALLED)}[{self.e(index)}]"
            case Constant(str(text)) if len(text) == 1:
                return _quoted(text, "'")
            case Use("chr", (code,)):
                return f"(char)({self.e(code)})"
        return ""

    def operation(self, value: Operation) -> Made:
        left, right = value.left, value.right
        if value.operator in ("//", "%"):
            helper = self.helper("floor_div" if value.operator == "//" else "floor_mod")
            return f"{helper}({self.e(left)}, {self.e(right)})", CALLED
        if left.type == STR:
            letters = self._letter(left), self._letter(right)
            if all(letters) and not (isinstance(left, Constant) and isinstance(right, Constant)):
                return f"{letters[0]} {value.operator} {letters[1]}", COMPARE
            return f"{self._wide(left, COMPARE + 1)} {value.operator} {self.e(right, COMPARE + 1)}", COMPARE
        if value.type == INT and _is_narrow(value):
            before, self._is_wide = self._is_wide, True
            made = super().operation(value)
            self._is_wide = before
            return made
        return super().operation(value)

    def pick(self, value: Pick) -> Made:
        condition = self.e(value.condition, OR)
        branch = self._wide if value.type == STR else self.e
        return f"{condition} ? {branch(value.then, OR)} : {branch(value.otherwise, PICK)}", PICK

    def item(self, of: Expression, index: Expression) -> Made:
        if of.type == STR:
            return f"std::string(1, {self._letter(Item(of, index, STR))})", CALLED
        if of.type.kind == "map":
            return f"{self.e(of, CALLED)}.at({self.e(index)})", CALLED
        if from_end(of, index) == 1:
            return f"{self.e(of, CALLED)}.back()", CALLED
        return f"{self.e(of, CALLED)}[{self.e(index)}]", CALLED

    def items(self, value: Items) -> Made:
        return f"{self.type(value.type)}{{{', '.join(self.e(each) for each in value.items)}}}", CALLED

    def new_map(self, value: NewMap) -> Made:
        return f"{self.type(value.type)}{{}}", CALLED

    def read(self, value: Read) -> Made:
        one = self.helper(f"read_{value.reader.removesuffix('s').replace('row', 'int')}")
        if not value.sizes:
            return f"{one}()", CALLED
        for size in reversed(value.sizes[1:]):
            one = f"[&] {{ return {self.helper('collect')}({self.e(size)}, {one}); }}"
        return f"{self.helper('collect')}({self.e(value.sizes[0])}, {one})", CALLED

    def use(self, value: Use) -> Made:
        match value:
            case Use("min" | "max", (left, right)):
                narrow = _is_narrow(left) or _is_narrow(right)
                show = self._wide if narrow else self.e
                return f"std::{value.builtin}({show(left)}, {show(right)})", CALLED
            case Use("copy", (of,)):
                return self.made(of)
            case Use("concat", (left, right)) if left.type == STR:
                return f"{self._wide(left, ADD)} + {self._letter(right) or self.e(right, ADD + 1)}", ADD
            case Use("ord", (of,)):
                return f"(long long){self._letter(of) or self._wide(of, CALLED) + '[0]'}", UNARY
            case Use("slice", (of, start, end)) if of.type == STR:
                size = "" if is_length(end, of) else f", {self.e(_less(end, start))}"
                return f"{self._wide(of, CALLED)}.substr({self.e(start)}{size})", CALLED
            case Use("len" | "contains" | "reversed" | "split" | "int", (of, *_)) if isinstance(of, Constant):
                before, self._is_wide = self._is_wide, True
                name = self.fresh("text")
                self.names[name] = self.e(of)
                self._is_wide = before
                return super().use(Use(value.builtin, (Name(name, of.type), *value.arguments[1:]), value.type))
            case Use("get", (of, key, otherwise)):
                return f"{self.helper('get_or')}({self.e(of)}, {self._wide(key)}, {self._wide(otherwise)})", CALLED
            case Use("contains", (of, what)) if of.type != STR:
                return f"{self.helper('contains')}({self.e(of)}, {self._wide(what)})", CALLED
        return super().use(value)


def _is_narrow(value: Expression) -> bool:
    """Return whether an integer expression would be an int in C++."""
    match value:
        case Constant():
            return True
        case Minus(of) | Use("abs", (of,)):
            return _is_narrow(of)
        case Pick(_, then, otherwise):
            return _is_narrow(then) and _is_narrow(otherwise)
        case Operation(operator, left, right):
            return operator in ("+", "-", "*") and _is_narrow(left) and _is_narrow(right)
    return False


def _less(end: Expression, start: Expression) -> Expression:
    if is_zero(start):
        return end
    return moved(end, -int(start.value)) if isinstance(start, Constant) else Operation("-", end, start, INT)


def _quoted(value: str, mark: str) -> str:
    return mark + value.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark
