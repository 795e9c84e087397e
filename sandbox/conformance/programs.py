"""Laws about programs: how they are started and how their end is told."""

import signal
import time

import pytest

from palestra.sandbox.base import Python, Sandbox
from palestra.sandbox.conformance.case import Case, Create, run

_ODD_WORDS = ("a b", "", "*", "ü文", "--flag", "'\"", "$HOME", "\\n", "new\nline", "\udcff\udc80", "\x01\x7f")


class ProgramLaws(Case):
    """What comes of a program, and what it is given."""

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
    def test_exit_codes_of_python(self, sandbox: Sandbox, source: str, code: int) -> None:
        result = sandbox.exec(Python(source))
        assert (result.exit_code, result.signal, result.timed_out, result.oom) == (code, None, False, False)
        assert result.ok == (code == 0)

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["true"], 0),
            (["sh", "-c", "exit 42"], 42),
            (["sh", "-c", "exit 255"], 255),
            (["/usr/bin/env", "sh", "-c", "exit 3"], 3),
            (["no-such-command"], 127),
            (["./no-such-file"], 127),
            (["/usr"], 126),
        ],
    )
    def test_exit_codes_of_commands(self, sandbox: Sandbox, words: list[str], code: int) -> None:
        result = sandbox.exec(words)
        assert (result.exit_code, result.signal) == (code, None)
        assert bool(result.stderr) == (code in (126, 127))

    @pytest.mark.parametrize(
        "number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGABRT, signal.SIGXFSZ, signal.SIGINT]
    )
    def test_a_signal_is_told_apart_from_an_exit_code(self, sandbox: Sandbox, number: signal.Signals) -> None:
        default = f"signal.signal({number:d}, signal.SIG_DFL)" if number != signal.SIGKILL else ""
        for command in (
            Python(f"import os, signal\n{default}\nos.kill(os.getpid(), {number:d})"),
            ["sh", "-c", f"kill -{number:d} $$"],
        ):
            result = sandbox.exec(command)
            assert (result.exit_code, result.signal) == (None, number)
            assert (result.ok, result.timed_out, result.oom) == (False, False, False)

    def test_abort_is_a_signal(self, sandbox: Sandbox) -> None:
        assert run(sandbox, "import os; os.abort()").signal == signal.SIGABRT

    def test_arguments_arrive_as_they_were(self, sandbox: Sandbox) -> None:
        show = "import sys; print(ascii(sys.argv[1:]))"
        for command in (Python(show, _ODD_WORDS), ["python3", "-c", show, *_ODD_WORDS]):
            assert sandbox.exec(command).stdout.decode() == f"{list(_ODD_WORDS)!a}\n"

    @pytest.mark.parametrize("command", [[], "ls -l", ["a\0b"], [b"ls"], ["ls", 1], Python(b"x"), Python("", (1,))])  # type: ignore[arg-type]
    def test_commands_that_make_no_sense_are_refused(self, sandbox: Sandbox, command: object) -> None:
        with pytest.raises(ValueError, match="command"):
            sandbox.exec(command)  # type: ignore[arg-type]
        assert sandbox.exec(["true"]).ok

    @pytest.mark.parametrize("env", [{"": "x"}, {1: "x"}, {"A": None}, {"A=B": "x"}, {"A": "x\0y"}, {"A\0": "x"}])
    def test_variables_that_make_no_sense_are_refused(self, sandbox: Sandbox, env: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="variable"):
            sandbox.exec(["true"], env=env)
        assert sandbox.exec(["true"]).ok

    def test_the_environment_is_what_was_given(self, create: Create, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("API_KEY", "host-secret")
        sandbox = create(env={"LEVEL": "spec", "KEPT": "ü"})
        show = "from os import environ as e; print(e.get('LEVEL'), e.get('KEPT'), e.get('MORE'), 'API_KEY' in e)"
        for command in (Python(show), ["python3", "-c", show]):
            assert sandbox.exec(command, env={"LEVEL": "exec", "MORE": "1"}).stdout.decode() == "exec ü 1 False\n"
            assert sandbox.exec(command).stdout.decode() == "spec ü None False\n"

    def test_programs_start_in_the_workspace_and_share_it(self, sandbox: Sandbox) -> None:
        assert sandbox.exec(["sh", "-c", "echo one > file"]).ok
        assert run(sandbox, "print(open('file').read(), end='')").stdout == b"one\n"
        assert sandbox.read("file") == b"one\n"
        sandbox.exec(["sh", "-c", "mkdir -p deeper; cd deeper; echo two > file"])
        assert (sandbox.read("deeper/file"), sandbox.exec(["cat", "file"]).stdout) == (b"two\n", b"one\n")

    def test_python_imports_from_the_workspace(self, sandbox: Sandbox) -> None:
        sandbox.write("helper.py", b"answer = 42\n")
        assert run(sandbox, "import helper; print(helper.answer)").stdout == b"42\n"
        sandbox.write("helper.py", b"answer = 43\n")
        assert run(sandbox, "import helper; print(helper.answer)").stdout == b"43\n"

    def test_a_python_program_ends_as_an_interpreter_does(self, sandbox: Sandbox) -> None:
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

    def test_a_traceback_quotes_the_program_and_nothing_else(self, sandbox: Sandbox) -> None:
        result = run(sandbox, "def f():\n    return 1 / 0\n\nf()\n")
        lines = result.stderr.decode().splitlines()
        assert lines[0] == "Traceback (most recent call last):"
        assert lines[-1] == "ZeroDivisionError: division by zero"
        quoted = [line.strip() for line in lines if line.startswith("    ") and "^" not in line and "~" not in line]
        assert quoted == ["f()", "return 1 / 0"]
        assert sum(line.startswith("  File") for line in lines) == 2

    def test_main_is_a_real_module(self, sandbox: Sandbox) -> None:
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

    def test_programs_are_deterministic_but_random_is_not(self, sandbox: Sandbox) -> None:
        ordered = "print(set('abcdefghij'), hash('text'))"
        assert len({run(sandbox, ordered).stdout for _ in range(3)}) == 1
        assert sandbox.exec(["python3", "-c", ordered]).stdout == run(sandbox, ordered).stdout
        assert len({run(sandbox, "import random; print(random.random())").stdout for _ in range(3)}) == 3

    def test_the_clock_is_real(self, sandbox: Sandbox) -> None:
        """A program sees the host's time, and a second of its sleep is counted as one."""
        before = time.time()
        source = "import time; t = time.monotonic(); time.sleep(0.2); print(time.time(), time.monotonic() - t)"
        result = run(sandbox, source)
        told, slept = (float(word) for word in result.stdout.split())
        assert before <= told <= time.time()
        assert 0.2 <= slept <= result.duration_s

    def test_usage_is_reported(self, sandbox: Sandbox) -> None:
        result = run(sandbox, "x = bytearray(b'x') * 60_000_000; sum(range(2_000_000))")
        assert result.duration_s >= result.cpu_s / 2 > 0
        assert result.max_rss_bytes > 60_000_000

    def test_subprocesses_and_pipes_work(self, sandbox: Sandbox) -> None:
        result = run(
            sandbox,
            """
            import subprocess, sys
            nested = [sys.executable, "-c", "print(input())"]
            out = subprocess.run(nested, input="nested", capture_output=True, text=True)
            print(out.stdout.strip(), subprocess.check_output("echo a | tr a b", shell=True, text=True).strip())
            """,
        )
        assert result.stdout == b"nested b\n", result.stderr

    def test_multiprocessing_works(self, sandbox: Sandbox) -> None:
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
