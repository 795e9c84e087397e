"""Lua."""

from collections.abc import Sequence
from typing import ClassVar

from palestra.envs.code.ir.looks import from_end, is_length, moved
from palestra.envs.code.ir.nodes import (
    BOOL,
    STR,
    Block,
    Continue,
    Expression,
    Function,
    If,
    Items,
    NewMap,
    Pick,
    Read,
    Return,
    Use,
)
from palestra.envs.code.ir.place import Address
from palestra.envs.code.ir.printers.printer import AND, CALLED, COMPARE, JOIN, OR, UNARY, Made, Printer

_WORDS = """\
and break do else elseif end false for function goto if in local nil not or repeat return then true until while print
string table math io os tonumber tostring ipairs pairs type select next error assert pcall unpack require load _ _G
"""


class LuaPrinter(Printer):
    """Writes Lua 5.4."""

    language = "lua"
    indent = "  "
    reserved = frozenset(_WORDS.split())
    symbols: ClassVar = {"!=": "~="}
    forms: ClassVar = {
        "len": ("#{0:c}", UNARY),
        "len:map": ("@count_keys({0})", CALLED),
        "abs": ("math.abs({0})", CALLED),
        "min": ("math.min({0}, {1})", CALLED),
        "max": ("math.max({0}, {1})", CALLED),
        "ord": ("{0:c}:byte()", CALLED),
        "chr": ("string.char({0})", CALLED),
        "str": ("tostring({0})", CALLED),
        "int": ("tonumber({0})", CALLED),
        "concat": ("@joined({0}, {1})", CALLED),
        "concat:str": ("{0:j} .. {1:j}", JOIN),
        "repeat": ("@repeated({0}, {1})", CALLED),
        "grid": ("@grid_of({0}, {1}, {2})", CALLED),
        "sorted": ("@sorted({0})", CALLED),
        "reversed": ("@reversed({0})", CALLED),
        "reversed:str": ("{0:c}:reverse()", CALLED),
        "copy": ("@copied({0})", CALLED),
        "copy:rows": ("@copied_rows({0})", CALLED),
        "contains": ("@contains({0}, {1})", CALLED),
        "contains:str": ("{0:c}:find({1}, 1, true) ~= nil", COMPARE),
        "join": ("table.concat({0}, {1})", CALLED),
        "split": ("@split({0})", CALLED),
        "has": ("{0:c}[{1}] ~= nil", COMPARE),
        "get": ("@get({0}, {1}, {2})", CALLED),
        "keys": ("@sorted_keys({0})", CALLED),
    }
    phrases: ClassVar = {
        "let": "local {0} = {1}",
        "assign": "{0} = {1}",
        "append": "table.insert({0}, {1})",
        "pop": "table.remove({0})",
        "pop_into": "{1} = table.remove({0})",
        "put": "{0:c}[{1}] = {2}",
        "remove": "{0:c}[{1}] = nil",
    }
    blocks: ClassVar = {
        "if": "if {0} then",
        "elif": "elseif {0} then",
        "else": "else",
        "while": "while {0} do",
        "up": "for {name} = {0}, {2} do",
        "down": "for {name} = {0}, {2}, -1 do",
        "each": "for _, {name} in ipairs({0}) do",
        "each:str": 'for {name} in {0:c}:gmatch(".") do',
        "end": "end",
    }
    helpers: ClassVar = {
        "count_keys": """\
local function count_keys(map)
  local count = 0
  for _ in pairs(map) do
    count = count + 1
  end
  return count
end
""",
        "joined": """\
local function joined(left, right)
  local made = table.move(left, 1, #left, 1, {})
  return table.move(right, 1, #right, #made + 1, made)
end
""",
        "repeated": """\
local function repeated(item, count)
  local made = {}
  for i = 1, count do
    made[i] = item
  end
  return made
end
""",
        "grid_of": """\
local function grid_of(item, rows, columns)
  local made = {}
  for i = 1, rows do
    made[i] = repeated(item, columns)
  end
  return made
end
""",
        "sorted": """\
local function sorted(list)
  local made = table.move(list, 1, #list, 1, {})
  table.sort(made)
  return made
end
""",
        "reversed": """\
local function reversed(list)
  local made = {}
  for i = #list, 1, -1 do
    table.insert(made, list[i])
  end
  return made
end
""",
        "copied": """\
local function copied(of)
  local made = {}
  for key, value in pairs(of) do
    made[key] = value
  end
  return made
end
""",
        "copied_rows": """\
local function copied_rows(rows)
  local made = {}
  for i, row in ipairs(rows) do
    made[i] = table.move(row, 1, #row, 1, {})
  end
  return made
end
""",
        "contains": """\
local function contains(list, wanted)
  for _, item in ipairs(list) do
    if item == wanted then
      return true
    end
  end
  return false
end
""",
        "split": """\
local function split(text)
  local words = {}
  for word in text:gmatch("%S+") do
    table.insert(words, word)
  end
  return words
end
""",
        "get": """\
local function get(map, key, otherwise)
  local value = map[key]
  if value == nil then
    return otherwise
  end
  return value
end
""",
        "sorted_keys": """\
local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    table.insert(keys, key)
  end
  table.sort(keys)
  return keys
end
""",
        "read_line": 'local function read_line()\n  return io.read("l")\nend\n',
        "read_word": 'local read_word = io.read("a"):gmatch("%S+")\n',
        "read_int": "local function read_int()\n  return tonumber(read_word())\nend\n",
        "collect": """\
local function collect(count, read)
  local made = {}
  for i = 1, count do
    made[i] = read()
  end
  return made
end
""",
        "show": """\
local function show(...)
  local words = {}
  for _, value in ipairs({...}) do
    if type(value) == "table" then
      table.move(value, 1, #value, #words + 1, words)
    else
      table.insert(words, value)
    end
  end
  print(table.concat(words, " "))
end
""",
    }
    helpers_of_lines: ClassVar = {
        "read_word": """\
local pending = {}

local function read_word()
  while #pending == 0 do
    for word in read_line():gmatch("%S+") do
      table.insert(pending, word)
    end
  end
  return table.remove(pending, 1)
end
""",
    }

    def write_function(self, function: Function) -> None:
        given = ", ".join(self.name(name) for name, _ in function.parameters)
        with self.page.inside(f"local function {self.name(function.name)}({given})", "end"):
            self.block(function.body, (function.name,))
        self.page.write("")

    def write_main(self, body: Block) -> None:
        self.block(body, ("",))

    def inside(self, block: Block, at: Address) -> None:
        if at[-1] != "body" or not _continues(block):
            super().inside(block, at)
            return
        with self.page.inside():
            if isinstance(block[-1], Return):
                with self.page.inside("do", "end"):
                    self.block(block, at)
            else:
                self.block(block, at)
            self.page.write("::continue::")

    def continue_(self) -> None:
        self.page.write("goto continue")

    def print(self, values: Sequence[Expression]) -> None:
        if len(values) > 1 and any(value.type.kind == "list" for value in values):
            text = f"{self.helper('show')}({', '.join(self.printed(value) for value in values)})"
        elif len(values) == 1:
            text = self.printed(values[0])
            text = f'print(table.concat({text}, " "))' if values[0].type.kind == "list" else f"print({text})"
        else:
            text = "print(" + ' .. " " .. '.join(self.printed(value, JOIN) for value in values) + ")"
        self.page.write(text)

    def printed(self, value: Expression, least: int = 0) -> str:
        if value.type == BOOL:
            return f"({self.e(value, AND + 1)} and 1 or 0)"
        return self.e(value, least)

    # -- expressions ----------------------------------------------------------------------------

    def text(self, value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def constant(self, value: int | bool | str) -> Made:
        text, level = super().constant(value)
        return text, UNARY if isinstance(value, str) else level

    def not_(self, value: Expression) -> Made:
        return f"not {self.e(value, UNARY)}", UNARY

    def pick(self, value: Pick) -> Made:
        condition = self.e(value.condition, AND)
        then, otherwise = self.e(value.then, AND + 1), self.e(value.otherwise, OR + 1)
        if value.type == BOOL:
            condition_again = self.e(value.condition, UNARY)
            return f"{condition} and {then} or not {condition_again} and {otherwise}", OR
        return f"{condition} and {then} or {otherwise}", OR

    def item(self, of: Expression, index: Expression) -> Made:
        back = from_end(of, index)
        if of.type == STR:
            at = str(-back) if back else self.e(moved(index, 1))
            return f"{self.e(of, CALLED)}:sub({at}, {at})", CALLED
        if of.type.kind == "list":
            index = moved(index, 1)
        return f"{self.e(of, CALLED)}[{self.e(index)}]", CALLED

    def items(self, value: Items) -> Made:
        return f"{{{', '.join(self.e(each) for each in value.items)}}}", UNARY

    def new_map(self, value: NewMap) -> Made:
        return "{}", UNARY

    def read(self, value: Read) -> Made:
        one = value.reader.removesuffix("s").replace("row", "int")
        text = self.helper(f"read_{one}")
        if not value.sizes:
            return f"{text}()", CALLED
        for size in reversed(value.sizes[1:]):
            text = f"function() return {self.helper('collect')}({self.e(size)}, {text}) end"
        return f"{self.helper('collect')}({self.e(value.sizes[0])}, {text})", CALLED

    def use(self, value: Use) -> Made:
        match value:
            case Use("slice", (of, start, end)):
                first = self.e(moved(start, 1))
                if of.type != STR:
                    return f"table.move({self.e(of)}, {first}, {self.e(end)}, 1, {{}})", CALLED
                last = "" if is_length(end, of) else f", {self.e(end)}"
                return f"{self.e(of, CALLED)}:sub({first}{last})", CALLED
        return super().use(value)


def _continues(block: Block) -> bool:
    return any(
        isinstance(each, Continue) or (isinstance(each, If) and (_continues(each.then) or _continues(each.otherwise)))
        for each in block
    )
