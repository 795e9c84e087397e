"""Exploring a site without a task: a policy acts, and every few actions somebody looks whether anything came of it.

After NNetNav (arXiv:2410.02907): an episode goes on as long as what was done so far is worth an instruction, and is cut
where it is not. There a model decides that; here the server's data do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.web import browsing
from palestra.envs.web.actions import Unreadable
from palestra.envs.web.browsing import NotPossible, View
from palestra.envs.web.driver import carried_out
from palestra.envs.web.search import call_of
from palestra.envs.web.site import Data, Goal, Site
from palestra.envs.web.telling import NotTold
from palestra.envs.web.verify import REPORT, SAY
from palestra.envs.web.walks import Wanderer, forbidden_on, goal_of
from palestra.envs.web.watched import Watched

UNREADABLE: Final = 3  # actions in a row after which an episode is cut
Call = tuple[str, Mapping[str, Json]]


class Policy(Protocol):
    """Who explores one site, from the start of one episode to its end."""

    def act(self, view: View, error: str) -> Call | None:
        """Return what is done next; None if there is nothing more to do.

        Args:
            view: what is shown.
            error: what went wrong with the last action; "" if nothing did.

        Raises:
            Unreadable: there is no telling what is meant.
            InfraError: the policy failed, and the episode does not count.
        """
        ...


class Chance:
    """Acts at random, or always does what a wanderer would rather do.

    Args:
        site: where.
        draws: that choose.
        is_eager: whether only what weighs most is done: forms are filled in and sent, links taken once.
    """

    def __init__(self, site: Site, draws: Draws, *, is_eager: bool = False) -> None:
        self._wanderer = Wanderer(site, draws, is_eager=is_eager)

    def act(self, view: View, error: str) -> Call | None:
        move = self._wanderer.move(view)
        return None if move is None else call_of(view, move)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The start of an episode that is worth an instruction."""

    goal: Goal
    calls: tuple[Call, ...]  # up to the last change, without those that did nothing
    looked: int  # actions until somebody looked


@dataclass(slots=True, kw_only=True)
class Episode:
    """What came of exploring once."""

    found: list[Found]
    actions: int = 0
    refused: int = 0  # actions that could not be read or carried out
    cut: str = ""  # why it was cut; "" if it went on to its end


class _Cut(Exception):
    """An episode is not worth going on with; the message says why."""


def explore(site: Site, policy: Policy, steps: int, every: int) -> Episode:
    """Return what a policy did on a site that is worth an instruction.

    Args:
        site: where.
        policy: that acts.
        steps: actions, at most.
        every: after so many actions somebody looks, and at the end if the policy ends.

    Raises:
        InfraError: the policy failed.
    """
    trip = _Trip(site, policy)
    try:
        for count in range(1, steps + 1):
            is_over = not trip.step()
            if count % every == 0 or is_over:
                trip.look(count)
            if is_over:
                break
    except _Cut as cut:
        trip.episode.cut = str(cut)
    return trip.episode


class _Trip:
    """An episode under way."""

    def __init__(self, site: Site, policy: Policy) -> None:
        self._site = Watched(site, forbidden_on(site))
        self._policy, self._plain = policy, site
        self._view = View(self._site, browsing.begin(site))
        self._error, self._unreadable = "", 0
        self._done: list[tuple[Call, Data]] = []  # what had an effect, with the data after it
        self._last: Goal | None = None
        self.episode = Episode(found=[])

    def step(self) -> bool:
        """Have the policy act once; False if it has nothing more to do."""
        error, self._error = self._error, ""
        try:
            call = self._policy.act(self._view, error)
            if call is None or call[0] in (SAY, REPORT):
                return False
            self.episode.actions += 1
            self._unreadable = 0
            state = carried_out(self._view, *call)
        except (Unreadable, NotPossible) as wrong:
            self._error = str(wrong)
            self.episode.refused += 1
            self._unreadable += isinstance(wrong, Unreadable)
            if self._unreadable >= UNREADABLE:
                raise _Cut("actions could not be read") from wrong
            return True
        if self._site.is_violated:
            raise _Cut("what is forbidden was done")
        if state is not self._view.state:
            self._done.append((call, state.data))
            self._view = View(self._site, state)
        return True

    def look(self, count: int) -> None:
        """Note what was done so far.

        Raises:
            _Cut: it is not worth an instruction.
        """
        data = self._view.state.data
        try:
            goal = goal_of(self._plain, data, tuple(self._entered()))
        except NotTold as why:
            raise _Cut(str(why) if str(why) == "nothing has changed" else "what was done cannot be told") from why
        if self._last is not None and goal.changes == self._last.changes:
            raise _Cut("nothing more has changed")
        self._last = goal
        length = next(place for place, (_, after) in enumerate(self._done, start=1) if after == data)
        calls = tuple(call for call, _ in self._done[:length])
        self.episode.found.append(Found(goal=goal, calls=calls, looked=count))

    def _entered(self) -> Iterator[str]:
        for (_, arguments), _ in self._done:
            yield from (str(arguments[name]) for name in ("value", "options") if name in arguments)
