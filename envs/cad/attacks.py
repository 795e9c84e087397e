"""How one would cheat: programs that must earn nothing, and spoilt solutions that must fail, handed in by scripts.

An attack sees what an agent sees; those of the box are told the bounding box of the part as well. What is no valid
shape earns nothing, nor does what overlaps no more with the part than its filled box. `MUTANTS` know the solution and
make it a little wrong: by another number, without a feature, scaled, mirrored, of facets, hollow, or half of it twice.
`EQUIVALENTS` are no cheats: the solution written otherwise.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task
from palestra.envs.cad.actions import BUILD, MEASURE, RENDER, SUBMIT
from palestra.envs.cad.cheats import BOX, BOXES, PROGRAMS, SOLVED, SPOILT, TINY
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import Script

_NEAR: Final = 1  # of a task's near misses are played with it; its tests tell them all, by the model of the part


def build(code: str) -> str:
    """Return the action that builds a program."""
    return call_text(BUILD, {"code": code})


def _hand_in(code: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield build(code)
    yield call_text(SUBMIT, {})


def _hand_in_box(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in something made of the bounding box; which it is, the seed of the task says."""
    yield build(boxed(env.task, list(BOXES.values())[env.task.seed % len(BOXES)]))
    yield call_text(SUBMIT, {})


def boxed(task: Task, code: str) -> str:
    """Return a program of `BOXES` about the bounding box of a task's part."""
    test = next(test for test in task.hidden["tests"] if test["kind"] == "box")
    x, y, z = (f"{high - low:.9g}" for low, high in zip(test["low"], test["high"], strict=True))
    return (BOX + code).format(x=x, y=y, z=z, low=", ".join(f"{value:.9g}" for value in test["low"]))


def _submit_at_once(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield call_text(SUBMIT, {})


def _look_only(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Measure and draw what is not there, and hand it in."""
    yield call_text(MEASURE, {}) + call_text(RENDER, {"views": ["top"]})
    yield call_text(SUBMIT, {})


def _hand_in_what_is_given(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in the program that stands in the task, if there is one."""
    yield build(str(env.task.public.get("given", TINY)))
    yield call_text(SUBMIT, {})


def _spoil_the_last(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Build the part, then something else, and hand in what was built last."""
    yield build(env.task.hidden["program"])
    yield build(TINY)
    yield call_text(SUBMIT, {})


def _after_the_end(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in nothing, and build the part behind it in the same turn."""
    yield call_text(SUBMIT, {}) + build(env.task.hidden["program"]) + call_text(SUBMIT, {})


def _farm(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Build the part in every turn and never hand it in: the potential must be taken back."""
    while True:
        yield build(env.task.hidden["program"])


def spoilt(task: Task) -> Iterator[Mutant]:
    """Yield parts that are nearly the task's own: of its near misses and of `SPOILT`, the latter by its seed."""
    for kind, program in task.hidden["near_misses"][:_NEAR]:
        yield Mutant(kind, (build(program), call_text(SUBMIT, {})), "part")
    ways = [name for name in SPOILT if is_spoilt_by(task, name)]
    name = ways[task.seed % len(ways)]
    yield Mutant(name, (build(spoil(task, name)), call_text(SUBMIT, {})), "shape")


def spoil(task: Task, name: str) -> str:
    """Return the solution of a task with one of `SPOILT` behind it."""
    return str(task.hidden["program"]) + SOLVED + SPOILT[name]


def is_spoilt_by(task: Task, name: str) -> bool:
    """Return whether a way to spoil a part makes another of it: a symmetric one is its own mirror image."""
    tests: dict[str, Mapping[str, Json]] = {test["kind"]: test for test in task.hidden["tests"]}
    if name in ("moved", "mirrored") and task.hidden["alignment"] != "datum":
        return False
    if name == "facets":  # of a part with flat faces alone, they are the part
        return any(test["kind"] == "hole" or test.get("type", "plane") != "plane" for test in task.hidden["tests"])
    middle = (tests["box"]["low"][0] + tests["box"]["high"][0]) / 2
    return name != "mirrored" or bool(abs(tests["centre"]["at"][0] - middle) > 0.05)


def commented(task: Task) -> str:
    """Return the solution with comments."""
    return f"# the part\n{task.hidden['program']}\n# as it was asked for\n"


def as_a_shape(task: Task) -> str:
    """Return a solution that leaves a shape, not a workplane."""
    return f"{task.hidden['program']}{SOLVED}result = whole\n"


def _written_otherwise(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Write the solution otherwise, and look at it before it is handed in."""
    write = OTHERWISE[env.task.seed % len(OTHERWISE)]
    yield build(write(env.task))
    yield call_text(MEASURE, {})
    yield call_text(SUBMIT, {})


ATTACKS: Final[dict[str, Script]] = {
    **{name: partial(_hand_in, code) for name, code in PROGRAMS.items()},
    "box": _hand_in_box,
    "submit_at_once": _submit_at_once,
    "look_only": _look_only,
    "given": _hand_in_what_is_given,
    "spoil_the_last": _spoil_the_last,
    "after_the_end": _after_the_end,
    "farm": _farm,
}
MUTANTS: Final = spoilt
OTHERWISE: Final[tuple[Callable[[Task], str], ...]] = (commented, as_a_shape)
EQUIVALENTS: Final[dict[str, Script]] = {"otherwise": _written_otherwise}
