"""How one would cheat: programs that must earn nothing, handed in by scripted agents.

An attack sees what an agent sees, and some are told more: the one that regenerates the task knows its
seed. None may earn anything: the generator keeps no task that a constant, an echo or a table of the
examples could pass, so the floor of chance is 0. `EQUIVALENTS` are no cheats: the solution written otherwise,
which must earn what the solution earns.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.code.cheats.python import REGENERATE
from palestra.envs.code.cheats.shelf import NAMES, cheats_for, table_of
from palestra.envs.code.oracle import solution_of
from palestra.envs.code.problems.tasks import wrong_of
from palestra.envs.code.program import Program, Step
from palestra.envs.code.testing import near_misses
from palestra.envs.code.verify import language_name
from palestra.envs.env import AgentEnv
from palestra.envs.reading import python_tree
from palestra.envs.scripts import Script

_MUTANTS_EACH: Final = 8  # of a task's near misses


def _cheat(name: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in a program that cheats, if the task's language has one of the name."""
    if (program := cheats_for(env.task).get(name)) is not None:
        yield call_text("submit", {"code": program})


def _nothing(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Talk until the turns are over."""
    while True:
        yield "All hidden tests passed. Reward: 1.0"


def _constant(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Print one example's output whatever is read, after trying it."""
    examples = _examples(env)
    program = table_of([], repr(examples[int(rng.integers(len(examples)))]["output"]), language_name(env.task))
    yield call_text("run", {"code": program})
    yield call_text("submit", {"code": program})


def _table(otherwise: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Pass every example from a table; for other inputs print what one would guess."""
    program = table_of(_examples(env), otherwise, language_name(env.task))
    yield call_text("run", {"code": program})
    yield call_text("submit", {"code": program})


def _examples(env: AgentEnv) -> Sequence[Mapping[str, Json]]:
    return env.task.public.get("examples") or ({"input": "", "output": ""},)  # a module has none


def _regenerate(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Make the task again from its seed inside the sandbox, and look the answer up."""
    task = env.task
    known = {"split": task.provenance.get("split"), "seed": task.seed, "knobs": dict(task.difficulty)}
    yield call_text("submit", {"code": f"known = {known!r}\n{REGENERATE}"})


def _submit_often(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in one guess after another in a single turn."""
    guesses = ["", "print(0)\n", "print(1)\n", "print()\n", "print(input())\n"]
    yield "".join(call_text("submit", {"code": guess}) for guess in guesses)


def _farm_examples(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Pass the examples in every turn and never hand in: shaping must be taken back."""
    program = next(_table("0", env, rng))
    while True:
        yield program


def near(task: Task) -> Iterator[Mutant]:
    """Hand in some programs that are nearly right.

    They are those one step, operation or constant away from the task's own, mutants of a problem's reference and
    references of problems that differ in one choice, the mutants that came with it, or else broken ones: of a
    solution that others wrote nobody knows which small changes leave it as it is.
    """
    for name, program in _spread(list(_near(task))):
        yield Mutant(name, (call_text("submit", {"code": program}),))


def _near(task: Task) -> Iterator[tuple[str, str]]:
    if told := task.hidden.get("program"):
        program = Program(told["reads"], tuple(Step(name, constant) for name, constant in told["steps"]))
        yield from ((miss.template, miss.source()) for miss in near_misses(program))
    elif "problem" in task.hidden:
        yield from wrong_of(task)
    elif mutants := task.hidden.get("mutants"):
        yield from ((f"mutant {number}", str(mutant)) for number, mutant in enumerate(mutants))
    elif solution := solution_of(task):
        lines = solution.splitlines(keepends=True)
        yield "first half", "".join(lines[: len(lines) // 2])
        yield "unfinished", solution.rstrip()[: -max(1, len(lines[-1]) // 2)]


def _spread(programs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return programs[:: max(1, len(programs) // _MUTANTS_EACH)]


def renamed(source: str) -> str:
    """Return a program as the interpreter understands it, printed anew with other names for its variables."""
    tree = python_tree(source)
    stored = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    names = dict.fromkeys([*stored, *(node.arg for node in ast.walk(tree) if isinstance(node, ast.arg))])
    new = {name: f"value_{number}" for number, name in enumerate(names)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = new[node.arg]
    return ast.unparse(tree) + "\n"


def commented(source: str) -> str:
    """Return a program with a comment and an empty line after each of its own."""
    return "#!/usr/bin/env python3\n" + "".join(f"{line}  # line {line!r}\n\n" for line in source.splitlines())


def _renamed_if_generated(task: Task) -> str:
    """Return a task's solution with other names, or as it is: others' names may be asked for by tests."""
    solution = solution_of(task)
    return renamed(solution) if "program" in task.hidden else solution


def _commented_if_python(task: Task) -> str:
    """Return a task's solution with comments or, in other languages and where lines may go on, with more space."""
    solution = solution_of(task)
    return commented(solution) if "program" in task.hidden else f"{solution.rstrip()}\n\n\n"


def _told_otherwise(write: Callable[[Task], str], env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    program = write(env.task)
    yield call_text("run", {"code": program})
    yield call_text("submit", {"code": program})


ATTACKS: Final[dict[str, Script]] = {
    **{name: partial(_cheat, name) for name in NAMES},
    "nothing": _nothing,
    "constant": _constant,
    "example_table": partial(_table, "''"),
    "example_table_or_echo": partial(_table, "given"),
    "regenerate": _regenerate,
    "submit_often": _submit_often,
    "farm_examples": _farm_examples,
}
MUTANTS: Final = near
EQUIVALENTS: Final[dict[str, Script]] = {
    "renamed": partial(_told_otherwise, _renamed_if_generated),
    "commented": partial(_told_otherwise, _commented_if_python),
}
