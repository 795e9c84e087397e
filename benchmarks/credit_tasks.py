"""Tasks of real environments with some actions to choose from: those of the solution, and others that are wrong."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Any, Final

from credit_play import Play, width_of

import palestra
from palestra.envs.actions import call_text
from palestra.envs.env import AgentEnv

SPARE_TURNS: Final = 1  # beyond the solution's
MOST_CALLS: Final = 5  # of a solution
_USABLE: Final = re.compile(r"\[(\d+)\] (?:button|link|tab|checkbox|radio|menuitem)")


def plays(env_id: str, count: int, actions: int, knobs: Mapping[str, Any], first: int = 0) -> list[Play]:
    """Return tasks of an environment, of the first seeds whose solutions are short enough.

    Args:
        actions: to choose from in each task, those of the solution included; these are at most `MOST_CALLS`.
        first: seed that is tried.
    """
    env: AgentEnv = palestra.make(env_id, shaping="progress")
    found = list[Play]()
    for seed in range(first, first + 200):
        if len(found) == count:
            break
        observation, _ = env.reset(seed=seed, options={"difficulty": dict(knobs)})
        task, right = env.task, list(dict.fromkeys(env.oracle()))
        if len(right) > min(MOST_CALLS, actions - 1) or env.step(right[-1])[4]["reward_parts"].get("outcome"):
            continue  # too long, or won by its last action alone
        others = (one for one in _wrong(env_id, task.public, observation, seed) if one not in right)
        offered = [*right, *islice(others, actions - len(right))]
        Random(f"{env_id}/{seed}").shuffle(offered)
        short = replace(task, budget=replace(task.budget, turns=len(right) + SPARE_TURNS))
        found.append(Play(env, short, offered, len(found), width_of(count, actions)))
    if len(found) < count or any(len(one.actions) != actions for one in found):
        raise ValueError(f"{env_id} has no {count} tasks of {actions} actions with {dict(knobs)}; take more actions")
    return found


def numbered(groups: Sequence[Sequence[Play]]) -> None:
    """Give tasks of several draws their places in one policy; none of them was played yet."""
    every = [one for group in groups for one in group]
    for number, one in enumerate(every):
        one.number, one.width = number, width_of(len(every), len(one.actions))


def _wrong(env_id: str, public: Mapping[str, Any], observation: str, seed: int) -> Iterator[str]:
    """Yield actions that could be tried, and are of no use unless the solution has them too."""
    if "Web" in env_id:
        yield call_text("report_infeasible", {})
        yield from (call_text("click", {"bid": bid}) for bid in _USABLE.findall(observation))
        yield from (call_text("goto", {"url": f"/{number}"}) for number in range(20))
    elif "Terminal" in env_id:
        yield call_text("bash", {"command": "ls -la"})
        yield call_text("bash", {"command": "rm -rf /workspace/*"})
        yield call_text("bash", {"command": "cat *"})
    else:
        other = palestra.make(env_id)
        for number in range(1000 + 50 * seed, 1050 + 50 * seed):
            other.reset(seed=number, options={"difficulty": {"domain": public["domain"]}})
            yield from other.oracle()
