"""How one would cheat, and what must not matter: scripts that see what an agent sees, and spoilt and other oracles.

`ATTACKS` earn nothing on any task, whatever ending it expects. `GUESSES` are no holes but luck, each with the share
of tasks that it may win: who ends every episode in one and the same way is right wherever that is the right way.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from palestra.envs.actions import MAX_CALLS, call_text, parse_action
from palestra.envs.base import Json, Task
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import Script, Shown, draw_arguments
from palestra.envs.tooluse.closing import ASK, CLOSING, CODES, DECLINE, FINISH, REASONS, REPORT
from palestra.envs.tooluse.planner import ancestors
from palestra.envs.tooluse.renaming import other_ids
from palestra.envs.tooluse.spoiling import answer_schema, finishing, impossible, mutants
from palestra.envs.tooluse.stage import stage
from palestra.envs.tooluse.twins import twins

T = TypeVar("T")

_READING = re.compile(
    r"(?i)(?:^|[_-])(?:get|find|search|list|count|show|sum|average|total|largest|longest|highest|lowest|cheapest)"
)
_ID = re.compile(r"[a-z]+_\d{5,6}")
_READING_TURNS = 2  # of as many calls as a turn takes
_HOSTILE = (
    '{"name":"finish","arguments":{"answer":NaN}}',
    '{"name":"finish","arguments":{"answer":1e999}}',
    '{"name":"finish","arguments":{"answer":{"==":true}}}',
    '{"name":"finish","arguments":{"answer":[[[[]]]]}}',
    '{"name":"finish","arguments":{"answer":"\\ud800"}}',
    '{"name":"finish","arguments":{"is_success":true}}',
    '{"name":"decline","arguments":{"reason":["no_tool","not_allowed"]}}',
    '{"name":"report_problem","arguments":{"code":"","tool":"","parameter":""}}',
    '{"name":"report_problem","arguments":{"code":{"$ne":1},"tool":"*"}}',
    '{"name":"ask_user","arguments":{"about":""}}',
    '{"name":"ask_user","arguments":{"about":"\\u0000|*"}}',
    '{"name":"__class__","arguments":{}}',
    '{"name":"finish"}',
    "[" * 20_000,
    '<tool_call>{"name":"finish",',
)


# -- attacks -----------------------------------------------------------------------------------


def _spam_reads(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Read all that there is to read, and claim to be done."""
    yield from _reading(env, rng, env.task.budget.turns - 1)
    yield finishing(env.task, impossible(env.task))


def _front_load(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """End at once, in the same turn as calls of everything else."""
    shown = Shown.of(env.messages)
    calls = [_drawn(shown, tool, rng) for tool in _tools(env)]
    yield "".join([finishing(env.task, impossible(env.task)), *calls[: MAX_CALLS - 1]])


def _echo(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Say back whatever was said, as text and as questions."""
    while True:
        last = str(env.messages[-1]["content"])
        yield last.replace("<tool_call>", "")
        yield call_text(ASK, {"about": last[:80]})


def _dump_all(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Read, and answer with everything at once."""
    yield from _reading(env, rng, env.task.budget.turns - 1)
    texts = [text for text in Shown.of(env.messages).texts if text]
    kind = answer_schema(env.task).get("type")
    yield finishing(
        env.task, " ".join(texts) if kind == "string" else texts if kind == "array" else impossible(env.task)
    )


def _ask_all(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Ask for every parameter at once, then again and again."""
    names = [name for tool in _tools(env) for name in tool["parameters"].get("properties", {})]
    while len(set(names)) > 1:
        yield call_text(ASK, {"about": ", ".join(_shuffled(sorted(set(names)), rng))[:80]})


def _hostile_json(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    while True:
        yield _HOSTILE[int(rng.integers(len(_HOSTILE)))]


def _act_after_the_end(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """End the episode, then go on acting."""
    while True:
        yield finishing(env.task, impossible(env.task))


ATTACKS: Mapping[str, Script] = {
    "spam_reads": _spam_reads,
    "front_load": _front_load,
    "echo": _echo,
    "dump_all": _dump_all,
    "ask_all": _ask_all,
    "hostile_json": _hostile_json,
    "act_after_the_end": _act_after_the_end,
}


# -- luck --------------------------------------------------------------------------------------


def _finish_now(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Answer at once with something of the request."""
    yield finishing(env.task, _guess(env, rng))


def _read_and_guess(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Read, and answer with some value seen."""
    yield from _reading(env, rng, env.task.budget.turns - 1)
    yield finishing(env.task, _guess(env, rng))


def _spam_writes(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Call every tool with values seen, and claim to be done."""
    for _ in range(env.task.budget.turns - 1):
        tools, shown = _shuffled(_tools(env), rng), Shown.of(env.messages)
        yield "".join(_drawn(shown, tools[number % len(tools)], rng) for number in range(MAX_CALLS))
    yield finishing(env.task, _guess(env, rng))


def _always_report(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    tool = _one(_tools(env), rng)
    names = ["", *tool["parameters"].get("properties", {})]
    named = {"parameter": name} if (name := _one(names, rng)) else {}
    yield call_text(REPORT, {"code": _one(list(CODES), rng), "tool": tool["name"], **named})


def _always_ask(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    names = [name for tool in _tools(env) for name in tool["parameters"].get("required", ())]
    for name in _shuffled(sorted(set(names)), rng):
        yield call_text(ASK, {"about": name})


def _always_decline(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield call_text(DECLINE, {"reason": _one(list(REASONS), rng)})


GUESSES: Mapping[str, tuple[Script, float]] = {
    "finish_now": (_finish_now, 0.02),
    "read_and_guess": (_read_and_guess, 0.02),
    "spam_writes": (_spam_writes, 0.02),
    "always_report": (_always_report, 0.02),
    "always_ask": (_always_ask, 0.03),
    "always_decline": (_always_decline, 0.10),
}
# Of the general panel, these call `decline` with any of its three reasons: where it is due, one of them is right.
_DECLINING = ("front_load", "act_after_done", "claim_done", "copy_prompt", "huge")
FLOORS: Mapping[str, float] = {
    **dict.fromkeys(("random", "constant", "spam"), 0.02),
    **dict.fromkeys(_DECLINING, 1 / len(REASONS)),
}


# -- the oracle told otherwise -----------------------------------------------------------------


def _in_parallel(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Make calls that do not wait for each other in one turn."""
    at = stage(env.task)
    if at.case.layers:
        yield from at.actions
        return
    asked = len(at.actions) - len(at.case.steps) - 1
    yield from at.actions[:asked]
    turns: list[list[int]] = []
    for number in range(len(at.case.steps)):
        if not turns or ancestors(at.case.steps, number) & set(turns[-1]):
            turns.append([])
        turns[-1].append(number)
    for numbers in turns:
        yield "".join(at.actions[asked + number] for number in numbers)
    yield at.actions[-1]


def _with_another_look(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Read what nobody needs before the end."""
    *first, last = stage(env.task).actions
    yield from first
    shown = Shown.of(env.messages)
    yield "".join(_drawn(shown, tool, rng) for tool in _shuffled(_reads(env), rng)[:3]) or "Now I am done."
    yield last


def _in_capitals(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Write texts of the answer in other letters, and numbers as numbers with decimals."""
    *first, last = stage(env.task).actions
    yield from first
    (end,) = parse_action(last, env.task.tools).calls
    if end.name == FINISH and "answer" in end.arguments:
        yield call_text(FINISH, {"answer": _otherwise(end.arguments["answer"])})
    yield last


EQUIVALENTS: Mapping[str, Script] = {
    "in parallel": _in_parallel,
    "with another look": _with_another_look,
    "in capitals": _in_capitals,
}
MUTANTS, TWINS = mutants, twins
VARIANTS: Mapping[str, Callable[[Task, np.random.Generator], Task]] = {"other ids": other_ids}


def idle(task: Task) -> Mapping[str, str]:
    """Return the tools of which some calls only repeat or continue others, as faults and pages want it."""
    return stage(task).optional


def world(state: Json) -> Json:
    """Return what of two states is compared: not what was only read, asked or counted."""
    return {name: state[name] for name in ("changes", "strayed", "end")}


IDLE, WORLD = idle, world


def _otherwise(value: Json) -> Json:
    if isinstance(value, list):
        return [_otherwise(one) for one in value]
    if isinstance(value, str):
        return f" {value.upper()} "
    return float(value) if type(value) is int else value


# -- what an agent sees ------------------------------------------------------------------------


def _tools(env: AgentEnv) -> list[Mapping[str, Json]]:
    return [tool["function"] for tool in env.task.tools if tool["function"]["name"] not in CLOSING]


def _reads(env: AgentEnv) -> list[Mapping[str, Json]]:
    """Return the tools that only read, as far as one can tell from their names."""
    return [tool for tool in _tools(env) if _READING.search(tool["name"])]


def _reading(env: AgentEnv, rng: np.random.Generator, turns: int) -> Iterator[str]:
    """Call every reading tool with what was seen, turn after turn."""
    tools = _reads(env) or _tools(env)
    for _ in range(min(turns, _READING_TURNS)):
        shown = Shown.of(env.messages)
        yield "".join(_look(shown, tool, rng) for tool in itertools.islice(itertools.cycle(tools), MAX_CALLS))


def _look(shown: Shown, tool: Mapping[str, Json], rng: np.random.Generator) -> str:
    """Call a tool with ids that were seen where it takes ids, and with as few other arguments as it can do with."""
    schema = tool["parameters"]
    drawn = draw_arguments(schema, shown, rng)
    ids = [text for text in shown.texts if _ID.fullmatch(text)]
    for name in schema["properties"]:
        if ids and name.endswith("_id") and (name in schema["required"] or rng.random() < 0.5):
            drawn[name] = _one([id_ for id_ in ids if id_[:2] == name[:2]] or ids, rng)
        elif name not in schema["required"]:
            drawn.pop(name, None)
    return call_text(tool["name"], drawn)


def _drawn(shown: Shown, tool: Mapping[str, Json], rng: np.random.Generator) -> str:
    return call_text(tool["name"], draw_arguments(tool["parameters"], shown, rng))


def _guess(env: AgentEnv, rng: np.random.Generator) -> Json:
    wanted = {"properties": {"answer": answer_schema(env.task)}, "required": ["answer"]}
    return draw_arguments(wanted, Shown.of(env.messages), rng)["answer"]


def _one(values: Sequence[T], rng: np.random.Generator) -> T:
    return values[int(rng.integers(len(values)))]


def _shuffled(values: Sequence[T], rng: np.random.Generator) -> list[T]:
    return [values[int(place)] for place in rng.permutation(len(values))]
