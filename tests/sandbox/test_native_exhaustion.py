"""Programs that try to bring a native sandbox, or the host, down."""

import textwrap

from palestra.sandbox.base import ExecResult, Limits, Python, Sandbox


def run(sandbox: Sandbox, source: str, **options: object) -> ExecResult:
    """Run an indented Python source."""
    return sandbox.exec(Python(textwrap.dedent(source)), **options)  # type: ignore[arg-type]


def still_works(sandbox: Sandbox) -> bool:
    """Whether the same slot runs the next program as if nothing had been."""
    return run(sandbox, "print(6 * 7)").stdout == b"42\n"


def test_a_memory_bomb_is_an_answer_and_not_a_fault(native: Sandbox) -> None:
    result = run(native, "x = bytearray(b'x') * (1 << 30)", limits=Limits(memory_bytes=64 << 20))
    assert (result.oom, result.ok, result.timed_out) == (True, False, False)
    assert still_works(native)


def test_memory_is_counted_over_the_whole_tree(native: Sandbox) -> None:
    source = """
        import os
        for _ in range(8):
            if os.fork() == 0:
                block = bytearray(b"x") * (30 << 20)
                os.kill(os.getpid(), 19)
        raise SystemExit(sum(os.WTERMSIG(os.waitpid(-1, 2)[1] & 127) == 9 for _ in range(8)) > 0)
    """
    result = run(native, source, limits=Limits(memory_bytes=96 << 20, wall_s=20))
    assert result.oom
    assert still_works(native)


def test_shared_memory_and_files_are_memory_too(native: Sandbox) -> None:
    limits = Limits(memory_bytes=64 << 20, disk_bytes=512 << 20, file_bytes=512 << 20)
    mapped = "import mmap; m = mmap.mmap(-1, 200 << 20); [m.write(b'x' * 4096) for _ in range(50000)]"
    assert run(native, mapped, limits=limits).oom
    in_tmp = "f = open('/tmp/big', 'wb'); [f.write(b'x' * 65536) for _ in range(3200)]"
    assert run(native, in_tmp, limits=limits).oom
    assert still_works(native)


def test_a_full_workspace_does_not_starve_the_next_program(native: Sandbox) -> None:
    """What lies in the workspace is memory, but not the next program's fault."""
    fill = "import itertools\nfor i in itertools.count(): open(f'f{i}', 'wb').write(b'x' * (1 << 20))"
    limits = Limits(memory_bytes=40 << 20)
    for _ in range(3):
        run(native, fill, limits=limits)
    result = run(native, "x = bytearray(b'x') * (20 << 20); print(len(x))", limits=limits)
    assert result.stdout == b"20971520\n", result
    assert len(native.snapshot().data) > 30 << 20


def test_a_fork_bomb_stops_at_the_limit(native: Sandbox) -> None:
    source = """
        import os, time
        started = 0
        while True:
            try:
                if os.fork() == 0:
                    time.sleep(60)
                started += 1
            except BlockingIOError:
                print(started)
                break
    """
    for processes in (1, 2, 20):
        result = run(native, source, limits=Limits(processes=processes))
        assert (int(result.stdout), result.exit_code) == (processes - 1, 0)
    native.write("x", b"")  # the file server is not counted
    assert int(run(native, source, limits=Limits(processes=20)).stdout) == 19
    endless = run(
        native, "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", limits=Limits(wall_s=0.5)
    )
    assert endless.timed_out
    assert still_works(native)


def test_orphans_are_collected(native: Sandbox) -> None:
    """More of them than processes are allowed at once, so their remains must go."""
    source = """
        import os, time

        def fork():
            for _ in range(1000):  # on a busy machine the last orphans may still be about to end
                try:
                    return os.fork()
                except BlockingIOError:
                    time.sleep(0.002)
            os._exit(1)

        for number in range(60):
            if fork() == 0:
                if fork() == 0:
                    os._exit(0)
                os._exit(0)
            os.wait()
        print("all")
    """
    result = run(native, source, limits=Limits(processes=10))
    assert result.stdout == b"all\n", result


def test_a_thread_bomb_stops_at_the_limit(native: Sandbox) -> None:
    source = """
        import threading, time
        for started in range(10_000):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    """
    result = run(native, source)
    assert b"can't start new thread" in result.stderr
    assert still_works(native)


def test_a_disk_bomb_stops_at_the_limit(native: Sandbox) -> None:
    source = """
        import errno, sys
        for place in ("/workspace", "/tmp", "/dev/shm"):
            written = 0
            try:
                for i in range(1000):
                    with open(f"{place}/file{i}", "wb") as file:
                        file.write(bytes(1 << 20))
                    written += 1
            except OSError as error:
                print(written, errno.errorcode[error.errno])
    """
    result = run(native, source, limits=Limits(disk_bytes=8 << 20))
    work, tmp, _ = result.stdout.decode().splitlines()
    assert tmp in ("7 ENOSPC", "8 ENOSPC")
    assert work in ("63 ENOSPC", "64 ENOSPC")  # the workspace's size is that of the sandbox
    assert still_works(native)


def test_a_bomb_of_empty_files_stops(native: Sandbox) -> None:
    result = run(native, "for i in range(10**6): open(f'/workspace/{i}', 'w').close()", limits=Limits(wall_s=30))
    assert b"No space left" in result.stderr
    assert still_works(native)


def test_descriptors_run_out(native: Sandbox) -> None:
    result = run(native, "import os\nheld = [os.dup(0) for _ in range(10_000)]")
    assert b"Too many open files" in result.stderr
    assert still_works(native)


def test_killing_everything_kills_only_itself(native: Sandbox) -> None:
    source = """
        import os
        for target in (1, 0, -1):
            for number in (15, 9):
                try:
                    if target:
                        os.kill(target, number)
                except OSError:
                    pass
                print(target, number, flush=True)
    """
    result = run(native, source)
    assert (result.stdout.count(b"\n"), result.exit_code) == (6, 0)
    assert run(native, "import os; os.killpg(0, 9)").signal == 9
    assert still_works(native)
