"""The end of a sandboxed world that stands inside the sandbox: it reads requests, a line of JSON each, and answers.

The first line is the hidden part of a task. Every line after it names a call and the changes that the world has
before it; the answer is the call's reply and the changes after it. Nothing else is kept, so an episode is restored
and forked without its sandbox.
"""

import json
from typing import TextIO

from palestra.envs.tooluse.case import Case
from palestra.envs.tooluse.operators.ground import ground
from palestra.envs.tooluse.world import World

READY = "the world is ready"


def serve(lines: TextIO, answers: TextIO) -> None:
    """Answer until there are no more lines."""
    print(READY, file=answers, flush=True)
    found = ground(Case.from_dict(json.loads(lines.readline())))
    while line := lines.readline():
        request = json.loads(line)
        world = World(found.base, request["changes"])
        reply = found.call(world, request["name"], request["arguments"])
        # In ASCII, so that no terminal changes it.
        print(json.dumps({"reply": reply, "changes": world.changes}), file=answers, flush=True)
