"""Inputs for programs: random ones, and the corners where wrong programs differ from right ones."""

from collections.abc import Callable, Sequence

from palestra.envs.code.catalogue import Constant, Kind
from palestra.envs.code.draws import Draws
from palestra.envs.code.program import Value

_RANGES = ((0, 9), (-9, 9), (0, 30), (-30, 30), (0, 999))
_LETTERS = ("ab", "abc", "aeorst", "abcdefghijklmnopqrstuvwxyz", "xyzaei")


def corners(kind: Kind, size: int, constants: Sequence[Constant]) -> list[Value]:
    """Return the smallest, the most regular and the borderline inputs of a kind."""
    return _CORNERS[kind](size, constants)


def drawn(kind: Kind, draws: Draws, size: int, constants: Sequence[Constant]) -> Value:
    """Return a random input of at most `size` items, often with the constants in it."""
    return _DRAWN[kind](draws, size, constants)


def _near(constants: Sequence[Constant]) -> list[int]:
    return [k + shift for k in constants if isinstance(k, int) for shift in (-1, 0, 1)]


def _letters(constants: Sequence[Constant]) -> str:
    return "".join(k for k in constants if isinstance(k, str))


def _ints(draws: Draws, size: int, constants: Sequence[Constant]) -> list[int]:
    low, high = draws.pick(_RANGES)
    near = _near(constants)
    made: list[int] = []
    for _ in range(draws.between(1, size)):
        if made and draws.chance(0.2):
            made.append(draws.pick(made))
        elif near and draws.chance(0.2):
            made.append(draws.pick(near))
        else:
            made.append(draws.between(low, high))
    return made


def _number(draws: Draws, size: int, constants: Sequence[Constant]) -> int:
    near = _near(constants)
    if near and draws.chance(0.1):
        return max(1, draws.pick(near))
    return draws.between(1, 10 ** draws.between(1, min(6, 1 + size // 2)))


def _text(draws: Draws, size: int, constants: Sequence[Constant]) -> str:
    letters = draws.pick(_LETTERS) + _letters(constants)
    made = ""
    for _ in range(draws.between(1, size)):
        made += made[-1] if made and draws.chance(0.25) else draws.pick(letters)
    return made


def _words(draws: Draws, size: int, constants: Sequence[Constant]) -> list[str]:
    made: list[str] = []
    for _ in range(draws.between(1, size)):
        word = draws.pick(made) if made and draws.chance(0.2) else _text(draws, 6, constants)
        made.append(word + word[::-1] if len(word) < 4 and draws.chance(0.2) else word)
    return made


def _grid(draws: Draws, size: int, constants: Sequence[Constant]) -> list[list[int]]:
    side = 1 + min(size, 8) // 2
    rows, columns = draws.between(1, side), draws.between(1, side)
    low, high = draws.pick(_RANGES)
    near = _near(constants)
    return [
        [draws.pick(near) if near and draws.chance(0.2) else draws.between(low, high) for _ in range(columns)]
        for _ in range(rows)
    ]


def _moves(draws: Draws, size: int, constants: Sequence[Constant]) -> str:
    made = ""
    for _ in range(draws.between(1, 2 * size)):
        made += made[-1] if made and draws.chance(0.25) else draws.pick("UDLR")
    return made


def _ints_corners(size: int, constants: Sequence[Constant]) -> list[Value]:
    near = _near(constants)
    singles = [[v] for v in (0, 1, -1, 10, *near)]
    count = range(size)
    regular = [[7] * size, list(count), [-v for v in count], [v * v for v in count], [-5, 5] * (size // 2)]
    return [*singles, *regular, *([near] if near else [])]


def _number_corners(size: int, constants: Sequence[Constant]) -> list[Value]:
    return [1, 2, 7, 10, 36, 97, 100, *(v for v in _near(constants) if v > 0)]


def _text_corners(size: int, constants: Sequence[Constant]) -> list[Value]:
    letters = _letters(constants)
    return ["a", "z", "aeiou"[:size], "zz", "abcdefghijklmnopqrstuvwxyz"[:size], "b" * size, *letters]


def _words_corners(size: int, constants: Sequence[Constant]) -> list[Value]:
    letters = _letters(constants)
    lengths = [["b" * v] for v in _near(constants) if v > 0]
    same = [["tree"] * size, ["ab", "ba", "aa", "bb"][:size], ["level", "noon", "sky"][:size]]
    return [["a"], ["xyz"], *same, *lengths, *([letter] for letter in letters)]


def _grid_corners(size: int, constants: Sequence[Constant]) -> list[Value]:
    near = _near(constants) or [1, 2, 3]
    return [
        [[0]],
        [[-4]],
        [near],
        [[v] for v in near],
        [[1, 2], [3, 4]],
        [[5, 5, 5], [5, 5, 5]],
        [[3, 1], [1, 3], [2, 2]],
    ]


def _moves_corners(size: int, constants: Sequence[Constant]) -> list[Value]:
    return ["U", "D", "L", "R", "UD", "RL", "URDL", "R" * size, "UR" * (size // 2), "LLDD"]


_DRAWN: dict[Kind, Callable[[Draws, int, Sequence[Constant]], Value]] = {
    "ints": _ints,
    "number": _number,
    "text": _text,
    "words": _words,
    "grid": _grid,
    "moves": _moves,
}
_CORNERS: dict[Kind, Callable[[int, Sequence[Constant]], list[Value]]] = {
    "ints": _ints_corners,
    "number": _number_corners,
    "text": _text_corners,
    "words": _words_corners,
    "grid": _grid_corners,
    "moves": _moves_corners,
}
