"""The learner: a transformers model, its trainable part, and log-probabilities of sampled tokens only.

Logits are a fifth of a small model's work and most of its memory. They are computed where a token was
sampled and nowhere else, a chunk at a time, and again in the backward pass instead of being kept.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from palestra.agents.attention import attention_mask, sampled_nodes, takes_trees
from palestra.agents.base import MissingExtraError, ModelError
from palestra.agents.batches import MicroBatch
from palestra.agents.embedded import resolve_model

LOGIT_CHUNK = 512  # sampled tokens whose logits exist at one time


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraSpec:
    """Low-rank adaptation of every linear layer but the head (Hu et al. 2021, arXiv:2106.09685)."""

    rank: int = 16
    alpha: int = 32


def load_tokenizer(name: str) -> Any:
    """Return a model's tokenizer.

    Raises:
        ModelError: it cannot be loaded.
        MissingExtraError: transformers is not installed.
    """
    return _load("AutoTokenizer", name)


def load_causal_lm(name: str, dtype: torch.dtype, device: str) -> Any:
    """Return a causal language model of transformers; same errors as `load_tokenizer`."""
    return _load("AutoModelForCausalLM", name, dtype=dtype).to(device)


def _load(kind: str, name: str, **kwargs: Any) -> Any:
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError("training needs the extra 'train'; run: pip install 'palestra[train]'") from error
    folder = resolve_model(name)
    if os.path.isdir(folder):
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    transformers.utils.logging.disable_progress_bar()
    try:
        return getattr(transformers, kind).from_pretrained(folder, **kwargs)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(f"the model {name!r} cannot be loaded: {first}") from error


class Learner:
    """A model in training.

    Args:
        model: a causal language model; its weights are held in float32.
        lora: what to train; None trains everything.
        autocast: compute in bfloat16 where that is safe.
        gradient_checkpointing: trade a second forward pass for memory; beginnings are then not shared.
    """

    def __init__(
        self,
        model: Any,
        *,
        lora: LoraSpec | None,
        autocast: bool = False,
        gradient_checkpointing: bool = False,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.device: torch.device = model.device
        self.autocast = autocast
        self.shares = not gradient_checkpointing and takes_trees(model)
        _check_head(model)
        if lora is not None:
            _add_lora(model, lora, seed)
        if gradient_checkpointing:
            # transformers 5.20 renamed it
            enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
            enable({"use_reentrant": False})
            model.enable_input_require_grads()
        model.train()

    def trainable(self) -> dict[str, torch.nn.Parameter]:
        """Return the parameters that learn, by name."""
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    @contextlib.contextmanager
    @torch.no_grad()
    def holding(self, weights: Mapping[str, Tensor]) -> Iterator[None]:
        """Have these weights in place of the trainable ones, by name, until the block ends."""
        own = self.trainable()
        kept = {name: p.detach().clone() for name, p in own.items()}
        try:
            for name, p in own.items():
                p.copy_(weights[name])
            yield
        finally:
            for name, p in own.items():
                p.copy_(kept[name])

    def merged_weights(self) -> dict[str, Tensor]:
        """Return the weights a sampler needs, adapters merged, by the plain model's parameter names."""
        merged = {name: p.detach() for name, p in self.trainable().items() if "lora_" not in name}
        with torch.no_grad():
            for name, module in self.model.named_modules():
                if hasattr(module, "get_delta_weight"):
                    merged[f"{name}.weight"] = module.base_layer.weight + module.get_delta_weight("default")
        return merged

    def logprobs(self, batch: MicroBatch, *, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """Return the log-probability of each sampled token and the entropy where it was sampled.

        Both are (tokens,), float32, row after row; only the first carries a gradient.
        """
        sampled = sampled_nodes(batch)
        with torch.autocast(self.device.type, torch.bfloat16) if self.autocast else contextlib.nullcontext():
            hidden = self._hidden(batch)[sampled.trees, sampled.parents]
            head = self.model.get_output_embeddings()
            targets = sampled.tokens.to(self.device)
            parts = [
                checkpoint(_token_logprobs, head, h, t, temperature, use_reentrant=False)
                for h, t in zip(hidden.split(LOGIT_CHUNK), targets.split(LOGIT_CHUNK), strict=True)
            ]
        logp, entropy = (torch.cat(column)[sampled.order] for column in zip(*parts, strict=True))
        return logp, entropy

    def _hidden(self, batch: MicroBatch) -> Tensor:
        """Return (trees, nodes, width): the last hidden state of every node after the shared beginning."""
        shared = batch.shared
        tokens = torch.zeros(len(batch.trees), batch.width, dtype=torch.long)
        positions = torch.zeros_like(tokens)
        for place, tree in enumerate(batch.trees):
            tokens[place, : len(tree) - shared] = torch.tensor(tree.tokens[shared:])
            positions[place, : len(tree) - shared] = torch.tensor(tree.depths[shared:])
        decoder = self.model.get_decoder()
        past = self._shared_past(decoder, batch)
        mask = attention_mask(batch, as_numbers=decoder.config._attn_implementation == "eager")
        out = decoder(
            input_ids=tokens.to(self.device),
            attention_mask=mask.to(self.device),
            position_ids=positions.to(self.device),
            past_key_values=past,
            use_cache=past is not None,
        )
        hidden: Tensor = out.last_hidden_state
        return hidden

    def _shared_past(self, decoder: Any, batch: MicroBatch) -> Any:
        if batch.shared == 0:
            return None
        from transformers.cache_utils import DynamicCache

        past = DynamicCache()
        prefix = torch.tensor([batch.trees[0].tokens[: batch.shared]], device=self.device)
        decoder(input_ids=prefix, past_key_values=past, use_cache=True)
        layers: list[Any] = list(past.layers)
        for layer in layers:  # gradients of all trees flow back into the one beginning
            layer.keys = layer.keys.expand(len(batch.trees), -1, -1, -1)
            layer.values = layer.values.expand(len(batch.trees), -1, -1, -1)
        return past


def _token_logprobs(head: Any, hidden: Tensor, targets: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    logits = head(hidden).float() / temperature
    logprobs = torch.log_softmax(logits, dim=-1)
    with torch.no_grad():
        entropy = -(logprobs.exp() * logprobs).sum(-1)
    return logprobs.gather(1, targets[:, None])[:, 0], entropy


def _add_lora(model: Any, spec: LoraSpec, seed: int) -> None:
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingExtraError("LoRA needs the extra 'train'; run: pip install 'palestra[train]'") from error
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = LoraConfig(r=spec.rank, lora_alpha=spec.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
        inject_adapter_in_model(config, model)


@torch.no_grad()
def _check_head(model: Any) -> None:
    """Refuse models that change their logits behind the head: ours would differ from theirs."""
    ids = torch.arange(1, 9, device=model.device)[None] % model.config.get_text_config().vocab_size
    theirs = model(input_ids=ids, use_cache=False).logits.float()
    hidden = model.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
    ours = model.get_output_embeddings()(hidden).float()
    if not torch.allclose(ours, theirs, atol=1e-3, rtol=1e-3):
        raise ModelError(f"{type(model).__name__} changes its logits behind the output head and cannot be trained here")


def pick_device(wanted: str = "auto") -> str:
    """Return the device to use: "cuda" where there is one, unless another is named.

    Raises:
        ModelError: a named device is not there.
    """
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError(f"device {wanted!r} was asked for, but this PyTorch sees no GPU; use 'auto' or 'cpu'")
    try:
        return str(torch.device(wanted))
    except RuntimeError as error:
        raise ModelError(f"{wanted!r} is no device; use 'auto', 'cpu' or 'cuda'") from error
