"""Hypothesis without a clock: a busy machine fails no test. And a server that stands for a model's."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server answers: a status with a raw body, or a completion."""

    content: Any = ""
    calls: list[Any] | None = None
    finish: str = "stop"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: str = ""  # in place of a completion
    drips: int = 0  # bytes that are sent one by one, with pauses, before the rest
    hangs_up: bool = False


class ScriptedServer:
    """An OpenAI-compatible server on the loopback interface that answers as it is told to."""

    Answer = Answer

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], Answer] = lambda body: Answer(content="{}")
        self.asked: list[dict[str, Any]] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send(Answer(raw=json.dumps({"data": [{"id": "scripted"}]})))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer._lock:
                    outer.asked.append({**body, "path": self.path, "key": self.headers.get("Authorization")})
                    outer.at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer.at_once)
                try:
                    answer = outer.answer(body)
                finally:  # before it is sent: whoever has it may ask again at once
                    with outer._lock:
                        outer.at_once -= 1
                self.send(answer)

            def send(self, answer: Answer) -> None:
                if answer.hangs_up:
                    self.connection.close()
                    return
                data = (answer.raw or completion(answer)).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                try:
                    for place in range(answer.drips):
                        self.wfile.write(data[place : place + 1])
                        self.wfile.flush()
                        threading.Event().wait(0.05)
                    self.wfile.write(data[answer.drips :])
                except (BrokenPipeError, ConnectionResetError):
                    pass  # whoever asked has given up, which is what some tests want

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Say nothing of connections that were closed on purpose."""

        self.http = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"


def completion(answer: Answer) -> str:
    message: dict[str, Any] = {"role": "assistant", "content": answer.content}
    if answer.calls:
        message["tool_calls"] = answer.calls
    choice = {"index": 0, "message": message, "finish_reason": answer.finish}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 100, "completion_tokens": 10}})


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A server that answers as ``scripted.answer`` says."""
    made = ScriptedServer()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()
