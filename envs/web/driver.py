"""What carries out actions and shows pages: the simulator here, a real browser in `palestra.envs.web.browser`.

Both are given a site and a state and run the same steps of `palestra.envs.web.browsing`, so a state of one can be
gone on from in the other.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np

from palestra.envs.base import Json
from palestra.envs.web import browsing
from palestra.envs.web.browsing import NotPossible, State, View
from palestra.envs.web.site import Site

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


class Driver(Protocol):
    """Shows one episode's pages and does what is to be done on them."""

    @property
    def view(self) -> View:
        """What the present state shows, as the state machine tells it."""
        ...

    def begin(self, site: Site, state: State) -> None:
        """Show a state: the start of an episode, or any moment of one that goes on from there.

        Raises:
            InfraError: the browser failed.
        """
        ...

    def act(self, name: str, arguments: Mapping[str, Json]) -> State:
        """Carry out an action that does not end the episode, as `carried_out` does, and return the state after it.

        Raises:
            NotPossible: it cannot be carried out here; nothing was changed.
            InfraError: the browser failed.
        """
        ...

    def text(self) -> str:
        """Return the accessibility tree of what is shown.

        Raises:
            InfraError: the browser failed.
        """
        ...

    def screenshot(self, *, is_marked: bool = False) -> Pixels:
        """Return a picture of what is shown: (height, width, 3), colours from 0 to 255.

        Args:
            is_marked: whether what can be used has a box with its id around it.

        Raises:
            NotPossible: there is no picture.
            InfraError: the browser failed.
        """
        ...

    def close(self) -> None:
        """Give back what the driver holds; a second call does nothing."""


class Simulator:
    """The driver without a browser: a page is the text of it."""

    def __init__(self) -> None:
        self._view: View | None = None

    @property
    def view(self) -> View:
        if self._view is None:
            raise RuntimeError("nothing is shown yet; call begin first")
        return self._view

    def begin(self, site: Site, state: State) -> None:
        self._view = View(site, state)

    def act(self, name: str, arguments: Mapping[str, Json]) -> State:
        before = self.view
        state = carried_out(before, name, arguments)
        if state is not before.state:
            self._view = View(before.site, state)
        return state

    def text(self) -> str:
        return self.view.text

    def screenshot(self, *, is_marked: bool = False) -> Pixels:
        raise NotPossible("the simulator draws no pictures; use driver='browser'")

    def close(self) -> None:
        self._view = None


def carried_out(view: View, name: str, arguments: Mapping[str, Json]) -> State:
    """Return the state after an action that does not end the episode.

    Args:
        view: what was shown.
        name: of one of `palestra.envs.web.actions.WEB_TOOLS`.
        arguments: which fit that tool.

    Raises:
        NotPossible: the page has no such element, or it cannot be used like that.
    """
    if "bid" in arguments:
        return _on_element(view, name, key_of(view, arguments["bid"]), arguments)
    state = view.state
    match name:
        case "goto":
            return browsing.visit(state, browsing.own_address(arguments["url"]))
        case "go_back":
            return browsing.back(state)
        case "go_forward":
            return browsing.forward(state)
        case "new_tab":
            return browsing.new_tab(state, view.site)
        case "tab_close":
            return browsing.close_tab(state)
        case "tab_focus":
            return browsing.focus_tab(state, int(arguments["index"]))
        case "noop" | "scroll":
            return state
    raise NotPossible(f"{name} cannot be done on a page")


def key_of(view: View, bid: str) -> str:
    """Return the key of the element with an id.

    Raises:
        NotPossible: there is none on the page that is shown.
    """
    try:
        return view.keys[bid]
    except KeyError:
        told = f"there is no element [{bid[:20]}] on this page; ids are those of the page as it is shown now"
        raise NotPossible(told) from None


def chosen(options: Json) -> str:
    """Return the one option of `select_option`'s argument.

    Raises:
        NotPossible: they are several, or none.
    """
    if isinstance(options, str):
        return options
    if len(options) != 1:
        raise NotPossible(f"one option can be chosen, not {len(options)}")
    return str(options[0])


def _on_element(view: View, name: str, key: str, arguments: Mapping[str, Json]) -> State:
    match name:
        case "click":
            return browsing.click(view, key)
        case "fill":
            return browsing.fill(view, key, arguments["value"])
        case "clear":
            return browsing.fill(view, key, "")
        case "select_option":
            return browsing.select_option(view, key, chosen(arguments["options"]))
        case "press":
            return browsing.press(view, key, arguments["key_comb"])
        case "hover" | "focus":
            return view.state
    raise NotPossible(f"{name} cannot be done to an element")


SIMULATOR: Final = "sim"
BROWSER: Final = "browser"
