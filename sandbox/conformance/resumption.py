"""Laws about snapshots that hold what runs: it goes on in the restored sandbox and in the fork from where it stood.

They are tried where `process_snapshot` is claimed; where it is not, a snapshot refuses what it would lose.
"""

import contextlib

import pytest

from palestra.sandbox.base import Backend, Sandbox, SavedSnapshot
from palestra.sandbox.conformance.case import Case, Create, eventually
from palestra.sandbox.conformance.shell import eventually_reads, shown

_COUNTER = "(n={start}; while :; do echo $((n+=1)) >/var/count.new; mv /var/count.new /var/count; sleep 0.02; done) &"
_FAR = 100_000  # no counter of a test comes this far by itself
_LIVES = """
import os, select, socket, sqlite3, threading, time
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
served = server.accept()[0]
near, far = socket.socketpair()
poll = select.epoll(); poll.register(far)
os.mkfifo("/var/fifo"); fifo = os.open("/var/fifo", os.O_RDWR)
gone = open("/var/gone", "w+"); gone.write("gone"); gone.flush(); os.unlink("/var/gone")
table = sqlite3.connect("/var/table"); table.execute("create table t (n)")
beats = []
threading.Thread(target=lambda: [beats.append(time.sleep(0.01)) for _ in range(10**9)], daemon=True).start()
while True:
    before = len(beats)
    client.send(b"a"); near.send(b"b"); os.write(fifo, b"c"); table.execute("insert into t values (1)"); gone.seek(0)
    seen = served.recv(1) + far.recv(1) + os.read(fifo, 1) + gone.read().encode()
    time.sleep(0.1)
    with open("/var/lives.new", "w") as file:
        file.write(f"{seen.decode()} {len(beats) > before}\\n")
    os.rename("/var/lives.new", "/var/lives")
"""


class ResumptionLaws(Case):
    """Processes, jobs, the shell and its terminal, in a snapshot, in what is restored from it, and in a fork."""

    @pytest.fixture
    def counting(self, backend: Backend, create: Create) -> Sandbox | None:
        """A sandbox whose shell has a counter in the background, which goes on from `_FAR`; None if none is claimed."""
        if not self.claims(backend, "process_snapshot"):
            return None
        sandbox = create()
        sandbox.shell().run(_COUNTER.format(start=_FAR))
        assert eventually(lambda: _count(sandbox) > _FAR)
        return sandbox

    def test_what_runs_goes_on_beside_a_snapshot(self, counting: Sandbox | None) -> None:
        if counting is None:
            return
        counting.snapshot()
        assert _goes_on(counting, beyond=_FAR)

    def test_a_counter_goes_on_in_what_is_restored(self, counting: Sandbox | None) -> None:
        if counting is None:
            return
        snapshot = counting.snapshot()
        highest = _count(counting)
        counting.shell().run("kill %1; wait; echo 7 >/var/count")
        for _ in range(2):
            counting.restore(snapshot)
            assert _FAR < _count(counting) <= highest + 50, "from where it was, not from where it came to"
            assert _goes_on(counting, beyond=_FAR)

    def test_a_counter_goes_on_in_every_fork(self, counting: Sandbox | None) -> None:
        if counting is None:
            return
        with contextlib.closing(counting.fork()) as first, contextlib.closing(counting.fork()) as second:
            first.shell().run("kill %1; wait")
            stopped = _count(first)
            second.shell().run("kill %1; wait 2>/dev/null; " + _COUNTER.format(start=5))
            assert _goes_on(counting, beyond=_FAR)
            assert eventually(lambda: 5 < _count(second) < _FAR)
            assert _count(first) == stopped
            with contextlib.closing(second.fork()) as third:
                second.close()
                assert _goes_on(third, beyond=5)

    def test_it_crosses_to_another_sandbox_as_bytes(self, counting: Sandbox | None, create: Create) -> None:
        if counting is None:
            return
        snapshot = counting.snapshot()
        carried = SavedSnapshot(bytes(snapshot.data), snapshot.digest)
        counting.close()
        other = create()
        other.shell().run("was=other; sleep 4321 &")
        other.restore(carried)
        assert _goes_on(other, beyond=_FAR)
        assert b"4321" not in other.shell().run("jobs").output

    def test_the_shell_its_variables_and_its_jobs_survive(self, counting: Sandbox | None) -> None:
        if counting is None:
            return
        shell = counting.shell()
        shell.run("cd /opt; plain=1; export PASSED=2; greet() { echo hello $1; }; alias ll='echo aliased'; (exit 7)")
        snapshot = counting.snapshot()
        assert shown(shell.run("echo $?").output) == b"7\n", "a snapshot changes nothing"
        with contextlib.closing(counting.fork()) as twin:
            counting.restore(snapshot)
            for sandbox, status in ((counting, b"7"), (twin, b"0")):
                told = sandbox.shell().run("echo $? $plain $PASSED $PWD; greet you; ll; tty")
                assert shown(told.output).startswith(status + b" 1 2 /opt\nhello you\naliased\n/dev/"), told.output
                assert b"Running" in sandbox.shell().run("jobs %1").output
                assert sandbox.shell().run("kill %1; wait %1").exit_code == 128 + 15

    def test_a_program_that_reads_the_terminal_goes_on_reading(self, counting: Sandbox | None) -> None:
        if counting is None:
            return
        shell = counting.shell()
        assert shell.run("read -r first; read -r second; echo $second $first", timeout_s=0.3).timed_out
        shell.send(b"one\n")
        with contextlib.closing(counting.fork()) as twin:
            for sandbox, word in ((twin, b"twin"), (counting, b"parent")):
                assert not sandbox.shell().is_idle
                sandbox.shell().send(word + b"\n")
                result = sandbox.shell().wait(timeout_s=60.0)
                assert (shown(result.output), result.exit_code) == (word + b" one\n", 0)

    def test_a_python_prompt_is_talked_to_in_a_fork(self, counting: Sandbox | None) -> None:
        if counting is None:
            return
        shell = counting.shell()
        assert shell.run("python3 -q -i", timeout_s=1.0).timed_out
        shell.send(b"kept = 6 * 7\n")
        with contextlib.closing(counting.fork()) as twin:
            twin.shell().send(b"print('kept', kept + 1)\n")
            assert eventually_reads(twin.shell(), b"kept 43")
            twin.shell().send(b"exit()\n")
            assert twin.shell().wait(timeout_s=60.0).exit_code == 0
            assert not shell.is_idle
            shell.send(b"print('kept', kept)\n")
            assert eventually_reads(shell, b"kept 42")

    def test_what_was_shown_and_not_read_is_shown_in_the_fork_too(self, counting: Sandbox | None) -> None:
        if counting is None:
            return
        shell = counting.shell()
        shell.send(b"echo shown; sleep 0.4; echo later\n")
        with contextlib.closing(counting.fork()) as twin:
            for sandbox in (twin, counting):
                assert shown(sandbox.shell().wait(timeout_s=60.0).output) == b"shown\nlater\n"

    def test_sockets_files_and_threads_live_on(self, counting: Sandbox | None) -> None:
        if counting is None:
            return
        counting.write("/opt/lives.py", _LIVES.encode())
        counting.shell().run("python3 /opt/lives.py &")
        lives = ["sh", "-c", "rm -f /var/lives; while ! test -e /var/lives; do sleep 0.05; done; cat /var/lives"]
        snapshot = counting.snapshot()
        assert counting.exec(lives).stdout == b"abcgone True\n"
        with contextlib.closing(counting.fork()) as twin:
            assert twin.exec(lives).stdout == b"abcgone True\n"
        counting.restore(snapshot)
        assert counting.exec(lives).stdout == b"abcgone True\n"

    def test_processes_are_ended_where_that_is_asked_for(self, counting: Sandbox | None) -> None:
        if counting is None:
            return
        with contextlib.closing(counting.fork(end_processes=True)) as twin:
            for sandbox in (counting, twin):
                last = _count(sandbox)
                sandbox.exec(["sleep", "0.2"])
                assert _count(sandbox) == last

    def test_restore_ends_what_was_started_since(self, counting: Sandbox | None) -> None:
        if counting is None:
            return
        snapshot = counting.snapshot()
        counting.shell().run("while :; do date +%N >/var/since; sleep 0.02; done &")
        counting.restore(snapshot)
        assert counting.exec(["sh", "-c", "sleep 0.2; test -e /var/since"]).exit_code == 1


def _count(sandbox: Sandbox) -> int:
    told = sandbox.exec(["cat", "/var/count"])
    return int(told.stdout) if told.ok else 0


def _goes_on(sandbox: Sandbox, *, beyond: int) -> bool:
    first = _count(sandbox)
    return first > beyond and eventually(lambda: _count(sandbox) > first)
