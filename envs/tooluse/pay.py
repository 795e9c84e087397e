"""What an episode is paid: for its outcome alone, for parts of it, or turn by turn."""

from typing import Literal

from palestra.envs.tooluse.verify import Final, Target, checks
from palestra.rewards.heads import economy, f1, paid_for_saying

Reward = Literal["exact", "graded", "ftrl"]
REWARDS: tuple[Reward, ...] = ("exact", "graded", "ftrl")
_STATE, _ANSWER, _ECONOMY = 0.5, 0.3, 0.2


def graded(target: Target, final: Final, needed: int, calls: int) -> float:
    """Return what parts of the outcome are worth, in [0, 1]; 1 for whoever does as the oracle does.

    It is ``0.5 state + 0.3 answer + 0.2 economy``: F1 of the changes, whether the answer is right, and
    ``min(1, needed / calls)``, so that calls to no purpose cost. Where nothing is to be changed, or nothing to be
    answered, the other of the two has the weight of both; where neither is, the ending itself has. Who ends in the
    wrong way, or wrote what the request does not speak of, or got nothing right, earns 0.

    Args:
        target: what is right.
        final: what the episode came to.
        needed: the oracle's calls.
        calls: that reached the world.
    """
    passed = {check.name: check.passed for check in checks(target, final)}
    if not (passed["ending"] and passed["writes"]):
        return 0.0
    weights = {"state": _STATE * bool(target.to_change), "answer": _ANSWER * (target.goal.answer is not None)}
    parts = {"state": f1(target.to_change, final.changes ^ target.start), "answer": float(passed["answer"])}
    both = sum(weights.values())
    quality = sum(weights[name] * parts[name] for name in weights) / both if both else float(passed["state"])
    return (_STATE + _ANSWER) * quality + _ECONOMY * economy(needed, calls) if quality else 0.0


def closing(target: Target, final: Final, unsolved: int) -> float:
    """Return what FTRL's head pays for the end of an episode, and 0 after a write that nobody asked for.

    Its final answer is here one that is right by type and value, or another ending that names what it must.
    """
    passed = {check.name: check.passed for check in checks(target, final)}
    if not passed["writes"]:
        return 0.0
    is_told = target.goal.answer is not None or target.goal.ending != "solve"
    is_right = is_told and passed["ending"] and passed["answer"]
    return paid_for_saying("right" if is_right else "other", unsolved)
