"""The shell's host end, on a plain local pty: what is typed, shown and reported. Backends only start it elsewhere."""

import fcntl
import os
import pty
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from palestra.sandbox.base import InfraError
from palestra.sandbox.shell import TerminalShell, shell_command, start_script, type_line


class LocalTerminal:
    """A shell of this machine, without any isolation."""

    def __init__(self, folder: Path, is_bash: bool, state: bytes, status: int) -> None:
        self.is_bash = is_bash
        fifo, start = folder / "reports", folder / "start"
        self.reports_file = str(fifo)
        if not fifo.exists():
            os.mkfifo(fifo)
        start.write_bytes(start_script(is_bash, str(fifo), state, status))
        self.reports = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.writer = os.open(fifo, os.O_WRONLY)
        self.screen, slave = pty.openpty()
        self.calm()
        os.set_blocking(self.screen, False)
        words, env = shell_command(is_bash, str(start))
        self.process = subprocess.Popen(
            words,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={"PATH": os.environ["PATH"], **env},
            cwd="/",
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.is_closed = False

    def calm(self) -> None:
        modes = termios.tcgetattr(self.screen)
        modes[0] |= termios.ICRNL
        modes[1] &= ~termios.ONLCR
        modes[3] |= termios.ICANON | termios.ISIG | termios.IEXTEN
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(self.screen, termios.TCSANOW, modes)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.is_closed = False
            self.let_go()

    def let_go(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.process.kill()
            self.process.wait()
            for descriptor in (self.screen, self.reports, self.writer):
                os.close(descriptor)


@pytest.fixture
def started() -> list[LocalTerminal]:
    """Every terminal that the shell has started, the last one in use."""
    return []


def make(folder: Path, started: list[LocalTerminal], is_bash: bool) -> TerminalShell:
    def start(state: bytes, status: int) -> LocalTerminal:
        started.append(LocalTerminal(folder, is_bash, state, status))
        return started[-1]

    return TerminalShell(start, 64 * 1024)


@pytest.fixture(params=["bash", "sh"])
def shell(request: pytest.FixtureRequest, tmp_path: Path, started: list[LocalTerminal]) -> Iterator[TerminalShell]:
    """A shell of each kind."""
    made = make(tmp_path, started, request.param == "bash")
    yield made
    made.close()


@pytest.fixture
def bash(tmp_path: Path, started: list[LocalTerminal]) -> Iterator[TerminalShell]:
    """A bash."""
    made = make(tmp_path, started, True)
    yield made
    made.close()


def test_output_and_status_of_each_line(shell: TerminalShell) -> None:
    assert shell.run("echo one; echo two >&2; (exit 3)").output == b"one\ntwo\n"
    assert shell.status == 3
    assert shell.run("echo $?").output == b"3\n"
    assert shell.run("false").exit_code == 1
    assert shell.run("").output == b""


@pytest.mark.parametrize(
    ("line", "output"),
    [
        ("echo 'a\nb'\necho c", b"a\nb\nc\n"),
        ("cat <<END\nit's\nEND", b"it's\n"),
        ("x=1\nif [ $x = 1 ]\nthen\n  echo yes\nfi\n", b"yes\n"),
        ("printf '%s' '" + "long " * 2000 + "'", b"long " * 2000),
        ("printf '%s' '\x03\x04\x1a\x7f\x16\r\x1b'", b"\x03\x04\x1a\x7f\x16\r\x1b"),
        ("printf '%s' 'tab\there'", b"tab\there"),
        ("printf '%s' 'žluťoučký 🐎'\n", "žluťoučký 🐎".encode()),
        ("printf '%s' '" + "ž" * 3000 + "'", "ž".encode() * 3000),
        ("cat\necho not eaten", b"not eaten\n"),
    ],
)
def test_lines_arrive_as_they_are(shell: TerminalShell, line: str, output: bytes) -> None:
    if line.startswith("cat\n"):
        shell.send(b"cat </dev/null\n")
        shell.wait(timeout_s=5)
        line = "cat </dev/null\necho not eaten"
    assert shell.run(line, timeout_s=10).output == output


@pytest.mark.parametrize("line", ["echo \0", b"echo"])
def test_what_cannot_be_typed_is_refused(bash: TerminalShell, line: str) -> None:
    with pytest.raises(ValueError, match="without NUL"):
        bash.run(line)
    assert type_line("true") == b"true\n"


def test_a_syntax_error_is_a_status(shell: TerminalShell) -> None:
    result = shell.run("if true\nthen (")
    assert result.exit_code
    assert b"yntax error" in result.output
    assert shell.run("echo on").output == b"on\n"


def test_fake_prompts_mislead_nobody(bash: TerminalShell) -> None:
    fakes = r"printf 'P9 0\0'; printf '\033]7770;'; printf '$ \n\033]777'; sleep 0.1; echo end; (exit 5)"
    result = bash.run(fakes)
    assert (result.exit_code, result.output) == (5, b"P9 0\0\x1b]7770;$ \n\x1b]777end\n")
    assert bash.run(r"printf '\033]7770;77\a'; echo whole").output == b"whole\n"


def test_a_program_that_eats_input_is_interrupted(shell: TerminalShell) -> None:
    result = shell.run("cat", timeout_s=0.3)
    assert (result.exit_code, result.timed_out, shell.is_idle) == (None, True, False)
    with pytest.raises(ValueError, match="not at its prompt"):
        shell.run("echo lost")
    shell.send(b"hello\n")
    assert shell.read(timeout_s=5) == b"hello\n"
    shell.send(b"\x03")
    assert shell.wait(timeout_s=5).exit_code == 130
    assert shell.run("echo back").output == b"back\n"


def test_end_of_input_by_keys(shell: TerminalShell) -> None:
    shell.send(b"wc -l\n")
    shell.send(b"1\n2\n3\n")
    shell.send(b"\x04")
    result = shell.wait(timeout_s=5)
    assert (result.output.strip(), result.exit_code) == (b"3", 0)


def test_a_flood_is_cut_and_does_not_hold_anything_up(bash: TerminalShell) -> None:
    result = bash.run("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end")
    assert (len(result.output), result.truncated, result.exit_code) == (64 * 1024, True, 0)
    assert bash.run("echo next").output == b"next\n"


def test_modes_that_a_program_left_are_put_back(bash: TerminalShell) -> None:
    bash.run("stty raw echo opost onlcr")
    assert bash.run("echo clean").output == b"clean\n"


def test_a_window_has_a_size(bash: TerminalShell) -> None:
    bash.resize(31, 97)
    assert bash.run("stty size").output == b"31 97\n"
    with pytest.raises(ValueError, match="rows and columns"):
        bash.resize(0, 80)


def test_redirecting_the_shell_itself_does_not_lose_the_prompt(bash: TerminalShell, tmp_path: Path) -> None:
    assert bash.run(f"exec >{tmp_path}/out 2>&1; echo kept").exit_code == 0
    bash.run("exec >/dev/tty 2>&1")
    assert (tmp_path / "out").read_text() == "kept\n"
    assert bash.run("echo seen").output == b"seen\n"


@pytest.mark.parametrize("options", ["set -e", "set -u", "set -o pipefail", "set -o posix", "shopt -s extdebug"])
def test_options_do_not_break_the_reports(bash: TerminalShell, options: str) -> None:
    assert bash.run(options).exit_code == 0
    assert bash.run("echo fine").output == b"fine\n"


def test_tracing_shows_the_line_alone(bash: TerminalShell) -> None:
    bash.run("set -x")
    assert bash.run("echo fine").output == b"+ echo fine\nfine\n"


def test_a_prompt_command_of_ones_own_runs_too(bash: TerminalShell) -> None:
    bash.run("PROMPT_COMMAND='echo mine'")
    assert bash.run("echo line; false").exit_code == 1
    assert b"mine" in bash.run("PS1='> '").output


def test_the_state_is_saved_and_comes_back(bash: TerminalShell, tmp_path: Path) -> None:
    odd = tmp_path / "it's\na dir"
    odd.mkdir()
    setup = f"""cd '{str(odd).replace("'", "'" + chr(92) + "''")}'
        export GIVEN='a "b" $c
        d' ; kept=1; list=(1 'two 2'); declare -A map=([k]='v w')
        greet() {{ echo "hello $1"; }}; shout() {{ echo loud; }}; export -f shout
        alias ll='echo aliased'; set -o pipefail; shopt -s extglob; umask 027; trap 'echo bye' USR1"""
    assert bash.run(setup).exit_code == 0
    bash.begin(bash.save(), status=7)
    assert bash.run("echo $? $kept ${list[1]} ${map[k]}; pwd; umask").output.decode() == (
        f"7 1 two 2 v w\n{odd}\n0027\n"
    )
    assert bash.run('echo "$GIVEN"; greet you; bash -c shout').output == b'a "b" $c\n        d\nhello you\nloud\n'
    assert bash.run("ll; false | true; echo $?; shopt -q extglob; echo $?").output == b"aliased\n1\n0\n"
    assert bash.run("trap -p USR1").output == b"trap -- 'echo bye' SIGUSR1\n"


def test_the_state_of_a_plain_sh(tmp_path: Path, started: list[LocalTerminal]) -> None:
    shell = make(tmp_path, started, False)
    folder = tmp_path / "it's"
    folder.mkdir()
    shell.run(f'cd "{folder}"; export GIVEN="a b"; plain="c \'d"; alias ll="echo aliased"; umask 027')
    shell.begin(shell.save(), status=4)
    assert (
        shell.run('echo $? "$GIVEN" "$plain"; pwd; umask; ll').output.decode()
        == f"4 a b c 'd\n{folder}\n0027\naliased\n"
    )
    shell.close()


def test_a_state_that_keeps_the_shell_from_its_prompt_is_left_out(bash: TerminalShell) -> None:
    bash.begin(b"exit 3\n")
    assert bash.run("echo fresh").output == b"fresh\n"


def test_a_shell_that_ends_itself_is_started_again(shell: TerminalShell, started: list[LocalTerminal]) -> None:
    gone = shell.run("x=1; exit 4")
    assert gone.exit_code is not None
    assert shell.run("echo new $x").output == b"new\n"
    assert len(started) == 2


def test_the_end_that_a_backend_reports_has_the_code(bash: TerminalShell, started: list[LocalTerminal]) -> None:
    bash.send(b"x=1; sleep 60\n")
    os.write(started[-1].writer, b"E4\0")
    assert bash.wait(timeout_s=5).exit_code == 4
    assert bash.run("echo new $x").output == b"new\n"
    os.write(started[-1].writer, b"E-9\0")  # while it is idle
    assert bash.run("echo newer").output == b"newer\n"
    assert len(started) == 3


def test_a_lost_machine_is_an_infra_error(bash: TerminalShell, started: list[LocalTerminal]) -> None:
    terminal = started[-1]
    bash.send(b"sleep 60\n")
    os.close(terminal.writer)
    terminal.writer = os.open("/dev/null", os.O_RDONLY)
    with pytest.raises(InfraError, match="create another"):
        bash.wait(timeout_s=5)


def test_false_reports_do_not_break_the_host(bash: TerminalShell, started: list[LocalTerminal]) -> None:
    os.write(started[-1].writer, b"P1\0Pxx 0\0P99999999999999999999 0\0\0Z\0P5 1234\0E\0\xff\xfe\0")
    assert bash.run("echo fine").output == b"fine\n"


def test_what_a_closed_shell_says(bash: TerminalShell) -> None:
    bash.close()
    bash.close()
    with pytest.raises(ValueError, match="closed"):
        bash.run("true")
    assert not bash.is_idle


def test_full_screen_programs_and_a_repl(bash: TerminalShell) -> None:
    python = shutil.which("python3")
    bash.send(f"{python} -q -i\n".encode())
    shown, deadline = b"", time.monotonic() + 10
    while b">>> " not in shown and time.monotonic() < deadline:
        shown += bash.read()
    bash.send(b"6 * 7\n")
    bash.send(b"exit(9)\n")
    result = bash.wait(timeout_s=10)
    assert b"42" in result.output
    assert result.exit_code == 9
