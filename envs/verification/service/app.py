"""The service's HTTP interface: every path, and what it answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from palestra.envs.base import Json, TaskError
from palestra.envs.registry import EnvEntry, UnknownEnvError
from palestra.envs.verification.judged import judging_entry
from palestra.envs.verification.service.asking import (
    Asked,
    Door,
    body_of,
    client_of,
    submission_of,
    submissions_of,
    task_of,
    token_of,
    wait_of,
)
from palestra.envs.verification.service.docket import Docket, Submission
from palestra.envs.verification.service.gauges import page
from palestra.envs.verification.service.refusal import Refusal
from palestra.envs.verification.service.shelf import HeldTask

Answer = Callable[[Request], Awaitable[Response]]
JSON: Final = "application/json"


def application(docket: Docket, door: Door) -> Starlette:
    """Return the service as an ASGI application."""
    desk = _Desk(docket, door)
    routes = [
        Route("/v1/tasks", desk.hold_task, methods=["POST"]),
        Route("/v1/submissions", desk.submit, methods=["POST"]),
        Route("/v1/submissions/{id}", desk.poll, methods=["GET"]),
        Route("/v1/stream", desk.stream, methods=["POST"]),
        Route("/health", desk.health, methods=["GET"]),
        Route("/ready", desk.ready, methods=["GET"]),
        Route("/metrics", desk.metrics, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _told_as_json, Refusal: _refused})
    app.router.redirect_slashes = False  # to where the Host header says
    return app


class _Desk:
    """Answers requests."""

    def __init__(self, docket: Docket, door: Door) -> None:
        self._docket = docket
        self._door = door
        self._entries: dict[str, EnvEntry] = {}

    async def hold_task(self, request: Request) -> Response:
        """Keep a task, so that submissions may name it."""
        token_of(request, self._door.tokens)
        held = self._docket.shelf.put(task_of(await body_of(request, self._door)))
        return _json({"task_ref": held.digest, "id": held.id}, 201)

    async def submit(self, request: Request) -> Response:
        """Queue a submission."""
        token = token_of(request, self._door.tokens)
        body = await body_of(request, self._door)
        client = client_of(request, body, token)
        [submission] = await self._take(client, [submission_of(body)])
        return _answer(submission, 202)

    async def poll(self, request: Request) -> Response:
        """Tell how far a submission is, or wait for its result a while."""
        token_of(request, self._door.tokens)
        seconds = wait_of(request)
        submission = self._docket.find(request.path_params["id"])
        if seconds and submission.status != "done":
            try:
                async with asyncio.timeout(seconds):
                    await submission.over.wait()
            except TimeoutError:
                pass
        return _answer(submission, 200)

    async def stream(self, request: Request) -> Response:
        """Queue several submissions and tell each result as it comes, a JSON object a line."""
        token = token_of(request, self._door.tokens)
        body = await body_of(request, self._door)
        client = client_of(request, body, token)
        submissions = await self._take(client, submissions_of(body))
        return StreamingResponse(self._lines(submissions), media_type="application/x-ndjson")

    async def health(self, _request: Request) -> Response:
        """Tell that the server lives."""
        return _json({"status": "live"})

    async def ready(self, _request: Request) -> Response:
        """Tell whether submissions would be taken and judged now."""
        docket = self._docket
        is_ready = docket.is_taking and bool(docket.workers_ready) and docket.queued < docket.bounds.queued
        return _json({"status": "ready" if is_ready else "not ready"}, 200 if is_ready else 503)

    async def metrics(self, request: Request) -> Response:
        """Tell what goes on, in figures."""
        token_of(request, self._door.tokens)
        return Response(page(self._docket), media_type="text/plain; version=0.0.4")

    async def _take(self, client: str, asked: list[Asked]) -> list[Submission]:
        entries = [await self._entry(one.env_id) for one in asked]
        held = [self._held(one, entry) for one, entry in zip(asked, entries, strict=True)]
        return self._docket.take(
            client, [(entry.id, task, one.solution) for one, entry, task in zip(asked, entries, held, strict=True)]
        )

    async def _entry(self, env_id: str) -> EnvEntry:
        if env_id not in self._entries:
            try:
                self._entries[env_id] = await asyncio.to_thread(judging_entry, env_id)  # which may import a family
            except (UnknownEnvError, TaskError, ImportError) as error:
                raise Refusal(400, f"'env_id': {error}") from error
        return self._entries[env_id]

    def _held(self, asked: Asked, entry: EnvEntry) -> HeldTask:
        shelf = self._docket.shelf
        held = shelf.get(asked.task_ref) if asked.task_ref else shelf.put(asked.task)
        if held.family != entry.family:
            told = f"the task {held.id!r:.80} is of the family {held.family!r:.80}; {entry.id} takes {entry.family!r}"
            raise Refusal(400, told)
        return held

    async def _lines(self, submissions: list[Submission]) -> AsyncIterator[bytes]:
        places = {submission.id: number for number, submission in enumerate(submissions)}
        try:
            async for submission in _as_they_end(submissions):
                yield f'{{"index": {places[submission.id]}, {submission.told()[1:]}\n'.encode("ascii")
        finally:
            for submission in submissions:
                self._docket.withdraw(submission)


async def _as_they_end(submissions: Iterable[Submission]) -> AsyncIterator[Submission]:
    ended: asyncio.Queue[Submission] = asyncio.Queue()

    async def wait(submission: Submission) -> None:
        await submission.over.wait()
        ended.put_nowait(submission)

    waiting = [asyncio.create_task(wait(submission)) for submission in submissions]
    try:
        for _ in waiting:
            yield await ended.get()
    finally:
        for task in waiting:
            task.cancel()


def _answer(submission: Submission, status: int) -> Response:
    return Response(submission.told(), status, media_type=JSON)


def _json(data: Json, status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(data), status, {name.replace("_", "-"): value for name, value in headers.items()}, JSON)


async def _refused(_request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    headers = {} if refusal.retry_after_s is None else {"retry_after": str(refusal.retry_after_s)}
    if refusal.status == 401:
        headers["www_authenticate"] = "Bearer"
    return _json({"error": refusal.why}, refusal.status, **headers)


async def _told_as_json(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _json({"error": error.detail}, error.status_code, **dict(error.headers or {}))
