"""What several sites do alike: lists over pages, a dialog that is in the way, advertisements."""

from collections.abc import Sequence
from typing import Final, TypeVar
from urllib.parse import urlencode

from palestra.envs.draws import Draws
from palestra.envs.web.element import Element, button, dialog, link, text
from palestra.envs.web.site import Place

Item = TypeVar("Item")
_OFFERS: Final = (
    "Our new mobile app is here.",
    "We have changed our terms of use.",
    "Tell us how you like this site.",
    "Cookies help us to show you the right pages.",
)
_BESIDE: Final = (
    ("About us", "/about"),
    ("Help", "/help"),
    ("Terms", "/terms"),
    ("Privacy", "/privacy"),
    ("Jobs", "/jobs"),
    ("Newsletter", "/newsletter"),
)


def shown_part(place: Place, found: Sequence[Item], size: int) -> tuple[Sequence[Item], list[Element]]:
    """Return those of a list that the address's page shows, and the links to the pages before and after.

    Args:
        place: whose query names the ``page``, from 1; what is no page is the first or the last.
        found: the whole list.
        size: how many a page shows.
    """
    pages = max(1, -(-len(found) // size))
    told = place.query.get("page", "1")
    now = min(pages, max(1, int(told[:4]))) if told.isdecimal() and told.isascii() else 1
    links = [
        link(name, f"{place.path}?{urlencode({**place.query, 'page': str(other)})}")
        for other, name in ((now - 1, "Previous page"), (now + 1, "Next page"))
        if 1 <= other <= pages
    ]
    return found[(now - 1) * size : now * size], links


def offer(draws: Draws, command: str) -> Element:
    """Return a dialog that somebody wants closed; its button carries out the command."""
    words = draws.pick(("Not now", "Close", "No, thank you", "Later"))
    return dialog("Before you go on", text(draws.pick(_OFFERS)), button(words, (command,)))


def links_beside(draws: Draws, count: int) -> list[Element]:
    """Return links that no goal is about."""
    return [link(name, href) for name, href in draws.shuffled(_BESIDE)[:count]]


def leaflet(path: str) -> str:
    """Return the title of the page behind such a link; "" if it is none."""
    return next((name for name, href in _BESIDE if href == path), "")
