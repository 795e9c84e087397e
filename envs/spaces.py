"""A Gymnasium space of any Unicode text, usable in every kind of vector environment.

Gymnasium's own `Text` space wants a fixed character set, and its shared-memory form stores one
number for each character of the maximum length. This one stores UTF-8 behind a length.
"""

from collections.abc import Iterable, Sequence
from multiprocessing.context import BaseContext
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector.utils import (
    batch_space,
    concatenate,
    create_empty_array,
    create_shared_memory,
    read_from_shared_memory,
    write_to_shared_memory,
)

_SAMPLE_CHARS = 'abcdefghijklmnopqrstuvwxyz ABC 0123456789 {}[]":,.<>/_-\n\tàéßñŁжשع中あ한🙂'


class UnicodeText(gymnasium.Space[str]):
    """All strings of at most `max_length` characters, the empty one included."""

    def __init__(self, max_length: int = 65_536, seed: int | np.random.Generator | None = None) -> None:
        if max_length < 1:
            raise ValueError(f"max_length must be at least 1, not {max_length!r}")
        self.max_length = max_length
        super().__init__(dtype=str, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        return False

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Return a random text of up to 64 characters from several scripts."""
        length = int(self.np_random.integers(0, min(64, self.max_length) + 1))
        picks = self.np_random.integers(0, len(_SAMPLE_CHARS), size=length)
        return "".join(_SAMPLE_CHARS[int(pick)] for pick in picks)

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) and len(x) <= self.max_length

    def to_jsonable(self, sample_n: Iterable[str]) -> list[Any]:
        return list(sample_n)

    def from_jsonable(self, sample_n: list[Any]) -> list[str]:
        return [str(sample) for sample in sample_n]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnicodeText) and self.max_length == other.max_length

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"


@batch_space.register(UnicodeText)
def _batch(space: UnicodeText, n: int = 1) -> gymnasium.Space[Any]:
    # `iterate` is not registered for UnicodeText: Gymnasium would then walk each text, not the batch.
    return gymnasium.spaces.Tuple([UnicodeText(space.max_length) for _ in range(n)])


@create_empty_array.register(UnicodeText)
def _empty(space: UnicodeText, n: int = 1, fn: Any = np.zeros) -> tuple[str, ...]:
    return ("",) * n


@concatenate.register(UnicodeText)
def _concatenate(space: UnicodeText, items: Iterable[str], out: Any) -> tuple[str, ...]:
    return tuple(items)


def _stride(space: UnicodeText) -> int:
    return 8 + 4 * space.max_length  # a length, then at most four bytes a character


@create_shared_memory.register(UnicodeText)
def _create_shared(space: UnicodeText, n: int = 1, ctx: BaseContext | Any = None) -> Any:
    return ctx.RawArray("c", n * _stride(space))


@write_to_shared_memory.register(UnicodeText)
def _write_shared(space: UnicodeText, index: int, value: str, shared_memory: Any) -> None:
    if not space.contains(value):
        raise ValueError(f"a text of {len(value)} characters does not fit {space}")
    data = value.encode("utf-8", "surrogatepass")
    start = index * _stride(space)
    shared_memory[start : start + 8] = len(data).to_bytes(8, "little")
    shared_memory[start + 8 : start + 8 + len(data)] = data


@read_from_shared_memory.register(UnicodeText)
def _read_shared(space: UnicodeText, shared_memory: Any, n: int = 1) -> Any:
    return _SharedTexts(space, shared_memory, n)


class _SharedTexts(Sequence[str]):
    """The texts that shared memory holds now.

    Gymnasium reads shared memory once, when a vector environment is made, and deep-copies what it got
    at every step: a copy of this is the tuple of the texts at that moment.
    """

    def __init__(self, space: UnicodeText, shared_memory: Any, n: int) -> None:
        self._memory, self._stride, self._n = shared_memory, _stride(space), n

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(self._n)))
        if not -self._n <= index < self._n:
            raise IndexError(f"no text {index} among {self._n}")
        start = index % self._n * self._stride
        size = int.from_bytes(self._memory[start : start + 8], "little")
        return str(self._memory[start + 8 : start + 8 + size], "utf-8", "surrogatepass")

    def __deepcopy__(self, memo: Any) -> tuple[str, ...]:
        return tuple(self)
