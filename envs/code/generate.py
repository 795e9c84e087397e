"""Programming tasks from seeds: chains of operations, and problems of ten areas in any language with a printer.

A task is kept only if its tests tell its solution from programs that are almost right. Held-out tasks have
templates, constants and words that no training task has.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from palestra.envs.base import SPLITS, Json, Split, Task, TaskError, digest, merge_knobs
from palestra.envs.code.chains import chain_task
from palestra.envs.code.draws import Draws
from palestra.envs.code.ir.printers.catalogue import PRINTERS
from palestra.envs.code.problems.catalogue import AREAS
from palestra.envs.code.problems.problem import Plan
from palestra.envs.code.problems.tasks import Wanted, languages, make_task
from palestra.envs.code.program import READS
from palestra.envs.code.writing import tools_for

GENERATOR_VERSION: Final = 2
CHAINS: Final = "chains"
KNOBS: Final[dict[str, Json]] = {
    "area": "any",
    "kind": "any",
    "steps": 2,
    "size": 6,
    "structure": "any",
    "format": "any",
    "helpers": 1,
    "corners": 0.3,
    "adversarial": 0.2,
    "complexity": "any",
    "language": "python",
}
MOST_STEPS: Final = 5
SIZES: Final = range(4, 41)
STRUCTURES: Final = ("any", "one", "cases")
FORMATS: Final = ("any", "counted", "column", "line", "comma", "ended")
COMPLEXITIES: Final = ("any", "linear", "loglinear", "quadratic")
TOOLS: Final = tools_for("Python")
_OF_CHAINS: Final = ("kind", "steps", "size")  # the other knobs say nothing of chains
_MOST_HELPERS: Final = 4


class CodeTasks:
    """The family's `TaskSource`.

    Knobs: ``area`` (chains, or one of the areas of problems, or any); ``steps`` (1 to 5): of a chain, or those of a
    problem before and after its heart and that itself; ``size`` of inputs in items (4 to 40); ``kind`` of a chain's
    input (ints, number, text, words, grid, moves, or any). The others are about problems: ``structure`` (one
    instance or several cases), ``format`` of lists in the input, ``helpers`` (0 to 4, stages that the reference has
    as functions), shares of ``corners`` and ``adversarial`` inputs among the tests tried first, ``complexity`` that
    large tests demand (linear, loglinear, quadratic; any: there are none), ``language`` (a name, any, or rare).

    Raises:
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(KNOBS)

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed, the same bytes in any process.

        Raises:
            TaskError: a knob is unknown or out of range, or there is no such task.
        """
        knobs = merge_knobs(self.knobs, difficulty)
        check_knobs(knobs)
        area = _area(knobs, Draws(self.split, seed, "area"))
        name = f"code/{self.split}/{_named(knobs)}/{seed}"
        if area == CHAINS:
            task = chain_task(self.split, seed, knobs, name, GENERATOR_VERSION)
        else:
            task = make_task(_wanted(knobs, area), self.split, seed, name, knobs, GENERATOR_VERSION)
        if task is None:
            raise TaskError(f"no fair task was found for seed {seed} with the knobs {knobs}")
        return task


def check_knobs(knobs: Mapping[str, Any]) -> None:
    """Refuse knobs that are out of range.

    Raises:
        TaskError: one is.
    """
    known = {
        "area": ("any", CHAINS, *sorted(AREAS)),
        "kind": ("any", *sorted(READS)),
        "structure": STRUCTURES,
        "format": FORMATS,
        "complexity": COMPLEXITIES,
        "language": ("any", "rare", *sorted(PRINTERS)),
    }
    for knob, values in known.items():
        if knobs[knob] not in values:
            raise TaskError(f"knob {knob!r} must be {', '.join(values)}, not {knobs[knob]!r}")
    ranges = {"steps": (1, MOST_STEPS), "size": (SIZES[0], SIZES[-1]), "helpers": (0, _MOST_HELPERS)}
    for knob, (low, high) in {**ranges, "corners": (0, 1), "adversarial": (0, 1)}.items():
        if not low <= knobs[knob] <= high:
            raise TaskError(f"knob {knob!r} must be {low} to {high}, not {knobs[knob]}")
    if not languages(knobs["language"]):
        raise TaskError(f"knob 'language' must be one with a printer: {', '.join(sorted(PRINTERS))}")
    if knobs["kind"] != "any" and knobs["area"] not in ("any", CHAINS):
        raise TaskError(f"knob 'kind' is of the area {CHAINS!r}, not of {knobs['area']!r}")
    if (knobs["area"] == CHAINS or knobs["kind"] != "any") and (others := _set_for_problems(knobs)):
        raise TaskError(f"knob {others[0]!r} is not of the area {CHAINS!r}")


def _set_for_problems(knobs: Mapping[str, Any]) -> list[str]:
    """Return the knobs that only problems have and that were set."""
    return [name for name, value in KNOBS.items() if name not in (*_OF_CHAINS, "area") and knobs[name] != value]


def _area(knobs: Mapping[str, Any], draws: Draws) -> str:
    if knobs["area"] != "any":
        return str(knobs["area"])
    if knobs["kind"] != "any":
        return CHAINS
    if knobs["complexity"] != "any":
        return "any"  # whichever area has such problems
    return draws.pick(sorted(AREAS) if _set_for_problems(knobs) else [CHAINS, *sorted(AREAS)])


def _named(knobs: Mapping[str, Any]) -> str:
    """Return what of a task's id tells its knobs: all of them, in short."""
    usual = {**KNOBS, "area": knobs["area"], "steps": knobs["steps"], "size": knobs["size"]}
    other = "" if dict(knobs) == usual else f"-{digest(dict(knobs))[:8]}"
    return f"{knobs['area']}-{knobs['steps']}-{knobs['size']}{other}"


def _wanted(knobs: Mapping[str, Any], area: str) -> Wanted:
    return Wanted(
        area=area,
        size=knobs["size"],
        corners=knobs["corners"],
        adversarial=knobs["adversarial"],
        language=knobs["language"],
        complexity=knobs["complexity"],
        plan=Plan(steps=knobs["steps"], structure=knobs["structure"], format=knobs["format"], helpers=knobs["helpers"]),
    )
