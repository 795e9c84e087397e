"""Jobs done by many processes and told in order; what a fault of the machine took is done again."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from palestra.envs.workers import WORKERS, Job, Make, Worker
from palestra.sandbox.base import InfraError

TRIES = 3  # of one job
AHEAD = 8  # jobs begun for each worker before the oldest must be done
_LEAVE_S = 10.0


def in_order(
    make: Make, jobs: Iterator[Job], workers: int, retried: Callable[[InfraError], None] = lambda error: None
) -> Generator[Any, None, None]:
    """Yield what the jobs return, in the jobs' order, whichever is done first.

    Args:
        make: builds what a job is given; once in each process, or once here for a single worker.
        jobs: may be endless; a few more are begun than are asked for.
        workers: how many processes.
        retried: called with each fault after which a job is done again.

    Raises:
        InfraError: a job met faults only, `TRIES` times.
        Exception: whatever else a job raises.
    """
    kind = WORKERS["inline" if workers == 1 else "process"]
    staff = [kind(make) for _ in range(workers)]
    try:
        yield from _Line(staff, jobs, retried).results()
    finally:
        for worker in staff:
            worker.retire()
        for worker in staff:
            worker.join(_LEAVE_S)


class _Line:
    """The jobs that are begun, oldest first."""

    def __init__(self, staff: list[Worker], jobs: Iterator[Job], retried: Callable[[InfraError], None]) -> None:
        self.idle, self.jobs, self.retried = deque(staff), jobs, retried
        self.most = len(staff) * AHEAD if len(staff) > 1 else 1
        self.begun: deque[_Begun] = deque()

    def results(self) -> Iterator[Any]:
        while True:
            self._collect()
            self._begin()
            if not self.begun:
                return
            oldest = self.begun[0]
            while not oldest.is_done:
                wait([one.future for one in self.begun if not one.is_done], return_when=FIRST_COMPLETED)
                self._collect()
                self._begin()
            self.begun.popleft()
            yield oldest.future.result()

    def _begin(self) -> None:
        while self.idle and len(self.begun) < self.most:
            job = next(self.jobs, None)
            if job is None:
                return
            self.begun.append(_Begun(job, self.idle.popleft()))
            self._collect()

    def _collect(self) -> None:
        """Free the workers that are done, and let them try again what a fault took."""
        for one in self.begun:
            while not one.is_done and one.future.done():
                error = one.future.exception()
                if isinstance(error, InfraError) and one.tries < TRIES:
                    self.retried(error)
                    one.again()
                else:
                    one.is_done = True
                    self.idle.append(one.worker)


class _Begun:
    def __init__(self, job: Job, worker: Worker) -> None:
        self.job, self.worker, self.tries, self.is_done = job, worker, 0, False
        self.future: Future[Any] = Future()
        self.again()

    def again(self) -> None:
        self.tries += 1
        self.future = self.worker.submit(self.job)


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))
