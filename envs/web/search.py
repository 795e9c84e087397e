"""Shortest solutions and exact distances, by breadth-first search over what a user can do that matters.

A node is what decides how things go on: the data, what the server remembers, the page and what was entered there, the
page before (for one step back), and which facts were seen. Moves are clicks, entries of the goal's texts, Enter in a
form and one step back; they run the steps of `palestra.envs.web.browsing`, so what is found can be done. Distances
count the end of the episode as one step. Addresses that are typed and tabs are no moves: with them it may be shorter.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from palestra.envs.base import Json, canonical_json
from palestra.envs.web import browsing
from palestra.envs.web.browsing import NotPossible, State, Tab, View
from palestra.envs.web.element import FILLED, Element
from palestra.envs.web.site import Data, Goal, Place, Site, changes
from palestra.envs.web.verify import is_known, seen_on

MOST_NODES: Final = 6000  # of the search for a solution
NEAR_NODES: Final = 2000  # of that for the distance of one state


class TooLarge(RuntimeError):
    """A search met more nodes than it may."""


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that a user does: an action's name, the key of the element, and the text that it takes."""

    name: str
    key: str = ""
    value: str = ""


@dataclass(slots=True, eq=False)
class Node:
    """One state of the search; there is one object for each."""

    state: State
    seen: int
    is_goal: bool
    moves: tuple[tuple[Move, "Node"], ...] | None = None  # None until somebody asks
    finishes: bool | None = None  # whether one command leads to a goal


@dataclass(eq=False)
class Graph:
    """What can be reached on a site, as far as it was looked at; grows by need, and always alike.

    Args:
        site: where.
        goal: what is wanted.
        is_all: whether every element is used with every value, also where the site says that it does not matter.
    """

    site: Site
    goal: Goal
    is_all: bool = False
    _met: dict[tuple[str, ...], Node] = field(default_factory=dict)  # by all that is known before a page is made
    _nodes: dict[tuple[str, ...], Node] = field(default_factory=dict)
    _data: dict[int, tuple[Data, str]] = field(default_factory=dict)
    _lost: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _distances: dict[tuple[Node, int], int | None] = field(default_factory=dict)

    @cached_property
    def start(self) -> Node:
        """The node at the start of an episode."""
        return self.node(browsing.begin(self.site), 0)

    def node(self, state: State, seen: int) -> Node:
        """Return the node of a state, where these facts were seen before it is shown."""
        tab = state.tab
        before = tab.past[-1] if tab.past else ""
        key = (self._told(state.data), _text(state.visit), tab.address, _text(tab.ui), before, str(seen))
        if (node := self._met.get(key)) is None:
            node = self._met[key] = self._made(state, seen, key[:4], before)
        return node

    def plan(self, most: int = MOST_NODES) -> list[Move] | None:
        """Return the moves of a shortest solution, without the end; None if there is none.

        Raises:
            TooLarge: more nodes than `most` were met.
        """
        parents: dict[Node, tuple[Move, Node] | None] = {}
        for _, node, step in self._met_from(self.start, most):
            parents[node] = step
            if node.is_goal:
                return _path(node, parents)
        return None

    def distance(self, node: Node, within: int, most: int = MOST_NODES) -> int | None:
        """Return how many steps, the end included, solve the task from a node; None if they are more than `within`.

        Raises:
            TooLarge: more nodes than `most` were met.
        """
        known = self._distances.get((node, within), -1)
        if known == -1:
            known = self._distances[node, within] = self._looked(node, within, most)
        return known

    def _looked(self, node: Node, within: int, most: int) -> int | None:
        """Look for the nearest goal; the last step to a change is a command, so only these are tried at the rim."""
        is_change = self.goal.kind == "change" and within > 1
        rim, is_at_rim = within - 1 - is_change, False
        for depth, one, _ in self._met_from(node, most, rim):
            if one.is_goal:
                return depth + 1
            if is_change and depth == rim and not is_at_rim:
                is_at_rim = self._finishes(one)
        return within if is_at_rim else None

    def _finishes(self, node: Node) -> bool:
        """Tell whether some command changes the data to what is wanted."""
        if node.finishes is None:
            view = View(self.site, node.state)
            commands = (move for move in self._possible(view) if move.name == "press" or _commands(view, move))
            node.finishes = any(self._told(state.data) == self._wanted for state in _after(view, commands))
        return node.finishes

    def exhausted(self, most: int = MOST_NODES) -> int:
        """Return how many nodes can be reached from the start, all of which were looked at: no goal is among them.

        Returns 0 if one is.

        Raises:
            TooLarge: more nodes than `most` were met.
        """
        count = 0
        for _, node, _ in self._met_from(self.start, most):
            count += 1
            if node.is_goal:
                return 0
        return count

    def moves(self, node: Node) -> tuple[tuple[Move, Node], ...]:
        """Return what can be done at a node and where it leads, each node once."""
        if node.moves is None:
            after: dict[Node, Move] = {}
            view = View(self.site, node.state)
            for move in self._possible(view):
                for state in _after(view, (move,)):
                    after.setdefault(self.node(state, node.seen), move)
            after.pop(node, None)
            node.moves = tuple((move, other) for other, move in after.items())
        return node.moves

    # -- inner parts -------------------------------------------------------------------------------

    def _met_from(
        self, start: Node, most: int, deepest: int | None = None
    ) -> Iterator[tuple[int, Node, tuple[Move, Node] | None]]:
        """Yield all nodes from one on, breadth first: its depth, the node, and the step that led to it."""
        if deepest is not None and deepest < 0:
            return
        yield 0, start, None
        level, met, depth = [start], {start}, 0
        while level and (deepest is None or depth < deepest):
            following: list[Node] = []
            depth += 1
            for node in level:
                for move, after in self.moves(node):
                    if after not in met:
                        met.add(after)
                        following.append(after)
                        yield depth, after, (move, node)
                if len(met) > most:
                    raise TooLarge(f"more than {most} states of the site {self.site.name!r} can be reached")
            level = following

    def _made(self, state: State, seen: int, told: tuple[str, ...], before: str) -> Node:
        view = View(self.site, state)
        seen |= seen_on(view.page, self.goal.facts)
        if before and self._is_linked(view, before):
            before = ""  # a click leads there as well
        if (node := self._nodes.get((*told, before, str(seen)))) is None:
            tab = Tab(state.tab.address, state.tab.ui, (before,) if before else ())
            wanted = self._wanted if self.goal.kind == "change" else "{}"
            is_goal = told[0] == wanted and is_known(self.goal, seen)
            node = Node(State(state.data, state.visit, (tab,)), seen, is_goal)
            node = self._nodes.setdefault((*told, before, str(seen)), node)
        return node

    @cached_property
    def _wanted(self) -> str:
        return canonical_json(dict(self.goal.changes))

    @cached_property
    def _first(self) -> Data:
        return self.site.start().data

    def _told(self, data: Data) -> str:
        """Return the changes that data have seen, as a text."""
        known = self._data.get(id(data))
        if known is None:
            known = (data, canonical_json(changes(self._first, data)))
            self._data[id(data)] = known  # which keeps the data, and so the id
        return known[1]

    def _spoilt(self, data: Data) -> tuple[str, ...]:
        """Return what stood at the start where something else stands now that nobody asked for."""
        if data is self._first:
            return ()
        known = self._lost.get(id(data))
        if known is None:
            cells = changes(self._first, data).items()
            wrong = [cell.split("/") for cell, now in cells if self.goal.changes.get(cell, cell) != now]
            rows = [(self._first[cell[0]].get(cell[1], {}), cell[2]) for cell in wrong if len(cell) == 3]
            stood = [row[column] for row, column in rows if column in row and not isinstance(row[column], bool)]
            known = self._lost[id(data)] = tuple(dict.fromkeys(str(one) for one in stood if one is not None))
        return known

    def _is_linked(self, view: View, address: str) -> bool:
        return any(
            one.href and _address(one.href) == address and not one.is_disabled and self._matters(view.place, key)
            for key, one in view.elements.items()
        )

    def _matters(self, place: Place, key: str) -> bool:
        return self.is_all or self.site.matters(place, self.goal, key)

    def _possible(self, view: View) -> Iterator[Move]:
        """Yield what may be worth doing on a page."""
        place, ui, goal = view.place, view.place.ui, self.goal
        usable = {key: one for key, one in view.elements.items() if not one.is_disabled and self._matters(place, key)}
        clicked = {one.command for one in usable.values() if one.command}
        for key, one in usable.items():
            if one.command and one.command[0] in goal.forbidden:
                continue
            if one.href or one.command or one.role == "checkbox" or (one.role == "radio" and not one.checked):
                yield Move("click", key)
            elif one.role in FILLED or one.role == "combobox":
                yield from self._entries(place, one)
            if one.role in FILLED and (form := view.form_of(key)) and form.command not in clicked:
                clicked.add(form.command)
                if form.command and form.command[0] not in goal.forbidden:
                    yield Move("press", key, "Enter")
        if ui and (fresh := self.site.page(place.at(view.state.tab.address))):
            for one in fresh.walk():  # what was entered wrongly may be put back
                if one.field in ui and one.key in usable and one.value != usable[one.key].value:
                    yield _entry(one, one.value)
        if view.state.tab.past:
            yield Move("go_back")

    def _entries(self, place: Place, one: Element) -> Iterator[Move]:
        texts = self.goal.values if self.is_all else self.site.texts(place, self.goal, one.key)
        for value in dict.fromkeys((*texts, *self._spoilt(place.data))):
            if value != one.value and (one.role != "combobox" or value in one.options):
                yield _entry(one, value)


def moved(view: View, move: Move) -> State:
    """Return the state after a move.

    Raises:
        NotPossible: it cannot be done.
    """
    match move.name:
        case "click":
            return browsing.click(view, move.key)
        case "fill":
            return browsing.fill(view, move.key, move.value)
        case "select_option":
            return browsing.select_option(view, move.key, move.value)
        case "press":
            return browsing.press(view, move.key, move.value)
    return browsing.back(view.state)


def _after(view: View, moves: Iterable[Move]) -> Iterator[State]:
    """Yield the states after those of the moves that can be done and do something."""
    for move in moves:
        try:
            state = moved(view, move)
        except NotPossible:
            continue
        if state is not view.state:
            yield state


def _commands(view: View, move: Move) -> bool:
    return move.name == "click" and bool(view.elements[move.key].command)


def call_of(view: View, move: Move) -> tuple[str, dict[str, Json]]:
    """Return a move as an action on the page that is shown: its name and arguments."""
    names: Mapping[str, str] = {"fill": "value", "select_option": "options", "press": "key_comb"}
    if not move.key:
        return move.name, {}
    bid = {"bid": view.ids[move.key]}
    return move.name, {**bid, names[move.name]: move.value} if move.name in names else bid


@lru_cache(maxsize=4096)
def _address(href: str) -> str:
    return browsing.address(Place(data={}, visit={}, path="").at(href))


def _entry(one: Element, value: str) -> Move:
    return Move("select_option" if one.role == "combobox" else "fill", one.key, value)


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True) if value else ""


def _path(node: Node, parents: Mapping[Node, tuple[Move, Node] | None]) -> list[Move]:
    moves: list[Move] = []
    while (step := parents[node]) is not None:
        moves.append(step[0])
        node = step[1]
    return moves[::-1]
