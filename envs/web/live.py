"""The server of one episode's site: shows its state as HTML, and does to the state what its pages report.

A page posts what happened to it: the id of an element, what was done (click, fill, select, press), and a value. It is
done to the state by the same steps as in the simulator, and the page is told what it shows now or where to go to.
"""

import json
from typing import Final
from urllib.parse import unquote, urlsplit

from palestra.envs.base import Json
from palestra.envs.web import browsing
from palestra.envs.web.browsing import State, View
from palestra.envs.web.chromium import Request, Response
from palestra.envs.web.html import body, whole
from palestra.envs.web.site import Site

_BLANK: Final = b"<!doctype html><title></title>"


class Live:
    """Serves one site to one browser.

    Attributes:
        view: what the tab in front shows.
        coming: what the next page asked for will show, when it is not a link's.
        is_quiet: whether pages are blank and change nothing, while the browser is brought to a state.
    """

    def __init__(self, site: Site, state: State) -> None:
        self.view = View(site, state)
        self.coming: State | None = None
        self.is_quiet = False

    def show(self, state: State) -> None:
        """Have a state shown from now on."""
        self.view = View(self.view.site, state)

    def answer(self, request: Request) -> Response:
        """Answer a page's request.

        Raises:
            ValueError: it asked for what no action leads to.
            NotPossible: it reported what cannot be done.
        """
        if request.method == "POST":
            told = self._report(*json.loads(request.body))
            return Response(body=json.dumps(told).encode(), content_type="application/json")
        if "text/html" not in request.headers.get("accept", ""):  # no page, but something like an icon
            return Response(status=404, content_type="text/plain")
        if self.is_quiet:
            return Response(body=_BLANK)
        self._arrive(request.url)
        return Response(body=whole(self.view.page, self.view.ids).encode("utf-8", "replace"))

    def _arrive(self, url: str) -> None:
        split = urlsplit(url)
        path = unquote(split.path)
        asked = browsing.visit(self.view.state, f"{path}?{split.query}" if split.query else path)
        coming, self.coming = self.coming or asked, None
        if coming.tab.address != asked.tab.address:
            raise ValueError(f"the browser went to {asked.tab.address!r} instead of {coming.tab.address!r}")
        self.show(coming)

    def _report(self, bid: str, kind: str, value: str) -> dict[str, Json]:
        before = self.view.state
        if kind != "show":
            state = self._done(self.view.keys[bid], kind, value)
            if state is before:
                return {}
            if state.tab.address != before.tab.address:
                self.coming = state
                return {"go": browsing.located(state.tab.address)}
            self.show(state)
        return {"title": self.view.page.title, "body": body(self.view.page, self.view.ids)}

    def _done(self, key: str, kind: str, value: str) -> State:
        match kind:
            case "click":
                return browsing.click(self.view, key)
            case "fill":
                return browsing.fill(self.view, key, value)
            case "select":
                return browsing.select_option(self.view, key, value)
            case "press":
                return browsing.press(self.view, key, value)
        raise ValueError(f"a page reported {kind!r}")
