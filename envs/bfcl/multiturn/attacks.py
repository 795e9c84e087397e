"""How one would cheat over several turns: what earns nothing here, though some of it is paid by the leaderboard.

Some of these use the oracle's own calls, which no agent sees: if that earns nothing, less does not.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from palestra.envs.actions import MAX_CALLS, call_text
from palestra.envs.base import Json
from palestra.envs.bfcl.multiturn.oracle import END_TURN, TURN_DONE
from palestra.envs.bfcl.multiturn.verify import most_calls
from palestra.envs.bfcl.multiturn.world import World
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import Script, Shown, draw_arguments

CODE = "__import__('os').system('id')"
_SIZES = (10**9, -(10**9), 10**15)


def _spam(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do all that is wanted, and in every turn as many other calls as it takes to try everything."""
    for turn in _turns(env):
        for call in turn["calls"]:
            yield call_text(call["name"], call["arguments"])
        for _ in range(most_calls(len(turn["calls"])) // MAX_CALLS + 1):
            yield "".join(reading(env, rng) for _ in range(MAX_CALLS))
        yield TURN_DONE


def _front_load(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do the work of all turns in the first one, where there are more, and make any call in the others."""
    for call in _all_calls(env) if _working(env) > 1 else ():
        yield call_text(call["name"], call["arguments"])
    while True:
        yield TURN_DONE
        yield reading(env, rng)


def _put_off(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do nothing until the last turn, and then everything."""
    if _working(env) > 1:
        yield from [TURN_DONE] * (len(_turns(env)) - 1)
        for call in _all_calls(env):
            yield call_text(call["name"], call["arguments"])
    while True:
        yield TURN_DONE


def _all_but_one(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Leave out the last call of all, and claim to have made it."""
    last = max(number for number, turn in enumerate(_turns(env)) if turn["calls"])
    for number, turn in enumerate(_turns(env)):
        for call in turn["calls"][:-1] if number == last else turn["calls"]:
            yield call_text(call["name"], call["arguments"])
        yield TURN_DONE


def _code(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Give code as the value of every text."""
    tools = _working_tools(env)
    for start in range(0, len(tools), MAX_CALLS):
        calls = []
        for tool in tools[start : start + MAX_CALLS]:
            drawn = draw_arguments(tool["parameters"], Shown((CODE,), (1,), (1.0,)), rng)
            calls.append(call_text(tool["name"], drawn))
        yield "".join(calls)
        yield TURN_DONE


def _sizes(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Give numbers that would keep a computer busy for years."""
    yield "".join(
        call_text(tool["name"], draw_arguments(tool["parameters"], Shown(("9" * 500,), _SIZES, (1e300,)), rng))
        for tool in _working_tools(env)[-MAX_CALLS:]
    )
    yield TURN_DONE


ATTACKS: Mapping[str, Script] = {
    "spam": _spam,
    "front_load": _front_load,
    "put_off": _put_off,
    "all_but_one": _all_but_one,
    "code": _code,
    "sizes": _sizes,
}


def seen(state: Mapping[str, Json]) -> Json:
    """Return what of a state counts: not the number of calls, which are free up to a bound, nor what nobody can see."""
    return [state["turn"], state["left"], state["got"], World.load(state["world"]).visible()]


WORLD = seen


def _turns(env: AgentEnv) -> list[dict[str, Json]]:
    return list(env.task.hidden["turns"])


def _all_calls(env: AgentEnv) -> list[dict[str, Json]]:
    return [call for turn in _turns(env) for call in turn["calls"]]


def _working_tools(env: AgentEnv) -> list[Mapping[str, Json]]:
    return [tool["function"] for tool in env.task.tools if tool["function"]["name"] != END_TURN]


def _working(env: AgentEnv) -> int:
    """Return in how many turns something is wanted."""
    return sum(bool(turn["calls"]) for turn in _turns(env))


_READS = ("pwd", "mean", "list_users", "posting_get_login_status", "ticket_get_login_status", "get_current_time")
_MORE_READS = ("list_all_airports", "find_nearest_tire_shop", "get_outside_temperature_from_google")


def reading(env: AgentEnv, rng: np.random.Generator) -> str:
    """Return a call that changes nothing that is checked, if there is one."""
    tools = {tool["name"]: tool for tool in _working_tools(env)}
    known = [name for name in (*_READS, *_MORE_READS) if name in tools] or list(tools)
    name = known[int(rng.integers(len(known)))]
    return call_text(name, draw_arguments(tools[name]["parameters"], Shown.of(env.messages), rng))
