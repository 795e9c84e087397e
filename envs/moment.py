"""One moment of an episode in parts that nobody changes, so that holding it costs next to nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from palestra.envs.base import Json, Message, Task
from palestra.rewards.base import Outcome, Scored, Truncated


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What decides how an episode goes on, but for what is no JSON. Messages are never changed, only added to."""

    task: Task
    family: str  # the family's state, as JSON text
    rng: Mapping[str, Json]
    messages: tuple[Message, ...]
    turns: int
    total: float  # the rewards so far
    phi: float
    outcome: Outcome | None

    def to_json(self) -> Json:
        """Return the moment as plain JSON data; the task's hidden part is in it."""
        return {
            "task": self.task.to_dict(),
            "family": json.loads(self.family),
            "rng": self.rng,
            "messages": self.messages,
            "turns": self.turns,
            "return": self.total,
            "phi": self.phi,
            "outcome": _outcome_to_json(self.outcome),
        }

    @classmethod
    def from_json(cls, state: Any) -> "Moment":
        """Return the moment that `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        return cls(
            task=Task.from_dict(state["task"]),
            family=json.dumps(state["family"]),
            rng=state["rng"],
            messages=tuple(state["messages"]),
            turns=state["turns"],
            total=state["return"],
            phi=state["phi"],
            outcome=_outcome_from_json(state["outcome"]),
        )


def _outcome_to_json(outcome: Outcome | None) -> Json:
    if outcome is None:
        return None
    kind = outcome.kind if isinstance(outcome, Truncated) else "scored"
    return {"kind": kind, "reward": outcome.reward, "is_success": outcome.is_success}


def _outcome_from_json(data: Json) -> Outcome | None:
    if data is None:
        return None
    if data["kind"] == "scored":
        return Scored(data["reward"], data["is_success"])
    kind = cast(Literal["turns", "tokens", "deadline"], data["kind"])
    return Truncated(kind, data["reward"], data["is_success"])
