"""The lines that logs have: of web servers, and of programs; every value from the pools of a split."""

import datetime
from typing import Final

from palestra.envs.terminal.operators.drafts import Desk, Pool

UTC: Final = datetime.UTC
PATHS: Final = Pool(
    ("/", "/login", "/api/items", "/api/users", "/static/app.js", "/cart", "/search", "/health"),
    ("/home", "/v2/orders", "/v2/stock", "/img/logo.png", "/signup", "/feed", "/metrics", "/docs/intro"),
)
NETS: Final = Pool(("10.0.3", "192.168.7", "172.16.0"), ("10.44.9", "192.168.120", "172.20.5"))
PARTS: Final = Pool(
    ("auth", "billing", "cache", "mailer", "scheduler"), ("gateway", "indexer", "ledger", "notifier", "uploader")
)
LEVELS: Final = ("DEBUG", "INFO", "WARN", "ERROR")
USERS: Final = Pool(("ana", "boris", "chen", "dana", "emil", "farah"), ("goran", "hana", "ivo", "jaya", "kim", "lars"))
EVENTS: Final = Pool(
    ("request accepted", "retry scheduled", "connection reset", "slow query", "token refreshed", "queue drained"),
    ("job finished", "lease expired", "upload aborted", "index rebuilt", "quota reached", "session closed"),
)
LOGS: Final = Pool(("access.log", "web.log", "requests.log"), ("edge.log", "proxy.log", "frontend.log"))
APPS: Final = Pool(("app.log", "server.log", "worker.log"), ("daemon.log", "agent.log", "engine.log"))


def moments(desk: Desk, count: int, gap_s: int = 1500) -> list[datetime.datetime]:
    """Return moments one after the other, some of them equal, from a drawn day on."""
    day = (2023 if desk.heldout else 2024, desk.draws.between(1, 12), desk.draws.between(1, 27))
    now = datetime.datetime(*day, desk.draws.between(0, 20), desk.draws.between(0, 59), tzinfo=UTC)
    made = []
    for _ in range(count):
        now += datetime.timedelta(seconds=desk.draws.between(0, gap_s) if desk.draws.chance(0.9) else 0)
        made.append(now)
    return made


def iso(moment: datetime.datetime) -> str:
    """Return a moment as 2024-05-06T07:08:09Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def access_lines(desk: Desk, count: int) -> list[str]:
    """Return lines of a web server's log in the common log format, few clients and paths among them."""
    net, paths = desk.word(NETS), desk.some(desk.of(PATHS), 5)
    clients = [f"{net}.{desk.draws.between(2, 250)}" for _ in range(4)]
    made = []
    for moment in moments(desk, count):
        status = desk.pick(("200", "200", "200", "201", "301", "404", "404", "403", "500", "503"))
        method = desk.pick(("GET", "GET", "GET", "POST", "PUT"))
        at = moment.strftime("%d/%b/%Y:%H:%M:%S +0000")
        size = desk.draws.between(0, 99_999)
        made.append(
            f'{desk.pick(clients)} - - [{at}] "{method} {desk.pick(paths)} HTTP/1.1" {status} {size}',
        )
    return made


def app_lines(desk: Desk, count: int) -> list[str]:
    """Return lines of a program's log: moment, level, part in brackets, what happened, and of whom."""
    parts, users = desk.some(desk.of(PARTS), 3), desk.some(desk.of(USERS), 4)
    return [
        f"{iso(moment)} {desk.pick(LEVELS)} [{desk.pick(parts)}] {desk.word(EVENTS)}"
        f" user={desk.pick(users)} ms={desk.draws.between(1, 2500)}"
        for moment in moments(desk, count)
    ]
