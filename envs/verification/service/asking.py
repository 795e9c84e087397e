"""What clients may ask, read from requests that may hold anything."""

import asyncio
import hashlib
import hmac
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from starlette.requests import ClientDisconnect, Request

from palestra.envs.base import Json
from palestra.envs.reading import strict_json
from palestra.envs.verification.service.refusal import Refusal

LONGEST_WAIT_S: Final = 60.0  # of one request for a result
MOST_AT_ONCE: Final = 1000  # submissions of one request
_CLIENT: Final = re.compile(r"[\w.@:/-]{1,64}", re.ASCII)
_SUBMISSION: Final = frozenset({"env_id", "task", "task_ref", "solution"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Who may come in, and how much they may bring."""

    body_bytes: int
    read_s: float  # how long a request may take to arrive
    tokens: tuple[str, ...] = ()  # none: anybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One solution to be judged, its form checked: of `task` and `task_ref`, one is there."""

    env_id: str
    solution: str
    task: Json = None
    task_ref: str = ""


def token_of(request: Request, tokens: Sequence[str]) -> str:
    """Return the token that a request came with; "" where none is needed.

    Raises:
        Refusal: it has none that is known.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    said = given.strip().encode("latin-1")
    known = [token for token in tokens if hmac.compare_digest(token.encode(), said)]
    if tokens and (scheme.lower() != "bearer" or not known):
        raise Refusal(401, "this service wants a token: Authorization: Bearer TOKEN")
    return known[0] if known else ""


def client_of(request: Request, body: Mapping[str, Json], token: str) -> str:
    """Return whose turn a submission takes: of the client it names, else of its token, else of its address.

    Raises:
        Refusal: the name is none.
    """
    name = body.get("client")
    if name is None:
        address = request.client.host if request.client else ""
        return f"token {hashlib.sha256(token.encode()).hexdigest()[:16]}" if token else f"address {address}"
    if not isinstance(name, str) or not _CLIENT.fullmatch(name):
        raise Refusal(400, f"'client' is a name of 1 to 64 letters, digits and _.@:/-, not {name!r:.80}")
    return f"client {name}"


async def body_of(request: Request, door: Door) -> dict[str, Json]:
    """Return the JSON object that a request brings.

    Raises:
        Refusal: it is too large, too slow, no JSON, or no object.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, f"send JSON with Content-Type: application/json, not {kind!r:.80}")
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length[:20]) > door.body_bytes:
        _too_large(door)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(door.read_s):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > door.body_bytes:
                    _too_large(door)
    except TimeoutError:
        raise Refusal(408, f"the body did not arrive within {door.read_s:g} s") from None
    except ClientDisconnect:
        raise Refusal(400, "the body was broken off") from None
    return _object(b"".join(parts))


def submissions_of(body: Mapping[str, Json]) -> list[Asked]:
    """Return what a request of several submissions asks for.

    Raises:
        Refusal: it is malformed.
    """
    _only(body, {"submissions", "client"})
    listed = body.get("submissions")
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_AT_ONCE:
        raise Refusal(400, f"'submissions' is a list of 1 to {MOST_AT_ONCE} objects")
    return [_asked(one, f"submission {number}: ") for number, one in enumerate(listed)]


def submission_of(body: Mapping[str, Json]) -> Asked:
    """Return what a request of one submission asks for.

    Raises:
        Refusal: it is malformed.
    """
    return _asked({name: value for name, value in body.items() if name != "client"}, "")


def task_of(body: Mapping[str, Json]) -> Json:
    """Return the task that a request hands over, unchecked.

    Raises:
        Refusal: there is none.
    """
    _only(body, {"task"})
    if "task" not in body:
        raise Refusal(400, "'task' is missing: the task as a JSON object, hidden part included")
    return body["task"]


def wait_of(request: Request) -> float:
    """Return for how many seconds a request is willing to wait: 0 unless it says, and never more than a minute.

    Raises:
        Refusal: it is no such number.
    """
    said = request.query_params.get("wait_s", "0")
    try:
        seconds = float(said)
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds < math.inf:
        raise Refusal(400, f"'wait_s' is a number of seconds of at least 0, not {said!r:.80}")
    return min(seconds, LONGEST_WAIT_S)


def _asked(data: Json, where: str) -> Asked:
    if not isinstance(data, dict):
        raise Refusal(400, f"{where}a submission is a JSON object, not {data!r:.80}")
    _only(data, _SUBMISSION, where)
    for name in ("env_id", "solution"):
        if not isinstance(data.get(name), str):
            raise Refusal(400, f"{where}{name!r} is a text, not {data.get(name)!r:.80}")
    if ("task" in data) == ("task_ref" in data):
        raise Refusal(400, f"{where}give either 'task' or 'task_ref'")
    if not isinstance(data.get("task_ref", ""), str):
        raise Refusal(400, f"{where}'task_ref' is a task's digest, not {data['task_ref']!r:.80}")
    return Asked(**data)


def _only(data: Mapping[str, Json], known: set[str] | frozenset[str], where: str = "") -> None:
    if unknown := sorted(set(data) - known):
        raise Refusal(400, f"{where}unknown field {unknown[0]!r:.80}; known: {', '.join(sorted(known))}")


def _object(text: bytes) -> dict[str, Json]:
    try:
        data = strict_json(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refusal(400, f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    except ValueError as error:
        raise Refusal(400, f"the body is no JSON: {error}") from error
    except RecursionError as error:
        raise Refusal(400, "the body is nested too deeply") from error
    if not isinstance(data, dict):
        raise Refusal(400, f"the body is a JSON object, not {type(data).__name__}")
    return data


def _too_large(door: Door) -> NoReturn:
    raise Refusal(413, f"the body is larger than {door.body_bytes} bytes")
