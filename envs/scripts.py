"""Scripted behaviours: what an environment must pay, and what it must not.

A script is a function of a live environment and a random generator; it yields the text of one action
after another and may look at the conversation between two of them. Scripts never end by themselves
unless they run out of moves: `play` stops them when the episode is over.
"""

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from palestra.envs.actions import call_text, fits
from palestra.envs.base import Json, Message, Task, canonical_json
from palestra.envs.env import AgentEnv

Script = Callable[[AgentEnv, np.random.Generator], Iterator[str]]

DONE = "I am done."
_SHOWN_CHARS = 20_000  # the newest part of the conversation that random values are drawn from
_WORD = re.compile(r"[A-Za-z0-9][\w@.:/#+-]*")
_WHOLE, _DECIMAL = re.compile(r"\d{1,15}"), re.compile(r"\d{1,15}\.\d{1,6}")
_QUOTED = re.compile(r'"([^"\n\\]{1,80})"')
_SPAN = 2**53  # of a drawn number, at most
_TRIES = 20  # draws for a schema whose constraints plain drawing may miss, such as a pattern


def oracle(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do what the environment's own reference solver does."""
    yield from env.oracle()


def nop(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Claim to be done, turn after turn, and do nothing."""
    while True:
        yield DONE


def random_calls(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Call random tools with schema-valid arguments, or now and then say a word.

    Values come from what the conversation has shown and from small pools, so that the calls reach
    real records: a floor for chance that means something.
    """
    while True:
        shown = Shown.of(env.messages)
        tools = env.task.tools
        pick = int(rng.integers(len(tools) + 1))
        if pick == len(tools):
            yield shown.text(rng)
        else:
            function = tools[pick]["function"]
            yield call_text(function["name"], draw_arguments(function["parameters"], shown, rng))


SCRIPTS: dict[str, Script] = {"oracle": oracle, "nop": nop, "random": random_calls}


@dataclass(frozen=True, slots=True)
class Shown:
    """The values that a conversation has put before the agent, each once, in order."""

    texts: tuple[str, ...]
    integers: tuple[int, ...]
    numbers: tuple[float, ...]

    @classmethod
    def of(cls, messages: Sequence[Message]) -> "Shown":
        told = [str(m.get("content") or "") for m in messages if m.get("role") in ("user", "tool")]
        text = "\n".join(told)[-_SHOWN_CHARS:]
        words = dict.fromkeys(word.rstrip(".:/") for word in dict.fromkeys(_WORD.findall(text)))
        numbers = [word for word in words if word[:1].isdecimal()]
        whole = [int(word) for word in numbers if _WHOLE.fullmatch(word)]
        parts = [float(word) for word in numbers if _DECIMAL.fullmatch(word)]
        return cls(
            tuple(dict.fromkeys([*_QUOTED.findall(text), *words, "", "a", "done"])),
            tuple(dict.fromkeys([*whole, -1, 0, 1, 2, 3, 10, 100])),
            tuple(dict.fromkeys([*parts, *map(float, whole), 0.0, 0.5, 1.0])),
        )

    def text(self, rng: np.random.Generator) -> str:
        return self.texts[int(rng.integers(len(self.texts)))]


def draw_arguments(schema: Mapping[str, Json], shown: Shown, rng: np.random.Generator) -> dict[str, Json]:
    """Return random arguments that fit a tool's JSON Schema.

    Constraints that drawing by type does not see (patterns, lengths) are met by drawing again; should
    that fail as well, the last draw is returned and the environment will say what is wrong with it.
    """
    value: dict[str, Json] = {}
    for _ in range(_TRIES):
        value = _draw_object(schema, shown, rng)
        if fits(value, schema):
            break
    return value


def _draw(schema: Mapping[str, Json], shown: Shown, rng: np.random.Generator) -> Json:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][int(rng.integers(len(schema["enum"])))]
    if "default" in schema and rng.random() < 0.5:
        return schema["default"]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return _draw(schema[choice][int(rng.integers(len(schema[choice])))], shown, rng)
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[int(rng.integers(len(kinds)))]
    return _DRAW[kind](schema, shown, rng)


def _draw_object(schema: Mapping[str, Json], shown: Shown, rng: np.random.Generator) -> dict[str, Json]:
    required = schema.get("required", ())
    made = {}
    for name, part in schema.get("properties", {}).items():
        if name in required or rng.random() < 0.5:
            made[name] = _draw(part, shown, rng)
    return made


def _draw_array(schema: Mapping[str, Json], shown: Shown, rng: np.random.Generator) -> list[Json]:
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", least + 3), least + 3)
    return [_draw(schema.get("items", {}), shown, rng) for _ in range(int(rng.integers(least, most + 1)))]


def _draw_integer(schema: Mapping[str, Json], shown: Shown, rng: np.random.Generator) -> int:
    low, high = _range(schema)
    fitting = [value for value in shown.integers if low <= value <= high]
    if fitting and rng.random() < 0.8:
        return fitting[int(rng.integers(len(fitting)))]
    first, last = math.ceil(low), math.floor(high)
    return first + int(rng.integers(max(1, min(last - first + 1, _SPAN))))


def _draw_number(schema: Mapping[str, Json], shown: Shown, rng: np.random.Generator) -> float:
    low, high = _range(schema)
    fitting = [value for value in shown.numbers if low <= value <= high]
    if fitting and rng.random() < 0.8:
        return fitting[int(rng.integers(len(fitting)))]
    value = float(rng.uniform(low, min(high, low + _SPAN)))
    return rounded if low <= (rounded := round(value, 3)) <= high else value


def _range(schema: Mapping[str, Json]) -> tuple[float, float]:
    """Return the bounds to draw from, as exact as given; a missing one is a hundred from the other, or from 0."""
    lows = [schema[name] for name in ("minimum", "exclusiveMinimum") if name in schema]
    highs = [schema[name] for name in ("maximum", "exclusiveMaximum") if name in schema]
    low = max(lows, default=min([0, *(high - 100 for high in highs)]))
    return low, max(low, min(highs, default=low + 100))


_DRAW: dict[str, Callable[[Mapping[str, Json], Shown, np.random.Generator], Json]] = {
    "string": lambda schema, shown, rng: shown.text(rng),
    "integer": _draw_integer,
    "number": _draw_number,
    "boolean": lambda schema, shown, rng: bool(rng.integers(2)),
    "null": lambda schema, shown, rng: None,
    "array": _draw_array,
    "object": _draw_object,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode as a script played it."""

    task_id: str
    task_digest: str
    seed: int
    reward: float
    is_success: bool
    actions: tuple[str, ...]
    rewards: tuple[float, ...]  # one for each action
    state_keys: tuple[str, ...]  # at the start and after each action
    stream: tuple[str, ...]  # if watched, a hash of everything shown and paid, at the start and after each action
    transcript: str  # empty unless the environment renders "ansi"


def play(env: AgentEnv, script: Script, seed: int, task: Task | None = None, *, is_watched: bool = True) -> Episode:
    """Reset the environment and let a script act until the episode is over.

    A script that runs out of moves claims to be done for the turns that are left.

    Args:
        env: where.
        script: who acts.
        seed: of the task, and of the script's own choices.
        task: to play instead of the seed's.
        is_watched: whether what is shown is hashed; without it the episode's stream is empty.

    Raises:
        InfraError, VerifierError: the episode could not be carried out or judged; it has no reward.
        RuntimeError: the environment goes on after its budget of turns.
    """
    observation, info = env.reset(seed=seed, options=None if task is None else {"task": task})
    moves = script(env, np.random.default_rng(seed))
    seen = _Seen()
    stream, keys = [seen.hashed(observation, 0.0, info)] if is_watched else [], [str(info["state_key"])]
    actions: list[str] = []
    rewards: list[float] = []
    over = False
    while not over:
        overdue(env.task, len(actions))
        action = next(moves, DONE)
        observation, reward, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        actions.append(action)
        rewards.append(float(reward))
        if is_watched:
            stream.append(seen.hashed(observation, reward, info))
        keys.append(str(info["state_key"]))
    return Episode(
        task_id=env.task.id,
        task_digest=env.task.digest,
        seed=seed,
        reward=sum(rewards),
        is_success=bool(info["is_success"]),
        actions=tuple(actions),
        rewards=tuple(rewards),
        state_keys=tuple(keys),
        stream=tuple(stream),
        transcript=env.render() or "",
    )


def overdue(task: Task, turns: int) -> None:
    """Raise RuntimeError if an episode has had all the turns of its budget and is not over."""
    if turns >= task.budget.turns:
        raise RuntimeError(f"{task.id!r} is not over after {turns} turns, which is its whole budget")


def replay(env: AgentEnv, actions: Sequence[str]) -> list[str]:
    """Take the actions from where the environment stands and return the stream that they produce."""
    stream, seen = [], _Seen()
    for action in actions:
        observation, reward, _, _, info = env.step(action)
        stream.append(seen.hashed(observation, reward, info))
    return stream


class _Seen:
    """Hashes what an agent was shown and paid, turn by turn, and writes what stays the same only once.

    The hash is `digest` of the observation, the reward and a dict of what `info` has beside the outcome and the id.
    """

    def __init__(self) -> None:
        self._known: dict[str, list[tuple[Json, str]]] = {"messages": [], "tools": []}

    def hashed(self, observation: str, reward: float, info: Mapping[str, Any]) -> str:
        """Return the hash of one turn."""
        first, then = (
            canonical_json({name: info[name] for name in names})[1:-1]
            for names in (("error", "is_success"), ("reward_parts", "state_key"))
        )
        messages, tools = (self._text(name, info[name]) for name in ("messages", "tools"))
        told = f'{{{first},"messages":{messages},{then},"tools":{tools}}}'
        text = f"[{canonical_json([observation, reward])[1:-1]},{told}]"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def _text(self, name: str, value: Sequence[Json]) -> str:
        known = self._known[name]
        for place, item in enumerate(value):
            if place == len(known):
                known.append((item, canonical_json(item)))
            elif known[place][0] is item or known[place][0] != item:  # the same object may have been changed
                known[place] = (item, canonical_json(item))
        return f"[{','.join(text for _, text in known[: len(value)])}]"
