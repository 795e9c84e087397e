"""The command as a person or a script meets it: what it prints, where, and the code it ends with."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import palestra
from palestra.envs.registry import EnvEntry, register

TOY = Path(__file__).parents[1] / "envs"

BAD_TOOL = {"type": "function", "function": {"name": "answer", "description": "", "parameters": {"type": "strng"}}}


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


def toy(monkeypatch: pytest.MonkeyPatch, name: str) -> str:
    monkeypatch.syspath_prepend(str(TOY))
    env_id = f"toy/{name}-v0"
    register(EnvEntry(id=env_id, entry_point=f"toygym.env:{name}Env", family="count", summary="a counter"))
    return env_id


def one_line(said: Said) -> str:
    """Return the single line of an error; nothing else may have been printed."""
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    return said.err


def test_list_names_every_environment(run: Run) -> None:
    said = run("list", "--all")
    assert (said.code, said.err) == (0, "")
    assert [line.split()[0] for line in said.out.splitlines()] == [entry.id for entry in palestra.list_envs()]


def test_list_has_one_line_for_a_collection(run: Run) -> None:
    lines = run("list").out.splitlines()
    wanted = sorted({entry.collection or entry.id for entry in palestra.list_envs()})
    assert [line.split()[0] for line in lines] == wanted
    [many] = [line for line in lines if line.startswith("palestra/MiniWob-*-v0")]
    assert "129 of them" in many


def test_list_as_json_is_one_object(run: Run) -> None:
    told = json.loads(run("list", "--json").out)["environments"]
    code = next(entry for entry in told if entry["id"] == "palestra/Code-v0")
    assert "network_off" in code["needs"]
    assert code["summary"]


@pytest.mark.parametrize("env_id", ["palestra/ToolUseMini-v0", "palestra/Code-v0"])
def test_info_shows_knobs_tools_and_an_example(run: Run, env_id: str) -> None:
    told = json.loads(run("info", env_id, "--json", "--seed", "3", "--split", "heldout").out)
    plain = run("info", env_id, "--seed", "3", "--split", "heldout")
    assert plain.code == 0
    assert told["splits"] == ["train", "heldout"]
    for name in [*told["knobs"], *(tool["function"]["name"] for tool in told["example"]["tools"])]:
        assert f"  {name}" in plain.out
    assert told["example"]["observation"].splitlines()[-1] in plain.out
    assert "hidden" not in told["example"]


def test_the_namespace_may_be_left_out(run: Run) -> None:
    assert json.loads(run("info", "ToolUseMini-v0", "--json").out)["id"] == "palestra/ToolUseMini-v0"


def test_info_takes_knobs(run: Run) -> None:
    told = json.loads(run("info", "ToolUseMini-v0", "-d", "hops=2", "-d", "domain=shop", "--json").out)
    assert told["example"]["difficulty"]["hops"] == 2
    assert "/shop/" in told["example"]["task_id"]


def test_info_takes_a_task_from_a_file(run: Run, tmp_path: Path) -> None:
    env = palestra.make("palestra/ToolUseMini-v0")
    env.reset(seed=9)
    (tmp_path / "task.json").write_text(json.dumps(env.task.to_dict()))
    told = json.loads(run("info", "ToolUseMini-v0", "--task", str(tmp_path / "task.json"), "--json").out)
    assert told["example"]["task_id"] == env.task.id


@pytest.mark.parametrize("verb", ["info", "play", "check"])
def test_an_unknown_environment_is_named_with_its_nearest(run: Run, verb: str) -> None:
    said = run(verb, "palestra/ToolUs-v0", "--json")
    assert said.code == 2
    assert one_line(said) == "error: no environment named 'palestra/ToolUs-v0'; did you mean 'palestra/ToolUse-v0'?\n"


@pytest.mark.parametrize(
    ("knob", "told"),
    [
        ("hopps=2", "unknown difficulty knob 'hopps'"),
        ("hops=many", "'many'"),
        ("hops", "KNOB=VALUE"),
        ("=2", "KNOB=VALUE"),
        ("hops=[[[", "'[[['"),
    ],
)
def test_a_bad_knob_is_explained(run: Run, knob: str, told: str) -> None:
    said = run("info", "ToolUseMini-v0", "-d", knob)
    assert said.code == 2
    assert told in one_line(said)


def _task(**changes: Any) -> str:
    env = palestra.make("palestra/ToolUseMini-v0")
    env.reset(seed=0)
    return json.dumps({**env.task.to_dict(), **changes})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no task"),
        (b"{", "holds no task"),
        (b"\xff\xfe\x00", "holds no task"),
        (b"[" * 100_000, "holds no task"),
        (b"[]", "must be a JSON object, not list"),
        (b'{"id": "x"}', "'family' is missing"),
        (_task(colour=1).encode(), "unknown task field 'colour'"),
        (_task(budget={"turns": 0}).encode(), "at least 1 turn"),
        (_task(hidden={}).encode(), "does not fit palestra/ToolUseMini-v0"),
        (_task(hidden={"db": 3, "answer": {}, "calls": 1}).encode(), "does not fit palestra/ToolUseMini-v0"),
        (_task(tools=[{}]).encode(), "holds no task"),
        (_task(tools=[BAD_TOOL]).encode(), "the tool 'answer': 'strng' is not valid"),
        (_task(family="code").encode(), "is of the family 'code'"),
    ],
)
@pytest.mark.parametrize("verb", ["info", "play"])
def test_a_malformed_task_file_is_explained(run: Run, tmp_path: Path, verb: str, content: bytes, told: str) -> None:
    path = tmp_path / "task.json"
    path.write_bytes(content)
    said = run(verb, "ToolUseMini-v0", "--task", str(path))
    assert said.code == 2
    assert told in one_line(said)
    assert str(path) in said.err


def test_a_missing_task_file_is_named(run: Run, tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        said = run("play", "ToolUseMini-v0", "--task", str(path))
        assert said.code == 2
        assert f"cannot read the task file '{path}'" in one_line(said)


def test_a_task_file_and_knobs_exclude_each_other(run: Run, tmp_path: Path) -> None:
    said = run("info", "ToolUseMini-v0", "--task", str(tmp_path), "-d", "hops=1")
    assert said.code == 2
    assert "either --task or -d" in one_line(said)


@pytest.mark.parametrize(
    "words",
    [
        ("info",),
        ("lst",),
        ("info", "ToolUseMini-v0", "--sed", "1"),
        ("info", "ToolUseMini-v0", "--seed", "-1"),
        ("info", "ToolUseMini-v0", "--seed", "one"),
        ("info", "ToolUseMini-v0", "--split", "test"),
        ("check", "ToolUseMini-v0", "-n", "0"),
        ("list", "more"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_no_traceback(run: Run, words: tuple[str, ...]) -> None:
    said = run(*words)
    assert (said.code, said.out) == (2, "")
    assert "Error" in said.err
    assert "Traceback" not in said.err


def test_a_mistyped_verb_is_answered_with_the_nearest(run: Run) -> None:
    assert "list" in run("lst").err


def test_help_lists_every_verb_and_each_verb_explains_itself(run: Run) -> None:
    whole = run("--help")
    assert whole.code == 0
    for verb in ("list", "info", "check", "play"):
        assert f"  {verb} " in whole.out
        told = run(verb, "--help")
        assert told.code == 0
        assert "--json" in told.out
    assert "..." not in whole.out.partition("Commands:")[2], "a verb's first line does not fit"


def test_version(run: Run) -> None:
    assert run("--version") == Said(0, palestra.__version__ + "\n", "")


def test_check_passes_on_tool_use(run: Run) -> None:
    said = run("check", "ToolUseMini-v0", "-n", "1", "--json")
    report = json.loads(said.out)
    assert (said.code, report["ok"], report["env_id"]) == (0, True, "palestra/ToolUseMini-v0")
    assert {"gymnasium", "oracle", "nop", "random", "determinism", "fork"} <= {r["name"] for r in report["results"]}
    assert "passed  oracle" in said.err


def test_check_shows_the_transcript_of_a_failure_and_ends_with_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("check", toy(monkeypatch, "PaysNothingDone"), "-n", "1", "--split", "train")
    assert said.code == 1
    assert "failed  nop: on 'count/train/0' (split train, seed 0): it earned 1" in said.out
    assert "[assistant] I am done." in said.out
    assert re.match(r"toy/PaysNothingDone-v0: \d+ passed, 2 failed", said.out.splitlines()[-1])


def test_a_fault_of_the_machine_ends_play_with_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("play", toy(monkeypatch, "LostSandbox"), stdin="add amount=1\n")
    assert said.code == 1
    assert said.err == "error: InfraError: the sandbox went away\n"


def test_debug_shows_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALESTRA_DEBUG", "1")
    said = run("info", "Nothing-v0")
    assert said.code == 2
    assert "Traceback" in said.err
    assert said.err.splitlines()[-1].startswith("error: no environment named 'Nothing-v0'")


def test_a_missing_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "needy.py").write_text("import cadquery\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "cadquery", None)  # as where it is not installed
    register(EnvEntry(id="toy/Needy-v0", entry_point="needy:Env", family="count", summary="needs an extra"))
    said = run("info", "toy/Needy-v0")
    assert said.code == 1
    assert one_line(said) == "error: this needs cadquery; install it with: pip install 'palestra[cad]'\n"


def test_control_characters_of_a_task_do_not_reach_the_terminal(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "task.json"
    path.write_text(_task(instruction="\x1b]0;owned\x07[bold]not markup[/bold] \ud83d"))
    for words in (("info",), ("play",)):
        said = run(*words, "ToolUseMini-v0", "--task", str(path))
        assert said.code == 0
        assert "\x1b" not in said.out.replace("\x1b[0m", "")
        assert "\\x1b]0;owned\\x07[bold]not markup[/bold] \\ud83d" in said.out


def test_tools_are_carried_out_in_a_sandbox_where_that_is_asked_for(run: Run) -> None:
    words = ("run", "palestra/ToolUse-v0", "-n", "2", "--concurrency", "2", "--json")
    said, inside = run(*words), run(*words, "--sandboxed")
    assert (said.code, inside.code) == (0, 0)
    measured = [json.loads(one.out) for one in (said, inside)]
    assert [one["success_rate"] for one in measured] == [1.0, 1.0]


def test_what_has_no_tools_to_be_carried_out_is_named(run: Run) -> None:
    said = run("run", "palestra/ToolUseMini-v0", "--sandboxed")
    assert said.code == 2
    assert "palestra/ToolUseMini-v0 has no tools" in one_line(said)
