"""Batched sampling from a transformers model: every request has its own prompt, seed and limits.

Requests with equal prompts are computed once, known prefixes not at all. A reply's random numbers come
from its own seed, so they do not depend on what else is in the batch.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from palestra.agents.base import ModelError, Sample, Sampling
from palestra.agents.kv import PrefixStore, Slab

PREFILL_TOKENS = 8192  # computed in one forward pass, padding included
STORE_BYTES = 2 << 30
WORTH_SHARING = 32  # tokens that two prompts must have in common for one to wait for the other


@dataclass(frozen=True, slots=True)
class Request:
    """One reply to sample."""

    prompt_ids: tuple[int, ...]
    sampling: Sampling


@dataclass(slots=True)
class _Reply:
    """A reply in the making."""

    request: Request
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: Any = None

    def add(self, token: int, logprob: float) -> None:
        self.ids.append(token)
        self.logprobs.append(logprob)
        if token in self.request.sampling.stop_ids:
            self.finish = "stop"
        elif len(self.ids) >= self.request.sampling.max_tokens:
            self.finish = "length"


class Sampler:
    """Samples from a causal language model of transformers, on the device and in the dtype it has.

    Args:
        model: in evaluation mode; its weights change only through `load`.
        store_bytes: memory for known prefixes.
    """

    def __init__(self, model: Any, *, store_bytes: int = STORE_BYTES) -> None:
        config = model.config.get_text_config()
        kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
        if kinds != {"full_attention"}:
            raise ModelError(f"the sampler handles full attention only; this model has layers of {sorted(kinds)}")
        self.model = model.eval()
        self.version = 0
        self.device, self.dtype = model.device, model.dtype
        self.max_context = int(config.max_position_embeddings)
        heads = config.num_key_value_heads or config.num_attention_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self._shape = (config.num_hidden_layers, 2, heads, size)
        per_token = 2 * config.num_hidden_layers * heads * size * self.dtype.itemsize
        self._store = PrefixStore(max(1, store_bytes // per_token))
        self._memory: dict[str, torch.Tensor] = {}

    def load(self, weights: Mapping[str, torch.Tensor], version: int) -> None:
        """Take new weights, by parameter name, and forget what was computed under the old ones."""
        own = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, value in weights.items():
                own[name].copy_(value)
        self.version = version
        self._store.clear()

    @torch.inference_mode()
    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """Return one reply for each request.

        Raises:
            ModelError: a prompt is empty or leaves no room for its reply in the model's context.
        """
        for request in requests:
            need = len(request.prompt_ids) + request.sampling.max_tokens
            if not request.prompt_ids or need > self.max_context:
                raise ModelError(
                    f"a prompt of {len(request.prompt_ids)} tokens and {request.sampling.max_tokens} to sample "
                    f"do not fit the model's context of {self.max_context}"
                )
        first: dict[tuple[int, ...], tuple[torch.Tensor, torch.Tensor]] = {}
        for prompts in leaders_and_followers({request.prompt_ids for request in requests}):
            for batch in self._prefill_batches(prompts):
                first.update(self._prefill(batch))
        replies = [_Reply(request) for request in requests]
        self._decode(replies, first)
        return [
            Sample(output_ids=tuple(r.ids), logprobs=tuple(r.logprobs), finish=r.finish, version=self.version)
            for r in replies
        ]

    # -- prompts -----------------------------------------------------------------------------

    def _prefill_batches(
        self, prompts: list[tuple[int, ...]]
    ) -> list[list[tuple[tuple[int, ...], torch.Tensor | None]]]:
        """Group prompts so that those computed together lack about equally many tokens."""
        known = [(ids, self._store.longest(ids)) for ids in prompts]
        lacking = [len(ids) - (0 if kv is None else kv.shape[-2]) for ids, kv in known]
        batches: list[list[tuple[tuple[int, ...], torch.Tensor | None]]] = []
        smallest = 0
        for index in sorted(range(len(prompts)), key=lambda i: lacking[i]):
            fits = batches and lacking[index] <= 2 * smallest + 16
            if not fits or (len(batches[-1]) + 1) * lacking[index] > PREFILL_TOKENS:
                batches.append([])
                smallest = lacking[index]
            batches[-1].append(known[index])
        return batches

    def _prefill(
        self, batch: list[tuple[tuple[int, ...], torch.Tensor | None]]
    ) -> dict[tuple[int, ...], tuple[torch.Tensor, torch.Tensor]]:
        """Return, by prompt, the logits after it and its keys and values."""
        lengths = torch.tensor([len(ids) for ids, _ in batch])
        width = int(lengths.max())
        window = max(len(ids) - (0 if kv is None else kv.shape[-2]) for ids, kv in batch)
        slab = self._slab("prompts", len(batch), width, width - window)
        tokens = torch.zeros(len(batch), window, dtype=torch.long)
        for row, (ids, kv) in enumerate(batch):
            fresh = ids[-window:]
            tokens[row, window - len(fresh) :] = torch.tensor(fresh)
            if kv is not None and len(ids) > window:
                slab.put(row, kv[..., : len(ids) - window, :], width - window)
        columns = torch.arange(width)
        starts = width - lengths
        visible = (columns[None, None, :] >= starts[:, None, None]) & (
            columns[None, None, :] <= columns[width - window :][None, :, None]
        )
        positions = (columns[width - window :][None, :] - starts[:, None]).clamp(min=0)
        logits = self._forward(slab, tokens, positions, visible)
        done = {}
        for row, (ids, _) in enumerate(batch):
            kv = slab.row(row, width - len(ids), width)
            self._store.put(ids, kv)
            done[ids] = (logits[row], kv)
        return done

    # -- replies -----------------------------------------------------------------------------

    def _decode(
        self, replies: list[_Reply], first: Mapping[tuple[int, ...], tuple[torch.Tensor, torch.Tensor]]
    ) -> None:
        limit = max(reply.request.sampling.max_tokens for reply in replies)
        width = max(len(reply.request.prompt_ids) for reply in replies)
        slab = self._slab("replies", len(replies), width + limit, width)
        for row, reply in enumerate(replies):
            slab.put(row, first[reply.request.prompt_ids][1], width)
        logits = torch.stack([first[reply.request.prompt_ids][0] for reply in replies])
        lengths = torch.tensor([len(reply.request.prompt_ids) for reply in replies])
        draws = torch.tensor(np.stack([_draws(reply.request.sampling.seed, limit) for reply in replies]))
        temperatures = torch.tensor([reply.request.sampling.temperature for reply in replies])
        live = list(replies)
        for step in range(limit):
            tokens, logprobs = choose(logits, draws[:, step], temperatures)
            for row, reply in enumerate(live):
                if reply.finish is None:
                    reply.add(int(tokens[row]), float(logprobs[row]))
                    if reply.finish is not None:
                        ids = [*reply.request.prompt_ids, *reply.ids[:-1]]
                        self._store.put(ids, slab.row(row, width - int(lengths[row]), width + step))
            going = [row for row, reply in enumerate(live) if reply.finish is None]
            if not going:
                return
            if len(going) <= len(live) // 2:
                keep = torch.tensor(going)
                slab = slab.keep(keep.to(self.device))
                live = [live[row] for row in going]
                tokens, lengths, draws, temperatures = (t[keep] for t in (tokens, lengths, draws, temperatures))
            columns = torch.arange(width + step + 1)
            visible = columns[None, None, :] >= (width - lengths)[:, None, None]
            logits = self._forward(slab, tokens[:, None], lengths[:, None] + step, visible)

    # -- the model ---------------------------------------------------------------------------

    def _slab(self, use: str, rows: int, columns: int, length: int) -> Slab:
        """Return an empty slab in memory kept for its use: fresh pages cost more than what is computed in them."""
        layers, two, heads, size = self._shape
        shape = (layers, two, rows, heads, columns, size)
        need = math.prod(shape)
        if use not in self._memory or self._memory[use].numel() < need:
            self._memory[use] = torch.empty(need, dtype=self.dtype, device=self.device)
        return Slab(self._memory[use][:need].zero_().view(shape), length)

    def _forward(
        self, slab: Slab, tokens: torch.Tensor, positions: torch.Tensor, visible: torch.Tensor
    ) -> torch.Tensor:
        """Return the logits after the last column in float32, and grow the slab."""
        mask = torch.zeros(visible.shape, dtype=self.dtype).masked_fill_(~visible, torch.finfo(self.dtype).min)
        out = self.model(
            input_ids=tokens.to(self.device),
            attention_mask=mask[:, None].to(self.device),
            position_ids=positions.to(self.device),
            past_key_values=slab.cache(),
            use_cache=True,
            logits_to_keep=1,
        )
        slab.length += tokens.shape[1]
        logits: torch.Tensor = out.logits[:, -1].float()
        return logits


def leaders_and_followers(prompts: Collection[tuple[int, ...]]) -> list[list[tuple[int, ...]]]:
    """Return the prompts in two lists: those of the second begin like one of the first.

    Computed in this order, the second list finds what it shares with the first among known prefixes.
    """
    leaders: list[tuple[int, ...]] = []
    followers: list[tuple[int, ...]] = []
    for prompt in sorted(prompts):
        begins_alike = bool(leaders) and prompt[:WORTH_SHARING] == leaders[-1][:WORTH_SHARING]
        (followers if begins_alike and len(prompt) > WORTH_SHARING else leaders).append(prompt)
    return [some for some in (leaders, followers) if some]


def _draws(seed: int, count: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).random(count)


def choose(logits: torch.Tensor, draws: torch.Tensor, temperatures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return one token a row and its log-probability under the distribution it was drawn from.

    Args:
        logits: (rows, vocabulary), float32.
        draws: (rows,) uniform in [0, 1); the token is where the cumulative distribution passes it.
        temperatures: (rows,); 0 takes the most likely token, whose log-probability is then 0.
    """
    draws, temperatures = draws.to(logits.device), temperatures.to(logits.device)
    greedy = temperatures == 0
    scaled = logits / torch.where(greedy, 1.0, temperatures)[:, None]
    logprobs = torch.log_softmax(scaled, dim=-1)
    cumulative = logprobs.exp().cumsum(dim=-1)
    targets = (draws.to(cumulative.dtype) * cumulative[:, -1]).clamp(max=cumulative[:, -1])
    drawn = torch.searchsorted(cumulative, targets[:, None], right=True)[:, 0].clamp(max=logits.shape[1] - 1)
    tokens = torch.where(greedy, logits.argmax(dim=-1), drawn)
    chosen = logprobs.gather(1, tokens[:, None])[:, 0]
    return tokens.cpu(), torch.where(greedy, 0.0, chosen).cpu()
