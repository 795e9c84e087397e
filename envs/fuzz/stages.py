"""What targets are made of: stages, each of which reads a part of the input and asks something of it.

A stage draws its own part of the witness first and writes the code around it, so that every condition can be met.
Held-out stages are never part of a training target; constants, words and letters are of one split only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import dedent
from typing import Final, Literal

from palestra.envs.base import Split
from palestra.envs.draws import Draws

_WORDS: Final[dict[Split, tuple[bytes, ...]]] = {
    "train": (b"RIFF", b"ELF", b"GIF8", b"OggS", b"BZh", b"fLaC", b"\x89PN", b"\xca\xfe"),
    "heldout": (b"wOFF", b"MThd", b"FLV", b"caff", b"ID3", b"\x1f\x8b\x08", b"\xfe\xed"),
}
_KEYS: Final[dict[Split, tuple[str, ...]]] = {
    "train": ("mode", "size", "rate", "port", "level", "width"),
    "heldout": ("speed", "depth", "limit", "scale", "zoom"),
}
_LETTERS: Final[dict[Split, str]] = {"train": "abdeghkmnprstuvw", "heldout": "cfijloqxyz"}
_ENDS: Final[dict[Split, str]] = {"train": ";,", "heldout": "|/"}
_BRACKETS: Final[dict[Split, tuple[tuple[str, str], ...]]] = {
    "train": (("(", ")"), ("[", "]")),
    "heldout": (("{", "}"), ("<", ">")),
}
_VERBS: Final = ("get", "put", "push", "pop", "list", "drop", "move", "copy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of a target: code that reads from ``p`` on and moves it, what is asked, and bytes that answer it."""

    read: str  # statements; "return 0" is how the input is refused
    asks: tuple[str, ...] = ()  # conditions on the variables that were read
    witness: bytes
    other: bytes  # of the same shape, and the conditions are not met


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a stage is drawn from: its own choices and what stands before it."""

    draws: Draws
    split: Split
    tag: str  # makes its variables' names its own
    size: int  # about how many bytes it may read
    before: bytes  # the witness so far

    def number(self, low: int, high: int) -> int:
        """Return a number of the split, from about low to high: held-out ones are 3 modulo 4, others never."""
        rest = 3 if self.split == "heldout" else self.draws.between(0, 2)
        return self.draws.between(low // 4, high // 4) * 4 + rest

    def letters(self, count: int) -> bytes:
        """Return letters of the split."""
        return "".join(self.draws.pick(_LETTERS[self.split]) for _ in range(count)).encode()


def _magic(room: Room) -> Stage:
    """A word."""
    word = room.draws.pick(_WORDS[room.split])
    read = f"if data[p:p + {len(word)}] != {word!r}:\n    return 0\np += {len(word)}\n"
    return Stage(read=read, witness=word, other=word)


def _field(room: Room) -> Stage:
    """A number of two bytes, and arithmetic on it."""
    name, value = f"value{room.tag}", room.number(300, 65000)
    other = room.draws.between(0, 65535)
    order: Literal["little", "big"] = "little" if room.draws.chance(0.5) else "big"
    low, high = ("at(p)", "at(p + 1)") if order == "little" else ("at(p + 1)", "at(p)")
    read = f"if p + 2 > size:\n    return 0\n{name} = {low} + {high} * 256\np += 2\n"
    return Stage(
        read=read,
        asks=(_arithmetic(room, name, value),),
        witness=value.to_bytes(2, order),
        other=other.to_bytes(2, order),
    )


def _arithmetic(room: Room, name: str, value: int) -> str:
    """Return a condition on a number that this value meets, and few others."""
    a, b = room.number(5, 60), room.number(101, 240)
    return room.draws.pick(
        (
            f"{name} * {a} + {b} == {value * a + b}",
            f"({name} ^ {b * 64 + a}) == {value ^ (b * 64 + a)}",
            f"{name} % {b} == {value % b} and {name} % {b - 4} == {value % (b - 4)}",
            f"{name} * {a} % 65521 == {value * a % 65521}",
            f"{name} > {value - a} and {name} % {b} == {value % b} and {name} < {value + b}",
        )
    )


def _payload(room: Room) -> Stage:
    """A length, so many bytes, and their sum."""
    count = room.draws.between(3, max(3, room.size))
    letters, other = room.letters(count), room.letters(count)
    weight = " * (i + 1)" if room.draws.chance(0.5) else ""
    total = sum(byte * (place + 1 if weight else 1) for place, byte in enumerate(letters))
    read = f"""
        if p >= size:
            return 0
        length{room.tag} = at(p)
        p += 1
        if length{room.tag} < {count - room.draws.between(0, 2)} or p + length{room.tag} > size:
            return 0
        total{room.tag} = 0
        i = 0
        while i < length{room.tag}:
            total{room.tag} += at(p + i){weight}
            i += 1
        p += length{room.tag}
    """
    return Stage(
        read=dedent(read),
        asks=(f"total{room.tag} == {total}",),
        witness=bytes([count]) + letters,
        other=bytes([count]) + other,
    )


def _checksum(room: Room) -> Stage:
    """A byte that follows from all before it."""
    begin, factor, modulus = room.number(1, 90), room.number(5, 60), room.number(190, 246)
    by_xor = room.draws.chance(0.3)
    value = begin
    for byte in room.before:
        value = (value ^ byte) * factor % modulus if by_xor else (value * factor + byte) % modulus
    step = f"(check{room.tag} ^ at(i)) * {factor}" if by_xor else f"(check{room.tag} * {factor} + at(i))"
    read = f"""
        if p >= size:
            return 0
        check{room.tag} = {begin}
        i = 0
        while i < p:
            check{room.tag} = {step} % {modulus}
            i += 1
        given{room.tag} = at(p)
        p += 1
    """
    return Stage(
        read=dedent(read),
        asks=(f"given{room.tag} == check{room.tag}",),
        witness=bytes([value]),
        other=bytes([(value + room.draws.between(1, 100)) % 256]),
    )


def _records(room: Room) -> Stage:
    """A count, and so many records of a type, a length and a value; two types count, others are refused."""
    one, two, weight = room.number(1, 60), room.number(64, 180), room.number(5, 30)
    count = room.draws.between(2, 3)

    def draw() -> tuple[bytes, int]:
        data, total = bytes([count]), 0
        for _ in range(count):
            value = room.letters(room.draws.between(1, 3))
            is_one = room.draws.chance(0.6)
            data += bytes([one if is_one else two, len(value)]) + value
            total += value[0] if is_one else len(value) * weight
        return data, total

    (witness, total), (other, _) = draw(), draw()
    read = f"""
        if p >= size:
            return 0
        left{room.tag} = at(p)
        p += 1
        sum{room.tag} = 0
        while left{room.tag} > 0:
            if p + 2 > size:
                return 0
            kind{room.tag} = at(p)
            length{room.tag} = at(p + 1)
            p += 2
            if p + length{room.tag} > size:
                return 0
            if kind{room.tag} == {one}:
                sum{room.tag} += at(p)
            elif kind{room.tag} == {two}:
                sum{room.tag} += length{room.tag} * {weight}
            else:
                return 0
            p += length{room.tag}
            left{room.tag} -= 1
    """
    return Stage(read=dedent(read), asks=(f"sum{room.tag} == {total}",), witness=witness, other=other)


def _setting(room: Room) -> Stage:
    """A key, a number in decimal, and what ends it."""
    key, end = room.draws.pick(_KEYS[room.split]), room.draws.pick(_ENDS[room.split])
    value, other = room.number(300, 90000), room.draws.between(1, 99999)
    word = f"{key}=".encode()
    read = f"""
        if data[p:p + {len(word)}] != {word!r}:
            return 0
        p += {len(word)}
        number{room.tag} = 0
        while at(p) >= 48 and at(p) <= 57 and number{room.tag} < 100000:
            number{room.tag} = number{room.tag} * 10 + at(p) - 48
            p += 1
        if at(p) != {ord(end)}:
            return 0
        p += 1
    """
    ask = _arithmetic(room, f"number{room.tag}", value)
    witness, other_bytes = (f"{key}={number}{end}".encode() for number in (value, other))
    return Stage(read=dedent(read), asks=(ask,), witness=witness, other=other_bytes)


def _brackets(room: Room) -> Stage:
    """Brackets that match, so deep and so many."""
    opening, closing = room.draws.pick(_BRACKETS[room.split])
    deep, more = room.draws.between(3, 5), room.draws.between(1, 2)
    read = f"""
        open{room.tag} = 0
        deep{room.tag} = 0
        pairs{room.tag} = 0
        while at(p) == {ord(opening)} or at(p) == {ord(closing)}:
            if at(p) == {ord(opening)}:
                open{room.tag} += 1
                pairs{room.tag} += 1
            else:
                open{room.tag} -= 1
            if open{room.tag} < 0:
                return 0
            if open{room.tag} > deep{room.tag}:
                deep{room.tag} = open{room.tag}
            p += 1
    """
    asks = (f"open{room.tag} == 0 and deep{room.tag} == {deep}", f"pairs{room.tag} == {deep + more}")
    witness = (opening + closing) * more + opening * deep + closing * deep
    return Stage(read=dedent(read), asks=asks, witness=witness.encode(), other=(opening + closing).encode())


def _run(room: Room) -> Stage:
    """One letter, again and again."""
    letter, times = room.letters(1), room.draws.between(4, max(4, room.size))
    read = f"""
        run{room.tag} = 0
        while at(p) == {letter[0]}:
            run{room.tag} += 1
            p += 1
    """
    return Stage(read=dedent(read), asks=(f"run{room.tag} == {times}",), witness=letter * times, other=letter)


def _pair(room: Room) -> Stage:
    """Two bytes that are bound to each other."""
    first, second = room.number(120, 240), room.number(20, 110)
    gap = first - second - room.draws.between(0, 3)
    read = f"""
        if p + 2 > size:
            return 0
        first{room.tag} = at(p)
        second{room.tag} = at(p + 1)
        p += 2
    """
    factor = room.number(5, 30)
    bound = (
        f"first{room.tag} * second{room.tag} == {first * second}",
        f"first{room.tag} * {factor} + second{room.tag} == {first * factor + second}",
    )
    asks = (f"first{room.tag} > second{room.tag} + {gap - 1}", room.draws.pick(bound))
    other = bytes([room.draws.between(0, 255), room.draws.between(0, 255)])
    return Stage(read=dedent(read), asks=asks, witness=bytes([first, second]), other=other)


def _machine(room: Room) -> Stage:
    """A machine of four states that has to go round so often."""
    letters = room.letters(4)
    laps, end = room.draws.between(2, 3), room.draws.pick(_ENDS[room.split])
    name = f"state{room.tag}"
    read = f"""
        {name} = 0
        laps{room.tag} = 0
        while p < size and at(p) != {ord(end)}:
            if {name} == 0 and at(p) == {letters[0]}:
                {name} = 1
            elif {name} == 1 and at(p) == {letters[1]}:
                {name} = 2
            elif {name} == 2 and at(p) == {letters[2]}:
                {name} = 3
            elif {name} == 3 and at(p) == {letters[3]}:
                {name} = 1
                laps{room.tag} += 1
            else:
                return 0
            p += 1
        if p >= size:
            return 0
        p += 1
    """
    witness = letters[:1] + letters[1:] * laps + letters[1:3] + end.encode()
    other = letters[:2] + end.encode()
    return Stage(read=dedent(read), asks=(f"{name} == 3", f"laps{room.tag} == {laps}"), witness=witness, other=other)


def _command(room: Room) -> Stage:
    """One of four words."""
    words = [word.encode() for word in room.draws.shuffled(_VERBS)[:4]]
    wanted = room.draws.between(1, 3)
    name = f"verb{room.tag}"
    read = "".join(
        f"{'el' * bool(number)}if data[p:p + {len(word)}] == {word!r}:\n    {name} = {number}\n    p += {len(word)}\n"
        for number, word in enumerate(words)
    )
    read = f"{name} = 0\n{read}else:\n    return 0\n"
    return Stage(read=read, asks=(f"{name} == {wanted}",), witness=words[wanted], other=words[0])


def _digits(room: Room) -> Stage:
    """A row of digits with a weighted sum."""
    count = room.draws.between(4, 7)
    witness, other = (bytes(48 + room.draws.between(0, 9) for _ in range(count)) for _ in range(2))
    factor = room.number(2, 12)
    total = sum((digit - 48) * (place + factor) for place, digit in enumerate(witness))
    read = f"""
        weight{room.tag} = 0
        i = 0
        while i < {count}:
            if at(p) < 48 or at(p) > 57:
                return 0
            weight{room.tag} += (at(p) - 48) * (i + {factor})
            i += 1
            p += 1
    """
    return Stage(read=dedent(read), asks=(f"weight{room.tag} == {total}",), witness=witness, other=other)


STAGES: Final[dict[str, Callable[[Room], Stage]]] = {
    "magic": _magic,
    "field": _field,
    "payload": _payload,
    "checksum": _checksum,
    "records": _records,
    "setting": _setting,
    "brackets": _brackets,
    "run": _run,
    "pair": _pair,
    "machine": _machine,
    "command": _command,
    "digits": _digits,
}
HELDOUT_STAGES: Final = frozenset({"machine", "command", "digits"})
