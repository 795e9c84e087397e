"""What a teacher is told besides the task: pure functions from episodes, or an expert's plan, to text.

All of it is data that environments and policies wrote; it stands in the teacher's prompt alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from palestra.rewards.base import Scored, Trajectory

DistillKind = Literal["none", "feedback", "skill", "privileged"]

FEEDBACK = "What an attempt at this met with:"
SKILL = "What attempts at this have taught:"
PRIVILEGED = "What an expert does here, step by step:"
LIMIT = 2000  # characters of a text, so that a teacher's prompt stays near the student's


def feedback(own: Trajectory, siblings: Sequence[Trajectory]) -> str:
    """Return what came back to an attempt, and what a sibling did that succeeded; "" if there is neither.

    After SDPO: what the environment said tells where the attempt went wrong, and a success of a sibling is feedback
    where nothing but a number comes back.
    """
    solved = [one for one in siblings if one is not own and _is_solved(one)]
    told = [f"- it was told: {text}" for text in _replies(own)]
    if told:
        told.append("- it succeeded" if _is_solved(own) else "- it failed")
    if solved:
        told += ["Another attempt succeeded by:", *_numbered(said(solved[0]))]
    return _whole(FEEDBACK, told)


def skill(group: Sequence[Trajectory]) -> str:
    """Return how a task was solved and what only failures did; "" if nobody solved it.

    The workflow is that of the shortest success; a mistake is the first action of a failure that no success took.
    Skill-SD has a language model write such summaries; this one is a rule, the same text for the same episodes.
    """
    solved = [one for one in group if _is_solved(one)]
    if not solved:
        return ""
    known = {text for one in solved for text in said(one)}
    best = min(solved, key=lambda one: len(one.turns))
    odd = [next((text for text in said(one) if text not in known), "") for one in group if not _is_solved(one)]
    mistakes = [f"- {text}" for text in dict.fromkeys(filter(None, odd))]
    told = ["Workflow:", *_numbered(said(best)), *(["Mistakes:", *mistakes] if mistakes else [])]
    return _whole(SKILL, told)


def privileged(plan: Sequence[str]) -> str:
    """Return an expert's plan as a text; "" if it is empty. After pi-Distill."""
    return _whole(PRIVILEGED, _numbered(plan))


def said(trajectory: Trajectory) -> list[str]:
    """Return what the policy said, turn by turn, calls included."""
    return [_text(message) for message in trajectory.messages if message["role"] == "assistant"]


def _replies(trajectory: Trajectory) -> list[str]:
    roles = [message["role"] for message in trajectory.messages]
    start = roles.index("assistant") if "assistant" in roles else len(roles)
    return [_text(one) for one in trajectory.messages[start:] if one["role"] != "assistant" and _text(one)]


def _text(message: Mapping[str, Any]) -> str:
    calls = [f"{one['function']['name']}({one['function']['arguments']})" for one in message.get("tool_calls") or ()]
    return "\n".join(filter(None, [str(message.get("content") or "").strip(), *calls]))


def _numbered(texts: Sequence[str]) -> list[str]:
    return [f"{number}. {text}" for number, text in enumerate(texts, 1)]


def _whole(head: str, told: Sequence[str]) -> str:
    return "\n".join([head, *told])[:LIMIT] if told else ""


def _is_solved(trajectory: Trajectory) -> bool:
    return isinstance(trajectory.outcome, Scored) and trajectory.outcome.is_success
