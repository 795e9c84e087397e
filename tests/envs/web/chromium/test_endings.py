"""What comes of a browser that is closed, killed or left behind: no wrong reward, and nothing that stays."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from palestra.envs.web.chromium import Chromium, Request, Response, Visit
from palestra.sandbox.base import InfraError

Descendants = Callable[[int], dict[int, str]]
Eventually = Callable[[Callable[[], bool]], bool]

HOME = "http://shop.test/"
FOREVER = "new Promise(() => {})"
ORPHAN = """
from palestra.envs.web.chromium import Chromium, Response
visit = Chromium.shared().visit(lambda request: Response(body=b"<p>hello</p>"))
visit.run(visit.page.goto("http://shop.test/"))
print(visit.run(visit.page.inner_text("p")), flush=True)
input()
"""


def hello(_request: Request) -> Response:
    return Response(body=b"<p>hello</p>")


def shown(visit: Visit) -> str:
    visit.run(visit.page.goto(HOME))
    return visit.run(visit.page.inner_text("p"))


@pytest.fixture
def own() -> Iterator[Chromium]:
    own = Chromium()
    yield own
    own.close()


def browsers(found: dict[int, str]) -> list[int]:
    return [pid for pid, words in found.items() if "--remote-debugging-pipe" in words and "--type=" not in words]


def test_a_browser_that_is_killed_costs_its_episodes_and_the_next_visit_has_another(
    own: Chromium, descendants: Descendants
) -> None:
    before = set(descendants(os.getpid()))
    visit, beside = own.visit(hello), own.visit(hello)
    assert shown(visit) == "hello"
    for pid in set(browsers(descendants(os.getpid()))) - before:
        with contextlib.suppress(ProcessLookupError):  # it ended with another of them
            os.kill(pid, signal.SIGKILL)
    for lost in (visit, beside):
        with pytest.raises(InfraError, match="reset"):
            lost.run(lost.page.goto(HOME))
    again = own.visit(hello)
    assert shown(again) == "hello"
    with pytest.raises(InfraError):
        visit.run(visit.page.title())


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["browser", "driver"])
def test_who_waits_when_the_browser_dies_is_told_at_once(
    own: Chromium, descendants: Descendants, victim: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    visit = own.visit(hello)
    assert shown(visit) == "hello"
    found = descendants(os.getpid())
    pids = browsers(found) if victim == "browser" else [pid for pid, words in found.items() if "run-driver" in words]
    assert pids

    def kill() -> None:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    killer = threading.Timer(0.5, kill)
    killer.start()
    began = time.monotonic()
    with pytest.raises(InfraError):
        visit.run(visit.page.evaluate(FOREVER), limit_s=280)
    assert time.monotonic() - began < 200  # long before the limit
    killer.join()
    assert shown(own.visit(hello)) == "hello"
    own.close()
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_crashes_costs_its_own_episode_only(own: Chromium) -> None:
    visit, beside = own.visit(hello), own.visit(hello)
    assert shown(visit) == shown(beside) == "hello"

    async def crash() -> None:
        asyncio.ensure_future(visit.cdp.send("Page.crash")).add_done_callback(lambda done: done.exception())
        await visit.page.evaluate(FOREVER)

    with pytest.raises(InfraError, match=r"crashed|gone"):
        visit.run(crash())
    with pytest.raises(InfraError, match="crashed"):
        visit.run(visit.page.title())
    assert shown(beside) == "hello"
    visit.close()
    assert shown(own.visit(hello)) == "hello"


@pytest.mark.slow
def test_renderers_that_are_killed_are_not_lent(
    own: Chromium, descendants: Descendants, eventually: Eventually
) -> None:
    def renderers() -> list[int]:
        return [pid for pid, words in descendants(os.getpid()).items() if "--type=renderer" in words]

    visit = own.visit(hello)
    assert eventually(lambda: len(renderers()) >= 3)  # its own and those kept warm
    for pid in renderers():
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(InfraError):
        visit.run(visit.page.evaluate(FOREVER))
    visits = [own.visit(hello) for _ in range(3)]
    assert [shown(one) for one in visits] == ["hello"] * 3


@pytest.mark.slow
def test_closed_it_leaves_nothing_and_may_be_used_again(
    own: Chromium, descendants: Descendants, eventually: Eventually, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    processes, threads = set(descendants(os.getpid())), set(threading.enumerate())
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        visit = own.visit(hello)
        assert shown(visit) == "hello"
        assert own.is_running
        own.close()
        own.close()
        assert not own.is_running
        with pytest.raises(InfraError):
            visit.run(visit.page.title())
        assert eventually(lambda: set(descendants(os.getpid())) <= processes)
        assert list(tmp_path.iterdir()) == []
    assert eventually(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)
    assert set(threading.enumerate()) <= threads


@pytest.mark.slow
@pytest.mark.parametrize("end", ["its input ends", signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_ends_takes_its_browser_along(
    end: "str | signal.Signals", descendants: Descendants, eventually: Eventually, tmp_path: Path
) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    words = [sys.executable, "-c", ORPHAN]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "hello\n"
        pids = set(descendants(process.pid))
        assert len(pids) > 5
        if isinstance(end, signal.Signals):
            process.send_signal(end)
        else:
            process.stdin.write("\n")
        _, errors = process.communicate(timeout=120)
    if end == "its input ends":
        assert (process.returncode, errors) == (0, "")
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    assert eventually(lambda: list(tmp_path.iterdir()) == []), list(tmp_path.rglob("*"))
