"""Runs the attempts, each in a process of its own, and prints what came through. Runs inside a sandbox.

Standard input holds the bait and the items' names, as JSON.
"""

import json
import mmap
import os
import signal
import sys
import traceback

from palestra.sandbox.battery.attempt import ITEMS, Bait

_ROOM_BYTES = 64 * 1024
_LONGEST_LINE, _MOST_LINES = 300, 40
_LONGEST_S = 20


def main() -> None:
    """Print a JSON object with a list of lines for each item: empty where nothing came through."""
    given = json.load(sys.stdin)
    bait = Bait(**given["bait"])
    print(json.dumps({name: _try(name, bait) for name in given["items"]}))


def _try(name: str, bait: Bait) -> list[str]:
    """Let a process try one item; one that does not come to its end has not shown that anything holds."""
    room = mmap.mmap(-1, _ROOM_BYTES)  # shared, and no descriptor that an attempt would find
    child = os.fork()
    if child == 0:
        signal.alarm(_LONGEST_S)
        try:
            lines = [line[:_LONGEST_LINE] for line in ITEMS[name].attempt(bait)]
        except BaseException:
            lines = ["not tried to the end: " + traceback.format_exc().strip()[-_LONGEST_LINE:]]
        room.write(json.dumps(lines[:_MOST_LINES]).encode())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSTOPPED(status):  # it has let itself be traced
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    text = room[:].rstrip(b"\0")
    if status != 0 or not text:
        return [f"not tried to the end: it ended with {os.waitstatus_to_exitcode(status)}"]
    lines = json.loads(text)
    return [str(line) for line in lines]
