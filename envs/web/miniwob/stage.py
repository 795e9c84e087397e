"""A page of MiniWoB++ in a real browser, from a seed to its end.

The page's clock is ours: it stands still while an agent thinks, and every call takes the same time. Its random numbers
come from its seed, its reward is read from where no script can write, and while it is played it can go nowhere. So the
same calls do the same, in any process.
"""

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from palestra.envs.base import Json
from palestra.envs.web.chromium import Chromium, Request, Response, Visit
from palestra.envs.web.miniwob import package
from palestra.envs.web.miniwob.hands import Hands, NotPossible
from palestra.envs.web.miniwob.look import STYLES, Look, read
from palestra.sandbox.base import InfraError

if TYPE_CHECKING:
    from playwright.async_api import Dialog, JSHandle, Page

Mode = Literal["train", "test"]
WINDOW: Final = (332, 214)  # as MiniWoB++ has it; the page itself is the left part
PAGE: Final = (160, 210)
CALL_MS: Final = 500  # of the page's time, for every call but `noop`, which says how long it waits
MAX_WAIT_MS: Final = 60_000
_SCRIPT: Final = Path(__file__).with_name("stage.js").read_text(encoding="utf-8")
_MOST_IDLE: Final = 8


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: the same play shows the same page, in any process."""

    page: str
    seed: int | str
    mode: Mode = "train"
    is_timed: bool = False  # whether the page ends by its own time limit


@dataclass(frozen=True, slots=True)
class End:
    """How a page ended."""

    reward: float  # the page's own, without decay
    share: float  # what decay by time would leave of it, in [0, 1]
    reason: str


class Stage:
    """One browser page, on which plays are begun, looked at and acted in. Use `stage_for` to get one.

    Every method raises `InfraError` when the browser or the page is lost.
    """

    def __init__(self, executable: str | None = None) -> None:
        self.play: Play | None = None
        self.is_fresh = False  # whether nobody has acted since the play began
        self.utterance, self.fields = "", dict[str, Json]()
        self.end: End | None = None
        self._is_loading = False
        self._visit: Visit = Chromium.shared(executable).visit(self._answer, size=WINDOW)
        self._handle: JSHandle | None = None
        self._hands: Hands | None = None
        self._ids: dict[int, str] = {}
        self._query = 0
        self._look = Look((), ())
        self._visit.run(self._furnish())

    @property
    def look(self) -> Look:
        """What is shown now."""
        return self._look

    def begin(self, play: Play) -> None:
        """Show a play from its start."""
        if play == self.play and self.is_fresh:
            return
        self.play = None
        self._visit.run(self._load(play))
        self.play, self.is_fresh = play, True

    def do(self, name: str, arguments: Mapping[str, Json]) -> str:
        """Carry out a call, let the page's time pass, and look; return why nothing was done, or "".

        Args:
            name: of a tool of MINIWOB_TOOLS.
            arguments: as its schema has them.
        """
        self.is_fresh = False
        return self._visit.run(self._do(name, arguments))

    def screenshot(self) -> bytes:
        """Return the page as PNG, 160 x 210 pixels."""
        return self._visit.run(self._shoot())

    def close(self) -> None:
        """Give back the browser's context."""
        self._visit.close()

    # -- in the browser's thread -----------------------------------------------------------------

    def _answer(self, request: Request) -> Response:
        if not self._is_loading and request.headers.get("accept", "").startswith("text/html"):
            return Response(status=204)  # links and keys lead nowhere: the page stays
        return package.answer(request)

    async def _furnish(self) -> None:
        page = self._visit.page
        self._visit.context.on("page", _close)
        page.on("dialog", _dismiss)
        await page.add_init_script(_SCRIPT)

    async def _load(self, play: Play) -> None:
        page, cdp = self._visit.page, self._visit.cdp
        if self._hands is not None:
            await self._hands.rest()
        self._is_loading = True
        await page.goto(package.url(play.page))
        take = "() => { const stage = window.palestraStage; delete window.palestraStage; return stage; }"
        self._handle = await page.evaluate_handle(take)
        given = [play.seed, play.mode, play.is_timed]
        told = await self._handle.evaluate("(stage, given) => stage.begin(...given)", given)
        self._is_loading = False
        self.utterance, self.fields, self.end = told["utterance"], told["fields"], None
        self._hands = await Hands.on(page, cdp, WINDOW)
        root = await cdp.send("DOM.getDocument", {"depth": 0})
        found = await cdp.send("DOM.querySelector", {"nodeId": root["root"]["nodeId"], "selector": "#query"})
        self._query = (await cdp.send("DOM.describeNode", {"nodeId": found["nodeId"]}))["node"]["backendNodeId"]
        self._ids = {}
        await page.mouse.move(WINDOW[0] - 1, WINDOW[1] - 1)
        await self._pass(0)

    async def _do(self, name: str, arguments: Mapping[str, Json]) -> str:
        assert self._hands is not None  # since a play began
        try:
            if name == "noop":
                await self._pass(min(max(float(arguments.get("wait_ms", 1000)), 0.0), MAX_WAIT_MS))
                return ""
            await self._hands.do(name, arguments, self._look.nodes)
        except NotPossible as error:
            return str(error)
        await self._pass(CALL_MS)
        return ""

    async def _pass(self, ms: float) -> None:
        """Let time pass on the page, and look."""
        assert self._handle is not None
        end = await self._handle.evaluate("(stage, ms) => stage.wind(ms)", ms)
        if end is not None and self.end is None:
            self.end = End(float(end["reward"]), float(end["share"]), end["reason"])
        cdp = self._visit.cdp
        tree, snapshot = await asyncio.gather(
            cdp.send("Accessibility.getFullAXTree"),
            cdp.send("DOMSnapshot.captureSnapshot", {"computedStyles": list(STYLES)}),
        )
        self._look = read(tree, snapshot, self._ids, self._query)

    async def _shoot(self) -> bytes:
        return await self._visit.page.screenshot(clip={"x": 0, "y": 0, "width": PAGE[0], "height": PAGE[1]})


_idle: dict[int, list[Stage]] = {}  # by process, since what a fork inherits is not its own
_lock = threading.Lock()


@contextmanager
def stage_for(play: Play) -> Iterator[Stage]:
    """Lend a stage on which a play has begun; one that shows it already, if there is such."""
    stage = take(play)
    try:
        yield stage
    except BaseException:
        stage.close()
        raise
    give_back(stage)


def take(play: Play) -> Stage:
    """Return a stage on which a play has begun; `give_back` or `close` it."""
    with _lock:
        idle = _idle.setdefault(os.getpid(), [])
        ready = next((stage for stage in idle if stage.play == play and stage.is_fresh), None)
        stage = ready or (idle[0] if idle else None)
        if stage is not None:
            idle.remove(stage)
    if stage is not None:
        with suppress(InfraError):  # the browser that it was in has ended since
            return _begun(stage, play)
    return _begun(Stage(), play)


def give_back(stage: Stage) -> None:
    """Keep a stage for whoever needs one next."""
    with _lock:
        idle = _idle.setdefault(os.getpid(), [])
        if len(idle) < _MOST_IDLE:
            idle.append(stage)
            return
    stage.close()


def _begun(stage: Stage, play: Play) -> Stage:
    try:
        stage.begin(play)
    except BaseException:
        stage.close()
        raise
    return stage


async def _close(page: "Page") -> None:
    await page.close()


async def _dismiss(dialog: "Dialog") -> None:
    await dialog.dismiss()
