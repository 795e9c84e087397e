"""Modules without a clock that select and recode: multiplexers, encoders, shifters, tables."""

from typing import Final

from palestra.envs.base import Json
from palestra.envs.verilog.design import Design, Port, Values
from palestra.envs.verilog.template import (
    Choice,
    Params,
    bits_for,
    k,
    number,
    one_of,
    signed,
    templates,
    width,
)


def mux(width: int, count: int, other: int) -> Design:
    """Return a multiplexer of some inputs."""
    bits = bits_for(count)
    is_full = count == 1 << bits
    chain = " : ".join(f"(sel == {k(bits, n)}) ? d{n}" for n in range(count - is_full))
    last = f"d{count - 1}" if is_full else k(width, other)
    others = "" if is_full else f" For values of `sel` from {count} on `y` is {other & ((1 << width) - 1)}."
    return Design(
        does=f"`y` is the input `d` with the number `sel` (d0 for 0, and so on).{others}",
        inputs=(Port("sel", bits), *(Port(f"d{n}", width) for n in range(count))),
        outputs=(Port("y", width),),
        drives={"y": f"{chain} : {last}"},
        show=lambda i, s: {"y": getattr(i, f"d{i.sel}") if i.sel < count else other},
    )


def decoder(bits: int, active: str) -> Design:
    """Return a binary decoder with an enable."""
    count = 1 << bits
    hot = f"({{{{{count - 1}{{1'b0}}}}, en}} << sel)"
    level, rest = ("1", "0") if active == "high" else ("0", "1")
    return Design(
        does=f"While `en` is 1, the bit of `y` with the number `sel` is {level} and the others are {rest}; "
        f"while `en` is 0 all bits of `y` are {rest}. Bit 0 is the least significant.",
        inputs=(Port("en", 1), Port("sel", bits)),
        outputs=(Port("y", count),),
        drives={"y": hot if active == "high" else f"~{hot}"},
        show=lambda i, s: {"y": (i.en << i.sel) ^ (0 if active == "high" else count * 0 + (1 << count) - 1)},
    )


def priority_encoder(width: int, first: str) -> Design:
    """Return a priority encoder."""
    bits = bits_for(width)
    order = range(width) if first == "lowest" else range(width - 1, -1, -1)
    chain = " : ".join(f"(req[{n}]) ? {k(bits, n)}" for n in order)
    pick = min if first == "lowest" else max
    return Design(
        does=f"`index` is the number of the {first} bit of `req` that is 1, and `valid` is 1; "
        "if no bit is 1, both are 0. Bit 0 is the least significant.",
        inputs=(Port("req", width),),
        outputs=(Port("index", bits), Port("valid", 1)),
        drives={"index": f"{chain} : {k(bits, 0)}", "valid": "|req"},
        show=lambda i, s: {
            "index": pick((n for n in range(width) if i.req >> n & 1), default=0),
            "valid": i.req != 0,
        },
    )


def parity(width: int, kind: str, mask: int) -> Design:
    """Return a parity generator over some bits."""
    mask = mask % (1 << width) or 1
    chosen = ", ".join(str(n) for n in range(width) if mask >> n & 1)
    return Design(
        does=f"`p` makes the number of ones among `p` and the bits {chosen} of `d` {kind} (bit 0 is the least "
        "significant); the other bits of `d` do not count.",
        inputs=(Port("d", width),),
        outputs=(Port("p", 1),),
        drives={"p": f"{'' if kind == 'even' else '~'}^(d & {k(width, mask)})"},
        show=lambda i, s: {"p": (f"{i.d & mask:b}".count("1") + (kind == "odd")) % 2},
    )


def gray_encoder(width: int, shown: str) -> Design:
    """Return a binary to Gray converter."""
    inverted = shown == "inverted"
    return Design(
        does=f"`g` is the reflected Gray code of the binary number `b`{', every bit inverted' * inverted}: before "
        "that, bit i of the code is the exclusive or of bits i and i+1 of `b`, and the highest bit is that of `b`."
        if inverted
        else "`g` is the reflected Gray code of the binary number `b`: bit i is the exclusive or of bits i and i+1 of "
        "`b`, and the highest bit is that of `b`.",
        inputs=(Port("b", width),),
        outputs=(Port("g", width),),
        drives={"g": f"{'~' * inverted}(b ^ (b >> 1))"},
        show=lambda i, s: {"g": ~(i.b ^ i.b // 2) if inverted else i.b ^ i.b // 2},
    )


def reversal(width: int, mask: int) -> Design:
    """Return a bit reversal that can be switched off."""
    mask %= 1 << width
    backwards = ", ".join(f"d[{n}]" for n in range(width))
    return Design(
        does=f"If `rev` is 1, `y` is `d` with its {width} bits in reverse order; otherwise `y` is the exclusive or of "
        f"`d` and the constant {mask} (binary {mask:0{width}b}).",
        inputs=(Port("rev", 1), Port("d", width)),
        outputs=(Port("y", width),),
        drives={"y": f"(rev) ? {{{backwards}}} : d ^ {k(width, mask)}"},
        show=lambda i, s: {"y": int(f"{i.d:0{width}b}"[::-1], 2) if i.rev else i.d ^ mask},
    )


def shifter(width: int, kind: str) -> Design:
    """Return a barrel shifter of one kind, to the left or to the right."""
    bits = bits_for(width)
    words = "copies of the highest bit of `d`" if kind == "arithmetic" else "zeros"
    fill = 1 << bits  # more places than `n` can name, which is more than the width where that is no power of two
    right = f"({{{{{fill}{{d[{width - 1}]}}}}, d}} >> n)" if kind == "arithmetic" else "(d >> n)"

    def show(i: Values, s: Values) -> dict[str, int]:
        if i.left:
            return {"y": i.d << i.n}
        return {"y": (signed(i.d, width) if kind == "arithmetic" else i.d) >> i.n}

    return Design(
        does=f"`y` is `d` shifted by `n` places: to the left if `left` is 1, with zeros shifted in, else to the right, "
        f"with {words} shifted in.",
        inputs=(Port("left", 1), Port("n", bits), Port("d", width)),
        outputs=(Port("y", width),),
        wires={"moved": (fill + width, right)},
        drives={"y": f"(left) ? d << n : moved[{width - 1}:0]"},
        show=show,
    )


def to_bcd(width: int) -> Design:
    """Return a converter of a number to two decimal digits."""
    return Design(
        does="`tens` and `ones` are the two decimal digits of the binary number `n`. From 100 on only the last two "
        "digits are shown.",
        inputs=(Port("n", width),),
        outputs=(Port("tens", 4), Port("ones", 4)),
        drives={"tens": "(n / 10) % 10", "ones": "n % 10"},
        show=lambda i, s: {"tens": int(f"{i.n:02d}"[-2]), "ones": int(f"{i.n:02d}"[-1])},
    )


def table(bits: int, rows: list[int], width: int) -> Design:
    """Return a table of constants."""
    rows = [row % (1 << width) for row in rows[: 1 << bits]]
    chain = " : ".join(f"(x == {k(bits, n)}) ? {k(width, row)}" for n, row in enumerate(rows[:-1]))
    return Design(
        does="`y` depends on `x` by this table, x before the colon, y after it: "
        + ", ".join(f"{n}: {row}" for n, row in enumerate(rows))
        + ".",
        inputs=(Port("x", bits),),
        outputs=(Port("y", width),),
        drives={"y": f"{chain} : {k(width, rows[-1])}"},
        show=lambda i, s: {"y": rows[i.x]},
    )


def gray_decoder(width: int, order: str) -> Design:
    """Return a Gray to binary converter."""
    drives = ", ".join(f"^g[{width - 1}:{n}]" for n in range(width - 1, -1, -1))
    return Design(
        does="`g` is a number in reflected Gray code (bit i of the code is the exclusive or of bits i and i+1 of the "
        f"binary number). `b` is that number in binary{', its bits in reverse order' * (order == 'reversed')}.",
        inputs=(Port("g", width),),
        outputs=(Port("b", width),),
        drives={"b": f"{{{drives if order == 'straight' else ', '.join(reversed(drives.split(', ')))}}}"},
        show=lambda i, s: {"b": _ungray(i.g, width, is_reversed=order == "reversed")},
    )


def _ungray(code: int, bits: int, *, is_reversed: bool) -> int:
    binary = 0
    while code:
        binary, code = binary ^ code, code >> 1
    return int(f"{binary:0{bits}b}"[::-1], 2) if is_reversed else binary


def rotator(width: int, direction: str) -> Design:
    """Return a rotation by any number of places."""
    bits = bits_for(width)
    twice = f"{{d, d}} {'<<' if direction == 'left' else '>>'} n"
    part = f"[{2 * width - 1}:{width}]" if direction == "left" else f"[{width - 1}:0]"
    return Design(
        does=f"`y` is `d` rotated to the {direction} by `n` places (modulo {width}): what leaves at one end comes back "
        "at the other.",
        inputs=(Port("n", bits), Port("d", width)),
        outputs=(Port("y", width),),
        wires={"places": (bits, f"n % {width}"), "turned": (2 * width, twice.replace(" n", " places"))},
        drives={"y": f"turned{part}"},
        show=lambda i, s: {"y": _rotated(i.d, i.n % width, width, direction)},
    )


def _rotated(value: int, places: int, bits: int, direction: str) -> int:
    text = f"{value:0{bits}b}"
    return int(
        text[places:] + text[:places] if direction == "left" else text[bits - places :] + text[: bits - places], 2
    )


def leading(width: int, counted: int, end: str) -> Design:
    """Return a counter of equal bits at one end."""
    bits = bits_for(width + 1)
    order = range(width - 1, -1, -1) if end == "highest" else range(width)
    chain = " : ".join(f"({'' if counted == 0 else '!'}d[{n}]) ? {k(bits, at)}" for at, n in enumerate(order))

    def show(i: Values, s: Values) -> dict[str, int]:
        text = f"{i.d:0{width}b}" if end == "highest" else f"{i.d:0{width}b}"[::-1]
        return {"count": len(text) - len(text.lstrip(str(counted)))}

    return Design(
        does=f"`count` is how many bits of `d` in a row are {counted}, counted from the {end} bit; {width} if all are.",
        inputs=(Port("d", width),),
        outputs=(Port("count", bits),),
        drives={"count": f"{chain} : {k(bits, width)}"},
        show=show,
    )


def thermometer(bits: int, side: str) -> Design:
    """Return a converter of a number to as many ones."""
    count = (1 << bits) - 1
    return Design(
        does=f"As many bits of `t` are 1 as the number `n` says, counted from the {side} bit; the others are 0.",
        inputs=(Port("n", bits),),
        outputs=(Port("t", count),),
        wires={"rest": (count, f"{{{count}{{1'b1}}}} {'<<' if side == 'lowest' else '>>'} n")},
        drives={"t": "~rest"},
        show=lambda i, s: {"t": (1 << i.n) - 1 if side == "lowest" else ((1 << i.n) - 1) << (count - i.n)},
    )


def _rows(choice: Choice, params: Params) -> Json:
    return [choice.draws.between(0, 255) for _ in range(1 << params["bits"])]


_SIDES: Final = ("lowest", "highest")
CODES: Final = templates(
    is_clocked=False,
    kinds=(
        (False, mux, {"width": width(1), "count": one_of(2, 3, 4, 5, 6, 8), "other": number(0)}),
        (False, decoder, {"bits": one_of(2, 3, 4), "active": one_of("high", "low")}),
        (False, priority_encoder, {"width": width(3), "first": one_of(*_SIDES)}),
        (False, parity, {"width": width(3), "kind": one_of("even", "odd"), "mask": number(1)}),
        (False, gray_encoder, {"width": width(2), "shown": one_of("as it is", "inverted")}),
        (False, reversal, {"width": width(3), "mask": number(1)}),
        (False, shifter, {"width": width(3), "kind": one_of("logical", "arithmetic")}),
        (False, to_bcd, {"width": width(5, 10)}),
        (False, table, {"bits": one_of(2, 3, 4), "width": width(1, 8), "rows": _rows}),
        (True, gray_decoder, {"width": width(2), "order": one_of("straight", "reversed")}),
        (True, rotator, {"width": width(3), "direction": one_of("left", "right")}),
        (True, leading, {"width": width(3), "counted": one_of(0, 1), "end": one_of(*_SIDES)}),
        (True, thermometer, {"bits": one_of(2, 3), "side": one_of(*_SIDES)}),
    ),
)
