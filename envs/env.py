"""`AgentEnv`: a Gymnasium environment whose episodes are conversations that can be forked.

A family subclasses it and says how an episode begins, what an action does, and what its state is
as JSON. Everything else - messages, budgets, shaping, snapshots, the end - is here, once.
"""

import hashlib
import json
import marshal
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, TypedDict

import gymnasium
import numpy as np

from palestra.envs.actions import Action, parse_action
from palestra.envs.base import (
    Blob,
    EpisodeOver,
    Json,
    Message,
    Snapshot,
    SnapshotError,
    Split,
    Task,
    TaskError,
    TaskSource,
    canonical_json,
    copy_json,
    json_text,
)
from palestra.envs.moment import Moment
from palestra.envs.spaces import UnicodeText
from palestra.rewards.base import Outcome, RecordError, Scored, Truncated
from palestra.rewards.shaping import shaping_reward

Shaping = Literal["none", "potential", "progress"]
MAX_OBSERVATION_CHARS = 65_536
RENDER_WIDTH = 2_000  # characters shown of one message


class EnvOptions(TypedDict, total=False):
    """What every environment may be built with; see `AgentEnv`. Families hand on what is not their own."""

    split: Split
    difficulty: Mapping[str, Json] | None
    shaping: Shaping
    render_mode: str | None
    tasks: TaskSource | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What a family's `_act` returns: the replies, what they were worth, and whether it is over.

    One reply answers each of the action's calls, in order; an action without calls gets one.
    """

    replies: tuple[str, ...]
    parts: Mapping[str, float] = field(default_factory=dict)
    done: bool = False
    is_success: bool = False


class AgentEnv(gymnasium.Env[str, Any], ABC):
    """One conversation at a time between an agent and a task.

    Observations are text; ``info["messages"]`` holds the whole conversation as chat messages and
    ``info["tools"]`` the tools. An action is text or an assistant message (see `parse_action`).
    ``terminated``: the task ended the episode. ``truncated``: its turn budget did.

    Args:
        split: which of the source's splits `reset` samples from.
        difficulty: knobs that override the source's defaults; `reset` options override both.
        shaping: what is paid for progress besides the outcome. "potential" pays the change of the
            family's potential and takes it back at the end, so returns are the outcomes and no
            optimum moves; "progress" does not take it back; "none" pays the outcome alone.
        render_mode: None or "ansi".
        tasks: where tasks come from instead of the family's own generator.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 1}  # type: ignore[misc]
    env_id: ClassVar[str]
    system_prompt: ClassVar[str] = ""
    state_tells_answer: ClassVar[bool] = False  # whether episodes that end in equal states gave equal answers

    _built_with: Mapping[str, Any]  # the keyword arguments of whichever family it is

    def __new__(cls, *_args: object, **options: object) -> Self:
        env = super().__new__(cls)
        env._built_with = options
        return env

    def __init__(
        self,
        *,
        split: Split = "train",
        difficulty: Mapping[str, Json] | None = None,
        shaping: Shaping = "potential",
        render_mode: str | None = None,
        tasks: TaskSource | None = None,
    ) -> None:
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode must be None or 'ansi', not {render_mode!r}")
        if shaping not in ("none", "potential", "progress"):
            raise ValueError(f"shaping must be 'none', 'potential' or 'progress', not {shaping!r}")
        self.render_mode = render_mode
        self.shaping: Shaping = shaping
        self.tasks = self._source(split) if tasks is None else tasks
        self.difficulty = dict(difficulty or {})
        self.observation_space = UnicodeText(MAX_OBSERVATION_CHARS)
        self.action_space = UnicodeText(MAX_OBSERVATION_CHARS)
        self._task: Task | None = None  # None before the first reset, and when an episode was lost
        self._task_digest = ""
        self._written: tuple[object, bytes] = (None, b"")  # the tools that were told last, and a copy to read from
        self._messages: list[Message] = []
        self._turns = 0
        self._return = 0.0
        self._phi = 0.0
        self._outcome: Outcome | None = None

    # -- what a family says ------------------------------------------------------------------

    @abstractmethod
    def _source(self, split: Split) -> TaskSource:
        """Return the family's generator for a split."""

    @abstractmethod
    def _begin(self, task: Task) -> None:
        """Set the family's state to the task's start."""

    @abstractmethod
    def _act(self, action: Action) -> StepResult:
        """Carry out a well-formed action and return what came of it."""

    @abstractmethod
    def _dump(self) -> Json:
        """Return the family's state as JSON: with the task, all that decides what happens next."""

    @abstractmethod
    def _load(self, state: Json) -> None:
        """Make the family's state what `_dump` returned; the task is already set."""

    @abstractmethod
    def oracle(self) -> Iterator[str]:
        """Yield, one by one, the actions of the reference solver from the start of the episode."""

    def _refuse(self, action: Action) -> StepResult:
        """Return what comes of an action that could not be read; families that charge for it override it."""
        return StepResult(replies=(f"error: {action.error}",))

    def _tools(self) -> Sequence[Mapping[str, Json]]:
        """Return the tools that may be called now; families whose tools change within an episode override it."""
        return self.task.tools

    def _potential(self) -> float:
        """Return how far the state is towards the goal, in [0, 1]; 0 at the start of an episode."""
        return 0.0

    def _state_text(self) -> str:
        """Return `_dump` as canonical JSON; families with much state that seldom changes may keep its text."""
        return canonical_json(self._dump())

    def _blobs(self) -> dict[str, Blob]:
        """Return what belongs to the state and is not JSON, such as a sandbox's workspace; asked for after `_dump`."""
        return {}

    def _load_blobs(self, blobs: Mapping[str, Blob]) -> None:
        """Restore what `_blobs` returned."""

    def _fresh(self) -> Self:
        """Return another environment built as this one was, with the same source of tasks."""
        return type(self)(**{**self._built_with, "tasks": self.tasks})

    # -- Gymnasium ---------------------------------------------------------------------------

    @property
    def task(self) -> Task:
        """The current task, hidden parts included: for verifiers and oracles, never for agents.

        Raises:
            EpisodeOver: there was no `reset` yet, or the last one or a `step` failed.
        """
        if self._task is None:
            raise EpisodeOver(f"{type(self).__name__} has no episode, or lost it to a fault; call reset() first")
        return self._task

    @property
    def messages(self) -> list[Message]:
        """The conversation so far, as ``info["messages"]`` gives it."""
        return [_copied(message) for message in self._messages]

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode and return its first observation.

        Args:
            seed: names the task, too: the same seed gives the same task, in any process.
            options: ``task`` (a `Task` or its dict) to play that one, or ``difficulty`` (knobs).

        Raises:
            TaskError: an option, the task or a knob is malformed.
        """
        super().reset(seed=seed)
        task = self._chosen(seed, dict(options or {}))
        self._task, self._task_digest = task, task.digest
        self._messages = [{"role": "user", "content": task.instruction}]
        if self.system_prompt:
            self._messages.insert(0, {"role": "system", "content": self.system_prompt})
        self._turns, self._return, self._outcome = 0, 0.0, None
        with self._lost_on_failure():
            self._begin(task)
            self._phi = self._potential()
        return self._first_observation(), self._info({}, "")

    def step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one turn.

        Raises:
            EpisodeOver: before `reset`, after the end, or after the episode was lost.
            InfraError: a fault of ours; the episode is lost and has no reward.
            VerifierError: the verifier failed; likewise.
            RecordError: the family paid what is no number; likewise.
        """
        task = self._running()
        parsed = parse_action(action, self._tools())
        self._turns += 1
        message = parsed.message(self._turns)
        self._messages.append(message)
        with self._lost_on_failure():
            result = self._refuse(parsed) if parsed.error else self._act(parsed)
            truncated = not result.done and self._turns >= task.budget.turns
            parts = self._parts(result, over=result.done or truncated)
            replies = self._reply_messages(message, result.replies)
            reward = float(sum(parts.values()))
            if not math.isfinite(reward):
                raise RecordError(f"a turn's reward must be finite, not {reward!r} from the parts {parts}")
        self._messages += replies
        self._return += reward
        if result.done:
            self._outcome = Scored(self._return, result.is_success)
        elif truncated:
            self._outcome = Truncated("turns", self._return)
        observation = "\n".join(result.replies)[:MAX_OBSERVATION_CHARS]
        return observation, reward, result.done, truncated, self._info(parts, parsed.error)

    def cut(self, kind: Literal["tokens", "deadline"]) -> tuple[float, dict[str, Any]]:
        """End the episode from outside, where the agent's own limits end it, as truncated.

        Returns:
            What the end changes of the last turn's reward (a potential is taken back), and info.

        Raises:
            EpisodeOver: before `reset` or after the end.
        """
        self._running()
        parts: dict[str, float] = {}
        if self.shaping == "potential":
            parts["potential"], self._phi = shaping_reward(self._phi, 0.0), 0.0
        adjustment = float(sum(parts.values()))
        self._return += adjustment
        self._outcome = Truncated(kind, self._return)
        return adjustment, self._info(parts, "")

    def render(self) -> Any:
        """Return the conversation so far as text (mode "ansi"), else None."""
        if self.render_mode != "ansi":
            return None
        return "\n".join(f"[{m['role']}] {_shown(m)}" for m in self._messages)

    def close(self) -> None:
        """Give back what the environment holds; a second call does nothing."""

    # -- forking -----------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return this moment of the episode; it can be restored here or in another process."""
        moment = Moment(
            task=self.task,
            family=json_text(self._dump()),
            rng=self.np_random.bit_generator.state,
            messages=tuple(self._messages),
            turns=self._turns,
            total=self._return,
            phi=self._phi,
            outcome=self._outcome,
        )
        return Snapshot.of(self.env_id, moment, self._blobs())

    def restore(self, snapshot: Snapshot) -> None:
        """Make the episode what it was at the snapshot.

        Raises:
            SnapshotError: it is another environment's, was changed, or holds no episode.
        """
        known = snapshot.moment(self.env_id)
        state = snapshot.verify(self.env_id) if known is None else None
        try:
            with self._lost_on_failure():
                moment = known if isinstance(known, Moment) else Moment.from_json(state)
                self._task, self._task_digest = moment.task, moment.task.digest
                self.np_random = np.random.Generator(np.random.PCG64(0))
                self.np_random.bit_generator.state = dict(moment.rng)
                self._messages = list(moment.messages)
                self._turns, self._return, self._phi = moment.turns, moment.total, moment.phi
                self._outcome = moment.outcome
                self._load(json.loads(moment.family))
                self._load_blobs(snapshot.blobs)
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotError(f"the snapshot of {self.env_id!r} holds no episode: {error!r}") from error

    def fork(self, n: int = 1) -> list[Self]:
        """Return `n` independent environments that stand where this one does.

        They share its random state, so equal actions give equal trajectories.
        """
        snapshot = self.snapshot()
        forks = [self._fresh() for _ in range(n)]
        for env in forks:
            env.spec = self.spec
            env.restore(snapshot)
        return forks

    # -- inner parts -------------------------------------------------------------------------

    def _chosen(self, seed: int | None, options: dict[str, Any]) -> Task:
        given, knobs = options.pop("task", None), options.pop("difficulty", None)
        if options:
            raise TaskError(f"unknown reset option {next(iter(options))!r}; known: task, difficulty")
        if given is not None and knobs is not None:
            raise TaskError("reset takes the option 'task' or 'difficulty', not both: a task has its difficulty")
        if given is not None:
            return given if isinstance(given, Task) else Task.from_dict(given)
        if knobs is not None and not isinstance(knobs, Mapping):
            raise TaskError(f"the option 'difficulty' must be a mapping of knobs, not {knobs!r}")
        task_seed = int(self.np_random.integers(2**31)) if seed is None else seed
        return self.tasks.sample(task_seed, {**self.difficulty, **(knobs or {})})

    def _running(self) -> Task:
        """Return the task of the episode, which must not be over."""
        if self._outcome is not None:
            raise EpisodeOver("the episode is over; call reset() to begin another")
        return self.task

    @contextmanager
    def _lost_on_failure(self) -> Iterator[None]:
        """Leave no half-made episode behind: after a failure, only `reset` and `restore` go on."""
        try:
            yield
        except BaseException:
            self._task, self._outcome = None, None
            raise

    def _first_observation(self) -> str:
        system = [self.system_prompt] if self.system_prompt else []
        names = [tool["function"]["name"] for tool in self._tools()]
        tools = [f"Tools: {', '.join(names)}"] if names else []
        return "\n\n".join([*system, *tools, self.task.instruction])[:MAX_OBSERVATION_CHARS]

    def _parts(self, result: StepResult, *, over: bool) -> dict[str, float]:
        parts = {name: float(value) for name, value in result.parts.items()}
        if self.shaping == "none":
            return parts
        before, self._phi = self._phi, self._potential()
        take_back = over and self.shaping == "potential"
        parts[self.shaping] = shaping_reward(before, 0.0 if take_back else self._phi)
        return parts

    def _reply_messages(self, message: Message, replies: tuple[str, ...]) -> list[Message]:
        calls = message.get("tool_calls", [])
        if not calls:
            return [{"role": "user", "content": reply} for reply in replies]
        return [
            {"role": "tool", "tool_call_id": call["id"], "name": call["function"]["name"], "content": reply}
            for call, reply in zip(calls, replies, strict=True)
        ]

    def _told_tools(self) -> list[dict[str, Json]]:
        """Return the tools as the caller's own; those of a tuple, which stay what they are, are written only once."""
        tools = self._tools()
        if tools is not self._written[0] or not isinstance(tools, tuple):
            self._written = (tools, marshal.dumps(copy_json(tools)))
        told: list[dict[str, Json]] = marshal.loads(self._written[1])
        return told

    def _state_key(self) -> str:
        """Return the first 16 characters of the `digest` of a list of the task's digest and the family's state."""
        text = f'["{self._task_digest}",{self._state_text()}]'
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _info(self, parts: Mapping[str, float], error: str) -> dict[str, Any]:
        task = self.task
        is_success = isinstance(self._outcome, Scored) and self._outcome.is_success
        return {
            "task_id": task.id,
            "messages": self.messages,
            "tools": self._told_tools(),
            "reward_parts": dict(parts),
            "state_key": self._state_key(),
            "is_success": is_success,
            "outcome": self._outcome,
            "error": error,
        }


def _copied(message: Message) -> Message:
    """Return a message that shares nothing with this one: it holds texts, and maybe calls, which hold texts."""
    copied = dict(message)
    if "tool_calls" in copied:
        copied["tool_calls"] = [{**call, "function": dict(call["function"])} for call in copied["tool_calls"]]
    return copied


def _shown(message: Message) -> str:
    calls = [f"{c['function']['name']}({c['function']['arguments']})" for c in message.get("tool_calls", [])]
    return " ".join([str(message["content"])[:RENDER_WIDTH], *calls]).strip()
