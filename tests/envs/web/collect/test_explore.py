"""Exploring: who acts, what is noted of it, and why an episode is cut."""

from collections.abc import Iterator, Sequence

import pytest
from tests.envs.web.notes import Notes

from palestra.envs.draws import Draws
from palestra.envs.web.actions import Unreadable
from palestra.envs.web.browsing import View
from palestra.envs.web.collect.explore import Call, Chance, Episode, explore
from palestra.envs.web.element import Element
from palestra.envs.web.site import Knobs, Site
from palestra.envs.web.sites.catalogue import SITES

NOTES = Notes(0, "train", Knobs())
FORUM = SITES["forum"](1, "train", Knobs())


class Told:
    """Clicks what has these names, one after the other; None ends, and "?" cannot be read."""

    def __init__(self, names: Sequence[str | None]) -> None:
        self._names: Iterator[str | None] = iter(names)
        self.errors: list[str] = []

    def act(self, view: View, error: str) -> Call | None:
        self.errors.append(error)
        name = next(self._names)
        if name == "?":
            raise Unreadable("no such thing")
        if name is None:
            return None
        found = [key for key, one in view.elements.items() if one.name == name]
        return "click", {"bid": view.ids[found[0]] if found else "7"}


def explored(names: Sequence[str | None], steps: int, every: int, site: Site = NOTES) -> Episode:
    return explore(site, Told(names), steps, every)


DELETE = ("Note 3", "Delete", "Yes")


def test_what_was_done_is_found_without_what_did_nothing() -> None:
    episode = explored(("Title", *DELETE, "nowhere", "Note 1", "All notes"), 7, 7)
    (found,) = episode.found
    assert dict(found.goal.changes) == {"notes/3": None}
    assert [name for name, _ in found.calls] == ["click"] * 3
    assert (episode.actions, episode.refused, episode.cut) == (7, 2, "")


def test_an_episode_in_which_nothing_is_done_is_cut_at_the_first_look() -> None:
    episode = explored(("Note 1", "All notes") * 9, 12, 4)
    assert (episode.found, episode.cut, episode.actions) == ([], "nothing has changed", 4)


def test_an_episode_in_which_nothing_more_is_done_keeps_what_was() -> None:
    episode = explored((*DELETE, *("Note 1", "All notes") * 9), 12, 3)
    assert [found.looked for found in episode.found] == [3]
    assert (episode.cut, episode.actions) == ("nothing more has changed", 6)


def test_longer_starts_ask_for_more() -> None:
    episode = explored((*DELETE, "Note 2", "Delete", "Yes", None), 12, 3)
    assert [sorted(found.goal.changes) for found in episode.found] == [["notes/3"], ["notes/2", "notes/3"]]
    assert [len(found.calls) for found in episode.found] == [3, 6]
    assert episode.cut == "nothing more has changed"  # when it ended


def test_actions_that_nobody_can_read_end_an_episode() -> None:
    policy = Told((*DELETE, "?", "?", "Note 1", "?", "?", "?", None))
    episode = explore(NOTES, policy, 20, 20)
    assert (episode.cut, episode.refused) == ("actions could not be read", 5)
    assert policy.errors[4:7] == ["no such thing", "no such thing", ""]


def test_what_is_forbidden_ends_an_episode() -> None:
    names = ("My page", "Close my account", "All boards")
    assert any(one.name == names[1] for one in _on(FORUM, "/user/You"))
    episode = explored(names, 3, 3, FORUM)
    assert (episode.found, episode.cut) == ([], "what is forbidden was done")


def _on(site: Site, path: str) -> list[Element]:
    page = site.page(site.start().to(path))
    assert page is not None
    return list(page.walk())


@pytest.mark.parametrize("is_eager", [False, True])
def test_chance_explores_alike_for_a_seed(is_eager: bool) -> None:
    def once(seed: int) -> Episode:
        site = SITES["library"](2, "train", Knobs())
        return explore(site, Chance(site, Draws("web", "test", seed, "x"), is_eager=is_eager), 24, 8)

    episodes = [once(seed) for seed in range(6)]
    assert episodes == [once(seed) for seed in range(6)]
    assert any(episode.found for episode in episodes)
    assert len({episode.actions for episode in episodes}) > 1
