"""Goals from random walks: somebody wanders about a site, and what has changed by then is what is asked for.

After INET (arXiv:1812.09195), where an instruction is read off what a random trajectory has done. Here it is read off
the data before and after, so that it is exact, and it asks for all that was changed and for nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.web import browsing
from palestra.envs.web.browsing import NotPossible, View
from palestra.envs.web.element import FILLED, Element
from palestra.envs.web.search import Move, moved
from palestra.envs.web.site import Data, Goal, Site, changes, wording
from palestra.envs.web.telling import NotTold, told
from palestra.envs.web.walked import ASIDE, LONGEST_TEXT, WALK, about, vocabulary

WALKS: Final = 40  # that are tried on one site
MOST_CELLS: Final = 12  # that a goal asks to change
_TEXTS: Final = ("done", "5")  # for fields of which nothing is known


class Wanderer:
    """Who uses what is there, at random: rather what was not used before, and buttons once something was entered.

    Args:
        site: where.
        draws: that choose.
        is_eager: whether only what it would rather use than all else is used.
    """

    def __init__(self, site: Site, draws: Draws, *, is_eager: bool = False) -> None:
        self._site, self._draws, self._is_eager = site, draws, is_eager
        self._forbidden = forbidden_on(site)
        self._used: dict[str, int] = {}

    def move(self, view: View) -> Move | None:
        """Return what is done next; None if there is nothing to do."""
        weights: list[tuple[Element, int]] = []
        for key, one in view.elements.items():
            if not one.is_disabled and not (one.command and one.command[0] in self._forbidden):
                weights.append((one, max(1, self._weight(view, one) // (1 + self._used.get(key, 0)) ** 2)))
        if not weights:
            return None
        most = max(weight for _, weight in weights) if self._is_eager else 0
        one = self._draws.pick([one for one, weight in weights if weight >= most for _ in range(weight)])
        self._used[one.key] = self._used.get(one.key, 0) + 1
        return self._using(view, one)

    def _weight(self, view: View, one: Element) -> int:
        """Return how much more often than others something is used that was not used before."""
        if one.command and one.role == "button":
            is_ready = bool(view.place.ui) and all(other.value for other in view.elements.values() if _is_line(other))
            return 60 if is_ready else 20
        if _is_line(one) and not one.value:
            return 60
        if one.href in (*ASIDE, view.state.tab.address):
            return 1
        return 20 if one.href else 10

    def _using(self, view: View, one: Element) -> Move:
        if one.role == "combobox":
            options = [option for option in one.options if option != one.value]
            return Move("select_option", one.key, self._draws.pick(options or one.options))
        if one.role in FILLED:
            unknown = (str(one.limits[0]), str(one.limits[1])) if one.limits[1] else _TEXTS
            texts = vocabulary(self._site, view.place, one.key) or unknown
            return Move("fill", one.key, self._draws.pick(texts))
        return Move("click", one.key)


def _is_line(one: Element) -> bool:
    return one.role == "textbox" and not one.is_disabled


def forbidden_on(site: Site) -> tuple[str, ...]:
    """Return the first words of commands that some goal of a site forbids."""
    return tuple(dict.fromkeys(word for goal in site.goals() for word in goal.forbidden))


def walk(site: Site, draws: Draws, steps: int) -> Iterator[tuple[Move, View]]:
    """Yield the moves of one random walk from the start, and what each leads to."""
    wanderer, view = Wanderer(site, draws), View(site, browsing.begin(site))
    for _ in range(steps):
        move = wanderer.move(view)
        if move is None:
            return
        try:
            state = moved(view, move)
        except NotPossible:
            continue
        if state is not view.state:
            view = View(site, state)
            yield move, view


def walked_goals(site: Site, draws: Draws, steps: int, nearest: int = 1) -> Iterator[Goal]:
    """Yield what walks have come to, each up to the last change that it made, no goal twice.

    Args:
        site: where.
        draws: of the walks.
        steps: of a walk, at most.
        nearest: that a goal is to be, in steps with the end: what has taken fewer is left out.
    """
    start, met = site.start().data, set[str]()
    for _ in range(WALKS):
        entered: list[str] = []
        last: tuple[Data, tuple[str, ...]] = (start, ())
        taken = 0
        for place, (move, view) in enumerate(walk(site, draws, steps), start=1):
            entered += [move.value] if move.value else []
            if view.state.data is not last[0]:
                last, taken = (view.state.data, tuple(entered)), place
        if taken + 1 < nearest:
            continue
        try:
            goal = goal_of(site, last[0], last[1])
        except NotTold:
            continue
        if goal.intent not in met:
            met.add(goal.intent)
            yield goal


def goal_of(site: Site, now: Data, entered: Sequence[str] = ()) -> Goal:
    """Return the goal that asks for what has changed since the start.

    Args:
        site: where.
        now: the data.
        entered: texts that were entered or chosen on the way.

    Raises:
        NotTold: nothing has changed, too much, or what cannot be told.
    """
    start = site.start().data
    changed = changes(start, now)
    if not changed:
        raise NotTold("nothing has changed")
    if len(changed) > MOST_CELLS:
        raise NotTold(f"{len(changed)} cells have changed, and {MOST_CELLS} are told at most")
    sentences = told(site, start, changed)
    if not sentences:
        raise NotTold("what has changed has no words")
    words = ". ".join(sentences)
    draws = site.draws(f"walk {words[:40]}")
    ending = wording(draws, site.knobs.paraphrase, ("", " Change nothing else.", " Leave all else as it is."))
    rows = about(start, changed)
    named = [value for table, row in rows for value in start[table][row].values()]
    texts = [value for value in (*changed.values(), *entered, *named) if value not in (None, "")]
    values = dict.fromkeys(str(value) for value in texts if not isinstance(value, bool))
    return Goal(
        kind="change",
        template=f"{WALK} {_shape(start, changed)}",
        intent=f"{words}.{ending}",
        changes=changed,
        forbidden=forbidden_on(site),
        values=tuple(value for value in values if len(value) <= LONGEST_TEXT),
    )


def _shape(start: Data, changed: Mapping[str, Json]) -> str:
    """Return which columns change, of which tables rows are new, and of which they are gone."""
    found: dict[str, None] = {}
    for cell in changed:
        table, row, *column = cell.split("/")
        is_new = row not in start.get(table, {})
        found[f"{table} gone" if not column else f"{table} made" if is_new else f"{table}.{column[0]}"] = None
    return " ".join(sorted(found))
