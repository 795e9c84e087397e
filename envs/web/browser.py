"""The driver that shows pages in a real Chromium and carries actions out with pointer and keys.

What an action does is decided where it is in the simulator, by the site's state machine; here the browser causes it:
the page's script posts what happened to it, links are followed, and the server that answers holds the state.
Afterwards the state must be the one that the simulator comes to, or the episode is lost to a fault of ours.

The server listens inside the network that the browser is in (`palestra.envs.web.chromium`), rather than that
Playwright fulfils requests: navigation, history, cookies and the page's requests are then the browser's own, nothing
can be asked for past it, and a request costs a third less.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from palestra.envs.base import Json
from palestra.envs.web.browsing import ORIGIN, State, Tab, View, located
from palestra.envs.web.chromium import Chromium, Visit
from palestra.envs.web.driver import Pixels, carried_out, chosen
from palestra.envs.web.hands import Hands, evaluate
from palestra.envs.web.heard import heard_text
from palestra.envs.web.live import Live
from palestra.envs.web.png import pixels
from palestra.envs.web.site import Site
from palestra.sandbox.base import InfraError

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

_LOAD_S: Final = 30.0
_SETTLED: Final = "page.settled()"
_SHOW_AGAIN: Final = "document.dispatchEvent(new Event('visibilitychange')), page.settled()"
_MARK: Final = """
(() => {
  const host = document.createElement("div");
  host.id = "marks";
  const layer = host.attachShadow({ mode: "closed" });
  const colours = ["#c2185b", "#1565c0", "#2e7d32", "#e65100", "#6a1b9a", "#00838f"];
  const shown = [...document.querySelectorAll("[id]")].filter(one => !one.closest("[inert]"));
  const boxes = shown.map(one => one.getClientRects()[0]);
  shown.forEach((element, nth) => {
    const box = boxes[nth];
    if (!box || box.bottom < 0 || box.top > innerHeight) return;
    const colour = colours[nth % colours.length];
    const mark = document.createElement("div");
    mark.style.cssText = `position:fixed;left:${box.x}px;top:${box.y}px;width:${box.width}px;height:${box.height}px;` +
      `outline:2px solid ${colour};pointer-events:none`;
    const number = document.createElement("span");
    number.textContent = element.id;
    const isTight = box.right > innerWidth - 50 || boxes.some(other =>
      other && Math.abs(other.top - box.top) < 12 && other.left > box.left && other.left < box.right + 46);
    const place = isTight ? "left:-2px;top:-13px" : "left:100%;top:-2px";
    number.style.cssText = `position:absolute;${place};background:${colour};color:#fff;` +
      "font:bold 11px/13px 'DejaVu Sans',sans-serif;padding:0 3px";
    mark.append(number);
    layer.append(mark);
  });
  document.documentElement.append(host);
})()
"""
_UNMARK: Final = "document.getElementById('marks').remove()"


class _Sheet:
    """A tab of the browser."""

    def __init__(self, page: "Page", cdp: "CDPSession") -> None:
        self.page, self.cdp, self.hands = page, cdp, Hands(page, cdp)
        self._loaded = asyncio.Event()
        cdp.on("Page.loadEventFired", lambda _: self._loaded.set())

    def expect(self) -> None:
        """Count only what is loaded from now on."""
        self._loaded.clear()

    async def loaded(self) -> None:
        """Wait until the page that was gone to is there."""
        try:
            await asyncio.wait_for(self._loaded.wait(), _LOAD_S)
        except TimeoutError as error:
            raise InfraError(f"no page was loaded within {_LOAD_S:g} s") from error

    async def goto(self, address: str) -> None:
        """Go to an address of the site."""
        self.expect()
        answer = await self.cdp.send("Page.navigate", {"url": ORIGIN + located(address)})
        if told := answer.get("errorText"):
            raise InfraError(f"the browser could not go to {address!r}: {told}")
        await self.loaded()

    async def move(self, steps: int) -> None:
        """Go so many places forward in the history, or back if it is negative."""
        told = await self.cdp.send("Page.getNavigationHistory")
        entry = told["entries"][told["currentIndex"] + steps]
        self.expect()
        await self.cdp.send("Page.navigateToHistoryEntry", {"entryId": entry["id"]})
        await self.loaded()


class BrowserDriver:
    """One episode at a time in a browser that others use, too.

    Args:
        executable: of the browser that this process shares; None: the first that PATH has.
        chromium: the browser in its place.
    """

    def __init__(self, executable: str | None = None, *, chromium: Chromium | None = None) -> None:
        self._chromium = chromium or Chromium.shared(executable)
        self._visit: Visit | None = None
        self._live: Live
        self._sheets: list[_Sheet] = []

    @property
    def view(self) -> View:
        self._open()
        return self._live.view

    def begin(self, site: Site, state: State) -> None:
        self.close()
        self._live = Live(site, state)
        self._visit = self._chromium.visit(self._live.answer)
        self._visit.run(self._bring_to(state))

    def act(self, name: str, arguments: Mapping[str, Json]) -> State:
        visit, before = self._open(), self._live.view
        expected = carried_out(before, name, arguments)
        visit.run(self._carry_out(name, arguments, expected))
        if self._live.view.state != expected:
            raise InfraError(f"{name} did something else in the browser than in the simulator; the driver is at fault")
        return self._live.view.state

    def text(self) -> str:
        return self._open().run(self._heard())

    def screenshot(self, *, is_marked: bool = False) -> Pixels:
        return pixels(self._open().run(self._drawn(is_marked)))

    def close(self) -> None:
        if self._visit is not None:
            self._visit.close()
        self._visit, self._sheets = None, []

    # -- inner parts -----------------------------------------------------------------------------------

    def _open(self) -> Visit:
        if self._visit is None:
            raise RuntimeError("nothing is shown yet; call begin first")
        return self._visit

    @property
    def _front(self) -> _Sheet:
        return self._sheets[self._live.view.state.active]

    async def _bring_to(self, state: State) -> None:
        assert self._visit is not None  # it was just opened
        for number, tab in enumerate(state.tabs):
            sheet = await self._sheet(self._visit.page if number == 0 else None)
            self._sheets.append(sheet)
            await self._retrace(sheet, tab, number, state)
        self._live.show(state)

    async def _retrace(self, sheet: _Sheet, tab: Tab, number: int, state: State) -> None:
        """Give a tab its history, and show its page in the end."""
        live, shown = self._live, State(state.data, state.visit, state.tabs, number)
        live.is_quiet = True
        for address in tab.past:
            await sheet.goto(address)
        if tab.future:
            for address in (tab.address, *tab.future):
                await sheet.goto(address)
        live.is_quiet, live.coming = False, shown
        await (sheet.move(-len(tab.future)) if tab.future else sheet.goto(tab.address))

    async def _sheet(self, page: "Page | None" = None) -> _Sheet:
        visit = self._open()
        page = page or await visit.context.new_page()
        cdp = visit.cdp if page is visit.page else await visit.context.new_cdp_session(page)
        sheet = _Sheet(page, cdp)
        await asyncio.gather(*(cdp.send(f"{domain}.enable") for domain in ("Page", "Accessibility")))
        return sheet

    async def _carry_out(self, name: str, arguments: Mapping[str, Json], expected: State) -> None:
        if "bid" in arguments:
            await self._use(name, arguments, expected)
        elif name in ("goto", "go_back", "go_forward"):
            self._live.coming = expected
            moves = {"go_back": -1, "go_forward": 1}
            await (self._front.move(moves[name]) if name in moves else self._front.goto(expected.tab.address))
        elif name == "new_tab":
            sheet = await self._sheet()
            self._live.coming = expected
            await sheet.goto(expected.tab.address)
            self._sheets.append(sheet)
        elif name in ("tab_close", "tab_focus"):
            if name == "tab_close":
                await self._sheets.pop(self._live.view.state.active).page.close()
            self._live.show(expected)
            await self._front.page.bring_to_front()
            await evaluate(self._front.cdp, _SHOW_AGAIN)
        elif name == "scroll":
            await self._front.hands.scroll(float(arguments["delta_x"]), float(arguments["delta_y"]))

    async def _use(self, name: str, arguments: Mapping[str, Json], expected: State) -> None:
        sheet, view, bid = self._front, self._live.view, str(arguments["bid"])
        element = view.elements[view.keys[bid]]
        is_followed = element.href and (name == "click" or arguments.get("key_comb") == "Enter")
        sheet.expect()
        match name:
            case "click":
                await sheet.hands.click(bid)
            case "fill":
                await sheet.hands.fill(bid, expected_value(expected, element.field))
            case "clear":
                await sheet.hands.fill(bid, "")
            case "select_option":
                await sheet.hands.select(bid, chosen(arguments["options"]))
            case "press":
                await sheet.hands.press(bid, str(arguments["key_comb"]))
            case "hover":
                await sheet.hands.point(bid)
            case "focus":
                await sheet.hands.focus(bid)
        if is_followed or expected.tab.address != view.state.tab.address:
            await sheet.loaded()
        else:
            await evaluate(sheet.cdp, _SETTLED)

    async def _heard(self) -> str:
        cdp = self._front.cdp
        tree, document = await asyncio.gather(
            cdp.send("Accessibility.getFullAXTree"), cdp.send("DOM.getDocument", {"depth": -1})
        )
        nodes: Sequence[Mapping[str, Any]] = tree["nodes"]
        return heard_text(nodes, document["root"])

    async def _drawn(self, is_marked: bool) -> bytes:
        cdp = self._front.cdp
        if is_marked:
            await evaluate(cdp, _MARK)
        try:
            asked = {"format": "png", "optimizeForSpeed": True}
            return base64.b64decode((await cdp.send("Page.captureScreenshot", asked))["data"])
        finally:
            if is_marked:
                await evaluate(cdp, _UNMARK)


def expected_value(state: State, field: str) -> str:
    """Return what a field holds after it was filled: numbers are written as they are read."""
    return str(state.tab.ui[field])
