"""OpenAI-compatible servers as policies, over httpx.

`TokenServerPolicy` sends token ids and takes token ids with log-probabilities back, as vLLM serves them,
so its samples can be trained on. `ChatServerPolicy` speaks plain chat completions, which any server
has; it gives text only, so it is for evaluation.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from palestra.agents.base import ModelError, Sample, Sampling
from palestra.agents.chat import ByteChat
from palestra.rewards.base import FinishReason
from palestra.sandbox.base import InfraError

_RETRYABLE = {408, 409, 425, 429, 500, 502, 503, 504}
_BROKEN_OFF = {"abort", "aborted", "cancelled", "error"}  # how servers say that they, not the model, ended a reply


class _Server:
    """One server: a connection pool and errors that say which side failed."""

    def __init__(self, url: str, *, model: str | None, api_key: str | None, timeout_s: float) -> None:
        if not url.startswith(("http://", "https://")):
            raise ModelError(f"a server's address starts with http:// or https://, not {url!r}")
        base = url.rstrip("/")
        self.url = base if base.endswith("/v1") else f"{base}/v1"
        self._model = model
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        limits = httpx.Limits(max_connections=256)
        self._client = httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(timeout_s), limits=limits)

    async def model(self) -> str:
        """Return the model's name: the one given, else the first that the server lists."""
        if self._model is None:
            listed = await self._json("GET", "/models", None)
            try:
                self._model = str(listed["data"][0]["id"])
            except (KeyError, IndexError, TypeError) as error:
                raise ModelError(f"{self.url}/models lists no model; name one") from error
        return self._model

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON answer to a request.

        Raises:
            InfraError: the server cannot be reached, is overloaded or answers no JSON.
            ModelError: the server refuses the request itself.
        """
        return await self._json("POST", path, {"model": await self.model(), **body})

    async def close(self) -> None:
        await self._client.aclose()

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        try:
            answer = await self._client.request(method, f"{self.url}{path}", json=body)
        except httpx.HTTPError as error:
            raise InfraError(f"{self.url}{path} failed: {type(error).__name__} {error}".rstrip()) from error
        if answer.status_code in _RETRYABLE:
            raise InfraError(f"{self.url}{path} answered {answer.status_code}: {answer.text[:200]}")
        if answer.status_code >= 400:
            raise ModelError(f"{self.url}{path} refused with {answer.status_code}: {answer.text[:300]}")
        try:
            data = answer.json()
        except ValueError as error:
            raise InfraError(f"{self.url}{path} answered no JSON: {answer.text[:100]!r}") from error
        if isinstance(data, dict) and data.get("error"):  # as proxies tell of the server behind them
            raise InfraError(f"{self.url}{path} answered with an error: {str(data['error'])[:200]}")
        return data


class TokenServerPolicy:
    """A completions server that takes and returns token ids (vLLM with ``return_token_ids``).

    Args:
        url: such as ``http://localhost:8000``.
        model: the served name; by default the first that the server lists.
        version: of the served weights, recorded with each sample.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        version: int = 0,
        timeout_s: float = 600.0,
    ) -> None:
        self._server = _Server(url, model=model, api_key=api_key, timeout_s=timeout_s)
        self.version = version

    async def generate(self, prompt_ids: Sequence[int], sampling: Sampling) -> Sample:
        """Return a sampled reply.

        Raises:
            InfraError: the server failed.
            ModelError: it refused, or its answer has no token ids or log-probabilities.
        """
        answer = await self._server.post(
            "/completions",
            {
                "prompt": list(prompt_ids),
                "max_tokens": sampling.max_tokens,
                "temperature": sampling.temperature,
                "top_p": 1.0,
                "seed": sampling.seed % 2**31,
                "stop_token_ids": list(sampling.stop_ids),
                "logprobs": 0,
                "return_token_ids": True,
                "skip_special_tokens": False,
            },
        )
        return read_completion(answer, list(prompt_ids), self.version)

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()


def read_completion(answer: Any, prompt_ids: list[int], version: int) -> Sample:
    """Return the sample in a completions answer.

    Raises:
        ModelError: ids or log-probabilities are missing, do not fit, or the prompt was changed.
        InfraError: the server broke the reply off.
    """
    try:
        choice = answer["choices"][0]
        finish = _finish(choice)
        ids, logprobs = choice["token_ids"], choice["logprobs"]["token_logprobs"]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelError(
            "the server's completions carry no token_ids with logprobs; training needs a server that returns them "
            "(vLLM with return_token_ids), evaluation can use the chat interface"
        ) from error
    if not isinstance(ids, list) or not isinstance(logprobs, list) or len(ids) != len(logprobs):
        raise ModelError(f"the server returned ids {str(ids)[:80]} with log-probabilities {str(logprobs)[:80]}")
    seen = choice.get("prompt_token_ids")
    if seen is not None and list(seen) != prompt_ids:
        raise ModelError("the server changed the prompt's token ids; switch off added special tokens")
    return Sample(output_ids=tuple(map(int, ids)), logprobs=tuple(map(float, logprobs)), finish=finish, version=version)


def _finish(choice: Mapping[str, Any]) -> FinishReason:
    """Return how a reply ended.

    Raises:
        InfraError: the server broke it off, so it is not what the model would have said.
    """
    reason = choice.get("finish_reason")
    if reason in _BROKEN_OFF:
        raise InfraError(f"the server broke a reply off (finish_reason {reason!r})")
    return "length" if reason == "length" else "stop"


class ChatServerPolicy:
    """Any chat-completions server, for evaluation; used with `MessagesChat`. Arguments as above."""

    def __init__(
        self, url: str, *, model: str | None = None, api_key: str | None = None, timeout_s: float = 600.0
    ) -> None:
        self._server = _Server(url, model=model, api_key=api_key, timeout_s=timeout_s)

    async def generate(self, prompt_ids: Sequence[int], sampling: Sampling) -> Sample:
        """Return the server's message as the bytes of its JSON, each with log-probability 0.

        Raises:
            InfraError: the server failed, or broke the reply off.
            ModelError: it refused, or answered without a message.
        """
        messages, tools = _conversation(prompt_ids)
        body: dict[str, Any] = {
            "messages": messages,
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "seed": sampling.seed % 2**31,
        }
        if tools:
            body["tools"] = tools
        answer = await self._server.post("/chat/completions", body)
        try:
            choice = answer["choices"][0]
            finish = _finish(choice)
            said = {k: choice["message"].get(k) for k in ("content", "tool_calls")}
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ModelError(f"the server's chat answer has no message: {str(answer)[:200]}") from error
        message = {"role": "assistant", "content": said["content"] or "", "tool_calls": said["tool_calls"] or []}
        ids = ByteChat().encode_reply(json.dumps(message) + "\n")
        return Sample(output_ids=ids, logprobs=(0.0,) * len(ids), finish=finish)

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()


def _conversation(prompt_ids: Sequence[int]) -> tuple[list[Any], list[Any]]:
    lines = [json.loads(line) for line in ByteChat().parse(prompt_ids).splitlines()]
    messages: list[Any] = []
    for line in lines:
        messages += line["messages"] if "messages" in line else [_replayed(line)]
    return messages, lines[0].get("tools", [])


def _replayed(message: dict[str, Any]) -> dict[str, Any]:
    """Return an own earlier message as servers take it back: no empty list of calls."""
    return message if message.get("tool_calls") else {"role": "assistant", "content": message["content"]}
