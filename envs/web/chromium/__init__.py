"""One Chromium for many episodes, out of everybody's reach, driven from plain functions.

    from palestra.envs.web.chromium import Chromium, Request, Response

    def answer(request: Request) -> Response:  # whatever a page asks of any host comes here
        return Response(body=b"<h1>Tea</h1>" if request.url == "http://shop.test/" else b"", status=200)

    visit = Chromium.shared().visit(answer)  # a fresh context: no cookies, storage or history of another
    visit.run(visit.page.goto("http://shop.test/"))  # Playwright's async API, awaited in a thread of our own
    print(visit.run(visit.page.inner_text("h1")))
    visit.close()

`Visit.run` takes any coroutine, also one that does many things; that is cheaper than many calls, and `visit.page`,
`visit.context` and `visit.cdp` may be used freely in it. It may be called from every thread, one that runs an event
loop included (which stands still meanwhile). A browser that crashes or is killed costs the visits that it had their
episodes - their next call raises `InfraError` - and the next visit starts another.

The browser runs in a network namespace that has nothing but a loopback device, where our server alone listens; every
name and address leads there. Started by root, it runs as a user that owns nothing. Chromium's own sandbox is on. Not
stopped: AF_VSOCK sockets, which no page can open and no network namespace covers; reading what everybody may read of
the host's files, which no page can do while Chromium's sandbox holds.
"""

from palestra.envs.web.chromium.browser import Chromium
from palestra.envs.web.chromium.running import NAMES, Size, find_executable
from palestra.envs.web.chromium.server import Answer, Request, Response
from palestra.envs.web.chromium.visit import Visit

__all__ = ["NAMES", "Answer", "Chromium", "Request", "Response", "Size", "Visit", "find_executable"]
