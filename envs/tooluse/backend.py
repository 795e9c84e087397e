"""A language model behind an OpenAI-compatible server, asked for JSON."""

from types import TracebackType
from typing import Any, Self

import httpx

from palestra.envs.base import Json
from palestra.envs.reading import strict_json
from palestra.sandbox.base import InfraError

MAX_REPLY_CHARS = 20_000
_RETRYABLE = {408, 409, 425, 429, 500, 502, 503, 504}


class NoJson(ValueError):
    """A model answered something else than one JSON object."""


class Backend:
    """One server.

    Args:
        url: such as ``http://localhost:8000``; any server with ``/v1/chat/completions`` will do.
        model: the served name; by default the first that the server lists.
        api_key: sent as a bearer token.
        temperature: of the sampling.
        timeout_s: of one request.

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
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"a server's address starts with http:// or https://, not {url!r}")
        base = url.rstrip("/")
        self.url = base if base.endswith("/v1") else f"{base}/v1"
        self.temperature = temperature
        self._model = model
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(headers=headers, timeout=httpx.Timeout(timeout_s))

    def ask(self, system: str, text: str, seed: int) -> dict[str, Json]:
        """Return the JSON object that the model answers.

        Raises:
            NoJson: it answers something else.
            InfraError: the server cannot be reached, refuses, or answers no chat completion.
        """
        body = {
            "model": self._name(),
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": text}],
            "temperature": self.temperature,
            "seed": seed % 2**31,
        }
        answer = self._json("POST", "/chat/completions", body)
        try:
            content = answer["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError) as error:
            raise InfraError(f"{self.url}/chat/completions answered no chat completion: {str(answer)[:200]}") from error
        return read_object(content)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _name(self) -> str:
        if self._model is None:
            listed = self._json("GET", "/models", None)
            try:
                self._model = str(listed["data"][0]["id"])
            except (KeyError, IndexError, TypeError) as error:
                raise InfraError(f"{self.url}/models lists no model; name one") from error
        return self._model

    def _json(self, method: str, path: str, body: Json) -> Any:
        try:
            answer = self._client.request(method, f"{self.url}{path}", json=body)
        except httpx.HTTPError as error:
            raise InfraError(f"{self.url}{path} failed: {type(error).__name__} {error}".rstrip()) from error
        if answer.status_code >= 400:
            what = "is overloaded or broken" if answer.status_code in _RETRYABLE else "refuses the request"
            raise InfraError(f"{self.url}{path} {what} ({answer.status_code}): {answer.text[:200]}")
        try:
            return answer.json()
        except ValueError as error:
            raise InfraError(f"{self.url}{path} answered no JSON: {answer.text[:100]!r}") from error


def read_object(content: Any) -> dict[str, Json]:
    """Return the one JSON object in what a model wrote, with or without a code fence around it.

    Raises:
        NoJson: there is none, or too much text.
    """
    if not isinstance(content, str) or len(content) > MAX_REPLY_CHARS:
        raise NoJson("the model's answer is no text, or too long")
    text = content.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text.removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        value = strict_json(text)
    except (ValueError, RecursionError) as error:
        raise NoJson(f"the model's answer is no JSON: {text[:80]!r}") from error
    if not isinstance(value, dict):
        raise NoJson(f"the model's answer is no JSON object: {text[:80]!r}")
    return value
