"""Using an element of a page as a user does: with a pointer and keys, by Chromium's own protocol."""

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from palestra.sandbox.base import InfraError

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

_FIND: Final = """
(id => {
  const element = document.getElementById(id);
  if (!element) return null;
  element.scrollIntoView({ block: "center", inline: "center" });
  const label = element.matches("[role=treeitem]") ? element.querySelector(":scope > .label") : element;
  const box = label.getClientRects()[0];
  if (!box) return null;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const hit = document.elementFromPoint(x, y);
  return hit && element.contains(hit) ? [x, y] : null;
})(%s)
"""
_SELECT: Final = """
((id, option) => {
  const element = document.getElementById(id);
  element.focus();
  element.selectedIndex = [...element.options].findIndex(one => one.textContent === option);
  for (const kind of ["input", "change"]) element.dispatchEvent(new Event(kind, { bubbles: true }));
})(%s, %s)
"""
_ENTER: Final = """
((id, value) => {
  const element = document.getElementById(id);
  element.focus();
  if (element.type !== "range" && value !== "") {
    element.select();
    return true;
  }
  element.value = value;
  element.dispatchEvent(new Event("input", { bubbles: true }));
  return false;
})(%s, %s)
"""
_FOCUS: Final = "document.getElementById(%s).focus()"


class Hands:
    """Uses the elements of one tab's page, by their ids."""

    def __init__(self, page: "Page", cdp: "CDPSession") -> None:
        self._page, self._cdp = page, cdp

    async def point(self, bid: str) -> None:
        """Scroll to an element and move the pointer over it.

        Raises:
            InfraError: there is no such element, or something covers it.
        """
        await self._mouse("mouseMoved", *await self._found(bid))

    async def click(self, bid: str) -> None:
        """Click an element.

        Raises:
            InfraError: as `point`.
        """
        x, y = await self._found(bid)
        button: dict[str, str | int] = {"button": "left", "clickCount": 1}
        await asyncio.gather(  # in this order; to wait for each would be to wait for three frames
            self._mouse("mouseMoved", x, y),
            self._mouse("mousePressed", x, y, **button),
            self._mouse("mouseReleased", x, y, **button),
        )

    async def fill(self, bid: str, value: str) -> None:
        """Write into a field in place of what it holds."""
        is_to_be_typed = await evaluate(self._cdp, _ENTER % (json.dumps(bid), json.dumps(value)))
        if is_to_be_typed:
            await self._cdp.send("Input.insertText", {"text": value})

    async def select(self, bid: str, option: str) -> None:
        """Choose an option of a drop-down list."""
        await evaluate(self._cdp, _SELECT % (json.dumps(bid), json.dumps(option)))

    async def press(self, bid: str, key: str) -> None:
        """Press a key while an element has the focus."""
        await self.focus(bid)
        await self._page.keyboard.press(key)

    async def focus(self, bid: str) -> None:
        """Give an element the focus."""
        await evaluate(self._cdp, _FOCUS % json.dumps(bid))

    async def scroll(self, delta_x: float, delta_y: float) -> None:
        """Scroll the page by pixels."""
        await self._page.mouse.wheel(delta_x, delta_y)

    async def _found(self, bid: str) -> tuple[float, float]:
        """Scroll to an element and return its middle, in pixels."""
        found = await evaluate(self._cdp, _FIND % json.dumps(bid))
        if found is None:
            raise InfraError(f"the element [{bid}] cannot be pointed at: it is not there or something covers it")
        x, y = found
        return x, y

    async def _mouse(self, kind: str, x: float, y: float, **told: str | int) -> None:
        await self._cdp.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **told})


async def evaluate(cdp: "CDPSession", expression: str) -> Any:
    """Return the value of an expression in the page, awaited if it is a promise.

    Raises:
        InfraError: the page's script failed.
    """
    asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
    answer = await cdp.send("Runtime.evaluate", asked)
    if "exceptionDetails" in answer:
        details = answer["exceptionDetails"]
        told = details.get("exception", {}).get("description") or details.get("text")
        raise InfraError(f"the page's script failed: {told}")
    return answer["result"].get("value")
