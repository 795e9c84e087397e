"""Whatever is sent, the answer says what is wrong with it, and the next one is served as if nothing had been."""

import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

GATE = "toy/Gate-v0"
JSON = {"Content-Type": "application/json"}
TASK = {"id": "gate/0", "family": "gate", "seed": 0, "instruction": "Guess.", "hidden": {"secret": "open sesame"}}
GOOD = {"env_id": GATE, "task": TASK, "solution": "open sesame"}
DEEP = '{"x": ' + "[" * 600 + "]" * 600 + "}"


@pytest.fixture(autouse=True)
def serves_on(server: Any) -> Iterator[None]:
    """After each test, a right solution passes, and no worker was lost."""
    lost = server.metric("workers_lost_total")
    yield
    assert server.judged("open sesame")["status"] == "passed"
    assert server.metric("workers_lost_total") == lost


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[]", "a JSON object, not list"),
        (b"null", "a JSON object, not NoneType"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": 1, "a": 2}', "a key occurs twice"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "nested too deeply"),
        (b'{"solution": "\xff"}', "not UTF-8"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b"\x80\x04K\x01.", "not UTF-8"),  # a pickle
        (b"{}", "'env_id' is a text, not None"),
        (json.dumps({**GOOD, "env_id": 7}).encode(), "'env_id' is a text, not 7"),
        (json.dumps({**GOOD, "env_id": "toy/Gaet-v0"}).encode(), "did you mean 'toy/Gate-v0'"),
        (json.dumps({**GOOD, "env_id": "../../etc/passwd"}).encode(), "no environment named"),
        (json.dumps({**GOOD, "env_id": "os:system"}).encode(), "no environment named"),
        (json.dumps({**GOOD, "env_id": "\ud800"}).encode(), "no environment named"),
        (json.dumps({**GOOD, "env_id": "ToolUseMini-v0"}).encode(), "not solved by one text"),
        (json.dumps({**GOOD, "env_id": "Code-v0"}).encode(), "is of the family 'gate'; palestra/Code-v0 takes 'code'"),
        (json.dumps({**GOOD, "solution": ["open sesame"]}).encode(), "'solution' is a text"),
        (json.dumps({**GOOD, "solution": None}).encode(), "'solution' is a text"),
        (json.dumps({**GOOD, "client": "a b"}).encode(), "'client' is a name"),
        (json.dumps({**GOOD, "client": "x" * 65}).encode(), "'client' is a name"),
        (json.dumps({**GOOD, "client": {"a": 1}}).encode(), "'client' is a name"),
        (json.dumps({**GOOD, "explain": True}).encode(), "unknown field 'explain'"),
        (json.dumps({**GOOD, "task_ref": "0" * 64}).encode(), "either 'task' or 'task_ref'"),
        (json.dumps({"env_id": GATE, "solution": "x"}).encode(), "either 'task' or 'task_ref'"),
        (json.dumps({"env_id": GATE, "solution": "x", "task_ref": 5}).encode(), "'task_ref' is a task's digest"),
        (json.dumps({**GOOD, "task": "gate/0"}).encode(), "a task must be a JSON object"),
        (json.dumps({**GOOD, "task": {**TASK, "seed": 1.5}}).encode(), "'seed' must be an integer"),
        (json.dumps({**GOOD, "task": {**TASK, "budget": {"turns": 0}}}).encode(), "at least 1 turn"),
        (json.dumps({**GOOD, "task": {**TASK, "tools": [1]}}).encode(), "'tools' must hold function tools"),
        (
            json.dumps({**GOOD, "task": {**TASK, "public": {"x": 0}}}).replace('"x": 0', '"x": 1e999').encode(),
            "1e999 is not a JSON number",
        ),
        (json.dumps({**GOOD, "task": {**TASK, "difficulty": {}}}).replace("{}", DEEP).encode(), ""),
    ],
)
def test_what_is_malformed_is_told_so(server: Any, body: bytes, why: str) -> None:
    answer = server.http.post("/v1/submissions", content=body, headers=JSON)
    assert (answer.status_code, why in answer.json()["error"]) == (400, True), answer.text


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("/v1/stream", {"submissions": []}, "a list of 1 to 1000"),
        ("/v1/stream", {"submissions": [GOOD] * 1001}, "a list of 1 to 1000"),
        ("/v1/stream", {"submissions": [GOOD, 5]}, "submission 1: a submission is a JSON object, not 5"),
        ("/v1/stream", {"submissions": [GOOD, {**GOOD, "client": "x"}]}, "submission 1: unknown field 'client'"),
        ("/v1/tasks", {}, "'task' is missing"),
        ("/v1/tasks", {"task": TASK, "name": "x"}, "unknown field 'name'"),
        ("/v1/tasks", {"task": None}, "a task must be a JSON object"),
    ],
)
def test_what_is_malformed_elsewhere_is_told_so(server: Any, path: str, body: Any, why: str) -> None:
    answer = server.http.post(path, json=body)
    assert (answer.status_code, why in answer.json()["error"]) == (400, True), answer.text


@pytest.mark.parametrize("said", ["x", "nan", "-1", "inf", "-inf", "", "1" * 400, "1;drop"])
def test_a_time_that_is_none_is_told_so(server: Any, said: str) -> None:
    submission_id = server.submit("open sesame").json()["id"]
    answer = server.http.get(f"/v1/submissions/{submission_id}", params={"wait_s": said})
    assert (answer.status_code, "'wait_s' is a number" in answer.json()["error"]) == (400, True)
    assert server.result(submission_id)["status"] == "passed"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/submissions/../../../etc/passwd", 404),
        ("GET", "/v1/submissions/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404),
        ("GET", "/v1/submissions/" + "a" * 4000, 404),
        ("GET", "/v1/submissions/%00", 404),
        ("GET", "/v1/submissions/%ff%fe", 404),
        ("GET", "/v1/tasks", 405),
        ("DELETE", "/v1/submissions/x", 405),
        ("GET", "/v1/submissions/x/", 404),
        ("GET", "//evil.example/health/", 404),
        ("GET", "/", 404),
        ("POST", "/health", 405),
    ],
)
def test_paths_that_are_none(server: Any, method: str, path: str, status: int) -> None:
    answer = server.http.request(method, f"{server.url}{path}")
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_only_json_is_read(server: Any) -> None:
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream"):
        answer = server.http.post("/v1/submissions", content=json.dumps(GOOD), headers={"Content-Type": kind})
        assert answer.status_code == 415


def connected(server: Any) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def said_until_closed(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes, gently or not."""
    said = b""
    try:
        while part := connection.recv(65536):
            said += part
    except ConnectionError:
        pass
    return said


HEAD = b"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\r\n\r\n", b"400"),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000, b"400"),
        (HEAD + b"Content-Length: -1\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", b"400"),
        (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", b"413"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"a" * 65536 + b"\r\n" + b"ZZ\r\n", b"400"),
        (HEAD + b"Content-Length: 4000\r\n\r\n{", b"408"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", b"408"),
    ],
)
def test_requests_that_are_none(server: Any, sent: bytes, status: bytes) -> None:
    with connected(server) as connection:
        connection.sendall(sent)
        said = said_until_closed(connection)
    assert said.startswith(b"HTTP/1.1 " + status), said[:200]


def test_a_body_that_is_too_large_is_refused_while_it_comes(server: Any) -> None:
    large = json.dumps({**GOOD, "solution": "x" * 2**20})
    assert server.http.post("/v1/submissions", content=large, headers=JSON).status_code == 413
    parts = (large[start : start + 2**16].encode() for start in range(0, len(large), 2**16))
    assert server.http.post("/v1/submissions", content=parts, headers=JSON).status_code == 413


def test_slow_ones_are_cut_off_while_others_are_served(server: Any) -> None:
    slow = [connected(server) for _ in range(50)]
    for number, connection in enumerate(slow):
        connection.sendall(HEAD[: number + 5] if number % 2 else HEAD + b"Content-Length: 100\r\n\r\n{")
    assert server.judged("open sesame")["status"] == "passed"
    for number, connection in enumerate(slow):
        said = said_until_closed(connection)
        assert said == b"" if number % 2 else said.startswith(b"HTTP/1.1 408")
        connection.close()


def test_a_head_that_trickles_in_is_cut_off_all_the_same(server: Any) -> None:
    with connected(server) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\n")
        is_open = True
        while is_open:
            server.http.get("/health")
            try:
                connection.sendall(b"X: y\r\n")
            except ConnectionError:
                is_open = False
    assert not is_open


def test_requests_in_one_go_are_answered_in_order(server: Any) -> None:
    with connected(server) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
        said = said_until_closed(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [b"200", b"404"]


def test_who_leaves_in_mid_request_disturbs_nobody(server: Any) -> None:
    for sent in (b"", HEAD[:30], HEAD + b"Content-Length: 100\r\n\r\n{", HEAD + b"Transfer-Encoding: chunked\r\n\r\n"):
        for _ in range(10):
            with connected(server) as connection:
                connection.sendall(sent)
    body = json.dumps(GOOD).encode()
    for _ in range(10):  # handed in, and not waited for
        with connected(server) as connection:
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert server.http.get("/health").status_code == 200


def test_solutions_may_hold_anything(server: Any) -> None:
    for solution in ("", "\0", "\ud800", "\x1b[2J", "x" * 70_000, '"}{', "\u202e", "__import__('os')"):
        told = server.judged(solution)
        assert (told["status"], told["score"]) == ("failed", 0.0), solution[:20]


def test_a_solution_that_ends_the_judge_s_interpreter_is_a_fault(server: Any) -> None:
    told = server.judged("exit")
    assert (told["status"], told["score"]) == ("fault", None)
