"""What holds for every loss that a config can name, whatever its formula."""

import functools
import inspect
from typing import Any

import pytest
import torch
from torch import Tensor

from palestra.agents import losses
from palestra.agents.base import PolicyLoss
from palestra.agents.loss_options import LOSSES

SHAPE = (5, 7)
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
# Those whose value has the gradient that they train with: no weight in them is held constant.
SMOOTH = [name for name, spec in LOSSES.items() if spec.function not in ("cispo", "topr", "gspo")]


def loss_named(name: str, **options: Any) -> PolicyLoss:
    found: PolicyLoss = functools.partial(getattr(losses, LOSSES[name].function), **{**LOSSES[name].options, **options})
    return found


def made(seed: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return log-probabilities now and at sampling time, advantages, and rows of 7, 6, 3, 1 and 0 tokens."""
    draw = torch.Generator().manual_seed(seed)
    old = -3.0 * torch.rand(SHAPE, generator=draw, dtype=dtype) - 0.01
    logp = old + 0.3 * torch.randn(SHAPE, generator=draw, dtype=dtype)
    advantage = torch.randn(SHAPE, generator=draw, dtype=dtype)
    mask = torch.arange(SHAPE[1]) < torch.tensor([7, 6, 3, 1, 0])[:, None]
    return logp, old, advantage, mask


def with_gradient(loss: PolicyLoss, logp: Tensor, *rest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    logp = logp.clone().requires_grad_()
    value, cut = loss(logp, *rest)
    (gradient,) = torch.autograd.grad(value.sum(), logp)
    return value.detach(), gradient, cut


@pytest.mark.parametrize("name", LOSSES)
def test_the_options_of_a_config_are_those_of_the_function(name: str) -> None:
    spec = LOSSES[name]
    parameters = inspect.signature(getattr(losses, spec.function)).parameters.values()
    known = {one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}
    assert known - {"seed"} == set(spec.options)
    assert ("seed" in known) == spec.is_drawn


@pytest.mark.parametrize("name", LOSSES)
def test_inputs_and_random_state_are_left_alone(name: str) -> None:
    given = made(1)
    before, state = [one.clone() for one in given], torch.get_rng_state()
    first = loss_named(name)(*given)
    second = loss_named(name)(*given)
    assert all(torch.equal(a, b) for a, b in zip(before, given, strict=True))
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(first.loss, second.loss)
    assert first.loss.shape == first.cut.shape == SHAPE
    assert first.cut.dtype is torch.bool


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("garbage", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_what_was_not_sampled_changes_nothing(name: str, garbage: float) -> None:
    logp, old, advantage, mask = made(2)
    clean = with_gradient(loss_named(name), logp, old, advantage, mask)
    dirty = with_gradient(loss_named(name), *(torch.where(mask, one, garbage) for one in (logp, old, advantage)), mask)
    for ours, theirs in zip(clean, dirty, strict=True):
        assert torch.equal(ours, theirs)
        assert not theirs[~mask].any()


@pytest.mark.parametrize("name", LOSSES)
def test_wider_padding_changes_nothing(name: str) -> None:
    given = made(3)
    wide = [torch.nn.functional.pad(one, (0, 4)) for one in given]
    narrow = with_gradient(loss_named(name), *given)
    for ours, theirs in zip(narrow, with_gradient(loss_named(name), *wide), strict=True):
        assert torch.allclose(ours.double(), theirs[:, : SHAPE[1]].double(), rtol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_nothing_sampled_gives_0_and_one_token_a_number(name: str) -> None:
    logp, old, advantage, mask = made(4)
    value, gradient, cut = with_gradient(loss_named(name), logp, old, advantage, torch.zeros_like(mask))
    assert not value.any()
    assert not gradient.any()
    assert not cut.any()
    value, gradient, _ = with_gradient(loss_named(name), *(one[:1, :1] for one in (logp, old, advantage, mask)))
    assert value.isfinite().all()
    assert gradient.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("distance", [100.0, -100.0, 1e4, -1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_extreme_ratios_give_finite_losses_and_gradients(name: str, distance: float, dtype: torch.dtype) -> None:
    _, old, advantage, mask = made(5, torch.float32)
    value, gradient, _ = with_gradient(
        loss_named(name), (old + distance).to(dtype), old.to(dtype), advantage.to(dtype), mask
    )
    assert value.isfinite().all()
    assert gradient.isfinite().all()


@pytest.mark.parametrize("name", [name for name, spec in LOSSES.items() if spec.is_idle_without_advantage])
def test_tokens_without_advantage_are_idle_where_rows_are_skipped_for_it(name: str) -> None:
    logp, old, advantage, mask = made(6)
    value, gradient, _ = with_gradient(loss_named(name), logp, old, torch.zeros_like(advantage), mask)
    assert not value.any()
    assert not gradient.any()


@pytest.mark.parametrize("name", [name for name in LOSSES if not name.startswith("pmd")])
def test_where_nothing_has_moved_the_gradient_is_that_of_reinforce(name: str) -> None:
    _, old, advantage, mask = made(7)
    options: dict[str, Any] = {"fraction": 0.0} if name == "clip_cov" else {}
    _, gradient, _ = with_gradient(loss_named(name, **options), old, old, advantage, mask)
    good = {"nsr": 0.0, "w_reinforce": 0.1}.get(name, 1.0)
    wanted = torch.where(advantage > 0, -good * advantage, -advantage) * mask
    assert torch.allclose(gradient, wanted)


@pytest.mark.parametrize("name", ["pmd_mean", "pmd_partition"])
def test_where_nothing_has_moved_mirror_descent_is_reinforce_with_the_rows_mean(name: str) -> None:
    _, old, advantage, mask = made(7)
    _, gradient, _ = with_gradient(loss_named(name), old, old, advantage, mask)
    mean = (advantage * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp(min=1)
    assert torch.allclose(gradient, -mean * mask)


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    logp, old, advantage, mask = made(8)
    loss = loss_named(name, **({"tau": 0.5} if "tau" in LOSSES[name].options else {}))

    def value(changed: Tensor) -> Tensor:
        return loss(changed, old, advantage, mask).loss

    assert torch.autograd.gradcheck(value, (logp.requires_grad_(),), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("device", DEVICES)
def test_single_precision_on_any_device_gives_the_same(name: str, device: str) -> None:
    given = made(9)
    wanted = with_gradient(loss_named(name), *given)
    moved = [one.to(device) if one.dtype is torch.bool else one.float().to(device) for one in given]
    found = with_gradient(loss_named(name), *moved)
    for ours, theirs in zip(wanted, found, strict=True):
        assert theirs.device.type == device
        assert torch.allclose(ours.float(), theirs.cpu().float(), rtol=1e-4, atol=1e-4)
