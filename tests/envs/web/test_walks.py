"""Tasks from walks: what was changed is asked for, can be done, takes as many steps as is said, and is told plainly."""

import pytest
from tests.envs.web.notes import Notes

from palestra.envs.base import Json, TaskError
from palestra.envs.draws import Draws
from palestra.envs.web.env import WebEnv
from palestra.envs.web.generate import KNOBS, WebTasks
from palestra.envs.web.search import Graph, TooLarge
from palestra.envs.web.site import Knobs, changes
from palestra.envs.web.sites.catalogue import SITES
from palestra.envs.web.tasks import problem_of, site_of
from palestra.envs.web.telling import NotTold, told
from palestra.envs.web.walked import Walked
from palestra.envs.web.walks import goal_of, walk, walked_goals

SMALL = Knobs(size=4, fields=2, pages=2, distractors=1)
SMALL_KNOBS: dict[str, Json] = {"origin": "walks", "size": 4, "fields": 2, "distractors": 1}
MOST_NODES = 1500  # of the search of everything, which is given up beyond


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_a_walked_task_can_be_done_in_the_steps_that_are_told(split: str) -> None:
    tasks, env = WebTasks(split), WebEnv()  # type: ignore[arg-type]
    for seed in range(6):
        task = tasks.sample(seed, SMALL_KNOBS)
        assert task == WebTasks(task.provenance["split"]).sample(seed, SMALL_KNOBS)
        problem = problem_of(task)
        assert task.provenance["template"].startswith("walk ")
        assert problem.goal.changes
        assert problem.graph.distance(problem.graph.start, 50) == task.provenance["distance"] == len(problem.oracle)
        env.reset(options={"task": task})
        steps = [env.step(action) for action in env.oracle()]
        assert [terminated for _, _, terminated, _, _ in steps] == [False] * (len(steps) - 1) + [True]
        assert steps[-1][4]["is_success"], task.id
        env.reset(options={"task": task})
        assert not env.step("send_msg_to_user('')")[4]["is_success"], "the goal is met at the start"
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", SITES)
def test_a_search_of_everything_finds_no_shorter_solution_of_what_walks_found(name: str) -> None:
    compared = 0
    for seed in range(3):
        site = SITES[name](seed, "train", SMALL)
        for goal in list(walked_goals(site, Draws("web", "test", seed, "walk"), 14))[:4]:
            try:
                plan = Graph(Walked(site), goal).plan(MOST_NODES)
                other = Graph(Walked(site), goal, is_all=True).plan(MOST_NODES)
            except TooLarge:
                continue
            assert plan is not None, goal
            assert other is not None, goal
            assert len(other) == len(plan), (goal, other, plan)
            compared += 1
    assert compared or name in ("forum", "shop"), "these are too large to look everywhere"


@pytest.mark.parametrize("name", SITES)
def test_walks_change_something_that_can_be_told(name: str) -> None:
    goals = []
    for seed in range(4):
        site = SITES[name](seed, "train", Knobs())
        goals += [(site, goal) for goal in walked_goals(site, Draws("web", "test", seed, "walk"), 25)]
    assert goals
    for site, goal in goals:
        assert goal.kind == "change"
        assert goal.intent[-1] == "."
        assert "{" not in goal.intent
        words = told(site, site.start().data, goal.changes)
        assert goal.intent.startswith(". ".join(words))


def test_walks_are_the_same_for_a_seed_and_end_where_the_data_are() -> None:
    site = SITES["files"](3, "train", SMALL)
    one, two = ([move for move, _ in walk(site, Draws("web", "test", 1, "walk"), 20)] for _ in range(2))
    assert one == two
    start = site.start().data
    reached = [view.state.data for _, view in walk(site, Draws("web", "test", 4, "walk"), 60)]
    changed = next(data for data in reached if changes(start, data))
    assert dict(goal_of(site, changed).changes) == changes(start, changed)


def test_rows_that_cannot_be_told_apart_are_no_task() -> None:
    inbox = SITES["inbox"](0, "train", Knobs())
    row = {"subject": "Budget", "from": "Mei", "starred": False, "folder": "Inbox"}
    data = {"messages": {"1": row, "2": row, "3": {**row, "from": "Rosa"}}}
    assert told(inbox, data, {"messages/3/starred": True}) == ('The message "Budget" from Rosa: put a star on it',)
    with pytest.raises(NotTold, match="several rows"):
        told(inbox, data, {"messages/1/starred": True})
    with pytest.raises(NotTold, match="is not told"):
        told(inbox, data, {"messages/3/body": "x"})
    with pytest.raises(NotTold, match="gone"):
        told(inbox, data, {"messages/3": None})


def test_a_site_of_which_nothing_is_known_is_told_by_its_tables() -> None:
    notes = Notes(0, "train", Knobs())
    data = notes.start().data
    assert told(notes, data, {"notes/2/title": "Milk", "notes/2/done": True, "notes/3": None}) == (
        '"Note 2" (of the notes): title is to be "Milk"; done is to be "True"',
        'Remove "Note 3" (of the notes)',
    )


def test_nothing_changed_or_too_much_is_no_goal() -> None:
    site = SITES["inbox"](1, "train", Knobs(size=30))
    start = site.start().data
    with pytest.raises(NotTold, match="nothing"):
        goal_of(site, start)
    starred = {row: {**cells, "starred": not cells["starred"]} for row, cells in start["messages"].items()}
    with pytest.raises(NotTold, match="are told at most"):
        goal_of(site, {**start, "messages": starred})


def test_knobs_of_walks() -> None:
    tasks = WebTasks()
    assert tasks.sample(0).difficulty == KNOBS
    task = tasks.sample(2, {**SMALL_KNOBS, "nearest": 4, "site": "files"})
    assert task.provenance["distance"] >= 4
    assert task.difficulty["origin"] == "walks"
    assert site_of("files", task.provenance["site_seed"], "train", task.difficulty).name == "files"
    assert KNOBS["origin"] == "goals"
    for wrong in ({"origin": "nowhere"}, {"origin": "walks", "parts": 1}, {"origin": "walks", "kind": "answer"}):
        with pytest.raises(TaskError):
            tasks.sample(0, wrong)
