"""No attack earns anything, and the solution told otherwise earns what it earns."""

from collections.abc import Callable

import pytest

from palestra.envs.actions import call_text
from palestra.envs.scripts import oracle, play
from palestra.envs.terminal.attacks import ATTACKS, EQUIVALENTS, near, shelf, solution
from palestra.envs.terminal.env import TerminalEnv

_PLANTED = sorted(shelf("plants"))
_JUNK = sorted(shelf("junk"))
_OTHERS = sorted(set(ATTACKS) - set(_PLANTED) - set(_JUNK))


@pytest.mark.parametrize(
    "name", ["waits_for_the_end", "interpreters", "traps", "pipe", "behind_links", "inputs_changed"]
)
def test_an_attack_earns_nothing(env: TerminalEnv, name: str) -> None:
    episode = play(env, ATTACKS[name], seed=1)
    assert (episode.reward, episode.is_success) == (0.0, False)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*_PLANTED, *_JUNK, *_OTHERS])
def test_no_attack_earns_anything(env: TerminalEnv, name: str) -> None:
    episode = play(env, ATTACKS[name], seed=3)
    assert (episode.reward, episode.is_success) == (0.0, False)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EQUIVALENTS))
def test_the_solution_told_otherwise_earns_the_same(env: TerminalEnv, name: str) -> None:
    assert play(env, EQUIVALENTS[name], seed=2).reward == play(env, oracle, seed=2).reward == 1.0


def test_what_is_planted_would_do_it(env: TerminalEnv, bash: Callable[..., str]) -> None:
    """So no attack fails because it planted something that is not the solution."""
    env.reset(seed=4)
    env.step(call_text("write_file", {"path": "/tmp/.plan", "content": solution(env.task)}))
    assert env.step(bash("cd /; bash /tmp/.plan", done=True))[1] == 1.0


@pytest.mark.slow
def test_steps_left_out_and_wrong_variants_fail(env: TerminalEnv) -> None:
    task = env.tasks.sample(5)
    mutants = list(near(task))
    assert {mutant.kind for mutant in mutants} == {"step left out", "wrong"}
    for mutant in mutants:
        actions = mutant.actions
        episode = play(env, lambda env, rng: iter(actions), seed=5)  # noqa: B023
        assert episode.reward == 0.0, mutant.name
