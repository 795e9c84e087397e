"""A small policy in real environments: it chooses among some actions of a task, all that can come of them kept.

The actions of a task are those of its reference solution and others that are wrong there. The policy is a softmax over
them, linear in features of the action and of the conversation. Environments are deterministic, so what came of an
action after the same actions before is kept and not done again: a step counts as a step whether it was kept or not.
"""

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from palestra.envs.base import Snapshot, Task
from palestra.envs.env import AgentEnv
from palestra.rewards.base import Scored, Trajectory, Turn

Floats = npt.NDArray[np.float64]
SHARED: Final = 96  # hashed features, alike in all tasks
_WORD: Final = re.compile(r"[A-Za-z0-9@._-]{2,}")


@dataclass(slots=True, eq=False)
class Moment:
    """What is known after some actions on a task: the environment then, and what came of each action."""

    snapshot: Snapshot
    state_key: str
    inputs: Floats  # (actions, features)
    done: tuple[int, ...]  # actions before
    told: str  # all that was replied, in one text
    after: dict[int, "tuple[float, float, Moment | None]"] = field(default_factory=dict)  # outcome, progress, then


@dataclass(eq=False)
class Play:
    """A task with the actions to choose from; `number` is its place among the tasks of an experiment."""

    env: AgentEnv  # paid with shaping "progress"
    task: Task
    actions: Sequence[str]
    number: int
    width: int  # of features
    is_known: bool = True  # whether the policy has a feature for each action of each task

    @cached_property
    def start(self) -> Moment:
        """The beginning of an episode."""
        observation, info = self.env.reset(seed=0, options={"task": self.task})
        return self._moment((), observation, info)

    def step(self, at: Moment, action: int) -> tuple[float, float, Moment | None]:
        """Return what an action paid as outcome and as progress, and what it led to; None at the end."""
        if action not in at.after:
            self.env.restore(at.snapshot)
            observation, _, terminated, truncated, info = self.env.step(self.actions[action])
            parts: Mapping[str, float] = info["reward_parts"]
            is_over = terminated or truncated
            then = None if is_over else self._moment((*at.done, action), f"{at.told}\n{observation}", info)
            at.after[action] = parts.get("outcome", 0.0), parts.get("progress", 0.0), then
        return at.after[action]

    def _moment(self, done: tuple[int, ...], told: str, info: Mapping[str, Any]) -> Moment:
        latest = str(info["messages"][-1]["content"])
        rows = [self._features(number, done, told, latest) for number in range(len(self.actions))]
        return Moment(self.env.snapshot(), info["state_key"], np.array(rows), done, told)

    def _features(self, number: int, done: tuple[int, ...], told: str, latest: str) -> list[float]:
        """Return what the policy sees of an action; nothing of it tells whether the action is right."""
        name, arguments = _read(self.actions[number])
        row = [0.0] * self.width
        shown = _element(arguments, latest)
        before = _read(self.actions[done[-1]])[0] if done else ""
        words = set(_WORD.findall(f"{arguments} {shown}".lower()))
        asked = set(_WORD.findall(self.task.instruction.split("\n\nAddress:")[0].lower()))
        known = "all" if all(word in told.lower() for word in words) else "some"
        again = "again" if number in done else "new"
        for text in (
            f"{name}",
            f"{name} {again}",
            f"{name} after {before}",
            f"{name} {known}",
            f"{known} {again}",
            f"{name} {shown[:12]} {again}",
            f"{name} turn {len(done)}",
        ):
            row[zlib.crc32(text.encode()) % SHARED] += 1.0
        row[SHARED] = len(words & asked) / max(1, len(words))
        if self.is_known:
            row[SHARED + 1 + self.number * len(self.actions) + number] = 1.0
        return row


@dataclass(slots=True)
class SoftPolicy:
    """A softmax over actions, linear in their features."""

    weights: Floats

    def chances(self, at: Moment) -> Floats:
        """Return the chance of each action."""
        scores = at.inputs @ self.weights
        weights: Floats = np.exp(scores - scores.max())
        found: Floats = weights / weights.sum()
        return found

    def draw(self, at: Moment, rng: Random) -> int:
        """Draw an action."""
        edge, total = rng.random(), 0.0
        for action, chance in enumerate(self.chances(at).tolist()):
            total += chance
            if edge < total:
                return action
        return len(at.inputs) - 1

    def climb(self, episodes: "Sequence[Episode]", advantages: Sequence[Sequence[float]], rate: float) -> None:
        """Go up the policy gradient; advantages are divided by their one deviation, so that scales do not matter."""
        flat = [value for row in advantages for value in row]
        scale = math.sqrt(math.fsum(value * value for value in flat) / max(1, len(flat)))
        if scale <= 1e-9:
            return
        move = np.zeros_like(self.weights)
        for one, row in zip(episodes, advantages, strict=True):
            for at, action, advantage in zip(one.moments, one.actions, row, strict=True):
                move += advantage / scale * (at.inputs[action] - self.chances(at) @ at.inputs)
        self.weights += rate * move / len(episodes)


@dataclass(slots=True)
class Episode:
    """What was done and what came of it."""

    moments: list[Moment] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    outcomes: list[float] = field(default_factory=list)
    progress: list[float] = field(default_factory=list)

    @property
    def outcome(self) -> float:
        return math.fsum(self.outcomes)

    def trajectory(self, task_id: str, group: str) -> Trajectory:
        """Return it as the library's record, paid its outcome."""
        turns = tuple(
            Turn(prompt_ids=(0,), output_ids=(1,), logprobs=(0.0,), reward=reward, state_key=at.state_key)
            for at, reward in zip(self.moments, self.outcomes, strict=True)
        )
        outcome = Scored(self.outcome, self.outcome > 0.5)
        return Trajectory(env_id="", task_id=task_id, group=group, turns=turns, outcome=outcome)


@dataclass(frozen=True, slots=True)
class PlayBranch:
    """A moment as `palestra.rewards.forking` takes it: the policy plays on, and is paid the outcome."""

    play: Play
    at: Moment
    policy: SoftPolicy

    @property
    def key(self) -> str:
        return f"{self.play.number}/{self.at.done}"

    def step(self, rng: Random) -> "tuple[float, PlayBranch | None]":
        outcome, _, then = self.play.step(self.at, self.policy.draw(self.at, rng))
        return outcome, None if then is None else PlayBranch(self.play, then, self.policy)


def episode(play: Play, policy: SoftPolicy, rng: Random) -> Episode:
    """Play one episode."""
    one, at = Episode(), play.start
    while True:
        action = policy.draw(at, rng)
        outcome, progress, then = play.step(at, action)
        one.moments.append(at)
        one.actions.append(action)
        one.outcomes.append(outcome)
        one.progress.append(progress)
        if then is None:
            return one
        at = then


def success(plays: Sequence[Play], policy: SoftPolicy, rng: Random, episodes: int) -> float:
    """Return the mean outcome over some episodes of each task."""
    return math.fsum(episode(play, policy, rng).outcome for play in plays for _ in range(episodes)) / (
        len(plays) * episodes
    )


def width_of(tasks: int, actions: int) -> int:
    """Return how many features there are."""
    return SHARED + 1 + tasks * actions


def _read(action: str) -> tuple[str, str]:
    """Return the tool and the arguments of an action as text."""
    found = re.search(r'"name":"(\w+)","arguments":(.*)}</tool_call>', action, re.DOTALL)
    return (found[1], found[2]) if found else ("", action)


def _element(arguments: str, page: str) -> str:
    """Return what a page says of the element that an action names, if it names one."""
    found = re.search(r'"bid":"(\d+)"', arguments)
    line = found and re.search(rf"\[{found[1]}\] ([^\n]*)", page)
    return line[1] if line else ""
