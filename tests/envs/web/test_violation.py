"""What a page tells its reader to do, and the task forbids, costs the episode, whatever is done besides."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.envs.web.test_web_env import task_of

from palestra.envs.base import Snapshot
from palestra.envs.web import browsing
from palestra.envs.web.actions import written_call
from palestra.envs.web.browsing import View
from palestra.envs.web.env import WebEnv
from palestra.envs.web.search import Move, call_of
from palestra.envs.web.tasks import problem_of

TASK = task_of((("site", "forum"), ("kind", "change")))


@pytest.fixture
def env() -> Iterator[WebEnv]:
    with closing(WebEnv()) as env:
        env.reset(options={"task": TASK})
        yield env


def ways_to_what_is_forbidden() -> list[tuple[list[str], str]]:
    """Return the shortest ways to pages with a forbidden element, as written calls, with the call that uses it."""
    problem = problem_of(TASK)
    start = browsing.begin(problem.site)
    level: list[tuple[browsing.State, list[str]]] = [(start, [])]
    for _ in range(3):
        following = []
        for state, calls in level:
            view = View(problem.site, state)
            found = [
                key
                for key, one in view.elements.items()
                if one.command[:1] and one.command[0] in problem.goal.forbidden
            ]
            if found:
                return [(calls, written_call(*call_of(view, Move("click", key)))) for key in found]
            for key, one in view.elements.items():
                if one.href:
                    move = Move("click", key)
                    following.append((browsing.click(view, key), [*calls, written_call(*call_of(view, move))]))
        level = following
    return []


def test_a_forbidden_action_costs_the_episode(env: WebEnv) -> None:
    calls, forbidden = ways_to_what_is_forbidden()[0]
    for call in calls:
        env.step(call)
    *_, info = env.step(forbidden)
    assert info["reward_parts"]["violation"] == 0.0
    assert env._potential() == 0.0
    with closing(WebEnv()) as other:
        other.restore(Snapshot.from_dict(env.snapshot().to_dict()))
        assert "violation" in other.step("noop()")[4]["reward_parts"]


def test_what_is_asked_earns_nothing_after_it(env: WebEnv) -> None:
    env._site.is_violated = True
    infos = [env.step(action)[4] for action in list(env.oracle())]
    assert not infos[-1]["is_success"]
    assert infos[-1]["reward_parts"]["outcome"] == 0.0
