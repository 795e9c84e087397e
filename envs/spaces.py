"""A Gymnasium space of any Unicode text, usable in every kind of vector environment.

Gymnasium's own `Text` space wants a fixed character set, and its shared-memory form stores one
number for each character of the maximum length. This one stores UTF-8 behind a length.
"""

from base64 import b64decode, b64encode
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

_USUAL_CHARS = 'abcdefghijklmnopqrstuvwxyz ABC 0123456789 {}[]":,.<>/_-\n\tàéßñŁжשع中あ한🙂'
_RARE_SHARE = 0.1  # of a sample's characters: any of Unicode's
_SURROGATES = range(0xD800, 0xE000)  # halves of characters, which are no text by themselves


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
        """Return a random text of up to 64 characters: mostly usual ones of several scripts, some from anywhere."""
        length = int(self.np_random.integers(0, min(64, self.max_length) + 1))
        usual = self.np_random.integers(0, len(_USUAL_CHARS), size=length)
        rare = self.np_random.integers(0, 0x110000 - len(_SURROGATES), size=length)
        is_rare = self.np_random.random(length) < _RARE_SHARE
        return "".join(
            _scalar(int(code)) if pick else _USUAL_CHARS[int(place)]
            for pick, code, place in zip(is_rare, rare, usual, strict=True)
        )

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a text that is not too long; halves of characters, which Python allows, are."""
        return isinstance(x, str) and len(x) <= self.max_length

    def to_jsonable(self, sample_n: Iterable[str]) -> list[Any]:
        """Return the texts as JSON data that any JSON writer and reader leave as they are.

        A text with halves of characters becomes ``{"base64": ...}``: two halves in a row would be read
        back as one character.
        """
        return [text if _is_unicode(text) else {"base64": b64encode(_encoded(text)).decode()} for text in sample_n]

    def from_jsonable(self, sample_n: list[Any]) -> list[str]:
        """Return the texts that `to_jsonable` wrote.

        Raises:
            ValueError: there is something else among them.
        """
        return [_from_json(value) for value in sample_n]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnicodeText) and self.max_length == other.max_length

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"


def _scalar(number: int) -> str:
    """Return one of Unicode's characters by its place among those that are not halves."""
    return chr(number if number < _SURROGATES.start else number + len(_SURROGATES))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_json(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and set(value) == {"base64"} and isinstance(value["base64"], str):
        return b64decode(value["base64"], validate=True).decode("utf-8", "surrogatepass")
    raise ValueError(f"a text is a JSON string or {{'base64': ...}}, not {value!r:.80}")


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
    data = _encoded(value)
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
