"""Workers and servers are killed and stopped: no verdict is lost to it, and none is made of it."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from palestra.envs.verification.judged import Result
from palestra.envs.verification.service.client import VerifierClient

Serve = Callable[..., Any]  # returns a Served of conftest.py
GATE = "toy/Gate-v0"


def test_what_a_killed_worker_judged_is_judged_once_more_by_another(serve: Serve, tmp_path: Path) -> None:
    server, place = serve(), tmp_path / "gate"
    submission_id = server.submit(f"gate {place}").json()["id"]
    server.wait_until(lambda: server.lines_of(place))
    os.kill(int(server.lines_of(place)[0]), signal.SIGKILL)
    server.wait_until(lambda: len(server.lines_of(place)) == 2)
    (tmp_path / "gate.open").touch()
    assert server.result(submission_id)["status"] == "passed"
    assert len(set(server.lines_of(place))) == 2
    assert server.metric("workers_lost_total") == 1


def test_what_loses_two_workers_is_a_fault_and_never_a_zero(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    told = server.judged("die")
    assert (told["status"], told["score"], told["checks"]) == ("fault", None, [])
    assert "InfraError: the environment's process was killed by signal 9" in told["detail"]
    assert server.metric("workers_lost_total") == 2
    assert server.metric('results_total{status="failed"}') == 0
    assert server.judged("open sesame")["status"] == "passed"


def test_a_worker_that_is_killed_while_it_rests_costs_nothing(serve: Serve, tmp_path: Path) -> None:
    server, place = serve(), tmp_path / "gate"
    (tmp_path / "gate.open").touch()
    server.judged(f"gate {place}")
    os.kill(int(server.lines_of(place)[0]), signal.SIGKILL)
    assert server.judged("open sesame")["status"] == "passed"
    assert server.judged("open barley")["status"] == "failed"


@pytest.mark.slow
def test_a_judge_that_hangs_is_replaced(serve: Serve, tmp_path: Path) -> None:
    server = serve("--judging-s", "3")
    told = server.judged(f"gate {tmp_path / 'gate'}")
    assert (told["status"], told["score"]) == ("fault", None)
    assert "judging took longer than 3 s; tried 2 times" in told["detail"]
    assert server.judged("open sesame")["status"] == "passed"


def test_a_stop_finishes_what_runs_and_refuses_the_rest(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    running = server.submit(f"gate {tmp_path / 'gate'}").json()["id"]
    server.wait_until((tmp_path / "gate").exists)
    waiting = server.submit("open sesame").json()["id"]
    server.process.send_signal(signal.SIGTERM)
    told = server.result(waiting)
    assert (told["status"], told["score"], "the service is stopping" in told["detail"]) == ("fault", None, True)
    refused = server.submit("open sesame")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert server.http.get("/ready").status_code == 503
    (tmp_path / "gate.open").touch()
    assert server.result(running)["status"] == "passed"
    assert server.process.wait() == 0


def test_a_second_signal_ends_it_at_once(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    server.submit(f"gate {tmp_path / 'gate'}")
    server.wait_until((tmp_path / "gate").exists)
    server.process.send_signal(signal.SIGTERM)
    server.wait_until(lambda: server.http.get("/ready").status_code == 503)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait() == 0


@pytest.mark.slow
def test_a_client_outlives_a_server_that_is_killed_and_started_again(serve: Serve, tmp_path: Path) -> None:
    server, place = serve(), tmp_path / "gate"
    port = int(server.url.rsplit(":", 1)[1])
    results: list[Result] = []

    def ask() -> None:
        with closing(VerifierClient(server.url)) as client:
            results.append(client.judge(GATE, server.task(), f"gate {place}"))
            results.append(client.judge(GATE, server.task(), "open barley"))

    asking = threading.Thread(target=ask)
    asking.start()
    server.wait_until(lambda: server.lines_of(place))
    server.process.kill()
    server.process.wait()
    server.wait_until(lambda: not is_alive(int(server.lines_of(place)[0])))  # a worker does not outlive it
    (tmp_path / "gate.open").touch()
    again = serve(port=port)
    asking.join()
    assert [result.status for result in results] == ["passed", "failed"]
    assert again.metric("tasks_held") == 1  # which the client handed over once more


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
