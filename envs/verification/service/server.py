"""What listens: uvicorn with bounds on slow and many connections, and a stop that loses no verdict."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from palestra.envs.verification.service.app import application
from palestra.envs.verification.service.asking import Door
from palestra.envs.verification.service.docket import Bounds, Docket

MOST_CONNECTIONS: Final = 512  # at once; beyond them the answer is 503, beyond twice as many there is none
HEADER_BYTES: Final = 16 * 1024
FETCHING_S: Final = 5.0  # a stop waits this long for what was judged last to be fetched
_CLOSING_S: Final = 10  # for answers on their way, then
_KEEP_ALIVE_S: Final = 75  # longer than clients keep idle connections, so that none is closed under a request


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """What is served: an open socket, who may come in, what is taken and kept, and how environments are made."""

    listener: socket.socket
    door: Door
    bounds: Bounds
    options: Mapping[str, str]  # for environments


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address; port 0 is any that is free.

    Raises:
        OSError: the address is not ours or is taken.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def serve(what: Listening, on_listening: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; then take no more, finish what runs, and return. A second signal breaks it off.

    Args:
        what: is served.
        on_listening: called once requests are accepted.
    """
    asyncio.run(_serve(what, on_listening))


async def _serve(what: Listening, on_listening: Callable[[], None]) -> None:
    docket = Docket(what.bounds, what.options)
    config = uvicorn.Config(
        application(docket, what.door),
        http=_protocol(what.door.read_s),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,  # whose turn it is may go by address
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=HEADER_BYTES,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_CLOSING_S,
    )
    docket.open()
    try:
        await _Server(config, docket, on_listening).serve(sockets=[what.listener])
    finally:
        await docket.close()


class _Server(uvicorn.Server):
    """Ends in two steps: first nothing more is taken while results are still told, then nothing is told."""

    def __init__(self, config: uvicorn.Config, docket: Docket, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._docket = docket
        self._on_listening = on_listening
        self._loop = asyncio.get_running_loop()
        self._leaving: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        if self._leaving is not None:
            self.should_exit = self.force_exit = True
        else:
            self._leaving = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        await self._docket.drain(FETCHING_S)
        self.should_exit = True


def _protocol(patience_s: float) -> type[H11Protocol]:
    """Return HTTP/1.1 in which a connection may be without a complete request's head for so long, and no longer.

    Data that trickles in does not help: neither a slow head nor the rest of a body that nobody wants any more.
    """

    class Patient(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > 2 * MOST_CONNECTIONS:
                transport.abort()
            self._await_request()

        def connection_lost(self, exc: Exception | None) -> None:
            self._disarm()
            super().connection_lost(exc)

        def handle_events(self) -> None:
            before = self.cycle
            super().handle_events()
            if self.cycle is not before:
                self._disarm()

        def on_response_complete(self) -> None:
            self._await_request()
            super().on_response_complete()

        def _await_request(self) -> None:
            self._disarm()
            self._deadline = self.loop.call_later(patience_s, self.transport.abort)

        def _disarm(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return Patient
