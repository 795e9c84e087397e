"""Programs a second, in sandboxes and in what they are compared with, each way in turns with the others."""

import contextlib
import io
import os
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from palestra.sandbox import create
from palestra.sandbox.base import Python, Sandbox, Spec

PROGRAM = "assert sorted([3, 1, 2]) == [1, 2, 3]; print('ok')"
NUMPY_PROGRAM = "import numpy; assert int(numpy.arange(4).sum()) == 6; print('ok')"
WORKERS = 2  # the sandboxes, and the clients of everything else
_DOCKER_S = 60


@dataclass(frozen=True)
class Way:
    """One way to run a program: what each worker does, and how often in a round."""

    run: Callable[[int], object]  # given the worker's number
    count: int  # by all workers together


def rate(way: Way) -> float:
    """Return how many programs a second the workers get done."""

    def work(worker: int) -> None:
        for _ in range(way.count // WORKERS):
            way.run(worker)

    start = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(work, range(WORKERS)))
    return way.count // WORKERS * WORKERS / (time.perf_counter() - start)


def compare(rounds: int, docker: "Docker | None") -> dict[str, list[float]]:
    """Return the rates of every way in every round; the order turns round from one to the next."""
    with contextlib.ExitStack() as stack:
        plain = [stack.enter_context(contextlib.closing(create())) for _ in range(WORKERS)]
        spec = Spec(preload=("numpy",))
        warm = [stack.enter_context(contextlib.closing(create(spec))) for _ in range(WORKERS)]
        ways = {
            "native": Way(lambda worker: expect_ok(plain[worker], Python(PROGRAM)), 120),
            "python -c": Way(lambda _: _subprocess([sys.executable, "-c", PROGRAM]), 30),
            "native, numpy preloaded": Way(lambda worker: expect_ok(warm[worker], Python(NUMPY_PROGRAM)), 120),
            "python -c, importing numpy": Way(lambda _: _subprocess([sys.executable, "-c", NUMPY_PROGRAM]), 8),
        }
        if docker is not None:
            ways["docker exec"] = Way(lambda _: _subprocess(docker.exec_command(PROGRAM)), 8)
            ways["docker run"] = Way(lambda _: _subprocess(docker.run_command(PROGRAM)), 4)
        for way in ways.values():
            for worker in range(WORKERS):
                way.run(worker)
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds):
            for name in list(ways)[:: -1 if number % 2 else 1]:
                rates[name].append(rate(ways[name]))
    return rates


def scaling(largest: int, programs: int) -> Iterator[tuple[int, float]]:
    """Yield, for 1, 2, 4 ... sandboxes at once, each with a thread of the host, how many programs a second they run."""
    sandboxes: list[Sandbox] = []
    try:
        count = 1
        while count <= largest:
            sandboxes += [create() for _ in range(count - len(sandboxes))]
            for sandbox in sandboxes:
                expect_ok(sandbox, Python(PROGRAM))
            yield count, _rate_of(sandboxes, max(programs, 2 * count) // count)
            count *= 2
    finally:
        for sandbox in sandboxes:
            sandbox.close()


def _rate_of(sandboxes: Sequence[Sandbox], each: int) -> float:
    def work(sandbox: Sandbox) -> None:
        for _ in range(each):
            expect_ok(sandbox, Python(PROGRAM))

    with ThreadPoolExecutor(len(sandboxes)) as threads:
        start = time.perf_counter()
        list(threads.map(work, sandboxes))
        return len(sandboxes) * each / (time.perf_counter() - start)


def expect_ok(sandbox: Sandbox, command: Python | list[str]) -> None:
    """Run the program and check its answer."""
    result = sandbox.exec(command)
    if result.stdout != b"ok\n":
        raise SystemExit(f"the program failed: {result}")


def _subprocess(command: list[str]) -> None:
    done = subprocess.run(command, check=True, capture_output=True, timeout=_DOCKER_S)
    if done.stdout != b"ok\n":
        raise SystemExit(f"the program failed: {done}")


class Docker:
    """A container of the daemon that answers, with this machine's own interpreter in it."""

    def __init__(self) -> None:
        self._name = f"palestra-benchmark-{uuid.uuid4().hex[:8]}"
        folders = [path for path in ("/usr", "/bin", "/lib", "/lib64", sys.base_prefix) if os.path.isdir(path)]
        bound = [path for path in dict.fromkeys(folders) if not os.path.islink(path)]
        self._options = ["--network", "none", *(word for path in bound for word in ("-v", f"{path}:{path}:ro"))]
        self._python = os.path.realpath(sys.executable)

    def exec_command(self, source: str) -> list[str]:
        """Return the words that run a program in the container that is there."""
        return ["docker", "exec", self._name, self._python, "-c", source]

    def run_command(self, source: str) -> list[str]:
        """Return the words that run a program in a container of its own."""
        return ["docker", "run", "--rm", *self._options, self._name, self._python, "-c", source]

    def __enter__(self) -> "Docker":
        _docker("import", "-", self._name, given=_skeleton())
        _docker("run", "-d", "--name", self._name, *self._options, self._name, "/bin/sleep", "3600")
        return self

    def __exit__(self, *exc_info: object) -> None:
        _docker("rm", "-f", self._name)
        _docker("rmi", "-f", self._name)


@contextlib.contextmanager
def docker_if_there() -> Iterator[Docker | None]:
    """Give a container where a daemon answers, and None elsewhere."""
    try:
        _docker("version", "--format", "{{.Server.Version}}")
    except (OSError, subprocess.SubprocessError):
        yield None
        return
    with Docker() as docker:
        yield docker


def _docker(*words: str, given: bytes = b"") -> None:
    subprocess.run(["docker", *words], input=given, check=True, capture_output=True, timeout=_DOCKER_S)


def _skeleton() -> bytes:
    """Return the root of a container into which the host's programs are bound, as a tar file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in ("usr", "etc", "proc", "sys", "dev", "tmp", "bin", "lib", "lib64"):
            entry = tarfile.TarInfo(path)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            if Path("/", path).is_symlink():
                entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(f"/{path}")
            archive.addfile(entry)
    return buffer.getvalue()
