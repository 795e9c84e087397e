"""Laws about a sandbox's life: many at once, its end, and that nothing is left of it."""

import contextlib
import gc
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from palestra.sandbox.base import Backend, Limits, Python, Sandbox
from palestra.sandbox.conformance.case import HELLO, Case, Create, eventually, run


class LifecycleLaws(Case):
    """Creating, using side by side, closing."""

    def test_a_sandbox_is_what_the_protocol_says(self, backend: Backend, sandbox: Sandbox) -> None:
        assert isinstance(sandbox, Sandbox)
        assert sandbox.capabilities == backend.probe()
        assert backend.name

    def test_a_new_sandbox_is_empty(self, create: Create) -> None:
        for number in range(3):
            with contextlib.closing(create()) as sandbox:
                assert sandbox.exec(["ls", "-A", "."]).stdout == b""
                sandbox.write(f"file{number}", b"x")
                sandbox.exec(["sh", "-c", "chmod 000 . ; true"])

    def test_two_sandboxes_see_nothing_of_each_other(self, create: Create) -> None:
        first, second = create(), create()
        first.write("name", b"first")
        second.write("name", b"second")
        assert first.exec(["cat", "name"]).stdout == b"first"
        assert second.exec(["cat", "name"]).stdout == b"second"
        first.close()
        assert second.exec(["cat", "name"]).stdout == b"second"

    def test_two_programs_run_at_once(self, create: Create) -> None:
        """Each begins before the other has ended, by the clock that both see."""
        both = [create(), create()]
        source = "import time; begun = time.time(); time.sleep(1); print(begun, time.time())"

        def work(sandbox: Sandbox) -> list[float]:
            return [float(word) for word in run(sandbox, source, limits=Limits(wall_s=60.0)).stdout.split()]

        with ThreadPoolExecutor(2) as threads:
            (first_begun, first_ended), (second_begun, second_ended) = threads.map(work, both)
        assert first_begun < second_ended
        assert second_begun < first_ended

    def test_sandboxes_work_in_threads(self, create: Create) -> None:
        def work(number: int) -> bool:
            with contextlib.closing(create()) as sandbox:
                sandbox.write("number", str(number).encode())
                show = Python("print(open('number').read(), input())")
                outputs = [sandbox.exec(show, stdin=b"%d\n" % i).stdout for i in range(3)]
                return outputs == [b"%d %d\n" % (number, i) for i in range(3)]

        with ThreadPoolExecutor(4) as threads:
            assert all(threads.map(work, range(6)))

    def test_closing_twice_is_fine(self, create: Create) -> None:
        sandbox = create()
        sandbox.close()
        sandbox.close()

    @pytest.mark.parametrize(
        "use",
        [
            lambda sandbox: sandbox.exec(["true"]),
            lambda sandbox: sandbox.read("x"),
            lambda sandbox: sandbox.write("x", b""),
            lambda sandbox: sandbox.snapshot(),
            lambda sandbox: sandbox.fork(),
        ],
        ids=["exec", "read", "write", "snapshot", "fork"],
    )
    def test_using_a_closed_sandbox_is_refused(self, create: Create, use: Callable[[Sandbox], object]) -> None:
        sandbox = create()
        sandbox.write("x", b"1")
        sandbox.close()
        with pytest.raises(ValueError, match="closed"):
            use(sandbox)

    def test_restoring_a_closed_sandbox_is_refused(self, create: Create) -> None:
        sandbox = create()
        snapshot = sandbox.snapshot()
        sandbox.close()
        with pytest.raises(ValueError, match="closed"):
            sandbox.restore(snapshot)

    def test_nothing_is_left_behind(self, create: Create, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """No process, descriptor, mount, control group or temporary file more than after the first use."""
        self._use(create)
        gc.collect()
        before = self.leftovers()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        for _ in range(2):
            self._use(create)
        gc.collect()
        assert eventually(lambda: not self.left_since(before)), self.left_since(before)
        assert not list(tmp_path.iterdir())

    def test_many_programs_leave_nothing(self, sandbox: Sandbox) -> None:
        def work() -> None:
            sandbox.exec(HELLO)
            sandbox.exec(["no-such-command"])
            sandbox.exec(["sh", "-c", "sleep 60 & exit 0"])
            sandbox.write("x", b"")
            sandbox.read("x")

        work()
        before = self.leftovers()
        for _ in range(10):
            work()
        assert eventually(lambda: not self.left_since(before)), self.left_since(before)

    def _use(self, create: Create) -> None:
        """Do all that could leave something."""
        with contextlib.closing(create()) as first, contextlib.closing(create()) as second:
            first.write("x", b"1")
            second.exec(["sh", "-c", "sleep 100 & exit 0"])
            second.exec(["sleep", "60"], limits=Limits(wall_s=0.2))
            run(second, "x = bytearray(b'x') * 10**9", limits=Limits(memory_bytes=64 << 20))
            with contextlib.closing(first.fork()) as twin:
                first.restore(twin.snapshot())
                assert twin.read("x") == b"1"
