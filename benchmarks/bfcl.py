"""BFCL's tasks under our rules, under its rules as we wrote them anew, and under the package's own checkers.

Does our rewriting of BFCL's single-turn rules answer as the package does, for right answers and for many that
are nearly right? Where do our own rules answer otherwise? And what do known ways of cheating earn, here and
there? Needs the package `bfcl-eval`.

    python benchmarks/bfcl.py [--quick] [--json]
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import machine
import numpy as np

from palestra.envs.actions import MAX_CALLS, call_text, parse_action
from palestra.envs.bfcl import package
from palestra.envs.bfcl.agreement.checkers import evaluated, multi_turn, single_turn, source
from palestra.envs.bfcl.agreement.compare import COMPARED, judge_all
from palestra.envs.bfcl.multiturn import attacks as multi_attacks
from palestra.envs.bfcl.multiturn import load as multi
from palestra.envs.bfcl.multiturn.env import MultiTurnEnv
from palestra.envs.bfcl.multiturn.oracle import TURN_DONE
from palestra.envs.bfcl.multiturn.world import World
from palestra.envs.bfcl.schema import tool_name
from palestra.envs.bfcl.singleturn import attacks as single_attacks
from palestra.envs.bfcl.singleturn import load as single
from palestra.envs.bfcl.singleturn.env import SingleTurnEnv
from palestra.envs.bfcl.singleturn.verify import DECLINE
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import SCRIPTS, Script, play

SPAM = 50  # calls a turn beside the wanted ones
KNOBS = {"category": "any", "paired": True}
Rows = list[dict[str, Any]]


def agreement(every: int) -> dict[str, Any]:
    """Judge every answer for one in so many entries, three times."""
    start = time.perf_counter()
    counts, laxer, stricter = Counter[tuple[str, bool]](), Counter[str](), Counter[str]()
    differences: Rows = []
    for judged in judge_all(every):
        counts[judged.category, judged.agrees] += 1
        if not judged.agrees:
            differences.append(
                {
                    "entry": judged.entry,
                    "answer": judged.answer,
                    "package": judged.theirs,
                    "compatible": judged.compatible,
                    "calls": [[name, arguments] for name, arguments in judged.calls],
                    "reason": judged.reason,
                }
            )
        if judged.ours and not judged.theirs:
            laxer[judged.answer] += 1
        if judged.theirs and not judged.ours:
            stricter[judged.answer] += 1
    rows = [
        {"category": name, "answers": counts[name, True] + counts[name, False], "agree": counts[name, True]}
        for name in COMPARED
    ]
    return {
        "categories": rows,
        "answers": sum(row["answers"] for row in rows),
        "agree": sum(row["agree"] for row in rows),
        "differences": differences,
        "reasons": dict(Counter(difference["reason"] for difference in differences)),
        "only ours accept": dict(laxer.most_common()),
        "only BFCL accepts": dict(stricter.most_common()),
        "seconds": round(time.perf_counter() - start, 1),
    }


def solved(every: int) -> dict[str, Any]:
    """Play the oracle and a policy that says nothing on one in so many tasks."""
    start = time.perf_counter()
    told: dict[str, Any] = {}
    for name, env, tasks in families(every):
        for script in ("oracle", "nop"):
            episodes = [play(env, SCRIPTS[script], seed, task) for seed, task in enumerate(tasks)]
            told[f"{name}, {script}"] = {
                "tasks": len(episodes),
                "solved": sum(episode.is_success for episode in episodes),
                "reward": round(sum(episode.reward for episode in episodes), 9),
            }
    return {**told, "seconds": round(time.perf_counter() - start, 1)}


def families(every: int) -> Iterator[tuple[str, AgentEnv, list[Any]]]:
    """Yield both families' environments with one in so many of their tasks, of both splits."""
    for name, env, load in (("single turn", SingleTurnEnv(), single), ("multi turn", MultiTurnEnv(), multi)):
        posed = [(item, split) for split in ("train", "heldout") for item in load.items(split)][::every]
        yield name, env, [load.task(item, seed, split, KNOBS) for seed, (item, split) in enumerate(posed)]


def attacks(every: int) -> Rows:
    """Carry out what is known to fool BFCL, here and there; a row says how many tasks each wins of how many."""
    rows: Rows = []
    tasks = {name: (env, tasks) for name, env, tasks in families(every)}
    for family, ways in (("multi turn", MULTI), ("single turn", SINGLE)):
        env, posed = tasks[family]
        for name, (script, theirs) in ways.items():
            tried = [(seed, task) for seed, task in enumerate(posed) if (told := theirs(task)) is not None]
            won = [play(env, script, seed, task).reward > 1e-9 for seed, task in tried]
            told = [theirs(task) for _, task in tried]
            rows.append(
                {"family": family, "attack": name, "tasks": len(tried), "ours": sum(won), "bfcl": sum(map(bool, told))}
            )
    return rows


def code() -> dict[str, str]:
    """Return what comes of a sum in an argument: the package works it out, here it stays a text."""
    world = World.create(["GorillaFileSystem"], {}, long_context=False)
    return {"bfcl": evaluated("echo(content=str(6*7))"), "ours": world.call("echo", {"content": "str(6*7)"})[0]}


def _entry(task: Any) -> tuple[Mapping[str, Any], str]:
    name, category = task.provenance["entry"], task.public["category"]
    folder = f"multi_turn_{category}" if task.family == multi.FAMILY else category
    return next(entry for entry in package.entries(folder) if entry["id"] == name), category


def _their_turns(make: Callable[[list[list[str]]], list[list[list[str]]] | None]) -> Callable[[Any], bool | None]:
    """Return what BFCL's multi-turn checker says of turns made of the wanted ones, or None where there are none."""

    def judged(task: Any) -> bool | None:
        made = make([[source(call) for call in turn["calls"]] for turn in task.hidden["turns"]])
        if made is None:
            return None
        entry, category = _entry(task)
        return bool(multi_turn(entry, category, made))

    return judged


def _spam(turns: list[list[str]]) -> list[list[list[str]]]:
    surplus = ["pwd()", "mean(numbers=[1])", "get_current_time()", "list_users()", "displayCarStatus(option='fuel')"]
    return [[turn, (surplus * SPAM)[:SPAM]] if turn else [] for turn in turns]


def _front_load(turns: list[list[str]]) -> list[list[list[str]]] | None:
    if sum(map(bool, turns)) < 2:
        return None
    every = [call for turn in turns for call in turn]
    return [[every] if number == 0 else [["pwd()"]] for number in range(len(turns))]


def _spam_ours(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    for turn in env.task.hidden["turns"]:
        yield from (call_text(call["name"], call["arguments"]) for call in turn["calls"])
        for _ in range(SPAM // MAX_CALLS + 1):
            yield "".join(multi_attacks.reading(env, rng) for _ in range(MAX_CALLS))
        yield TURN_DONE


def _silent(turns: list[list[str]]) -> list[list[list[str]]]:
    return [[] for _ in turns]


def _their_calls(script: Script, beside: str = "") -> Callable[[Any], bool | None]:
    """Return what BFCL's single-turn checker says of the calls that a script makes first, if it makes any."""
    env = SingleTurnEnv()

    def judged(task: Any) -> bool | None:
        entry, category = _entry(task)
        if len(task.hidden["requests"]) > 1 or category in single.IRRELEVANT:
            return None
        env.reset(options={"task": task})
        calls = parse_action(next(script(env, np.random.default_rng(0))), task.tools).calls
        names = {tool_name(document["name"]): document["name"] for document in entry["function"]}
        given = [(names[call.name], call.arguments) for call in calls if call.name != DECLINE]
        return bool(single_turn(entry, category, given, beside)) if given else None

    return judged


def _single(name: str) -> tuple[Script, Callable[[Any], bool | None]]:
    return single_attacks.ATTACKS[name], _their_calls(single_attacks.ATTACKS[name])


MULTI: Mapping[str, tuple[Script, Callable[[Any], bool | None]]] = {
    "say nothing": (SCRIPTS["nop"], _their_turns(_silent)),
    f"the wanted calls and {SPAM} more a turn": (_spam_ours, _their_turns(_spam)),
    "all turns' calls in the first, any call in the others": (
        multi_attacks.ATTACKS["front_load"],
        _their_turns(_front_load),
    ),
}
SINGLE: Mapping[str, tuple[Script, Callable[[Any], bool | None]]] = {
    "a minus before a digit, or '---' for what is left out": _single("marks"),
    "[] for what is left out": _single("empty_lists"),
    "two functions in one call": (single_attacks.ATTACKS["two_in_one"], _their_calls(SCRIPTS["oracle"], "rm_rf")),
    "every call twice": _single("twice"),
}


def show(result: Mapping[str, Any]) -> None:
    """Print the result as tables."""
    told = result["agreement"]
    print(f"{told['agree']} of {told['answers']} answers are judged alike by the package and by our form of its rules")
    for row in told["categories"]:
        print(f"  {row['category']:24}{row['agree']:7} of {row['answers']}")
    for reason, number in told["reasons"].items():
        print(f"{number} differ: {reason}")
        for one in (one for one in told["differences"] if one["reason"] == reason):
            print(f"  {one['entry']:22}{one['answer']:28}package {one['package']}, compatible {one['compatible']}")
    for name in ("only ours accept", "only BFCL accepts"):
        print(f"{name}: " + ", ".join(f"{answer} {number}" for answer, number in told[name].items()))
    for name, row in result["solved"].items():
        if isinstance(row, Mapping):
            print(f"{name}: {row['solved']} of {row['tasks']} tasks, reward {row['reward']:g}")
    print(f"{'attack':58}{'tasks':>7}{'ours':>7}{'BFCL':>7}")
    for row in result["attacks"]:
        print(f"{row['attack']:58}{row['tasks']:7}{row['ours']:7}{row['bfcl']:7}")
    print("code in an argument: " + ", ".join(f"{who} {told}" for who, told in result["code in an argument"].items()))
    print(machine.line(result["machine"]))


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the entries")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    chosen = parser.parse_args(words)
    every = 10 if chosen.quick else 1
    result = {
        "machine": machine.describe(),
        "agreement": agreement(every),
        "solved": solved(every),
        "attacks": attacks(every),
        "code in an argument": code(),
    }
    if chosen.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        show(result)


if __name__ == "__main__":
    main()
