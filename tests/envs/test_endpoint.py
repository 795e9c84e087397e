"""A model's server, with the faults that servers have: retried where that helps, else told, and all counted."""

import email.utils
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from palestra.envs.actions import function_tool
from palestra.envs.endpoint import (
    Backend,
    EndpointError,
    EndpointRefusal,
    NoJson,
    RequestRefused,
    Usage,
    read_object,
)
from palestra.sandbox.base import InfraError

ASKED = [{"role": "user", "content": "hello"}]


def quick(url: str, **more: Any) -> Backend:
    return Backend(url, **{"retries": 3, "pause_s": 0.001, "model": "m", **more})


def in_turn(*answers: Any) -> Callable[[dict[str, Any]], Any]:
    left = list(answers)
    return lambda body: left.pop(0) if len(left) > 1 else left[0]


def test_a_conversation_with_tools_goes_there_and_back(scripted: Any) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    scripted.answer = lambda body: scripted.Answer(content=None, calls=[call], finish="tool_calls")
    tool, usage = function_tool("look", "Look.", {}), Usage()
    with quick(scripted.url, api_key="k", max_tokens=77, model=None) as backend:
        reply = backend.chat(ASKED, tools=[tool], seed=5, usage=usage)
        assert backend.model == "scripted"
    assert reply.message == {"role": "assistant", "content": "", "tool_calls": [call]}
    assert (reply.content, reply.is_cut) == ("", False)
    [asked] = scripted.asked
    assert (asked["tools"], asked["max_tokens"], asked["seed"], asked["key"]) == ([tool], 77, 5, "Bearer k")
    assert (usage.requests, usage.retries) == (2, 0)  # the models were listed first
    assert (usage.prompt_tokens, usage.completion_tokens) == (100, 10)
    total = Usage()
    total.add(usage)
    total.add(json.loads(json.dumps(usage.to_json())))
    assert total.completion_tokens == 20


@pytest.mark.parametrize("after", ["0", "0.002", "soon", "", "Mon, 01 Jan 2001 00:00:00 GMT", "99999999999"])
def test_what_a_server_could_not_take_is_sent_again(scripted: Any, after: str) -> None:
    """However the pause is told; a pause of years counts as none that was understood."""
    busy = scripted.Answer(status=429, headers={"Retry-After": after}, raw="busy")
    broken = scripted.Answer(status=500, raw="<html>oops")
    scripted.answer = in_turn(busy, broken, scripted.Answer(content="fine"))
    usage = Usage()
    with quick(scripted.url) as backend:
        assert backend.chat(ASKED, usage=usage).content == "fine"
    assert (usage.requests, usage.retries, usage.completion_tokens) == (3, 2, 10)


def test_a_pause_may_be_told_as_a_date(scripted: Any) -> None:
    soon = email.utils.formatdate(time.time() + 1, usegmt=True)
    scripted.answer = in_turn(
        scripted.Answer(status=503, headers={"Retry-After": soon}, raw="x"), scripted.Answer(content="fine")
    )
    with quick(scripted.url, pause_s=10_000.0) as backend:  # which would be waited for otherwise
        assert backend.chat(ASKED).content == "fine"


FAULTS: dict[str, dict[str, Any]] = {
    "overloaded": {"status": 503, "raw": "no"},
    "no JSON": {"raw": "<html>"},
    "cut off": {"raw": '{"choices": [{"mess'},
    "an error in a good answer": {"raw": '{"error": {"message": "behind me"}}'},
    "no choices": {"raw": '{"choices": []}'},
    "no message": {"raw": '{"choices": [{}]}'},
    "a message that is none": {"raw": '{"choices": [{"message": {"content": {"a": 1}}}]}'},
    "a list": {"raw": "[1, 2]"},
    "broken off": {"content": "half", "finish": "error"},
    "hangs up": {"hangs_up": True},
    "never ends": {"content": "x", "drips": 100},
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_goes_on_failing_is_a_fault_and_no_answer(scripted: Any, name: str) -> None:
    scripted.answer = lambda body: scripted.Answer(**FAULTS[name])
    usage = Usage()
    with quick(scripted.url, retries=1, timeout_s=0.3) as backend, pytest.raises(EndpointError):
        backend.chat(ASKED, usage=usage)
    assert (usage.requests, usage.retries) == (2, 1)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, RequestRefused), (413, RequestRefused), (401, EndpointRefusal), (404, EndpointRefusal)]
)
def test_a_refusal_is_not_asked_twice(scripted: Any, status: int, kind: type[InfraError]) -> None:
    scripted.answer = lambda body: scripted.Answer(status=status, raw="too long")
    with quick(scripted.url) as backend, pytest.raises(kind, match=f"refuses the request .{status}.: too long"):
        backend.chat(ASKED)
    assert len(scripted.asked) == 1


def test_an_answer_without_end_is_given_up(scripted: Any) -> None:
    scripted.answer = lambda body: scripted.Answer(raw=" " * (17 * 1024 * 1024))
    with quick(scripted.url, retries=0) as backend, pytest.raises(EndpointError, match="more than 16 MiB"):
        backend.chat(ASKED)


def test_words_in_parts_and_refusals_are_words(scripted: Any) -> None:
    scripted.answer = in_turn(
        scripted.Answer(content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
        scripted.Answer(raw='{"choices": [{"message": {"content": null, "refusal": "I cannot"}}]}'),
        scripted.Answer(content="half", finish="length"),
    )
    with quick(scripted.url) as backend:
        assert [backend.chat(ASKED).content for _ in range(2)] == ["ab", "I cannot"]
        assert backend.chat(ASKED).is_cut


def test_half_characters_can_be_sent(scripted: Any) -> None:
    scripted.answer = lambda body: scripted.Answer(raw='{"choices": [{"message": {"content": "\\ud800"}}]}')
    with quick(scripted.url) as backend:
        said = backend.chat(ASKED).message
        assert backend.chat([*ASKED, said]).content == "\ud800"
    assert scripted.asked[1]["messages"][1]["content"] == "\ud800"


def test_closing_ends_a_long_pause(scripted: Any) -> None:
    scripted.answer = lambda body: scripted.Answer(status=429, headers={"Retry-After": "100"}, raw="later")
    backend = quick(scripted.url)
    backend._closed.set()
    with pytest.raises(EndpointError, match="overloaded"):
        backend.chat(ASKED)
    backend.close()
    with pytest.raises(EndpointError, match="closed"):
        backend.chat(ASKED)


def test_closing_ends_the_wait_for_an_answer(scripted: Any) -> None:
    is_asked, is_over = threading.Event(), threading.Event()

    def hold(body: dict[str, Any]) -> Any:
        is_asked.set()
        is_over.wait(120)
        return scripted.Answer(content="at last")

    scripted.answer = hold
    backend = quick(scripted.url)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(backend.chat, ASKED)
        assert is_asked.wait(60)
        backend.close()
        with pytest.raises(EndpointError):
            waiting.result(60)
    assert not is_over.is_set()
    is_over.set()


def test_thoughts_before_an_object_do_not_count() -> None:
    assert read_object('<think>{"b": 2} or so</think>\n```json\n{"a": 1}\n```') == {"a": 1}
    with pytest.raises(NoJson):
        read_object('<think>{"a": 1}')
    with pytest.raises(NoJson, match="too long"):
        read_object('{"a": 1}', limit_chars=3)
