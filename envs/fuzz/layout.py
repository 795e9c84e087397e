"""How stages become one function: where its conditions stand, and what else it does."""

import itertools
import re
from collections.abc import Sequence
from typing import Final, Literal

from palestra.envs.draws import Draws
from palestra.envs.fuzz.stages import Stage
from palestra.envs.fuzz.target import MARK, REACHED

Layout = Literal["guards", "nested", "late"]
LAYOUTS: Final[tuple[Layout, ...]] = ("guards", "nested", "late")
_INDENT: Final = "    "
_NAME: Final = re.compile(r"^([a-z]+\d+) =", re.MULTILINE)  # of a variable that has a value whatever was read


def lay_out(stages: Sequence[Stage], layout: Layout, decoys: int, draws: Draws) -> str:
    """Return the text of a target that asks of its input what the stages ask.

    Args:
        stages: in the order in which the input is read.
        layout: conditions that refuse ("guards"), that enclose what follows ("nested"), or that all enclose the target
            after everything was read ("late").
        decoys: decisions beside the way to the target.
        draws: where the decoys stand.
    """
    writer = _Writer(uses_extra=decoys > 0)
    places = [draws.between(0, len(stages) - 1) for _ in range(decoys)]
    asks: list[str] = []
    for number, stage in enumerate(stages):
        writer.add(stage.read)
        for _ in range(places.count(number)):
            writer.add(_decoy(stage.read, draws))
        asks += stage.asks
        if layout != "late":
            _ask(writer, asks, is_guard=layout == "guards")
            asks = []
    for condition in ("p == size", *asks):
        writer.nest(condition)
    writer.add(f"return {REACHED}  # {MARK}")
    return writer.text()


class _Writer:
    """Collects the lines of a function."""

    def __init__(self, *, uses_extra: bool) -> None:
        self._lines = ["def parse():", f"{_INDENT}p = 0", *[f"{_INDENT}extra = 0"] * uses_extra]
        self._depth = 1

    def add(self, code: str) -> None:
        self._lines += [_INDENT * self._depth + line for line in code.strip().splitlines()]

    def nest(self, condition: str) -> None:
        self.add(f"if {condition}:")
        self._depth += 1

    def text(self) -> str:
        """Return the function, in which every way to refuse the input returns a number of its own."""
        lines = [*self._lines, f"{_INDENT}return 0"]
        codes = itertools.count(1)
        numbered = (re.sub(r"\breturn 0$", lambda _: f"return {next(codes)}", line) for line in lines)
        return "\n".join(numbered) + "\n"


def _ask(writer: _Writer, asks: Sequence[str], *, is_guard: bool) -> None:
    for condition in asks:
        if is_guard:
            writer.add(f"if {_opposite(condition)}:\n{_INDENT}return 0")
        else:
            writer.nest(condition)


def _opposite(condition: str) -> str:
    if " and " not in condition and condition.count(" == ") == 1:
        return condition.replace(" == ", " != ")
    return f"not ({condition})"


def _decoy(read: str, draws: Draws) -> str:
    """Return a decision that changes nothing on the way to the target."""
    names = sorted(set(_NAME.findall(read))) or ["p"]
    name, number = draws.pick(names), draws.between(2, 200)
    return draws.pick(
        (
            f"if {name} > {number}:\n    extra += 1\nelse:\n    extra += 2",
            f"if {name} == {number}:\n    extra = {name} + p\nelif p > {number}:\n    extra = 2",
            f"if {name} + p == {number}:\n    while extra > 0:\n        extra -= 3",
        )
    )
