"""The server of every site: it hands each request to whoever answers for the visit that it came from."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

VISIT_HEADER = "palestra-visit"  # whose request it is; no page can read or set the headers of its own visit
_MAX_HEAD_BYTES = 1024 * 1024
_MAX_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a page asked for, whatever its host: there is no other server than this."""

    method: str
    url: str  # whole, as "http://shop.test/search?q=tea"
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is answered."""

    body: bytes = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Request], Response]


class Server:
    """HTTP/1.1 for one browser, which is trusted to speak it; what it asks for is not."""

    def __init__(self, answer_for: Callable[[str], Answer | None]) -> None:
        """Serve nothing yet; ``answer_for`` says who answers for a visit, None: nobody any more."""
        self._answer_for = answer_for
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, listener: socket.socket) -> asyncio.Server:
        """Serve whoever connects to a socket that listens."""
        return await asyncio.start_server(self._serve, sock=listener, limit=_MAX_HEAD_BYTES)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it ends."""
        task = asyncio.current_task()
        assert task is not None  # it is one
        self._tasks.add(task)
        try:
            while request := await _read(reader):
                response = self._respond(request)
                writer.write(_head(response) + (b"" if request.method == "HEAD" else response.body))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass  # the browser went away, or was told nothing it could use
        finally:
            self._tasks.discard(task)
            writer.close()

    async def close(self) -> None:
        """End every connection."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)

    def _respond(self, request: Request) -> Response:
        answer = self._answer_for(request.headers.get(VISIT_HEADER, ""))
        return Response(status=410, content_type="text/plain") if answer is None else answer(request)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request; None when there is no other."""
    try:
        head = await reader.readexactly(1)
        if not head.isalpha():
            return None  # it wants TLS, for which nobody here could vouch
        head += await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _version = first.split(" ")
    fields = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= _MAX_BODY_BYTES:
        raise ValueError(f"a body of {length} bytes")
    body = await reader.readexactly(length) if length else b""
    return Request(method=method, url=f"http://{headers.get('host', '')}{target}", headers=headers, body=body)


def _head(response: Response) -> bytes:
    headers = {
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        "Cache-Control": "no-store",
        **response.headers,
    }
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
