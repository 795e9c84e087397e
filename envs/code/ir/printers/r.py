"""R."""

from collections.abc import Sequence
from typing import ClassVar

from palestra.envs.code.ir.looks import moved, nodes
from palestra.envs.code.ir.nodes import (
    BOOL,
    INT,
    STR,
    Block,
    Call,
    Expression,
    Function,
    Items,
    NewMap,
    Operation,
    Pick,
    Place,
    Read,
    Type,
    Use,
)
from palestra.envs.code.ir.printers.printer import CALLED, LOOSE, MULTIPLY, NOT, PICK, UNARY, Made, Printer

_WORDS = """\
if else repeat while function for next break in return c rep rev sort paste paste0 cat substr nchar length strsplit
is.element abs min max lapply vapply replicate seq_len list numeric character logical exists get assign rm ls sprintf
utf8ToInt intToUtf8 grepl trimws scan readLines file as.numeric as.integer invisible new.env list2env as.list options
words lines input close compiler next_word next_line pending key map value t q
"""


class RPrinter(Printer):
    """Writes R with its base packages."""

    language = "r"
    indent = "  "
    reserved = frozenset(_WORDS.split())
    symbols: ClassVar = {"and": "&&", "or": "||"}
    forms: ClassVar = {
        "len": ("@size({0})", CALLED),
        "len:str": ("@text_size({0})", CALLED),
        "abs": ("abs({0})", CALLED),
        "min": ("min({0}, {1})", CALLED),
        "max": ("max({0}, {1})", CALLED),
        "ord": ("@code_of({0})", CALLED),
        "chr": ("intToUtf8({0})", CALLED),
        "str": ("@as_text({0})", CALLED),
        "int": ("as.numeric({0})", CALLED),
        "concat": ("c({0}, {1})", CALLED),
        "concat:str": ("paste0({0}, {1})", CALLED),
        "slice": ("{0:c}[@up({1}, {2}) + 1]", CALLED),
        "repeat": ("rep({0}, {1})", CALLED),
        "grid": ("replicate({1}, rep({0}, {2}), simplify = FALSE)", CALLED),
        "sorted": ('sort({0}, method = "radix")', CALLED),
        "reversed": ("rev({0})", CALLED),
        "reversed:str": ("@reversed_text({0})", CALLED),
        "copy:map": ("@copy_of_map({0})", CALLED),
        "contains": ("is.element({1}, {0})", CALLED),
        "contains:str": ("grepl({1}, {0}, fixed = TRUE)", CALLED),
        "join": ("paste({0}, collapse = {1})", CALLED),
        "split": ('strsplit(trimws({0}), " +")[[1]]', CALLED),
        "has": ("@has_key({0}, {1})", CALLED),
        "get": ("@get_key({0}, {1}, {2})", CALLED),
        "keys": ("@text_keys({0})", CALLED),
    }
    phrases: ClassVar = {
        "let": "{0} <- {1}",
        "assign": "{0} <- {1}",
        "append": "{0}[length({0}) + 1] <- {1}",
        "append:rows": "{0}[[length({0}) + 1]] <- {1}",
        "pop": "{0} <- {0}[-length({0})]",
        "pop_into": "{1} <- {0}[length({0})]\n{0} <- {0}[-length({0})]",
        "put": "@put_key({0}, {1}, {2})",
        "remove": "@remove_key({0}, {1})",
    }
    blocks: ClassVar = {
        "if": "if ({0}) {{",
        "elif": "}} else if ({0}) {{",
        "else": "}} else {{",
        "while": "while ({0}) {{",
        "up": "for ({name} in @up({0}, {1})) {{",
        "down": "for ({name} in @down({0}, {1})) {{",
        "each": "for ({name} in {0}) {{",
        "each:str": 'for ({name} in strsplit({0}, "")[[1]]) {{',
        "end": "}}",
    }
    helpers: ClassVar = {
        "up": "up <- function(from, to) from - 1 + seq_len(max(0, to - from))\n",
        "down": "down <- function(from, to) from + 1 - seq_len(max(0, from - to))\n",
        "size": "size <- function(of) as.numeric(length(of))\n",
        "text_size": "text_size <- function(text) as.numeric(nchar(text))\n",
        "code_of": "code_of <- function(letter) as.numeric(utf8ToInt(letter))\n",
        "as_text": 'as_text <- function(number) sprintf("%.0f", number + 0)\n',
        "reversed_text": """\
reversed_text <- function(text) paste(rev(strsplit(text, "")[[1]]), collapse = "")
""",
        "key_text": 'key_text <- function(key) paste0("k", if (is.numeric(key)) sprintf("%.0f", key + 0) else key)\n',
        "copy_of_map": "copy_of_map <- function(map) list2env(as.list(map, all.names = TRUE))\n",
        "has_key": "has_key <- function(map, key) exists(key_text(key), envir = map, inherits = FALSE)\n",
        "get_key": """\
get_key <- function(map, key, otherwise) {
  if (has_key(map, key)) map[[key_text(key)]] else otherwise
}
""",
        "put_key": "put_key <- function(map, key, value) assign(key_text(key), value, envir = map)\n",
        "remove_key": """\
remove_key <- function(map, key) {
  if (has_key(map, key)) rm(list = key_text(key), envir = map)
}
""",
        "text_keys": """\
text_keys <- function(map) sort(substring(ls(map, all.names = TRUE), 2), method = "radix")
""",
        "number_keys": "number_keys <- function(map) sort(as.numeric(substring(ls(map, all.names = TRUE), 2)))\n",
        "show_line": 'show_line <- function(...) cat(paste(c(...), collapse = " "), "\\n", sep = "")\n',
        "read_line": """\
input <- file("stdin")
lines <- readLines(input, warn = FALSE)
close(input)
next_line <- 0

read_line <- function() {
  next_line <<- next_line + 1
  lines[next_line]
}
""",
        "read_word": """\
input <- file("stdin")
words <- scan(input, "", quote = "", na.strings = character(0), quiet = TRUE)
close(input)
next_word <- 0

read_word <- function() {
  next_word <<- next_word + 1
  words[next_word]
}
""",
    }
    helpers_of_lines: ClassVar = {
        "read_word": """\
pending <- character(0)

read_word <- function() {
  while (length(pending) == 0) {
    pending <<- strsplit(trimws(read_line()), " +")[[1]]
  }
  word <- pending[1]
  pending <<- pending[-1]
  word
}
""",
    }

    def head(self) -> list[str]:
        compares = any(isinstance(node, Operation) and node.left.type == STR for node in nodes(self.program))
        first = ['invisible(Sys.setlocale("LC_COLLATE", "C"))', ""] if compares else []
        return [*first, *self.helper_lines()]

    def write_function(self, function: Function) -> None:
        given = ", ".join(self.name(name) for name, _ in function.parameters)
        with self.page.inside(f"{self.name(function.name)} <- function({given}) {{", "}"):
            self.block(function.body, (function.name,))
        if any(isinstance(node, Call) and node.function == function.name for node in nodes(function.body)):
            self.page.write(f"{self.name(function.name)} <- compiler::cmpfun({self.name(function.name)})")
        self.page.write("")

    def write_main(self, body: Block) -> None:
        self.block(body, ("",))

    def continue_(self) -> None:
        self.page.write("next")

    def return_(self, value: Expression | None) -> None:
        self.page.write(f"return({self.e(value)})" if value else "return(invisible())")

    def assign(self, place: Place, value: Expression) -> None:
        self.say("assign", place, value)

    def print(self, values: Sequence[Expression]) -> None:
        if len(values) == 1 and values[0].type == STR:
            self.page.write(f'cat({self.e(values[0])}, "\\n", sep = "")')
        else:
            self.page.write(f"{self.helper('show_line')}({', '.join(self.printed(value) for value in values)})")

    def printed(self, value: Expression) -> str:
        type = value.type.of[0] if value.type.kind == "list" else value.type
        if type == BOOL:
            return f"as.integer({self.e(value)})"
        return f"{self.helper('as_text')}({self.e(value)})" if type == INT else self.e(value)

    # -- expressions ----------------------------------------------------------------------------

    def truth(self, value: bool) -> str:
        return "TRUE" if value else "FALSE"

    def text(self, value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def operation(self, value: Operation) -> Made:
        if value.operator in ("//", "%"):
            symbol = "%/%" if value.operator == "//" else "%%"
            return f"{self.e(value.left, UNARY)} {symbol} {self.e(value.right, UNARY)}", MULTIPLY
        return super().operation(value)

    def not_(self, value: Expression) -> Made:
        return f"!{self.e(value, NOT)}", NOT

    def pick(self, value: Pick) -> Made:
        condition, then = self.e(value.condition), self.e(value.then, PICK + 1)
        return f"if ({condition}) {then} else {self.e(value.otherwise, PICK)}", LOOSE

    def item(self, of: Expression, index: Expression) -> Made:
        if of.type.kind == "map":
            return f"{self.e(of, CALLED)}[[{self.helper('key_text')}({self.e(index)})]]", CALLED
        at = self.e(moved(index, 1))
        if of.type == STR:
            return f"substr({self.e(of)}, {at}, {at})", CALLED
        if of.type.of[0].kind == "list":
            return f"{self.e(of, CALLED)}[[{at}]]", CALLED
        return f"{self.e(of, CALLED)}[{at}]", CALLED

    def items(self, value: Items) -> Made:
        if value.type.of[0].kind == "list":
            return f"list({', '.join(self.e(each) for each in value.items)})", CALLED
        if not value.items:
            return f"{_kind(value.type.of[0])}(0)", CALLED
        return f"c({', '.join(self.e(each) for each in value.items)})", CALLED

    def new_map(self, value: NewMap) -> Made:
        return "new.env()", CALLED

    def read(self, value: Read) -> Made:
        one = value.reader.removesuffix("s")
        text = f"{self.helper('read_line' if one == 'line' else 'read_word')}()"
        kind = "character"
        if one in ("int", "row"):
            text, kind = f"as.numeric({text})", "numeric"
        if value.sizes:
            text = f"vapply(seq_len({self.e(value.sizes[-1])}), function(.i) {text}, {kind}(1))"
        for size in value.sizes[:-1]:
            text = f"lapply(seq_len({self.e(size)}), function(.j) {text})"
        return text, CALLED

    def use(self, value: Use) -> Made:
        match value:
            case Use("copy", (of,)) if of.type.kind == "list":
                return self.made(of)
            case Use("slice", (of, start, end)) if of.type == STR:
                return f"substr({self.e(of)}, {self.e(moved(start, 1))}, {self.e(end)})", CALLED
            case Use("keys", (of,)) if of.type.of[0] == INT:
                return f"{self.helper('number_keys')}({self.e(of)})", CALLED
        return super().use(value)


def _kind(type: Type) -> str:
    return {"int": "numeric", "bool": "logical"}.get(type.kind, "character")
