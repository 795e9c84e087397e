"""Written calls and tool calls are read alike, and nothing that is written is ever evaluated."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.actions import Action, call_text, parse_action
from palestra.envs.web.actions import MINIWOB_TOOLS, WEB_TOOLS, read_call, written_call


def read(text: str, tools: object = WEB_TOOLS) -> Action:
    assert isinstance(tools, tuple)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_call(parse_action(text, tools), tools)


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("click('12')", "click", {"bid": "12"}),
        ("  click(bid='12')\n", "click", {"bid": "12"}),
        ("fill('12', 'it\\'s \\u00e9 \\\\d')", "fill", {"bid": "12", "value": "it's é \\d"}),
        ('fill("12", value="a" "b")', "fill", {"bid": "12", "value": "ab"}),
        ("fill('12',\n  'x')", "fill", {"bid": "12", "value": "x"}),
        ("select_option('3', ['a', 'b'])", "select_option", {"bid": "3", "options": ["a", "b"]}),
        ("select_option('3', 'a')", "select_option", {"bid": "3", "options": "a"}),
        ("scroll(0, -200.5)", "scroll", {"delta_x": 0, "delta_y": -200.5}),
        ("noop()", "noop", {}),
        ("go_back()", "go_back", {}),
        ("tab_focus(1)", "tab_focus", {"index": 1}),
        ("send_msg_to_user('42')", "send_msg_to_user", {"text": "42"}),
        ("I see the button.\nclick('12')", "click", {"bid": "12"}),
        ("I could\nclick('1')\nbut do\n```\nclick('2')\n```", "click", {"bid": "2"}),
        ("```python\nclick('2')```", "click", {"bid": "2"}),
        (call_text("click", {"bid": "12"}), "click", {"bid": "12"}),
    ],
)
def test_calls_are_read(text: str, name: str, arguments: dict[str, object]) -> None:
    action = read(text)
    assert action.error == ""
    assert [(call.name, call.arguments) for call in action.calls] == [(name, arguments)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "one call"),
        ("click", "one call"),
        ("Click on save.", "one call"),
        ("click('1'); click('2')", "one call"),
        ("click('1')\nclick('2')", "one call"),
        (call_text("click", {"bid": "1"}) + call_text("click", {"bid": "2"}), "2 calls in one turn"),
        ("tap('1')", "no action named 'tap'"),
        ("page.click('1')", "one call"),
        ("eval('1')", "no action named 'eval'"),
        ("__import__('os')", "no action named"),
        ("mouse_click(1, 2)", "no action named 'mouse_click'"),
        ("click()", "bid"),
        ("click(12)", "12 is not of type 'string'"),
        ("click('1', '2', '3')", "takes 1 arguments, not 3"),
        ("click(id='1')", "no argument 'id'"),
        ("click('1', bid='1')", "given twice"),
        ("click(**{'bid': '1'})", "no argument"),
        ("click(*['1'])", "nothing is computed"),
        ("click('1' + '2')", "nothing is computed"),
        ("click(f'{1}')", "nothing is computed"),
        ("click(str(1))", "nothing is computed"),
        ("click(b'1')", "nothing is computed"),
        ("click(None)", "nothing is computed"),
        ("click(...)", "nothing is computed"),
        ("click([['1']])", "nothing is computed"),
        ("click({'bid': '1'})", "nothing is computed"),
        ("click('1' if True else '2')", "nothing is computed"),
        ("scroll(True, 1)", "True is not of type 'number'"),
        ("scroll(1e999, 0)", "at most"),
        ("scroll(0, -1e300)", "at most"),
        ("scroll(1j, 0)", "nothing is computed"),
        (f"scroll(0, {'9' * 5000})", ""),
        (f"tab_focus({'9' * 400})", "at most"),
        ("tab_focus(1.5)", "1.5 is not of type 'integer'"),
        ("fill('1', 'C:\\d')", "unknown escape"),
        ("fill('1', '\\777')", "unknown escape"),
        ("fill('1', '\\N{no such thing}')", "one call"),
        ("fill('1', '\\ud800", "one call"),
        ("fill('1', 'two\nlines')", "one call"),
        ("click('\0')", "one call"),
        ("click('\ud800')", "one call"),
        ("click(" * 2500, "one call"),
        ("click(" + "[" * 5000, "one call"),
        ("scroll(0, " + "-" * 15000 + "1)", ""),
        ("click('1'" + "+'1'" * 4000 + ")", ""),
        ("click('" + "x" * 20000 + "')", "at most 16384"),
        ("lambda: click('1')", "one call"),
        ("click('1').x()", "one call"),
        ("(click)('1').__class__", "one call"),
        ("[click('1')]", "not valid JSON"),
    ],
)
def test_what_is_no_call_is_told_and_harms_nothing(text: str, told: str) -> None:
    action = read(text)
    assert not action.calls
    assert action.error
    assert told in action.error
    assert len(action.error) <= 400


def test_pages_of_others_take_points_and_keys() -> None:
    assert read("mouse_click(10, 20.5)", MINIWOB_TOOLS).calls[0].arguments == {"x": 10, "y": 20.5}
    clicked = read("click('1', button='right', modifiers=['Shift'])", MINIWOB_TOOLS)
    assert clicked.calls[0].arguments == {"bid": "1", "button": "right", "modifiers": ["Shift"]}
    assert "not one of" in read("click('1', 'front')", MINIWOB_TOOLS).error
    assert read("keyboard_type('x')", MINIWOB_TOOLS).calls[0].name == "keyboard_type"
    assert "no action named 'goto'" in read("goto('/')", MINIWOB_TOOLS).error


@given(st.text())
def test_no_text_raises(text: str) -> None:
    for said in (text, f"click({text})", f"fill('1', '{text}')"):
        action = read_call(parse_action(said, WEB_TOOLS), WEB_TOOLS)
        assert bool(action.error) != (len(action.calls) == 1)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_is_written_is_read_back(value: str) -> None:
    (call,) = read(written_call("fill", {"bid": "7", "value": value})).calls
    assert call.arguments == {"bid": "7", "value": value}
