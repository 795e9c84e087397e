"""A pool's members do not wait for each other, and see and do what single environments do."""

import gc
import multiprocessing
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import palestra
from palestra.envs.base import EpisodeOver
from palestra.envs.pool import Batch, EnvPool, PoolError
from palestra.envs.registry import EnvEntry, UnknownEnvError, register
from palestra.envs.workers import WORKERS, WorkerKind

KINDS: list[WorkerKind] = list(WORKERS)
OBEY = "toy/Obey-v0"
MakePool = Callable[..., EnvPool]


@pytest.fixture
def make_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakePool]:
    """Make pools of the obedient environment, or another; all are closed, and nothing of them is left."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    register(EnvEntry(id=OBEY, entry_point="obeygym.env:ObeyEnv", family="obey", summary="does as it is told"))
    made: list[EnvPool] = []

    def make(num_envs: int, env: Any = OBEY, **settings: Any) -> EnvPool:
        made.append(EnvPool(env, num_envs, **settings))
        return made[-1]

    yield make
    for pool in made:
        pool.close()
    assert not multiprocessing.active_children()
    assert "palestra-env" not in [thread.name for thread in threading.enumerate()]


def plain(batch: Batch) -> list[tuple[Any, ...]]:
    """Return a batch as one tuple an environment."""
    observations, rewards, terminated, truncated, infos, _ = batch
    return list(zip(observations, rewards.tolist(), terminated.tolist(), truncated.tolist(), infos, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_pool_sees_and_does_what_single_environments_do(make_pool: MakePool, kind: WorkerKind) -> None:
    single = palestra.make("palestra/ToolUseMini-v0", split="heldout")
    pool = make_pool(3, "palestra/ToolUseMini-v0", workers=kind, split="heldout")
    first = pool.reset(seed=5)
    assert (len(pool), list(first.env_ids), first.faults) == (3, [0, 1, 2], {})
    scripts: list[list[str]] = []
    for number in range(3):
        single.reset(seed=5 + number)
        scripts.append([])
        for action in single.oracle():
            scripts[-1].append(action)
            single.step(action)
    turns = min(map(len, scripts))
    batches = [pool.step([script[turn] for script in scripts]) for turn in range(turns)]
    for number, script in enumerate(scripts):
        assert (first.observations[number], first.infos[number]) == single.reset(seed=5 + number)
        for turn in range(turns):
            assert plain(batches[turn])[number] == single.step(script[turn])
    assert batches[-1].terminated.any()
    assert pool.single_observation_space == single.observation_space
    assert pool.single_action_space == single.action_space


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_slow_member_holds_nobody_up(make_pool: MakePool, kind: WorkerKind, tmp_path: Path) -> None:
    """One waits for a file that is not there; the other two take fifty steps each meanwhile."""
    door = tmp_path / "door"
    pool = make_pool(3, workers=kind, batch_size=1)
    pool.async_reset(seed=0)
    for _ in range(3):
        pool.recv()
    pool.send([f"wait {door}", "step", "step"])
    steps = {1: 0, 2: 0}
    while sum(steps.values()) < 100:
        (env_id,) = pool.recv().env_ids.tolist()
        steps[env_id] += 1
        if steps[env_id] < 50:
            pool.send(["lose" if steps[env_id] == 49 else "step"], [env_id])
    assert steps == {1: 50, 2: 50}
    door.touch()
    assert pool.recv().env_ids.tolist() == [0]


def test_the_first_that_are_ready_come_first_sorted_by_id(make_pool: MakePool, tmp_path: Path) -> None:
    doors = [tmp_path / str(number) for number in range(4)]
    pool = make_pool(4, batch_size=2)
    pool.async_reset(seed=0)
    pool.recv()
    pool.recv()
    pool.send([f"wait {door}" for door in doors])
    doors[3].touch()
    doors[1].touch()
    assert pool.recv().env_ids.tolist() == [1, 3]
    pool.send(["lose"], [3])
    doors[0].touch()
    assert pool.recv().env_ids.tolist() == [0, 3]
    doors[2].touch()
    pool.send(["step", "step"], [1, 3])
    both = {*pool.recv().env_ids.tolist()}
    pool.send(["step"], [min(both)])
    assert both | {*pool.recv().env_ids.tolist()} >= {1, 2, 3}


def test_each_environment_is_built_and_driven_by_one_thread_of_its_own(make_pool: MakePool) -> None:
    pool = make_pool(2)
    pool.reset(seed=0)
    assert pool.step(["thread", "thread"]).observations == ("True", "True")
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("palestra-env") == 2


def test_processes_are_different_ones(make_pool: MakePool) -> None:
    pool = make_pool(2, workers="process")
    pool.reset(seed=0)
    told = {int(pid) for pid in pool.step(["pid", "pid"]).observations}
    assert told == {process.pid for process in multiprocessing.active_children()}
    assert len(told) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_step_begins_another_episode(make_pool: MakePool, kind: WorkerKind) -> None:
    pool = make_pool(2, workers=kind)
    single = palestra.make(OBEY)
    single.reset(seed=4)
    pool.reset(seed=4)
    ended = pool.step(["win", "step"])
    assert (ended.rewards.tolist(), ended.terminated.tolist()) == ([1.0, 0.0], [True, False])
    after = pool.step(["this is not used", "lose"])
    assert after.observations[0] == single.reset()[0]  # the same next task as the single one's
    assert (after.rewards[0], after.terminated.tolist()) == (0.0, [False, True])
    assert pool.step(["win", "this is not used"]).rewards.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_step_begins_another_episode_and_tells_the_end(make_pool: MakePool, kind: WorkerKind) -> None:
    pool = make_pool(1, workers=kind, autoreset_mode="SameStep")
    single = palestra.make(OBEY)
    single.reset(seed=4)
    pool.reset(seed=4)
    batch = pool.step(["win"])
    end = single.step("win")
    assert (batch.rewards.tolist(), batch.terminated.tolist()) == ([1.0], [True])
    assert (batch.infos[0].pop("final_obs"), batch.infos[0].pop("final_info")) == (end[0], end[4])
    assert (batch.observations[0], batch.infos[0]) == single.reset()
    assert pool.step(["win"]).rewards.tolist() == [1.0]


def test_nothing_begins_another_episode_unless_asked_to(make_pool: MakePool) -> None:
    pool = make_pool(2, autoreset_mode=AutoresetMode.DISABLED, batch_size=1)
    assert pool.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    pool.async_reset(seed=0)
    pool.recv()
    pool.recv()
    assert pool.step(["win"], [1]).terminated.tolist() == [True]
    with pytest.raises(EpisodeOver, match=r"environment 1 is over; call async_reset\(\[1\]\)"):
        pool.send(["step", "step"])
    pool.async_reset([1], seed=8)
    assert "Task 9" in pool.recv().observations[0]
    assert pool.step(["win"], [1]).rewards.tolist() == [1.0]
    assert pool.step(["lose"], [0]).env_ids.tolist() == [0]  # nothing was sent to it by the refused call


def test_a_turn_budget_truncates_and_is_reset_as_well(make_pool: MakePool) -> None:
    pool = make_pool(1)
    pool.reset(seed=0)
    ends = [pool.step(["step"]).truncated.item() for _ in range(9)]
    assert ends == [False] * 7 + [True, False]


def test_seeds_and_options_go_to_each(make_pool: MakePool) -> None:
    pool = make_pool(2)
    task = palestra.make(OBEY).tasks.sample(77)
    told = [
        pool.reset(seed=3).observations,
        pool.reset(seed=[9, 3]).observations,
        pool.reset(options={"task": task}).observations,
        pool.reset(options=[{"task": task}, {"task": task.to_dict()}]).observations,
    ]
    assert [[text.split(":")[0] for text in row] for row in told] == [
        ["Task 3", "Task 4"],
        ["Task 9", "Task 3"],
        ["Task 77", "Task 77"],
        ["Task 77", "Task 77"],
    ]


def test_any_of_gymnasiums_environments_will_do(make_pool: MakePool) -> None:
    for kind in KINDS:
        pool = make_pool(2, lambda: gymnasium.make("CartPole-v1"), workers=kind)
        singles = [gymnasium.make("CartPole-v1") for _ in range(2)]
        batch = pool.reset(seed=1)
        np.testing.assert_array_equal(batch.observations, [env.reset(seed=1 + i)[0] for i, env in enumerate(singles)])
        batch = pool.step([0, 1])
        np.testing.assert_array_equal(batch.observations, [env.step(i)[0] for i, env in enumerate(singles)])
        for env in singles:
            env.close()


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (lambda pool: pool.recv(), "waits for 2 environments and 0 are at work"),
        (lambda pool: (pool.async_reset([0]), pool.recv()), "waits for 2 environments and 1 are at work"),
        (lambda pool: (pool.async_reset(), pool.async_reset([1])), "environment 1 has not been received"),
        (lambda pool: pool.async_reset([2]), "no environment 2; ids go from 0 to 1"),
        (lambda pool: pool.async_reset([-1]), "no environment -1"),
        (lambda pool: pool.async_reset([0, 0]), r"named twice in \[0, 0\]"),
        (lambda pool: pool.async_reset(seed=[1]), "2 environments, 1 seeds and 2 options"),
        (lambda pool: pool.async_reset([1], options=[]), "1 environments, 1 seeds and 0 options"),
        (lambda pool: (pool.reset(), pool.send(["step"])), "1 actions for 2 environments"),
        (lambda pool: (pool.close(), pool.recv()), "closed"),
        (lambda pool: (pool.close(), pool.reset()), "closed"),
    ],
)
def test_what_makes_no_sense_is_told(make_pool: MakePool, use: Callable[[EnvPool], Any], told: str) -> None:
    pool = make_pool(2)
    with pytest.raises(PoolError, match=told):
        use(pool)


def test_a_step_before_the_first_reset_is_told(make_pool: MakePool) -> None:
    with pytest.raises(EpisodeOver, match=r"environment 0 has not begun; call async_reset"):
        make_pool(1).send(["step"])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"num_envs": 0}, "num_envs"),
        ({"num_envs": 2, "batch_size": 3}, "batch_size"),
        ({"num_envs": 2, "workers": "ray"}, "one of inline, thread, process"),
        ({"num_envs": 2, "call_s": 0}, "more than 0 seconds"),
        ({"num_envs": 2, "call_s": float("nan")}, "more than 0 seconds"),
        ({"num_envs": 2, "autoreset_mode": "sometimes"}, "sometimes"),
        ({"num_envs": 2, "env": "palestra/ToolUseMini-v0", "split": "test"}, "test"),
        ({"num_envs": 2, "env": lambda: None, "split": "train"}, "give it to the function"),
        ({"num_envs": 2, "env": "toy/Obay-v0"}, "did you mean 'toy/Obey-v0'"),
    ],
)
def test_wrong_arguments_are_named(make_pool: MakePool, settings: dict[str, Any], told: str) -> None:
    with pytest.raises((ValueError, UnknownEnvError), match=told):
        make_pool(**settings)


@pytest.mark.parametrize("kind", KINDS)
def test_closing_closes_every_environment_once(make_pool: MakePool, kind: WorkerKind) -> None:
    with make_pool(3, workers=kind) as pool:
        pool.reset(seed=0)
        from obeygym.env import ObeyEnv  # type: ignore[import-not-found]

        before = len(ObeyEnv.closed)
    pool.close()
    assert len(ObeyEnv.closed) - before == (0 if kind == "process" else 3)  # each in its own process there
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_pool_that_is_dropped_without_closing_leaves_nothing(make_pool: MakePool, kind: WorkerKind) -> None:
    def use() -> Sequence[threading.Thread]:
        pool = EnvPool(OBEY, 2, workers=kind)
        pool.reset(seed=0)
        return [thread for thread in threading.enumerate() if thread.name == "palestra-env"]

    threads = use()
    assert len(threads) == 2
    gc.collect()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_an_import_of_palestra_knows_the_pool() -> None:
    assert palestra.EnvPool is EnvPool
