"""What was handed in and what came of it: queued in turn between clients, judged by worker processes, kept for a while.

All of it lives in one event loop and in memory, within bounds. A worker that is lost costs no verdict: what it
judged is judged once more by a new one, and if that is lost as well, the result is a fault, which has no score.
"""

import asyncio
import json
import logging
import math
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal

from palestra.envs.base import Json
from palestra.envs.verification.judged import TRIES
from palestra.envs.verification.service.courtroom import Courtroom, Order, carry_out, fault, greet, without_hidden
from palestra.envs.verification.service.refusal import Refusal
from palestra.envs.verification.service.shelf import HeldTask, Shelf
from palestra.envs.verification.service.turns import Turns
from palestra.envs.workers import ProcessWorker
from palestra.sandbox.base import InfraError

MIB: Final = 2**20
STOPPING: Final = "the service is stopping; hand it in again, to another or later"
_LONGEST_RETRY_S: Final = 60
_LEAVE_S: Final = 15.0  # for a worker to give back what it holds
_REMEMBERED: Final = 1000  # waits and durations that quantiles are of
_log = logging.getLogger("palestra.verify")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the service takes and keeps."""

    workers: int = 2
    queued: int = 20_000  # submissions that wait, of all clients
    queued_each: int = 10_000  # of one client
    queued_chars: int = 256 * MIB  # in all solutions that wait
    task_chars: int = 256 * MIB  # in all tasks that are held
    kept: int = 20_000  # results, the latest
    kept_chars: int = 256 * MIB
    kept_s: float = 3600.0
    judging_s: float = 600.0  # longer takes only what hangs
    explain: bool = False  # results may tell hidden inputs


@dataclass(slots=True, kw_only=True, eq=False)
class Submission:
    """One solution on its way; what it was is forgotten once there is a result."""

    client: str
    env_id: str
    task: HeldTask | None
    solution: str
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    status: Literal["queued", "running", "done"] = "queued"
    result: str = ""  # JSON
    since: float = field(default_factory=time.monotonic)  # handed in; when done: finished
    over: asyncio.Event = field(default_factory=asyncio.Event)
    is_fetched: bool = False

    def told(self) -> str:
        """Return what its client is told of it, as JSON."""
        self.is_fetched = self.is_fetched or self.status == "done"
        result = f', "result": {self.result}' if self.status == "done" else ""
        return f'{{"id": "{self.id}", "status": "{self.status}"{result}}}'


class Docket:
    """Takes submissions and has them judged.

    Args:
        bounds: what is taken and kept.
        options: for the environments that judge.
    """

    def __init__(self, bounds: Bounds, options: Mapping[str, Any] | None = None) -> None:
        self.bounds = bounds
        self.shelf = Shelf(bounds.task_chars)
        self.is_taking = True
        self.workers_ready: set[int] = set()  # those whose last job was not lost
        self.workers_lost = 0
        self.results = {"passed": 0, "failed": 0, "fault": 0}
        self.waits_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._durations_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._options = dict(options or {})
        self._turns: Turns[Submission] = Turns()
        self._open: dict[str, Submission] = {}
        self._finished: OrderedDict[str, Submission] = OrderedDict()
        self._queued_chars = self._kept_chars = self._running = 0
        self._judges: list[asyncio.Task[None]] = []
        self._retired: list[ProcessWorker] = []

    # -- what clients ask ----------------------------------------------------------------------

    def take(self, client: str, orders: Sequence[tuple[str, HeldTask, str]]) -> list[Submission]:
        """Queue solutions, each with its environment's name and its task: all of them or none.

        Raises:
            Refusal: the service is stopping, the client has too many waiting, or the queue is full.
        """
        bounds, chars = self.bounds, sum(len(solution) for _, _, solution in orders)
        if not self.is_taking:
            raise Refusal(503, STOPPING, 5)
        if len(orders) > bounds.queued_each:
            raise Refusal(400, f"{len(orders)} submissions at once; at most {bounds.queued_each} of a client may wait")
        if self._turns.waiting(client) + len(orders) > bounds.queued_each:
            told = f"{self._turns.waiting(client)} of yours are waiting; at most {bounds.queued_each} may"
            raise Refusal(429, told, self._retry_after_s(bounds.queued_each))
        if len(self._turns) + len(orders) > bounds.queued or self._queued_chars + chars > bounds.queued_chars:
            raise Refusal(503, "the queue is full", self._retry_after_s(len(self._turns)))
        return [self._take(client, *order) for order in orders]

    def find(self, submission_id: str) -> Submission:
        """Return what was handed in.

        Raises:
            Refusal: nothing has this id, or its result is not kept any more.
        """
        self._forget_old()
        submission = self._open.get(submission_id) or self._finished.get(submission_id)
        if submission is None:
            raise Refusal(404, f"no submission {submission_id!r:.80}; results are kept for {self.bounds.kept_s:g} s")
        return submission

    def withdraw(self, submission: Submission) -> None:
        """Forget what nobody waits for any more, unless it is being judged."""
        if self._turns.remove(submission.client, submission):
            self._queued_chars -= len(submission.solution)
            self._let_go(submission)
            del self._open[submission.id]

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._turns)

    @property
    def clients(self) -> int:
        """How many clients have something waiting."""
        return self._turns.clients

    @property
    def running(self) -> int:
        """How many are being judged."""
        return self._running

    @property
    def kept(self) -> int:
        """How many results are kept."""
        return len(self._finished)

    # -- from start to stop --------------------------------------------------------------------

    def open(self) -> None:
        """Start the workers; they get ready by themselves."""
        self._judges = [asyncio.create_task(self._work(number)) for number in range(self.bounds.workers)]

    async def drain(self, fetching_s: float) -> None:
        """Take no more, tell what waits that it is not judged, finish what runs.

        Args:
            fetching_s: for this long, wait until the results of what ran were fetched.
        """
        self.is_taking = False
        for submission in self._turns.clear():
            self._queued_chars -= len(submission.solution)
            self._finish(submission, self._fault(submission, f"InfraError: {STOPPING}"))
        last = list(self._open.values())
        for submission in last:
            await submission.over.wait()
        end = time.monotonic() + fetching_s
        while time.monotonic() < end and not all(submission.is_fetched for submission in last):
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """End the workers; what they still judge is broken off."""
        self.is_taking = False
        for judge in self._judges:
            judge.cancel()
        await asyncio.gather(*self._judges, return_exceptions=True)
        await asyncio.gather(*[asyncio.to_thread(worker.join, _LEAVE_S) for worker in self._retired])

    # -- inner parts ---------------------------------------------------------------------------

    def _take(self, client: str, env_id: str, task: HeldTask, solution: str) -> Submission:
        submission = Submission(client=client, env_id=env_id, task=task, solution=solution)
        task.uses += 1
        self._queued_chars += len(solution)
        self._open[submission.id] = submission
        self._turns.put(client, submission)
        return submission

    async def _work(self, number: int) -> None:
        worker = self._new_worker()
        try:
            try:
                worker = await self._awake(worker)
                self.workers_ready.add(number)
            except Exception as error:  # the first submission may fare better
                _log.warning("worker %d could not be started: %s", number, error)
            while True:
                submission = await self._turns.get()
                before = self.workers_lost
                worker = await self._serve(worker, submission)
                (self.workers_ready.add if self.workers_lost == before else self.workers_ready.discard)(number)
        finally:
            worker.retire()
            self._retired.append(worker)

    async def _serve(self, worker: ProcessWorker, submission: Submission) -> ProcessWorker:
        """Judge a submission; return the worker for the next."""
        begun = time.monotonic()
        self._queued_chars -= len(submission.solution)
        self.waits_s.append(begun - submission.since)
        submission.status = "running"
        self._running += 1
        try:
            told, worker = await self._judge(worker, submission)
        finally:
            self._running -= 1
        self._durations_s.append(time.monotonic() - begun)
        self._finish(submission, told)
        return worker

    async def _judge(self, worker: ProcessWorker, submission: Submission) -> tuple[Json, ProcessWorker]:
        task, why = submission.task, ""
        if task is None:
            raise RuntimeError(f"submission {submission.id} was judged before")
        order = Order(
            env_id=submission.env_id, task_digest=task.digest, task_text=task.text, solution=submission.solution
        )
        for _ in range(TRIES):
            try:
                worker = await self._awake(worker)
                return await self._done(worker, partial(carry_out, order)), worker
            except InfraError as error:  # the worker is lost, which says nothing of the solution
                self.workers_lost += 1
                why = f"InfraError: {error}"
                _log.warning("a worker was lost at %s: %s", submission.id, error)
                worker = self._another(worker)
            except Exception as error:  # no environment is to stop a worker's turns
                return self._fault(submission, f"{type(error).__name__}: {error}"), worker
        return self._fault(submission, f"{why}; tried {TRIES} times"), worker

    async def _awake(self, worker: ProcessWorker) -> ProcessWorker:
        """Return the worker once it can begin at once: what it takes to start one is no submission's time.

        One that was killed while it rested is replaced.
        """
        try:
            await self._done(worker, greet)
        except InfraError:
            worker = self._another(worker)
            await self._done(worker, greet)
        return worker

    async def _done(self, worker: ProcessWorker, job: Callable[[Courtroom], Any]) -> Any:
        """Return what a job returns; a worker that takes too long is killed, which ends the job with InfraError."""
        future = asyncio.wrap_future(worker.submit(job))
        done, _ = await asyncio.wait([future], timeout=self.bounds.judging_s)
        if not done:
            worker.kill(f"judging took longer than {self.bounds.judging_s:g} s")
        return await future

    def _another(self, lost: ProcessWorker) -> ProcessWorker:
        lost.retire()
        return self._new_worker()

    def _new_worker(self) -> ProcessWorker:
        return ProcessWorker(partial(Courtroom, self._options))

    def _fault(self, submission: Submission, why: str) -> Json:
        return fault(submission.env_id, submission.task.id if submission.task else "", why)

    def _finish(self, submission: Submission, told: Json) -> None:
        if told["status"] == "fault":
            _log.warning("no verdict on %s: %s", submission.id, ascii(told["detail"]))
        self.results[told["status"]] += 1
        submission.result = json.dumps(told if self.bounds.explain else without_hidden(told))
        submission.status, submission.since = "done", time.monotonic()
        self._let_go(submission)
        self._finished[submission.id] = self._open.pop(submission.id)
        self._kept_chars += len(submission.result)
        submission.over.set()
        self._forget_old()

    def _let_go(self, submission: Submission) -> None:
        if submission.task is not None:
            submission.task.uses -= 1
        submission.task, submission.solution = None, ""

    def _forget_old(self) -> None:
        bounds, oldest = self.bounds, time.monotonic() - self.bounds.kept_s
        while self._finished:
            first = next(iter(self._finished.values()))
            is_over = len(self._finished) > bounds.kept or self._kept_chars > bounds.kept_chars
            if not is_over and first.since > oldest:
                break
            del self._finished[first.id]
            self._kept_chars -= len(first.result)

    def _retry_after_s(self, ahead: int) -> int:
        """Return when there will be some room: once a tenth of what is ahead is judged, a minute at most."""
        each_s = sum(self._durations_s) / len(self._durations_s) if self._durations_s else 1.0
        return max(1, min(_LONGEST_RETRY_S, math.ceil(ahead / 10 * each_s / self.bounds.workers)))
