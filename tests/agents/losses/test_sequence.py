"""Losses of whole rows by hand: two rows of unequal length, the second padded with nonsense."""

import math

import pytest
import torch
from torch import Tensor

from palestra.agents.losses import aggregate, gspo, pmd, topr

NAN = float("nan")
MASK = torch.tensor([[True, True], [True, False]])


def rows(first: list[float], second: list[float]) -> Tensor:
    return torch.tensor([first, second], dtype=torch.float64)


def gradient(loss: Tensor, logp: Tensor) -> list[float]:
    (found,) = torch.autograd.grad(loss.sum(), logp)
    return [round(float(value), 9) for value in found.flatten()]


OLD = rows([-1.0, -2.0], [-1.0, NAN])
# Ratios 4 and 1 in the first row: product 4, geometric mean 2. The second row's only ratio is 0.5.
LOGP = rows([-1.0 + math.log(4), -2.0], [-1.0 + math.log(0.5), NAN])
GOOD_THEN_BAD = rows([1.0, 1.0], [-1.0, NAN])


def test_gspo_gives_every_token_the_rows_geometric_mean() -> None:
    logp = LOGP.clone().requires_grad_()
    loss, cut = gspo(logp, OLD, GOOD_THEN_BAD, MASK, low=0.8, high=1.5)
    # A ratio of 2 is below 1 + 1.5 and one of 0.5 above 1 - 0.8, so nothing is cut: -2, -2 and 0.5.
    assert loss.flatten().tolist() == pytest.approx([-2.0, -2.0, 0.5, 0.0])
    assert not cut.any()
    assert gradient(loss, logp) == [-2.0, -2.0, 0.5, 0.0]
    loss, cut = gspo(logp, OLD, GOOD_THEN_BAD, MASK)  # the paper's bounds cut both rows
    assert loss.flatten().tolist() == pytest.approx([-1.0004, -1.0004, 0.9997, 0.0])
    assert cut.flatten().tolist() == [True, True, True, False]
    assert gradient(loss, logp) == [0.0, 0.0, 0.0, 0.0]


def test_gspo_with_one_advantage_a_row_has_the_gradient_of_the_rows_own_loss() -> None:
    """Of ``-s A`` with s the geometric mean and no stopped gradient: each token has 1 / |o| of it."""
    logp = rows([-0.9, -2.1], [-1.0, 0.0]).requires_grad_()
    old = rows([-1.0, -2.0], [-1.1, 0.0])
    loss, _ = gspo(logp, old, GOOD_THEN_BAD, MASK, low=0.9, high=0.9)
    ours = torch.autograd.grad(aggregate(loss, MASK, "sequence_mean"), logp)[0]
    level = torch.stack([(logp[0] - old[0]).mean(), logp[1, 0] - old[1, 0]]).exp()
    theirs = torch.autograd.grad((-level * torch.tensor([1.0, -1.0])).mean(), logp)[0]
    assert torch.allclose(ours, theirs)


def test_topr_imitates_what_was_good_and_lets_go_of_what_was_bad() -> None:
    logp = LOGP.clone().requires_grad_()
    loss, cut = topr(logp, OLD, GOOD_THEN_BAD, MASK)
    assert gradient(loss, logp) == [-1.0, -1.0, 0.5, 0.0]  # weight 1 however the ratio; 0.5 of the bad one
    assert not cut.any()
    bad = rows([-1.0, -1.0], [-1.0, 0.0])
    loss, cut = topr(logp, OLD, bad, MASK)
    assert gradient(loss, logp) == [1.0, 1.0, 0.5, 0.0]  # the product 4 is capped at 1
    assert cut.flatten().tolist() == [True, True, False, False]
    loss, _ = topr(logp, OLD, bad, MASK, cap=3.0)
    assert gradient(loss, logp) == [3.0, 3.0, 0.5, 0.0]
    loss, _ = topr(logp, OLD, bad, MASK, cap=3.0, level="token")
    assert gradient(loss, logp) == [3.0, 1.0, 0.5, 0.0]  # own ratios 4, 1 and 0.5


def test_pmd_is_a_regression_of_the_rows_log_ratio() -> None:
    logp, tau = LOGP.clone().requires_grad_(), 0.5
    loss, cut = pmd(logp, OLD, GOOD_THEN_BAD, MASK, tau=tau)
    first, second = 1.0 / tau - math.log(4), -1.0 / tau - math.log(0.5)
    assert float(loss[0].sum().detach()) == pytest.approx(0.5 * tau * first**2)
    assert float(loss[1].sum().detach()) == pytest.approx(0.5 * tau * second**2)
    # As published: the mean over rows of each row's square divided by its length, and by a constant.
    assert float(aggregate(loss.detach(), MASK, "sequence_mean")) == pytest.approx(
        (0.5 * tau * first**2 / 2 + 0.5 * tau * second**2 / 1) / 2
    )
    assert float(aggregate(loss.detach(), MASK, "constant", length=8)) == pytest.approx(
        (0.5 * tau * first**2 + 0.5 * tau * second**2) / 2 / 8
    )
    # -(A - tau * log-ratio), for every token of the row.
    wanted = [-(1.0 - tau * math.log(4))] * 2 + [-(-1.0 - tau * math.log(0.5)), 0.0]
    assert gradient(loss, logp) == pytest.approx(wanted)
    assert not cut.any()


def test_pmd_draws_a_row_without_advantage_back() -> None:
    logp = LOGP.clone().requires_grad_()
    loss, _ = pmd(logp, OLD, torch.zeros(2, 2).double(), MASK, tau=0.5)
    assert gradient(loss, logp) == pytest.approx([0.5 * math.log(4)] * 2 + [0.5 * math.log(0.5), 0.0])
