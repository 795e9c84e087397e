"""Token-level losses by hand: each golden value is worked out in the comment beside it."""

import math

import pytest
import torch
from torch import Tensor

from palestra.agents.losses import cispo, dppo, dual_clip, likelihood, ppo_clip, w_reinforce


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


ALL = torch.tensor([[True, True, True, True]])
RATIOS = row(1.5, 1.5, 0.5, 0.5)
SIGNS = row(1, -1, 1, -1)


def logps() -> tuple[Tensor, Tensor]:
    """Tokens of probability 0.2 at sampling time, whose ratios are now RATIOS."""
    old = torch.full((1, 4), 0.2, dtype=torch.float64).log()
    return (old + RATIOS.log()).requires_grad_(), old


def gradient(loss: Tensor, logp: Tensor) -> list[float]:
    (found,) = torch.autograd.grad(loss.sum(), logp)
    return [round(float(value), 9) for value in found.flatten()]


def test_ppo_clip() -> None:
    logp, old = logps()
    loss, cut = ppo_clip(logp, old, SIGNS, ALL, low=0.2, high=0.28)
    # Gains stop at 1.28 and 0.8 times the advantage, losses do not; where they stop, so does the gradient.
    assert loss.flatten().tolist() == pytest.approx([-1.28, 1.5, -0.5, 0.8])
    assert cut.flatten().tolist() == [True, False, False, True]
    assert gradient(loss, logp) == [0.0, 1.5, -0.5, 0.0]


def test_the_stretched_trust_region_still_learns_where_the_narrow_one_stopped() -> None:
    logp, old = logps()
    loss, cut = ppo_clip(logp, old, SIGNS, ALL, low=0.4, high=0.8)  # ratios from 0.6 to 1.8
    assert loss.flatten().tolist() == pytest.approx([-1.5, 1.5, -0.5, 0.6])
    assert cut.flatten().tolist() == [False, False, False, True]
    assert gradient(loss, logp) == [-1.5, 1.5, -0.5, 0.0]


def test_dual_clip_bounds_what_a_bad_token_costs() -> None:
    old = row(-9, -9, -9)
    logp = (old + row(2, 5, 5).log()).requires_grad_()
    mask = torch.ones(1, 3, dtype=torch.bool)
    loss, cut = dual_clip(logp, old, row(-1, -1, 1), mask, cap=3.0)
    assert loss.flatten().tolist() == pytest.approx([2.0, 3.0, -1.28])  # 2 < 3; 5 is capped; a good one is PPO's
    assert cut.flatten().tolist() == [False, True, True]
    assert gradient(loss, logp) == [2.0, 0.0, 0.0]


def test_cispo_keeps_every_tokens_gradient() -> None:
    logp, old = logps()
    loss, cut = cispo(logp, old, SIGNS, ALL, low=0.2, high=0.28)
    weights = [1.28, 1.28, 0.8, 0.8]
    wanted = [-w * a * float(lp) for w, a, lp in zip(weights, [1, -1, 1, -1], logp.detach().flatten(), strict=True)]
    assert loss.flatten().tolist() == pytest.approx(wanted)
    assert cut.all()
    assert gradient(loss, logp) == [-1.28, 1.28, -0.8, 0.8]


def test_cispo_has_no_lower_bound_by_default() -> None:
    logp, old = logps()
    _, cut = cispo(logp, old, SIGNS, ALL)
    assert not cut.any()


def test_dppo_looks_at_the_probability_and_not_at_its_ratio() -> None:
    old = row(0.01, 0.5, 0.5, 0.5, 0.5).log()
    logp = row(0.1, 0.75, 0.75, 0.25, 0.25).log().requires_grad_()
    advantage, mask = row(1, 1, -1, 1, -1), torch.ones(1, 5, dtype=torch.bool)
    loss, cut = dppo(logp, old, advantage, mask, low=0.2, high=0.2, pull=0.0)
    # 0.01 became ten times likelier and may go on; 0.5 moved by 0.25 > 0.2, up where good and down where bad.
    assert cut.flatten().tolist() == [False, True, False, False, True]
    assert loss.flatten().tolist() == pytest.approx([-10.0, 0.0, 1.5, -0.5, 0.0])
    assert gradient(loss, logp) == [-10.0, 0.0, 1.5, -0.5, 0.0]
    pulled, _ = dppo(logp, old, torch.zeros(1, 5).double(), mask, pull=0.5)
    logs = [math.log(10), math.log(1.5), math.log(1.5), math.log(0.5), math.log(0.5)]
    assert pulled.flatten().tolist() == pytest.approx([0.5 * value**2 for value in logs])
    assert gradient(pulled, logp) == pytest.approx(logs)  # 2 * 0.5 * log r, also where the rest is cut


def test_w_reinforce_learns_mostly_from_what_failed() -> None:
    logp, old = logps()
    loss, cut = w_reinforce(logp, old, SIGNS, ALL, positive=0.1)
    assert loss.flatten().tolist() == pytest.approx([-0.15, 1.5, -0.05, 0.5])
    assert gradient(loss, logp) == pytest.approx([-0.15, 1.5, -0.05, 0.5])  # that of r A is r A
    assert not cut.any()
    loss, cut = w_reinforce(logp, old, SIGNS, ALL, positive=0.0)
    assert gradient(loss, logp) == [0.0, 1.5, 0.0, 0.5]
    assert cut.flatten().tolist() == [True, False, True, False]


def test_likelihood_is_weighted_by_the_advantage() -> None:
    logp, old = logps()
    loss, cut = likelihood(logp, old, row(1, 2, 0, -1), ALL)
    assert gradient(loss, logp) == [-1.0, -2.0, 0.0, 1.0]
    assert float(loss[0, 0].detach()) == pytest.approx(-math.log(0.3))
    assert not cut.any()
