"""Laws about the machine of a terminal sandbox: its root, its processes, its snapshots."""

import contextlib
import io
import os
import tarfile

import pytest

from palestra.sandbox.base import (
    Backend,
    Limits,
    ProcessesRunningError,
    Python,
    Sandbox,
    SandboxFileError,
    SavedSnapshot,
)
from palestra.sandbox.conformance.case import Case, Create, eventually, run
from palestra.sandbox.conformance.shell import shown

_BEATS = "while :; do date +%s%N > /var/beat; sleep 0.02; done"
_DAEMON = f"nohup setsid sh -c '{_BEATS}' >/dev/null 2>&1 </dev/null &"
_STATE = "cd /opt; plain='a b'; export PASSED='c \"d'; greet() { echo \"hello $1\"; }; alias ll='echo aliased'; set -f"
_SHOW_STATE = 'pwd; echo "$plain"; sh -c \'echo "$PASSED"\'; greet you; ll; case $- in *f*) echo f;; esac'
_STATE_SHOWN = b'/opt\na b\nc "d\nhello you\naliased\nf\n'


class MachineLaws(Case):
    """A writable root that lasts, an inner root, and what a snapshot makes of all that."""

    deep = 70
    """How many snapshots on top of each other a sandbox must bear: more than a mount takes."""

    def test_the_whole_machine_is_written_to_and_lasts(self, sandbox: Sandbox) -> None:
        made = run(
            sandbox,
            """
            import os
            for folder in ("/etc", "/usr/local/bin", "/opt", "/var/lib", "/root", "/home", "/tmp", "/srv"):
                os.makedirs(folder, exist_ok=True)
                open(folder + "/palestra-law", "w").write("x")
            open("/usr/local/bin/tool", "w").write("#!/bin/sh\\necho tool\\n"); os.chmod("/usr/local/bin/tool", 0o755)
            os.remove("/usr/bin/env")
            """,
        )
        assert made.ok, made.stderr
        assert sandbox.exec(["tool"]).stdout == b"tool\n"
        assert (
            sandbox.exec(["sh", "-c", "cat /etc/palestra-law /tmp/palestra-law; test -e /usr/bin/env"]).stdout == b"xx"
        )
        for path in ("/etc/palestra-law", "/usr/local/bin/tool"):
            assert not os.path.exists(path), "nothing of it reached the host"
        assert os.path.exists("/usr/bin/env")

    def test_a_new_machine_has_nothing_of_another(self, create: Create) -> None:
        with contextlib.closing(create()) as first:
            first.exec(["sh", "-c", "echo x > /etc/palestra-law; rm /usr/bin/env"])
        second = create()
        assert second.exec(["sh", "-c", "test ! -e /etc/palestra-law && test -e /usr/bin/env"]).ok

    def test_files_cross_by_absolute_path(self, sandbox: Sandbox) -> None:
        sandbox.write("/etc/palestra.d/conf", b"one")
        sandbox.write("relative", b"two")
        assert sandbox.exec(["cat", "/etc/palestra.d/conf", "/workspace/relative"]).stdout == b"onetwo"
        sandbox.exec(["sh", "-c", "echo three > /var/three"])
        assert sandbox.read("/var/three") == b"three\n"
        assert sandbox.read("/workspace/relative") == b"two"

    @pytest.mark.parametrize(
        "path",
        ["/../etc/passwd", "/proc/self/root/etc/passwd", "/proc/1/environ", "/dev/null", "/dev/ptmx", "/link/passwd"],
    )
    def test_files_that_are_none_or_lie_behind_a_link_are_refused(self, sandbox: Sandbox, path: str) -> None:
        assert sandbox.exec(["ln", "-s", "/etc", "/link"]).ok
        for action in (lambda: sandbox.read(path), lambda: sandbox.write(path, b"x")):
            with pytest.raises(SandboxFileError):
                action()

    def test_a_folder_that_keeps_turning_into_a_link_reaches_nothing(self, sandbox: Sandbox) -> None:
        """Whenever the host looks, it finds the file inside or refuses; the host's own file it never finds."""
        sandbox.exec(["sh", "-c", "mkdir -p /race/real; echo inside > /race/real/passwd; ln -s /etc /race/link"])
        swap = "cd /race; while :; do mv -T real at; mv -T at real; ln -sfn link at; rm at; done 2>/dev/null &"
        sandbox.shell().run(swap)
        found = set()
        for _ in range(150):
            with contextlib.suppress(SandboxFileError):
                found.add(sandbox.read("/race/at/passwd"))
            with contextlib.suppress(SandboxFileError):
                sandbox.write("/race/at/new", b"x")
        assert found <= {b"inside\n"}
        assert sandbox.exec(["test", "-e", "/etc/new"]).exit_code == 1

    @pytest.mark.parametrize(
        "line",
        ["rm -rf /workspace", "rm -r /workspace; echo x > /workspace", "rm -r /workspace; ln -s workspace /workspace"],
        ids=["gone", "a file", "a loop"],
    )
    def test_a_machine_whose_workspace_was_taken_away_works_on(self, sandbox: Sandbox, line: str) -> None:
        """What a program does to its machine is its result, and never a fault."""
        sandbox.shell().run("cd /; " + line)
        snapshot = sandbox.snapshot()
        for _ in range(2):
            assert sandbox.exec(["echo", "works"]).stdout == b"works\n"
            assert shown(sandbox.shell().run("echo works").output) == b"works\n"
            sandbox.restore(snapshot)
        sandbox.write("/srv/file", b"x")
        assert sandbox.read("/srv/file") == b"x"

    def test_programs_are_root_inside(self, sandbox: Sandbox) -> None:
        assert run(sandbox, "import os; print(os.getuid(), os.getgid())").stdout == b"0 0\n"
        assert shown(sandbox.shell().run("id -u").output) == b"0\n"

    def test_root_inside_has_other_users(self, backend: Backend, sandbox: Sandbox) -> None:
        """As only a backend can have it that may give several of the host's user ids away."""
        if not self.claims(backend, "inner_root"):
            return
        source = """
            import os
            open("/var/owned", "w").close(); os.chown("/var/owned", 1000, 1000)
            assert os.stat("/var/owned").st_uid == 1000
            os.makedirs("/root", exist_ok=True); os.chmod("/root", 0o700)
            if os.fork() == 0:
                os.setgroups([]); os.setgid(1000); os.setuid(1000)
                open("/var/owned", "w").write("mine")
                try:
                    open("/etc/not-mine", "w")
                except PermissionError:
                    os._exit(0)
                os._exit(1)
            raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
        """
        result = run(sandbox, source)
        assert result.ok, result.stderr

    def test_a_daemon_of_the_shell_lives_on(self, sandbox: Sandbox) -> None:
        shell = sandbox.shell()
        shell.run(_DAEMON)
        assert _beats(sandbox)
        shell.run("true")
        sandbox.exec(["true"])
        assert _beats(sandbox)

    def test_what_a_program_left_is_dead_afterwards(self, sandbox: Sandbox) -> None:
        """`exec` runs one program to its end: only the shell starts what stays."""
        sandbox.exec(["sh", "-c", f"({_DAEMON}) ; while ! test -s /var/beat; do sleep 0.02; done"])
        assert not _beats(sandbox)

    def test_a_snapshot_does_not_lose_processes_silently(self, backend: Backend, sandbox: Sandbox) -> None:
        if backend.probe().process_snapshot:  # it holds them: see `ResumptionLaws`
            return
        shell = sandbox.shell()
        shell.run("was=here; sleep 4321 & ")
        shell.run(_DAEMON)
        assert _beats(sandbox)
        for action in (sandbox.snapshot, sandbox.fork):
            with pytest.raises(ProcessesRunningError, match="sleep 4321"):
                action()
        assert _beats(sandbox), "a refusal changes nothing"
        assert shell.run("kill -0 %1").exit_code == 0
        snapshot = sandbox.snapshot(end_processes=True)
        assert not _beats(sandbox)
        assert shown(sandbox.shell().run("echo $was").output) == b"here\n"
        sandbox.restore(snapshot)
        assert not _beats(sandbox)

    def test_a_busy_shell_is_a_running_process(self, backend: Backend, sandbox: Sandbox) -> None:
        if backend.probe().process_snapshot:
            return
        shell = sandbox.shell()
        shell.run("sleep 4321", timeout_s=0.3)
        with pytest.raises(ProcessesRunningError, match="sleep 4321"):
            sandbox.snapshot()
        shell.send(b"\x03")
        shell.wait(timeout_s=30.0)
        assert sandbox.snapshot().digest

    def test_restore_ends_every_process(self, sandbox: Sandbox) -> None:
        snapshot = sandbox.snapshot()
        sandbox.shell().run(_DAEMON)
        assert _beats(sandbox)
        sandbox.restore(snapshot)
        assert not sandbox.exec(["test", "-e", "/var/beat"]).ok
        assert sandbox.exec(["sh", "-c", "sleep 0.2; test -e /var/beat"]).exit_code == 1

    def test_the_shells_state_is_restored(self, sandbox: Sandbox) -> None:
        shell = sandbox.shell()
        shell.run(_STATE)
        assert shown(shell.run(_SHOW_STATE).output) == _STATE_SHOWN
        snapshot = sandbox.snapshot()
        assert shown(sandbox.shell().run(_SHOW_STATE).output) == _STATE_SHOWN, "a snapshot changes nothing"
        sandbox.shell().run("cd /; plain=; unset PASSED; unset -f greet; unalias ll; set +f; new=1")
        for _ in range(2):
            sandbox.restore(snapshot)
            assert shown(sandbox.shell().run(_SHOW_STATE + "; echo $new").output) == _STATE_SHOWN + b"\n"

    def test_the_shells_state_crosses_as_bytes(self, create: Create) -> None:
        first, second = create(), create()
        first.shell().run(_STATE + "; echo x > /etc/palestra-law")
        snapshot = first.snapshot()
        second.shell().run("plain=other; echo y > /etc/gone")
        second.restore(SavedSnapshot(bytes(snapshot.data), snapshot.digest))
        assert shown(second.shell().run(_SHOW_STATE).output) == _STATE_SHOWN
        assert second.exec(["sh", "-c", "cat /etc/palestra-law; ls /etc/gone"]).stdout == b"x\n"

    def test_what_was_removed_since_an_earlier_snapshot_does_not_come_back_with_the_bytes(self, create: Create) -> None:
        first, second, third = create(), create(), create()
        first.exec(["sh", "-c", "mkdir -p /srv/a/b; cd /srv/a; echo 1 > one; echo 2 > two; echo 3 > b/three"])
        second.restore(first.snapshot())
        assert second.exec(["sh", "-c", "cd /srv/a; mv one uno; rm -r two b"]).ok
        snapshot = second.snapshot()
        third.restore(SavedSnapshot(bytes(snapshot.data), snapshot.digest))
        assert third.exec(["sh", "-c", "cd /srv/a; ls -A"]).stdout == b"uno\n"
        with tarfile.open(fileobj=io.BytesIO(third.collect("/srv/a"))) as archive:
            assert archive.getnames() == ["srv/a", "srv/a/uno"]

    def test_the_whole_machine_is_restored(self, sandbox: Sandbox) -> None:
        sandbox.exec(
            ["sh", "-c", "mkdir -p /opt/deep/er; echo 1 > /opt/deep/er/file; echo 1 > /opt/other; echo k > /etc/k"]
        )
        snapshot = sandbox.snapshot()
        spoil = (
            "rm -r /opt/deep; echo f > /opt/deep; mv /opt/other /opt/moved; rm /usr/bin/env; echo n > /etc/n; rm /etc/k"
        )
        assert sandbox.exec(["sh", "-c", spoil]).ok
        sandbox.restore(snapshot)
        shown_after = sandbox.exec(
            ["sh", "-c", "cat /opt/deep/er/file /opt/other /etc/k; ls /opt; ls /etc/n; ls /usr/bin/env"]
        )
        assert shown_after.stdout == b"1\n1\nk\ndeep\nother\n/usr/bin/env\n"

    def test_a_folder_made_anew_is_empty(self, sandbox: Sandbox) -> None:
        """What lay in a removed folder does not shine through the one that took its place."""
        sandbox.exec(["sh", "-c", "mkdir -p /opt/folder; echo old > /opt/folder/old"])
        sandbox.snapshot()
        sandbox.exec(["sh", "-c", "rm -r /opt/folder; mkdir /opt/folder; echo new > /opt/folder/new"])
        second = sandbox.snapshot()
        assert sandbox.exec(["ls", "/opt/folder"]).stdout == b"new\n"
        sandbox.restore(second)
        assert sandbox.exec(["ls", "/opt/folder"]).stdout == b"new\n"
        with contextlib.closing(sandbox.fork()) as twin:
            assert twin.exec(["ls", "/opt/folder"]).stdout == b"new\n"

    def test_a_fork_has_the_shell_and_goes_its_own_way(self, sandbox: Sandbox) -> None:
        sandbox.shell().run(_STATE + "; echo both > /opt/shared")
        with contextlib.closing(sandbox.fork()) as twin:
            assert shown(twin.shell().run(_SHOW_STATE).output) == _STATE_SHOWN
            twin.shell().run("plain=twin; echo twin > /opt/shared; cd /")
            sandbox.shell().run("PASSED=parent; echo more > /opt/parent")
            assert shown(sandbox.shell().run('echo "$plain"; cat /opt/shared; pwd').output) == b"a b\nboth\n/opt\n"
            assert shown(twin.shell().run('echo "$PASSED"; cat /opt/shared; ls /opt').output) == b'c "d\ntwin\nshared\n'

    def test_snapshots_may_be_piled_up(self, sandbox: Sandbox) -> None:
        snapshots = []
        for number in range(self.deep):
            sandbox.write(f"/opt/file{number}", str(number).encode())
            sandbox.write("/opt/last", str(number).encode())
            snapshots.append(sandbox.snapshot())
        assert len(sandbox.exec(["ls", "/opt"]).stdout.split()) == self.deep + 1
        for number in (0, self.deep - 1, self.deep // 2):
            sandbox.restore(snapshots[number])
            assert sandbox.read("/opt/last") == str(number).encode()
            assert len(sandbox.exec(["ls", "/opt"]).stdout.split()) == number + 2
        assert len({snapshot.digest for snapshot in snapshots}) == self.deep

    def test_memory_and_processes_are_bounded_in_the_shell_too(self, create: Create) -> None:
        sandbox = create(limits=Limits(memory_bytes=128 << 20, processes=24, wall_s=30.0))
        shell = sandbox.shell()
        if "memory_tree" in self._claimed(sandbox):
            assert shell.run("python3 -c \"x = bytearray(b'x') * (1 << 30)\"").exit_code not in (0, None)
        if "process_count" in self._claimed(sandbox):
            result = shell.run("for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4; do sleep 5 & done; done 2>&1 | cat")
            assert b"fork" in result.output.lower()
            shell.run("kill $(jobs -p) 2>/dev/null; wait 2>/dev/null")
        sandbox.shell().run("true")
        assert eventually(lambda: sandbox.exec(["true"]).ok)

    @staticmethod
    def _claimed(sandbox: Sandbox) -> set[str]:
        return {name for name in ("memory_tree", "process_count") if getattr(sandbox.capabilities, name)}


def _beats(sandbox: Sandbox) -> bool:
    """Whether the daemon is alive: its file changes."""
    source = """
import os, time
def now(): return os.path.exists("/var/beat") and os.stat("/var/beat").st_mtime_ns
before, changed = now(), False
for _ in range(25):
    time.sleep(0.02)
    changed = changed or now() != before
print(changed)
"""
    return sandbox.exec(Python(source)).stdout == b"True\n"
