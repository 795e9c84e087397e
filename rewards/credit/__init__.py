"""Credit: from the rewards of a batch of trajectories to one advantage a turn.

Every estimator is a pure function of the trajectories that were played, and finds siblings - attempts at one task from
the same start - by their `group`. A group of one has nothing to compare with: its advantages are 0, never its raw
reward. Statistics are of conversations, one value each, however many turns or rows a conversation became.
"""

from typing import Final

from palestra.rewards.credit.batch import bnpo, reinforce_plus_plus, reinforce_plus_plus_baseline, risk
from palestra.rewards.credit.group import dr_grpo, grpo, maxrl, rloo, turn_loo
from palestra.rewards.credit.partition import log_partition
from palestra.rewards.credit.returns import Estimator
from palestra.rewards.credit.states import gigpo

CREDITS: Final[dict[str, Estimator]] = {
    "turn_loo": turn_loo,
    "rloo": rloo,
    "grpo": grpo,
    "dr_grpo": dr_grpo,
    "maxrl": maxrl,
    "reinforce++": reinforce_plus_plus,
    "reinforce++baseline": reinforce_plus_plus_baseline,
    "bnpo": bnpo,
    "risk": risk,
    "gigpo": gigpo,
    "log_partition": log_partition,
}


def credit_named(name: str) -> Estimator:
    """Return an estimator by its name.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in CREDITS:
        raise ValueError(f"no credit is called {name!r}; there are {', '.join(CREDITS)}")
    return CREDITS[name]


__all__ = ["CREDITS", "Estimator", "credit_named"]
