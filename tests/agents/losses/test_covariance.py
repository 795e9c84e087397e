"""Clip-Cov and KL-Cov by hand."""

import math

import pytest
import torch
from torch import Tensor

from palestra.agents.losses import clip_cov, covariances, kl_cov

NAN = float("nan")
MASK = torch.tensor([[True, True, True], [True, False, False]])
# Mean log-probability -2, mean advantage 1.
LOGP = torch.tensor([[-1.0, -1.0, -3.0], [-3.0, NAN, NAN]], dtype=torch.float64)
ADVANTAGE = torch.tensor([[4.0, 1.0, 0.0], [-1.0, NAN, NAN]], dtype=torch.float64)


def gradient(loss: Tensor, logp: Tensor) -> list[float]:
    (found,) = torch.autograd.grad(loss.sum(), logp)
    return [round(float(value), 9) for value in found.flatten()]


def test_covariances() -> None:
    found = covariances(LOGP.clone().requires_grad_(), ADVANTAGE, MASK)
    assert found.flatten().tolist() == [3.0, 0.0, 1.0, 2.0, 0.0, 0.0]  # 1*3, 1*0, -1*-1, -1*-2
    assert not found.requires_grad


def test_clip_cov_leaves_out_tokens_within_the_bounds() -> None:
    logp = LOGP.clone().requires_grad_()
    loss, cut = clip_cov(logp, LOGP, ADVANTAGE, MASK, fraction=0.25, cov_low=2.5, cov_high=5.0)
    assert cut.flatten().tolist() == [True, False, False, False, False, False]  # one of four tokens: the 3.0
    assert loss.flatten().tolist() == pytest.approx([0.0, -1.0, 0.0, 1.0, 0.0, 0.0])
    assert gradient(loss, logp) == [0.0, -1.0, 0.0, 1.0, 0.0, 0.0]
    _, cut = clip_cov(logp, LOGP, ADVANTAGE, MASK, fraction=1.0, cov_low=1.0, cov_high=3.0)
    assert cut.flatten().tolist() == [False, False, False, True, False, False]  # the bounds are exclusive


def test_clip_cov_does_not_choose_what_ppo_cuts_anyway() -> None:
    old = LOGP - torch.tensor([[math.log(2), 0.0, 0.0], [0.0, 0.0, 0.0]])
    loss, cut = clip_cov(LOGP, old, ADVANTAGE, MASK, fraction=1.0, cov_low=2.5, cov_high=5.0)
    assert float(loss[0, 0]) == pytest.approx(-4.0 * 1.28)
    assert cut.flatten().tolist() == [True, False, False, False, False, False]


def test_the_draw_is_that_of_the_seed() -> None:
    torch.manual_seed(0)
    logp = torch.randn(8, 16)
    mask = torch.ones(8, 16, dtype=torch.bool)
    before = torch.get_rng_state()

    def chosen(seed: int) -> Tensor:
        return clip_cov(logp, logp, logp, mask, fraction=0.1, cov_low=0.0, cov_high=9.0, seed=seed).cut

    assert torch.equal(chosen(1), chosen(1))
    assert not torch.equal(chosen(1), chosen(2))
    assert torch.equal(before, torch.get_rng_state())
    # 12.8 tokens on average, rounded up or down at random.
    sizes = {int(chosen(seed).sum()) for seed in range(40)}
    assert sizes == {12, 13}


def test_kl_cov_pulls_the_tokens_of_the_highest_covariance_back() -> None:
    old = LOGP - math.log(2)
    logp = LOGP.clone().requires_grad_()
    loss, cut = kl_cov(logp, old, ADVANTAGE, MASK, fraction=0.5, coef=10.0)
    assert cut.flatten().tolist() == [True, False, False, True, False, False]  # 3.0 and 2.0
    pull = 5.0 * math.log(2) ** 2
    assert loss.flatten().tolist() == pytest.approx([-8.0 + pull, -2.0, 0.0, 2.0 + pull, 0.0, 0.0])
    slope = 10.0 * math.log(2)
    assert gradient(loss, logp) == pytest.approx([-8.0 + slope, -2.0, 0.0, 2.0 + slope, 0.0, 0.0])


def test_kl_cov_does_nothing_where_nothing_has_moved() -> None:
    logp = LOGP.clone().requires_grad_()
    with_pull, _ = kl_cov(logp, LOGP, ADVANTAGE, MASK, fraction=1.0)
    without, _ = kl_cov(logp, LOGP, ADVANTAGE, MASK, fraction=0.0)
    assert gradient(with_pull, logp) == gradient(without, logp)
