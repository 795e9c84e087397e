"""Rollouts: many episodes at once, each advancing alone.

No episode waits for another; generation is batched by the policy over whatever is ready. What goes wrong
is typed: a fault that the policy could not cause becomes a `Fault`, never a reward.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from palestra.agents.base import Chat, ModelError, Policy, Sampling
from palestra.agents.runners import EnvRunner
from palestra.envs.base import Task
from palestra.rewards.base import Outcome, Trajectory, Truncated, Turn, VerifierError
from palestra.sandbox.base import InfraError

FaultKind = Literal["infra", "verifier", "deadline", "environment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode to play: siblings share `group` and task, and differ by `seed`."""

    task: Task
    group: str
    seed: int = 0  # of the sampling, not of the task


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An episode that was lost, and why; it has no reward and no part in any baseline."""

    episode: Episode
    kind: FaultKind
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutConfig:
    """How episodes are played."""

    max_tokens: int = 64  # of one turn
    temperature: float = 1.0
    concurrency: int = 64  # live episodes, and so live environments
    generate_s: float = 600.0  # deadline of one turn's sampling, waiting included
    step_s: float = 60.0  # deadline of one environment step or reset
    episode_s: float = 3600.0  # deadline of an episode, waiting for others' generation included
    max_context: int = 8192  # prompt and reply of one turn
    retries: int = 1  # of an episode lost to a retryable fault

    def __post_init__(self) -> None:
        for name, least in (("max_tokens", 1), ("concurrency", 1), ("max_context", 1), ("retries", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)!r}")


@dataclass(slots=True)
class RolloutResult:
    """What a rollout brought, in the episodes' order; an episode is in one of the two lists."""

    trajectories: list[Trajectory] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """Sampled tokens."""
        return sum(len(turn.output_ids) for one in self.trajectories for turn in one.turns)


PolicyFor = Callable[[EnvRunner, Episode], Policy]
OnEpisode = Callable[[Trajectory | Fault], None]


class Rollouts:
    """Plays episodes with one policy on a pool of environments.

    Args:
        env_id: for the record.
        make_runner: builds an environment with the way it is run (see `palestra.agents.runners`).
        policy: one for all episodes, or a function that gives each episode its own.
        chat: encodes and parses for the policy.
    """

    def __init__(
        self, env_id: str, make_runner: Callable[[], EnvRunner], policy: Policy | PolicyFor, chat: Chat
    ) -> None:
        self.env_id, self.policy, self.chat = env_id, policy, chat
        self._make_runner = make_runner
        self._idle: list[EnvRunner] = []

    async def play(
        self, episodes: Sequence[Episode], config: RolloutConfig, on_episode: OnEpisode | None = None
    ) -> RolloutResult:
        """Play all episodes and return them; cancelling cancels every one and closes its environment."""
        started = time.monotonic()
        slots = asyncio.Semaphore(config.concurrency)

        async def one(episode: Episode) -> Trajectory | Fault:
            async with slots:
                played = await self._with_retries(episode, config)
            if on_episode is not None:
                on_episode(played)
            return played

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(episode)) for episode in episodes]
        except BaseExceptionGroup as errors:  # of one kind: what one episode cannot survive, no other can
            raise errors.exceptions[0] from None
        done = [task.result() for task in tasks]
        return RolloutResult(
            [one for one in done if isinstance(one, Trajectory)],
            [one for one in done if isinstance(one, Fault)],
            time.monotonic() - started,
        )

    async def close(self) -> None:
        """Close the idle environments."""
        while self._idle:
            await self._idle.pop().close()

    async def _with_retries(self, episode: Episode, config: RolloutConfig) -> Trajectory | Fault:
        fault: Fault | None = None
        for attempt in range(config.retries + 1):
            runner = self._idle.pop() if self._idle else self._make_runner()
            healthy = False
            try:
                async with asyncio.timeout(config.episode_s):
                    trajectory = await self._episode(runner, episode, config)
                healthy = True
                return trajectory
            except TimeoutError:
                fault = _fault(episode, "deadline", f"no end within {config.episode_s:g} s")
                break
            except InfraError as error:
                fault = _fault(episode, "infra", str(error))
                if not error.retryable or attempt == config.retries:
                    break
            except VerifierError as error:
                fault = _fault(episode, "verifier", str(error))
                break
            except ModelError:
                raise
            except Exception as error:  # a bug of an environment: the episode is lost, the run is not
                fault = _fault(episode, "environment", f"{type(error).__name__}: {error}")
                break
            finally:
                if healthy:
                    self._idle.append(runner)
                else:
                    await runner.close()
        if fault is None:
            raise ValueError(f"retries must be at least 0, not {config.retries!r}")
        return fault

    async def _episode(self, runner: EnvRunner, episode: Episode, config: RolloutConfig) -> Trajectory:
        started = time.monotonic()
        clock = _EnvClock(episode.task.budget.seconds, config.step_s)
        info = await clock.run(runner.reset(episode.task), "reset")
        policy = self.policy(runner, episode) if callable(self.policy) else self.policy
        prompt = self.chat.render(info["messages"], info["tools"])
        turns: list[Turn] = []
        outcome: Outcome | None = None
        while outcome is None:
            sampling = Sampling(
                max_tokens=config.max_tokens,
                temperature=config.temperature,
                stop_ids=self.chat.stop_ids,
                seed=_turn_seed(episode.seed, len(turns)),
            )
            sample = await _deadline(policy.generate(prompt, sampling), config.generate_s, "generation")
            if sample.finish == "abort":
                raise InfraError("the policy's engine broke a reply off; what was said of it is not the policy's")
            said, key = len(info["messages"]), info["state_key"]
            _, reward, info = await clock.run(runner.step(self.chat.parse(sample.output_ids)), "step")
            outcome, parts = info["outcome"], dict(info["reward_parts"])
            following = [*prompt, *sample.output_ids]
            if outcome is None:
                following += self.chat.extend(sample.output_ids, info["messages"][said + 1 :])
                if len(following) + config.max_tokens > config.max_context:
                    adjustment, info = await clock.run(runner.cut("tokens"), "cut")
                    reward += adjustment
                    outcome = info["outcome"]
                    for name, value in info["reward_parts"].items():
                        parts[name] = parts.get(name, 0.0) + value
            turns.append(
                Turn(
                    prompt_ids=tuple(prompt),
                    output_ids=sample.output_ids,
                    logprobs=sample.logprobs,
                    version=sample.version,
                    finish=sample.finish,
                    reward=reward,
                    parts=parts,
                    state_key=key,
                )
            )
            prompt = following
        return Trajectory(
            env_id=self.env_id,
            task_id=episode.task.id,
            group=episode.group,
            turns=tuple(turns),
            outcome=outcome,
            seed=episode.seed,
            messages=tuple(info["messages"]),
            duration_s=time.monotonic() - started,
        )


def _turn_seed(seed: int, turn: int) -> int:
    return (seed * 1_000_003 + turn) % 2**63


def _fault(episode: Episode, kind: FaultKind, message: str) -> Fault:
    return Fault(episode=episode, kind=kind, message=message[:500])


class _EnvClock:
    """Holds an episode's environment to the seconds of its task's budget, and each call to its own."""

    def __init__(self, budget_s: float, call_s: float) -> None:
        self.left_s, self.call_s = budget_s, call_s

    async def run(self, work: Any, what: str) -> Any:
        started = time.monotonic()
        result = await _deadline(work, max(0.0, min(self.left_s, self.call_s)), what)
        self.left_s -= time.monotonic() - started
        return result


async def _deadline(work: Any, seconds: float, what: str) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise InfraError(f"{what} took longer than its deadline of {seconds:g} s") from error


def is_success(trajectory: Trajectory) -> bool:
    """Return whether the episode's task was solved."""
    return not isinstance(trajectory.outcome, Truncated) and trajectory.outcome.is_success


def episodes_for(tasks: Sequence[Task], *, attempts: int = 1, seed: int = 0) -> list[Episode]:
    """Return `attempts` sibling episodes a task, each with its own sampling seed."""
    return [
        Episode(task=task, group=f"{task.id}#{index}", seed=seed * 1_000_003 + index * attempts + attempt)
        for index, task in enumerate(tasks)
        for attempt in range(attempts)
    ]
