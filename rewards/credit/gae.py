"""Credit by a critic: generalised advantage estimation, over turns and over the tokens inside them."""

from collections.abc import Sequence

from palestra.rewards.base import RecordError


def gae(
    rewards: Sequence[float], values: Sequence[float], *, gamma: float = 1.0, lam: float = 1.0, last: float = 0.0
) -> list[float]:
    """Return ``A_t = sum over l of (gamma lam)^l (r_{t+l} + gamma V_{t+l+1} - V_{t+l})``.

    Args:
        rewards: what each step paid.
        values: the critic's, of the state in which each step began.
        gamma: discount.
        lam: 0 trusts the critic, 1 the rewards.
        last: the value of the state after the last step; 0 where the episode ended.

    Raises:
        RecordError: there is not one value a reward.

    Source: Schulman et al. 2016, arXiv:1506.02438.
    """
    if len(rewards) != len(values):
        raise RecordError(f"{len(rewards)} rewards but {len(values)} values; a critic gives one for each step")
    advantages, ahead, running = [0.0] * len(rewards), last, 0.0
    for t in range(len(rewards) - 1, -1, -1):
        running = rewards[t] + gamma * ahead - values[t] + gamma * lam * running
        advantages[t] = running
        ahead = values[t]
    return advantages


def bilevel_gae(
    rewards: Sequence[float],
    values: Sequence[Sequence[float]],
    *,
    gamma_turn: float = 1.0,
    lam_turn: float = 1.0,
    gamma: float = 1.0,
    lam: float = 1.0,
) -> list[list[float]]:
    """Return one advantage a token: first over turns, then, with what a turn was worth, over the tokens inside it.

    Over turns, a turn's value is the critic's at its last token, and the advantage is that of ``gae`` with the turns'
    discount. The turn's advantage plus its value is then the reward of its last token, every other token's is 0, and
    ``gae`` runs over the turn's tokens alone.

    Args:
        rewards: what each turn paid.
        values: the critic's at each sampled token of each turn.
        gamma_turn: discount from turn to turn.
        lam_turn: how far rewards are trusted over values, from turn to turn.
        gamma: discount from token to token in a turn.
        lam: the same for tokens.

    Raises:
        RecordError: turns and values do not fit, or a turn has no token.

    Source: bi-level GAE of VAGEN (arXiv:2510.16907), also in RAGEN (arXiv:2504.20073).
    """
    if len(rewards) != len(values) or not all(len(row) for row in values):
        raise RecordError(
            f"{len(rewards)} turns but values of {[len(row) for row in values]} tokens; each turn has some"
        )
    ends = [row[-1] for row in values]
    turns = gae(rewards, ends, gamma=gamma_turn, lam=lam_turn)
    tokens = []
    for advantage, end, row in zip(turns, ends, values, strict=True):
        tokens.append(gae([0.0] * (len(row) - 1) + [advantage + end], row, gamma=gamma, lam=lam))
    return tokens
