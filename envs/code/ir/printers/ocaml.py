"""OCaml."""

from collections.abc import Sequence
from typing import ClassVar

from palestra.envs.code.ir.looks import moved, names_changed, nodes
from palestra.envs.code.ir.nodes import (
    BOOL,
    INT,
    NONE,
    STR,
    Block,
    Break,
    Call,
    Continue,
    Expression,
    ForEach,
    ForRange,
    Function,
    If,
    Items,
    Let,
    Minus,
    Name,
    NewMap,
    Operation,
    Pick,
    Place,
    Read,
    Return,
    Type,
    While,
)
from palestra.envs.code.ir.place import Address
from palestra.envs.code.ir.printers.ocaml_helpers import HELPERS, HELPERS_OF_LINES
from palestra.envs.code.ir.printers.printer import ATOM, CALLED, COMPARE, JOIN, LEVELS, LOOSE, UNARY, Made, Printer

_WORDS = """\
and as asr assert begin class constraint do done downto else end exception external false for fun function functor if in
include inherit initializer land lazy let lor lsl lsr lxor match method mod module mutable new nonrec object of open or
private rec sig struct then to true try type val virtual when while with not ref incr decr fst snd abs min max compare
ignore raise exit print_string print_endline print_newline string_of_int int_of_string failwith stdin stdout input_line
list array string int bool unit
"""


class OCamlPrinter(Printer):
    """Writes OCaml with its standard library."""

    language = "ocaml"
    indent = "  "
    reserved = frozenset(_WORDS.split())
    symbols: ClassVar = {"==": "=", "!=": "<>", "and": "&&", "or": "||"}
    helpers = HELPERS
    helpers_of_lines = HELPERS_OF_LINES
    forms: ClassVar = {
        "len": ("@vec_length {0:x}", CALLED),
        "len:str": ("String.length {0:x}", CALLED),
        "len:map": ("Hashtbl.length {0:x}", CALLED),
        "abs": ("abs {0:x}", CALLED),
        "min": ("min {0:x} {1:x}", CALLED),
        "max": ("max {0:x} {1:x}", CALLED),
        "ord": ("Char.code {0:x}.[0]", CALLED),
        "chr": ("String.make 1 (Char.chr {0:x})", CALLED),
        "str": ("string_of_int {0:x}", CALLED),
        "int": ("int_of_string {0:x}", CALLED),
        "concat": ("@vec_append {0:x} {1:x}", CALLED),
        "concat:str": ("{0:A} ^ {1:A}", JOIN),
        "slice": ("@vec_slice {0:x} {1:x} {2:x}", CALLED),
        "slice:str": ("@text_slice {0:x} {1:x} {2:x}", CALLED),
        "repeat": ("@vec_make {1:x} {0:x}", CALLED),
        "grid": ("@vec_init {1:x} (fun _ -> @vec_make {2:x} {0:x})", CALLED),
        "sorted": ("@vec_sorted {0:x}", CALLED),
        "reversed": ("@vec_reversed {0:x}", CALLED),
        "reversed:str": ("@text_reversed {0:x}", CALLED),
        "copy": ("@vec_copy {0:x}", CALLED),
        "copy:map": ("Hashtbl.copy {0:x}", CALLED),
        "copy:rows": ("@vec_copy_rows {0:x}", CALLED),
        "contains": ("@vec_contains {0:x} {1:x}", CALLED),
        "contains:str": ("@text_contains {0:x} {1:x}", CALLED),
        "join": ("String.concat {1:x} (@vec_to_list {0:x})", CALLED),
        "split": ("@text_split {0:x}", CALLED),
        "has": ("Hashtbl.mem {0:x} {1:x}", CALLED),
        "get": ("Option.value (Hashtbl.find_opt {0:x} {1:x}) ~default:{2:x}", CALLED),
        "keys": ("@sorted_keys {0:x}", CALLED),
    }
    phrases: ClassVar = {
        "append": "@vec_push {0:x} {1:x}",
        "pop": "ignore (@vec_pop {0:x})",
        "put": "Hashtbl.replace {0:x} {1:x} {2:x}",
        "remove": "Hashtbl.remove {0:x} {1:x}",
    }
    blocks: ClassVar = {
        "if": "if {0} then begin",
        "elif": "end else if {0} then begin",
        "else": "end else begin",
        "while": "while {0} do",
        "up": "for {name} = {0} to {2} do",
        "down": "for {name} = {0} downto {2} do",
        "each": "@vec_iter (fun {name} ->",
        "each:str": "String.iter (fun {name} ->",
        "end if": "end",
        "end": "done",
    }
    _refs: frozenset[str] = frozenset()
    _turning: tuple[str, ...] = ()  # the variables of the loops around, which are none
    _raises: bool = False  # whether a return is written as an exception here

    def head(self) -> list[str]:
        found = {Break: "exception Break", Continue: "exception Continue"}
        first = [line for kind, line in found.items() if any(isinstance(node, kind) for node in nodes(self.program))]
        return [*first, *([""] if first else []), *self.helper_lines()]

    def write_function(self, function: Function) -> None:
        self._refs = frozenset(names_changed(function.body, rebound=True))
        calls = (node for node in nodes(function.body) if isinstance(node, Call))
        rec = "rec " if any(call.function == function.name for call in calls) else ""
        given = " ".join(f"({self.names[name]} : {self.type(type)})" for name, type in function.parameters) or "()"
        returns = self.type(function.returns)
        with self.page.inside(f"let {rec}{self.names[function.name]} {given} : {returns} ="):
            for name, _ in function.parameters:
                if name in self._refs:
                    self.page.write(f"let {self.names[name]} = ref {self.names[name]} in")
            self._raises = not _is_tail(function.body, last=function.returns != NONE)
            if self._raises:
                self.page.write(
                    f"let exception Return of {returns} in" if function.returns != NONE else "let exception Return in"
                )
                self.page.write("try")
                with self.page.inside():
                    self.block(function.body, (function.name,))
                self.page.write("with Return value -> value" if function.returns != NONE else "with Return -> ()")
            else:
                self.block(function.body, (function.name,))
        self.page.write("")

    def write_main(self, body: Block) -> None:
        self._refs = frozenset(names_changed(body, rebound=True))
        self._raises = True
        with self.page.inside("let () ="):
            self.block(body, ("",))
            if not body:
                self.page.write("()")

    def type(self, type: Type) -> str:
        match type:
            case Type("list", (item,)):
                self.helper("vec")
                return f"{self.type(item)} vec"
            case Type("map", (key, value)):
                return f"({self.type(key)}, {self.type(value)}) Hashtbl.t"
        return {"str": "string", "none": "unit"}.get(type.kind, type.kind)

    # -- statements -----------------------------------------------------------------------------

    def block(self, block: Block, at: Address) -> None:
        for number, statement in enumerate(block):
            self.page.mark((*at, number))
            self.statement(statement, (*at, number))
            if number + 1 < len(block):
                if not isinstance(statement, Let):
                    self.page.lines[-1] += ";"
            elif isinstance(statement, Let):
                self.page.write("()")

    def let(self, statement: Let) -> None:
        name, value = self.names[statement.name], statement.value
        if statement.name in self._refs:
            self.page.write(f"let {name} = ref {self.e(value, ATOM)} in")
        elif isinstance(value, NewMap | Items):
            self.page.write(f"let {name} : {self.type(value.type)} = {self.e(value)} in")
        else:
            self.page.write(f"let {name} = {self.e(value)} in")

    def assign(self, place: Place, value: Expression) -> None:
        if isinstance(place, Name):
            self.page.write(f"{self.names[place.name]} := {self.e(value)}")
        else:
            where = f"{self.e(place.of, ATOM)} {self.e(place.index, ATOM)}"
            self.page.write(f"{self.helper('vec_set')} {where} {self.e(value, ATOM)}")

    def pop(self, of: Place, into: Name | None) -> None:
        if into:
            self.page.write(f"{self.names[into.name]} := {self.helper('vec_pop')} {self.e(of, ATOM)}")
        else:
            super().pop(of, into)

    def while_(self, condition: Expression, body: Block, at: Address) -> None:
        self._loop(f"while {self.e(condition)} do", While(condition, body), at, "done")

    def for_range(self, loop: ForRange, at: Address) -> None:
        way = "to" if loop.step == 1 else "downto"
        last = self.e(moved(loop.stop, -loop.step))
        self._loop(f"for {self.names[loop.name]} = {self.e(loop.start)} {way} {last} do", loop, at, "done")

    def for_each(self, loop: ForEach, at: Address) -> None:
        name = self.names[loop.name]
        if loop.of.type == STR:
            head = f"String.iter (fun {name} ->"
            self._loop(head, loop, at, f") {self.e(loop.of, ATOM)}", f"let {name} = String.make 1 {name} in")
        else:
            head = f"{self.helper('vec_iter')} (fun {name} ->"
            self._loop(head, loop, at, f") {self.e(loop.of, ATOM)}")

    def _loop(self, head: str, loop: While | ForRange | ForEach, at: Address, end: str, first: str = "") -> None:
        body, before = loop.body, self._turning
        leaves, goes_on = _has(body, Break), _has(body, Continue)
        if leaves:
            head, end = f"(try {head}", f"{end} with Break -> ())"
        with self.page.inside(head, end):
            if first:
                self.page.write(first)
            if not isinstance(loop, While):
                self._turning = (*before, loop.name)
            if goes_on:
                with self.page.inside("(try", "with Continue -> ())"):
                    self.block(body, at)
            else:
                self.block(body, at)
            self._turning = before

    def break_(self) -> None:
        self.page.write("raise Break")

    def continue_(self) -> None:
        self.page.write("raise Continue")

    def return_(self, value: Expression | None) -> None:
        if value is None:
            self.page.write("raise Return" if self._raises else "()")
        else:
            self.page.write(f"raise (Return {self.e(value, ATOM)})" if self._raises else self.e(value))

    def do(self, call: Call) -> None:
        self.page.write(self.e(call))

    def print(self, values: Sequence[Expression]) -> None:
        if not any(value.type.kind == "list" for value in values):
            texts = [self._shown(value) for value in values]
            text = texts[0] if len(texts) == 1 else f'(String.concat " " [{"; ".join(texts)}])' if texts else '""'
            self.page.write(f"print_endline {text}")
            return
        parts = []
        for value in values:
            if value.type.kind == "list":
                items = f"{self.helper('vec_to_list')} {self.e(value, ATOM)}"
                parts.append(f"List.map string_of_int ({items})" if value.type.of[0] == INT else items)
            else:
                parts.append(f"[{self._shown(value)}]")
        text = parts[0] if len(parts) == 1 else f"List.concat [{'; '.join(parts)}]"
        self.page.write(f'print_endline (String.concat " " ({text}))')

    def _shown(self, value: Expression) -> str:
        if value.type == BOOL:
            return f'(if {self.e(value)} then "1" else "0")'
        return self.e(value, ATOM) if value.type == STR else f"(string_of_int {self.e(value, ATOM)})"

    # -- expressions ----------------------------------------------------------------------------

    def name(self, name: str) -> str:
        is_ref = name in self._refs and name not in self._turning
        return f"!{self.names[name]}" if is_ref else self.names[name]

    def text(self, value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def operation(self, value: Operation) -> Made:
        if value.operator in ("//", "%"):
            helper = self.helper("floor_div" if value.operator == "//" else "floor_mod")
            return f"{helper} {self.e(value.left, ATOM)} {self.e(value.right, ATOM)}", CALLED
        level = LEVELS[value.operator]
        symbol = self.symbols.get(value.operator, value.operator)
        strict = level == COMPARE
        return f"{self.e(value.left, level + strict)} {symbol} {self.e(value.right, level + 1)}", level

    def not_(self, value: Expression) -> Made:
        return f"not {self.e(value, ATOM)}", CALLED

    def pick(self, value: Pick) -> Made:
        return f"if {self.e(value.condition)} then {self.e(value.then, 1)} else {self.e(value.otherwise)}", LOOSE

    def item(self, of: Expression, index: Expression) -> Made:
        if of.type == STR:
            return f"String.make 1 {self.e(of, ATOM)}.[{self.e(index)}]", CALLED
        if of.type.kind == "map":
            return f"Hashtbl.find {self.e(of, ATOM)} {self.e(index, ATOM)}", CALLED
        return f"{self.helper('vec_get')} {self.e(of, ATOM)} {self.e(index, ATOM)}", CALLED

    def items(self, value: Items) -> Made:
        return f"{self.helper('vec_of')} [|{'; '.join(self.e(each, 1) for each in value.items)}|]", CALLED

    def new_map(self, value: NewMap) -> Made:
        return "Hashtbl.create 16", CALLED

    def made(self, value: Expression) -> Made:
        if isinstance(value, Minus):
            return f"- {self.e(value.value, CALLED)}", UNARY
        if isinstance(value, Call):
            given = " ".join(self.e(each, ATOM) for each in value.arguments) or "()"
            return f"{self.names[value.function]} {given}", CALLED
        return super().made(value)

    def read(self, value: Read) -> Made:
        one = f"{self.helper('read_' + value.reader.removesuffix('s').replace('row', 'int'))} ()"
        for size in reversed(value.sizes):
            one = f"{self.helper('vec_init')} {self.e(size, ATOM)} (fun _ -> {one})"
        return one, CALLED


def _has(block: Block, kind: type) -> bool:
    """Return whether a loop's body holds a statement of its own, not of a loop in it."""
    return any(
        isinstance(each, kind) or (isinstance(each, If) and (_has(each.then, kind) or _has(each.otherwise, kind)))
        for each in block
    )


def _is_tail(block: Block, *, last: bool) -> bool:
    """Return whether every return of a block is the last that it does."""
    for each in block[:-1]:
        if any(isinstance(node, Return) for node in nodes(each)):
            return False
    match block[-1:]:
        case (If(_, then, otherwise),):
            return _is_tail(then, last=last) and (_is_tail(otherwise, last=last) if otherwise else True)
        case (While(_, body) | ForRange(_, _, _, body) | ForEach(_, _, body),):
            return not any(isinstance(node, Return) for node in nodes(body))
    return True
