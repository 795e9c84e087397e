"""What a module is fed: the same for the golden one and for every candidate, and unknown to whoever writes one.

Every input goes through stretches of its own: at random, held, all zeros, all ones, one bit, counting, or equal to
another input. Few inputs in all are tried in every combination. A clocked module is reset first, and again now and
then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json
from palestra.envs.code.draws import Draws
from palestra.envs.verilog.design import TICK
from palestra.rewards.base import VerifierError

_EVERY: Final = 10  # so many bits of input are tried in every combination
_QUIET: Final = (2, 4, 4, 8, 8, 16, 24, 40, 90, 150)  # cycles between resets, at least
_RESET: Final = "reset"
_MOST_BITS: Final = 4_096
_ONES: Final = (0.0, 0.0, 0.05, 0.5, 0.9, 1.0)  # how often a bit that stands alone is 1, by kind of stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """The ports of a module, without its clock among the inputs."""

    name: str
    inputs: tuple[tuple[str, int], ...]  # name and bits
    outputs: tuple[tuple[str, int], ...]
    clock: str  # "posedge", "negedge" or "": it has none
    reset: str  # the name of the input that resets it, or ""
    reset_level: int

    @classmethod
    def of(cls, name: Json, told: Json) -> "Interface":
        """Return what a task tells of its module.

        Raises:
            VerifierError: it makes no sense.
        """
        try:
            inputs, outputs = (tuple((str(n), int(bits)) for n, bits in told[way]) for way in ("inputs", "outputs"))
            made = cls(
                name=str(name),
                inputs=inputs,
                outputs=outputs,
                clock=str(told["clock"]),
                reset=str(told["reset"]),
                reset_level=int(told["reset_level"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise VerifierError(
                f"a module's interface has inputs, outputs, clock and reset, not {told!r:.200}"
            ) from error
        names = [port for port, _ in (*inputs, *outputs)]
        sizes = [bits for _, bits in (*inputs, *outputs)]
        if not (inputs and outputs and made.clock in ("", "posedge", "negedge") and made.reset_level in (0, 1)):
            raise VerifierError("a module needs an input, an output, and a clock that is 'posedge', 'negedge' or ''")
        if len({*names}) < len(names) or not all(1 <= bits <= _MOST_BITS for bits in sizes):
            raise VerifierError(
                f"a module's ports have names of their own and 1 to {_MOST_BITS} bits, not {told!r:.200}"
            )
        if not all(one.isidentifier() and one.isascii() for one in (made.name, *names)):
            raise VerifierError(f"a module and its ports have plain names, not {told!r:.200}")
        if made.reset and (made.reset, 1) not in inputs:
            raise VerifierError(f"the reset {made.reset!r} is none of the inputs of one bit")
        return made


Vector = Mapping[str, int]


def vectors(interface: Interface, count: int, nonce: str) -> list[Vector]:
    """Return about `count` vectors of input, the same for the same nonce."""
    draws = Draws(interface.name, 0, f"stimulus/{nonce}")
    data = [(name, bits) for name, bits in interface.inputs if name != interface.reset]
    made: list[dict[str, int]] = []
    if not interface.clock and sum(bits for _, bits in data) <= _EVERY:
        made = draws.shuffled(_every(data))
    streams = {name: _stream(draws, bits, count) for name, bits in data}
    peers = {name: [other for other, size in data if size == bits and other != name] for name, bits in data}
    for at in range(count - len(made)):
        made.append({name: streams[name][at] for name, _ in data})
    for name, bits in data:
        if bits > 1 and peers[name]:  # equal to another input, or beside it
            for vector in made[:: draws.between(4, 7)]:
                vector[name] = (vector[draws.pick(peers[name])] + draws.between(-1, 1)) % (1 << bits)
    if interface.reset:
        resets = _resets(draws, len(made), interface.reset_level)
        return [
            {TICK: reset[TICK], interface.reset: reset[_RESET], **vector}
            for reset, vector in zip(resets, made, strict=True)
        ]
    return [*made]


def packed(interface: Interface, stimulus: Sequence[Vector]) -> bytes:
    """Return vectors as the bench reads them: a line each, tick and inputs side by side in hexadecimal."""
    lines = []
    for vector in stimulus:
        word = vector.get(TICK, 1)
        for name, bits in interface.inputs:
            word = word << bits | vector[name]
        lines.append(f"{word:x}\n")
    return "".join(lines).encode()


def _every(data: Sequence[tuple[str, int]]) -> list[dict[str, int]]:
    found: list[dict[str, int]] = [{}]
    for name, bits in data:
        found = [{**one, name: value} for one in found for value in range(1 << bits)]
    return found


def _stream(draws: Draws, bits: int, count: int) -> list[int]:
    """Return one input's values: stretches of different kinds, some of them long."""
    top, values = (1 << bits) - 1, list[int]()
    while len(values) < count:
        kind, length = draws.between(0, 7 if bits > 1 else 5), draws.between(2, draws.pick((20, 40, 120)))
        for _ in range(length):
            last = values[-1] if values else 0
            if bits == 1:
                values.append(int(draws.chance(_ONES[kind])))
            elif kind <= 2:
                values.append(draws.between(0, top))
            else:
                small = draws.between(0, min(top, 3))
                values.append((last, last + 1 & top, 1 << draws.between(0, bits - 1), small, top - small)[kind - 3])
    return values[:count]


def _resets(draws: Draws, count: int, level: int) -> list[dict[str, int]]:
    """Return reset and ticks: two cycles of reset at the start, later one or two after short and long stretches.

    Some resets begin and end between two edges: only what is reset asynchronously may see them.
    """
    held, free, quiet = {_RESET: level, TICK: 1}, {_RESET: 1 - level, TICK: 1}, [12]
    made = [held] * min(2, count)
    while len(made) < count:
        quiet = quiet or draws.shuffled(_QUIET)
        least = quiet.pop()
        made += [free] * draws.between(least, 2 * least)
        made += [{**held, TICK: 0}] if draws.chance(0.4) else [held] * draws.between(1, 2)
    return made[:count]
