"""Coverage-guided fuzzing of what reads an agent's text: a program for whoever has atheris, not a test.

    pip install atheris
    python tests/envs/fuzz_atheris.py -max_total_time=60

Every input is one action, as text or as an assistant message, at the start or just before the end of the
oracle's episode in a tool-use task. It stops at the first one that raises or is paid.
"""

import importlib
import inspect
import json
import sys
from functools import cache
from typing import Any

from palestra.envs import actions
from palestra.envs.actions import parse_action
from palestra.envs.certify.fuzz import is_same
from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.toolmini import env as tooluse
from palestra.envs.toolmini import tables, verify

READERS = (actions, tooluse, tables, verify)
SEEDS = 20


@cache
def solved() -> tuple[tooluse.ToolUseMiniEnv, list[tuple[str, ...]]]:
    """Return an environment and the oracle's actions for each seed."""
    env = tooluse.ToolUseMiniEnv(shaping="none")
    return env, [play(env, SCRIPTS["oracle"], seed).actions for seed in range(SEEDS)]


def one_action(seed: int, late: bool, action: Any) -> float:
    """Return what an action is paid; one that reads as the oracle's is not played."""
    env, solutions = solved()
    env.reset(seed=seed)
    tools = env.task.tools
    if is_same(parse_action(action, tools), parse_action(solutions[seed][-1], tools)):
        return 0.0
    return sum(float(env.step(turn)[1]) for turn in (*(solutions[seed][:-1] if late else ()), action))


def main() -> None:
    """Fuzz until atheris has had enough."""
    atheris: Any = importlib.import_module("atheris")
    for module in READERS:
        for _, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__:
                atheris.instrument_func(function)

    def one_input(data: bytes) -> None:
        provider = atheris.FuzzedDataProvider(data)
        seed, late, as_text = provider.ConsumeIntInRange(0, SEEDS - 1), provider.ConsumeBool(), provider.ConsumeBool()
        text = provider.ConsumeUnicode(4096)
        arguments = text if provider.ConsumeBool() else json.dumps({"value": text})
        call = {"function": {"name": "answer", "arguments": arguments}}
        action = text if as_text else {"role": "assistant", "content": None, "tool_calls": [call]}
        if (paid := one_action(seed, late, action)) > 0:
            raise RuntimeError(f"seed {seed} pays {paid} for {action!r}")

    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
