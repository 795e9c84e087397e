"""Judging an episode: the world, the answer, the way it ended, and what nobody may touch."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from palestra.envs.base import Json
from palestra.envs.tooluse.case import Goal
from palestra.envs.tooluse.closing import End
from palestra.envs.tooluse.progress import Cell, kind_of
from palestra.rewards.base import Check, Verdict

_MAX_EVIDENCE_CHARS = 300
_ROUNDING = 1e-6  # of sums of cents
_LARGEST = 1e15  # number that is looked at so closely

Change = tuple[str, ...]  # table, id, column, and the value as `kind_of` tells it


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is right at the end of an episode."""

    goal: Goal
    named: Mapping[str, str]  # what the end must name, by the names that the agent sees
    start: frozenset[Change]  # how the world begins, as `changes_of` tells it
    changes: frozenset[Change]  # how it must end
    cells: frozenset[Cell]  # that may be written

    @property
    def to_change(self) -> frozenset[Change]:
        """What is to be changed."""
        return self.start ^ self.changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """What an episode came to."""

    end: End | None  # None: it was never ended
    changes: frozenset[Change]
    touched: Collection[Cell]  # every cell that ever changed, back again or not
    forbidden: int = 0  # writes to what stands outside the world


def changes_of(diff: Sequence[Sequence[Json]]) -> frozenset[Change]:
    """Return what `World.diff` tells, such that equal changes, and no others, are equal."""
    return frozenset((str(table), str(id_), str(column), *kind_of(value)) for table, id_, column, value in diff)


def verify(target: Target, final: Final) -> Verdict:
    """Return the verdict: 1.0 if everything is right, else 0.0. Arbitrary values never raise."""
    return Verdict.of(checks(target, final))


def checks(target: Target, final: Final) -> tuple[Check, ...]:
    """Return what was looked at: the end, the answer, the world, and what was touched beside the goal."""
    end, goal = final.end, target.goal
    is_so_ended = end is not None and end.kind == goal.ending and _names(target, end.named)
    lacking, more = target.changes - final.changes, final.changes - target.changes
    strayed = sorted(set(final.touched) - target.cells)
    told = "" if end is None else f"{end.kind} {dict(end.named)}"
    return (
        _check("ending", is_so_ended, f"{told or 'no end'}; wanted {goal.ending} {dict(target.named)}"),
        _check("answer", answers(end, goal), f"wanted {goal.answer!r}, got {_told(end)}"),
        _check("state", not lacking and not more, f"missing: {sorted(lacking)}; beyond: {sorted(more)}"),
        _check("writes", not strayed and not final.forbidden, f"touched: {strayed}; forbidden: {final.forbidden}"),
    )


def answers(end: End | None, goal: Goal) -> bool:
    """Tell whether an end gives the answer that is wanted; a goal without one is answered by giving none."""
    return end is not None and same(goal.answer, end.answer)


def same(wanted: Json, given: Json) -> bool:
    """Tell whether an answer is the one that is wanted: a number as a number, a text folded, a list in order."""
    if isinstance(wanted, (list, tuple)):
        return (
            isinstance(given, (list, tuple))
            and len(given) == len(wanted)
            and all(same(one, other) for one, other in zip(wanted, given, strict=True))
        )
    if isinstance(wanted, bool) or wanted is None:
        return given is wanted
    if isinstance(wanted, int):
        return _is_number(given) and bool(given == wanted)
    if isinstance(wanted, float):
        return _is_number(given) and abs(given) < _LARGEST and abs(given - wanted) < _ROUNDING
    return isinstance(given, str) and _folded(given) == _folded(str(wanted))


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _names(target: Target, named: Mapping[str, str]) -> bool:
    given = {name: value.casefold().strip() for name, value in named.items() if value.strip()}
    return given == {name: value.casefold() for name, value in target.named.items()}


def _told(end: End | None) -> str:
    try:
        return repr(None if end is None else end.answer)
    except (ValueError, RecursionError):  # an integer too long, or lists too deep, to be written
        return "what cannot be written"


def _check(name: str, is_passed: bool, evidence: str) -> Check:
    return Check(name=name, passed=is_passed, evidence="" if is_passed else _shown(evidence))


def _shown(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()[:_MAX_EVIDENCE_CHARS]
