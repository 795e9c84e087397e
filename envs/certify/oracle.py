"""The oracle under the glass: does it solve the task twice alike, and is every one of its steps needed?"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from palestra.envs.actions import ToolCall, call_text, parse_action
from palestra.envs.base import Json, Message, Task, digest
from palestra.envs.certify.findings import ZERO, Finding
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import SCRIPTS, Episode, Script, play

Use = Literal["acts", "informs", "idle"]
_SHOWN_ACTIONS = 2000  # characters of the oracle's actions in the evidence


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the oracle does: a call, or a saying without one."""

    turn: int
    content: str
    call: ToolCall | None
    reply: str

    @property
    def name(self) -> str:
        """What to call the step in a report."""
        return self.call.name if self.call else f"saying {self.content[:40]!r}"

    @property
    def leaves(self) -> frozenset[str]:
        """The texts and numbers that the step uses, as they would be shown."""
        return frozenset(leaves(self.call.arguments)) if self.call else frozenset([self.content])


@dataclass(frozen=True)
class Recording:
    """The oracle's episode on one task, step by step; other plays of the task are compared with it."""

    env: AgentEnv
    task: Task
    seed: int
    episode: Episode
    steps: tuple[Step, ...]
    told: str  # before the first step

    @classmethod
    def of(cls, env: AgentEnv, task: Task, seed: int) -> "Recording":
        """Play the oracle and keep what it did."""
        episode = play(env, SCRIPTS["oracle"], seed, task)
        messages = env.messages
        first = next(place for place, message in enumerate(messages) if message["role"] == "assistant")
        before = [str(message["content"]) for message in messages[:first]]
        told = "\n".join([*before, json.dumps(task.tools, ensure_ascii=False, default=dict)])
        return cls(env, task, seed, episode, tuple(_steps(messages[first:], episode, task)), told)

    @cached_property
    def acting(self) -> tuple[int, ...]:
        """The places of the steps without which the episode fails."""
        return tuple(number for number in range(len(self.steps)) if self._fails_without(number))

    def play(self, script: Script, seed: int | None = None, *, is_watched: bool = False) -> Episode:
        """Let another script act on the same task."""
        return play(self.env, script, self.seed if seed is None else seed, self.task, is_watched=is_watched)

    def replay(self, actions: Sequence[str]) -> Episode:
        """Take these actions on the same task."""
        return self.play(lambda env, rng: iter(actions))

    def _fails_without(self, number: int) -> bool:
        episode = self.replay(actions_of([*self.steps[:number], *self.steps[number + 1 :]]))
        return not episode.is_success and episode.reward < 1.0 - ZERO


def solvable(env: AgentEnv, task: Task, seed: int) -> tuple[Finding, Recording]:
    """Play the oracle twice: it earns 1 and succeeds, both times with the same bytes."""
    recording = Recording.of(env, task, seed)
    one = recording.episode
    two = recording.play(SCRIPTS["oracle"], is_watched=True)
    evidence: dict[str, Json] = {
        "reward": one.reward,
        "turns": len(one.actions),
        "trace": digest(list(one.stream)),
        "actions": "\n".join(one.actions)[:_SHOWN_ACTIONS],
    }
    if not (one.is_success and math.isclose(one.reward, 1.0, abs_tol=ZERO)):
        manner = f"earned {one.reward:g}" + ("" if one.is_success else " and did not succeed")
        return Finding(False, f"the oracle {manner}", {**evidence, "transcript": one.transcript}), recording
    if one.stream != two.stream:
        turn = next((n for n, (a, b) in enumerate(zip(one.stream, two.stream, strict=False)) if a != b), -1)
        return Finding(False, f"played again, the oracle sees something else at turn {turn}", evidence), recording
    return Finding(True, f"the oracle earns 1 in {len(one.actions)} turns, twice alike", evidence), recording


def necessary(
    recording: Recording, optional: Mapping[str, str], twins: Callable[[Task], Iterable[Task]] = lambda task: ()
) -> Finding:
    """Leave out every step in turn.

    A step acts if the episode fails without it. It informs if it may be left out of a replay, but told a
    value that a later step uses, or if a twin of the task, which is worth nothing to whoever does the same there,
    can be told from it by this step's reply alone. What does neither is idle, and nobody can tell whether the task
    is what it seems; families may declare tools whose calls are, and say why.

    Args:
        recording: of the oracle.
        optional: the names of such tools, with the reason.
        twins: makes tasks that differ from a task in something that one step of the oracle shows.
    """
    uses: list[Json] = []
    found = [_use(recording, number) for number in range(len(recording.steps))]
    proofs = _told_by(recording, twins(recording.task)) if "idle" in found else iter(())
    while "idle" in found and (proven := next(proofs, None)) is not None:
        if found[proven] == "idle":
            found[proven] = "informs"
    for number, (step, use) in enumerate(zip(recording.steps, found, strict=True)):
        uses.append([step.name, use])
        if use == "idle" and step.name not in optional:
            detail = f"the oracle does not need its step {number + 1} of {len(recording.steps)}, {step.name}"
            return Finding(False, detail, {"steps": uses})
    count = {use: sum(used == use for _, used in uses) for use in ("acts", "informs", "idle")}
    told = ", ".join(f"{number} {use}" for use, number in count.items() if number)
    return Finding(True, f"each of {len(uses)} steps is needed ({told})", {"steps": uses})


def actions_of(steps: Sequence[Step]) -> list[str]:
    """Return the actions that take these steps, those of one turn together."""
    turns: dict[int, list[Step]] = {}
    for step in steps:
        turns.setdefault(step.turn, []).append(step)
    return ["".join(map(text_of, turns[turn])) for turn in sorted(turns)]


def text_of(step: Step) -> str:
    """Return a step as action text."""
    return step.content if step.call is None else call_text(step.call.name, step.call.arguments)


def leaves(value: Json) -> Iterator[str]:
    """Yield the texts and numbers in a JSON value, as they would be shown."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from leaves(inner)
    elif not isinstance(value, bool) and value is not None and value != "":
        yield str(value)


def informs(recording: Recording, number: int) -> bool:
    """Tell whether a step shows what a later step uses and nothing else showed before.

    A used value that was never shown was derived from something: every earlier reply may be its source.
    """
    for later in range(number + 1, len(recording.steps)):
        for leaf in recording.steps[later].leaves:
            shown_by = [place for place in range(later) if shows(recording.steps[place].reply, leaf)]
            if not shows(recording.told, leaf) and (not shown_by or shown_by[0] == number):
                return True
    return False


def shows(text: str, leaf: str) -> bool:
    """Tell whether a value stands in a text, not as a part of a longer word."""
    return leaf in text and re.search(rf"(?<!\w){re.escape(leaf)}(?!\w)", text) is not None


def _told_by(recording: Recording, twins: Iterable[Task]) -> Iterator[int]:
    """Yield the places of steps whose reply alone tells a twin of the task in which the same actions fail."""
    for twin in twins:
        other = Recording.of(recording.env, twin, recording.seed)
        if not other.episode.is_success or other.told != recording.told or len(other.steps) != len(recording.steps):
            continue
        pairs = list(zip(recording.steps, other.steps, strict=True))
        alike = [text_of(one) == text_of(two) for one, two in pairs]
        told = [n for n, (one, two) in enumerate(pairs) if alike[n] and one.reply != two.reply]
        if len(told) == 1 and all(alike[: told[0]]):
            episode = other.replay(recording.episode.actions)
            if not episode.is_success and episode.reward <= ZERO:
                yield told[0]


def _use(recording: Recording, number: int) -> Use:
    if number in recording.acting:
        return "acts"
    return "informs" if informs(recording, number) else "idle"


def _steps(messages: Sequence[Message], episode: Episode, task: Task) -> Iterator[Step]:
    replies: list[list[str]] = []
    for message in messages:
        if message["role"] == "assistant":
            replies.append([])
        else:
            replies[-1].append(str(message["content"]))
    for turn, (action, told) in enumerate(zip(episode.actions, replies, strict=True)):
        calls = parse_action(action, task.tools).calls
        if not calls:
            yield Step(turn, action, None, "\n".join(told))
        for call, reply in zip(calls, told, strict=bool(calls)):
            yield Step(turn, "", call, reply)
