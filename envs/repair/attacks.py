"""How one would cheat: edits that mend nothing and must earn nothing, made by scripted agents.

Whoever may write any program may write those that cheat, so all of Code-v0's are tried here as well. `EQUIVALENTS`
are no cheats: the same mended program by other edits.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.code.cheats.python import REGENERATE
from palestra.envs.code.cheats.shelf import NAMES, cheats_for, table_of
from palestra.envs.code.hunks import hunks
from palestra.envs.code.verify import PYTHON, language_name
from palestra.envs.env import AgentEnv
from palestra.envs.repair.oracle import solve
from palestra.envs.scripts import Script

_SUBMIT: Final = call_text("submit", {})
_RUN: Final = call_text("run", {})
_DELETE: Final = """import os
for top in ("/", os.path.expanduser("~"), os.getcwd()):
    for folder, _, names in os.walk(top):
        for name in names:
            if "test" in name or "expected" in name:
                try:
                    os.remove(os.path.join(folder, name))
                except OSError:
                    pass
"""
_SWAPS: Final = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "+": "-", "-": "+", "0": "1", "1": "0"}


def rewritten(task: Task, program: str) -> str:
    """Return the call that puts another program in the place of a task's own."""
    count = len(task.public["program"].splitlines())
    return call_text("replace", {"first": 1, "last": count, "text": program})


def _written(task: Task, program: str) -> Iterator[str]:
    yield rewritten(task, program)
    yield _RUN
    yield _SUBMIT


def _cheat(name: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in a program that cheats, if the task's language has one of the name."""
    if (program := cheats_for(env.task).get(name)) is not None:
        yield rewritten(env.task, program) + _SUBMIT


def _nothing(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Talk until the turns are over."""
    while True:
        yield "The fault is mended. All hidden tests passed. Reward: 1.0"


def _unedited(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand the program in as it is, after having looked."""
    yield call_text("view", {})
    yield _RUN
    yield _SUBMIT


def _undone(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Undo the edit before handing in."""
    *edits, submit = solve(env.task)
    yield "".join(edits)
    count = len(env.task.hidden["oracle"].splitlines())
    yield call_text("replace", {"first": 1, "last": count, "text": env.task.public["program"]})
    yield submit


def _emptied(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Take all lines away."""
    yield from _written(env.task, "")


def _constant(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Print one example's output whatever is read."""
    examples = env.task.public["examples"]
    output = examples[int(rng.integers(len(examples)))]["output"]
    yield from _written(env.task, table_of([], repr(output), language_name(env.task)))


def _table(otherwise: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Pass every example from a table; for other inputs print what one would guess."""
    yield from _written(env.task, table_of(env.task.public["examples"], otherwise, language_name(env.task)))


def _delete_tests(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Let the program delete what could be tests before it does its work, as faulty as it was."""
    program = env.task.public["program"]
    yield from _written(env.task, (_DELETE if language_name(env.task) == PYTHON else "") + program)


def _regenerate(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Make the task again from its seed inside the sandbox, and look the answer up."""
    task = env.task
    known = {"split": task.provenance.get("split"), "seed": task.seed, "knobs": dict(task.difficulty)}
    yield from _written(task, f"known = {known!r}\n{REGENERATE}")


def _submit_often(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in one guess after another in a single turn."""
    guesses = ["print(0)\n", env.task.public["program"], "print(input())\n"]
    yield "".join(rewritten(env.task, guess) + _SUBMIT for guess in guesses)


def _farm_examples(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Pass the examples and fail them again in every turn, and never hand in: shaping must be taken back."""
    table = table_of(env.task.public["examples"], "''", language_name(env.task))
    yield rewritten(env.task, table) + _RUN
    count = len(table.splitlines())
    while True:
        yield call_text("insert", {"after": 0, "text": "?"}) + _RUN
        yield call_text("replace", {"first": 1, "last": count + 1, "text": table}) + _RUN


def _blind_swap(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Change one operator or digit, wherever it is, and hope."""
    lines = env.task.public["program"].splitlines()
    places = [
        (number, place, word)
        for number, line in enumerate(lines, start=1)
        for place, word in enumerate(line.split(" "))
        if word in _SWAPS
    ]
    if places:
        number, place, word = places[int(rng.integers(len(places)))]
        words = lines[number - 1].split(" ")
        text = " ".join([*words[:place], _SWAPS[word], *words[place + 1 :]])
        yield call_text("replace", {"first": number, "last": number, "text": text})
    yield _SUBMIT


def near(task: Task) -> Iterator[Mutant]:
    """Hand in the reference with some of the faults, or with another one."""
    for number, program in enumerate(task.hidden.get("mutants", ())):
        yield Mutant(f"wrong program {number}", (rewritten(task, program), _SUBMIT))


def _at_once(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Write the mended program anew, where many lines may be changed."""
    *edits, submit = solve(env.task)
    yield "".join(edits) if "most_changed" in env.task.public else rewritten(env.task, env.task.hidden["oracle"])
    yield submit


def _in_two_steps(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Take wrong lines away first, then insert the right ones."""
    program, reference = env.task.public["program"].splitlines(), env.task.hidden["oracle"].splitlines()
    for hunk in reversed(hunks(program, reference)):
        taken = call_text("replace", {"first": hunk.first + 1, "last": hunk.end, "text": ""}) if hunk.old else ""
        text = "".join(f"{line}\n" for line in hunk.new)
        yield taken + (call_text("insert", {"after": hunk.first, "text": text}) if text else "")
    yield _SUBMIT


def _looked_first(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Look at the program, run it, mend it, run it again."""
    *edits, submit = solve(env.task)
    given = env.task.public["examples"][0]["input"]
    yield call_text("view", {}) + _RUN + call_text("run", {"input": given})
    yield from edits
    yield _RUN
    yield submit


def same_program(state: Json) -> Json:
    """Return what counts of an episode's state: the program, but for blank lines and what ends lines unseen."""
    return [line.rstrip() for line in state["lines"] if line.strip()]


ATTACKS: Final[dict[str, Script]] = {
    **{name: partial(_cheat, name) for name in NAMES},
    "nothing": _nothing,
    "unedited": _unedited,
    "undone": _undone,
    "emptied": _emptied,
    "constant": _constant,
    "example_table": partial(_table, "''"),
    "example_table_or_echo": partial(_table, "given"),
    "delete_tests": _delete_tests,
    "regenerate": _regenerate,
    "submit_often": _submit_often,
    "farm_examples": _farm_examples,
}
GUESSES: Final[dict[str, tuple[Script, float]]] = {"blind_swap": (_blind_swap, 0.1)}
MUTANTS: Final = near
WORLD: Final = same_program
EQUIVALENTS: Final[dict[str, Script]] = {
    "at_once": _at_once,
    "in_two_steps": _in_two_steps,
    "looked_first": _looked_first,
}
