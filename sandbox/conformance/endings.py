"""Laws about limits: what ends a program, and that all of it ends."""

import signal

import pytest

from palestra.sandbox.base import MIB, Backend, Limits, Python, Sandbox
from palestra.sandbox.conformance.case import Case, Create, run

_HEARTBEAT = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for descriptor in range(3):
            os.close(descriptor)
        for beat in range(2000):
            with open("beat", "w") as file:
                file.write(str(beat))
            time.sleep(0.005)
    os._exit(0)
while not os.path.exists("beat"):
    time.sleep(0.005)
"""
_FORKS = """
import os, time
started = 0
while started < 200:
    try:
        if os.fork() == 0:
            time.sleep(60)
        started += 1
    except BlockingIOError:
        break
print(started)
"""
_FILL = """
import errno
written = 0
try:
    for number in range(100):
        with open(f"{place}/fill{number}", "wb") as file:
            for _ in range(4):
                file.write(bytes(1 << 18))
                file.flush()
                written += 1
    print(written, "all")
except OSError as error:
    print(written, errno.errorcode[error.errno])
"""


class EndingLaws(Case):
    """Time, processes, memory, files and descriptors that a program may use."""

    @pytest.mark.parametrize(
        "source",
        [
            "import time; time.sleep(60)",
            "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 15)]; time.sleep(60)",
            "import os, time; os.fork() or os.setsid(); time.sleep(60)",
        ],
        ids=["asleep", "deaf", "with a daemon"],
    )
    def test_the_wall_clock_ends_a_program(self, sandbox: Sandbox, source: str) -> None:
        result = sandbox.exec(Python(source), limits=Limits(wall_s=0.3))
        assert (result.timed_out, result.ok, result.oom) == (True, False, False)
        assert result.signal == signal.SIGKILL
        assert run(sandbox, "print(1)").stdout == b"1\n"

    def test_the_wall_clock_of_the_spec_counts(self, create: Create) -> None:
        sandbox = create(limits=Limits(wall_s=0.3))
        assert sandbox.exec(["sleep", "3"]).timed_out
        assert not sandbox.exec(["sleep", "0.5"], limits=Limits(wall_s=30.0)).timed_out

    def test_output_before_a_timeout_is_kept(self, sandbox: Sandbox) -> None:
        source = "print('so far', flush=True); __import__('time').sleep(60)"
        result = run(sandbox, source, limits=Limits(wall_s=1))
        assert (result.stdout, result.timed_out) == (b"so far\n", True)

    def test_the_processor_time_ends_a_program(self, sandbox: Sandbox) -> None:
        result = run(sandbox, "while True: pass", limits=Limits(cpu_s=1, wall_s=30))
        assert (result.timed_out, result.ok) == (True, False)

    def test_processor_time_cannot_be_got_by_ignoring_its_signal(self, sandbox: Sandbox) -> None:
        source = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
        result = run(sandbox, source, limits=Limits(cpu_s=1, wall_s=30))
        assert (result.timed_out, result.ok) == (True, False)

    @pytest.mark.parametrize("end", ["", "time.sleep(60)", "os.kill(os.getpid(), 9)"], ids=["exit", "timeout", "kill"])
    def test_no_process_outlives_its_program(self, sandbox: Sandbox, end: str) -> None:
        """A daemon, forked twice into a session of its own, stops writing, however the program ends."""
        result = sandbox.exec(Python(_HEARTBEAT + end), limits=Limits(wall_s=1.0 if "sleep" in end else 60.0))
        assert result.timed_out == ("sleep" in end)
        last = run(sandbox, "print(open('beat').read())").stdout
        after = run(sandbox, "import time; time.sleep(0.1); print(open('beat').read())").stdout
        assert last == after != b""

    def test_one_file_cannot_grow_beyond_its_limit(self, sandbox: Sandbox) -> None:
        result = run(sandbox, "open('big', 'wb').write(b'x' * 3_000_000)", limits=Limits(file_bytes=1 << 20))
        assert b"File too large" in result.stderr
        assert len(sandbox.read("big")) <= 1 << 20

    def test_a_process_cannot_have_more_memory_than_its_limit(self, sandbox: Sandbox) -> None:
        source = "x = bytearray(b'x') * 400_000_000; print('held')"
        result = run(sandbox, source, limits=Limits(memory_bytes=100 << 20))
        assert (result.stdout, result.ok) == (b"", False)
        assert result.oom or b"MemoryError" in result.stderr
        assert run(sandbox, "print(1)").stdout == b"1\n"

    def test_memory_is_counted_over_the_whole_tree(self, backend: Backend, sandbox: Sandbox) -> None:
        """No child has more than the limit, but all together have."""
        if not self.claims(backend, "memory_tree"):
            return
        source = """
            import os
            for _ in range(8):
                if os.fork() == 0:
                    block = bytearray(b"x") * (30 << 20)
                    os.kill(os.getpid(), 19)
            raise SystemExit(sum(os.WTERMSIG(os.waitpid(-1, 2)[1] & 127) == 9 for _ in range(8)) > 0)
        """
        result = run(sandbox, source, limits=Limits(memory_bytes=96 << 20, wall_s=20))
        assert result.oom
        assert run(sandbox, "print(1)").stdout == b"1\n"

    def test_a_fork_bomb_stops_at_the_limit(self, backend: Backend, sandbox: Sandbox) -> None:
        if not self.claims(backend, "process_count"):
            return
        result = run(sandbox, _FORKS, limits=Limits(processes=20, wall_s=30))
        assert 0 < int(result.stdout) < 20
        endless = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
        assert run(sandbox, endless, limits=Limits(wall_s=0.5)).timed_out
        assert run(sandbox, "print(1)").stdout == b"1\n"

    def test_a_thread_bomb_stops_at_the_limit(self, backend: Backend, sandbox: Sandbox) -> None:
        if not self.claims(backend, "process_count"):
            return
        source = """
            import threading, time
            for started in range(10_000):
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        """
        assert b"can't start new thread" in run(sandbox, source).stderr
        assert run(sandbox, "print(1)").stdout == b"1\n"

    def test_a_disk_bomb_stops_at_the_limit(self, backend: Backend, create: Create) -> None:
        """Wherever a read-only system leaves room to write, that room is bounded."""
        if not self.claims(backend, "read_only_root"):
            return
        sandbox = create(limits=Limits(disk_bytes=8 * MIB))
        for place in ("/workspace", "/tmp"):
            result = run(sandbox, f"place = {place!r}\n{_FILL}", limits=Limits(disk_bytes=8 * MIB, wall_s=30))
            written, error = result.stdout.split()
            assert error in (b"ENOSPC", b"EDQUOT"), f"{int(written) / 4} MiB were written to {place}"
            assert 16 <= int(written) <= 32, "a quarter MiB each"
            sandbox.exec(["sh", "-c", "rm -f fill* /tmp/fill*"])
        assert run(sandbox, "print(1)").stdout == b"1\n"

    def test_descriptors_run_out(self, sandbox: Sandbox) -> None:
        result = run(sandbox, "import os\nheld = [os.dup(0) for _ in range(100_000)]")
        assert b"Too many open files" in result.stderr
        assert run(sandbox, "print(1)").stdout == b"1\n"

    def test_killing_everything_kills_only_itself(self, backend: Backend, sandbox: Sandbox) -> None:
        """Not tried where other processes can be seen: they could be reached."""
        if not self.claims(backend, "pid_hidden"):
            return
        source = """
            import os
            for target in (1, -1):
                for number in (15, 9):
                    try:
                        os.kill(target, number)
                    except OSError:
                        pass
                    print(target, number, flush=True)
        """
        result = run(sandbox, source)
        assert result.timed_out is False
        assert result.exit_code == 0 or result.signal in (15, 9)
        assert run(sandbox, "print(1)").stdout == b"1\n"
