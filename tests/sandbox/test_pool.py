"""Warm sandboxes: lent in order, blank and in working order every time, replaced when they should be."""

import asyncio
import contextlib
import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import pytest

from palestra.sandbox.base import (
    Backend,
    Capabilities,
    CapabilityError,
    InfraError,
    Limits,
    PermanentInfraError,
    Python,
    Spec,
)
from palestra.sandbox.metrics import Histogram
from palestra.sandbox.pool import PoolBusyError, PoolClosedError, SandboxPool
from palestra.sandbox.process import ProcessSandbox
from palestra.sandbox.seating import Seating

HELLO = Python("print('hello')")
NAP = Limits(wall_s=60.0)


def eventually(claim: Callable[[], bool]) -> bool:
    """Wait, generously, for something that must become true."""
    for _ in range(1200):
        if claim():
            return True
        time.sleep(0.025)
    return False


class Fragile(ProcessSandbox):
    """A sandbox that can be told to die, and that says how it was used."""

    def __init__(self, backend: "FragileBackend") -> None:
        super().__init__(Spec())
        self._backend, self.is_dead, self.resets = backend, False, 0
        self._backend.made.append(self)

    def check(self) -> None:
        if self.is_dead:
            raise InfraError("it died; create another")

    def reset(self) -> None:
        self.check()
        self.resets += 1
        self.exec(["sh", "-c", "rm -rf ./*"])

    def discard(self) -> None:
        self._backend.discarded.append(self)
        self.close()

    def fork(self, *, end_processes: bool = False) -> Self:
        raise AssertionError("no test forks it")


class FragileBackend:
    """Makes such sandboxes, or fails with the errors it was given."""

    name = "fragile"

    def __init__(self, *troubles: Exception) -> None:
        self.troubles: list[Exception] = list(troubles)
        self.made: list[Fragile] = []
        self.discarded: list[Fragile] = []

    def probe(self) -> Capabilities:
        return Capabilities()

    def create(self, spec: Spec) -> Fragile:
        if self.troubles:
            raise self.troubles.pop(0)
        return Fragile(self)


@contextlib.contextmanager
def one_seat(backend: "str | Backend" = "native", max_uses: int = 1000, max_waiting: int = 10) -> Iterator[SandboxPool]:
    """Give a pool with one sandbox."""
    with SandboxPool(backend=backend, size=1, unsafe=True, max_uses=max_uses, max_waiting=max_waiting) as pool:
        yield pool


def say_hello(pool: SandboxPool) -> bytes:
    """Borrow a sandbox and run a program in it."""
    with pool.borrow() as sandbox:
        return sandbox.exec(HELLO).stdout


@pytest.mark.parametrize("backend", ["native", "process"])
def test_a_borrower_gets_a_working_and_empty_sandbox(backend: str) -> None:
    with one_seat(backend) as pool:
        for number in range(4):
            with pool.borrow() as sandbox:
                assert sandbox.exec(["ls", "-A"]).stdout == b""
                sandbox.write(f"file{number}", b"x")
                assert sandbox.exec(HELLO).stdout == b"hello\n"
    assert pool.metrics().borrowed == 4


def test_the_whole_protocol_is_there_while_it_is_lent(tmp_path: object) -> None:
    with one_seat() as pool:
        with pool.borrow() as sandbox:
            sandbox.write("x", b"1")
            saved = sandbox.snapshot()
            sandbox.download("x", f"{tmp_path}/x")
            sandbox.upload(f"{tmp_path}/x", "y")
            twin = sandbox.fork()
            sandbox.restore(saved)
            assert sandbox.exec(["ls"]).stdout == b"x\n"
            assert twin.exec(["ls"]).stdout == b"x\ny\n"
            twin.close()
            with pytest.raises(CapabilityError):
                sandbox.shell()
        with pytest.raises(ValueError, match="given back"):
            sandbox.read("x")
        sandbox.close()
        with pool.borrow() as sandbox:
            sandbox.restore(saved)
            assert sandbox.read("x") == b"1"


def test_asyncio_borrows_from_the_same_pool() -> None:
    async def one(pool: SandboxPool, number: int) -> bytes:
        async with pool.acquire() as sandbox:
            await sandbox.write("number", str(number).encode())
            return (await sandbox.exec(["cat", "number"])).stdout

    async def use(pool: SandboxPool) -> list[bytes]:
        return await asyncio.gather(*(one(pool, number) for number in range(8)))

    with SandboxPool(size=2) as pool:
        for _ in range(2):  # two loops, one after the other
            assert asyncio.run(use(pool)) == [b"%d" % number for number in range(8)]
        with pool.borrow() as sandbox:
            assert sandbox.exec(["ls"]).stdout == b""


def test_who_came_first_is_served_first() -> None:
    served: list[int] = []

    async def one(pool: SandboxPool, number: int) -> None:
        async with pool.acquire():
            served.append(number)

    async def use() -> None:
        async with SandboxPool(size=1) as pool:
            async with pool.acquire():
                tasks = []
                for number in range(6):
                    tasks.append(asyncio.create_task(one(pool, number)))
                    await asyncio.sleep(0)
                assert pool.metrics().waiting == 6
            await asyncio.gather(*tasks)

    asyncio.run(use())
    assert served == list(range(6))


def test_more_than_may_wait_are_turned_away() -> None:
    with one_seat(max_waiting=1) as pool, ThreadPoolExecutor(1) as threads:
        with pool.borrow():
            waiting = threads.submit(say_hello, pool)
            assert eventually(lambda: pool.metrics().waiting == 1)
            with pytest.raises(PoolBusyError, match="1 borrowers wait, as many as may"), pool.borrow():
                pass
            assert pool.metrics().refused == 1
        assert waiting.result(60) == b"hello\n"


def test_waiting_has_an_end() -> None:
    async def too_long(pool: SandboxPool) -> None:
        async with pool.acquire(timeout_s=0.05):
            raise AssertionError("there was none")

    with one_seat() as pool:
        with pool.borrow():
            with pytest.raises(PoolBusyError, match=r"within 0\.05 s"), pool.borrow(timeout_s=0.05):
                pass
            with pytest.raises(PoolBusyError, match=r"within 0\.05 s"):
                asyncio.run(too_long(pool))
            assert pool.metrics().waiting == 0
        with pool.borrow() as sandbox:
            assert sandbox.exec(HELLO).ok


def test_a_slow_program_does_not_hold_up_another_place() -> None:
    with SandboxPool(size=2) as pool, pool.borrow() as slow, ThreadPoolExecutor(1) as threads:
        running = threads.submit(slow.exec, ["sleep", "60"], limits=NAP)
        for _ in range(3):
            with pool.borrow() as sandbox:
                assert sandbox.exec(HELLO).stdout == b"hello\n"
        assert not running.done()
        slow.interrupt()
        with pytest.raises(InfraError):
            running.result(60)


def test_a_sandbox_is_replaced_after_its_share_of_programs() -> None:
    backend = FragileBackend()
    with one_seat(backend, max_uses=3) as pool:
        for _ in range(4):
            with pool.borrow() as sandbox:
                sandbox.exec(["true"])
                sandbox.exec(["true"])
        assert eventually(lambda: pool.metrics().ready == 1)
        assert pool.metrics().recycled_uses == 2
    assert backend.made == backend.discarded
    assert [sandbox.resets for sandbox in backend.made] == [1, 1, 0]


@pytest.mark.parametrize("program", [["sleep", "60"], ["sh", "-c", "kill -9 $$"]])
def test_a_sandbox_is_replaced_after_a_suspicious_end(program: list[str]) -> None:
    backend = FragileBackend()
    with one_seat(backend) as pool:
        with pool.borrow() as sandbox:
            sandbox.exec(program, limits=Limits(wall_s=0.2))
        with pool.borrow() as sandbox:
            assert sandbox.exec(HELLO).ok
        assert pool.metrics().recycled_suspicious == 1
    assert len(backend.made) == 2


def test_native_slots_are_replaced_after_a_shortage_of_memory() -> None:
    with one_seat() as pool:
        with pool.borrow() as sandbox:
            if not sandbox.capabilities.memory_tree:
                assert not sandbox.exec(Python("bytearray(1 << 40)")).ok
                return
            assert sandbox.exec(Python("x = bytearray(b'x') * 10**9"), limits=Limits(memory_bytes=32 << 20)).oom
        with pool.borrow() as sandbox:
            assert sandbox.exec(HELLO).ok
        assert pool.metrics().recycled_suspicious == 1


def test_one_that_died_while_idle_is_noticed_before_it_is_lent() -> None:
    backend = FragileBackend()
    with one_seat(backend) as pool:
        assert eventually(lambda: pool.metrics().ready == 1)
        backend.made[0].is_dead = True
        with pool.borrow() as sandbox:
            assert sandbox.exec(HELLO).ok
        backend.made[1].is_dead = True

        async def use() -> bytes:
            async with pool.acquire() as sandbox:
                return (await sandbox.exec(HELLO)).stdout

        assert asyncio.run(use()) == b"hello\n"
        assert pool.metrics().recycled_dead == 2


def test_one_that_dies_while_lent_is_replaced() -> None:
    backend = FragileBackend()
    with one_seat(backend) as pool:
        with pool.borrow():
            backend.made[0].is_dead = True
        with pool.borrow() as sandbox:
            assert sandbox.exec(HELLO).ok
    assert len(backend.made) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        InfraError("the daemon is away; start it"),
        PermanentInfraError("no namespaces here; ask for them"),
        CapabilityError("this backend does not enforce network_off"),
        ValueError("image must be a name"),
        OSError(24, "Too many open files"),
        MemoryError(),
    ],
)
def test_when_none_can_be_started_borrowers_are_told_and_the_pool_recovers_by_itself(trouble: Exception) -> None:
    backend = FragileBackend(trouble, trouble)
    expected = type(trouble) if isinstance(trouble, InfraError | ValueError) else InfraError
    with SandboxPool(backend=backend, size=2) as pool:
        assert eventually(lambda: pool.metrics().empty == 2)
        with pytest.raises(expected), pool.borrow():
            pass
        assert pool.metrics().failures == 2

        def works() -> bool:
            with contextlib.suppress(expected), pool.borrow() as sandbox:
                return sandbox.exec(HELLO).ok
            return False

        assert eventually(works)


def test_those_who_wait_are_told_when_the_last_one_cannot_be_replaced() -> None:
    backend = FragileBackend()

    async def one(pool: SandboxPool) -> None:
        async with pool.acquire():
            raise AssertionError("nobody should be served")

    async def use() -> None:
        async with SandboxPool(backend=backend, size=1) as pool:
            async with pool.acquire():
                waiting = [asyncio.create_task(one(pool)) for _ in range(3)]
                await asyncio.sleep(0)
                backend.made[0].is_dead = True
                backend.troubles = [InfraError("the daemon is away; start it")]
            found = await asyncio.gather(*waiting, return_exceptions=True)
            assert [str(error) for error in found] == ["the daemon is away; start it"] * 3
            assert len(set(map(id, found))) == 3, "they share no traceback"

    asyncio.run(use())


def test_an_empty_place_is_tried_again_while_somebody_waits_for_another() -> None:
    backend = FragileBackend()
    with SandboxPool(backend=backend, size=2) as pool, pool.borrow(), ThreadPoolExecutor(1) as threads:
        with pool.borrow():
            waiting = threads.submit(say_hello, pool)
            assert eventually(lambda: pool.metrics().waiting == 1)
            backend.made[0].is_dead = backend.made[1].is_dead = True
            backend.troubles = [InfraError("not now"), InfraError("nor now")]
        assert waiting.result(60) == b"hello\n"
        assert pool.metrics().failures == 2


def test_a_borrower_that_gives_up_leaves_the_queue() -> None:
    async def use() -> None:
        async with SandboxPool(size=1) as pool:
            async with pool.acquire():
                waiting = asyncio.create_task(pool.acquire().__aenter__())
                await asyncio.sleep(0)
                assert pool.metrics().waiting == 1
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                assert pool.metrics().waiting == 0
            async with pool.acquire() as sandbox:
                assert (await sandbox.exec(HELLO)).ok

    asyncio.run(use())


def test_cancelled_at_any_moment_nothing_is_lost() -> None:
    async def one(pool: SandboxPool) -> None:
        async with pool.acquire() as sandbox:
            await sandbox.exec(HELLO)

    async def use() -> None:
        async with SandboxPool(size=2) as pool:
            for number in range(30):
                tasks = [asyncio.create_task(one(pool)) for _ in range(3)]
                await asyncio.sleep(0.0005 * number)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            async with asyncio.timeout(60):
                await asyncio.gather(one(pool), one(pool), one(pool))
            assert await asyncio.to_thread(eventually, lambda: pool.metrics().ready == 2)

    asyncio.run(use())


def test_a_cancelled_program_costs_its_sandbox_and_not_the_pool() -> None:
    async def use() -> None:
        async with SandboxPool(size=1) as pool:
            with pytest.raises(TimeoutError):
                async with pool.acquire() as sandbox, asyncio.timeout(0.3):
                    await sandbox.exec(["sleep", "60"], limits=NAP)
            async with pool.acquire() as sandbox:
                assert (await sandbox.exec(HELLO)).ok

    asyncio.run(use())


def test_close_waits_for_what_is_lent() -> None:
    pool = SandboxPool(size=1)
    with ThreadPoolExecutor(1) as threads:
        with pool.borrow() as sandbox:
            closing = threads.submit(pool.close, grace_s=60)
            assert eventually(lambda: _is_closed(pool))
            assert sandbox.exec(HELLO).ok
            assert not closing.done()
        closing.result(60)
    pool.close()


def _is_closed(pool: SandboxPool) -> bool:
    try:
        with pool.borrow(timeout_s=0):
            return False
    except PoolClosedError:
        return True
    except PoolBusyError:
        return False


def test_close_ends_what_is_lent_for_too_long() -> None:
    pool = SandboxPool(size=1)
    with pool.borrow() as sandbox, ThreadPoolExecutor(1) as threads:
        running = threads.submit(sandbox.exec, ["sleep", "60"], limits=NAP)
        assert eventually(lambda: pool.metrics().lent == 1)
        time.sleep(0.2)
        pool.close(grace_s=0)
        with pytest.raises(InfraError):
            running.result(30)
        with pytest.raises(ValueError, match="pool was closed"):
            sandbox.exec(HELLO)


def test_those_who_wait_for_a_closed_pool_are_told() -> None:
    async def use() -> None:
        pool = SandboxPool(size=1)
        async with pool.acquire():
            waiting = asyncio.create_task(pool.acquire().__aenter__())
            await asyncio.sleep(0)
            await pool.aclose(grace_s=0)
            with pytest.raises(PoolClosedError):
                await waiting
        with pytest.raises(PoolClosedError):
            await pool.acquire().__aenter__()

    asyncio.run(use())


def use_and_forget(backend: FragileBackend) -> list[str]:
    """Leave a pool without closing it; return the folders of its sandboxes."""
    pool = SandboxPool(backend=backend, size=2)
    assert say_hello(pool) == b"hello\n"
    assert eventually(lambda: pool.metrics().ready == 2)
    folders = [str(made._folder) for made in backend.made]
    backend.made.clear()
    return folders


def test_a_pool_without_close_goes_with_its_last_reference() -> None:
    folders = use_and_forget(FragileBackend())
    gc.collect()
    assert eventually(lambda: not any(os.path.exists(folder) for folder in folders))


def test_a_sandbox_that_its_borrower_forgot_comes_back() -> None:
    with one_seat() as pool:
        pool.borrow().__enter__()
        gc.collect()
        assert say_hello(pool) == b"hello\n"


_LEFT_OPEN = """
import asyncio, threading
from palestra.sandbox.base import Limits
from palestra.sandbox.pool import SandboxPool

async def use(pool):
    with open("/dev/null"):
        sandbox = await pool.acquire().__aenter__()
        asyncio.ensure_future(sandbox.exec(["sleep", "1000"], limits=Limits(wall_s=2000)))
        await asyncio.sleep(0.2)

pool = SandboxPool(size=2)
threading.Thread(target=lambda: asyncio.run(use(pool))).start()
with pool.borrow() as sandbox:
    print(sandbox.exec(["echo", "hello"]).stdout, flush=True)
    raise SystemExit(7)
"""


def test_a_process_ends_although_its_pool_is_open_and_busy() -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _LEFT_OPEN]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert (run.stdout, run.returncode) == ("b'hello\\n'\n", 7), run.stderr


_FORKS = """
import os
from palestra.sandbox.base import InfraError, Python
from palestra.sandbox.pool import SandboxPool

HELLO = Python("print('hello')")
pool = SandboxPool(size=1)
with pool.borrow() as held:
    held.write("x", b"1")
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        lines = []
        try:
            held.read("x")
        except InfraError as error:
            lines.append("forked" in str(error))
        with pool.borrow() as own:
            lines.append(own.exec(HELLO).stdout)
            lines.append(own.exec(["ls"]).stdout)
        pool.close()
        os.write(tell, repr(lines).encode())
        os._exit(0)
    os.waitpid(child, 0)
    print(os.read(told, 1000).decode(), held.read("x"))
with pool.borrow() as again:
    print(again.exec(HELLO).stdout)
pool.close()
"""


def test_a_fork_has_sandboxes_of_its_own_and_leaves_the_parents_alone() -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", _FORKS], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.stdout == "[True, b'hello\\n', b''] b'1'\nb'hello\\n'\n", run.stderr


def test_terminals_are_pooled_as_well() -> None:
    async def use(pool: SandboxPool) -> None:
        async with pool.acquire() as sandbox:
            shell = await sandbox.shell()
            result = await shell.run("id -u; touch /root/file; sleep 100 & cd /tmp")
            assert result.output.splitlines()[0].strip() == b"0"

    with SandboxPool(Spec(terminal=True), size=1) as pool:
        asyncio.run(use(pool))
        with pool.borrow() as sandbox:
            result = sandbox.shell().run("pwd; ls /root; jobs")
            assert result.output.split() == [b"/workspace"]
        assert pool.metrics().failures == 0


def test_threads_and_tasks_share_a_pool_fairly() -> None:
    async def one(pool: SandboxPool) -> bool:
        async with pool.acquire() as sandbox:
            return (await sandbox.exec(HELLO)).ok

    def work(pool: SandboxPool) -> bool:
        with pool.borrow() as sandbox:
            return sandbox.exec(HELLO).ok

    async def both(pool: SandboxPool) -> list[bool]:
        mixed = [one(pool) if number % 2 else asyncio.to_thread(work, pool) for number in range(24)]
        return await asyncio.gather(*mixed)

    with SandboxPool(size=2) as pool:
        assert asyncio.run(both(pool)) == [True] * 24
        assert pool.metrics().borrowed == pool.metrics().programs == 24


def test_metrics_are_plain_data_and_one_line() -> None:
    with one_seat() as pool:
        with pool.borrow() as sandbox:
            sandbox.exec(HELLO)
            assert pool.metrics().lent == 1
        assert eventually(lambda: pool.metrics().ready == 1)
        metrics = pool.metrics()
    plain = json.loads(json.dumps(metrics.as_dict()))
    assert (plain["size"], plain["programs"], plain["borrowed"], plain["failures"]) == (1, 1, 1, 0)
    assert plain["run"]["count"] == plain["wait"]["count"] == plain["clean"]["count"] == plain["start"]["count"] == 1
    assert 0 < plain["run"]["median_s"] <= plain["run"]["max_s"]
    assert metrics.line().startswith("1 places: 1 ready, 0 lent")
    assert "\n" not in metrics.line()


def test_a_histogram_knows_its_quantiles_to_a_fifth() -> None:
    histogram = Histogram()
    assert histogram.summary().median_s == histogram.summary().max_s == 0.0
    for number in range(1, 101):
        histogram.add(number / 100)
    summary = histogram.summary()
    assert summary.count == 100
    assert summary.total_s == pytest.approx(50.5)
    assert 0.5 <= summary.median_s <= 0.6
    assert 0.9 <= summary.p90_s <= summary.max_s == 1.0
    histogram.add(0.0)
    histogram.add(1e9)
    assert histogram.summary().max_s == 1e9


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"size": 0}, "size must be a whole number from 1, not 0"),
        ({"size": 1.5}, "not 1.5"),
        ({"max_uses": 0}, "max_uses"),
        ({"max_waiting": -1}, "max_waiting must be a whole number from 0, not -1"),
        ({"spec": Spec(limits=Limits(wall_s=-1))}, "wall_s"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        SandboxPool(**options)  # type: ignore[arg-type]


def test_a_seat_that_was_handed_over_to_nobody_goes_to_the_next() -> None:
    backend = FragileBackend()
    seating = Seating(lambda: backend.create(Spec()), size=1, max_uses=10, max_waiting=10)
    first, second = seating.ask(), seating.ask()
    seat = first.result(60)
    seating.withdraw(first)  # its task was cancelled just then
    assert second.result(60) is seat
    seating.give_back(seat)
    seating.close(60)
    assert threading.active_count() >= 1
    assert backend.discarded == backend.made
