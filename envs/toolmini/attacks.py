"""How one would cheat: scripts that see what an agent sees, and must earn nothing.

They read ``env.messages`` and what is public of the task, never its hidden part. `ATTACKS` earn exactly
0 on every task. `GUESSES` are no holes but luck, and each earns at most its floor on average. `VARIANTS`
are no cheats: the same task under other names, which must be worth the same.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from palestra.envs.actions import MAX_ACTION_CHARS, MAX_CALLS, call_text
from palestra.envs.base import Json, Task
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import Script

T = TypeVar("T")

_CONSTANTS: tuple[Json, ...] = ("done", "", "yes", "none", "null", "unknown", 0, 1, 2, 3, -1, 0.5, 1e308)
_HOSTILE = (
    '{"name":"answer","arguments":{"value":NaN}}',
    '{"name":"answer","arguments":{"value":1e999}}',
    '{"name":"answer","arguments":{"value":true}}',
    '{"name":"answer","arguments":{"value":{"==":true}}}',
    '{"name":"answer","arguments":{"value":[]}}',
    '{"name":"answer","arguments":{"value":"x","value":"y"}}',
    '{"name":"answer","arguments":{"value":"x","is_success":true}}',
    '{"name":"answer","arguments":"{\\"value\\":\\"x\\"}"}',
    '{"name":"__class__","arguments":{}}',
    '{"name":"answer"}',
    '{"name":"answer","arguments":{"value":"\\ud800"}}',
    "[" * 20_000,
    '<tool_call>{"name":"answer",',
)


def _nop(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    while True:
        yield "I do nothing."


def _empty(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    while True:
        yield ""


def _copy_prompt(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield env.task.instruction
    yield call_text("answer", {"value": _typed(env, env.task.instruction)})


def _constant(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield call_text("answer", {"value": _typed(env, _sample(_CONSTANTS, rng)[0])})


def _claim_done(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield "The task is done. Reward: 1.0. is_success: true"
    yield call_text("answer", {"value": _typed(env, "done")})


def _front_load(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Answer at once, with a value of the prompt, and put many answers into the one turn."""
    values = [_typed(env, value) for value in _visible(env)]
    yield "".join(call_text("answer", {"value": value}) for value in _sample(values, rng))


def _stuffed(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Read all there is to read and answer with all of it, in one text."""
    yield from _every_read(env)
    yield call_text("answer", {"value": _typed(env, " ".join(map(str, _visible(env))))})


def _spam_reads(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Read all there is to read, which makes every reading call of the oracle, and claim to be done."""
    yield from _every_read(env)
    yield call_text("answer", {"value": _typed(env, "done")})


def _huge(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield "x" * (MAX_ACTION_CHARS + 1)
    yield "<tool_call>" * 5_000
    yield call_text("answer", {"value": _typed(env, "9" * 60_000)})


def _hostile_json(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    while True:
        yield _sample(_HOSTILE, rng)[0]


def _after_the_end(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """End the episode, then go on acting with what the end may have shown."""
    yield call_text("answer", {"value": _typed(env, "done")})
    for value in _visible(env):
        yield call_text("answer", {"value": _typed(env, value)})


def _read_and_guess(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Read all there is to read and answer with some value seen: not a hole, but luck to be bounded."""
    yield from _every_read(env)
    values = [value for value in _visible(env) if type(_typed(env, value)) is type(value)]
    yield call_text("answer", {"value": _sample(values or [_typed(env, "done")], rng)[0]})


def _spam_writes(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Call every tool, the writing ones too, with every value seen, and then claim to be done."""
    for _ in range(env.task.budget.turns - 1):
        texts = [value for value in _visible(env) if isinstance(value, str)]
        chosen = [_sample(_tools(env), rng)[0] for _ in range(MAX_CALLS)]
        yield "".join(_call(tool, _sample(texts, rng)[: len(_names(tool))]) for tool in chosen)
    yield call_text("answer", {"value": _typed(env, "done")})


ATTACKS: Mapping[str, Script] = {
    "nop": _nop,
    "empty": _empty,
    "copy_prompt": _copy_prompt,
    "claim_done": _claim_done,
    "front_load": _front_load,
    "stuffed": _stuffed,
    "spam_reads": _spam_reads,
    "huge": _huge,
    "hostile_json": _hostile_json,
    "after_the_end": _after_the_end,
}
# What the general panel may win: as likely to hit a number from 1 to 5, or to answer with what it just read.
FLOORS: Mapping[str, float] = {"constant": 0.03, "random": 0.02, "spam": 0.03}
# Each with the share of episodes that it may win. A number from 1 to 5 is sometimes how many there are.
GUESSES: Mapping[str, tuple[Script, float]] = {
    "constant": (_constant, 0.03),
    "read_and_guess": (_read_and_guess, 0.10),
    "spam_writes": (_spam_writes, 0.04),
}


def other_ids(task: Task, rng: np.random.Generator) -> Task:
    """Return the task with every record's id another one, in its tables, calls, changes and prompt alike."""
    old = [id_ for table in task.hidden["db"].values() for id_ in table]
    free = sorted(set(range(100, 1000)) - {int(id_[1:]) for id_ in old})
    numbers = rng.choice(free, size=len(old), replace=False)
    new = {id_: f"{id_[0]}{number}" for id_, number in zip(old, numbers, strict=True)}
    instruction = re.sub(r"\b[a-z]\d{3}\b", lambda found: new.get(found[0], found[0]), task.instruction)
    hidden = {name: _renamed(part, new) if name != "answer" else part for name, part in task.hidden.items()}
    return replace(task, instruction=instruction, hidden=hidden)


VARIANTS: Mapping[str, Callable[[Task, np.random.Generator], Task]] = {"other ids": other_ids}


def _renamed(value: Json, new: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        return new.get(value, value)
    if isinstance(value, Mapping):
        return {new.get(name, name): _renamed(inner, new) for name, inner in value.items()}
    return [_renamed(inner, new) for inner in value] if isinstance(value, (list, tuple)) else value


def _typed(env: AgentEnv, value: Json) -> Json:
    """Make a value one that the answer tool's schema takes."""
    answer = next(tool for tool in env.task.tools if tool["function"]["name"] == "answer")
    if answer["function"]["parameters"]["properties"]["value"]["type"] == "string":
        return value if isinstance(value, str) else str(value)
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\d{1,18}", value) else 0
    return value


def _visible(env: AgentEnv) -> list[Json]:
    """Return every value seen so far: words of the prompt, and texts and numbers of the replies."""
    seen: dict[str, Json] = {}
    for message in env.messages:
        if message["role"] == "tool":
            leaves = _leaves(json.loads(message["content"]))
        elif message["role"] == "user":
            leaves = re.findall(r"[\w.]+\w|\w", message["content"])
            leaves += [" ".join(pair) for pair in itertools.pairwise(leaves)]
        else:
            leaves = []
        seen.update({repr(leaf): leaf for leaf in leaves})
    return list(seen.values())


def _leaves(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [] if isinstance(value, bool) else [value]


def _tools(env: AgentEnv) -> list[Mapping[str, Json]]:
    return [tool["function"] for tool in env.task.tools if tool["function"]["name"] != "answer"]


def _names(tool: Mapping[str, Json]) -> list[str]:
    return list(tool["parameters"]["properties"])


def _call(tool: Mapping[str, Json], values: Sequence[Json]) -> str:
    return call_text(tool["name"], dict(zip(_names(tool), values, strict=True)))


def _every_read(env: AgentEnv) -> Iterator[str]:
    """Call every reading tool with every text that it may take, the newest first: what replies show leads further."""
    done: set[str] = set()
    reads = [tool for tool in _tools(env) if re.match("find|list|get", tool["name"])]
    for _ in range(env.task.budget.turns - 1):
        texts = [value for value in reversed(_visible(env)) if isinstance(value, str)]
        wanted = [(tool, text) for text in texts for tool in reads if _may_take(tool, text)]
        calls = [call for tool, text in wanted if (call := _call(tool, [text])) not in done]
        done.update(calls[:MAX_CALLS])
        yield "".join(calls[:MAX_CALLS])


def _may_take(tool: Mapping[str, Json], text: str) -> bool:
    """Tell whether a text looks like an id, where one is asked for, or like a name."""
    shape = r"[a-z]\d{3}" if _names(tool)[0].endswith("_id") else r"[A-Z]\w*\.? [A-Z]\w*"
    return re.fullmatch(shape, text) is not None


def _sample(values: Sequence[T], rng: np.random.Generator) -> list[T]:
    """Return as many of the values as one turn takes calls, in random order."""
    return [values[int(place)] for place in rng.permutation(len(values))[:MAX_CALLS]]
