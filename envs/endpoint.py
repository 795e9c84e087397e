"""A language model behind an OpenAI-compatible server: asked for JSON, or talked with, tools included."""

import email.utils
import json
import random
import re
import socket
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx

from palestra.envs.base import Json, Message
from palestra.envs.reading import NOT_JSON, read_json, strict_json
from palestra.sandbox.base import InfraError, PermanentInfraError

MAX_REPLY_CHARS: Final = 20_000
_MAX_BODY_BYTES: Final = 16 * 1024 * 1024
_RETRYABLE: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_ABOUT_THE_REQUEST: Final = frozenset({400, 413, 422})
_BROKEN_OFF: Final = frozenset({"abort", "aborted", "cancelled", "error"})  # how servers say that they ended a reply
_LONGEST_WAIT_S: Final = 120.0
_Read = TypeVar("_Read")
_THOUGHT: Final = re.compile(r"\A\s*<think>.*?</think>", re.S)


class NoJson(ValueError):
    """A model answered something else than one JSON object."""


class EndpointError(InfraError):
    """A server cannot be reached, is overloaded, or answers what is no answer; it may do better later."""


class EndpointRefusal(PermanentInfraError):
    """A server refuses whatever it is asked: another key, address or model is needed."""


class RequestRefused(PermanentInfraError):
    """A server refuses this very request, such as one that is too long for it."""


@dataclass(slots=True)
class Usage:
    """What asking a model has cost."""

    requests: int = 0  # those that were sent again included
    retries: int = 0
    prompt_tokens: int = 0  # as servers count them; 0 where they do not
    completion_tokens: int = 0
    seconds: float = 0.0  # waited, pauses between tries included

    def add(self, other: "Usage | Mapping[str, Any]") -> None:
        """Add another's costs, or those that `to_json` wrote."""
        more = other.to_json() if isinstance(other, Usage) else other
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + more[name])

    def to_json(self) -> dict[str, Any]:
        """Return the costs as JSON data, seconds to the thousandth."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a model said in one turn."""

    message: Message  # an assistant's: content, and tool_calls if there are some
    finish: str = "stop"  # as the server tells it

    @property
    def content(self) -> str:
        """The text of it."""
        return str(self.message["content"])

    @property
    def is_cut(self) -> bool:
        """Whether it was ended by a limit of tokens."""
        return self.finish == "length"


class Backend:
    """One server, for as many threads as like.

    Args:
        url: such as ``http://localhost:8000``; any server with ``/v1/chat/completions`` will do.
        model: the served name; by default the first that the server lists.
        api_key: sent as a bearer token.
        temperature: of the sampling.
        timeout_s: of one request, from its first byte to the last of its answer.
        max_tokens: of one reply; None leaves it to the server.
        retries: of a request that an overloaded or broken server did not answer. Before each it is waited for as long
            as the server's Retry-After says (at most two minutes), or `pause_s`, doubled each time.
        pause_s: the first pause.

    Raises:
        ValueError: the address is none.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        temperature: float = 0.7,
        timeout_s: float = 120.0,
        max_tokens: int | None = None,
        retries: int = 0,
        pause_s: float = 1.0,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"a server's address starts with http:// or https://, not {url!r}")
        base = url.rstrip("/")
        self.url = base if base.endswith("/v1") else f"{base}/v1"
        self.temperature, self.timeout_s, self.max_tokens = temperature, timeout_s, max_tokens
        self._retries, self._pause_s = retries, pause_s
        self._model = model
        self._closed = threading.Event()
        self._streams = weakref.WeakSet[Any]()  # of all connections
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(headers=headers, timeout=httpx.Timeout(timeout_s))

    @property
    def model(self) -> str:
        """The name of the model: the one that was given, or the first that the server lists.

        Raises:
            InfraError: the server cannot be asked, or lists none.
        """
        return self._name(Usage())

    def ask(self, system: str, text: str, seed: int) -> dict[str, Json]:
        """Return the JSON object that the model answers.

        Raises:
            NoJson: it answers something else.
            InfraError: the server cannot be reached, refuses, or answers no chat completion.
        """
        messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        return read_object(self.chat(messages, seed=seed).message["content"])

    def chat(
        self,
        messages: Sequence[Mapping[str, Json]],
        *,
        tools: Sequence[Mapping[str, Json]] = (),
        seed: int = 0,
        usage: Usage | None = None,
    ) -> Reply:
        """Return what the model says next in a conversation.

        Args:
            messages: OpenAI-style, the newest last.
            tools: OpenAI-style function tools that it may call.
            seed: of the sampling, for servers that heed it.
            usage: what the costs are added to, those of failures as well.

        Raises:
            EndpointError: the server failed, as often as it is tried.
            EndpointRefusal, RequestRefused: it refuses.
        """
        meter = Usage() if usage is None else usage
        body: dict[str, Json] = {
            "model": self._name(meter),
            "messages": list(messages),
            "temperature": self.temperature,
            "seed": seed % 2**31,
        }
        if tools:
            body["tools"] = list(tools)
        if self.max_tokens is not None:
            body["max_tokens"] = self.max_tokens
        return self._tried("POST", "/chat/completions", body, meter, self._reply)

    def close(self) -> None:
        """Close the connections; who waits for the server waits no longer, and is told so."""
        self._closed.set()
        for stream in list(self._streams):
            with suppress(OSError, AttributeError):  # it is closed already
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _name(self, meter: Usage) -> str:
        if self._model is None:
            self._model = self._tried("GET", "/models", None, meter, self._listed)
        return self._model

    def _listed(self, listed: Any, meter: Usage) -> str:
        try:
            return str(listed["data"][0]["id"])
        except (KeyError, IndexError, TypeError) as error:
            raise EndpointRefusal(f"{self.url}/models lists no model; name one") from error

    def _reply(self, answer: Any, meter: Usage) -> Reply:
        try:
            choice = answer["choices"][0]
            message, finish = _message(choice["message"]), str(choice.get("finish_reason") or "stop")
            told = answer.get("usage") or {}
            counts = [told.get(name) for name in ("prompt_tokens", "completion_tokens")]
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            told = f"{self.url}/chat/completions answered no chat completion: {str(answer)[:200]}"
            raise EndpointError(told) from error
        spent = [count if type(count) is int and count > 0 else 0 for count in counts]
        meter.prompt_tokens += spent[0]
        meter.completion_tokens += spent[1]
        if finish in _BROKEN_OFF:
            raise EndpointError(f"{self.url}/chat/completions broke a reply off (finish_reason {finish!r})")
        return Reply(message=message, finish=finish)

    def _tried(self, method: str, path: str, body: Json, meter: Usage, read: Callable[[Any, Usage], _Read]) -> _Read:
        """Return what is read of an answer; what failed for now is asked for again."""
        begun = time.monotonic()
        try:
            for number in range(self._retries + 1):
                meter.requests, meter.retries = meter.requests + 1, meter.retries + bool(number)
                wait_s = self._pause_s * 2**number * (1.0 + random.random() / 4)
                try:
                    status, headers, data = self._exchanged(method, path, body)
                    if status < 400:
                        return read(self._parsed(path, data), meter)
                    error: InfraError = self._trouble(path, status, data)
                    wait_s = _retry_after(headers.get("retry-after", ""), wait_s)
                except EndpointError as trouble:
                    error = trouble
                if not error.retryable or number == self._retries or self._closed.wait(min(wait_s, _LONGEST_WAIT_S)):
                    raise error
            raise ValueError(f"retries must be at least 0, not {self._retries!r}")
        finally:
            meter.seconds += time.monotonic() - begun

    def _exchanged(self, method: str, path: str, body: Json) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body of an answer; an answer that goes on too long, or on and on, is none."""
        deadline = time.monotonic() + self.timeout_s
        data = bytearray()
        sent = None if body is None else json.dumps(body).encode()  # ASCII: models write characters that are none
        headers = {} if sent is None else {"Content-Type": "application/json"}
        try:
            traced = {"trace": self._traced}
            url = f"{self.url}{path}"
            with self._client.stream(method, url, content=sent, headers=headers, extensions=traced) as answer:
                for part in answer.iter_bytes():
                    data += part
                    if len(data) > _MAX_BODY_BYTES:
                        raise EndpointError(f"{self.url}{path} answered more than {_MAX_BODY_BYTES // 2**20} MiB")
                    if time.monotonic() > deadline:
                        raise EndpointError(f"{self.url}{path} has not ended its answer in {self.timeout_s:g} s")
                return answer.status_code, answer.headers, bytes(data)
        except EndpointError:
            raise
        except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: the client was closed
            raise EndpointError(f"{self.url}{path} failed: {type(error).__name__} {error}".rstrip()) from error

    def _traced(self, event: str, told: Mapping[str, Any]) -> None:
        """Keep the stream of each connection that is made."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._streams.add(told["return_value"])

    def _trouble(self, path: str, status: int, data: bytes) -> InfraError:
        if status in _RETRYABLE:
            return EndpointError(f"{self.url}{path} is overloaded or broken ({status}): {_start(data)}")
        kind = RequestRefused if status in _ABOUT_THE_REQUEST else EndpointRefusal
        return kind(f"{self.url}{path} refuses the request ({status}): {_start(data)}")

    def _parsed(self, path: str, data: bytes) -> Any:
        value = read_json(data.decode("utf-8", "replace"))
        if value is NOT_JSON:
            raise EndpointError(f"{self.url}{path} answered no JSON: {_start(data)!r}")
        if isinstance(value, dict) and value.get("error"):  # as proxies tell of the server behind them
            raise EndpointError(f"{self.url}{path} answered with an error: {str(value['error'])[:200]}")
        return value


def read_object(content: Any, *, limit_chars: int = MAX_REPLY_CHARS) -> dict[str, Json]:
    """Return the one JSON object in what a model wrote, with or without a code fence around it.

    What a model thought aloud before it, in ``<think>``, does not count.

    Raises:
        NoJson: there is none, or too much text.
    """
    if not isinstance(content, str) or len(content) > limit_chars:
        raise NoJson("the model's answer is no text, or too long")
    text = _THOUGHT.sub("", content, count=1).strip()
    if text.startswith("```") and text.endswith("```"):
        text = text.removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        value = strict_json(text)
    except (ValueError, RecursionError) as error:
        raise NoJson(f"the model's answer is no JSON: {text[:80]!r}") from error
    if not isinstance(value, dict):
        raise NoJson(f"the model's answer is no JSON object: {text[:80]!r}")
    return value


def _message(told: Mapping[str, Any]) -> Message:
    """Return an assistant's message as conversations hold it; a refusal in words is content."""
    content = told.get("content") or told.get("refusal") or ""
    if isinstance(content, list):  # in parts
        content = "".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str):
        raise TypeError("a message's content is text")
    calls = told.get("tool_calls")
    return {"role": "assistant", "content": content, **({"tool_calls": calls} if calls else {})}


def _retry_after(told: str, usual_s: float) -> float:
    """Return the seconds that a server asks to be left alone for: a number, or a date."""
    if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", told):
        return float(told)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, TypeError, IndexError, OverflowError):
        return usual_s


def _start(data: bytes) -> str:
    return data[:200].decode("utf-8", "replace")
