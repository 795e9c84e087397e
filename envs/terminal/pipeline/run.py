"""A run: ideas in work beside each other, each carried through the stages to its end."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from typing import Final, Literal, Protocol

from palestra.envs.base import Json, Split, Task, TaskError
from palestra.envs.endpoint import Backend, Usage
from palestra.envs.terminal.pipeline.assembly import VERSION
from palestra.envs.terminal.pipeline.attempts import attempt, passing, replayed, unfit
from palestra.envs.terminal.pipeline.journal import STAGES, Journal, Work
from palestra.envs.terminal.pipeline.pools import Place
from palestra.envs.terminal.pipeline.stages import Rejected, Writer, build, describe, examine
from palestra.envs.terminal.pipeline.trials import programs
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError

TRIES: Final = 3  # of one idea, where faults are in the way
_REPLAYS: Final = 2  # attempts that are tried as the oracle where the author's solution is no good one
_LOOK_S: Final = 1.0


class Gate(Protocol):
    """Who certifies tasks, in any thread."""

    code: str  # of the certificates

    def certify(self, task: Task) -> tuple[Json, tuple[str, ...]]:
        """Return a task's certificate as JSON data, and why it does not hold, if so.

        Raises:
            InfraError: the machine failed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What decides which tasks come of an idea, beside the models' moods.

    `k` must be below `attempts`: of as many attempts as k, none can pass where pass@k is below 1.

    Raises:
        TaskError: a number is out of range.
    """

    split: Split = "train"
    seed: int = 0  # the number of the first idea; the others follow by one
    attempts: int = 8
    k: int = 1  # tasks are kept where 0 < pass@k < 1
    repairs: int = 2  # of an answer, by its author
    level: Literal["quick", "full"] = "quick"  # of the certificates

    def __post_init__(self) -> None:
        if self.attempts < 2 or not 1 <= self.k < self.attempts:
            raise TaskError(
                f"0 < pass@k < 1 takes more attempts than k, which is at least 1, not {self.attempts} and {self.k}"
            )
        if self.repairs < 0 or self.seed < 0:
            raise TaskError(f"repairs and seed are 0 or more, not {self.repairs} and {self.seed}")


class Run:
    """Ideas on their way.

    Args:
        order: what is wanted.
        backend: the model that writes.
        player: the model that attempts.
        gate: who certifies.
        journal: where all is written down; see `header`.
    """

    def __init__(self, order: Order, backend: Backend, player: Backend, gate: Gate, journal: Journal) -> None:
        self.order, self.journal = order, journal
        self._writer = Writer(backend=backend, repairs=order.repairs)
        self._backend, self._player, self._gate = backend, player, gate
        self._stopped = False
        self._in_a_row: set[int] = set()  # ideas that met faults since anything went well
        self._met: Counter[int] = Counter()  # faults in this run, by idea
        self.last_fault = ""

    def go(self, n: int, most: int, concurrency: int, seen: Callable[[], None] = lambda: None) -> None:
        """Carry ideas to their ends until `n` have become tasks, or `most` are decided; those begun are ended.

        Args:
            n: tasks that are wanted; a few more may come of what is in work.
            most: ideas, of earlier runs as well.
            concurrency: ideas in work at one time.
            seen: called whenever something was decided, and now and then.

        Raises:
            InfraError: the server or the machine fails again and again. What is decided stays decided.
        """
        programs()  # without a machine there is no need to ask a model
        numbers = range(self.order.seed, self.order.seed + most)
        begun = [number for number in numbers if number in self.journal.works]
        fresh = [number for number in numbers if number not in self.journal.works]
        waiting = deque(number for number in begun if not self.journal.works[number].is_decided)
        waiting += fresh
        running: dict[Future[None], int] = {}
        with ThreadPoolExecutor(concurrency, thread_name_prefix="idea") as pool:
            try:
                while True:
                    while waiting and len(running) < concurrency and len(self.journal.kept) < n:
                        number = waiting.popleft()
                        running[pool.submit(self._carry, number)] = number
                    if not running:
                        return
                    done, _ = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                    for future in done:
                        number = running.pop(future)
                        if (error := future.exception()) is not None:
                            self._put_off(number, error, waiting, min(concurrency, len(running) + len(waiting) + 1))
                    seen()
            except BaseException:
                self._stopped = True
                self._backend.close()
                self._player.close()
                raise

    def _put_off(self, number: int, error: BaseException, waiting: deque[int], crowd: int) -> None:
        """See to an idea that met a fault: it is tried again later, unless whatever is tried meets faults."""
        if not isinstance(error, InfraError):
            raise error
        self._in_a_row.add(number)
        self._met[number] += 1
        self.last_fault = str(error)
        if not error.retryable or len(self._in_a_row) >= max(2, crowd):
            raise error
        if self._met[number] < TRIES:
            waiting.append(number)
        else:
            reason = f"server or machine failed {TRIES} times, and not with others: {error}"
            self.journal.note(number, self._stage(number), Usage(), 0.0, rejected=reason, text="")

    def _stage(self, number: int) -> str:
        made = self.journal.work(number).made
        return next(stage for stage in STAGES if stage not in made)

    def _carry(self, number: int) -> None:
        """Carry an idea to its end."""
        work, place = self.journal.work(number), Place(number, self.order.split)
        while not (work.is_decided or self._stopped):
            stage, usage, begun = self._stage(number), Usage(), time.monotonic()
            what: dict[str, Json]
            fault: InfraError | None = None
            try:
                what = {"made": self._made(stage, work, place, usage)}
            except Rejected as error:
                what = {"rejected": str(error.args[0]), "text": str(error.args[1])}
            except (InfraError, MemoryError) as error:
                fault = error if isinstance(error, InfraError) else InfraError(f"memory ran out: {error}")
                what = {"fault": str(fault)}
            except VerifierError as error:
                what = {"rejected": f"the checks are broken: {error}", "text": ""}
            except Exception as error:  # what a model writes may lead anywhere: one idea is lost, the run is not
                what = {"rejected": f"raised {error!r}", "text": ""}
            if self._stopped:
                return  # who was interrupted has decided nothing
            seconds = 0.0 if stage == "filter" else time.monotonic() - begun  # attempts are counted one by one
            self.journal.note(number, stage, usage, seconds, **what)
            if fault is not None:
                raise fault
            self._in_a_row.clear()

    def _made(self, stage: str, work: Work, place: Place, usage: Usage) -> Json:
        made = work.made
        if stage == "describe":
            return describe(self._writer, place, usage)
        if stage == "build":
            return build(self._writer, place, made["describe"], usage)
        if stage == "examine":
            return examine(self._writer, place, made["describe"], made["build"], usage)
        if stage == "filter":
            return self._filtered(work, place, usage)
        return self._certified(work)

    def _filtered(self, work: Work, place: Place, lost: Usage) -> Json:
        """Return what attempts say of a task, those of an earlier run included; what a lost one cost is added up."""
        task = Task.from_dict(work.made["examine"])
        while len(work.attempts) < self.order.attempts:
            usage, begun = Usage(), time.monotonic()
            try:
                came = attempt(self._player, task, place.draw(f"attempt/{len(work.attempts)}"), usage)
            except InfraError:
                lost.add(usage)
                raise
            if self._stopped:
                raise InfraError("the run was stopped")
            self.journal.note(work.number, "filter", usage, time.monotonic() - begun, attempt=came)
            self._in_a_row.clear()
        if reason := unfit(work.attempts, self.order.k):
            raise Rejected(reason, "")
        passed = sum(bool(one["passed"]) for one in work.attempts)
        estimates = {str(k): passing(work.attempts, k) for k in dict.fromkeys((1, self.order.k))}
        return {"attempts": len(work.attempts), "passed": passed, "pass_at": estimates}

    def _certified(self, work: Work) -> Json:
        """Return a certified task: with its author's solution, or with what a successful attempt did."""
        filtered: Mapping[str, Json] = work.made["filter"]
        task = Task.from_dict(work.made["examine"])
        models = {"model": self._backend.model, "player": self._player.model}
        task = replace(task, provenance={**task.provenance, **models, **filtered, "oracle": "solution"})
        why: tuple[str, ...] = ()
        for candidate in (task, *_replays(task, work)):
            certificate, reasons = self._gate.certify(candidate)
            if reasons:
                why = why or reasons
            elif (other := self.journal.alike(task.instruction, work.number)) is not None:
                raise Rejected(f"an agent is told the same as in the task of idea {other}", "")
            else:
                return {"task": candidate.to_dict(), "certificate": certificate}
        raise Rejected("; ".join(why), "")


def _replays(task: Task, work: Work) -> list[Task]:
    """Return the task with successful attempts as its solution, the shortest first."""
    did = sorted((one["did"] for one in work.attempts if one["passed"] and one["did"]), key=len)
    found = [other for one in did[:_REPLAYS] if (other := replayed(task, one)) is not None]
    return [replace(other, provenance={**other.provenance, "oracle": "attempt"}) for other in found]


def header(order: Order, backend: Backend, player: Backend) -> dict[str, Json]:
    """Return what decides what a run's journal holds.

    Raises:
        InfraError: a server was to name its model, and cannot.
    """
    models = {"model": backend.model, "player": player.model, "temperature": backend.temperature}
    return {"pipeline": VERSION, **asdict(order), **models}
