"""Servers of the verifier service: real processes, on sockets of the loopback."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from palestra.envs.base import Json, Task

ENVS = Path(__file__).parents[2]
GATE = "toy/Gate-v0"


@dataclass
class Served:
    """A running server, and how a test speaks with it."""

    process: "subprocess.Popen[str]"
    url: str
    http: httpx.Client

    @staticmethod
    def task(secret: Json = "open sesame", **hidden: Json) -> Task:
        """Return a task of the environment whose judge does as it is told."""
        return Task(id="gate/0", family="gate", seed=0, instruction="Guess.", hidden={"secret": secret, **hidden})

    @staticmethod
    def wait_until(holds: Callable[[], object]) -> None:
        """Wait until something holds; pytest's own limit ends what never does."""
        while not holds():
            time.sleep(0.02)

    @staticmethod
    def lines_of(path: Path) -> list[str]:
        """Return a file's lines; none if it is not there."""
        return path.read_text().splitlines() if path.exists() else []

    def metric(self, name: str) -> float:
        """Return one figure of its metrics."""
        lines = [line.rsplit(" ", 1) for line in self.http.get("/metrics").text.splitlines() if line[0] != "#"]
        return float({key: value for key, value in lines}[f"palestra_verify_{name}"])

    def submit(self, solution: str, task: Task | None = None, **more: Json) -> httpx.Response:
        """Hand in a solution."""
        body = {"env_id": GATE, "task": (task or self.task()).to_dict(), "solution": solution, **more}
        headers = {"Content-Type": "application/json"}
        return self.http.post("/v1/submissions", content=json.dumps(body), headers=headers)

    def result(self, submission_id: str) -> Any:
        """Wait for a result."""
        while True:
            answer = self.http.get(f"/v1/submissions/{submission_id}?wait_s=10")
            assert answer.status_code == 200, answer.text
            if answer.json()["status"] == "done":
                return answer.json()["result"]

    def judged(self, solution: str, task: Task | None = None, **more: Json) -> Any:
        """Hand in a solution and wait for the result."""
        answer = self.submit(solution, task, **more)
        assert answer.status_code == 202, answer.text
        return self.result(answer.json()["id"])


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a path on which the toy environment is an installed package that registers it."""
    folder = tmp_path_factory.mktemp("site") / "gategym-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: gategym\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[palestra.envs]\ngates = gategym.env:register_gates\n")
    return os.pathsep.join([str(folder.parent), str(ENVS), *sys.path])


@contextlib.contextmanager
def serving(packages: str, *options: str, port: int = 0, token: str = "") -> Iterator[Served]:
    """Run a server; it is ended, by force if it must."""
    command = [sys.executable, "-m", "palestra", "serve", "verify", "--port", str(port), "--workers", "1", *options]
    environment = {**os.environ, "PYTHONPATH": packages}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said.startswith("judging at "), process.communicate()[1]
            url = said.split()[2]
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            with httpx.Client(base_url=url, timeout=60, headers=headers) as http:
                Served.wait_until(lambda: http.get("/ready").status_code == 200)
                yield Served(process, url, http)
        finally:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            process.send_signal(signal.SIGTERM)  # what runs need not be finished
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=20)
            process.kill()


@pytest.fixture
def serve(packages: str) -> Iterator[Callable[..., Served]]:
    """Run servers for one test."""
    with contextlib.ExitStack() as stack:
        yield lambda *options, **more: stack.enter_context(serving(packages, *options, **more))


@pytest.fixture(scope="module")
def server(packages: str) -> Iterator[Served]:
    """Run a server for the tests of a module, which leave it as it was."""
    with serving(packages, "--read-s", "1") as served:
        yield served
