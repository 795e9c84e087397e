"""`EnvPool`: many environments at once, none of which waits for another.

Gymnasium's vector environments answer when the slowest member has. Here actions are sent and whoever is
ready is received: ``send`` to some, ``recv`` the first ``batch_size`` that are done, as in Weng et al.
2022, "EnvPool", arXiv:2206.10558. What fails in one environment is an item of that environment, typed
and without a reward; the others go on.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Literal, NamedTuple, Self

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from palestra.envs.base import EpisodeOver, derive_seed
from palestra.envs.registry import find
from palestra.envs.workers import WORKERS, EnvMaker, Worker, WorkerKind
from palestra.rewards.base import RecordError, VerifierError
from palestra.sandbox.base import InfraError

_CLOSE_S = 10.0  # for all environments together


class PoolError(RuntimeError):
    """A pool was asked for what it cannot do now, such as to step an environment that is still at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvFault:
    """One environment's episode was lost, and why; it has no reward.

    `kind` is "infra" (an `InfraError`), "verifier" (a `VerifierError`) or "environment" (anything
    else that it raised, so a bug of its own).
    """

    env_id: int
    kind: Literal["infra", "verifier", "environment"]
    error: Exception


class Batch(NamedTuple):
    """What some of a pool's environments answered, in the order of their ids; one entry for each.

    The entry of a lost episode has the observation None, the reward NaN (which no record of a turn
    accepts), ``truncated`` and an `EnvFault` under ``"fault"`` in its info.
    """

    observations: tuple[Any, ...]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    infos: tuple[dict[str, Any], ...]
    env_ids: NDArray[np.int64]

    @property
    def faults(self) -> dict[int, EnvFault]:
        """The lost episodes, by environment id."""
        return {info["fault"].env_id: info["fault"] for info in self.infos if "fault" in info}


class _Answer(NamedTuple):
    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    is_over: bool  # the next thing to do is a reset


class EnvPool:
    """Runs environments side by side, each on a worker of its own; one thread drives the pool.

    After an end the next action begins another episode and is itself not used (``NEXT_STEP``), or the
    new episode has begun in the same answer, which tells the end in ``final_obs`` and ``final_info``
    (``SAME_STEP``), or `async_reset` is asked for it (``DISABLED``). After a fault the next action
    begins another episode in the first two modes; a worker process that died is replaced then. The
    episodes after one follow from the seed that the environment was last given.

    Args:
        env: a registered id, or a function that builds an environment (any of Gymnasium's).
        num_envs: how many; they have the ids 0, 1, 2 ...
        workers: "thread", "process" (which can be killed), or "inline": one after the other, in `send`.
        batch_size: how many `recv` waits for; all by default, which is lock-step.
        autoreset_mode: see above.
        call_s: seconds that one reset or step may take; whoever takes longer is lost as an
            `InfraError` and replaced. A thread that hangs cannot be ended and stays until it returns.
        kwargs: passed on to an environment that is made by its id.

    Raises:
        UnknownEnvError: no environment is registered under the id.
        ValueError: an argument makes no sense.
    """

    def __init__(
        self,
        env: str | Callable[[], gymnasium.Env[Any, Any]],
        num_envs: int,
        *,
        workers: WorkerKind = "thread",
        batch_size: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        call_s: float = math.inf,
        **kwargs: Any,
    ) -> None:
        if num_envs < 1 or not 1 <= (batch_size or num_envs) <= num_envs:
            raise ValueError(f"1 <= batch_size <= num_envs must hold, not {batch_size!r} and {num_envs!r}")
        if workers not in WORKERS:
            raise ValueError(f"workers must be one of {', '.join(WORKERS)}, not {workers!r}")
        if not call_s > 0:
            raise ValueError(f"call_s must be more than 0 seconds, not {call_s!r}")
        if kwargs and not isinstance(env, str):
            raise ValueError(f"{next(iter(kwargs))!r} is for an environment made by its id; give it to the function")
        self._make: Callable[[], Any] = EnvMaker(find(env), kwargs) if isinstance(env, str) else env
        self.num_envs, self.batch_size, self.call_s = num_envs, batch_size or num_envs, call_s
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        looked_at = self._make()
        self.single_observation_space = looked_at.observation_space
        self.single_action_space = looked_at.action_space
        self.metadata = {**looked_at.metadata, "autoreset_mode": self.autoreset_mode}
        looked_at.close()
        self._kind: WorkerKind = workers
        self._workers: list[Worker] = [WORKERS[workers](self._make) for _ in range(num_envs)]
        self._answers: SimpleQueue[tuple[int, Future[_Answer]]] = SimpleQueue()
        self._since: dict[int, float] = {}  # who is at work, and since when
        self._ready: dict[int, tuple[Any, float, bool, bool, dict[str, Any]]] = {}
        self._state: list[Literal["new", "running", "over", "lost"]] = ["new"] * num_envs
        self._seeds: list[int | None] = [None] * num_envs  # last given to each
        self._losses = [0] * num_envs  # since then
        self._is_closed = False

    def async_reset(
        self,
        env_ids: Sequence[int] | None = None,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None = None,
    ) -> None:
        """Begin new episodes, without waiting for them.

        Args:
            env_ids: where; everywhere by default.
            seed: of the environment with id 0, the others' follow by one; or one for each of `env_ids`.
            options: for each `reset`, or one for each of `env_ids`, such as ``{"task": ...}``.

        Raises:
            PoolError: an id is wrong or busy, or the pool is closed.
        """
        ids = self._idle(env_ids)
        seeds = [None if seed is None else seed + i for i in ids] if seed is None or isinstance(seed, int) else seed
        given = [options] * len(ids) if options is None or isinstance(options, Mapping) else options
        if not len(ids) == len(seeds) == len(given):
            raise PoolError(f"{len(ids)} environments, {len(seeds)} seeds and {len(given)} options do not fit together")
        for env_id, one_seed, one in zip(ids, seeds, given, strict=True):
            if one_seed is not None:
                self._seeds[env_id], self._losses[env_id] = one_seed, 0
            self._submit(env_id, partial(_reset, seed=one_seed, options=None if one is None else dict(one)))

    def send(self, actions: Sequence[Any], env_ids: Sequence[int] | None = None) -> None:
        """Begin one step in each of the environments, by default in all, without waiting.

        Raises:
            EpisodeOver: there is no episode: none was begun yet, or it is over and nothing resets it.
            PoolError: an id is wrong or busy, or the pool is closed.
        """
        ids = self._idle(env_ids)
        if len(actions) != len(ids):
            raise PoolError(f"{len(actions)} actions for {len(ids)} environments")
        is_manual = self.autoreset_mode is AutoresetMode.DISABLED
        for env_id in ids:
            state = self._state[env_id]
            if state == "new" or (is_manual and state != "running"):
                how = {"new": "has not begun", "over": "is over", "lost": "was lost"}[state]
                raise EpisodeOver(f"the episode of environment {env_id} {how}; call async_reset([{env_id}])")
        resets = self.autoreset_mode is AutoresetMode.SAME_STEP
        for env_id, action in zip(ids, actions, strict=True):
            if self._state[env_id] == "running":
                self._submit(env_id, partial(_step, action=action, resets=resets))
            else:
                self._submit(env_id, partial(_reset, seed=self._seed_after_loss(env_id), options=None))

    def recv(self) -> Batch:
        """Return the first `batch_size` environments that are ready, sorted by id.

        Raises:
            PoolError: fewer than that are at work, so the wait would have no end.
        """
        self._check_open()
        if len(self._since) + len(self._ready) < self.batch_size:
            raise PoolError(
                f"recv() waits for {self.batch_size} environments and {len(self._since) + len(self._ready)} are at work"
            )
        while len(self._ready) < self.batch_size:
            self._take_one()
        ids = sorted(list(self._ready)[: self.batch_size])
        observations, rewards, terminated, truncated, infos = zip(*map(self._ready.pop, ids), strict=True)
        return Batch(
            observations,
            np.array(rewards, np.float64),
            np.array(terminated, np.bool_),
            np.array(truncated, np.bool_),
            infos,
            np.array(ids, np.int64),
        )

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None = None,
    ) -> Batch:
        """Begin new episodes everywhere and return the first batch: `async_reset`, then `recv`."""
        self.async_reset(seed=seed, options=options)
        return self.recv()

    def step(self, actions: Sequence[Any], env_ids: Sequence[int] | None = None) -> Batch:
        """Send actions and return the next batch, which may be of other environments."""
        self.send(actions, env_ids)
        return self.recv()

    def close(self) -> None:
        """Close every environment and end the workers; a second call does nothing.

        A process that hangs is killed. A thread that hangs is left behind; it ends when it returns.
        """
        if self._is_closed:
            return
        self._is_closed = True
        for worker in self._workers:
            worker.retire()
        deadline = time.monotonic() + _CLOSE_S
        for worker in self._workers:
            worker.join(deadline - time.monotonic())

    def __len__(self) -> int:
        return self.num_envs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- inner parts -------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._is_closed:
            raise PoolError("the pool is closed")

    def _idle(self, env_ids: Sequence[int] | None) -> list[int]:
        """Return the ids, every one of them known, named once and waiting for something to do."""
        self._check_open()
        ids = list(range(self.num_envs)) if env_ids is None else [int(env_id) for env_id in env_ids]
        for env_id in ids:
            if not 0 <= env_id < self.num_envs:
                raise PoolError(f"there is no environment {env_id}; ids go from 0 to {self.num_envs - 1}")
            if env_id in self._since or env_id in self._ready:
                raise PoolError(f"environment {env_id} has not been received since it was last sent something")
        if len(set(ids)) != len(ids):
            raise PoolError(f"an environment is named twice in {ids}")
        return ids

    def _submit(self, env_id: int, job: Callable[[Any], _Answer]) -> None:
        self._since[env_id] = time.monotonic()
        future = self._workers[env_id].submit(job)
        # The queue is all that a late answer reaches: a worker does not keep a forgotten pool alive.
        future.add_done_callback(partial(_tell, self._answers, env_id))

    def _seed_after_loss(self, env_id: int) -> int | None:
        """Return a seed for an environment that may be a new one; the others go on drawing by themselves."""
        seed = self._seeds[env_id]
        if seed is None or self._state[env_id] != "lost":
            return None
        return derive_seed("pool", str(env_id), seed, f"after loss {self._losses[env_id]}") % 2**31

    def _take_one(self) -> None:
        """Wait until one environment has answered, or is too late."""
        first = min(self._since.values()) + self.call_s
        left_s = max(0.0, first - time.monotonic())
        try:
            env_id, future = self._answers.get(timeout=None if math.isinf(left_s) else left_s)
        except Empty:
            self._replace_the_late()
            return
        if self._since.pop(env_id, None) is None:
            return
        try:
            answer = future.result()
        except Exception as error:  # whatever one environment raises is told as its own
            self._state[env_id] = "lost"
            self._losses[env_id] += 1
            fault = EnvFault(env_id=env_id, kind=_kind(error), error=error)
            self._ready[env_id] = (None, math.nan, False, True, {"fault": fault})
        else:
            self._state[env_id] = "over" if answer.is_over else "running"
            self._ready[env_id] = answer[:5]

    def _replace_the_late(self) -> None:
        late = time.monotonic() - self.call_s
        for env_id, since in self._since.items():
            if since <= late:
                self._workers[env_id].kill(f"environment {env_id} took longer than its {self.call_s:g} s")
                self._workers[env_id] = WORKERS[self._kind](self._make)


def _tell(answers: "SimpleQueue[tuple[int, Future[_Answer]]]", env_id: int, future: "Future[_Answer]") -> None:
    answers.put((env_id, future))


def _kind(error: Exception) -> Literal["infra", "verifier", "environment"]:
    if isinstance(error, InfraError):
        return "infra"
    return "verifier" if isinstance(error, VerifierError) else "environment"


def _reset(env: gymnasium.Env[Any, Any], seed: int | None, options: dict[str, Any] | None) -> _Answer:
    observation, info = env.reset(seed=seed, options=options)
    return _Answer(observation, 0.0, False, False, info, False)


def _step(env: gymnasium.Env[Any, Any], action: Any, resets: bool) -> _Answer:
    observation, paid, terminated, truncated, info = env.step(action)
    reward = float(paid)
    if not math.isfinite(reward):
        raise RecordError(f"a step's reward must be finite, not {reward!r}")
    is_over = terminated or truncated
    if is_over and resets:
        final = {"final_obs": observation, "final_info": info}
        try:
            observation, info = env.reset()
            is_over = False
        except Exception:  # the episode that ended keeps its reward; the next action tries the reset again
            info = {}
        info = {**info, **final}
    return _Answer(observation, reward, terminated, truncated, info, is_over)
