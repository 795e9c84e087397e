"""What a running program reads, prints and spends, and what the language brings."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from palestra.envs.code.ir.nodes import MOST, Builtin, IrError, Reader

_INTEGER: Final = re.compile(r"-?[0-9]{1,16}")
_LONGEST_OUTPUT: Final = 4_000_000  # characters


class Undefined(IrError):
    """A program did what the language leaves undefined."""


class TooLong(IrError):
    """A program took more steps than it may."""


@dataclass(slots=True)
class Machine:
    """One run of a program."""

    stdin: str
    most: int
    steps: int = 0
    depth: int = 0
    printed: list[str] = field(default_factory=list)
    _size: int = 0
    _lines: list[str] = field(default_factory=list)
    _at: int = 0  # the line that is read next
    _words: list[str] = field(default_factory=list)  # of the line before it, the next one last

    def __post_init__(self) -> None:
        self.begin(self.stdin, self.most)

    def begin(self, stdin: str, most: int) -> None:
        """Forget what was, and run on another input."""
        self.stdin, self.most, self.steps, self.depth = stdin, most, 0, 0
        self.printed, self._size, self._at, self._words = [], 0, 0, []
        self._lines = stdin.removesuffix("\n").split("\n") if stdin else []

    def spend(self, steps: int) -> None:
        """Count steps.

        Raises:
            TooLong: there are no more left.
        """
        self.steps += steps
        if self.steps > self.most:
            raise TooLong(f"more than {self.most} steps")

    def show(self, values: Sequence[Any]) -> None:
        """Print a line."""
        words = [str(int(each) if isinstance(each, bool) else each) for value in values for each in _items(value)]
        line = " ".join(words) + "\n"
        self.printed.append(line)
        self._size += len(line)
        self.spend(len(words))
        if self._size > _LONGEST_OUTPUT:
            raise TooLong(f"more than {_LONGEST_OUTPUT} characters are printed")

    def line(self) -> str:
        """Read a whole line."""
        if self._words:
            raise Undefined(f"a line is read where the word {self._words[-1]!r} is next")
        if self._at == len(self._lines):
            raise Undefined("a line is read where the input ends")
        self.spend(1)
        self._at += 1
        return self._lines[self._at - 1]

    def word(self) -> str:
        """Read the next word."""
        while not self._words:
            if self._at == len(self._lines):
                raise Undefined("a word is read where the input ends")
            self._words = self._lines[self._at].split()[::-1]
            self._at += 1
        self.spend(1)
        return self._words.pop()

    def integer(self) -> int:
        """Read the next word, an integer."""
        return to_integer(self.word())


def to_integer(text: str) -> int:
    """Return the integer that a text is.

    Raises:
        Undefined: it is none, or too large.
    """
    if not _INTEGER.fullmatch(text) or abs(int(text)) > MOST:
        raise Undefined(f"{text[:40]!r} is no integer of the language")
    return int(text)


Frame = list[Any]
Value = Callable[[Frame], Any]


def read(machine: Machine, reader: Reader, sizes: Sequence[Value]) -> Value:
    """Return what reads the next of the input."""
    one: dict[str, Callable[[], Any]] = {"int": machine.integer, "word": machine.word, "line": machine.line}
    if reader in one:
        single = one[reader]
        return lambda frame: single()
    if reader == "rows":
        rows, columns = sizes
        return lambda frame: _rows(machine, _size(rows(frame)), _size(columns(frame)))
    item, count = one[reader.removesuffix("s")], sizes[0]
    return lambda frame: [item() for _ in range(_size(count(frame)))]


def builtin(machine: Machine, name: Builtin, given: Sequence[Value]) -> Value:
    """Return what uses a builtin on what its arguments are."""
    law = _LAWS[name]
    if len(given) == 1:
        only = given[0]
        return lambda frame: law(machine, only(frame))
    if len(given) == 2:
        first, second = given
        return lambda frame: law(machine, first(frame), second(frame))
    first, second, third = given
    return lambda frame: law(machine, first(frame), second(frame), third(frame))


def _items(value: Any) -> Any:
    return value if isinstance(value, list) else (value,)


def _size(count: int) -> int:
    if count < 0:
        raise Undefined(f"{count} is no number of items")
    return count


def _rows(machine: Machine, rows: int, columns: int) -> list[list[int]]:
    machine.spend(rows)
    return [[machine.integer() for _ in range(columns)] for _ in range(rows)]


def _spent(machine: Machine, steps: int, made: Any) -> Any:
    machine.spend(steps)
    return made


def _sorting(count: int) -> int:
    return count * max(1, math.ceil(math.log2(count))) if count else 0


def _slice(machine: Machine, of: Any, start: int, end: int) -> Any:
    if not 0 <= start <= end <= len(of):
        raise Undefined(f"there is no slice from {start} to {end} of {len(of)} items")
    machine.spend(end - start)
    return of[start:end]


def _repeat(machine: Machine, item: Any, count: int) -> list[Any]:
    machine.spend(_size(count))
    return [item] * count


def _grid(machine: Machine, item: Any, rows: int, columns: int) -> list[list[Any]]:
    machine.spend(_size(rows) * (1 + _size(columns)))
    return [[item] * columns for _ in range(rows)]


def _copy(machine: Machine, of: Any) -> Any:
    machine.spend(len(of))
    if isinstance(of, dict):
        return dict(of)
    machine.spend(sum(len(each) for each in of if isinstance(each, list)))
    return [each.copy() if isinstance(each, list) else each for each in of]


def _concat(machine: Machine, left: Any, right: Any) -> Any:
    machine.spend(len(left) + len(right))
    return left + right


def _join(machine: Machine, texts: list[str], between: str) -> str:
    machine.spend(sum(map(len, texts)) + len(texts) * len(between))
    return between.join(texts)


def _ord(machine: Machine, text: str) -> int:
    if len(text) != 1:
        raise Undefined(f"ord is of one character, not {len(text)}")
    return ord(text)


def _chr(machine: Machine, code: int) -> str:
    if not 32 <= code <= 126:
        raise Undefined(f"{code} is no printable character")
    return chr(code)


_LAWS: Final[dict[Builtin, Callable[..., Any]]] = {
    "len": lambda machine, of: len(of),
    "abs": lambda machine, number: abs(number),
    "min": lambda machine, left, right: left if left < right else right,
    "max": lambda machine, left, right: left if left > right else right,
    "ord": _ord,
    "chr": _chr,
    "str": lambda machine, number: str(number),
    "int": lambda machine, text: to_integer(text),
    "concat": _concat,
    "slice": _slice,
    "repeat": _repeat,
    "grid": _grid,
    "sorted": lambda machine, of: _spent(machine, _sorting(len(of)), sorted(of)),
    "reversed": lambda machine, of: _spent(machine, len(of), of[::-1]),
    "copy": _copy,
    "contains": lambda machine, of, what: _spent(machine, len(of), what in of),
    "join": _join,
    "split": lambda machine, text: _spent(machine, len(text), text.split()),
    "has": lambda machine, of, key: key in of,
    "get": lambda machine, of, key, otherwise: of.get(key, otherwise),
    "keys": lambda machine, of: _spent(machine, _sorting(len(of)), sorted(of)),
}
