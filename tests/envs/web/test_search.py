"""Shortest solutions and distances are those of an exhaustive search over everything that can be used."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.envs.web.notes import Notes

from palestra.envs.web import browsing
from palestra.envs.web.browsing import NotPossible, State, View
from palestra.envs.web.element import FILLED
from palestra.envs.web.search import Graph, Move, Node, TooLarge, call_of, moved
from palestra.envs.web.site import Goal, Knobs, Place, Site, changes

RENAME = Goal(
    kind="change",
    template="rename",
    intent="Name note 2 Milk; it is done.",
    changes={"notes/2/title": "Milk", "notes/2/done": True},
    values=("Milk",),
)
DELETE = Goal(kind="change", template="delete", intent="Delete note 3.", changes={"notes/3": None})
TWO = replace(DELETE, changes={"notes/3": None, "notes/1/done": True}, intent="Delete note 3; note 1 is done.")
COLOUR = replace(RENAME, changes={"notes/1/colour": "blue"}, values=("blue", "Milk"))
SEEN = Goal(kind="answer", template="where", intent="Which note can be printed?", answer="x", facts=("Note 3", "Print"))


class OnlyWhatMatters(Notes):
    """Notes that tell the search where not to look."""

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        if goal.template == "rename":
            return key not in ("size=small", "size=large", "weight", "do ask", "do delete", "do keep")
        return key not in ("title", "colour", "size=small", "size=large", "weight")


@pytest.fixture
def site() -> Site:
    return OnlyWhatMatters(7, "train", Knobs())


def exhaustive(site: Site, goal: Goal, state: State, seen: frozenset[str], most: int) -> int | None:
    """Return the distance by a search of its own: every element, every value, every way, nothing merged but equals."""
    start = browsing.begin(site).data
    level, met = [(state, seen)], set[str]()
    for depth in range(most):
        following = []
        for now, known in level:
            view = View(site, now)
            known |= {fact for fact in goal.facts if fact in view.text}
            if known == set(goal.facts) and changes(start, now.data) == goal.changes:
                return depth + 1
            for after in steps(view, goal):
                if (key := repr((after, sorted(known)))) not in met:
                    met.add(key)
                    following.append((after, known))
        level = following
    return None


def steps(view: View, goal: Goal) -> Iterator[State]:
    for key, one in view.elements.items():
        tries = [Move("click", key), Move("press", key, "Enter")]
        tries += [Move("fill", key, value) for value in goal.values if one.role in FILLED]
        tries += [Move("select_option", key, value) for value in goal.values if one.role == "combobox"]
        for move in tries:
            try:
                yield moved(view, move)
            except NotPossible:
                continue
    if view.state.tab.past:
        yield browsing.back(view.state)


@pytest.mark.parametrize(
    ("goal", "steps"), [(RENAME, 5), (DELETE, 4), (TWO, 7), (COLOUR, 4), (SEEN, 2)], ids=["a", "b", "c", "d", "e"]
)
def test_a_plan_is_as_short_as_can_be_and_solves_the_goal(site: Site, goal: Goal, steps: int) -> None:
    graph = Graph(site, goal)
    plan = graph.plan()
    assert plan is not None
    assert len(plan) + 1 == steps
    state = browsing.begin(site)
    for move in plan:
        state = moved(View(site, state), move)
    assert changes(browsing.begin(site).data, state.data) == goal.changes
    assert graph.distance(graph.start, within=steps) == steps
    assert graph.distance(graph.start, within=steps - 1) is None


@pytest.mark.parametrize("goal", [RENAME, DELETE, COLOUR], ids=["rename", "delete", "colour"])
def test_a_search_of_what_matters_finds_what_one_of_everything_finds(site: Site, goal: Goal) -> None:
    some, every = Graph(site, goal), Graph(site, goal, is_all=True)
    one, two = some.plan(), every.plan()
    assert one is not None
    assert two is not None
    assert len(one) == len(two)


@pytest.mark.parametrize("goal", [DELETE, COLOUR, SEEN], ids=["delete", "colour", "seen"])
def test_distances_are_those_of_an_exhaustive_search(site: Site, goal: Goal) -> None:
    graph, seen = Graph(site, goal), frozenset[str]()
    state = browsing.begin(site)
    for move in (Move("click", "to /notes/3"), Move("go_back"), Move("click", "to /notes/1"), Move("click", "done")):
        told = View(site, state).text
        seen |= {fact for fact in goal.facts if fact in told}
        bits = sum(1 << place for place, fact in enumerate(goal.facts) if fact in seen)
        assert graph.distance(graph.node(state, bits), within=4) == exhaustive(site, goal, state, seen, 4)
        state = moved(View(site, state), move)


def test_every_step_changes_the_distance_by_one_at_most(site: Site) -> None:
    graph = Graph(site, RENAME)
    assert graph.plan() is not None
    nodes = [graph.start, *(after for _, after in graph.moves(graph.start))]
    for node in [*nodes, *(after for one in nodes for _, after in graph.moves(one))]:
        here = graph.distance(node, within=11)
        assert here is not None
        after = [graph.distance(other, within=12) for _, other in graph.moves(node)]
        if not node.is_goal:
            assert min(one for one in after if one is not None) == here - 1
        assert all(one is not None and one >= here - 1 for one in after)


def test_what_was_entered_wrongly_may_be_put_back(site: Site) -> None:
    graph = Graph(site, DELETE)
    view = View(site, browsing.click(View(site, browsing.begin(site)), "to /notes/2"))
    wrong = View(site, browsing.fill(view, "title", "x"))
    puts = [move for move, _ in Graph(site, RENAME).moves(Graph(site, RENAME).node(wrong.state, 0))]
    assert Move("fill", "title", "Note 2") in puts
    assert graph.distance(graph.node(wrong.state, 0), within=9) == 5


def test_a_forbidden_command_is_no_way(site: Site) -> None:
    assert Graph(site, replace(DELETE, forbidden=("delete",))).plan() is None


def test_what_cannot_be_reached_is_proven_by_looking_everywhere(site: Site) -> None:
    class Locked(OnlyWhatMatters):
        def matters(self, place: Place, goal: Goal, key: str) -> bool:
            return key.startswith(("to ", "do delete", "do ask"))

    graph = Graph(Locked(7, "train", Knobs()), replace(DELETE, changes={"notes/4": None}))
    assert graph.plan() is None
    assert graph.exhausted() > 10
    assert Graph(Locked(7, "train", Knobs()), DELETE).exhausted() == 0
    with pytest.raises(TooLarge, match="more than 5 states"):
        graph.exhausted(most=5)


def test_the_page_before_counts_only_where_no_link_leads_there(site: Site) -> None:
    graph, view = Graph(site, DELETE), View(site, browsing.begin(site))
    there = browsing.click(view, "to /notes/1")
    assert graph.node(there, 0) is graph.node(replace(there, tabs=(replace(there.tab, past=()),)), 0)
    asked = browsing.click(View(site, there), "do ask")
    node = graph.node(asked, 0)
    assert Move("go_back") in [move for move, _ in graph.moves(node)]
    assert node is not graph.node(replace(asked, tabs=(replace(asked.tab, past=()),)), 0)


def test_a_move_is_an_action_on_the_page_that_is_shown(site: Site) -> None:
    view = View(site, browsing.click(View(site, browsing.begin(site)), "to /notes/2"))
    assert call_of(view, Move("click", "done")) == ("click", {"bid": view.ids["done"]})
    assert call_of(view, Move("fill", "title", "x")) == ("fill", {"bid": view.ids["title"], "value": "x"})
    assert call_of(view, Move("go_back")) == ("go_back", {})


def test_a_graph_is_the_same_whoever_asks_first(site: Site) -> None:
    one, two = Graph(site, RENAME), Graph(site, RENAME)
    assert one.plan() == two.plan()
    far: list[Node] = [after for _, first in two.moves(two.start) for _, after in two.moves(first)]
    asked = [two.distance(node, within=7) for node in reversed(far)][::-1]
    assert asked == [one.distance(one.node(node.state, node.seen), within=7) for node in far]
