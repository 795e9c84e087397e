"""The command as its own process: closed pipes, Ctrl-C, odd locales, a terminal, and how soon it answers."""

import json
import os
import pty
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

COMMAND = (sys.executable, "-m", "palestra")


def environment(**more: str) -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def run(*words: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *words], env=environment(**more), capture_output=True, check=False)


def least_cpu_seconds(command: Sequence[str], times: int) -> float:
    """Return the least of several runs' processor time: what a run takes when nothing else wants the machine."""
    needed = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        needed.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(needed)


def test_list_answers_within_half_a_second() -> None:
    assert least_cpu_seconds([*COMMAND, "list"], times=5) <= 0.5


def test_list_imports_no_environment_and_no_gymnasium() -> None:
    code = "import sys\nfrom palestra.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, "list"], env=environment(), capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.splitlines()[-1].split())
    assert "palestra.envs.registry" in modules
    heavy = {"gymnasium", "numpy", "torch", "transformers", "jsonschema", "palestra.envs.env"}
    assert modules & heavy == set()


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = subprocess.Popen(
        [*COMMAND, "info", "ToolUseMini-v0", "--json"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate()
    assert (process.returncode, err) == (141, b"")


def test_ctrl_c_leaves_with_one_line() -> None:
    process = subprocess.Popen(
        [*COMMAND, "play", "ToolUseMini-v0"],
        env=environment(PYTHONUNBUFFERED="1"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b":help"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, b"interrupted\n")


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_any_locale_will_do(locale: str) -> None:
    done = run("play", "ToolUseMini-v0", "--seed", "1", LC_ALL=locale, PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stderr == b""


def test_standard_input_may_be_closed() -> None:
    command = [*COMMAND, "play", "ToolUseMini-v0", "--seed", "1", "--json"]
    done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["actions"] == []


def test_in_a_terminal_it_prompts_and_leaves_when_asked() -> None:
    ours, theirs = pty.openpty()
    command = [*COMMAND, "play", "ToolUseMini-v0", "--seed", "1"]
    process = subprocess.Popen(command, env=environment(TERM="xterm"), stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = _read_until(ours, b"> ")
    os.write(ours, b":state\n")
    seen += _read_until(ours, b"> ")
    os.write(ours, b"\x04")  # Ctrl-D
    seen += _read_until(ours, None)
    os.close(ours)
    assert process.wait() == 0
    assert b"turn 0 of" in seen
    assert b"the input has ended" in seen


def _read_until(terminal: int, mark: bytes | None) -> bytes:
    seen = b""
    while mark is None or mark not in seen:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the other side has closed
            part = b""
        if not part:
            break
        seen += part
    return seen
