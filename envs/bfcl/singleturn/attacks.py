"""How one would cheat on a single turn: what earns nothing here, though some of it is paid by the leaderboard.

Some of these use the oracle's own calls, which no agent sees: if that earns nothing, less does not.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from palestra.envs.actions import MAX_CALLS, call_text, compact_json
from palestra.envs.base import Json, Task
from palestra.envs.bfcl.singleturn.oracle import requests_of
from palestra.envs.bfcl.singleturn.verify import DECLINE
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import DONE, Script, Shown, draw_arguments

CODE = "__import__('os').system('id')"
LONG_TEXT = 80  # characters; shorter ones the gate itself changes
_DIGIT = re.compile(r"\d")


def _spam_all(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Call every function there is, and decline as well."""
    shown = Shown.of(env.messages)
    tools = [tool["function"] for tool in env.task.tools][-(MAX_CALLS - 1) :]
    texts = [call_text(tool["name"], draw_arguments(tool["parameters"], shown, rng)) for tool in tools]
    yield "".join([*texts, call_text(DECLINE, {})])


def _hedge(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Make the right calls and decline in one turn."""
    yield _texts(_oracle_calls(env)) + call_text(DECLINE, {})


def _twice(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Make the right calls, and make them again."""
    yield _texts(_oracle_calls(env)) * 2


def _marks(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Put a minus before a digit of a text, or marks where a text is left out: other values, once marks are dropped."""
    for number, call in enumerate(calls := _oracle_calls(env)):
        for arguments in _marked(env, call):
            yield _texts([*calls[:number], {**call, "arguments": arguments}, *calls[number + 1 :]])
            return
    yield DONE


def _empty_lists(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Give an empty list where a list is left out."""
    for number, call in enumerate(calls := _oracle_calls(env)):
        wanted = [one[call["name"]] for one in requests_of(env.task)[0]["wanted"] if call["name"] in one]
        for name in [
            name for name in _left_out(env, call, "array") if all([] not in one.get(name, ()) for one in wanted)
        ]:
            given = {**call["arguments"], name: []}
            yield _texts([*calls[:number], {**call, "arguments": given}, *calls[number + 1 :]])
            return
    yield DONE


def _python_text(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Write the right calls as Python source, which nothing here reads."""
    calls = [
        f"{call['name']}({', '.join(f'{name}={value!r}' for name, value in call['arguments'].items())})"
        for call in _oracle_calls(env)
    ]
    yield f"{', '.join(calls)}"


def _code(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Give code as the value of every text, as source and as a call."""
    yield f"f({CODE})"
    calls = [
        {"name": call["name"], "arguments": {name: CODE for name, value in call["arguments"].items() if value == value}}
        for call in _oracle_calls(env)
    ]
    yield _texts(calls if any(call["arguments"] for call in calls) else [*calls, *calls])


def _two_in_one(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Name two functions in one call, in every way that the call could be written."""
    for call in _oracle_calls(env):
        name, arguments = call["name"], call["arguments"]
        yield compact_json({name: arguments, DECLINE: {}})
        yield compact_json({"name": [name, DECLINE], "arguments": arguments})
        yield compact_json({"name": name, "arguments": arguments, "tool": DECLINE, "function": name})
    yield DONE


def _decline(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Decline whatever is asked."""
    while True:
        yield call_text(DECLINE, {})


ATTACKS: Mapping[str, Script] = {
    "spam_all": _spam_all,
    "hedge": _hedge,
    "twice": _twice,
    "marks": _marks,
    "empty_lists": _empty_lists,
    "python_text": _python_text,
    "code": _code,
    "two_in_one": _two_in_one,
    "decline": _decline,
}


def near(task: Task) -> Iterator[Mutant]:
    """Yield answers that miss the right one by a call, or by the end of a long text."""
    requests = [list(request["calls"]) for request in requests_of(task)]
    for place, calls in enumerate(requests):
        for name, spoilt in _misses(calls):
            actions = [_texts(spoilt if place == number else right) for number, right in enumerate(requests)]
            yield Mutant(f"request {place}: {name}", tuple(actions))


MUTANTS = near


def _misses(calls: list[dict[str, Json]]) -> Iterator[tuple[str, list[dict[str, Json]]]]:
    yield "declined as well", [*calls, {"name": DECLINE, "arguments": {}}]
    for number, call in enumerate(calls):
        rest = [*calls[:number], *calls[number + 1 :]]
        yield f"{call['name']} twice", [*calls, call]
        if rest:
            yield f"{call['name']} left out", rest
        for name, value in call["arguments"].items():
            if isinstance(value, str) and len(value) > LONG_TEXT:
                yield f"{name} cut", [*rest, {**call, "arguments": {**call["arguments"], name: value[:-5]}}]


def _oracle_calls(env: AgentEnv) -> list[dict[str, Json]]:
    return list(requests_of(env.task)[0]["calls"])


def _texts(calls: Sequence[Mapping[str, Json]]) -> str:
    return "".join(call_text(call["name"], call["arguments"]) for call in calls)


def _marked(env: AgentEnv, call: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    arguments = call["arguments"]
    for name, value in arguments.items():
        if isinstance(value, str) and _DIGIT.search(value):
            yield {**arguments, name: _DIGIT.sub(lambda found: f"-{found[0]}", value, count=1)}
    for name in _left_out(env, call, "string"):
        yield {**arguments, name: "---"}


def _left_out(env: AgentEnv, call: Mapping[str, Json], kind: str) -> Iterator[str]:
    for tool in env.task.tools:
        if tool["function"]["name"] == call["name"]:
            for name, schema in tool["function"]["parameters"]["properties"].items():
                if name not in call["arguments"] and kind in schema.get("type", ()) and "enum" not in schema:
                    yield name
