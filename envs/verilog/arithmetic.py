"""Modules without a clock that compute: sums, comparisons, counts of bits, an arithmetic unit."""

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
    some_of,
    templates,
    width,
)


def adder(width: int, mode: str) -> Design:
    """Return an adder, a subtractor or one that is told which to be."""
    w, top = width, 1 << width
    inputs = (Port("a", w), Port("b", w), Port("sub" if mode == "both" else "cin", 1))
    added, taken = f"`cout` and `sum` are the {w + 1} bits of a + b", "a - b"
    if mode == "add":
        does, expression = f"{added} + cin, `cout` the highest.", "a + b + cin"
        return Design(
            does=does,
            inputs=inputs,
            outputs=(Port("sum", w), Port("cout", 1)),
            wires={"total": (w + 1, expression)},
            drives={"sum": f"total[{w - 1}:0]", "cout": f"total[{w}]"},
            show=lambda i, s: {"sum": i.a + i.b + i.cin, "cout": (i.a + i.b + i.cin) // top},
        )
    if mode == "subtract":
        return Design(
            does=f"`difference` is {taken} - cin modulo {top}; `borrow` is 1 if b + cin is greater than a.",
            inputs=inputs,
            outputs=(Port("difference", w), Port("borrow", 1)),
            wires={"total": (w + 1, "a - b - cin")},
            drives={"difference": f"total[{w - 1}:0]", "borrow": f"total[{w}]"},
            show=lambda i, s: {"difference": (i.a - i.b - i.cin) % top, "borrow": i.b + i.cin > i.a},
        )
    return Design(
        does=f"`sum` is a + b modulo {top} if `sub` is 0, else a - b modulo {top}. `overflow` is 1 if the true sum or "
        "difference of a and b, all read in two's complement, is not what `sum` says in two's complement.",
        inputs=inputs,
        outputs=(Port("sum", w), Port("overflow", 1)),
        wires={"second": (w, f"b ^ {{{w}{{sub}}}}"), "total": (w, "a + second + sub")},
        drives={
            "sum": "total",
            "overflow": f"(a[{w - 1}] == second[{w - 1}]) & (total[{w - 1}] != a[{w - 1}])",
        },
        show=lambda i, s: {
            "sum": i.a - i.b if i.sub else i.a + i.b,
            "overflow": not -top // 2 <= signed(i.a, w) + (-signed(i.b, w) if i.sub else signed(i.b, w)) < top // 2,
        },
    )


def comparator(width: int, numbers: str, offset: int) -> Design:
    """Return a comparator of two numbers, one of them moved by a constant."""
    is_signed = numbers == "signed"
    flip = f" ^ {k(width, 1 << (width - 1))}" if is_signed else ""
    top = 1 << width

    reading = "two's complement (signed)" if is_signed else "unsigned"

    def read(value: int) -> int:
        return signed(value, width) if is_signed else value

    return Design(
        does=f"Let m be b + {offset} modulo {top}. Compare `a` and m as "
        f"{reading} numbers: `lt` is 1 if a < m, `eq` if a = m, "
        "`gt` if a > m; otherwise each is 0.",
        inputs=(Port("a", width), Port("b", width)),
        outputs=(Port("lt", 1), Port("eq", 1), Port("gt", 1)),
        wires={"m": (width, f"b + {k(width, offset)}"), "x": (width, f"a{flip}"), "y": (width, f"m{flip}")},
        drives={"lt": "x < y", "eq": "x == y", "gt": "x > y"},
        show=lambda i, s: {
            "lt": read(i.a) < read((i.b + offset) % top),
            "eq": i.a == (i.b + offset) % top,
            "gt": read(i.a) > read((i.b + offset) % top),
        },
    )


def popcount(width: int, counted: int, limit: int) -> Design:
    """Return a counter of ones or zeros, and whether there are many."""
    bits = bits_for(width + 1)
    bound = 1 + limit % width
    terms = " + ".join(f"{'' if counted else '!'}d[{n}]" for n in range(width))
    return Design(
        does=f"`count` is how many bits of `d` are {counted}; `many` is 1 if that is {bound} or more, else 0.",
        inputs=(Port("d", width),),
        outputs=(Port("count", bits), Port("many", 1)),
        wires={"total": (bits, terms)},
        drives={"count": "total", "many": f"total >= {k(bits, bound)}"},
        show=lambda i, s: {
            "count": f"{i.d:0{width}b}".count(str(counted)),
            "many": f"{i.d:0{width}b}".count(str(counted)) >= bound,
        },
    )


def saturating(width: int, operation: str) -> Design:
    """Return unsigned arithmetic that stops at the ends of its range."""
    top = (1 << width) - 1
    is_sum = operation == "sum"
    full = {"total": (width + 1, "a + b")} if is_sum else {}
    return Design(
        does=(
            f"`y` is a + b, but {top} where that would be more"
            if is_sum
            else "`y` is a - b, but 0 where b is greater than a"
        )
        + "; `sat` is 1 where that is so, else 0. All numbers are unsigned.",
        inputs=(Port("a", width), Port("b", width)),
        outputs=(Port("y", width), Port("sat", 1)),
        wires=full,
        drives={
            "y": f"(total[{width}]) ? {k(width, top)} : total[{width - 1}:0]"
            if is_sum
            else f"(b > a) ? {k(width, 0)} : a - b",
            "sat": f"total[{width}]" if is_sum else "b > a",
        },
        show=lambda i, s: {
            "y": min(i.a + i.b, top) if is_sum else max(i.a - i.b, 0),
            "sat": i.a + i.b > top if is_sum else i.b > i.a,
        },
    )


def clamp(width: int, low: int, span: int) -> Design:
    """Return a limiter to a constant range."""
    top = (1 << width) - 1
    low = 1 + low % max(1, top // 2)
    high = min(low + 1 + span % max(1, top // 2), top - 1)
    return Design(
        does=f"`y` is `d`, but {low} where `d` is less than {low}, and {high} where it is greater than {high}. "
        "`inside` is 1 if `y` equals `d`, else 0.",
        inputs=(Port("d", width),),
        outputs=(Port("y", width), Port("inside", 1)),
        wires={"below": (1, f"d < {k(width, low)}"), "above": (1, f"d > {k(width, high)}")},
        drives={
            "y": f"(below) ? {k(width, low)} : (above) ? {k(width, high)} : d",
            "inside": "!(below | above)",
        },
        show=lambda i, s: {"y": sorted((low, i.d, high))[1], "inside": low <= i.d <= high},
    )


OPERATIONS: Final[dict[str, tuple[str, str]]] = {
    "add": ("a + b", "a + b"),
    "sub": ("a - b", "a - b"),
    "rsub": ("b - a", "b - a"),
    "and": ("the bitwise and of a and b", "a & b"),
    "or": ("the bitwise or of a and b", "a | b"),
    "xor": ("the bitwise exclusive or of a and b", "a ^ b"),
    "nor": ("the bitwise nor of a and b", "~(a | b)"),
    "not": ("a with all bits inverted", "~a"),
    "inc": ("a + 1", "a + 1'b1"),
    "dec": ("a - 1", "a - 1'b1"),
    "double": ("2 a", "a << 1"),
    "half": ("a shifted right by one, a 0 shifted in", "a >> 1"),
    "neg": ("-a", "-a"),
    "less": ("1 if a < b, both unsigned, else 0", "{{{{{zeros}{{1'b0}}}}, a < b}}"),
    "max": ("the greater of a and b, both unsigned", "a > b ? a : b"),
    "pass": ("b", "b"),
}


def _operated(name: str, a: int, b: int) -> int:
    table = {
        **{"add": a + b, "sub": a - b, "rsub": b - a, "and": a & b, "or": a | b, "xor": a ^ b, "nor": ~(a | b)},
        **{"not": ~a, "inc": a + 1, "dec": a - 1, "double": 2 * a, "half": a // 2, "neg": -a, "less": int(a < b)},
        **{"max": max(a, b), "pass": b},
    }
    return table[name]


def alu(width: int, names: list[str]) -> Design:
    """Return an arithmetic unit with a table of operations."""
    bits, top = bits_for(len(names)), 1 << width

    def written(name: str) -> str:
        return OPERATIONS[name][1].format(zeros=width - 1) if name == "less" else OPERATIONS[name][1]

    chain = " : ".join(f"(op == {k(bits, n)}) ? ({written(name)})" for n, name in enumerate(names[:-1]))
    is_full = len(names) == 1 << bits
    last = f"({written(names[-1])})"
    ending = last if is_full else f"(op == {k(bits, len(names) - 1)}) ? {last} : {k(width, 0)}"
    rows = "\n".join(f"- {n}: {OPERATIONS[name][0]}" for n, name in enumerate(names))
    others = "" if is_full else "\n- any other: 0"
    return Design(
        does=f"`y` is, modulo {top}, for each value of `op`:\n{rows}{others}\n\n`zero` is 1 if `y` is 0, else 0.",
        inputs=(Port("op", bits), Port("a", width), Port("b", width)),
        outputs=(Port("y", width), Port("zero", 1)),
        wires={"result": (width, f"{chain} : {ending}")},
        drives={"y": "result", "zero": f"result == {k(width, 0)}"},
        show=lambda i, s: (lambda y: {"y": y, "zero": y % top == 0})(
            _operated(names[i.op], i.a, i.b) if i.op < len(names) else 0
        ),
    )


def signed_saturating(width: int, operation: str) -> Design:
    """Return signed arithmetic that stops at the ends of its range."""
    high, low = (1 << (width - 1)) - 1, 1 << (width - 1)
    sign, top = ("+", "a") if operation == "sum" else ("-", "a")
    wide_a, wide_b = (f"{{{one}[{width - 1}], {one}}}" for one in (top, "b"))

    def show(i: Values, s: Values) -> dict[str, int]:
        other = signed(i.b, width) if operation == "sum" else -signed(i.b, width)
        exact = signed(i.a, width) + other
        return {"y": max(-low, min(high, exact)), "sat": not -low <= exact <= high}

    return Design(
        does=f"`a`, `b` and `y` are {width}-bit numbers in two's complement. `y` is a {sign} b, but {high} where that "
        f"would be more, and -{low} where it would be less; `sat` is 1 in these two cases, else 0.",
        inputs=(Port("a", width), Port("b", width)),
        outputs=(Port("y", width), Port("sat", 1)),
        wires={
            "total": (width + 1, f"{wide_a} {sign} {wide_b}"),
            "beyond": (1, f"total[{width}] ^ total[{width - 1}]"),
        },
        drives={
            "y": f"(beyond) ? (total[{width}] ? {k(width, low)} : {k(width, high)}) : total[{width - 1}:0]",
            "sat": "beyond",
        },
        show=show,
    )


def bcd_adder(offset: int) -> Design:
    """Return an adder of two decimal digits and a constant."""
    return Design(
        does=f"Add the decimal digits `a` and `b`, the carry `cin` and the constant {offset}. `digit` is the result "
        "modulo 10, `carry` the result divided by 10 and rounded down. Values of `a` and `b` above 9 are read as 9.",
        inputs=(Port("a", 4), Port("b", 4), Port("cin", 1)),
        outputs=(Port("digit", 4), Port("carry", 2)),
        wires={
            "x": (4, "(a > 4'd9) ? 4'd9 : a"),
            "y": (4, "(b > 4'd9) ? 4'd9 : b"),
            "total": (6, f"x + y + cin + {k(6, offset)}"),
        },
        drives={"digit": "total % 10", "carry": "total / 10"},
        show=lambda i, s: dict(
            zip(("carry", "digit"), divmod(min(i.a, 9) + min(i.b, 9) + i.cin + offset, 10), strict=True)
        ),
    )


def difference(width: int, more: str) -> Design:
    """Return the distance of two numbers, and one of them."""
    pick = "a" if more == "greater" else "b"
    other = "b" if more == "greater" else "a"
    return Design(
        does=f"Both inputs are unsigned. `distance` is the absolute difference of `a` and `b`, `chosen` the {more} of "
        "the two.",
        inputs=(Port("a", width), Port("b", width)),
        outputs=(Port("distance", width), Port("chosen", width)),
        drives={"distance": "(a > b) ? a - b : b - a", "chosen": f"(a > b) ? {pick} : {other}"},
        show=lambda i, s: {"distance": abs(i.a - i.b), "chosen": (max if more == "greater" else min)(i.a, i.b)},
    )


def _names(choice: Choice, params: Params) -> Json:
    return some_of(choice.draws.pick((3, 4, 5, 6, 8)), *OPERATIONS)(choice, params)


ARITHMETIC: Final = templates(
    is_clocked=False,
    kinds=(
        (False, adder, {"width": width(2), "mode": one_of("add", "subtract", "both")}),
        (False, comparator, {"width": width(2), "numbers": one_of("signed", "unsigned"), "offset": number(0)}),
        (False, popcount, {"width": width(3), "counted": one_of(0, 1), "limit": number(0)}),
        (False, alu, {"width": width(2), "names": _names}),
        (False, saturating, {"width": width(2), "operation": one_of("sum", "difference")}),
        (False, clamp, {"width": width(4), "low": number(1), "span": number(1)}),
        (True, bcd_adder, {"offset": number(0, 9)}),
        (True, signed_saturating, {"width": width(3), "operation": one_of("sum", "difference")}),
        (True, difference, {"width": width(2), "more": one_of("greater", "lesser")}),
    ),
)
