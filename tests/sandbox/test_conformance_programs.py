"""What every backend promises about programs."""

import hashlib
import signal
import textwrap

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import ExecResult, Limits, Python, Sandbox, Spec


def run(sandbox: Sandbox, source: str, **options: object) -> ExecResult:
    """Run an indented Python source."""
    return sandbox.exec(Python(textwrap.dedent(source)), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", 0),
        ("raise SystemExit", 0),
        ("raise SystemExit(7)", 7),
        ("raise SystemExit(-1)", 255),
        ("raise SystemExit('no')", 1),
        ("1 / 0", 1),
        ("this is no Python", 1),
        ("import os; os._exit(5)", 5),
        ("import sys; sys.stdout = None", 0),
        ("import sys; sys.stdout.buffer.raw.close()", 0),
        ("import os; print(1); os.close(1)", 120),
        ("import sys; sys.modules.clear()", 0),
        ("x = '\\ud800'", 0),
        ("print('\\ud800'.encode('utf-8'))", 1),
    ],
)
def test_exit_codes_of_python(sandbox: Sandbox, source: str, code: int) -> None:
    result = sandbox.exec(Python(source))
    assert (result.exit_code, result.signal, result.timed_out, result.oom) == (code, None, False, False)
    assert result.ok == (code == 0)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 42"], 42),
        (["/usr/bin/env", "sh", "-c", "exit 3"], 3),
        (["no-such-command"], 127),
        (["./no-such-file"], 127),
        (["/usr"], 126),
    ],
)
def test_exit_codes_of_commands(sandbox: Sandbox, words: list[str], code: int) -> None:
    result = sandbox.exec(words)
    assert (result.exit_code, result.signal) == (code, None)
    assert bool(result.stderr) == (code > 100)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGABRT, signal.SIGXFSZ])
def test_a_signal_is_told_apart_from_an_exit_code(sandbox: Sandbox, number: signal.Signals) -> None:
    kill = (
        f"import os, signal; signal.signal({number:d}, 0) if {number:d} != 9 else 0; os.kill(os.getpid(), {number:d})"
    )
    for command in (Python(kill), ["sh", "-c", f"kill -{number:d} $$"]):
        result = sandbox.exec(command)
        assert (result.exit_code, result.signal) == (None, number)
        assert (result.ok, result.timed_out, result.oom) == (False, False, False)


def test_abort_is_a_signal(sandbox: Sandbox) -> None:
    assert run(sandbox, "import os; os.abort()").signal == signal.SIGABRT


def test_output_is_bytes_and_kept_apart(sandbox: Sandbox) -> None:
    result = run(
        sandbox,
        """
        import os, sys
        os.write(1, bytes(range(256)))
        os.write(2, b"\\xff\\x00 error")
        """,
    )
    assert (result.stdout, result.stderr, result.truncated) == (bytes(range(256)), b"\xff\x00 error", False)


def test_much_output_is_cut_and_the_program_goes_on(sandbox: Sandbox) -> None:
    result = run(sandbox, "import sys; sys.stdout.write('ab' * 5_000_000); sys.stderr.write('done')")
    assert result.stdout == b"ab" * (Limits().output_bytes // 2)
    assert (result.exit_code, result.truncated, result.stderr) == (0, True, b"done")


@pytest.mark.parametrize("size", [0, 1, 65536, 65537])
def test_output_is_cut_at_the_limit_exactly(sandbox: Sandbox, size: int) -> None:
    result = run(sandbox, f"print('x' * {size}, end='')", limits=Limits(output_bytes=65536))
    assert (len(result.stdout), result.truncated) == (min(size, 65536), size > 65536)


def test_an_endless_flood_ends(sandbox: Sandbox) -> None:
    result = sandbox.exec(["sh", "-c", "while :; do echo flood; done"], limits=Limits(file_bytes=1 << 20, wall_s=30))
    assert result.truncated
    assert not result.timed_out
    assert result.stdout.startswith(b"flood\nflood\n")


def test_large_input_is_read_in_full(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 80_000
    result = run(sandbox, "import sys, hashlib; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())", stdin=data)
    assert result.stdout.decode().strip() == hashlib.sha256(data).hexdigest()


def test_large_input_that_nobody_reads_blocks_nothing(sandbox: Sandbox) -> None:
    assert sandbox.exec(["true"], stdin=b"x" * 20_000_000).exit_code == 0


def test_no_input_is_the_end_of_input(sandbox: Sandbox) -> None:
    assert run(sandbox, "import sys; print(repr(sys.stdin.read()))").stdout == b"''\n"
    assert run(sandbox, "input()").stderr.endswith(b"EOFError: EOF when reading a line\n")


def test_input_by_lines(sandbox: Sandbox) -> None:
    result = run(sandbox, "n = int(input())\nfor _ in range(n): print(input()[::-1])", stdin="2\nabc\nüß\n".encode())
    assert result.stdout.decode() == "cba\nßü\n"


def test_arguments_arrive_as_they_were(sandbox: Sandbox) -> None:
    words = ("a b", "", "*", "ü", "--flag", "'\"")
    result = sandbox.exec(Python("import sys; print(sys.argv[1:])", words))
    assert result.stdout.decode() == f"{list(words)!r}\n"
    result = sandbox.exec(["python3", "-c", "import sys; print(sys.argv[1:])", *words])
    assert result.stdout.decode() == f"{list(words)!r}\n"


@pytest.mark.parametrize("command", [[], "ls -l", ["a\0b"], [b"ls"], ["ls", 1], Python(b"x"), Python("", (1,))])  # type: ignore[arg-type]
def test_commands_that_make_no_sense_are_refused(sandbox: Sandbox, command: object) -> None:
    with pytest.raises(ValueError, match=r"command"):
        sandbox.exec(command)  # type: ignore[arg-type]
    assert sandbox.exec(["true"]).ok


@pytest.mark.parametrize("env", [{"": "x"}, {1: "x"}, {"A": None}, {"A=B": "x"}, {"A": "x\0y"}, {"A\0": "x"}])
def test_variables_that_make_no_sense_are_refused(sandbox: Sandbox, env: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="variable"):
        sandbox.exec(["true"], env=env)
    assert sandbox.exec(["true"]).ok


def test_text_where_bytes_belong_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="stdin is bytes"):
        sandbox.exec(["cat"], stdin="text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="bytes-like"):
        sandbox.write("x", "text")  # type: ignore[arg-type]
    assert sandbox.exec(["ls", "-A"]).stdout == b""


def test_the_environment_is_what_was_given(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "host-secret")
    sandbox = create(Spec(env={"LEVEL": "spec", "KEPT": "ü"}), backend=backend, unsafe=True)
    show = "from os import environ as e; print(e.get('LEVEL'), e.get('KEPT'), e.get('MORE'), 'API_KEY' in e)"
    for command in (Python(show), ["python3", "-c", show]):
        assert sandbox.exec(command, env={"LEVEL": "exec", "MORE": "1"}).stdout.decode() == "exec ü 1 False\n"
        assert sandbox.exec(command).stdout.decode() == "spec ü None False\n"
    sandbox.close()


def test_programs_start_in_the_workspace_and_share_it(sandbox: Sandbox) -> None:
    assert sandbox.exec(["sh", "-c", "echo one > file"]).ok
    assert run(sandbox, "print(open('file').read(), end='')").stdout == b"one\n"
    assert sandbox.read("file") == b"one\n"


def test_python_imports_from_the_workspace(sandbox: Sandbox) -> None:
    sandbox.write("helper.py", b"answer = 42\n")
    assert run(sandbox, "import helper; print(helper.answer)").stdout == b"42\n"
    sandbox.write("helper.py", b"answer = 43\n")
    assert run(sandbox, "import helper; print(helper.answer)").stdout == b"43\n"


@pytest.mark.parametrize(
    "source",
    [
        "import time; time.sleep(60)",
        "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 15)]; time.sleep(60)",
        "import os, time; os.fork() or os.setsid(); time.sleep(60)",
    ],
)
def test_the_wall_clock_ends_a_program(sandbox: Sandbox, source: str) -> None:
    result = sandbox.exec(Python(source), limits=Limits(wall_s=0.3))
    assert (result.timed_out, result.ok, result.oom) == (True, False, False)
    assert result.signal == signal.SIGKILL
    assert run(sandbox, "print(1)").stdout == b"1\n"


def test_output_before_a_timeout_is_kept(sandbox: Sandbox) -> None:
    result = run(sandbox, "print('so far', flush=True); __import__('time').sleep(60)", limits=Limits(wall_s=1))
    assert (result.stdout, result.timed_out) == (b"so far\n", True)


def test_the_processor_time_ends_a_program(sandbox: Sandbox) -> None:
    result = run(sandbox, "while True: pass", limits=Limits(cpu_s=1, wall_s=30))
    assert (result.timed_out, result.ok) == (True, False)


@pytest.mark.slow
def test_processor_time_cannot_be_got_by_ignoring_its_signal(native: Sandbox) -> None:
    source = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    result = native.exec(Python(source), limits=Limits(cpu_s=1, wall_s=30))
    assert (result.timed_out, result.signal) == (True, signal.SIGKILL)


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


@pytest.mark.parametrize("end", ["", "time.sleep(60)", "os.kill(os.getpid(), 9)"])
def test_no_process_outlives_its_program(sandbox: Sandbox, end: str) -> None:
    """A daemon in a session of its own stops writing, however the program ends."""
    result = sandbox.exec(Python(_HEARTBEAT + end), limits=Limits(wall_s=1.0 if "sleep" in end else 60.0))
    assert result.timed_out == ("sleep" in end)
    last = run(sandbox, "print(open('beat').read())").stdout
    after = run(sandbox, "import time; time.sleep(0.1); print(open('beat').read())").stdout
    assert last == after


def test_one_file_cannot_grow_beyond_its_limit(sandbox: Sandbox) -> None:
    result = run(sandbox, "open('big', 'wb').write(b'x' * 3_000_000)", limits=Limits(file_bytes=1 << 20))
    assert b"File too large" in result.stderr
    assert len(sandbox.read("big")) <= 1 << 20


def test_a_process_cannot_have_more_memory_than_its_limit(sandbox: Sandbox) -> None:
    result = run(sandbox, "x = bytearray(b'x') * 400_000_000; print('held')", limits=Limits(memory_bytes=100 << 20))
    assert result.stdout == b""
    assert not result.ok
    assert result.oom or b"MemoryError" in result.stderr


@pytest.mark.parametrize(
    "limits",
    [
        Limits(wall_s=0),
        Limits(wall_s=float("nan")),
        Limits(wall_s=float("inf")),
        Limits(cpu_s=-1),
        Limits(memory_bytes=0),
        Limits(processes=1.5),  # type: ignore[arg-type]
        Limits(output_bytes=True),
        Limits(disk_bytes=1 << 60),
    ],
)
def test_limits_that_make_no_sense_are_refused(backend: str, sandbox: Sandbox, limits: Limits) -> None:
    with pytest.raises(ValueError, match="limit"):
        sandbox.exec(["true"], limits=limits)
    with pytest.raises(ValueError, match="limit"):
        create(Spec(limits=limits), backend=backend, unsafe=True)
    assert sandbox.exec(["true"]).ok


def test_usage_is_reported(sandbox: Sandbox) -> None:
    result = run(sandbox, "x = bytearray(b'x') * 60_000_000; sum(range(2_000_000))")
    assert result.duration_s >= result.cpu_s / 2 > 0
    assert result.max_rss_bytes > 60_000_000


def test_a_python_program_ends_as_an_interpreter_does(sandbox: Sandbox) -> None:
    result = run(
        sandbox,
        """
        import atexit, threading, time, sys
        atexit.register(lambda: print("atexit"))
        threading.Thread(target=lambda: (time.sleep(0.05), print("thread"))).start()
        unclosed = open("unclosed", "w")
        unclosed.write("flushed")
        print("main")
        """,
    )
    assert result.stdout.decode().split() == ["main", "thread", "atexit"]
    assert sandbox.read("unclosed") == b"flushed"


def test_a_traceback_quotes_the_program_and_nothing_else(sandbox: Sandbox) -> None:
    result = run(sandbox, "def f():\n    return 1 / 0\n\nf()\n")
    lines = result.stderr.decode().splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert [line.strip() for line in lines if line.startswith("    ") and "^" not in line and "~" not in line] == [
        "f()",
        "return 1 / 0",
    ]
    assert sum(line.startswith("  File") for line in lines) == 2


def test_main_is_a_real_module(sandbox: Sandbox) -> None:
    result = run(
        sandbox,
        """
        import pickle, sys
        from dataclasses import dataclass

        @dataclass
        class Point:
            x: int

        if __name__ == "__main__":
            print(pickle.loads(pickle.dumps(Point(3))), sys.modules["__main__"].Point is Point)
        """,
    )
    assert result.stdout == b"Point(x=3) True\n"


def test_programs_are_deterministic_but_random_is_not(sandbox: Sandbox) -> None:
    ordered = "print(set('abcdefghij'), hash('text'))"
    assert len({run(sandbox, ordered).stdout for _ in range(3)}) == 1
    assert sandbox.exec(["python3", "-c", ordered]).stdout == run(sandbox, ordered).stdout
    assert len({run(sandbox, "import random; print(random.random())").stdout for _ in range(3)}) == 3


def test_subprocesses_and_pipes_work(sandbox: Sandbox) -> None:
    result = run(
        sandbox,
        """
        import subprocess, sys
        out = subprocess.run([sys.executable, "-c", "print(input())"], input="nested", capture_output=True, text=True)
        print(out.stdout.strip(), subprocess.check_output("echo a | tr a b", shell=True, text=True).strip())
        """,
    )
    assert result.stdout == b"nested b\n", result.stderr


def test_multiprocessing_works(sandbox: Sandbox) -> None:
    result = run(
        sandbox,
        """
        import multiprocessing

        def square(x):
            return x * x

        if __name__ == "__main__":
            with multiprocessing.get_context("fork").Pool(2) as pool:
                print(pool.map(square, range(4)))
        """,
    )
    assert result.stdout == b"[0, 1, 4, 9]\n", result.stderr


def test_a_closed_output_is_no_hang(sandbox: Sandbox) -> None:
    result = run(sandbox, "import os; os.close(1); os.close(2); os.close(0)")
    assert (result.stdout, result.timed_out) == (b"", False)
