"""What an episode can do with a browser, alone and beside others."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from palestra.envs.web.chromium import Chromium, Request, Response, Visit, find_executable
from palestra.sandbox.base import InfraError, PermanentInfraError

HOME = "http://shop.test/"


def echo(request: Request) -> Response:
    """A page that says what was asked for."""
    said = f"{request.method} {request.url} {request.body.decode()}"
    return Response(body=f"<!doctype html><title>echo</title><p>{said}</p><a href=/next>next</a>".encode())


def text(visit: Visit) -> str:
    return visit.run(visit.page.inner_text("p"))


def test_pages_links_history_and_fetches_are_answered_by_the_visits_own_function(chromium: Chromium) -> None:
    visit = chromium.visit(echo)
    visit.run(visit.page.goto(f"{HOME}search?q=a+b"))
    assert text(visit) == "GET http://shop.test/search?q=a+b"
    visit.run(visit.page.click("a"))
    assert text(visit) == "GET http://shop.test/next"
    visit.run(visit.page.go_back())
    assert visit.page.url == f"{HOME}search?q=a+b"
    posted = visit.run(visit.page.evaluate("fetch('/event', {method: 'POST', body: 'é'}).then(r => r.text())"))
    assert "POST http://shop.test/event é" in posted
    visit.close()


def test_nothing_of_a_visit_is_left_for_the_next(chromium: Chromium) -> None:
    mark = "document.cookie = 'a=1; path=/'; localStorage.b = 2; sessionStorage.c = 3; window.name = 'd'"
    look = "[document.cookie, localStorage.length, sessionStorage.length, window.name, history.length]"
    first, beside = chromium.visit(echo), chromium.visit(echo)
    for visit in (first, beside):
        visit.run(visit.page.goto(HOME))
    first.run(first.page.evaluate(mark))
    assert first.run(first.page.evaluate(look))[:3] == ["a=1", 1, 1]
    assert beside.run(beside.page.evaluate(look)) == ["", 0, 0, "", 2]  # the blank page and this one
    first.close()
    later = chromium.visit(echo)
    later.run(later.page.goto(HOME))
    assert later.run(later.page.evaluate(look)) == ["", 0, 0, "", 2]
    later.close()
    beside.close()


def test_cookies_of_the_server_are_sent_back(chromium: Chromium) -> None:
    seen: list[str] = []

    def answer(request: Request) -> Response:
        seen.append(request.headers.get("cookie", ""))
        return Response(body=b"<p>hello</p>", headers={"Set-Cookie": "session=7"})

    visit = chromium.visit(answer)
    for _ in range(2):
        visit.run(visit.page.goto(HOME))
    assert [one for one in seen if one] == ["session=7"]
    visit.close()


def test_sixteen_visits_at_once_do_not_mix(chromium: Chromium) -> None:
    def play(number: int) -> set[str]:
        def answer(request: Request) -> Response:
            return Response(body=f"<title>{number}</title><p>{number}</p>".encode())

        visit = chromium.visit(answer)

        async def read() -> str:
            await visit.page.goto(HOME)
            await visit.page.evaluate(f"localStorage.x = (localStorage.x || '') + '{number},'")
            return f"{await visit.page.inner_text('p')}:{await visit.page.evaluate('localStorage.x')}"

        seen = {visit.run(read()).split(",")[0], visit.run(visit.page.title())}
        visit.close()
        return seen

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(play, range(16))) == [{f"{n}:{n}", f"{n}"} for n in range(16)]


def test_a_caller_that_runs_an_event_loop_may_call(chromium: Chromium) -> None:
    async def play() -> str:
        visit = chromium.visit(echo)
        visit.run(visit.page.goto(HOME))
        try:
            return text(visit)
        finally:
            visit.close()

    assert asyncio.run(play()) == f"GET {HOME}"


def test_the_browsers_own_thread_is_told_that_it_cannot_wait_for_itself(chromium: Chromium) -> None:
    visit = chromium.visit(echo)

    async def nested() -> str:
        return visit.run(visit.page.title())

    with pytest.raises(RuntimeError, match="await it there"):
        visit.run(nested())
    visit.close()


def test_what_cannot_be_done_in_time_is_a_fault_and_the_visit_goes_on(chromium: Chromium) -> None:
    visit = chromium.visit(echo)
    with pytest.raises(InfraError, match=r"within 0\.2 s"):
        visit.run(asyncio.sleep(30), limit_s=0.2)
    visit.run(visit.page.goto(HOME))
    assert text(visit) == f"GET {HOME}"
    visit.close()


def test_a_failing_site_is_a_fault_with_its_reason(chromium: Chromium) -> None:
    def answer(_request: Request) -> Response:
        raise KeyError("shelf")

    visit = chromium.visit(answer)
    with pytest.raises(InfraError, match="the site failed: KeyError"):
        visit.run(visit.page.goto(HOME))
    visit.close()


def test_a_closed_visit_and_a_forgotten_one_are_over(chromium: Chromium) -> None:
    visit = chromium.visit(echo)
    context = visit.context
    visit.close()
    visit.close()
    with pytest.raises(InfraError, match="closed"):
        visit.run(visit.page.title())
    forgotten = chromium.visit(echo)
    context = forgotten.context
    del forgotten, visit
    watch = chromium.visit(echo)

    async def closed() -> bool:
        for _ in range(200):
            if context not in (watch.context.browser or watch.context).contexts:  # type: ignore[union-attr]
                return True
            await asyncio.sleep(0.05)
        return False

    assert watch.run(closed())
    watch.close()


def test_the_window_has_the_size_asked_for(chromium: Chromium) -> None:
    visit = chromium.visit(echo, size=(400, 300))
    assert visit.run(visit.page.evaluate("[innerWidth, innerHeight]")) == [400, 300]
    visit.close()


def test_a_browser_that_is_not_there_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PermanentInfraError, match="no program 'netscape' on PATH; on Debian: apt-get install"):
        Chromium("netscape")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PermanentInfraError, match="chromium-headless-shell"):
        find_executable(None)


def test_what_is_no_browser_is_told_and_leaves_nothing() -> None:
    with pytest.raises(InfraError, match="/bin/true did not start"):
        Chromium("/bin/true").visit(echo)
