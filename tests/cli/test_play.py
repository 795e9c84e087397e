"""A play from the first line to the last: shorthand, taking turns back, the end, and broken input."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import palestra
from palestra.cli import main
from palestra.cli.shorthand import ShorthandError, action_text
from palestra.envs.actions import call_text, function_tool, parse_action

TOOLS = [
    function_tool("find", "", {"name": {"type": "string"}, "limit": {"type": "integer"}}, required=["name"]),
    function_tool("submit", "", {"code": {"type": "string"}}),
    function_tool("set", "", {"where": {"type": "object"}, "tags": {"type": "array"}, "on": {"type": "boolean"}}),
    function_tool("ping", "", {}),
]


def read(line: str, *more: str) -> str:
    return action_text(line, TOOLS, iter(more))


@pytest.mark.parametrize(
    ("line", "name", "arguments"),
    [
        ("find name=Ann", "find", {"name": "Ann"}),
        ("  find   name=17  limit=3 ", "find", {"name": "17", "limit": 3}),
        ('find name="Ann \\"B\\" C" limit=2', "find", {"name": 'Ann "B" C', "limit": 2}),
        ("find name='it is \"so\"'", "find", {"name": 'it is "so"'}),
        ("find name=", "find", {"name": ""}),
        ('set where={"a": [1, 2]} tags=["x y"] on=true', "set", {"where": {"a": [1, 2]}, "tags": ["x y"], "on": True}),
        ("ping", "ping", {}),
        ("find limit=many name=x", "find", {"limit": "many", "name": "x"}),
        ("find name=a=b", "find", {"name": "a=b"}),
    ],
)
def test_shorthand_becomes_a_call(line: str, name: str, arguments: dict[str, Any]) -> None:
    assert read(line) == call_text(name, arguments)


def test_a_marker_takes_the_lines_until_it_comes_again() -> None:
    text = read("submit code=<<END", "print(1)", "  if x: y", " END ", "after")
    assert text == call_text("submit", {"code": "print(1)\n  if x: y\n"})
    assert read("submit code=<<END", "END") == call_text("submit", {"code": ""})


@pytest.mark.parametrize("line", ["I am done.", "the answer is 4", '{"name":"find"}', "x = 3", "finder", "a=b"])
def test_what_names_no_tool_is_said_as_it_is(line: str) -> None:
    assert read(line) == line


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("fnd name=Ann", "did you mean find"),
        ("zzz name=Ann", "tools: find, submit, set, ping"),
        ("find Ann", "expected name=value, not 'Ann'; known: name, limit"),
        ("ping now", "known: none"),
        ('find name="Ann', "not valid JSON"),
        ("find name='Ann", "no closing quotation mark"),
        ("set where={a}", "not valid JSON"),
        ("set where=" + "[" * 100_000, "not valid JSON"),
        ("find name=a name=b", "given twice"),
        ("submit code=<<END", "ended before a line 'END'"),
    ],
)
def test_a_call_that_cannot_be_read_is_explained_and_not_sent(line: str, told: str) -> None:
    with pytest.raises(ShorthandError, match=told):
        read(line)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Play with these lines as a pipe; return what was printed on the two streams."""

    def play(*words: str, typed: bytes) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["palestra", "play", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))
        with pytest.raises(SystemExit) as left:
            main()
        assert not left.value.code
        return capsys.readouterr()

    return play


Play = Callable[..., tuple[str, str]]


def solution(env_id: str, seed: int) -> Iterator[str]:
    """Yield the oracle's actions, one line each."""
    env = palestra.make(env_id)
    env.reset(seed=seed)
    for action in env.oracle():
        assert "\n" not in action
        yield action
        env.step(action)
    env.close()


def test_the_oracles_lines_solve_the_task(play: Play) -> None:
    lines = "\n".join(solution("palestra/ToolUseMini-v0", 4))
    out, err = play("ToolUseMini-v0", "--seed", "4", typed=lines.encode())
    assert "the episode is over: judged, solved, reward 1.000" in out
    assert err == ""


def test_json_gives_one_object_and_shows_the_play_on_the_other_stream(play: Play) -> None:
    lines = list(solution("palestra/ToolUseMini-v0", 4))
    out, err = play("ToolUseMini-v0", "--seed", "4", "--json", typed="\n".join(lines).encode())
    record = json.loads(out)
    assert record["actions"] == lines
    assert (record["ended"], record["is_success"], record["seed"]) == ("scored", True, 4)
    assert record["reward"] == pytest.approx(1.0)
    assert sum(record["rewards"]) == pytest.approx(1.0)
    assert "judged, solved" in err


def test_turns_taken_back_leave_no_trace_even_after_the_end(play: Play) -> None:
    lines = list(solution("palestra/ToolUseMini-v0", 4))
    detour = ["a wrong turn", *lines[:-1], ":undo", *lines[-2:], ":undo", *lines[-1:]]
    assert len(lines) >= 2, "this test needs a task of two turns or more; choose another seed"
    undone = ["a wrong turn", ":undo"]
    direct, _ = play("ToolUseMini-v0", "--seed", "4", "--json", typed="\n".join(lines).encode())
    around, _ = play("ToolUseMini-v0", "--seed", "4", "--json", typed="\n".join([*undone, *lines]).encode())
    assert json.loads(around) == json.loads(direct)
    late, _ = play("ToolUseMini-v0", "--seed", "4", "--json", typed="\n".join(detour).encode())
    assert json.loads(late)["is_success"] is True
    assert json.loads(late)["actions"] == ["a wrong turn", *lines]


def test_what_cannot_be_read_costs_no_turn(play: Play) -> None:
    typed = b'{"name": "nothing", "arguments": {}}\n{"name"\n:what\n:undo\nfnd_patient name=x\n\n   \n'
    out, _ = play("ToolUseMini-v0", "--seed", "4", "--json", typed=typed)
    record = json.loads(out)
    assert record["actions"] == []
    assert record["ended"] is None


@pytest.mark.parametrize(
    "typed", [b"", b"\n\n", b":quit\nhello\n", b"\xff\xfe\x00hello\n:quit", b":help\n:state\n:tools\n"]
)
def test_any_input_ends_in_peace(play: Play, typed: bytes) -> None:
    out, err = play("ToolUseMini-v0", "--seed", "4", typed=typed)
    assert "palestra/ToolUseMini-v0, split train, seed 4" in out
    assert err == ""


def test_after_the_end_nothing_more_is_sent(play: Play) -> None:
    typed = "\n".join(["hello"] * 30).encode()
    out, _ = play("ToolUseMini-v0", "--seed", "4", "--json", typed=typed)
    record = json.loads(out)
    assert record["ended"] == "turns"
    assert len(record["actions"]) < 30


def test_a_code_task_is_solved_by_programs_typed_over_several_lines(play: Play) -> None:
    env, typed = palestra.make("palestra/Code-v0"), []
    env.reset(seed=1)
    for action in solution("palestra/Code-v0", 1):
        for call in parse_action(action, env.task.tools).calls:
            [(argument, program)] = call.arguments.items()
            typed += [f"{call.name} {argument}=<<END", program.rstrip("\n"), "END"]
    out, _ = play("Code-v0", "--seed", "1", "--json", typed="\n".join(typed).encode())
    record = json.loads(out)
    assert (record["ended"], record["is_success"]) == ("scored", True)
    assert "<<END" not in record["actions"][0]
