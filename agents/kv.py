"""Key-value memory for sampling: a slab for the batch at hand, a store for prefixes seen before.

An episode's next prompt begins with its last one, and siblings share their first: whatever was computed
for a prefix under the same weights is used again. The store is emptied when the weights change.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers.cache_utils import Cache, DynamicLayer


class Slab:
    """Keys and values of a batch in one tensor, (layers, 2, batch, heads, columns, head size).

    Rows are right-aligned up to `length`, so that all of them grow in the same column.
    """

    def __init__(self, data: torch.Tensor, length: int) -> None:
        self.data = data
        self.length = length

    def cache(self) -> Cache:
        """Return a transformers cache that reads and writes this slab."""
        return Cache(layers=[_SlabLayer(self, index) for index in range(self.data.shape[0])])

    def row(self, index: int, start: int, stop: int) -> torch.Tensor:
        """Return a copy of one row's columns, (layers, 2, heads, columns, head size)."""
        return self.data[:, :, index, :, start:stop].clone()

    def put(self, index: int, kv: torch.Tensor, stop: int) -> None:
        """Write a row's keys and values so that they end before column `stop`."""
        self.data[:, :, index, :, stop - kv.shape[-2] : stop] = kv

    def keep(self, rows: torch.Tensor) -> "Slab":
        """Return a slab with only these rows."""
        return Slab(self.data.index_select(2, rows), self.length)


class _SlabLayer(DynamicLayer):
    """One layer's window on a slab; the slab's owner moves `length` after each forward pass."""

    def __init__(self, slab: Slab, index: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # transformers' cache layers are untyped
        self.slab, self.index = slab, index
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        start, stop = self.slab.length, self.slab.length + key_states.shape[-2]
        keys, values = self.slab.data[self.index, 0], self.slab.data[self.index, 1]
        keys[:, :, start:stop], values[:, :, start:stop] = key_states, value_states
        return keys[:, :, :stop], values[:, :, :stop]

    def get_seq_length(self) -> int:
        return self.slab.length


class PrefixStore:
    """Remembers keys and values by the token ids they belong to; the least recently used go first."""

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self._entries: OrderedDict[tuple[int, ...], tuple[np.ndarray, torch.Tensor]] = OrderedDict()
        self._tokens = 0

    def longest(self, ids: Sequence[int]) -> torch.Tensor | None:
        """Return the keys and values of the longest known prefix of `ids`, the whole of it excluded."""
        wanted = np.asarray(ids[:-1], dtype=np.int64)
        best, best_key = 0, None
        for key, (known, _) in self._entries.items():
            length = min(len(known), len(wanted))
            if length <= best:
                continue
            differs = known[:length] != wanted[:length]
            shared = int(differs.argmax()) if differs.any() else length
            if shared > best:
                best, best_key = shared, key
        if best_key is None:
            return None
        self._entries.move_to_end(best_key)
        return self._entries[best_key][1][..., :best, :]

    def put(self, ids: Sequence[int], kv: torch.Tensor) -> None:
        """Remember the keys and values of `ids`, in place of what is known of its own prefixes."""
        key = tuple(ids)
        for shorter in [known for known in self._entries if len(known) <= len(key) and key[: len(known)] == known]:
            self._drop(shorter)
        self._entries[key] = (np.asarray(key, dtype=np.int64), kv)
        self._tokens += len(key)
        while self._tokens > self.max_tokens and len(self._entries) > 1:
            self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget everything: what was computed under other weights is wrong under these."""
        self._entries.clear()
        self._tokens = 0

    def _drop(self, key: tuple[int, ...]) -> None:
        del self._entries[key]
        self._tokens -= len(key)
