"""Divergence from a reference: values by hand, and gradients against the exact one on a small distribution."""

import math

import pytest
import torch
from torch import Tensor

from palestra.agents.losses import kl_estimate, kl_in_reward, kl_loss
from palestra.agents.losses.kl import KlKind

MASK = torch.tensor([[True, True, False]])
LOGP = torch.tensor([[math.log(0.4), math.log(0.1), float("nan")]], dtype=torch.float64)
REF = torch.tensor([[math.log(0.2), math.log(0.2), 0.0]], dtype=torch.float64)
LOG2 = math.log(2)


def test_estimates_by_hand() -> None:
    assert kl_estimate(LOGP, REF, MASK, kind="k1").flatten().tolist() == pytest.approx([LOG2, -LOG2, 0.0])
    assert kl_estimate(LOGP, REF, MASK, kind="k2").flatten().tolist() == pytest.approx([LOG2**2 / 2, LOG2**2 / 2, 0.0])
    # exp(-k1) - 1 + k1: 0.5 - 1 + log 2 and 2 - 1 - log 2
    assert kl_estimate(LOGP, REF, MASK, kind="k3").flatten().tolist() == pytest.approx([LOG2 - 0.5, 1.0 - LOG2, 0.0])


@pytest.mark.parametrize(
    ("kind", "first"),
    # With r = 0.4 / 0.1 = 4 and k1 = log 2: r k1 for k2 and k3, r (k1 + 1) for k1.
    [("k1", 4 * (LOG2 + 1)), ("k2", 4 * LOG2), ("k3", 4 * LOG2)],
)
def test_corrected_gradients_by_hand(kind: KlKind, first: float) -> None:
    logp = LOGP.clone().requires_grad_()
    old = torch.tensor([[math.log(0.1), math.log(0.1), 0.0]], dtype=torch.float64)
    (found,) = torch.autograd.grad(kl_loss(logp, old, REF, MASK, kind=kind).sum(), logp)
    assert float(found[0, 0]) == pytest.approx(first)
    assert float(found[0, 2]) == 0.0


@pytest.mark.parametrize(("kind", "first"), [("k2", LOG2), ("k3", 0.5)])
def test_uncorrected_gradients_by_hand(kind: KlKind, first: float) -> None:
    logp = LOGP.clone().requires_grad_()
    (found,) = torch.autograd.grad(kl_loss(logp, LOGP, REF, MASK, kind=kind, is_corrected=False).sum(), logp)
    assert float(found[0, 0]) == pytest.approx(first)  # k1, and 1 - exp(-k1)


def exact_and_expected(kind: KlKind, is_corrected: bool) -> tuple[Tensor, Tensor]:
    """Return the gradient of the true divergence of three tokens, and that of the loss weighted by its sampler."""
    logits = torch.tensor([0.3, -1.0, 0.9], dtype=torch.float64, requires_grad=True)
    ref, sampler = torch.tensor([0.2, 0.3, 0.5]).double().log(), torch.tensor([0.5, 0.2, 0.3]).double().log()
    logp = torch.log_softmax(logits, -1)
    (exact,) = torch.autograd.grad((logp.exp() * (logp - ref)).sum(), logits, retain_graph=True)
    mask = torch.ones(1, 3, dtype=torch.bool)
    loss = kl_loss(logp[None], sampler[None], ref[None], mask, kind=kind, is_corrected=is_corrected)
    (expected,) = torch.autograd.grad((sampler.exp() * loss[0]).sum(), logits)
    return exact, expected


@pytest.mark.parametrize("kind", ["k1", "k2", "k3"])
def test_corrected_losses_have_the_exact_gradient_on_average(kind: KlKind) -> None:
    exact, expected = exact_and_expected(kind, True)
    assert torch.allclose(exact, expected)


@pytest.mark.parametrize("kind", ["k2", "k3"])
def test_uncorrected_losses_do_not(kind: KlKind) -> None:
    exact, expected = exact_and_expected(kind, False)
    assert not torch.allclose(exact, expected, atol=0.01)


def test_in_the_reward_each_token_pays_for_itself() -> None:
    advantage = torch.tensor([[1.0, 1.0, float("nan")]], dtype=torch.float64)
    found = kl_in_reward(advantage, LOGP.clone().requires_grad_(), REF, MASK, coef=0.5)
    assert found.flatten().tolist() == pytest.approx([1.0 - 0.5 * LOG2, 1.0 + 0.5 * LOG2, 0.0])
    assert not found.requires_grad


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="k1 as a loss has a gradient of mean 0"):
        kl_loss(LOGP, LOGP, REF, MASK, kind="k1", is_corrected=False)
    with pytest.raises(ValueError, match="no estimate named 'k4'; known: k1, k2, k3"):
        kl_estimate(LOGP, REF, MASK, kind="k4")  # type: ignore[arg-type]
