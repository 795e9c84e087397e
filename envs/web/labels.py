"""Preferences between actions, labelled exactly: one that comes a step nearer to the goal, and four that do not.

States come from walks that follow a shortest solution and stray from it now and then. The positive action leaves one
step less; each negative one leaves at least as many as before, or can no longer succeed. Nobody judges: distances are
those of `palestra.envs.web.search`. Form and metrics follow WebArbiter's WebPRMBench (arXiv:2601.21872).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from palestra.envs.base import Json, Task
from palestra.envs.draws import Draws
from palestra.envs.web import browsing
from palestra.envs.web.actions import written_call
from palestra.envs.web.browsing import NotPossible, State, View
from palestra.envs.web.driver import carried_out
from palestra.envs.web.element import FILLED
from palestra.envs.web.observe import shown
from palestra.envs.web.search import Node, TooLarge, call_of
from palestra.envs.web.tasks import FAMILY, Problem, problem_of
from palestra.envs.web.verify import REPORT, SAY, is_solved, said

NEGATIVES: Final = 4
_STRAYS: Final = 0.35  # of the steps of a walk
_FARTHER: Final = 3  # than the start a walk may get
_MOST_NODES: Final = 2000
Call = tuple[str, Mapping[str, Json]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """One state with an action that is right and some that are not.

    Attributes:
        task_id: of the task.
        intent: what the user asked for.
        history: the actions before, as written calls.
        observation: what is shown.
        distance: how many steps are left, the end included.
        positive: an action after which one less is left.
        negatives: actions after which as many are left, or more, or the goal is out of reach.
    """

    task_id: str
    intent: str
    history: tuple[str, ...]
    observation: str
    distance: int
    positive: str
    negatives: tuple[str, ...]


def preferences(task: Task, seed: int = 0) -> Iterator[Preference]:
    """Yield the preferences of one walk on a task; none of a state where too many others can be reached to tell.

    Raises:
        TaskError: it is no task of this family.
    """
    problem = problem_of(task)
    walk = _Walk(problem, Draws(FAMILY, f"labels/{task.id}", seed, "walk"))
    for _ in range(2 * len(problem.oracle) + _FARTHER):
        try:
            found = walk.preference(task)
        except TooLarge:
            return
        if found is None:
            return
        yield found
        if not walk.go_on(found.distance):
            return


def pairwise_accuracy(scores: Iterable[Sequence[float]]) -> float:
    """Return in which share of the pairs the positive action has the higher score; equal scores are none.

    Args:
        scores: of each preference, the positive action's first.

    Raises:
        ValueError: there is no pair.
    """
    pairs = [one[0] > other for one in scores for other in one[1:]]
    if not pairs:
        raise ValueError("there are no scores of pairs")
    return sum(pairs) / len(pairs)


def best_of_n_accuracy(scores: Iterable[Sequence[float]]) -> float:
    """Return in which share of the preferences the positive action's score is higher than all others.

    Args:
        scores: of each preference, the positive action's first.

    Raises:
        ValueError: there is none.
    """
    best = [all(one[0] > other for other in one[1:]) for one in scores]
    if not best:
        raise ValueError("there are no scores")
    return sum(best) / len(best)


def written(preference: Preference) -> str:
    """Return a preference as a line of JSON."""
    return json.dumps(asdict(preference), ensure_ascii=False)


class _Walk:
    """Where a walk stands: a state with its distance."""

    def __init__(self, problem: Problem, draws: Draws) -> None:
        self._problem, self._draws = problem, draws
        self._graph, self._start = problem.graph, problem.site.start().data
        self._history: list[str] = []
        self._others: list[Call] = []
        self._at(browsing.begin(problem.site), 0)

    def _at(self, state: State, seen: int) -> None:
        self._view = View(self._problem.site, state)
        self._node = self._graph.node(state, seen)

    def preference(self, task: Task) -> Preference | None:
        """Return the preference of the present state; None if it is too far away, or has too few actions."""
        within = len(self._problem.oracle) + _FARTHER
        left = self._graph.distance(self._node, within, _MOST_NODES)
        if left is None:
            return None
        rights, self._others = self._rights(left), []
        for call in self._draws.shuffled(list(self._possible())):
            if len(self._others) == NEGATIVES:
                break
            if call not in rights and not self._is_nearer(call, left):
                self._others.append(call)
        if not rights or len(self._others) < NEGATIVES:
            return None
        self._right = self._draws.pick(rights)
        return Preference(
            task_id=task.id,
            intent=task.public["intent"],
            history=tuple(self._history),
            observation=shown(self._view),
            distance=left,
            positive=written_call(*self._right),
            negatives=tuple(written_call(*call) for call in self._others),
        )

    def go_on(self, left: int) -> bool:
        """Take a step, mostly a right one, and a stray one only to where the goal is near; return False at the end."""
        strays = [call for call in self._others if call[0] not in (SAY, REPORT)]
        if strays and self._draws.chance(_STRAYS):
            before = self._view, self._node
            call = self._draws.pick(strays)
            if self._take(call) and self._is_near(left + _FARTHER):
                return True
            self._view, self._node = before
            self._history.pop()
        return self._right[0] not in (SAY, REPORT) and self._take(self._right)

    def _take(self, call: Call) -> bool:
        self._history.append(written_call(*call))
        try:
            self._at(carried_out(self._view, *call), self._node.seen)
        except NotPossible:
            return False
        return True

    def _is_near(self, within: int) -> bool:
        try:
            return self._left(self._node, within)
        except TooLarge:
            return False

    def _rights(self, left: int) -> list[Call]:
        """Return the actions after which one step less is left."""
        if left == 1:
            return [self._problem.oracle[-1]]
        return [
            call_of(self._view, move) for move, after in self._graph.moves(self._node) if self._left(after, left - 1)
        ]

    def _left(self, node: Node, within: int) -> bool:
        return self._graph.distance(node, within, _MOST_NODES) is not None

    def _is_nearer(self, call: Call, left: int) -> bool:
        """Tell whether an action leaves fewer steps than before."""
        name, arguments = call
        if name in (SAY, REPORT):
            told = said(self._problem.goal, name, str(arguments.get("text", "")))
            return is_solved(self._problem.goal, self._start, self._view.state.data, told, self._node.seen)
        try:
            state = carried_out(self._view, name, arguments)
        except NotPossible:
            return False
        if state == self._view.state or self._is_forbidden(call):
            return False
        return self._left(self._graph.node(state, self._node.seen), left - 1)

    def _is_forbidden(self, call: Call) -> bool:
        key = self._view.keys.get(str(call[1].get("bid", "")), "")
        command = self._view.elements[key].command if key else ()
        return bool(command) and command[0] in self._problem.goal.forbidden

    def _possible(self) -> Iterator[Call]:
        """Yield actions that somebody might take here: on elements, one step back, or an end too early."""
        goal = self._problem.goal
        for key, one in self._view.elements.items():
            if one.is_disabled:
                continue
            bid = {"bid": self._view.ids[key]}
            if one.href or one.command or one.role in ("checkbox", "radio"):
                yield "click", bid
            elif one.role == "combobox":
                yield from (
                    ("select_option", {**bid, "options": option}) for option in one.options if option != one.value
                )
            elif one.role in FILLED:
                yield from (
                    ("fill", {**bid, "value": value}) for value in goal.values or ("done",) if value != one.value
                )
        if self._view.state.tab.past:
            yield "go_back", {}
        yield SAY, {}
        yield REPORT, {}
