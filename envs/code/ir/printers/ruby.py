"""Ruby."""

from collections.abc import Sequence
from typing import ClassVar

from palestra.envs.code.ir.looks import from_end, is_zero
from palestra.envs.code.ir.nodes import BOOL, Block, Expression, Function, Items, NewMap, Pick, Read, Use
from palestra.envs.code.ir.printers.printer import ADD, ATOM, CALLED, OR, PICK, Made, Printer

_WORDS = """\
BEGIN END alias and begin break case class def defined do else elsif end ensure false for if in module next nil not or
redo rescue retry return self super then true undef unless until when while yield puts print gets p format rand loop
lambda proc raise sleep exit test system exec fork trap open select sprintf printf putc require load catch throw binding
caller eval warn srand abort at_exit autoload syscall method send display object_id hash class freeze dup clone tap then
row rows words word
"""


class RubyPrinter(Printer):
    """Writes Ruby."""

    language = "ruby"
    indent = "  "
    reserved = frozenset(_WORDS.split())
    augments = frozenset(("+", "-", "*", "//", "%", "concat"))
    symbols: ClassVar = {"//": "/", "and": "&&", "or": "||", "concat": "+"}
    forms: ClassVar = {
        "len": ("{0:c}.length", CALLED),
        "abs": ("{0:c}.abs", CALLED),
        "min": ("[{0}, {1}].min", CALLED),
        "max": ("[{0}, {1}].max", CALLED),
        "ord": ("{0:c}.ord", CALLED),
        "chr": ("{0:c}.chr", CALLED),
        "str": ("{0:c}.to_s", CALLED),
        "int": ("{0:c}.to_i", CALLED),
        "concat": ("{0:a} + {1:A}", ADD),
        "repeat": ("Array.new({1}, {0})", CALLED),
        "grid": ("Array.new({1}) {{ Array.new({2}, {0}) }}", CALLED),
        "sorted": ("{0:c}.sort", CALLED),
        "reversed": ("{0:c}.reverse", CALLED),
        "copy": ("{0:c}.dup", CALLED),
        "copy:rows": ("{0:c}.map(&:dup)", CALLED),
        "slice": ("{0:c}[{1:A}...{2:A}]", CALLED),
        "contains": ("{0:c}.include?({1})", CALLED),
        "join": ("{0:c}.join({1})", CALLED),
        "split": ("{0:c}.split", CALLED),
        "has": ("{0:c}.key?({1})", CALLED),
        "get": ("{0:c}.fetch({1}, {2})", CALLED),
        "keys": ("{0:c}.keys.sort", CALLED),
    }
    phrases: ClassVar = {
        "let": "{0} = {1}",
        "assign": "{0} = {1}",
        "append": "{0}.push({1})",
        "pop": "{0}.pop",
        "pop_into": "{1} = {0}.pop",
        "put": "{0}[{1}] = {2}",
        "remove": "{0}.delete({1})",
    }
    blocks: ClassVar = {
        "if": "if {0}",
        "elif": "elsif {0}",
        "else": "else",
        "while": "while {0}",
        "up0": "{1:c}.times do |{name}|",
        "up": "({0:A}...{1:A}).each do |{name}|",
        "down": "{0:c}.downto({2}) do |{name}|",
        "each": "{0:c}.each do |{name}|",
        "each:str": "{0:c}.each_char do |{name}|",
        "end": "end",
    }
    helpers: ClassVar = {
        "read_line": 'def read_line\n  $stdin.gets.chomp("\\n")\nend\n',
        "read_word": "$words = $stdin.read.split.reverse\n\ndef read_word\n  $words.pop\nend\n",
    }
    helpers_of_lines: ClassVar = {
        "read_word": """\
$words = []

def read_word
  $words = read_line.split while $words.empty?
  $words.shift
end
""",
    }

    def write_function(self, function: Function) -> None:
        given = ", ".join(self.name(name) for name, _ in function.parameters)
        head = f"def {self.name(function.name)}({given})" if given else f"def {self.name(function.name)}"
        with self.page.inside(head, "end"):
            self.block(function.body, (function.name,))
        self.page.write("")

    def write_main(self, body: Block) -> None:
        self.block(body, ("",))

    def break_(self) -> None:
        self.page.write("break")

    def continue_(self) -> None:
        self.page.write("next")

    def print(self, values: Sequence[Expression]) -> None:
        parts = [f"*{self.e(value, CALLED)}" if value.type.kind == "list" else self.printed(value) for value in values]
        if not values:
            self.page.write("puts")
        elif len(values) == 1:
            text = self.e(values[0], CALLED) + '.join(" ")' if values[0].type.kind == "list" else parts[0]
            self.page.write(f"puts({text})")
        else:
            self.page.write(f'puts([{", ".join(parts)}].join(" "))')

    def printed(self, value: Expression) -> str:
        return f"({self.e(value, OR)} ? 1 : 0)" if value.type == BOOL else self.e(value)

    # -- expressions ----------------------------------------------------------------------------

    def text(self, value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("#", "\\#") + '"'

    def pick(self, value: Pick) -> Made:
        condition, then = self.e(value.condition, OR), self.e(value.then, OR)
        return f"{condition} ? {then} : {self.e(value.otherwise, PICK)}", PICK

    def item(self, of: Expression, index: Expression) -> Made:
        back = from_end(of, index)
        return f"{self.e(of, CALLED)}[{-back if back else self.e(index)}]", CALLED

    def items(self, value: Items) -> Made:
        return f"[{', '.join(self.e(each) for each in value.items)}]", ATOM

    def new_map(self, value: NewMap) -> Made:
        return "{}", ATOM

    def read(self, value: Read) -> Made:
        one = value.reader.removesuffix("s")
        text = self.helper("read_line" if one == "line" else "read_word")
        if one in ("int", "row"):
            text = f"{text}.to_i"
        for size in reversed(value.sizes):
            text = f"Array.new({self.e(size)}) {{ {text} }}"
        return text, CALLED

    def use(self, value: Use) -> Made:
        match value:
            case Use("grid", (_, rows, columns)) if is_zero(columns):
                return f"Array.new({self.e(rows)}) {{ [] }}", CALLED
        return super().use(value)
