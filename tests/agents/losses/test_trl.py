"""Our losses against those of TRL, values and gradients, through TRL's own `GRPOTrainer._compute_loss`.

`make` installs TRL and what it imports, without their dependencies; it is none of ours. What TRL's trainer
keeps in itself is handed over as plain attributes, and log-probabilities take the place of a model.
"""

import functools
import warnings
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from palestra.agents.losses import aggregate, cispo, dual_clip, gspo, kl_loss, ppo_clip
from palestra.agents.losses.weights import Denominator

pytestmark = pytest.mark.slow  # TRL and pandas take seconds to import

LENGTH = 9  # the longest completion that was allowed


@pytest.fixture(scope="module")
def grpo_trainer() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whatever TRL and its imports warn of is theirs
        return pytest.importorskip("trl.trainer.grpo_trainer", reason="`make install` brings TRL").GRPOTrainer


def made() -> dict[str, Tensor]:
    """Four completions of 7, 4, 1 and 2 tokens that have moved far from where they were sampled."""
    draw = torch.Generator().manual_seed(5)
    old = -3.0 * torch.rand(4, 7, generator=draw, dtype=torch.float64)
    return {
        "old": old,
        "logp": old + 0.4 * torch.randn(4, 7, generator=draw, dtype=torch.float64),
        "ref": old + 0.4 * torch.randn(4, 7, generator=draw, dtype=torch.float64),
        "advantage": torch.tensor([1.3, -0.7, 0.4, -2.0], dtype=torch.float64),
        "mask": torch.arange(7) < torch.tensor([7, 4, 1, 2])[:, None],
    }


def theirs(grpo_trainer: Any, loss_type: str, **settings: Any) -> tuple[Tensor, Tensor]:
    """Return TRL's loss and its gradient in the log-probabilities."""
    given = made()
    logp = given["logp"].clone().requires_grad_()
    mask = given["mask"].to(torch.int64)
    args = {"use_bias_correction_kl": False, "delta": None, "steps_per_generation": 1, **settings.pop("args", {})}
    itself = SimpleNamespace(
        **{
            "loss_type": loss_type,
            "args": SimpleNamespace(**args),
            "beta": 0.0,
            "epsilon_low": 0.2,
            "epsilon_high": 0.28,
            "importance_sampling_level": "token",
            "max_completion_length": LENGTH,
            "top_entropy_quantile": 1.0,
            "aux_loss_enabled": False,
            "off_policy_mask_threshold": None,
            "use_vllm": False,
            "vllm_importance_sampling_correction": False,
            "_entropy_bonus_enabled": False,
            "current_gradient_accumulation_steps": 1,
            "model": SimpleNamespace(training=True),
            "accelerator": SimpleNamespace(
                num_processes=1, gather=lambda values: values, reduce=lambda values, reduction: values
            ),
            "_metrics": {"train": defaultdict(list)},
            "_get_per_token_logps_and_entropies": lambda *a, **k: (logp, torch.zeros_like(logp), None),
            **settings,
        }
    )
    inputs = {
        "prompt_ids": torch.ones(4, 2, dtype=torch.int64),
        "prompt_mask": torch.ones(4, 2, dtype=torch.int64),
        "completion_ids": torch.ones(4, 7, dtype=torch.int64),
        "completion_mask": mask,
        "advantages": given["advantage"],
        "old_per_token_logps": given["old"],
        "ref_per_token_logps": given["ref"],
        "num_items_in_batch": mask.sum(),
    }
    loss = grpo_trainer._compute_loss(itself, None, inputs)
    return loss.detach(), torch.autograd.grad(loss, logp)[0]


def ours(
    loss: Any, denominator: Denominator, *, beta: float = 0.0, is_corrected: bool = False
) -> tuple[Tensor, Tensor]:
    given = made()
    logp, mask = given["logp"].clone().requires_grad_(), given["mask"]
    value = loss(logp, given["old"], given["advantage"][:, None].expand_as(logp), mask).loss
    if beta:
        value = value + beta * kl_loss(logp, given["old"], given["ref"], mask, kind="k3", is_corrected=is_corrected)
    total = aggregate(value, mask, denominator, length=LENGTH)
    return total.detach(), torch.autograd.grad(total, logp)[0]


SEQUENCE = {"importance_sampling_level": "sequence", "epsilon_low": 0.05, "epsilon_high": 0.07}
narrow_gspo = functools.partial(gspo, low=0.05, high=0.07)


@pytest.mark.parametrize(
    ("loss_type", "settings", "loss", "denominator"),
    [
        ("grpo", {}, ppo_clip, "sequence_mean"),
        ("bnpo", {}, ppo_clip, "token_mean"),
        ("dapo", {}, ppo_clip, "token_mean"),
        ("dr_grpo", {}, ppo_clip, "constant"),
        ("dapo", {"args": {"delta": 1.6}}, functools.partial(dual_clip, cap=1.6), "token_mean"),
        ("grpo", SEQUENCE, narrow_gspo, "sequence_mean"),
        ("luspo", SEQUENCE, narrow_gspo, "sequence_sum"),
        ("cispo", {"epsilon_high": 1.2}, functools.partial(cispo, low=1.0, high=0.2), "token_mean"),
    ],
)
def test_losses(
    grpo_trainer: Any, loss_type: str, settings: dict[str, Any], loss: Any, denominator: Denominator
) -> None:
    value, gradient = theirs(grpo_trainer, loss_type, **settings)
    our_value, our_gradient = ours(loss, denominator)
    assert float(our_value) == pytest.approx(float(value), rel=1e-9)
    assert torch.allclose(our_gradient, gradient, rtol=1e-6, atol=1e-9)
    assert gradient.abs().max() > 0.01


@pytest.mark.parametrize("is_corrected", [False, True])
def test_the_divergence_from_a_reference(grpo_trainer: Any, is_corrected: bool) -> None:
    value, gradient = theirs(grpo_trainer, "dapo", beta=0.3, args={"use_bias_correction_kl": is_corrected})
    our_value, our_gradient = ours(ppo_clip, "token_mean", beta=0.3, is_corrected=is_corrected)
    assert float(our_value) == pytest.approx(float(value), rel=1e-9)
    assert torch.allclose(our_gradient, gradient, rtol=1e-6, atol=1e-9)
