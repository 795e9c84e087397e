"""A caller's terminal is out of reach: nothing in a sandbox types into it."""

import os
import pty
import sys

import pytest

SCRIPT = """
import fcntl, sys, termios
from contextlib import closing
from palestra.sandbox import create
from palestra.sandbox.base import Python
from palestra.sandbox.battery.host import set_out_bait, try_items

own = open("/dev/tty")  # this process does have a terminal
inject = '''
import fcntl, os, termios
typed = 0
for path in ("/dev/tty", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/proc/1/fd/0", "/proc/self/fd/1"):
    for flags in (os.O_RDWR, os.O_RDONLY, os.O_WRONLY):
        try:
            descriptor = os.open(path, flags | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            continue
        for key in b"!palestra\\\\n":
            try:
                fcntl.ioctl(descriptor, termios.TIOCSTI, bytes([key]))
                typed += 1
            except OSError:
                pass
for descriptor in range(3):
    try:
        fcntl.ioctl(descriptor, termios.TIOCSTI, b"!")
        typed += 1
    except OSError:
        pass
print(typed)
'''
with closing(create(backend=sys.argv[1], unsafe=True)) as sandbox, set_out_bait() as bait:
    for command in (Python(inject), ["python3", "-c", inject]):
        print("typed", sandbox.exec(command).stdout, flush=True)
    print("found", try_items(sandbox, bait, ["no_terminal_of_the_host"], terminal=False), flush=True)
"""


@pytest.mark.parametrize("backend", ["native", "bubblewrap", "process"])
def test_nothing_can_be_typed_into_the_callers_terminal(backend: str) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        os.execve(sys.executable, [sys.executable, "-c", SCRIPT, backend], env)
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown.decode()
    assert shown.decode().splitlines() == ["typed b'0\\n'"] * 2 + ["found {'no_terminal_of_the_host': []}"]
