"""What a solver sees, and the calls it makes of it."""

from collections.abc import Sequence
from re import Match, search
from typing import Final

from palestra.envs.base import Json, TaskError
from palestra.envs.web.actions import written_call
from palestra.envs.web.miniwob.look import Item
from palestra.envs.web.miniwob.stage import Stage


class Sight:
    """The page as it is now: what is asked, and its elements."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.utterance = stage.utterance

    @property
    def items(self) -> Sequence[Item]:
        """Every visible element, in the order of the page."""
        return self._stage.look.items

    def said(self, pattern: str) -> Match[str]:
        """Return where the utterance says this.

        Raises:
            TaskError: nowhere.
        """
        if not (found := search(pattern, self.utterance)):
            raise TaskError(f"a solver does not understand {self.utterance!r}: it looked for {pattern!r}")
        return found

    def all(
        self, tag: str = "", text: str | None = None, html_id: str = "", kind: str = "", within: Item | None = None
    ) -> list[Item]:
        """Return the elements of a tag, with exactly this text, of an HTML id, of a class, below another element."""
        below = self.items if within is None else self._below(within)
        return [
            item
            for item in below
            if (not tag or item.tag == tag)
            and (text is None or item.text == text)
            and (not html_id or item.html_id == html_id)
            and (not kind or kind in item.classes)
        ]

    def one(
        self, tag: str = "", text: str | None = None, html_id: str = "", kind: str = "", within: Item | None = None
    ) -> Item:
        """Return the first such element.

        Raises:
            TaskError: there is none.
        """
        found = self.all(tag, text, html_id, kind, within)
        if not found:
            raise TaskError(f"a solver sees no {tag or 'element'} {text!r} #{html_id}.{kind} for {self.utterance!r}")
        return found[0]

    def field(self, place: int = 0) -> Item:
        """Return the field to write in at this place, counted from 0."""
        return [item for item in self.items if item.tag in ("input", "textarea") and item.role in _WRITTEN][place]

    def _below(self, item: Item) -> Sequence[Item]:
        start = next(place for place, one in enumerate(self.items) if one.id == item.id) + 1
        end = start
        while end < len(self.items) and self.items[end].depth > item.depth:
            end += 1
        return self.items[start:end]


_WRITTEN: Final = ("textbox", "searchbox", "spinbutton", "Date", "InputTime")


def call(name: str, **arguments: Json) -> str:
    """Return a call as an agent writes it."""
    return written_call(name, arguments)


def click(item: Item) -> str:
    """Return a click on an element."""
    return f"click({item.id!r})"


def fill(item: Item, value: str) -> str:
    """Return the call that writes into a field."""
    return call("fill", bid=item.id, value=value)


def press(item: Item, key: str) -> str:
    """Return the call that presses a key in an element."""
    return call("press", bid=item.id, key_comb=key)


def drag(start: tuple[float, float], end: tuple[float, float]) -> str:
    """Return the call that drags from one point to another."""
    return call("mouse_drag_and_drop", from_x=start[0], from_y=start[1], to_x=end[0], to_y=end[1])


def click_at(x: float, y: float) -> str:
    """Return a click on a point."""
    return call("mouse_click", x=x, y=y)
