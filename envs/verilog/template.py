"""What designs are drawn from: a template's builder and how each of its parameters is chosen.

A chooser draws one parameter, knowing those before it. Training and held-out tasks draw numbers from pools that have
none in common, wherever a range has enough of them.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json, Split
from palestra.envs.code.draws import Draws
from palestra.envs.verilog.design import Clock, Design

Params = Mapping[str, Json]
_HELDOUT: Final = 3  # one number in so many is never trained on


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one task's parameters are drawn by."""

    draws: Draws
    split: Split
    width: int  # the most bits of a bus
    reset: str = "any"  # "sync", "async"
    polarity: str = "any"  # "high", "low"
    edge: str = "any"  # "rising", "falling"

    def number(self, low: int, high: int) -> int:
        """Return a number of this range, both ends included, from the pool of the split."""
        pool = [n for n in range(low, min(high, low + 4095) + 1) if is_heldout_number(n) == (self.split == "heldout")]
        return self.draws.pick(pool) if pool else self.draws.between(low, high)


Chooser = Callable[[Choice, Params], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A kind of module."""

    name: str
    build: Callable[..., Design]
    choosers: Mapping[str, Chooser]
    is_clocked: bool
    is_heldout: bool

    def draw(self, choice: Choice) -> dict[str, Json]:
        """Return parameters for `build`."""
        params: dict[str, Json] = {}
        for name, chooser in self.choosers.items():
            params[name] = chooser(choice, params)
        return params


Kind = tuple[bool, Callable[..., Design], Mapping[str, Chooser]]  # whether it is held out, its builder, its choosers


def templates(*, is_clocked: bool, kinds: Sequence[Kind]) -> tuple[Template, ...]:
    """Return the templates of some builders, named as these are; those of clocked modules choose a clocking as well."""
    more = {"clocking": clocking()} if is_clocked else {}
    return tuple(
        Template(
            name=build.__name__,
            build=build,
            choosers={**choosers, **more},
            is_clocked=is_clocked,
            is_heldout=is_heldout,
        )
        for is_heldout, build, choosers in kinds
    )


def is_heldout_number(number: int) -> bool:
    """Return whether no training task has this width or constant, where there was a choice."""
    return hashlib.sha256(f"number {number}".encode()).digest()[0] % _HELDOUT == 0


def width(low: int, high: int = 64) -> Chooser:
    """Choose a number of bits, at most what the task allows."""
    return lambda choice, params: choice.number(low, max(low, min(high, choice.width)))


def number(low: int, high: int | None = None) -> Chooser:
    """Choose a constant from `low` on; without `high`, one that fits into ``params["width"]`` bits."""
    return lambda choice, params: choice.number(low, ((1 << params["width"]) - 1) if high is None else high)


def one_of(*names: Json) -> Chooser:
    """Choose one of some."""
    return lambda choice, params: choice.draws.pick(names)


def some_of(count: int, *names: Json) -> Chooser:
    """Choose some of them, in random order."""
    return lambda choice, params: choice.draws.shuffled(names)[:count]


def clocking() -> Chooser:
    """Choose edge and reset."""

    def choose(choice: Choice, params: Params) -> Json:
        draws = choice.draws
        chosen = [draws.chance(0.75), draws.chance(0.5), draws.chance(0.5)]
        told = ((choice.edge, "rising"), (choice.reset, "async"), (choice.polarity, "low"))
        return [one if asked == "any" else asked == yes for one, (asked, yes) in zip(chosen, told, strict=True)]

    return choose


def clock_of(told: Sequence[bool]) -> Clock:
    """Return the clock that `clocking` chose."""
    return Clock(is_rising=told[0], is_async=told[1], is_low=told[2])


def bits_for(count: int) -> int:
    """Return how many bits tell so many things apart, one at least."""
    return max(1, (count - 1).bit_length())


def k(bits: int, value: int) -> str:
    """Return a number of so many bits in Verilog."""
    return f"{bits}'d{value & ((1 << bits) - 1)}"


def signed(value: int, bits: int) -> int:
    """Return what bits say in two's complement."""
    return value - ((value >> (bits - 1)) << bits)
