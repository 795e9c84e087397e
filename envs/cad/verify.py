"""What counts as solved: a valid shape that is the reference, by exact overlap and by every test of its features.

The reference is built by the task's own program when it is first needed, and is itself put to the proof before anything
is judged by it: it must be valid, of the planned number of solids, and have the volume that was worked out without a
kernel.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from palestra.envs.base import Task
from palestra.envs.cad.records import ALIGNMENTS, Comparison, Kernel, Properties, ShapeError, Wanted
from palestra.envs.cad.rewards import IOU, WEIGHTS, Weights, graded, is_pass
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import InfraError

REFERENCE_S: Final = 30.0  # for a program of ours
_EXACT: Final = 1e-6  # relative: volumes worked out and measured differ by no more
_MISSING: Final = "there is no valid shape"


@dataclass(frozen=True, slots=True)
class Reference:
    """The part of a task, built and proven."""

    wanted: Wanted
    properties: Properties

    @property
    def extent(self) -> float:
        """The longest edge of its bounding box."""
        return max(self.properties.size)


@dataclass(frozen=True, slots=True)
class Found:
    """How a shape compares with the part, and how what is had without any work does; None where it is invalid."""

    made: Comparison | None
    free: Comparison | None
    reason: str = ""  # why it is invalid

    def parts(self, weights: Weights = WEIGHTS) -> dict[str, float]:
        """Return the parts of the reward."""
        return graded(self.made, self.free, weights)


def check_task(task: Task) -> None:
    """Refuse a task that holds no part.

    Raises:
        VerifierError: what is hidden is missing or malformed.
    """
    hidden = task.hidden
    for name, kind in _FIELDS.items():
        if not isinstance(hidden.get(name), kind) or isinstance(hidden[name], bool):
            raise VerifierError(f"a CAD task's hidden part needs {name!r}, not {hidden.get(name)!r:.80}")
    if hidden["alignment"] not in ALIGNMENTS:
        raise VerifierError(f"a CAD task's alignment is one of {', '.join(ALIGNMENTS)}, not {hidden['alignment']!r}")
    if not all(isinstance(test, Mapping) and isinstance(test.get("kind"), str) for test in hidden["tests"]):
        raise VerifierError("each test of a CAD task is an object with a kind")


_FIELDS: Final[Mapping[str, Any]] = {
    "program": str,
    "tests": list | tuple,
    "solids": int,
    "volume": int | float,
    "volume_error": int | float,
    "alignment": str,
    "free": str,
}


def reference(kernel: Kernel, task: Task) -> Reference:
    """Return a task's part.

    Raises:
        VerifierError: its program does not build what the task says.
        InfraError: the kernel failed.
    """
    check_task(task)
    hidden = task.hidden
    built = kernel.build(hidden["program"], timeout_s=REFERENCE_S)
    if built.timed_out:
        raise InfraError(f"the reference of {task.id!r} was not built within {REFERENCE_S:g} s")
    if built.brep is None:
        raise VerifierError(f"the reference of {task.id!r} cannot be built: {built.error}")
    try:
        properties = kernel.measure(built.brep)
    except ShapeError as error:
        raise VerifierError(f"the reference of {task.id!r} is no part: {error}") from error
    if properties.solids != hidden["solids"]:
        raise VerifierError(f"the reference of {task.id!r} is {properties.solids} solids, not {hidden['solids']}")
    planned, off = float(hidden["volume"]), float(hidden["volume_error"])
    if not math.isclose(properties.volume, planned, rel_tol=_EXACT, abs_tol=off):
        raise VerifierError(f"the reference of {task.id!r} has a volume of {properties.volume:.9g}, not {planned:.9g}")
    wanted = Wanted(
        brep=built.brep,
        solids=hidden["solids"],
        alignment=hidden["alignment"],
        tests=tuple(hidden["tests"]),
        seed=task.seed % 2**31,
    )
    return Reference(wanted, properties)


def box_program(properties: Properties) -> str:
    """Return a program of a shape's bounding box, filled."""
    size, low = (", ".join(f"{value:.9g}" for value in values) for values in (properties.size, properties.low))
    return f"import cadquery as cq\nresult = cq.Workplane().box({size}, centered=False).translate(({low}))\n"


def compare(kernel: Kernel, task: Task, brep: bytes | None, reason: str = "") -> Found:
    """Return how a shape compares with a task's part.

    Args:
        kernel: that judges.
        task: with the part.
        brep: the shape; None if there is none.
        reason: why there is none.

    Raises:
        VerifierError: the task is malformed, or what it asks for is what is given.
        InfraError: the kernel failed.
    """
    if brep is None:
        return Found(None, None, reason or _MISSING)
    part = reference(kernel, task)
    try:
        made = kernel.judge(brep, part.wanted)
    except ShapeError as error:
        return Found(None, None, str(error))
    return Found(made, None if is_pass(made) else _free(kernel, task, part))


def _free(kernel: Kernel, task: Task, part: Reference) -> Comparison | None:
    """Return how what is had without any work compares with the part: what is given, or else the filled box.

    Returns:
        None if neither is a shape that can be judged.

    Raises:
        VerifierError: it is the part.
        InfraError: it was not built in time.
    """
    given = str(task.hidden["free"])
    for program in (*[given] * bool(given), box_program(part.properties)):
        built = kernel.build(program, timeout_s=REFERENCE_S)
        if built.timed_out:
            raise InfraError(f"what {task.id!r} gives was not built within {REFERENCE_S:g} s")
        if built.brep is None:
            continue
        try:
            free = kernel.judge(built.brep, part.wanted)
        except ShapeError:
            continue
        if is_pass(free):
            raise VerifierError(f"{task.id!r} asks for what is given")
        return free
    return None


def verdict(found: Found, weights: Weights = WEIGHTS) -> Verdict:
    """Return the verdict on a shape: its score is the reward's, and each test is a check."""
    made = found.made
    if made is None:
        return Verdict(score=0.0, passed=False, checks=(Check(name="valid", passed=False, evidence=found.reason),))
    checks = [
        Check(name="valid", passed=True),
        Check(name="overlap", passed=made.iou >= IOU, evidence=f"IoU {made.iou:.6f}"),
        *(
            Check(name=f"test {number} ({one.test['kind']})", passed=one.passed, evidence=one.reason)
            for number, one in enumerate(made.tests)
        ),
    ]
    return Verdict(score=min(1.0, sum(found.parts(weights).values())), passed=is_pass(made), checks=tuple(checks))
