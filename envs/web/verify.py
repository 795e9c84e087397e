"""What an episode on a site is worth: decided by the server's data, what was said, and what was seen before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any, Final

from palestra.envs.base import Json, TaskError
from palestra.envs.web.element import Page
from palestra.envs.web.site import Data, Goal, changes

SAY: Final = "send_msg_to_user"
REPORT: Final = "report_infeasible"
KINDS: Final = ("change", "answer", "infeasible")
_AND: Final = "\n"  # between texts that one page tells
_OR: Final = "\n\n"  # between facts of which one is enough
_NUMBER: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")


def together(*texts: str) -> str:
    """Return the fact that a page tells which tells all of these texts."""
    return _AND.join(texts)


def either(*facts: str) -> str:
    """Return the fact that is told where one of these is."""
    return _OR.join(facts)


def seen_on(page: Page, facts: Sequence[str]) -> int:
    """Return which of the facts a page tells, as bits: the first fact is bit 1."""
    if not facts:
        return 0
    told = "\n".join(
        [page.title, *(part for one in page.walk() for part in (one.name, one.value, *one.options) if part)]
    )
    return sum(1 << place for place, fact in enumerate(facts) if _is_told(fact, told))


def is_known(goal: Goal, seen: int) -> bool:
    """Tell whether all facts were seen; that something cannot be done is never known without any."""
    return seen == (1 << len(goal.facts)) - 1 and (goal.kind != "infeasible" or bool(goal.facts))


def said(goal: Goal, name: str, text: str) -> Json:
    """Return what the end of an episode says, as far as it counts: for an answer its value, else which end it is."""
    return answered(goal, text) if goal.kind == "answer" and name == SAY else name


def answered(goal: Goal, text: str) -> str | float | None:
    """Return the value of an answer, typed as the goal's is; None if it is of another type.

    Texts are compared whole, whatever their case and spaces; numbers by value, written plainly.
    """
    if isinstance(goal.answer, str):
        return _plain(text)
    return float(text) if _NUMBER.fullmatch(text := text.strip()) and text.isascii() else None


def is_solved(goal: Goal, start: Data, now: Data, told: Json, seen: int) -> bool:
    """Tell whether an episode that ended succeeded.

    Args:
        goal: what was asked for.
        start: the data at the start.
        now: the data at the end.
        told: what `said` returned.
        seen: which facts were seen, as bits.
    """
    if not is_known(goal, seen) or changes(start, now) != (goal.changes if goal.kind == "change" else {}):
        return False
    if goal.kind == "answer":
        right = _plain(goal.answer) if isinstance(goal.answer, str) else goal.answer
        return told is not None and told not in KINDS and told == right
    return bool(told == (SAY if goal.kind == "change" else REPORT))


def goal_to_json(goal: Goal) -> dict[str, Json]:
    """Return a goal as JSON."""
    told = asdict(goal) | {name: list(getattr(goal, name)) for name in ("facts", "forbidden", "values")}
    return {**told, "changes": dict(goal.changes), "parts": [[intent, dict(of)] for intent, of in goal.parts]}


def goal_from_json(told: Mapping[str, Any]) -> Goal:
    """Return the goal that `goal_to_json` wrote.

    Raises:
        TaskError: it is none.
    """
    try:
        lists = {name: tuple(told[name]) for name in ("facts", "forbidden", "values")}
        parts = tuple((str(said), dict(of)) for said, of in told["parts"])
        goal = Goal(**{**told, **lists, "changes": dict(told["changes"]), "parts": parts})
    except (KeyError, TypeError, ValueError) as error:
        raise TaskError(f"a goal of a web task is malformed: {error!r}") from error
    if goal.kind not in KINDS:
        raise TaskError(f"a goal's kind is one of {', '.join(KINDS)}, not {goal.kind!r}")
    return goal


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _is_told(fact: str, told: str) -> bool:
    return any(all(text in told and whole.search(told) for text, whole in texts) for texts in _texts(fact))


@lru_cache(maxsize=1024)
def _texts(fact: str) -> tuple[tuple[tuple[str, re.Pattern[str]], ...], ...]:
    """Return the ways to tell a fact, each with its texts, and how these are found as whole words."""
    ways = (way.split(_AND) for way in fact.split(_OR))
    return tuple(tuple((text, re.compile(rf"(?<!\w){re.escape(text)}(?!\w)")) for text in way) for way in ways)
