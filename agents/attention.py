"""Trees in tensors: who sees whom, where each sampled token is predicted, and which models can do it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from palestra.agents.batches import MicroBatch


def attention_mask(batch: MicroBatch, *, as_numbers: bool) -> Tensor:
    """Return who sees whom in a micro-batch, the shared beginning coming first in the keys.

    Where every tree is a chain, that is what is no padding: (trees, keys), and the model adds causality.
    Else it is each node's ancestors: (trees, 1, nodes, keys), true where the first sees the second, or
    0 and the least float where `as_numbers`, for attention that adds its mask.
    """
    shared, width, count = batch.shared, batch.width, len(batch.trees)
    if all(tree.is_chain for tree in batch.trees):
        plain = torch.zeros(count, shared + width, dtype=torch.long)
        for place, tree in enumerate(batch.trees):
            plain[place, : len(tree)] = 1
        return plain
    sees = torch.zeros(count, width, shared + width, dtype=torch.bool)
    sees[:, range(width), range(shared, shared + width)] = True  # padding sees itself, for it must see something
    for place, tree in enumerate(batch.trees):
        sees[place, : len(tree) - shared, : len(tree)] = torch.from_numpy(tree.ancestors()[shared:])
    return _numbers(sees[:, None]) if as_numbers else sees[:, None]


def _numbers(sees: Tensor) -> Tensor:
    return torch.zeros(sees.shape).masked_fill(~sees, torch.finfo(torch.float32).min)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledNodes:
    """The sampled nodes of a micro-batch, each once, and the order in which its rows go through them."""

    trees: Tensor  # (nodes,) the tree of each
    parents: Tensor  # (nodes,) the place, after the shared beginning, of the node that predicts it
    tokens: Tensor  # (nodes,)
    order: Tensor  # (sampled tokens of all rows,) where each is in the columns above


def sampled_nodes(batch: MicroBatch) -> SampledNodes:
    """Return a micro-batch's sampled nodes."""
    places: dict[tuple[int, int], int] = {}
    order = [
        places.setdefault((number, node), len(places))
        for number, tree in enumerate(batch.trees)
        for one, path in zip(tree.rows, tree.paths, strict=True)
        for node, is_sampled in zip(path, one.row.mask, strict=True)
        if is_sampled
    ]
    return SampledNodes(
        trees=torch.tensor([number for number, _ in places]),
        parents=torch.tensor([batch.trees[number].parents[node] - batch.shared for number, node in places]),
        tokens=torch.tensor([batch.trees[number].tokens[node] for number, node in places]),
        order=torch.tensor(order),
    )


@torch.no_grad()
def takes_trees(model: Any) -> bool:
    """Tell whether a model attends just as its mask says and can compute trees; tried out on a small one."""
    config = model.config.get_text_config()
    kinds = getattr(config, "layer_types", None)
    if set(kinds) != {"full_attention"} if kinds else getattr(config, "sliding_window", None):
        return False
    sees = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 1, 1]], dtype=torch.bool)[None, None]
    ids = torch.tensor([[1, 2, 3, 4]], device=model.device) % config.vocab_size
    mask = {"sdpa": sees, "eager": _numbers(sees)}.get(config._attn_implementation)
    if mask is None:
        return False
    decoder, was_training = model.get_decoder(), model.training
    model.eval()
    positions = torch.tensor([[0, 1, 1, 2]], device=model.device)
    tree = decoder(input_ids=ids, attention_mask=mask.to(model.device), position_ids=positions, use_cache=False)
    row = decoder(input_ids=ids[:, [0, 2, 3]], use_cache=False)
    model.train(was_training)
    return torch.allclose(
        tree.last_hidden_state[:, [0, 2, 3]].float(), row.last_hidden_state.float(), atol=1e-3, rtol=1e-3
    )
