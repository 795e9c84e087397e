"""What the verifier service adds to judging, for 200 clients with one program at a time and a greedy one beside them.

    python benchmarks/serve.py [--quick] [--json]

Right and wrong programs of `palestra/Code-v0` are mixed, so that a wrong verdict would be seen. Ideal is what the same
workers do without HTTP: they judge so many programs a second, and with 200 programs always waiting each waits for
200 divided by that. Both are measured in turn, ideal before and after, on the same cores, which the clients use, too.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import machine

import palestra
from palestra.envs.base import Task, json_text
from palestra.envs.code.oracle import solution_of
from palestra.envs.verification.service.courtroom import Courtroom, Order, carry_out
from palestra.envs.workers import ProcessWorker

ENV = "palestra/Code-v0"
CLIENTS, GREEDY = 200, 1000  # programs that one more client has waiting throughout
TASKS = 16
MOST_TIMES_IDEAL = 3.0  # what is promised of the 99th percentile
POLL_S = 60


@dataclass(frozen=True, slots=True)
class Program:
    """A program and whether it is right."""

    task: Task
    text: str
    is_right: bool

    def order(self) -> Order:
        """Return it as workers take it."""
        text = json_text(self.task.to_dict())
        return Order(env_id=ENV, task_digest=self.task.digest, task_text=text, solution=self.text)


def programs() -> list[Program]:
    """Return of each task its solution, the same told otherwise, another's solution, and one that is nearly right."""
    env = palestra.make(ENV)
    tasks = [env.tasks.sample(seed) for seed in range(TASKS)]
    made = []
    for task, other in zip(tasks, tasks[1:] + tasks[:1], strict=True):
        right = solution_of(task)
        made += [
            Program(task, right, True),
            Program(task, f"# again\n{right}\n", True),
            Program(task, solution_of(other), False),
            Program(task, f"{right}\nprint(0)\n", False),
        ]
    return made


def ideal(orders: Sequence[Order], workers: int, seconds: float) -> float:
    """Return how many programs the workers judge in a second, each going on with the next as soon as it can."""
    turn, judged = count(), count()

    def work(started: threading.Barrier, end: list[float]) -> None:
        worker = ProcessWorker(partial(Courtroom, {}))
        for order in orders[:4]:  # imports, sandboxes
            worker.submit(partial(carry_out, order)).result()
        started.wait()
        while time.perf_counter() < end[0]:
            worker.submit(partial(carry_out, orders[next(turn) % len(orders)])).result()
            next(judged)
        worker.retire()
        worker.join(10.0)

    end = [0.0]

    def begin() -> None:
        end[0] = time.perf_counter() + seconds

    started = threading.Barrier(workers, action=begin)
    threads = [threading.Thread(target=work, args=(started, end)) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return next(judged) / (time.perf_counter() - end[0] + seconds)


@contextmanager
def service(workers: int) -> Iterator[str]:
    """Run the service in a process of its own; yield its address."""
    command = [sys.executable, "-m", "palestra", "serve", "verify", "--port", "0", "--workers", str(workers)]
    paths = [str(Path(palestra.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            if process.stdout is None or not (said := process.stdout.readline()):
                raise RuntimeError("the service did not start")
            yield said.split()[2]
        finally:
            process.terminate()


class Load:
    """200 clients with one program at a time each."""

    def __init__(self, http: httpx.AsyncClient, made: Sequence[Program]) -> None:
        self._http = http
        self._made = made
        self._turn = count()
        self.latencies_s: list[float] = []  # of all but each client's first
        self.judged = [0] * CLIENTS
        self.errors: list[str] = []
        self.wrong = 0

    async def run(self, seconds: float) -> float:
        """Let the clients do their work for some seconds; return how many programs were judged in a second."""
        for task in {program.task.digest: program.task for program in self._made}.values():
            (await self._http.post("/v1/tasks", json={"task": task.to_dict()})).raise_for_status()
        for program in self._made[:8]:  # imports, sandboxes
            await self._judge(program, "first")
        greedy = asyncio.create_task(self._be_greedy())
        await asyncio.sleep(0.5)
        begun = time.perf_counter()
        await asyncio.gather(*[self._client(number, begun + seconds) for number in range(CLIENTS)])
        rate = sum(self.judged) / (time.perf_counter() - begun)
        greedy.cancel()
        return rate

    async def _client(self, number: int, end: float) -> None:
        while time.perf_counter() < end:
            begun = time.perf_counter()
            await self._judge(self._made[next(self._turn) % len(self._made)], f"client{number}")
            if self.judged[number]:
                self.latencies_s.append(time.perf_counter() - begun)
            self.judged[number] += 1

    async def _judge(self, program: Program, client: str) -> None:
        try:
            answer = await self._http.post("/v1/submissions", json={**_body(program), "client": client})
            told = answer.raise_for_status().json()
            while told["status"] != "done":
                answer = await self._http.get(f"/v1/submissions/{told['id']}?wait_s={POLL_S}")
                told = answer.raise_for_status().json()
        except (httpx.HTTPError, KeyError, ValueError) as error:
            self.errors.append(repr(error))
            return
        if told["result"]["status"] == "fault":
            self.errors.append(told["result"]["detail"])
        self.wrong += told["result"]["status"] != ("passed" if program.is_right else "failed")

    async def _be_greedy(self) -> None:
        body = {"submissions": [_body(self._made[n % len(self._made)]) for n in range(GREEDY)], "client": "greedy"}
        async with self._http.stream("POST", "/v1/stream", json=body) as answer:
            answer.raise_for_status()
            async for _line in answer.aiter_lines():
                pass


def _body(program: Program) -> dict[str, Any]:
    return {"env_id": ENV, "task_ref": program.task.digest, "solution": program.text}


async def load(url: str, made: Sequence[Program], seconds: float) -> dict[str, Any]:
    """Return what 200 clients saw."""
    limits = httpx.Limits(max_connections=CLIENTS + 8, max_keepalive_connections=CLIENTS + 8)
    async with httpx.AsyncClient(base_url=url, timeout=2 * POLL_S, limits=limits, verify=False) as http:
        crowd = Load(http, made)
        rate = await crowd.run(seconds)
    percentiles = statistics.quantiles(crowd.latencies_s, n=100)
    return {
        "programs/s": rate,
        "programs": sum(crowd.judged),
        "errors": len(crowd.errors),
        "the first errors": crowd.errors[:3],
        "wrong verdicts": crowd.wrong,
        "latency s": {"p50": percentiles[49], "p99": percentiles[98], "max": max(crowd.latencies_s)},
        "programs of a client": machine.spread([float(judged) for judged in crowd.judged]),
    }


def measure(quick: bool) -> dict[str, Any]:
    """Return every figure."""
    made, workers = programs(), len(os.sched_getaffinity(0))
    orders, seconds = [program.order() for program in made], 4.0 if quick else 20.0
    before = ideal(orders, workers, seconds)
    with service(workers) as url:
        seen = asyncio.run(load(url, made, max(3 * seconds, 2.5 * CLIENTS / before)))
    rates = [before, ideal(orders, workers, seconds)]
    rate = statistics.mean(rates)
    latency_s = CLIENTS / rate
    return {
        "machine": machine.describe(),
        "clients": CLIENTS,
        "workers": workers,
        "ideal": {"programs/s": rate, "before and after": rates, "latency s": latency_s},
        "service": seen,
        "promised": {
            "p99 to ideal": {"seen": seen["latency s"]["p99"] / latency_s, "most": MOST_TIMES_IDEAL},
            "errors": {"seen": seen["errors"], "most": 0},
            "wrong verdicts": {"seen": seen["wrong verdicts"], "most": 0},
        },
    }


def show(result: dict[str, Any]) -> None:
    """Print the figures for people."""
    print(machine.line(result["machine"]))
    best, seen = result["ideal"], result["service"]
    each, told = seen["programs of a client"], seen["latency s"]
    print(f"{result['workers']} workers without HTTP: {best['programs/s']:.1f} programs/s")
    print(f"{result['clients']} clients and a greedy one: {seen['programs/s']:.1f} programs/s")
    print(
        f"  p50 {told['p50']:.2f} s, p99 {told['p99']:.2f} s, most {told['max']:.2f} s; ideal {best['latency s']:.2f} s"
    )
    print(f"  {each['min']:.0f} to {each['max']:.0f} programs a client, {seen['programs']} in all:")
    print(f"  {seen['errors']} errors, {seen['wrong verdicts']} wrong verdicts")
    for name, held in result["promised"].items():
        print(f"promised: {name}: {held['seen']:.3g}, at most {held['most']:g}")


def main() -> None:
    """Measure, and print."""
    options = machine.arguments(__doc__, quick="for a shorter time, about 40 seconds").parse_args()
    machine.tell(measure(options.quick), show, as_json=options.json)


if __name__ == "__main__":
    main()
