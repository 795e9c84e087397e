"""Each of our environments in vector environments, Gymnasium's and ours, and specs that travel."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AsyncVectorEnv, AutoresetMode

import palestra
from palestra.envs.env import AgentEnv
from palestra.envs.workers import WORKERS, WorkerKind

MakeEnv = Callable[..., AgentEnv]


def scripts(env: AgentEnv, seeds: range) -> list[list[str]]:
    """Return the oracle's actions for each seed."""
    made: list[list[str]] = []
    for seed in seeds:
        env.reset(seed=seed)
        made.append([])
        for action in env.oracle():
            made[-1].append(action)
            env.step(action)
    return made


def test_texts_go_through_pipes_by_default(env_id: str, env: AgentEnv) -> None:
    vector = palestra.make_vec(env_id, 2)
    try:
        assert isinstance(vector, AsyncVectorEnv)
        assert vector.shared_memory is False
        observations, _ = vector.reset(seed=5)
        assert observations == (env.reset(seed=5)[0], env.reset(seed=6)[0])
        assert observations in vector.observation_space
    finally:
        vector.close()


@pytest.mark.parametrize("has_shared_memory", [False, True])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_processes_go_on_after_an_end(env_id: str, env: AgentEnv, mode: AutoresetMode, has_shared_memory: bool) -> None:
    (script,) = scripts(env, range(5, 6))
    vector_kwargs = {"autoreset_mode": mode, "shared_memory": has_shared_memory}
    vector = palestra.make_vec(env_id, vector_kwargs=vector_kwargs)
    try:
        vector.reset(seed=5)
        *_, (observations, _, terminated, _, infos) = [vector.step((action,)) for action in script]
        ended = infos["final_info"] if mode is AutoresetMode.SAME_STEP else infos
        assert list(terminated) == [True]
        assert list(ended["is_success"]) == [True]
        if mode is AutoresetMode.NEXT_STEP:
            observations, *_ = vector.step(("ignored",))
        elif mode is AutoresetMode.DISABLED:
            observations, _ = vector.reset(options={"reset_mask": np.array([True])})
        assert observations == (env.reset()[0],)
    finally:
        vector.close()


@pytest.mark.parametrize("kind", list(WORKERS))
def test_a_pool_pays_what_a_single_environment_pays(env_id: str, env: AgentEnv, kind: WorkerKind) -> None:
    seeds = range(5, 7)
    moves = [iter(script) for script in scripts(env, seeds)]
    returns = np.zeros(2)
    with palestra.EnvPool(env_id, 2, workers=kind, batch_size=1, autoreset_mode="Disabled") as pool:
        pool.async_reset(seed=seeds.start)
        left = 2
        while left:
            batch = pool.recv()
            (number,) = batch.env_ids
            assert batch.faults == {}
            assert batch.observations[0] in pool.single_observation_space
            returns[number] += batch.rewards[0]
            if batch.terminated[0]:
                left -= 1
                assert batch.infos[0]["is_success"]
            else:
                pool.send([next(moves[number])], [number])
    assert returns.tolist() == pytest.approx([1.0, 1.0])


def test_a_spec_makes_the_environment_where_palestra_was_never_imported(env_id: str, make_env: MakeEnv) -> None:
    env = make_env(split="heldout", shaping="none")
    first = env.reset(seed=9)[0]
    assert env.spec is not None
    program = (
        "import sys; from gymnasium.envs.registration import EnvSpec; import gymnasium; "
        "assert 'palestra' not in sys.modules; spec = EnvSpec.from_json(sys.argv[1]); "
        "env = gymnasium.make(spec); assert EnvSpec.from_json(spec.to_json()) == spec; "
        "sys.stdout.buffer.write(env.reset(seed=9)[0].encode('utf-8', 'surrogatepass'))"
    )
    command = [sys.executable, "-W", "error", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {program}"]
    done = subprocess.run([*command, env.spec.to_json()], capture_output=True, check=True)
    assert done.stdout.decode("utf-8", "surrogatepass") == first


def test_the_specs_of_wrapped_and_of_vector_environments_travel_too(env_id: str, env: AgentEnv) -> None:
    first = env.reset(seed=3)[0]
    wrapped = gymnasium.make(env_id, render_mode="ansi")
    assert wrapped.spec is not None
    again = gymnasium.make(EnvSpec.from_json(wrapped.spec.to_json()))
    assert again.spec == wrapped.spec
    assert again.reset(seed=3)[0] == first
    vectors: list[Any] = [palestra.make_vec(env_id, 2, vectorization_mode="sync")]
    vectors.append(gymnasium.make_vec(EnvSpec.from_json(vectors[0].spec.to_json())))
    for one in vectors:
        assert (one.num_envs, one.reset(seed=3)[0][0]) == (2, first)
    for made in (wrapped, again, *vectors):
        made.close()
