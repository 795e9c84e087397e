"""A second set of low-rank weights on the policy's own model: one base in memory, two models that compute."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import torch

from palestra.agents.base import MissingExtraError, ModelError
from palestra.agents.model import Learner, LoraSpec

POLICY = "default"  # the adapter that a `Learner` trains
_Found = tuple[list[tuple[Any, list[str], bool]], list[tuple[torch.nn.Parameter, bool]]]


class Adapter:
    """Low-rank weights beside the policy's, which are left as they are.

    Args:
        learner: trains a low-rank adapter of its own.
        name: of this one, none that the model has already.
        lora: its size.
        seed: of its first weights; they change nothing until they are trained.

    Raises:
        ModelError: the learner trains all weights, so its base would move under this one; or the name is taken.
    """

    def __init__(self, learner: Learner, name: str, *, lora: LoraSpec, seed: int = 0) -> None:
        self._learner, self.name = learner, name
        taken = {known for layer in _layers(learner) for known in layer.lora_A}
        if POLICY not in taken:
            raise ModelError("the model is shared through low-rank adapters, but the learner has none; give it a lora")
        if name in taken:
            raise ModelError(f"the model has an adapter {name!r} already; take another name")
        before = _as_found(learner)
        _inject(learner, name, lora, seed)
        _restore(learner, before)

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Compute with this adapter, and have it trainable, until the block ends."""
        before = _as_found(self._learner)
        try:
            for layer in _layers(self._learner):
                layer.enable_adapters(True)
                layer.set_adapter(self.name)
            yield
        finally:
            _restore(self._learner, before)

    def parameters(self) -> list[torch.nn.Parameter]:
        """Return the weights of this adapter alone."""
        return [
            p
            for layer in _layers(self._learner)
            for of in (layer.lora_A, layer.lora_B)
            for p in of[self.name].parameters()
        ]


@contextlib.contextmanager
def base_only(learner: Learner) -> Iterator[None]:
    """Compute with the base model, without any adapter, until the block ends."""
    before = _as_found(learner)
    try:
        for layer in _layers(learner):
            layer.enable_adapters(False)
        yield
    finally:
        _restore(learner, before)


def _inject(learner: Learner, name: str, lora: LoraSpec, seed: int) -> None:
    from peft import LoraConfig, inject_adapter_in_model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
        with warnings.catch_warnings():  # that the model has an adapter already is the purpose
            warnings.filterwarnings("ignore", message="Already found a `peft_config`")
            inject_adapter_in_model(config, learner.model, adapter_name=name)


def _layers(learner: Learner) -> list[Any]:
    try:
        from peft.tuners.lora import LoraLayer
    except ImportError as error:
        raise MissingExtraError("LoRA needs the extra 'train'; run: pip install 'palestra[train]'") from error
    return [module for module in learner.model.modules() if isinstance(module, LoraLayer)]


def _as_found(learner: Learner) -> _Found:
    layers = [(layer, list(layer.active_adapters), bool(layer.disable_adapters)) for layer in _layers(learner)]
    return layers, [(p, p.requires_grad) for p in learner.model.parameters()]


def _restore(learner: Learner, found: _Found) -> None:
    layers, wanted = found
    for layer, active, is_disabled in layers:
        layer.enable_adapters(not is_disabled)
        if not is_disabled:
            layer.set_adapter(active)
    was = {id(p): requires for p, requires in wanted}
    for p in learner.model.parameters():
        p.requires_grad_(was.get(id(p), False))
