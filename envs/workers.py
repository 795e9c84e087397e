"""Where an environment runs: in its caller, in a thread of its own, or in a process of its own.

In the caller is fastest for environments that answer in microseconds and keeps runs reproducible. A
thread lets slow ones overlap. A process also lets them be killed, and is replaced when it died. The
environment is built where it runs, at the first job, so what fails there fails as a job does.
"""

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import Any, Literal, Protocol

from gymnasium.vector.utils import CloudpickleWrapper

from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, make, register
from palestra.sandbox.base import InfraError

Make = Callable[[], Any]  # builds an environment
Job = Callable[[Any], Any]  # does something with it; what goes to a process must pickle
WorkerKind = Literal["inline", "thread", "process"]
_LEAVE_S = 5.0  # for a process to close its environment
_ORPHAN_S = 2.0  # the same once its parent is gone
_SAFE_PATH = "PYTHONSAFEPATH"
_starting = threading.Lock()  # the environment of this process is changed meanwhile
_GUARD = "a script that uses processes does its work under `if __name__ == '__main__':`"


@dataclass(frozen=True, slots=True)
class EnvMaker:
    """Builds an environment of the registry, here or in a process that knows only our own entries."""

    entry: EnvEntry
    kwargs: Mapping[str, Any]

    def __call__(self) -> AgentEnv:
        """Return a new environment."""
        register(self.entry)
        return make(self.entry.id, **self.kwargs)


class Worker(Protocol):
    """One environment and what drives it, one job at a time."""

    @property
    def env(self) -> Any:
        """The environment itself, for scripted policies.

        Raises:
            TypeError: it lives in another process, or there was no job yet.
        """
        ...

    def submit(self, job: Job) -> "Future[Any]":
        """Begin a job and return its future, which ends with InfraError if the worker is lost."""
        ...

    def kill(self, why: str) -> None:
        """Give the worker up: the job at hand ends at once with InfraError, and there will be no other."""
        ...

    def retire(self) -> None:
        """Ask the worker to close its environment and end, without waiting; again does nothing."""
        ...

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of a retired worker; return whether it came."""
        ...


class InlineWorker:
    """Does each job in `submit` itself."""

    def __init__(self, make: Make) -> None:
        self._place = _Here(make)

    @property
    def env(self) -> Any:
        """See `Worker`."""
        return self._place.env

    def submit(self, job: Job) -> "Future[Any]":
        """See `Worker`; the future is done when this returns."""
        future: Future[Any] = Future()
        _settle(future, self._place.run, job)
        return future

    def kill(self, why: str) -> None:
        """See `Worker`."""
        self.retire()

    def retire(self) -> None:
        """See `Worker`."""
        self._place.close()

    def join(self, timeout_s: float) -> bool:
        """See `Worker`."""
        return True


class ThreadWorker:
    """Does its jobs in one thread, so that the environment sees no other; one that hangs keeps its thread."""

    def __init__(self, make: Make) -> None:
        self._place = self._make_place(make)
        self._jobs: SimpleQueue[tuple[Job, Future[Any]] | None] = SimpleQueue()
        self._last: Future[Any] | None = None
        self._thread = threading.Thread(
            target=_serve_thread, args=(self._place, self._jobs), name="palestra-env", daemon=True
        )
        forgotten = weakref.finalize(self, self._jobs.put, None)  # the thread does not hold the worker
        forgotten.atexit = False

    @property
    def env(self) -> Any:
        """See `Worker`."""
        return self._place.env

    def submit(self, job: Job) -> "Future[Any]":
        """See `Worker`."""
        future: Future[Any] = Future()
        if self._thread.ident is None:
            self._thread.start()
        self._last = future
        self._jobs.put((job, future))
        return future

    def kill(self, why: str) -> None:
        """See `Worker`."""
        if self._last is not None:
            with contextlib.suppress(InvalidStateError):
                self._last.set_exception(InfraError(why))
        self._place.kill()
        self._jobs.put(None)

    def retire(self) -> None:
        """See `Worker`; what hangs in a process is killed."""
        if self._last is not None and not (self._last.done() and not self._last.cancelled()):
            self._place.kill()
        self._jobs.put(None)

    def join(self, timeout_s: float) -> bool:
        """See `Worker`."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def _make_place(self, make: Make) -> "_Here | _Elsewhere":
        return _Here(make)


class ProcessWorker(ThreadWorker):
    """Does its jobs in a spawned process; one that died is replaced at the next job."""

    def _make_place(self, make: Make) -> "_Here | _Elsewhere":
        return _Elsewhere(make)


WORKERS: dict[WorkerKind, Callable[[Make], Worker]] = {
    "inline": InlineWorker,
    "thread": ThreadWorker,
    "process": ProcessWorker,
}


class _Here:
    """An environment in this process."""

    def __init__(self, make: Make) -> None:
        self._make, self._env = make, None

    @property
    def env(self) -> Any:
        if self._env is None:
            raise TypeError("the environment is built at the first job; reset it first")
        return self._env

    def run(self, job: Job) -> Any:
        if self._env is None:
            self._env = self._make()
        return job(self._env)

    def kill(self) -> None:
        """Nothing in this process can be killed."""

    def close(self) -> None:
        env, self._env = self._env, None
        if env is not None:
            with contextlib.suppress(Exception):  # what cannot be closed is nobody's episode
                env.close()


class _Elsewhere:
    """An environment in a process of its own, started when there is something to do."""

    def __init__(self, make: Make) -> None:
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise RuntimeError(f"a process that is being started cannot start others; {_GUARD}")
        self._make = make
        self._process: Any = None
        self._pipe: Any = None
        self._has_answered = False

    @property
    def env(self) -> Any:
        raise TypeError("the environment lives in another process; scripted policies need 'inline' or 'thread'")

    def run(self, job: Job) -> Any:
        try:
            request = pickle.dumps(job)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise TypeError(f"what is sent to another process must pickle: {error}") from error
        if self._process is None:
            self._process = self._start()
        try:
            self._pipe.send_bytes(request)
            wait([self._pipe, self._process.sentinel])
            if not self._pipe.poll():  # whoever else may hold its end of the pipe
                raise EOFError("no answer")
            is_fine, value = pickle.loads(self._pipe.recv_bytes())
        except (EOFError, OSError) as error:
            raise InfraError(self._obituary()) from error
        self._has_answered = True
        if is_fine:
            return value
        raise value

    def kill(self) -> None:
        """End the process from another thread; whoever waits for its answer gets InfraError."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            self._pipe.send_bytes(b"")
        process.join(_LEAVE_S)
        process.kill()
        process.join()
        self._pipe.close()

    def _start(self) -> Any:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._has_answered = False
        maker = CloudpickleWrapper(self._make)
        try:
            with _nothing_imported_from_here() as before:
                process = context.Process(
                    target=_serve_process, args=(theirs, maker, before), name="palestra-env", daemon=True
                )
                process.start()
        except OSError as error:
            self._pipe.close()
            raise InfraError(f"no process could be started for an environment: {error}") from error
        finally:
            theirs.close()
        return process

    def _obituary(self) -> str:
        process, self._process = self._process, None
        process.kill()
        process.join()
        code = process.exitcode or 0  # there is none when somebody else has waited for it just now
        self._pipe.close()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        hint = f"; {_GUARD}" if code > 0 and not self._has_answered else ""
        return f"the environment's process {how} before it answered{hint}"


def _settle(future: "Future[Any]", run: Callable[[Job], Any], job: Job) -> None:
    """Carry a job out and tell the future, unless it was given up meanwhile."""
    try:
        result = run(job)
    except Exception as error:
        with contextlib.suppress(InvalidStateError):
            future.set_exception(error)
    except BaseException as error:  # an environment that exits, or a foreign library's panic
        if isinstance(error, KeyboardInterrupt):
            raise
        with contextlib.suppress(InvalidStateError):
            future.set_exception(RuntimeError(f"the environment raised {error!r}"))
    else:
        with contextlib.suppress(InvalidStateError):
            future.set_result(result)


def _serve_thread(place: _Here | _Elsewhere, jobs: "SimpleQueue[tuple[Job, Future[Any]] | None]") -> None:
    while (item := jobs.get()) is not None:
        job, future = item
        _settle(future, place.run, job)
        del item, job, future  # nothing of a job outlives it
    place.close()


@contextlib.contextmanager
def _nothing_imported_from_here() -> Iterator[str | None]:
    """Keep the Python processes that are started from importing what lies in the working folder as they start.

    An agent's files may lie there, and a module among them would run outside of any sandbox. Once a process is there
    it has our `sys.path`. What the variable for this was before is given, for the process to `_restore`.
    """
    with _starting:
        before = os.environ.get(_SAFE_PATH)
        os.environ[_SAFE_PATH] = "1"
        try:
            yield before
        finally:
            _restore(before)


def _restore(safe_path: str | None) -> None:
    os.environ.pop(_SAFE_PATH, None)
    os.environ.update({} if safe_path is None else {_SAFE_PATH: safe_path})


def _serve_process(pipe: Connection, make: Make, safe_path: str | None) -> None:
    _restore(safe_path)  # what an environment starts is its own affair
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is our parent's to handle; programs we start keep theirs
    threading.Thread(target=_end_with_parent, daemon=True).start()
    place = _Here(make)
    for request in _requests(pipe):
        future: Future[Any] = Future()
        _settle(future, lambda text: place.run(pickle.loads(text)), request)  # type: ignore[arg-type]
        pipe.send_bytes(_answer(future))
    place.close()


def _requests(pipe: Connection) -> Iterator[Any]:
    with contextlib.suppress(EOFError):
        while request := pipe.recv_bytes():
            yield request


def _answer(future: "Future[Any]") -> bytes:
    """Return a job's end as bytes that can be read over there, whatever it raised."""
    error = future.exception()
    try:
        answer = pickle.dumps((error is None, future.result() if error is None else error))
        if error is not None:
            pickle.loads(answer)  # errors with arguments of their own may be written and not be read
    except Exception as problem:
        told = RuntimeError(repr(error)) if error else TypeError(f"the environment's answer cannot travel: {problem}")
        answer = pickle.dumps((False, told))
    return answer


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        time.sleep(_ORPHAN_S)  # what does not hang has read the end of its pipe by then
        os._exit(1)
