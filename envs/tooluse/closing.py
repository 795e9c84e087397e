"""The tools that end an episode, and what an agent is told of its place before it begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from palestra.envs.actions import ToolCall, function_tool
from palestra.envs.base import Json
from palestra.envs.tooluse.case import Ending
from palestra.envs.tooluse.world import Base

FINISH, ASK, REPORT, DECLINE = "finish", "ask_user", "report_problem", "decline"
CLOSING = (FINISH, ASK, REPORT, DECLINE)
MAX_ANSWERS = 20
MAX_ABOUT_CHARS = 80

Code = Literal["not_found", "wrong_value", "unavailable"]
CODES: Mapping[Code, str] = {
    "not_found": "what was asked about is not there",
    "wrong_value": "a tool replies what cannot be true",
    "unavailable": "a tool keeps failing",
}
Reason = Literal["no_tool", "not_allowed", "already_done"]
REASONS: Mapping[Reason, str] = {
    "no_tool": "no tool can do what was asked for",
    "not_allowed": "a rule forbids it",
    "already_done": "everything is already as asked",
}
_KINDS: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


@dataclass(frozen=True, slots=True)
class End:
    """How an agent ended its episode: the kind, the answer if there is one, and what it named."""

    kind: Ending
    answer: Json = None
    named: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, call: ToolCall) -> "End":
        """Return what a call of a closing tool other than `ask_user` says; its arguments fit the schema."""
        if call.name == FINISH:
            return cls("solve", call.arguments.get("answer"))
        kind: Ending = "report" if call.name == REPORT else "refuse"
        return cls(kind, None, {name: str(value) for name, value in call.arguments.items()})


def closing_tools(answer: Json) -> tuple[dict[str, Any], ...]:
    """Return the closing tools of a task.

    Args:
        answer: to the request, of which only the type is told: None where nothing is asked, a text, a number or a
            list of them. Operators that make a request unanswerable keep the tools that it had.
    """
    properties = {} if answer is None else {"answer": _answer_schema(answer)}
    about = "Ends the conversation: the request is carried out" + (", and this is the answer" if properties else "")
    named = {"type": "string", "description": "The name of the one parameter or thing that you need to know"}
    return (
        function_tool(FINISH, f"{about}.", properties),
        function_tool(
            ASK,
            "Ask the user for one thing that neither the request nor any tool tells.",
            {"about": {**named, "maxLength": MAX_ABOUT_CHARS}},
        ),
        function_tool(
            REPORT,
            "Ends the conversation: the request cannot be carried out because of a problem with a tool. "
            + _told(CODES),
            {
                "code": {"type": "string", "enum": list(CODES)},
                "tool": {"type": "string", "description": "The name of the tool that it is about"},
                "parameter": {"type": "string", "description": "Its parameter, or the field of its reply, if any"},
            },
            required=["code", "tool"],
        ),
        function_tool(
            DECLINE,
            "Ends the conversation: the request cannot be carried out at all. " + _told(REASONS),
            {"reason": {"type": "string", "enum": list(REASONS)}},
        ),
    )


def public_of(base: Base) -> dict[str, Json]:
    """Return the public part of a task in a world: what `briefing` makes the system prompt of."""
    policies = [policy.text for policy in base.domain.policies]
    return {"domain": base.domain.name, "about": base.domain.about, "policies": policies, "today": base.today}


def briefing(public: Mapping[str, Json]) -> str:
    """Return the system prompt of a task with this public part."""
    policies: Sequence[Json] = public.get("policies", ())
    rules = ["Rules:", *[f"- {text}" for text in policies]] if policies else []
    return "\n".join(
        [
            f"{public.get('about', '')} Today is {public.get('today', '')}. Use the tools to do what the user asks.",
            *rules,
            f"Change nothing that was not asked for. If only the user can know something that you need, call {ASK}. "
            f"End with {FINISH}; if the request cannot be carried out, with {REPORT} or {DECLINE}.",
        ]
    )


def _answer_schema(answer: Json) -> dict[str, Json]:
    if not isinstance(answer, (list, tuple)):
        return {"type": _KINDS[type(answer)], "description": "The answer; dates as YYYY-MM-DD"}
    kinds = sorted({_KINDS[type(one)] for one in answer})
    items = {"type": kinds[0] if len(kinds) == 1 else kinds}
    about = "The answers, in the order asked; dates as YYYY-MM-DD"
    return {"type": "array", "items": items, "maxItems": MAX_ANSWERS, "description": about}


def _told(meanings: Mapping[Any, str]) -> str:
    return "; ".join(f"{name}: {meaning}" for name, meaning in meanings.items()) + "."
