"""The protocol with `await`: in order on each sandbox's own thread, and nothing is left by a cancelled task."""

import asyncio
import gc
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Self

import pytest

from palestra.sandbox import aio
from palestra.sandbox.aio import AsyncSandbox, AsyncShell
from palestra.sandbox.base import Command, ExecResult, InfraError, Limits, Python, ShellResult, Spec
from palestra.sandbox.lane import Lane
from palestra.sandbox.process import ProcessBackend, ProcessSandbox

HELLO = Python("print('hello')")
LONG = Limits(wall_s=120.0)


class Stepwise(ProcessSandbox):
    """A sandbox whose programs end when the test says so; it has no way to interrupt them."""

    def __init__(self) -> None:
        super().__init__(Spec())
        self.began, self.may_end, self.is_closed = threading.Event(), threading.Event(), threading.Event()

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        self.began.set()
        assert self.may_end.wait(60)
        return super().exec(command, stdin=stdin, env=env, limits=limits)

    def fork(self, *, end_processes: bool = False) -> Self:
        raise AssertionError("no test forks it")

    def close(self) -> None:
        self.is_closed.set()
        super().close()


class Slow(Stepwise):
    """The same, with a way to interrupt them."""

    def interrupt(self) -> None:
        self.may_end.set()


class ObedientShell:
    """A shell whose line runs until it is told ^C, or ^\\, or hung up on."""

    def __init__(self, gives_way_to: bytes) -> None:
        self.is_idle, self._gives_way_to = True, gives_way_to
        self.typed, self.is_closed, self.began = b"", False, threading.Event()

    def run(self, line: str, *, timeout_s: float = 30.0) -> ShellResult:
        self.is_idle = False
        self.began.set()
        return self.wait(timeout_s=timeout_s)

    def send(self, keys: bytes) -> None:
        self.typed += keys
        self.is_idle = keys == self._gives_way_to

    def wait(self, *, timeout_s: float) -> ShellResult:
        if not self.is_idle:
            time.sleep(min(timeout_s, 0.02))
        return ShellResult(output=b".", exit_code=130 if self.is_idle else None, timed_out=not self.is_idle)

    def read(self, *, timeout_s: float = 1.0) -> bytes:
        return b"shown"

    def resize(self, rows: int, columns: int) -> None:
        self.typed += f"{rows}x{columns}".encode()

    def close(self) -> None:
        self.is_closed = True


async def until(event: threading.Event) -> None:
    """Wait for an event of another thread without holding up the loop."""
    assert await asyncio.to_thread(event.wait, 60)


def threads() -> list[threading.Thread]:
    """Return the threads that sandboxes have."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("palestra-")]


def all_ended() -> bool:
    """Wait for the threads of closed sandboxes."""
    gc.collect()
    for thread in threads():
        thread.join(30)
    return not threads()


@pytest.mark.parametrize("backend", ["native", "process"])
def test_every_call_of_the_protocol_can_be_awaited(backend: str) -> None:
    async def use() -> None:
        async with await aio.create(backend=backend, unsafe=True) as sandbox:
            await sandbox.write("x", b"1")
            assert await sandbox.read("x") == b"1"
            saved = await sandbox.snapshot()
            result = await sandbox.exec(Python("print(open('x').read(), input())"), stdin=b"2\n")
            assert result.stdout == b"1 2\n"
            twin = await sandbox.fork()
            await twin.write("x", b"twin's")
            await sandbox.write("x", b"new")
            await sandbox.restore(saved)
            assert (await sandbox.read("x"), await twin.read("x")) == (b"1", b"twin's")
            await twin.close()
            assert sandbox.capabilities.snapshot
        with pytest.raises(ValueError, match="closed"):
            await sandbox.exec(HELLO)
        await sandbox.close()

    asyncio.run(use())
    assert all_ended()


def test_upload_and_download(tmp_path: object) -> None:
    async def use() -> None:
        async with await aio.create() as sandbox:
            source, target = f"{tmp_path}/source", f"{tmp_path}/target"
            with open(source, "wb") as file:
                file.write(b"\x00\xff")
            await sandbox.upload(source, "folder/x")
            await sandbox.download("folder/x", target)
            with open(target, "rb") as file:
                assert file.read() == b"\x00\xff"

    asyncio.run(use())


def test_one_slow_program_does_not_hold_up_another_sandbox_or_the_loop() -> None:
    async def use() -> None:
        slow = Stepwise()
        async with AsyncSandbox(slow) as first, await aio.create() as second:
            waiting = asyncio.create_task(first.exec(HELLO))
            await until(slow.began)
            assert (await second.exec(HELLO)).stdout == b"hello\n"
            assert not waiting.done()
            slow.may_end.set()
            assert (await waiting).stdout == b"hello\n"

    asyncio.run(use())


def test_calls_of_one_sandbox_are_made_in_the_order_they_came() -> None:
    async def use() -> list[bytes]:
        async with await aio.create() as sandbox:
            append = [sandbox.exec(["sh", "-c", f"echo {number} >> order"]) for number in range(5)]
            await asyncio.gather(*append)
            return (await sandbox.read("order")).split()

    assert asyncio.run(use()) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_cancelled_program_is_ended_and_its_sandbox_closed() -> None:
    async def use() -> None:
        sandbox = await aio.create()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await sandbox.exec(["sleep", "100"], limits=LONG)
        with pytest.raises(ValueError, match="closed"):
            await sandbox.exec(HELLO)

    asyncio.run(use())
    assert all_ended(), "the thread would still wait for the program"


def test_a_program_that_cannot_be_interrupted_ends_first_and_then_the_sandbox_is_closed() -> None:
    async def use(made: Stepwise) -> bool:
        running = asyncio.create_task(AsyncSandbox(made).exec(HELLO))
        await until(made.began)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        was_closed_early = made.is_closed.is_set()
        made.may_end.set()
        await until(made.is_closed)
        return was_closed_early

    assert asyncio.run(use(Stepwise())) is False
    assert all_ended()


def test_a_call_that_was_cancelled_before_it_began_costs_nothing() -> None:
    async def use(made: Stepwise) -> None:
        async with AsyncSandbox(made) as sandbox:
            running = asyncio.create_task(sandbox.exec(HELLO))
            await until(made.began)
            second = asyncio.create_task(sandbox.exec(["touch", "second"]))
            await asyncio.sleep(0)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            made.may_end.set()
            assert (await running).ok
            assert (await sandbox.exec(["ls"])).stdout == b""

    asyncio.run(use(Stepwise()))


def test_a_sandbox_that_nobody_waits_for_any_more_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    began, go, made = threading.Event(), threading.Event(), Slow()

    def create_late(*arguments: object, **options: object) -> Slow:
        began.set()
        assert go.wait(60)
        return made

    monkeypatch.setattr("palestra.sandbox.create", create_late)

    async def use() -> None:
        asking = asyncio.create_task(aio.create())
        await until(began)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        go.set()
        await until(made.is_closed)

    asyncio.run(use())
    assert all_ended()


def test_a_loop_that_ends_in_mid_program_leaves_nothing() -> None:
    made = Slow()

    async def walk_away() -> None:
        asyncio.get_running_loop().create_task(AsyncSandbox(made).exec(HELLO))
        await until(made.began)

    asyncio.run(walk_away())
    assert made.is_closed.wait(60)
    assert all_ended()


def test_loops_may_come_and_go() -> None:
    sandbox = asyncio.run(aio.create())
    for number in range(3):
        result = asyncio.run(sandbox.exec(Python(f"print({number})")))
        assert result.stdout == b"%d\n" % number
    asyncio.run(sandbox.close())
    assert all_ended()


def test_a_shell_is_awaited_on_its_sandboxes_thread() -> None:
    async def use() -> None:
        inner = ObedientShell(gives_way_to=b"\x04")
        shell, lane = AsyncShell(inner, lane := Lane("test")), lane
        result = await shell.run("cat", timeout_s=0.5)
        assert (result.timed_out, set(result.output)) == (True, {ord(".")})
        assert not await shell.is_idle()
        await shell.send(b"\x04")
        assert (await shell.wait(timeout_s=5)).exit_code == 130
        await shell.resize(24, 80)
        assert inner.typed == b"\x0424x80"
        assert await shell.read() == b"shown"
        await shell.close()
        assert inner.is_closed
        lane.close()

    asyncio.run(use())


@pytest.mark.parametrize(("gives_way_to", "typed"), [(b"\x03", b"\x03"), (b"\x1c", b"\x03\x1c"), (b"", b"\x03\x1c")])
def test_a_line_that_nobody_waits_for_is_ended(
    gives_way_to: bytes, typed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aio, "_GIVE_WAY_S", 0.05)

    async def use() -> None:
        inner, lane = ObedientShell(gives_way_to), Lane("test")
        running = asyncio.create_task(AsyncShell(inner, lane).run("sleep 100", timeout_s=100))
        await until(inner.began)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        lane.close(wait=True)
        assert inner.typed == typed
        assert inner.is_closed == (gives_way_to == b"")

    asyncio.run(use())


def test_a_native_shell_goes_on_after_a_line_that_nobody_waits_for() -> None:
    async def use() -> None:
        async with await aio.create(Spec(terminal=True)) as sandbox:
            shell = await sandbox.shell()
            await shell.run("cd /tmp; x=1")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await shell.run("echo begun; sleep 100", timeout_s=100)
            result = await shell.run("echo $x in $PWD")
            assert (result.output.strip(), result.exit_code) == (b"1 in /tmp", 0)
            twin = await sandbox.fork()
            assert (await (await twin.shell()).run("pwd")).output.strip() == b"/tmp"
            await twin.close()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await sandbox.exec(["sleep", "100"], limits=LONG)

    asyncio.run(use())
    assert all_ended()


def test_a_closed_lane_takes_no_more_calls_and_ends_what_it_has() -> None:
    lane, go = Lane("test"), threading.Event()
    waiting = [lane.submit(lambda: go.wait(60)), lane.submit(lambda: True)]
    lane.close()
    with pytest.raises(InfraError, match="make another"):
        lane.submit(lambda: None)
    go.set()
    assert [future.result(60) for future in waiting] == [True, True]
    lane.close(wait=True)
    assert all_ended()


def test_a_lane_goes_with_its_last_reference() -> None:
    assert Lane("test").submit(lambda: 1).result(60) == 1
    assert all_ended()


def test_no_thread_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    lane = Lane("test")
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(InfraError, match="end some threads"):
            lane.submit(lambda: 1)
    assert lane.submit(lambda: 2).result(60) == 2
    lane.close()


def test_the_process_backend_serves_tasks_at_once() -> None:
    async def one(number: int) -> bytes:
        sandbox = AsyncSandbox(ProcessBackend().create(Spec()))
        async with sandbox:
            return (await sandbox.exec(Python(f"print({number})"))).stdout

    async def use() -> list[bytes]:
        return await asyncio.gather(*(one(number) for number in range(4)))

    with closing(ProcessBackend().create(Spec())) as plain:
        assert plain.exec(HELLO).stdout == b"hello\n"
    assert asyncio.run(use()) == [b"0\n", b"1\n", b"2\n", b"3\n"]
