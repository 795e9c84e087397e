"""What an episode has of a browser: a context of its own."""

import weakref
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from palestra.envs.web.chromium.background import Background
from palestra.envs.web.chromium.running import Room
from palestra.envs.web.chromium.server import Answer, Request, Response
from palestra.sandbox.base import InfraError

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, CDPSession, Page

_Got = TypeVar("_Got")
_LIMIT_S = 60.0


class Visit:
    """A fresh context with one page; nothing in it is shared with another. Made by `Chromium.visit`.

    What Playwright's objects offer is awaited in `run` only.
    """

    def __init__(
        self,
        background: Background,
        room: Room,
        answer: Answer,
        is_alive: Callable[[], bool],
        forget: Callable[[Room], None],
    ) -> None:
        self._background, self._room, self._answer, self._is_alive = background, room, answer, is_alive
        self._fault: Exception | None = None
        self._end = weakref.finalize(self, forget, room)
        self._end.atexit = False  # the browser ends then, with all its contexts

    @property
    def context(self) -> "BrowserContext":
        """Playwright's context: pages, cookies, storage."""
        return self._room.context

    @property
    def page(self) -> "Page":
        """The page that the context began with, blank at first."""
        return self._room.page

    @property
    def cdp(self) -> "CDPSession":
        """A session of Chromium's own protocol with that page."""
        return self._room.cdp

    def run(self, work: Coroutine[Any, Any, _Got], *, limit_s: float = _LIMIT_S) -> _Got:
        """Have a coroutine done in the browser's thread and return what came of it; any thread may call.

        Raises:
            InfraError: the browser or one of the pages has crashed, nothing came within the limit, the visit is
                closed, or whoever answers the requests has failed. The episode is lost; another visit may go well.
            playwright.async_api.Error: what was asked for cannot be done.
        """
        if trouble := self._trouble():
            work.close()
            raise InfraError(trouble)
        try:
            got = self._background.call(work, limit_s)
        except InfraError:
            raise
        except Exception as error:
            if trouble := self._trouble() or _is_end(error):
                raise InfraError(trouble) from error
            raise
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise InfraError(f"the site failed: {fault!r}") from fault
        return got

    def respond(self, request: Request) -> Response:
        """Answer a request of this visit's pages, as the server asks for it."""
        try:
            return self._answer(request)
        except Exception as error:  # it is told by `run`, to whoever can do something about it
            self._fault = error
            return Response(status=500, content_type="text/plain")

    def close(self) -> None:
        """Close the context, without waiting for it; a second call does nothing."""
        self._end()

    def _trouble(self) -> str:
        """Return why nothing can be done here any more; empty when it can."""
        if not self._end.alive:
            return "the visit is closed; open another"
        if not self._is_alive():
            return "the browser has crashed or was ended; reset to begin in another"
        return "a page has crashed; reset to begin another" if self._room.is_crashed else ""


def _is_end(error: Exception) -> str:
    """Return what an error means that comes before the event that explains it; empty when it is none of these."""
    if type(error).__name__ == "TargetClosedError" or "crashed" in str(error):
        return f"the page is gone: {error}; reset to begin another"
    return ""
