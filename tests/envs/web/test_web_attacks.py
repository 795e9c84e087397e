"""What is no solution earns nothing."""

from collections.abc import Sequence
from contextlib import closing

import pytest
from tests.envs.web.test_web_env import task_of

from palestra.envs.base import Task
from palestra.envs.scripts import SCRIPTS, Script, play
from palestra.envs.web.attacks import ATTACKS, MUTANTS
from palestra.envs.web.env import WebEnv
from palestra.envs.web.sites.catalogue import SITES

KINDS = ("change", "answer", "infeasible")


@pytest.fixture(scope="module", params=KINDS)
def task(request: pytest.FixtureRequest) -> Task:
    return task_of((("site", "inbox"), ("kind", request.param), ("size", 8), ("longest", 6)))


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_earns_anything(name: str, task: Task) -> None:
    with closing(WebEnv(shaping="none")) as env:
        episode = play(env, ATTACKS[name], 5, task, is_watched=False)
    assert (episode.reward, episode.is_success) == (0.0, False)


@pytest.mark.parametrize("site", SITES)
def test_to_say_at_once_that_it_cannot_be_done_earns_nothing_where_it_cannot(site: str) -> None:
    task = task_of((("site", site), ("kind", "infeasible")))
    with closing(WebEnv(shaping="none")) as env:
        assert not play(env, ATTACKS["infeasible"], 5, task, is_watched=False).is_success
        assert play(env, SCRIPTS["oracle"], 5, task, is_watched=False).is_success
    assert len(task.hidden["oracle"]) > 1


def saying(actions: Sequence[str]) -> Script:
    return lambda env, rng: iter(actions)


def test_a_solution_that_is_nearly_right_earns_nothing(task: Task) -> None:
    with closing(WebEnv(shaping="none")) as env:
        assert play(env, SCRIPTS["oracle"], 5, task, is_watched=False).is_success
        for mutant in MUTANTS(task):
            episode = play(env, saying(mutant.actions), 5, task, is_watched=False)
            assert not episode.is_success, mutant.name
