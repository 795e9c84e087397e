"""What the service promises its clients: verdicts, in turn, within bounds, without a task's hidden part."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from palestra.envs.base import Task
from palestra.envs.verification.judged import Result
from palestra.envs.verification.service.client import VerifierClient
from palestra.sandbox.base import InfraError, PermanentInfraError

Serve = Callable[..., Any]  # returns a Served of conftest.py
GATE, TOKEN = "toy/Gate-v0", "a-token-for-tests"


def test_a_solution_is_judged_and_told_without_what_is_hidden(server: Any) -> None:
    right, wrong = server.judged("open sesame"), server.judged("open barley")
    assert (right["status"], right["score"], right["detail"]) == ("passed", 1.0, "passed")
    assert (wrong["status"], wrong["score"], wrong["detail"]) == ("failed", 0.0, "guess: a guess")
    assert wrong["checks"] == [{"name": "guess", "passed": False, "evidence": "a guess"}]
    assert (wrong["env_id"], wrong["task_id"], wrong["first_failing"]) == (GATE, "gate/0", "guess")
    assert "sesame" not in json.dumps(wrong)


def test_a_broken_task_is_a_fault_without_a_score_and_without_its_hidden_part(server: Any) -> None:
    task = server.task()
    broken = type(task).from_dict({**task.to_dict(), "hidden": {"sercet": "open sesame"}})
    told = server.judged("open sesame", broken)
    assert (told["status"], told["score"], told["detail"]) == (
        "fault",
        None,
        "VerifierError: the server's log has more",
    )


def test_a_task_is_handed_over_once_and_named_by_its_digest(server: Any) -> None:
    task = server.task("once")
    body = {"env_id": GATE, "task_ref": task.digest, "solution": "once"}
    assert server.http.post("/v1/submissions", json=body).status_code == 404
    held = server.http.post("/v1/tasks", json={"task": task.to_dict()})
    assert (held.status_code, held.json()) == (201, {"task_ref": task.digest, "id": "gate/0"})
    answer = server.http.post("/v1/submissions", json=body)
    assert answer.status_code == 202
    assert server.result(answer.json()["id"])["status"] == "passed"


def test_a_stream_tells_each_result_on_a_line_as_it_comes(server: Any, tmp_path: Path) -> None:
    task, place = server.task().to_dict(), tmp_path / "gate"
    solutions = ["open sesame", "wrong", f"gate {place}"]
    body = {"submissions": [{"env_id": GATE, "task": task, "solution": solution} for solution in solutions]}
    told = []
    with server.http.stream("POST", "/v1/stream", json=body) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            told.append(json.loads(line))
            if len(told) == 2:  # the third is not done before these two were read
                (tmp_path / "gate.open").touch()
    assert [(one["index"], one["result"]["status"]) for one in told] == [(0, "passed"), (1, "failed"), (2, "passed")]


def test_a_stream_that_nobody_reads_any_more_is_not_judged(server: Any, tmp_path: Path) -> None:
    task, place = server.task().to_dict(), tmp_path / "gate"
    solutions = [f"gate {place}", *[f"note {tmp_path / 'notes'} late"] * 3]
    body = {"submissions": [{"env_id": GATE, "task": task, "solution": solution} for solution in solutions]}
    with server.http.stream("POST", "/v1/stream", json=body):
        server.wait_until(place.exists)
    server.wait_until(lambda: server.metric("queued") == 0)
    (tmp_path / "gate.open").touch()
    assert server.judged("open sesame")["status"] == "passed"
    assert server.lines_of(tmp_path / "notes") == []


def test_a_result_is_waited_for_as_long_as_one_is_willing(server: Any, tmp_path: Path) -> None:
    submitted = server.submit(f"gate {tmp_path / 'gate'}").json()
    path = f"/v1/submissions/{submitted['id']}"
    server.wait_until((tmp_path / "gate").exists)
    assert server.http.get(f"{path}?wait_s=0.05").json() == {"id": submitted["id"], "status": "running"}
    behind = server.submit("open sesame").json()
    assert server.http.get(f"/v1/submissions/{behind['id']}").json()["status"] == "queued"
    (tmp_path / "gate.open").touch()
    assert server.http.get(f"{path}?wait_s=1e9").json()["result"]["status"] == "passed"
    assert server.result(behind["id"])["status"] == "passed"


def test_health_readiness_and_metrics(server: Any) -> None:
    assert server.http.get("/health").json() == {"status": "live"}
    assert server.http.get("/ready").json() == {"status": "ready"}
    before = server.metric('results_total{status="passed"}')
    server.judged("open sesame")
    assert server.metric('results_total{status="passed"}') == before + 1
    assert (server.metric("workers"), server.metric("queued"), server.metric("running")) == (1, 0, 0)
    assert 0 <= server.metric('wait_seconds{quantile="0.5"}') <= server.metric('wait_seconds{quantile="0.99"}')


def test_clients_are_served_in_turn(serve: Serve, tmp_path: Path) -> None:
    server, notes = serve(), tmp_path / "notes"
    server.submit(f"gate {tmp_path / 'gate'}")
    server.wait_until((tmp_path / "gate").exists)
    ids = [server.submit(f"note {notes} greedy{n}", client="greedy").json()["id"] for n in range(40)]
    ids += [server.submit(f"note {notes} {who}{n}", client=who).json()["id"] for who in ("one", "two") for n in (0, 1)]
    (tmp_path / "gate.open").touch()
    for submission_id in ids:
        assert server.result(submission_id)["status"] == "passed"
    first = ["greedy0", "one0", "two0", "greedy1", "one1", "two1"]
    assert server.lines_of(notes) == [*first, *[f"greedy{n}" for n in range(2, 40)]]


def test_bounds_are_kept(serve: Serve, tmp_path: Path) -> None:
    server = serve("--queue", "5", "--queue-client", "3", "--keep", "2")
    running = server.submit(f"gate {tmp_path / 'gate'}").json()["id"]
    server.wait_until((tmp_path / "gate").exists)
    waiting = [server.submit("open sesame", client="a").json()["id"] for _ in range(3)]
    full_for_one = server.submit("open sesame", client="a")
    assert (full_for_one.status_code, "at most 3 may" in full_for_one.text) == (429, True)
    assert int(full_for_one.headers["retry-after"]) >= 1
    waiting += [server.submit("open sesame", client="b").json()["id"] for _ in range(2)]
    full = server.submit("open sesame", client="c")
    assert (full.status_code, full.json()) == (503, {"error": "the queue is full"})
    assert int(full.headers["retry-after"]) >= 1
    assert server.http.get("/ready").status_code == 503
    body = {"submissions": [{"env_id": GATE, "task": server.task().to_dict(), "solution": "x"}] * 4, "client": "d"}
    assert server.http.post("/v1/stream", json=body).status_code == 400  # would never fit
    (tmp_path / "gate.open").touch()
    server.wait_until(lambda: server.metric('results_total{status="passed"}') == 6)
    kept = [server.http.get(f"/v1/submissions/{one}").status_code for one in [running, *waiting]]
    assert (kept.count(200), kept.count(404), server.metric("results_kept")) == (2, 4, 2)


def test_tokens_let_in_and_owners_may_have_it_explained(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(f"{TOKEN}\nanother-token-for-tests\n")
    server = serve("--token", str(tmp_path / "tokens"), "--explain", token=TOKEN)
    wrong = server.judged("open barley")
    assert (wrong["status"], wrong["explanation"]) == ("failed", "the secret is open sesame")
    submission_id = server.submit("open barley").json()["id"]
    for said in (f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", ""):
        for method, path in (
            ("POST", "/v1/submissions"),
            ("POST", "/v1/tasks"),
            ("POST", "/v1/stream"),
            ("GET", f"/v1/submissions/{submission_id}"),
            ("GET", "/metrics"),
        ):
            answer = httpx.request(method, f"{server.url}{path}", headers={"Authorization": said})
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert httpx.get(f"{server.url}/health").status_code == 200
    client = VerifierClient(server.url, "no token of theirs")
    with closing(client), pytest.raises(PermanentInfraError, match="401"):
        client.judge(GATE, server.task(), "open sesame")


def test_a_client_has_the_results_of_whoever_judges_by_oneself(server: Any) -> None:
    client = VerifierClient(server.url, client="trainer")
    tasks = [server.task(f"s{n}") for n in range(3)]
    pairs = [(task, guess) for task in tasks for guess in ("s0", "s1", "s2", "\ud800", "", "x" * 100_000)]
    results = asyncio.run(client.judge_many(GATE, pairs, at_once=8))
    assert [result.passed for result in results] == [guess == task.hidden["secret"] for task, guess in pairs]
    assert all(isinstance(result, Result) and result.status != "fault" for result in results)
    alone = client.judge(GATE, *pairs[1])
    assert (alone.status, alone.detail, alone.checks) == ("failed", results[1].detail, results[1].checks)
    client.close()


def test_a_client_says_when_nothing_comes_of_it() -> None:
    client = VerifierClient("http://127.0.0.1:9", patience_s=0.1)
    with closing(client), pytest.raises(InfraError, match=r"could not be had in time: ConnectError"):
        client.judge(GATE, Task(id="gate/0", family="gate", seed=0, instruction="Guess."), "x")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "0.0.0.0"], "can be reached by others"),
        (["--token", "/nowhere"], "cannot read tokens"),
        (["--token", "/dev/null"], "at least 16 characters"),
        (["--host", "203.0.113.1", "--token", "TOKENS"], "cannot listen at 203.0.113.1"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_what_cannot_be_served_is_told(options: list[str], told: str, tmp_path: Path, packages: str) -> None:
    (tmp_path / "tokens").write_text(TOKEN)
    words = [str(tmp_path / "tokens") if word == "TOKENS" else word for word in options]
    done = subprocess.run(
        [sys.executable, "-m", "palestra", "serve", "verify", "--port", "0", *words],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": packages},
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert told in " ".join(done.stderr.split())
