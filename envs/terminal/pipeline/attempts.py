"""Attempts at a task by a model that plays it as any agent does: how many succeed, and what they did."""

import base64
import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Final

from palestra.envs.actions import parse_action
from palestra.envs.base import Json, Task, canonical_json
from palestra.envs.endpoint import Backend, RequestRefused, Usage
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.pipeline.assembly import solving
from palestra.envs.terminal.text_action import command_of
from palestra.envs.terminal.tools import TOOLS
from palestra.rewards.attempts import pass_at_k

_KEPT_ACTION_CHARS: Final = 100_000  # of all that a successful attempt did


def attempt(player: Backend, task: Task, seed: int, usage: Usage) -> Json:
    """Let a model play a task once, and return what came of it: "passed", "turns", "ended", and what it "did".

    A model whose server finds the conversation too long has failed.

    Raises:
        InfraError: the server or a machine failed; the attempt does not count.
        VerifierError: the task's checks are broken.
    """
    did: list[Json] = []
    with closing(TerminalEnv(shaping="none")) as env:
        _, info = env.reset(options={"task": task})
        over, ended = False, "done"
        while not over:
            try:
                said = player.chat(info["messages"], tools=info["tools"], seed=seed + len(did), usage=usage).message
            except RequestRefused as error:
                return {"passed": False, "turns": len(did), "ended": f"refused: {str(error)[:200]}", "did": []}
            did.append(said)
            _, _, terminated, truncated, info = env.step(said)
            over, ended = terminated or truncated, "turns" if truncated else "done"
    passed = bool(info["is_success"])
    is_kept = passed and len(canonical_json(did)) <= _KEPT_ACTION_CHARS
    return {"passed": passed, "turns": len(did), "ended": ended, "did": did if is_kept else []}


def passing(attempts: Sequence[Mapping[str, Json]], k: int) -> float:
    """Return the unbiased estimate that one of k attempts passes.

    Raises:
        ValueError: there are fewer than k.
    """
    return pass_at_k(len(attempts), sum(bool(one["passed"]) for one in attempts), k)


def unfit(attempts: Sequence[Mapping[str, Json]], k: int) -> str:
    """Return why a task with these attempts is of no use for training; "" if it is: 0 < pass@k < 1."""
    estimate = passing(attempts, k)
    if 0.0 < estimate < 1.0:
        return ""
    passed = sum(bool(one["passed"]) for one in attempts)
    told = f"{passed} of {len(attempts)} attempts passed, pass@{k} is {estimate:g}"
    return f"too {'easy' if estimate else 'hard'}: {told}"


def replayed(task: Task, did: Sequence[Json]) -> Task | None:
    """Return the task with a successful attempt as its solution, in one step; None if it cannot be told as bash."""
    lines: list[str] = []
    for message in did:
        action = parse_action(message, TOOLS)
        command = None if action.calls or action.error else command_of(action.content)
        lines += [command] if command else []
        for call in action.calls:
            if call.name == "send_keys":
                return None
            if call.name == "bash":
                lines.append(str(call.arguments["command"]))
            if call.name == "write_file":
                lines.append(_writing(str(call.arguments["path"]), str(call.arguments["content"])))
    wrong = {name: bash for step in task.hidden["steps"][-1:] for name, bash in step["wrong"].items()}
    step = {
        "operator": "attempted",
        "choices": [],
        "source": -1,
        "solve": solving("\n".join(lines), is_quiet=True),
        "wrong": wrong,
    }
    checks = [{**check, "group": 0} for check in task.hidden["checks"]]
    return replace(task, hidden={**task.hidden, "steps": [step], "checks": checks, "made": {}})


def _writing(path: str, content: str) -> str:
    """Return bash that does what `write_file` does."""
    data = base64.b64encode(content.encode("utf-8", "surrogatepass")).decode()
    folder = f'mkdir -p "$(dirname {shlex.quote(path)})"'
    return f"{folder} && printf %s {data} | base64 -d > {shlex.quote(path)}"
