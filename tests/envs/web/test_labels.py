"""Preferences are exact: the positive action comes a step nearer, and none of the negative ones does."""

import json

import pytest
from tests.envs.web.test_web_env import MOVE, task_of

from palestra.envs.actions import Action, ToolCall
from palestra.envs.web import browsing
from palestra.envs.web.actions import WEB_TOOLS, read_call
from palestra.envs.web.browsing import NotPossible, State, View
from palestra.envs.web.driver import carried_out
from palestra.envs.web.labels import (
    NEGATIVES,
    best_of_n_accuracy,
    pairwise_accuracy,
    preferences,
    written,
)
from palestra.envs.web.search import Graph
from palestra.envs.web.tasks import problem_of

TASK = task_of(tuple(MOVE.items()))


def call(text: str) -> ToolCall:
    action = read_call(Action(text), WEB_TOOLS)
    assert not action.error
    return action.calls[0]


def after(state: State, text: str) -> State | None:
    """Return the state after a written call; None if it ends the episode or cannot be done."""
    made = call(text)
    if made.name in ("send_msg_to_user", "report_infeasible"):
        return None
    try:
        return carried_out(View(problem_of(TASK).site, state), made.name, made.arguments)
    except NotPossible:
        return state


def test_labels_are_what_another_graph_says_of_the_same_states() -> None:
    problem = problem_of(TASK)
    graph = Graph(problem.site, problem.goal)  # which knows nothing yet
    found = list(preferences(TASK, seed=3))
    assert len(found) >= 3
    for one in found:
        assert len(set(one.negatives)) == NEGATIVES
        state = browsing.begin(problem.site)
        for text in one.history:
            state = after(state, text) or state
        assert View(problem.site, state).text in one.observation
        assert graph.distance(graph.node(state, 0), within=30) == one.distance
        good = after(state, one.positive)
        if good is not None:
            assert graph.distance(graph.node(good, 0), within=30) == one.distance - 1
        for text in one.negatives:
            bad = after(state, text)
            if bad is not None:
                assert graph.distance(graph.node(bad, 0), within=one.distance - 1) is None


def test_walks_stray_and_are_the_same_for_a_seed() -> None:
    one, two = ([written(found) for found in preferences(TASK, seed=3)] for _ in range(2))
    assert one == two
    assert one != [written(found) for found in preferences(TASK, seed=4)]
    told = [json.loads(line) for line in one]
    assert {"task_id", "intent", "history", "observation", "distance", "positive", "negatives"} == set(told[0])
    assert "click" in told[0]["positive"] or "fill" in told[0]["positive"]


def test_metrics_count_ties_as_wrong() -> None:
    scores = [[1.0, 0.5, 0.5, 0.2, 0.1], [0.4, 0.6, 0.3, 0.4, 0.1]]
    assert pairwise_accuracy(scores) == pytest.approx(6 / 8)
    assert best_of_n_accuracy(scores) == pytest.approx(1 / 2)
    for metric in (pairwise_accuracy, best_of_n_accuracy):
        with pytest.raises(ValueError, match="no scores"):
            metric([])
