"""What a browser's user can do on a site, as pure steps from one state to the next.

Both drivers run these: the simulator when an action is carried out, and the server behind a real browser when an event
of the page reaches it. So there is one truth of what an action does, and a browser only shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Self
from urllib.parse import quote, unquote_plus, urlencode, urlsplit
from zlib import crc32

from palestra.envs.base import Json
from palestra.envs.web.axtree import axtree
from palestra.envs.web.element import FILLED, Element, Page, Ui, heading, link, text
from palestra.envs.web.site import Data, Place, Site

ORIGIN: Final = "http://site.test"
MOST_TABS: Final = 5
MOST_CHARS: Final = 2000  # that a field takes
_KEYS: Final = ("Enter", "Escape", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Tab", "Home", "End")


class NotPossible(ValueError):
    """An action cannot be carried out on this page; the message tells the agent why."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: where it stands, what was entered there, and where it was before and after."""

    address: str
    ui: Ui = field(default_factory=dict)
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """All of an episode's world: the server's data, what it remembers of the visitor, and the browser's tabs."""

    data: Data
    visit: Data
    tabs: tuple[Tab, ...]
    active: int = 0

    @property
    def tab(self) -> Tab:
        """The tab in front."""
        return self.tabs[self.active]

    @property
    def place(self) -> Place:
        """The place in front."""
        return replace(Place(data=self.data, visit=self.visit, path="").at(self.tab.address), ui=self.tab.ui)

    def to_json(self) -> Json:
        """Return the state as JSON."""
        tabs = [[tab.address, tab.ui, list(tab.past), list(tab.future)] for tab in self.tabs]
        return {"data": self.data, "visit": self.visit, "tabs": tabs, "active": self.active}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return the state that `to_json` wrote."""
        tabs = tuple(Tab(address, ui, tuple(past), tuple(future)) for address, ui, past, future in told["tabs"])
        return cls(told["data"], told["visit"], tabs, told["active"])

    def in_tab(self, tab: Tab) -> Self:
        """Return the state with another tab in front in the place of this one."""
        return replace(self, tabs=(*self.tabs[: self.active], tab, *self.tabs[self.active + 1 :]))


class View:
    """What a state shows: the page, ids of what can be used, and the text of it all."""

    def __init__(self, site: Site, state: State) -> None:
        self.site, self.state = site, state
        self.place = state.place
        self.page = site.page(self.place) or _not_found(self.place)

    @cached_property
    def elements(self) -> dict[str, Element]:
        """What can be used, by key."""
        return {element.key: element for element in self.page.walk() if element.key}

    @cached_property
    def ids(self) -> dict[str, str]:
        """The ids of keys: numbers that depend on the site's seed, the path and the key, and tell nothing."""
        salt, taken, ids = crc32(f"{self.site.seed} {self.place.path}".encode()), set[int](), dict[str, str]()
        for key in self.elements:
            number = crc32(key.encode("utf-8", "surrogatepass"), salt) % 9000 + 1000
            while number in taken:
                number = number % 9999 + 1
            taken.add(number)
            ids[key] = str(number)
        return ids

    @cached_property
    def keys(self) -> dict[str, str]:
        """The keys of ids."""
        return {number: key for key, number in self.ids.items()}

    @cached_property
    def text(self) -> str:
        """The accessibility tree."""
        return axtree(self.page, self.ids)

    def form_of(self, key: str) -> Element | None:
        """Return the form around an element."""
        return next((one for one in self.page.walk() if one.role == "form" and _holds(one, key)), None)


def begin(site: Site) -> State:
    """Return the state at the start of an episode."""
    place = site.start()
    return State(place.data, place.visit, (Tab(address(place)),))


def address(place: Place) -> str:
    """Return the address of a place on its site."""
    return f"{place.path}?{urlencode(place.query)}" if place.query else place.path


# -- elements ----------------------------------------------------------------------------------------


def click(view: View, key: str) -> State:
    """Return the state after a click on an element.

    Raises:
        NotPossible: it is disabled.
    """
    element = _usable(view, key)
    if element.href:
        return visit(view.state, element.href)
    if element.command:
        return _landed(view.state, view.site.do(view.place, element.command))
    if element.role == "checkbox":
        return _entered(view, element, not element.checked)
    if element.role == "radio":
        return _entered(view, element, element.value)
    return view.state  # a field only gets the focus


def fill(view: View, key: str, value: str) -> State:
    """Return the state after a field's content was replaced.

    Raises:
        NotPossible: it is no such field, is disabled, or does not take the value.
    """
    element = _usable(view, key)
    if element.role not in FILLED:
        raise NotPossible(f"a {element.role} cannot be filled")
    if len(value) > MOST_CHARS or not value.isprintable():
        raise NotPossible(f"a field takes at most {MOST_CHARS} printable characters in one line")
    if element.limits[1]:
        value = _number(element, value)
    return _entered(view, element, value)


def select_option(view: View, key: str, option: str) -> State:
    """Return the state after an option of a drop-down list was chosen.

    Raises:
        NotPossible: it is no such list, is disabled, or has no such option.
    """
    element = _usable(view, key)
    if element.role != "combobox":
        raise NotPossible(f"a {element.role} has no options to select")
    if option not in element.options:
        raise NotPossible(f"there is no option {option[:80]!r}; there are: {', '.join(element.options)}")
    return _entered(view, element, option)


def press(view: View, key: str, pressed: str) -> State:
    """Return the state after a key was pressed in an element.

    Raises:
        NotPossible: the element is disabled, or no such key is known.
    """
    element = _usable(view, key)
    if pressed not in _KEYS:
        raise NotPossible(f"unknown key {pressed[:40]!r}; known: {', '.join(_KEYS)}")
    if pressed == "Enter" and element.role in ("link", "button", "tab", "option", "treeitem", "gridcell", "menuitem"):
        return click(view, key)
    if pressed == "Enter" and element.role in FILLED and (form := view.form_of(key)):
        return _landed(view.state, view.site.do(view.place, form.command))
    if element.role in ("slider", "spinbutton") and (step := _STEPS.get(pressed)):
        low, high, width = element.limits
        moved = min(high, max(low, int(element.value) + step * width))
        return _entered(view, element, str(moved))
    return view.state


_STEPS: Final = {"ArrowUp": 1, "ArrowRight": 1, "ArrowDown": -1, "ArrowLeft": -1}


# -- places and tabs -----------------------------------------------------------------------------------


def visit(state: State, href: str) -> State:
    """Return the state after going to an address of the site in the tab in front; that of the page itself renews it."""
    tab, there = state.tab, address(state.place.at(href))
    if there == tab.address:
        return state.in_tab(replace(tab, ui={}))
    return state.in_tab(Tab(there, {}, (*tab.past, tab.address)))


def located(href: str) -> str:
    """Return an address of the site as browsers have it, for the one of each place."""
    path, mark, query = address(Place(data={}, visit={}, path="").at(href)).partition("?")
    return f"{quote(path)}{mark}{query}"


def own_address(url: str) -> str:
    """Return the part of a URL after the origin.

    Raises:
        NotPossible: the URL leads elsewhere, or is none.
    """
    refused = NotPossible(f"only addresses of this site ({ORIGIN}/...) can be gone to, not {url[:80]!r}")
    try:
        split = urlsplit(url)
    except ValueError:
        raise refused from None
    is_path = not split.scheme and not split.netloc and split.path.startswith("/") and not url.startswith("//")
    is_own = is_path or f"{split.scheme}://{split.netloc}" == ORIGIN
    is_plain = url.isprintable() and unquote_plus(url).isprintable() and "\\" not in url and len(url) <= MOST_CHARS
    if not is_own or not is_plain or not {".", ".."}.isdisjoint(split.path.split("/")):
        raise refused
    return f"{split.path or '/'}?{split.query}" if split.query else split.path or "/"


def back(state: State) -> State:
    """Return the state one place back.

    Raises:
        NotPossible: there is none.
    """
    tab = state.tab
    if not tab.past:
        raise NotPossible("there is no page to go back to")
    return state.in_tab(Tab(tab.past[-1], {}, tab.past[:-1], (tab.address, *tab.future)))


def forward(state: State) -> State:
    """Return the state one place forward again.

    Raises:
        NotPossible: there is none.
    """
    tab = state.tab
    if not tab.future:
        raise NotPossible("there is no page to go forward to")
    return state.in_tab(Tab(tab.future[0], {}, (*tab.past, tab.address), tab.future[1:]))


def new_tab(state: State, site: Site) -> State:
    """Return the state with another tab in front, at the site's first page.

    Raises:
        NotPossible: there are as many as may be.
    """
    if len(state.tabs) >= MOST_TABS:
        raise NotPossible(f"there may be at most {MOST_TABS} tabs")
    return replace(state, tabs=(*state.tabs, Tab(address(site.start()))), active=len(state.tabs))


def close_tab(state: State) -> State:
    """Return the state without the tab in front; the one before it comes to the front.

    Raises:
        NotPossible: it is the only one.
    """
    if len(state.tabs) == 1:
        raise NotPossible("the only tab cannot be closed")
    tabs = (*state.tabs[: state.active], *state.tabs[state.active + 1 :])
    return replace(state, tabs=tabs, active=max(0, state.active - 1))


def focus_tab(state: State, number: int) -> State:
    """Return the state with this tab in front, counted from 0.

    Raises:
        NotPossible: there is none.
    """
    if not 0 <= number < len(state.tabs):
        raise NotPossible(f"there is no tab {number}; there are {len(state.tabs)}, from 0")
    return replace(state, active=number)


# -- inner parts ---------------------------------------------------------------------------------------


def _usable(view: View, key: str) -> Element:
    element = view.elements[key]
    if element.is_disabled:
        raise NotPossible(f"the {element.role} {element.name!r} is disabled")
    return element


def _entered(view: View, element: Element, value: Json) -> State:
    tab = view.state.tab
    return view.state.in_tab(replace(tab, ui={**tab.ui, element.field: value}))


def _landed(state: State, place: Place) -> State:
    """Return the state after a command led to a place; to another address, it is gone to."""
    done = replace(state, data=place.data, visit=place.visit)
    told = address(place)
    return done.in_tab(replace(state.tab, ui=place.ui)) if told == state.tab.address else visit(done, told)


def _number(element: Element, value: str) -> str:
    low, high, width = element.limits
    if not value.removeprefix("-").isdecimal() or not value.isascii() or len(value) > 9:
        raise NotPossible(f"a {element.role} takes whole numbers, not {value[:40]!r}")
    number = int(value)
    if not low <= number <= high or (number - low) % width:
        raise NotPossible(f"the {element.role} takes {low} to {high} in steps of {width}, not {number}")
    return str(number)


def _holds(element: Element, key: str) -> bool:
    return any(child.key == key or _holds(child, key) for child in element.children)


def _not_found(place: Place) -> Page:
    home = link("Back to the first page", "/")
    return Page("Not found", (heading("Not found", 1), text(f"There is no page {place.path[:80]} here."), home))
