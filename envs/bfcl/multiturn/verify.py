"""What counts as solved, turn by turn: the state is the wanted one and every wanted answer was got in its turn."""

from collections.abc import Sequence

from palestra.envs.bfcl.multiturn.world import World
from palestra.rewards.base import Check, Verdict

MOST_CALLS = 20  # in one of the user's turns
FREE_CALLS = 2  # in each turn and for each wanted call, beyond which calls cost


def judge_turn(world: World, wanted_state: str, left: Sequence[str]) -> Verdict:
    """Judge one of the user's turns when the agent ends it.

    Args:
        world: as the agent left it.
        wanted_state: the digest of what it must show. Work for a later turn shows, like work too much.
        left: the digests of the wanted answers that the agent did not get in this turn.
    """
    state = world.visible()
    return Verdict.of(
        [
            Check(name="state", passed=bool(state) and state == wanted_state, evidence=f"{state} for {wanted_state}"),
            Check(name="answers", passed=not left, evidence=f"{len(left)} wanted answers are missing"),
        ]
    )


def most_calls(wanted: int) -> int:
    """Return how many calls a turn may have: one more, and the episode is lost."""
    return max(MOST_CALLS, 2 * wanted)


def precision(made: int, wanted: int, turns: int) -> float:
    """Return what a solved episode is worth, in (0, 1]: 1 up to twice the wanted calls and two more a turn."""
    return min(1.0, FREE_CALLS * (wanted + turns) / max(1, made))
