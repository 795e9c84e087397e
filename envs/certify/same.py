"""What must not matter: how an action is written down, the order of what is independent, the names of things."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from palestra.envs.actions import parse_action
from palestra.envs.base import Json, Task
from palestra.envs.certify.findings import ZERO, Finding
from palestra.envs.certify.oracle import Recording, Step, actions_of, shows
from palestra.envs.scripts import SCRIPTS, Script

_NAME = re.compile(r"\w*[^\W\d_]\w*")  # a word with a letter in it: numbers may be worked out
_LONGEST_NAME = 80

Variant = Callable[[Task, np.random.Generator], Task]


def reformatted(recording: Recording) -> Finding:
    """Write the oracle's actions otherwise: every turn must pay the same."""
    wanted = recording.episode.rewards
    ways = {"spaced JSON": _spaced, "plain JSON": _plain, "an assistant message": _message}
    for name, way in ways.items():
        rewards = _paid(recording, [way(action, recording.task) for action in recording.episode.actions])
        if rewards != wanted:
            return Finding(False, f"as {name} the oracle earns {sum(rewards):g}, turn by turn {list(rewards)}")
    return Finding(True, f"the oracle earns the same as {', '.join(ways)}")


def reordered(recording: Recording) -> Finding:
    """Swap neighbours that only read and do not tell each other anything: the episode must be worth the same."""
    acts, count = set(recording.acting), 0
    for one in range(len(recording.steps) - 1):
        if {one, one + 1} & acts or _depends(recording, one):
            continue
        order = list(recording.steps)
        order[one], order[one + 1] = _moved(order[one + 1], order[one].turn), _moved(order[one], order[one + 1].turn)
        episode = recording.replay(actions_of(order))
        count += 1
        if not (episode.is_success and math.isclose(episode.reward, 1.0, abs_tol=ZERO)):
            names = f"{recording.steps[one].name} and {recording.steps[one + 1].name}"
            return Finding(False, f"with {names} swapped the oracle earns {episode.reward:g}")
    return Finding(True, f"{count} pairs of independent neighbours may be swapped")


def otherwise(recording: Recording, equivalents: Mapping[str, Script]) -> Finding:
    """Play the family's other tellings of the oracle: each must earn 1."""
    for name, script in equivalents.items():
        episode = recording.play(script)
        if not (episode.is_success and math.isclose(episode.reward, 1.0, abs_tol=ZERO)):
            return Finding(
                False, f"as {name!r} the oracle earns {episode.reward:g}", {"transcript": episode.transcript}
            )
    return Finding(True, f"{len(equivalents)} other tellings of the oracle earn 1")


def renamed(recording: Recording, variants: Mapping[str, Variant], rng: np.random.Generator) -> Finding:
    """Play the task under other names: its own oracle earns 1 in as many turns, and doing nothing 0.

    A name that the oracle uses must have been shown before: an oracle that knows it from elsewhere proves
    nothing, because nobody else can solve the task.
    """
    for name, variant in variants.items():
        other = Recording.of(recording.env, variant(recording.task, rng), recording.seed)
        idle = other.play(SCRIPTS["nop"])
        if other.episode.rewards != recording.episode.rewards or not other.episode.is_success:
            return Finding(False, f"with {name} the oracle earns {list(other.episode.rewards)}")
        if word := _foreseen(recording, other):
            return Finding(False, f"with {name} the oracle uses {word!r}, which nothing has shown")
        if idle.is_success or idle.reward > ZERO:
            return Finding(False, f"with {name} doing nothing earns {idle.reward:g}")
    return Finding(True, f"worth the same with {', '.join(variants)}")


def _foreseen(recording: Recording, other: Recording) -> str:
    """Return a name that the other oracle uses in place of the first one's before it was shown, if it does."""
    told = other.told
    for step, twin in zip(recording.steps, other.steps, strict=False):
        for leaf in sorted(twin.leaves - step.leaves):
            words: list[str] = _NAME.findall(leaf) if len(leaf) <= _LONGEST_NAME else []
            if unknown := [word for word in words if not shows(told, word)]:
                return unknown[0]
        told += f"\n{twin.reply}"
    return ""


def _paid(recording: Recording, actions: Sequence[Any]) -> tuple[float, ...]:
    env = recording.env
    env.reset(seed=recording.seed, options={"task": recording.task})
    return tuple(float(env.step(action)[1]) for action in actions)


def _spaced(action: str, task: Task) -> str:
    return "".join(f"<tool_call>\n{text}\n</tool_call>\n" for text in _texts(action, task, indent=2)) or action


def _plain(action: str, task: Task) -> str:
    texts = list(_texts(action, task, indent=None))
    return (f"[{', '.join(texts)}]" if len(texts) > 1 else "".join(texts)) or action


def _texts(action: str, task: Task, indent: int | None) -> Iterator[str]:
    """Yield the calls' JSON with its keys the other way round and everything but ASCII escaped."""
    for call in parse_action(action, task.tools).calls:
        arguments = dict(reversed(list(call.arguments.items())))
        yield json.dumps({"arguments": arguments, "name": call.name}, indent=indent)


def _message(action: str, task: Task) -> dict[str, Json]:
    message = parse_action(action, task.tools).message(0)
    return message if "tool_calls" in message else {"role": "assistant", "content": action}


def _depends(recording: Recording, one: int) -> bool:
    first, second = recording.steps[one], recording.steps[one + 1]
    return any(shows(first.reply, leaf) and not shows(recording.told, leaf) for leaf in second.leaves)


def _moved(step: Step, turn: int) -> Step:
    return Step(turn, step.content, step.call, step.reply)
