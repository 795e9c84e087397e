"""A trainer's side of the verifier service."""

import asyncio
import json
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx

from palestra.envs.base import Json, Task, TaskError
from palestra.envs.verification.judged import MAX_SOLUTION_CHARS, Result
from palestra.rewards.base import Check
from palestra.sandbox.base import InfraError, PermanentInfraError

_POLL_S: Final = 30.0  # one request waits this long for a result
_CONNECTIONS: Final = 256
_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request to be sent."""

    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class _Pause:
    """A time to wait before the next request."""

    seconds: float


# A conversation yields what is to be done, and is sent the answer to a request, or why there is none.
_Said = httpx.Response | httpx.HTTPError | None
_End = TypeVar("_End")
_Talk = Generator[_Ask | _Pause, _Said, _End]


class VerifierClient:
    """Has solutions judged by a service, and has the same `Result` as whoever judges by oneself.

    A task is handed over once. A service that is full, stopping, restarted or out of reach is asked again until
    the time is up; judging twice does no harm. Use it from one thread, and `judge_many` from one event loop.

    Args:
        url: such as ``http://127.0.0.1:8321``.
        token: if the service wants one.
        client: whose turn its submissions take; by default that of the token, or of the address.
        patience_s: for one solution, queueing included.
    """

    def __init__(
        self, url: str, token: str | None = None, *, client: str | None = None, patience_s: float = 3600.0
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise PermanentInfraError(f"a service's address starts with http:// or https://, not {url!r}")
        self._url = url.rstrip("/")
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._settings: dict[str, Any] = {
            "base_url": self._url,
            "headers": headers,
            "timeout": 2 * _POLL_S,
            "limits": httpx.Limits(max_connections=_CONNECTIONS),
            "verify": url.startswith("https://"),  # certificates take long to load
        }
        self._client = client
        self._patience_s = patience_s
        self._held: set[str] = set()  # digests of tasks that the service has, as far as we know
        self._http: httpx.Client | None = None

    def judge(self, env_id: str, task: Task, solution: str) -> Result:
        """Return what a solution is worth; a result of status "fault" says nothing of it.

        Raises:
            TaskError: the service does not take the task.
            PermanentInfraError: it does not take us.
            InfraError: it could not be had in time.
        """
        if self._http is None:
            self._http = httpx.Client(**self._settings)
        talk = self._judging(env_id, task, solution)
        said: _Said = None
        while True:
            try:
                step = talk.send(said)
            except StopIteration as end:
                result: Result = end.value
                return result
            said = None
            if isinstance(step, _Pause):
                time.sleep(step.seconds)
                continue
            try:
                said = self._http.request(step.method, step.path, content=step.body)
            except httpx.HTTPError as error:
                said = error

    async def judge_many(
        self, env_id: str, pairs: Iterable[tuple[Task, str]], *, at_once: int = _CONNECTIONS // 2
    ) -> list[Result]:
        """Return what several solutions are worth, in their order; so many wait at the service at once.

        Raises:
            TaskError, PermanentInfraError, InfraError: as `judge` does, of the first that fails.
        """
        places = asyncio.Semaphore(at_once)
        async with httpx.AsyncClient(**self._settings) as http:

            async def one(task: Task, solution: str) -> Result:
                async with places:
                    return await _led(http, self._judging(env_id, task, solution))

            waited = list(pairs)
            for task in {task.digest: task for task, _ in waited}.values():
                await _led(http, self._handing_over(task, self._end()))
            asked = [asyncio.create_task(one(*pair)) for pair in waited]
            try:
                return await asyncio.gather(*asked)
            finally:
                for each in asked:
                    each.cancel()

    def close(self) -> None:
        """Close the connections; a second call does nothing."""
        http, self._http = self._http, None
        if http is not None:
            http.close()

    def _end(self) -> float:
        return time.monotonic() + self._patience_s

    def _judging(self, env_id: str, task: Task, solution: str) -> _Talk[Result]:
        """Hand in, wait, and return the result; begin again when the service has forgotten something."""
        end = self._end()
        order = {"env_id": env_id, "task_ref": task.digest, "client": self._client}
        order["solution"] = solution[: MAX_SOLUTION_CHARS + 1]  # so long that it is refused unread
        body = _encoded({name: value for name, value in order.items() if value is not None})
        while True:
            yield from self._handing_over(task, end)
            told = yield from self._asking(end, _Ask("POST", "/v1/submissions", body))
            while told is not None and told["status"] != "done":
                poll = _Ask("GET", f"/v1/submissions/{told['id']}?wait_s={_POLL_S:g}")
                told = yield from self._asking(end, poll)
            if told is not None:
                return _result(told["result"])
            self._held.discard(task.digest)

    def _handing_over(self, task: Task, end: float) -> _Talk[None]:
        if task.digest not in self._held:
            yield from self._asking(end, _Ask("POST", "/v1/tasks", _encoded({"task": task.to_dict()})))
            self._held.add(task.digest)

    def _asking(self, end: float, ask: _Ask) -> _Talk[Json]:
        """Ask until there is an answer and return it; None: the service does not know what it was asked about."""
        pause_s = _FIRST_PAUSE_S
        while True:
            said = yield ask
            if isinstance(said, httpx.Response) and said.status_code not in _AGAIN:
                return _read(said)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            if isinstance(said, httpx.Response):
                pause_s = max(pause_s, _retry_after_s(said))
            if time.monotonic() + pause_s > end:
                raise InfraError(f"the verifier service at {self._url} could not be had in time: {_why(said)}")
            yield _Pause(pause_s)


async def _led(http: httpx.AsyncClient, talk: _Talk[_End]) -> _End:
    """Return the end of a conversation."""
    said: _Said = None
    while True:
        try:
            step = talk.send(said)
        except StopIteration as end:
            value: _End = end.value
            return value
        said = None
        if isinstance(step, _Pause):
            await asyncio.sleep(step.seconds)
            continue
        try:
            said = await http.request(step.method, step.path, content=step.body)
        except httpx.HTTPError as error:
            said = error


def _encoded(data: Json) -> bytes:
    return json.dumps(data, allow_nan=False).encode("ascii")  # halves of characters travel, too


def _read(answer: httpx.Response) -> Json:
    if answer.status_code == 404:
        return None
    if answer.status_code >= 400:
        kind = TaskError if answer.status_code in (400, 413) else PermanentInfraError
        raise kind(f"the verifier service refused with {answer.status_code}: {_why(answer)}")
    return answer.json()


def _why(answer: _Said) -> str:
    if not isinstance(answer, httpx.Response):
        return f"{type(answer).__name__} {answer}".rstrip()
    return f"{answer.status_code} {answer.text[:300]}"


def _retry_after_s(answer: httpx.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() else 0.0


def _result(data: Json) -> Result:
    """Return the result that `Result.to_dict` wrote."""
    fields = {name: data[name] for name in Result.__dataclass_fields__}
    return Result(**{**fields, "checks": tuple(Check(**check) for check in data["checks"])})
