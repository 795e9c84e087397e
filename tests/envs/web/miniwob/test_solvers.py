"""The scripted solvers, each on the page that it solves."""

from collections.abc import Callable

import pytest

from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.web.miniwob.env import MiniWobEnv
from palestra.envs.web.miniwob.names import PAGES
from palestra.envs.web.miniwob.solvers import SOLVERS

MakePage = Callable[..., MiniWobEnv]
SOLVED = sorted(SOLVERS)


def test_more_pages_are_solved_than_not() -> None:
    assert set(SOLVERS) <= set(PAGES)
    assert len(SOLVERS) == 109


@pytest.mark.parametrize("page", ["click-dialog-2", "login-user-popup"])
def test_a_solver_solves_its_page(make_page: MakePage, page: str) -> None:
    episode = play(make_page(page), SCRIPTS["oracle"], 0)
    assert (episode.reward, episode.is_success) == (1.0, True)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_all_solvers_solve_their_pages(make_page: MakePage, part: int) -> None:
    """Two seeds each here; docs/miniwob.md tells of twenty."""
    lost = []
    for page in SOLVED[part::8]:
        env = make_page(page)
        for seed in (1, 2):
            episode = play(env, SCRIPTS["oracle"], seed)
            if not episode.is_success:
                lost.append((page, seed, episode.reward))
        env.close()
    assert lost == []


@pytest.mark.slow
@pytest.mark.parametrize("page", ["click-checkboxes", "enter-text", "email-inbox", "drag-items"])
def test_each_step_of_a_solver_is_needed(make_page: MakePage, page: str) -> None:
    env = make_page(page)
    env.reset(seed=1)
    actions = list(env.oracle())
    for left_out in range(len(actions)):
        env.reset(seed=1)
        info = {"is_success": False}
        for action in (*actions[:left_out], *actions[left_out + 1 :]):
            *_, terminated, _, info = env.step(action)
            if terminated:
                break
        assert not info["is_success"], (page, actions[left_out])
