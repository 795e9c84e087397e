"""What an agent does in a browser: one call a turn, written as BrowserGym writes calls or made as a tool call.

``click('1402')``, ``fill('17', value='Milk')`` and ``<tool_call>{"name": "click", "arguments": {"bid": "1402"}}
</tool_call>`` are actions. Written calls are read as literals from Python's syntax tree and never evaluated; names,
arity and types are those of the tools that an environment has, so both forms are checked by one schema. No text makes
this module raise.

Names and parameters follow BrowserGym's action set (github.com/ServiceNow/BrowserGym).
"""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Final

from palestra.envs.actions import MAX_ERROR_CHARS, Action, compact_json, function_tool, parse_action
from palestra.envs.base import Json
from palestra.envs.reading import python_expression

MAX_CALL_CHARS: Final = 16_384
MAX_NUMBER: Final = 10**9
_ONE: Final = "an action is one call, such as click('12') or fill('12', 'text')"

_TEXT: Final = {"type": "string"}
_BID: Final = {"type": "string", "description": "the id in brackets before an element"}
_NUMBER: Final = {"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER}
_BUTTON: Final = {"type": "string", "enum": ["left", "middle", "right"]}
_KEYS: Final = {"type": "array", "items": {"enum": ["Alt", "Control", "ControlOrMeta", "Meta", "Shift"]}}
_OPTIONS: Final = {"type": ["string", "array"], "items": {"type": "string"}, "description": "an option, or several"}
_POINT: Final = {"x": _NUMBER, "y": _NUMBER}
_LINE: Final = {"from_x": _NUMBER, "from_y": _NUMBER, "to_x": _NUMBER, "to_y": _NUMBER}

Tool = Mapping[str, Json]

ELEMENTS: Final[tuple[Tool, ...]] = (
    function_tool("click", "Click an element.", {"bid": _BID}),
    function_tool("hover", "Move the pointer over an element.", {"bid": _BID}),
    function_tool("fill", "Replace what a field holds.", {"bid": _BID, "value": _TEXT}),
    function_tool("select_option", "Choose an option of a drop-down list.", {"bid": _BID, "options": _OPTIONS}),
    function_tool(
        "press",
        "Press a key in an element, such as Enter or ArrowDown.",
        {"bid": _BID, "key_comb": {**_TEXT, "description": "a key, or several with + between them"}},
    ),
    function_tool("focus", "Give an element the focus.", {"bid": _BID}),
    function_tool("clear", "Empty a field.", {"bid": _BID}),
)
SCROLLING: Final[tuple[Tool, ...]] = (
    function_tool("scroll", "Scroll by pixels.", {"delta_x": _NUMBER, "delta_y": _NUMBER}),
)
PLACES: Final[tuple[Tool, ...]] = (
    function_tool("goto", "Go to an address of this site.", {"url": _TEXT}),
    function_tool("go_back", "Go one page back.", {}),
    function_tool("go_forward", "Go one page forward again.", {}),
)
TABS: Final[tuple[Tool, ...]] = (
    function_tool("new_tab", "Open another tab.", {}),
    function_tool("tab_close", "Close the tab in front.", {}),
    function_tool("tab_focus", "Bring a tab to the front; the first is 0.", {"index": {"type": "integer"}}),
)
ENDS: Final[tuple[Tool, ...]] = (
    function_tool("send_msg_to_user", "End: answer, or say that it is done.", {"text": _TEXT}, ()),
    function_tool("report_infeasible", "End: say that it cannot be done.", {"reason": _TEXT}, ()),
)
NOOP: Final[tuple[Tool, ...]] = (function_tool("noop", "Do nothing for a moment.", {"wait_ms": _NUMBER}, ()),)
POINTER: Final[tuple[Tool, ...]] = (
    function_tool("mouse_move", "Move the pointer to a point, in pixels.", _POINT),
    function_tool("mouse_click", "Click a point.", {**_POINT, "button": _BUTTON}, ("x", "y")),
    function_tool("mouse_dblclick", "Click a point twice.", {**_POINT, "button": _BUTTON}, ("x", "y")),
    function_tool("mouse_down", "Press a mouse button at a point.", {**_POINT, "button": _BUTTON}, ("x", "y")),
    function_tool("mouse_up", "Let a mouse button go at a point.", {**_POINT, "button": _BUTTON}, ("x", "y")),
    function_tool("mouse_drag_and_drop", "Drag from one point to another.", _LINE),
    function_tool("drag_and_drop", "Drag one element onto another.", {"from_bid": _BID, "to_bid": _BID}),
)
KEYBOARD: Final[tuple[Tool, ...]] = (
    function_tool("keyboard_press", "Press a key, or several with + between them.", {"key": _TEXT}),
    function_tool("keyboard_down", "Hold a key down.", {"key": _TEXT}),
    function_tool("keyboard_up", "Let a key go.", {"key": _TEXT}),
    function_tool("keyboard_type", "Type a text key by key.", {"text": _TEXT}),
    function_tool("keyboard_insert_text", "Insert a text at once.", {"text": _TEXT}),
)
_WITH_BUTTONS: Final[tuple[Tool, ...]] = tuple(
    function_tool(name, told, {"bid": _BID, "button": _BUTTON, "modifiers": _KEYS}, ("bid",))
    for name, told in (("click", "Click an element."), ("dblclick", "Click an element twice."))
)

WEB_TOOLS: Final = (*ELEMENTS, *SCROLLING, *PLACES, *TABS, *NOOP, *ENDS)
MINIWOB_TOOLS: Final = (*_WITH_BUTTONS, *ELEMENTS[1:], *SCROLLING, *NOOP, *POINTER, *KEYBOARD)


class Unreadable(ValueError):
    """A written call cannot be read; the message tells the agent why."""


def read_call(action: Action, tools: Sequence[Tool]) -> Action:
    """Return an action that makes exactly one call, which fits the tools, or one with an `error`.

    Args:
        action: of `parse_action`. Where it makes no call, its content is read as a written one: that
            of the last fenced block, or from the first line on that begins with a tool's name and a parenthesis.
        tools: what may be called.
    """
    if action.error:
        return action
    if len(action.calls) > 1:
        return Action(action.content, error=f"{len(action.calls)} calls in one turn; {_ONE}")
    if action.calls:
        return action
    try:
        name, arguments = _written(_said(action.content, tools), tools)
    except Unreadable as error:
        return Action(action.content, error=str(error)[:MAX_ERROR_CHARS])
    function = {"name": name, "arguments": compact_json(arguments)}
    return parse_action({"content": action.content, "tool_calls": [{"function": function}]}, tools)


def written_call(name: str, arguments: Mapping[str, Json]) -> str:
    """Return a call as it is written: ``fill('17', 'Milk')``. `read_call` reads it back if no argument is left out."""
    return f"{name}({', '.join(map(repr, arguments.values()))})"


# -- inner parts ---------------------------------------------------------------------------------------


_FENCE: Final = re.compile(r"```(?:[a-z]*\n)?(.*?)```", re.DOTALL)
_LINE_OF_CALL: Final = re.compile(r"^[ \t]*([a-z_]+)[ \t]*\(", re.MULTILINE)
_BAD_ESCAPE: Final = re.compile(r"\\(?:\\|([^\n'\"abfnrtvxuUN0-7]|[4-7][0-7]{2}))")  # of which Python warns


def _said(content: str, tools: Sequence[Tool]) -> str:
    """Return the part of a text that is the call."""
    if fenced := _FENCE.findall(content):
        return str(fenced[-1]).strip()
    names = {tool["function"]["name"] for tool in tools}
    found = next((found for found in _LINE_OF_CALL.finditer(content) if found[1] in names), None)
    return content[found.start() :].strip() if found else content.strip()


def _written(text: str, tools: Sequence[Tool]) -> tuple[str, dict[str, Json]]:
    """Return the name and the arguments of a written call; their types are still to be checked."""
    if len(text) > MAX_CALL_CHARS:
        raise Unreadable(f"the call has {len(text)} characters; at most {MAX_CALL_CHARS} are read")
    if wrong := next((found for found in _BAD_ESCAPE.finditer(text) if found[1]), None):
        raise Unreadable(f"unknown escape {wrong[0][:2]!r} in a text; a backslash itself is written \\\\")
    try:
        call = python_expression(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        raise Unreadable(f"{_ONE}, not {text[:80]!r} ({why})") from error
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise Unreadable(f"{_ONE}, not {text[:80]!r}")
    known = {tool["function"]["name"]: tool["function"]["parameters"]["properties"] for tool in tools}
    name = call.func.id
    if name not in known:
        raise Unreadable(f"no action named {name[:80]!r}; actions: {', '.join(known)}")
    return name, _arguments(name, call, list(known[name]))


def _arguments(name: str, call: ast.Call, parameters: Sequence[str]) -> dict[str, Json]:
    if len(call.args) > len(parameters):
        raise Unreadable(f"{name}({', '.join(parameters)}) takes {len(parameters)} arguments, not {len(call.args)}")
    arguments = {parameter: _literal(given) for parameter, given in zip(parameters, call.args, strict=False)}
    for given in call.keywords:
        if given.arg is None or given.arg not in parameters:
            raise Unreadable(f"{name}({', '.join(parameters)}) has no argument {(given.arg or '**')[:80]!r}")
        if given.arg in arguments:
            raise Unreadable(f"the argument {given.arg!r} of {name} is given twice")
        arguments[given.arg] = _literal(given.value)
    return arguments


def _literal(node: ast.expr) -> Json:
    match node:
        case ast.Constant(value=str() | bool() as value):
            return value
        case ast.Constant(value=int() | float() as value):
            return _bounded(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -_bounded(value)
        case ast.List(elts=inner) | ast.Tuple(elts=inner) if all(isinstance(one, ast.Constant) for one in inner):
            return [_literal(one) for one in inner]
    raise Unreadable("arguments are texts in quotes, numbers, True, False, or lists of these; nothing is computed")


def _bounded(value: float) -> float:
    if isinstance(value, bool) or not abs(value) <= MAX_NUMBER:  # which NaN is not either
        raise Unreadable(f"numbers are at most {MAX_NUMBER}")
    return value
