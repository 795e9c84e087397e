"""The laws of forking, for each of our environments, over random episodes.

Restoring is observationally equal; forks are independent; equal actions from a fork give equal
trajectories; a changed snapshot is refused; a snapshot survives JSON, pickle and another process.
"""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.envs.base import Blob, EpisodeOver, Held, Snapshot, SnapshotError
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import SCRIPTS

MakeEnv = Callable[..., AgentEnv]
Walk = Callable[[AgentEnv, Sequence[Any]], list[str]]

# Programs there note in files when they ran, as git does in its index.
WITH_A_CLOCK = {"palestra/Terminal-v0"}

# A recipe for an episode: whose action comes next, turn after turn.
recipes = st.lists(st.sampled_from(["oracle", "random", "nop", "junk"]), min_size=1, max_size=6)


def actions_for(env: AgentEnv, recipe: Sequence[str], seed: int) -> list[str]:
    """Return the actions of a recipe; the random ones are drawn from what the start shows."""
    rng = np.random.default_rng(seed)
    sources = {name: script(env, rng) for name, script in SCRIPTS.items()}
    junk = {"junk": iter('{"name": "é🙂\ud800", "arguments": [1e999]}' for _ in recipe)}
    made = [next({**sources, **junk}[name], "nothing left") for name in recipe]
    return [*made, *islice(env.oracle(), 2)]


def kept(env: AgentEnv) -> Snapshot | tuple[str, dict[str, Blob]]:
    """Return what equal actions make equal of a moment."""
    snapshot = env.snapshot()
    if snapshot.env_id not in WITH_A_CLOCK:
        return snapshot
    return snapshot.state, {name: blob for name, blob in snapshot.blobs.items() if not isinstance(blob, Held)}


def test_the_laws(make_env: MakeEnv, walk: Walk, n_tasks: int) -> None:
    env, other = make_env(), make_env(split="heldout")

    @given(seed=st.integers(0, 10_000), recipe=recipes, cut=st.integers(0, 6))
    @settings(max_examples=2 * n_tasks)
    def hold(seed: int, recipe: list[str], cut: int) -> None:
        other.reset(seed=seed + 1)
        env.reset(seed=seed)
        actions = actions_for(env, recipe, seed)
        before = walk(env, actions[:cut])
        snapshot = env.snapshot()
        assert env.snapshot() == snapshot  # looking changes nothing
        [fork] = env.fork()
        rest = [] if json.loads(snapshot.state)["outcome"] else actions[cut:]
        after = walk(env, rest)
        assert fork.snapshot() == snapshot  # what the one did, the other did not feel
        assert walk(fork, rest) == after
        other.restore(snapshot)
        assert other.snapshot() == snapshot  # nothing is lost
        assert walk(other, rest) == after
        assert kept(fork) == kept(other) == kept(env)
        env.restore(snapshot)  # back in time
        assert walk(env, rest) == after
        env.reset(seed=seed)
        assert walk(env, actions[:cut]) + walk(env, rest) == before + after  # and from the start
        fork.close()

    hold()


def test_restored_environments_go_on_to_the_same_tasks(make_env: MakeEnv) -> None:
    env, other = make_env(), make_env()
    env.reset(seed=3)
    env.reset()
    other.restore(env.snapshot())
    assert [env.reset()[0] for _ in range(3)] == [other.reset()[0] for _ in range(3)]


def test_forks_go_their_own_ways(make_env: MakeEnv) -> None:
    env = make_env()
    env.reset(seed=5)
    solution = list(env.oracle())
    forks = env.fork(3)
    ends = []
    for fork, actions in zip(forks, (solution, ["hello"], [*solution[:-1]]), strict=True):
        for action in actions:
            fork.step(action)
        ends.append(json.loads(fork.snapshot().state)["outcome"])
        fork.close()
    assert [end and end["is_success"] for end in ends] == [True, None, None]
    assert env.snapshot().state != forks[0].snapshot().state
    assert env.step(solution[0])[4]["messages"][-1]["role"] == "tool"


def test_a_fork_is_made_as_the_original_was(make_env: MakeEnv) -> None:
    env = make_env(shaping="progress", render_mode="ansi", split="heldout")
    env.reset(seed=0)
    env.step("hello")
    [fork] = env.fork()
    [again] = fork.fork()
    for one in (fork, again):
        assert type(one) is type(env)
        assert (one.shaping, one.render_mode, one.tasks.split, one.spec) == ("progress", "ansi", "heldout", env.spec)
        assert one.render() == env.render()
        one.close()


def test_a_finished_episode_stays_finished_when_restored(make_env: MakeEnv, walk: Walk) -> None:
    env, other = make_env(), make_env()
    env.reset(seed=0)
    told = walk(env, list(env.oracle()))
    other.restore(env.snapshot())
    with pytest.raises(EpisodeOver):
        other.step("more")
    assert json.loads(told[-1])[4]["is_success"]
    assert other.snapshot() == env.snapshot()


def test_a_changed_snapshot_is_refused_and_leaves_the_episode_as_it_was(env: AgentEnv) -> None:
    env.reset(seed=0)
    env.step(next(iter(env.oracle())))
    snapshot = env.snapshot()
    spots = np.random.default_rng(0).integers(0, len(snapshot.state), size=40)
    changed = [
        replace(snapshot, state=snapshot.state[:spot] + chr(ord(snapshot.state[spot]) ^ 1) + snapshot.state[spot + 1 :])
        for spot in map(int, spots)
    ]
    changed += [
        replace(snapshot, env_id="palestra/Other-v0"),
        replace(snapshot, digest="0" * 64),
        replace(snapshot, blobs={**snapshot.blobs, "extra": b"x"}),
        replace(snapshot, state=""),
        Snapshot.take("palestra/Other-v0", {}, {}),
    ]
    for one in changed:
        with pytest.raises(SnapshotError):
            env.restore(one)
    assert env.snapshot() == snapshot


@pytest.mark.parametrize("state", [None, [], {}, {"task": {}}, "text", 3])
def test_a_snapshot_of_nothing_is_refused(env: AgentEnv, env_id: str, state: Any) -> None:
    env.reset(seed=0)
    with pytest.raises(SnapshotError, match="holds no episode"):
        env.restore(Snapshot.take(env_id, state, {}))


def test_a_snapshot_travels(make_env: MakeEnv, walk: Walk, env_id: str) -> None:
    env = make_env()
    env.reset(seed=1)
    first, *rest = env.oracle()
    env.step(first)
    snapshot = env.snapshot()
    told = walk(env, rest)
    written = json.dumps(snapshot.to_dict())
    for read in (pickle.loads(pickle.dumps(snapshot)), Snapshot.from_dict(json.loads(written))):
        assert read == snapshot
        other = make_env()
        other.restore(read)
        assert walk(other, rest) == told
    assert elsewhere(env_id, written, rest) == told


def elsewhere(env_id: str, written: str, actions: list[str]) -> list[str]:
    program = f"""
import sys; sys.path[:0] = {sys.path!r}
import json, palestra
snapshot, actions = json.load(sys.stdin)
env = palestra.make({env_id!r})
env.restore(palestra.Snapshot.from_dict(snapshot))
for action in actions:
    observation, reward, terminated, truncated, info = env.step(action)
    print(json.dumps([observation, reward, terminated, truncated, {{**info, "outcome": repr(info["outcome"])}}]))
env.close()
"""
    told = json.dumps([json.loads(written), actions])
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, input=told, capture_output=True, text=True, check=True).stdout.splitlines()


def test_keys_keep_their_order_so_that_prompts_stay_the_same_to_the_letter(env: AgentEnv, make_env: MakeEnv) -> None:
    _, info = env.reset(seed=0)
    other = make_env()
    other.restore(env.snapshot())
    assert json.dumps(other.step("hello")[4]["tools"]) == json.dumps(info["tools"])
