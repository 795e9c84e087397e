"""Hands on a page: what calls do, by real input of a mouse and a keyboard wherever there is such a thing."""

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from palestra.envs.base import Json

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

MAX_TEXT: Final = 2000  # characters typed or filled in at once
_BUTTONS: Final = ("left", "middle", "right")
_STRIDE: Final = 5  # pixels that a mouse moves at a time
_SCRIPT: Final = Path(__file__).with_name("hands.js").read_text(encoding="utf-8")


class NotPossible(ValueError):
    """A call cannot be carried out on this page; the message tells the agent why."""


class Hands:
    """The mouse and the keyboard of one document. Everything is awaited in the browser's thread."""

    def __init__(self, page: "Page", cdp: "CDPSession", world: int, functions: str, size: tuple[int, int]) -> None:
        self._page, self._cdp, self._world, self._functions, self._size = page, cdp, world, functions, size
        self._mouse = (0.0, 0.0)
        self._held = dict[str, None]()  # keys and buttons that are down, in the order in which they went down

    @classmethod
    async def on(cls, page: "Page", cdp: "CDPSession", size: tuple[int, int]) -> "Hands":
        """Return hands on the document that the page shows now."""
        tree = await cdp.send("Page.getFrameTree")
        made = await cdp.send("Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"]})
        world = made["executionContextId"]
        told = await cdp.send("Runtime.evaluate", {"expression": _SCRIPT, "contextId": world})
        return cls(page, cdp, world, told["result"]["objectId"], size)

    async def do(self, name: str, arguments: Mapping[str, Json], node_of: Mapping[str, int]) -> None:
        """Carry out a call.

        Args:
            name: of the call, without `noop` and `goto`, which are no matter of hands.
            arguments: as its tool's schema has them.
            node_of: Chromium's numbers of the elements that have ids.

        Raises:
            NotPossible: the page has no such element, or it cannot be used in this way.
        """
        given = dict(arguments)
        for id_name in ("bid", "from_bid", "to_bid"):
            if id_name in given:
                given[id_name] = _node(node_of, given[id_name])
        for text in ("value", "text"):
            if len(given.get(text, "")) > MAX_TEXT:
                raise NotPossible(f"at most {MAX_TEXT} characters are taken at once, not {len(given[text])}")
        if not all(value.isascii() or _is_unicode(value) for value in given.values() if isinstance(value, str)):
            raise NotPossible("a text holds half of a character (a lone surrogate)")
        await _CALLS[name](self, **given)

    async def rest(self) -> None:
        """Let go of every key and button."""
        for name in self._held:
            if name in _BUTTONS:
                await self._page.mouse.up(button=_button(name))
            else:
                await self._page.keyboard.up(name)
        self._held.clear()

    # -- elements --------------------------------------------------------------------------------

    async def click(
        self, bid: int, button: str = "left", modifiers: list[str] | None = None, *, count: int = 1
    ) -> None:
        x, y = await self._point(bid)
        held = dict.fromkeys(modifiers or ())
        for key in held:
            await self._page.keyboard.down(key)
        await self._click_at(x, y, button, count)
        for key in held:
            await self._page.keyboard.up(key)

    async def dblclick(self, bid: int, button: str = "left", modifiers: list[str] | None = None) -> None:
        await self.click(bid, button, modifiers, count=2)

    async def hover(self, bid: int) -> None:
        await self.mouse_move(*await self._point(bid))

    async def fill(self, bid: int, value: str) -> None:
        if not (await self._ask(bid, "prepare", value)).get("isDone"):
            await self._replace(value)

    async def clear(self, bid: int) -> None:
        await self.fill(bid, "")

    async def select_option(self, bid: int, options: str | list[str]) -> None:
        await self._ask(bid, "choose", [options] if isinstance(options, str) else options)

    async def focus(self, bid: int) -> None:
        await self._ask(bid, "focus")

    async def press(self, bid: int, key_comb: str) -> None:
        await self.focus(bid)
        await self.keyboard_press(key_comb)

    async def drag_and_drop(self, from_bid: int, to_bid: int) -> None:
        there = await self._point(to_bid)
        here = await self._point(from_bid)
        await self.mouse_drag_and_drop(*here, *there)

    # -- points ----------------------------------------------------------------------------------

    async def mouse_move(self, x: float, y: float) -> None:
        before, self._mouse = self._mouse, self._within(x, y)
        await self._page.mouse.move(x, y, steps=max(1, round(math.dist(before, (x, y)) / _STRIDE)))

    async def mouse_click(self, x: float, y: float, button: str = "left") -> None:
        await self._click_at(x, y, button, 1)

    async def mouse_dblclick(self, x: float, y: float, button: str = "left") -> None:
        await self._click_at(x, y, button, 2)

    async def mouse_down(self, x: float, y: float, button: str = "left") -> None:
        await self.mouse_move(x, y)
        self._held[button] = None
        await self._page.mouse.down(button=_button(button))

    async def mouse_up(self, x: float, y: float, button: str = "left") -> None:
        await self.mouse_move(x, y)
        self._held.pop(button, None)
        await self._page.mouse.up(button=_button(button))

    async def mouse_drag_and_drop(self, from_x: float, from_y: float, to_x: float, to_y: float) -> None:
        self._within(to_x, to_y)
        await self.mouse_down(from_x, from_y)
        await self.mouse_up(to_x, to_y)

    async def scroll(self, delta_x: float, delta_y: float) -> None:
        await self._call(self._functions, "scroll", *self._mouse, delta_x, delta_y)

    # -- keys ------------------------------------------------------------------------------------

    async def keyboard_press(self, key: str) -> None:
        await self._keys(self._page.keyboard.press, key)

    async def keyboard_down(self, key: str) -> None:
        await self._keys(self._page.keyboard.down, key)
        self._held[key] = None

    async def keyboard_up(self, key: str) -> None:
        await self._keys(self._page.keyboard.up, key)
        self._held.pop(key, None)

    async def keyboard_type(self, text: str) -> None:
        await self._page.keyboard.type(text)

    async def keyboard_insert_text(self, text: str) -> None:
        await self._page.keyboard.insert_text(text)

    # -- inner parts -----------------------------------------------------------------------------

    async def _point(self, node: int) -> tuple[float, float]:
        told = await self._ask(node, "point")
        return told["x"], told["y"]

    async def _click_at(self, x: float, y: float, button: str, count: int) -> None:
        self._mouse = self._within(x, y)
        await self._page.mouse.click(x, y, button=_button(button), click_count=count)

    async def _replace(self, value: str) -> None:
        if value:
            await self._page.keyboard.insert_text(value)
        else:
            await self._page.keyboard.press("Delete")

    async def _keys(self, use: Callable[[str], Awaitable[None]], key: str) -> None:
        from playwright.async_api import Error

        try:
            await use(key)
        except Error as error:
            if "nknown key" not in error.message:
                raise
            raise NotPossible(f"unknown key {key[:40]!r}; keys are Enter, Tab, ArrowDown, a, Shift+a ...") from error

    async def _ask(self, node: int, function: str, *given: Json) -> Mapping[str, Any]:
        """Have a function of hands.js done with an element.

        Raises:
            NotPossible: it says why it cannot be.
        """
        from playwright.async_api import Error

        try:
            found = await self._cdp.send("DOM.resolveNode", {"backendNodeId": node, "executionContextId": self._world})
        except Error as error:
            if "No node" not in error.message:
                raise
            raise NotPossible("it is no longer on the page") from error
        told = await self._call(found["object"]["objectId"], function, *given)
        if "error" in told:
            raise NotPossible(told["error"])
        return told

    async def _call(self, this: str, function: str, *given: Json) -> Mapping[str, Any]:
        declaration = f"function (functions) {{ return functions.{function}.call(this, ...{json.dumps(given)}); }}"
        told = await self._cdp.send(
            "Runtime.callFunctionOn",
            {
                "functionDeclaration": declaration,
                "objectId": this,
                "arguments": [{"objectId": self._functions}],
                "returnByValue": True,
            },
        )
        value: Mapping[str, Any] = told["result"]["value"]
        return value

    def _within(self, x: float, y: float) -> tuple[float, float]:
        width, height = self._size
        if not (0 <= x < width and 0 <= y < height):
            raise NotPossible(f"the point ({x:g}, {y:g}) is outside the page, which is {width} x {height}")
        return x, y


def _node(node_of: Mapping[str, int], bid: str) -> int:
    if bid not in node_of:
        raise NotPossible(f"there is no element [{bid[:40]}] on the page now")
    return node_of[bid]


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _button(name: str) -> Any:
    return name  # which the tool's schema has made one of Playwright's three


_CALLS: Final[Mapping[str, Callable[..., Awaitable[None]]]] = {
    function.__name__: function
    for function in (
        Hands.click,
        Hands.dblclick,
        Hands.hover,
        Hands.fill,
        Hands.clear,
        Hands.select_option,
        Hands.focus,
        Hands.press,
        Hands.drag_and_drop,
        Hands.mouse_move,
        Hands.mouse_click,
        Hands.mouse_dblclick,
        Hands.mouse_down,
        Hands.mouse_up,
        Hands.mouse_drag_and_drop,
        Hands.scroll,
        Hands.keyboard_press,
        Hands.keyboard_down,
        Hands.keyboard_up,
        Hands.keyboard_type,
        Hands.keyboard_insert_text,
    )
}
