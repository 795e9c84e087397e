"""What a page, and the browser that shows it, can reach: our server, and nothing else."""

import contextlib
import http.server
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from palestra.envs.web.chromium import Chromium, Request, Response, Visit

Descendants = Callable[[int], dict[int, str]]
_FETCH = "url => fetch(url, {mode: 'no-cors'}).then(r => 'answered', e => 'failed')"


class _Counting(http.server.BaseHTTPRequestHandler):
    asked: int = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def outside() -> Iterator[int]:
    """The port of a server on this machine's loopback, which no page may get to."""
    _Counting.asked = 0
    with http.server.HTTPServer(("127.0.0.1", 0), _Counting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def visit(chromium: Chromium) -> Iterator[Visit]:
    def answer(request: Request) -> Response:
        return Response(body=f"<p>ours: {request.url}</p>".encode())

    visit = chromium.visit(answer)
    visit.run(visit.page.goto("http://shop.test/"))
    yield visit
    visit.close()


def fields(pid: int) -> dict[str, str]:
    """What /proc tells of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def browser_processes(descendants: Descendants) -> dict[int, str]:
    return {
        pid: words for pid, words in descendants(os.getpid()).items() if "headless" in words and " -c " not in words
    }


def test_a_page_that_asks_for_a_server_of_this_machine_is_answered_by_ours(visit: Visit, outside: int) -> None:
    for host in ("127.0.0.1", "localhost", "10.0.0.1", "example.org"):
        visit.run(visit.page.goto(f"http://{host}:{outside}/"))
        assert visit.run(visit.page.inner_text("p")) == f"ours: http://{host}:{outside}/"
        visit.run(visit.page.evaluate(_FETCH, f"http://{host}:{outside}/fetched"))
    assert _Counting.asked == 0
    assert visit.run(visit.page.evaluate(_FETCH, "https://example.org/")) == "failed"


def test_there_is_no_way_out_of_the_network_that_the_browser_is_in(visit: Visit, descendants: Descendants) -> None:
    processes = browser_processes(descendants)
    assert len(processes) > 3, processes
    network = os.readlink("/proc/self/ns/net")
    for pid in processes:
        with contextlib.suppress(FileNotFoundError):  # it has ended
            assert os.readlink(f"/proc/{pid}/ns/net") != network
            devices = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
            assert [line.partition(":")[0].strip() for line in devices] in (["lo"], [])
            assert Path(f"/proc/{pid}/net/route").read_text().splitlines()[1:] == []


def test_the_browser_owns_nothing_and_its_renderers_can_do_nothing(visit: Visit, descendants: Descendants) -> None:
    renderers = 0
    for pid, words in browser_processes(descendants).items():
        assert "--no-sandbox" not in words
        status = fields(pid)
        if os.geteuid() == 0:
            assert set(status["Uid"].split()) & {str(os.geteuid())} == set(), words
            assert status["Groups"] == ""
        assert status["NoNewPrivs"] == "1"
        if "--type=renderer" in words:
            renderers += 1
            assert status["Seccomp"] == "2"
            assert int(status["CapEff"], 16) == 0
            assert os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/self/ns/user")
            assert os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid")
    assert renderers > 0


def test_nothing_of_our_environment_is_the_browsers(monkeypatch: pytest.MonkeyPatch, descendants: Descendants) -> None:
    monkeypatch.setenv("PALESTRA_TEST_SECRET", "hidden")
    own = Chromium()
    visit = own.visit(lambda request: Response())
    try:
        mains = [pid for pid, words in browser_processes(descendants).items() if "--type=" not in words]
        environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in mains]
        assert any(b"TZ=UTC" in one for one in environments)
        assert not any(b"PALESTRA_TEST_SECRET" in one for one in environments)
    finally:
        visit.close()
        own.close()


def test_files_cannot_be_shown_by_a_page(visit: Visit) -> None:
    assert visit.run(visit.page.evaluate(_FETCH, "file:///etc/passwd")) == "failed"
    with contextlib.suppress(Exception):
        visit.run(visit.page.evaluate("location.href = 'file:///etc/passwd'"))
    assert visit.run(visit.page.inner_text("p")).startswith("ours: ")
