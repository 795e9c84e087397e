"""Episodes, harmful ones among them, leave nothing behind: no process, descriptor, mount or folder."""

import gc
import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from palestra.envs.actions import call_text
from palestra.envs.terminal.env import TerminalEnv

HARM = ("(sleep 300 &); setsid sleep 300 & disown", "exit 3", "kill -9 $$", "yes | head -c 2000000", "rm -rf /usr/lib")


def processes() -> int:
    """Return how many processes there are below this one."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return len(found)


def held() -> tuple[int, int, int]:
    gc.collect()
    return len(os.listdir("/proc/self/fd")), processes(), len(Path("/proc/self/mountinfo").read_text().splitlines())


@pytest.mark.slow
def test_episodes_leave_nothing(make_terminal: Callable[..., TerminalEnv]) -> None:
    env = make_terminal()

    def play(seed: int) -> None:
        env.reset(seed=seed)
        env.step(call_text("bash", {"command": HARM[seed % len(HARM)], "timeout_s": 1}))
        for fork in env.fork():
            with closing(fork):
                fork.step("$ ls")
        if seed % 3:
            env.step(call_text("done", {}))

    for number in range(20):  # whose starts are kept from their second time on
        play(number % 10)
    env.close()
    before = held()
    for number in range(30):
        play(number % 10)
    env.close()
    for _ in range(200):  # what was ended a moment ago may still be there
        if held() <= before:
            break
        time.sleep(0.05)
    assert held() <= before
