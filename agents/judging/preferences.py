"""Preferences between actions on pages, as `palestra web label` writes them, as questions to a judge."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from palestra.envs.actions import Action, ToolCall
from palestra.envs.base import TaskError
from palestra.envs.web.actions import WEB_TOOLS, read_call, written_call
from palestra.envs.web.labels import Preference
from palestra.envs.web.verify import REPORT, SAY
from palestra.rewards.judging.base import Candidate, Question
from palestra.rewards.judging.rules import ExactJudge

_TEXTS = {name: str for name in ("task_id", "intent", "observation", "positive")}
_PARAMETERS = {tool["function"]["name"]: list(tool["function"]["parameters"]["properties"]) for tool in WEB_TOOLS}
_TYPES = {**_TEXTS, "distance": int, "history": list, "negatives": list}


def read_preferences(path: Path) -> list[Preference]:
    """Return the preferences of a file.

    Raises:
        TaskError: it cannot be read, or a line of it is no preference.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"cannot read the preferences {str(path)!r}: {error}") from error
    found = [_preference(line, f"line {number} of {str(path)!r}") for number, line in enumerate(lines, 1) if line]
    if not found:
        raise TaskError(f"{str(path)!r} holds no preferences; write some with: palestra web label -o {path.name}")
    return found


def question_of(preference: Preference, actions: Sequence[str]) -> Question:
    """Return the question which of some actions is the best in a preference's state."""
    return Question(
        instruction=preference.intent,
        state=preference.observation,
        history=preference.history,
        candidates=tuple(Candidate(action=action) for action in actions),
    )


def exact_judge(preferences: Iterable[Preference]) -> ExactJudge:
    """Return the judge that knows these labels."""
    right: dict[str, list[str]] = {}
    for one in preferences:
        right.setdefault(question_of(one, [one.positive]).key, []).append(one.positive)
    return ExactJudge(right)


def plain_action(text: str) -> str:
    """Return the one action on a page that a text is, written plainly: no comment, nothing around it; "" for any other.

    Arguments stand in the tool's order.
    """
    call = _call(text)
    if call is None:
        return ""
    given = {name: call.arguments[name] for name in _PARAMETERS[call.name] if name in call.arguments}
    return written_call(call.name, given)


def site_of(preference: Preference) -> str:
    """Return the site that a preference is of."""
    return [*preference.task_id.split("/"), ""][1]


def kind_of(positive: str, negative: str) -> str:
    """Return in what an action differs from the right one: its end, its tool, its element or its value."""
    right, wrong = _call(positive), _call(negative)
    if right is None or wrong is None:
        return "no action"
    if wrong.name in (SAY, REPORT):
        return "another end" if right.name in (SAY, REPORT) else "ends too early"
    if wrong.name == "go_back":
        return "goes back"
    if right.name in (SAY, REPORT):
        return "does not end"
    if right.arguments.get("bid") == wrong.arguments.get("bid"):
        return "another value"
    return "another element" if right.name == wrong.name else "another tool"


def _call(text: str) -> ToolCall | None:
    read = read_call(Action(text), WEB_TOOLS)
    return None if read.error or len(read.calls) != 1 else read.calls[0]


def _preference(line: str, where: str) -> Preference:
    try:
        told = json.loads(line)
        if set(told) != set(_TYPES) or any(type(told[name]) is not kind for name, kind in _TYPES.items()):
            raise ValueError(f"its fields are not {', '.join(_TYPES)}")
        if not all(isinstance(text, str) for text in [*told["history"], *told["negatives"]]):
            raise ValueError("history and negatives are texts")
        if not told["negatives"]:
            raise ValueError("it has no negatives")
    except (ValueError, TypeError, RecursionError) as error:
        raise TaskError(f"{where} is no preference: {error}") from error
    return Preference(**{**told, "history": tuple(told["history"]), "negatives": tuple(told["negatives"])})
