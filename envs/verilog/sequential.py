"""Clocked modules that count, shift, wait and add up."""

from collections.abc import Sequence
from typing import Final

from palestra.envs.verilog.design import Design, Port, Values
from palestra.envs.verilog.template import bits_for, clock_of, k, number, one_of, templates, width

Clocking = Sequence[bool]


def counter(width: int, way: str, last: int, start: int, clocking: Clocking) -> Design:
    """Return a counter up or down with a last value, an enable and a load."""
    last = max(2, last % (1 << width))
    start %= last + 1
    is_up = way == "up"
    edge, back = (last, 0) if is_up else (0, last)
    moved = f"(count_r == {k(width, edge)}) ? {k(width, back)} : count_r {'+' if is_up else '-'} 1'b1"
    return Design(
        does=f"A counter, {start} after reset. At each edge: if `load` is 1 it takes `d`; else if `en` is 1 it counts "
        f"{way} by one, and from {edge} to {back}; else it stays. `count` shows it, and `wrap` is 1 while it is {edge} "
        "and `en` is 1. A loaded value that is greater than "
        f"{last} is counted on from like any other, modulo {1 << width}.",
        inputs=(Port("load", 1), Port("en", 1), Port("d", width)),
        outputs=(Port("count", width), Port("wrap", 1)),
        clock=clock_of(clocking),
        registers={"count_r": (width, start)},
        begins=f"if (load) count_r <= d;\nelse if (en) count_r <= {moved};",
        step=lambda i, s: {
            "count_r": i.d
            if i.load
            else s.count_r
            if not i.en
            else back
            if s.count_r == edge
            else s.count_r + (1 if is_up else -1)
        },
        drives={"count": "count_r", "wrap": f"en & (count_r == {k(width, edge)})"},
        show=lambda i, s: {"count": s.count_r, "wrap": i.en and s.count_r == edge},
    )


def shift_register(width: int, way: str, start: int, clocking: Clocking) -> Design:
    """Return a shift register with serial input and parallel output."""
    start %= 1 << width
    is_left = way == "left"
    moved = f"{{q_r[{width - 2}:0], si}}" if is_left else f"{{si, q_r[{width - 1}:1]}}"
    return Design(
        does=f"A shift register of {width} bits, {start} after reset. At each edge where `en` is 1 it shifts to the "
        f"{way} by one and takes `si` as its {'lowest' if is_left else 'highest'} bit. `q` shows it, and `so` shows "
        "the "
        "bit that would leave next.",
        inputs=(Port("en", 1), Port("si", 1)),
        outputs=(Port("q", width), Port("so", 1)),
        clock=clock_of(clocking),
        registers={"q_r": (width, start)},
        begins=f"if (en) q_r <= {moved};",
        step=lambda i, s: {
            "q_r": s.q_r if not i.en else 2 * s.q_r + i.si if is_left else s.q_r // 2 + (i.si << (width - 1))
        },
        drives={"q": "q_r", "so": f"q_r[{width - 1 if is_left else 0}]"},
        show=lambda i, s: {"q": s.q_r, "so": s.q_r >> (width - 1) if is_left else s.q_r % 2},
    )


def lfsr(width: int, taps: int, seed: int, clocking: Clocking) -> Design:
    """Return a Fibonacci shift register with feedback."""
    taps, seed = taps % (1 << (width - 1)) | 1 << (width - 1), seed % (1 << width) or 1
    named = ", ".join(str(n) for n in range(width) if taps >> n & 1)
    return Design(
        does=f"A linear feedback shift register of {width} bits, {seed} after reset. At each edge where `en` is 1 it "
        f"shifts to the left by one; its new lowest bit is the exclusive or of the bits {named} that it had before. "
        "`q` shows it.",
        inputs=(Port("en", 1),),
        outputs=(Port("q", width),),
        clock=clock_of(clocking),
        registers={"q_r": (width, seed)},
        wires={"fed": (1, f"^(q_r & {k(width, taps)})")},
        begins=f"if (en) q_r <= {{q_r[{width - 2}:0], fed}};",
        step=lambda i, s: {"q_r": 2 * s.q_r + f"{s.q_r & taps:b}".count("1") % 2 if i.en else s.q_r},
        drives={"q": "q_r"},
        show=lambda i, s: {"q": s.q_r},
    )


def edge_detector(kind: str, delay: str, clocking: Clocking) -> Design:
    """Return an edge detector, its output at once or one cycle later."""
    wanted = {"rising": "d & ~last_r", "falling": "~d & last_r", "any": "d ^ last_r"}[kind]
    is_late = delay == "registered"

    def seen(i: Values, s: Values) -> bool:
        return (s.last_r, i.d) in {"rising": [(0, 1)], "falling": [(1, 0)], "any": [(0, 1), (1, 0)]}[kind]

    what = {"rising": "a change from 0 to 1", "falling": "a change from 1 to 0", "any": "a change"}[kind]
    return Design(
        does=f"Detect {what} of `d`. A register keeps `d` as it was at the last edge of the clock (0 after reset). "
        + (
            f"Another register, 0 after reset, takes at each edge 1 if there is {what} between what was kept and `d`, "
            "else 0; `pulse` shows it."
            if is_late
            else f"`pulse` is 1 while there is {what} between what was kept and the present `d`, else 0."
        ),
        inputs=(Port("d", 1),),
        outputs=(Port("pulse", 1),),
        clock=clock_of(clocking),
        registers={"last_r": (1, 0), **({"pulse_r": (1, 0)} if is_late else {})},
        wires={"seen": (1, wanted)},
        begins="last_r <= d;" + "\npulse_r <= seen;" * is_late,
        step=lambda i, s: {"last_r": i.d, **({"pulse_r": seen(i, s)} if is_late else {})},
        drives={"pulse": "pulse_r" if is_late else "seen"},
        show=lambda i, s: {"pulse": s.pulse_r if is_late else seen(i, s)},
    )


def debouncer(cycles: int, start: int, clocking: Clocking) -> Design:
    """Return a debouncer that believes an input after some equal samples."""
    bits = bits_for(cycles)
    return Design(
        does=f"A debouncer. `q` is {start} after reset. It takes the value of `d` at the edge at which `d` has "
        f"differed from `q` at {cycles} edges in a row, that one included; an edge at which `d` equals `q` starts the "
        "count anew, and so does a reset.",
        inputs=(Port("d", 1),),
        outputs=(Port("q", 1),),
        clock=clock_of(clocking),
        registers={"q_r": (1, start), "seen_r": (bits, 0)},
        begins=f"if (d == q_r) seen_r <= {k(bits, 0)};\nelse if (seen_r == {k(bits, cycles - 1)}) begin\n"
        f"  q_r <= d;\n  seen_r <= {k(bits, 0)};\nend else seen_r <= seen_r + 1'b1;",
        step=lambda i, s: (
            {"seen_r": 0}
            if i.d == s.q_r
            else {"seen_r": 0, "q_r": i.d}
            if s.seen_r == cycles - 1
            else {"seen_r": s.seen_r + 1}
        ),
        drives={"q": "q_r"},
        show=lambda i, s: {"q": s.q_r},
    )


def ring(width: int, kind: str, start: int, clocking: Clocking) -> Design:
    """Return a ring counter or a Johnson counter."""
    start = start % (1 << width) or 1
    turned = "~" * (kind == "twisted")
    return Design(
        does=f"A ring of {width} bits, {start} after reset. At each edge where `en` is 1 it shifts to the left by "
        "one, and "
        f"its new lowest bit is the bit that left{', inverted' * bool(turned)}. `q` shows it, `home` is 1 while it is "
        f"{start}, else 0.",
        inputs=(Port("en", 1),),
        outputs=(Port("q", width), Port("home", 1)),
        clock=clock_of(clocking),
        registers={"q_r": (width, start)},
        begins=f"if (en) q_r <= {{q_r[{width - 2}:0], {turned}q_r[{width - 1}]}};",
        step=lambda i, s: {"q_r": 2 * s.q_r + ((s.q_r >> (width - 1)) ^ bool(turned)) if i.en else s.q_r},
        drives={"q": "q_r", "home": f"q_r == {k(width, start)}"},
        show=lambda i, s: {"q": s.q_r, "home": s.q_r == start},
    )


def stretcher(length: int, mode: str, clocking: Clocking) -> Design:
    """Return a pulse stretcher."""
    bits, again = bits_for(length + 1), mode == "restarts"
    condition = "trigger" if again else f"trigger & (left_r == {k(bits, 0)})"
    does_again = "also while it is running" if again else "unless it is running; then `trigger` is ignored"
    return Design(
        does=f"A pulse stretcher: a down counter, 0 after reset. At each edge, if `trigger` is 1, it takes {length}, "
        f"{does_again}. At the other edges it counts down by one to 0 and stays there. `busy` is 1 while it is not 0.",
        inputs=(Port("trigger", 1),),
        outputs=(Port("busy", 1),),
        clock=clock_of(clocking),
        registers={"left_r": (bits, 0)},
        begins=f"if ({condition}) left_r <= {k(bits, length)};\n"
        f"else if (left_r != {k(bits, 0)}) left_r <= left_r - 1'b1;",
        step=lambda i, s: {"left_r": length if i.trigger and (again or not s.left_r) else max(0, s.left_r - 1)},
        drives={"busy": f"left_r != {k(bits, 0)}"},
        show=lambda i, s: {"busy": s.left_r > 0},
    )


def timer(width: int, ending: str, clocking: Clocking) -> Design:
    """Return a timer that is loaded and counts down."""
    repeats = ending == "repeats"
    return Design(
        does="A timer with a counter and a period, both 0 after reset. At each edge: if `start` is 1, both take `d`; "
        "else if the counter is greater than 1 it counts down by one; else if it is 1 it becomes "
        f"{'the period again' if repeats else '0'}; else nothing changes. `left` shows the counter, `done` is 1 while "
        "the counter is 1.",
        inputs=(Port("start", 1), Port("d", width)),
        outputs=(Port("left", width), Port("done", 1)),
        clock=clock_of(clocking),
        registers={"left_r": (width, 0), **({"period_r": (width, 0)} if repeats else {})},
        wires={"is_last": (1, f"left_r == {k(width, 1)}")},
        begins="if (start) begin\n  left_r <= d;\n"
        + "  period_r <= d;\n" * repeats
        + "end else if (is_last) left_r <= "
        f"{'period_r' if repeats else k(width, 0)};\nelse if (left_r != {k(width, 0)}) left_r <= left_r - 1'b1;",
        step=lambda i, s: (
            {"left_r": i.d, "period_r": i.d}
            if i.start
            else {"left_r": s.left_r - 1 if s.left_r > 1 else s.period_r if repeats and s.left_r else 0}
        ),
        drives={"left": "left_r", "done": "is_last"},
        show=lambda i, s: {"left": s.left_r, "done": s.left_r == 1},
    )


def accumulator(width: int, mode: str, start: int, clocking: Clocking) -> Design:
    """Return an accumulator that wraps or saturates."""
    top, small = (1 << width) - 1, max(1, width // 2)
    start %= top
    stops = mode == "saturates"
    added = f"(total[{width}]) ? {k(width, top)} : total[{width - 1}:0]" if stops else f"total[{width - 1}:0]"
    return Design(
        does=f"An accumulator, {start} after reset. At each edge: if `clear` is 1 it becomes 0; else if `en` is 1 the "
        f"unsigned `d` is added, {f'but it stops at {top}' if stops else f'modulo {top + 1}'}. `acc` shows it; "
        "`over` is "
        f"1 from the edge at which a sum was greater than {top} until the next `clear` or reset.",
        inputs=(Port("clear", 1), Port("en", 1), Port("d", small)),
        outputs=(Port("acc", width), Port("over", 1)),
        clock=clock_of(clocking),
        registers={"acc_r": (width, start), "over_r": (1, 0)},
        wires={"total": (width + 1, "acc_r + d")},
        begins="if (clear) begin\n  acc_r <= 0;\n  over_r <= 1'b0;\nend else if (en) begin\n"
        f"  acc_r <= {added};\n  over_r <= over_r | total[{width}];\nend",
        step=lambda i, s: (
            {"acc_r": 0, "over_r": 0}
            if i.clear
            else {
                "acc_r": (min(top, s.acc_r + i.d) if stops else s.acc_r + i.d) if i.en else s.acc_r,
                "over_r": s.over_r or (i.en and s.acc_r + i.d > top),
            }
        ),
        drives={"acc": "acc_r", "over": "over_r"},
        show=lambda i, s: {"acc": s.acc_r, "over": s.over_r},
    )


def divider(period: int, phase: int, clocking: Clocking) -> Design:
    """Return a clock enable every so many cycles."""
    phase %= period
    bits = bits_for(period)
    return Design(
        does=f"A counter modulo {period}, 0 after reset, that counts up by one at each edge where `en` is 1. `tick` "
        "is 1 "
        f"while the counter is {phase} and `en` is 1; `half` is 1 while the counter is {period // 2} or more.",
        inputs=(Port("en", 1),),
        outputs=(Port("tick", 1), Port("half", 1)),
        clock=clock_of(clocking),
        registers={"n_r": (bits, 0)},
        begins=f"if (en) n_r <= (n_r == {k(bits, period - 1)}) ? {k(bits, 0)} : n_r + 1'b1;",
        step=lambda i, s: {"n_r": (s.n_r + i.en) % period},
        drives={"tick": f"en & (n_r == {k(bits, phase)})", "half": f"n_r >= {k(bits, period // 2)}"},
        show=lambda i, s: {"tick": i.en and s.n_r == phase, "half": s.n_r >= period // 2},
    )


def galois(width: int, taps: int, seed: int, clocking: Clocking) -> Design:
    """Return a Galois shift register with feedback."""
    taps, seed = taps % (1 << (width - 1)) | 1 << (width - 1), seed % (1 << width) or 1
    return Design(
        does=f"A feedback register of {width} bits, {seed} after reset. At each edge where `en` is 1 it shifts to "
        "the right "
        f"by one with a 0 shifted in, and if the bit that left was 1, the exclusive or of the result and {taps} "
        "(binary "
        f"{taps:0{width}b}) is taken instead. `q` shows it; `bit_out` shows its lowest bit.",
        inputs=(Port("en", 1),),
        outputs=(Port("q", width), Port("bit_out", 1)),
        clock=clock_of(clocking),
        registers={"q_r": (width, seed)},
        begins=f"if (en) q_r <= (q_r >> 1) ^ ({{{width}{{q_r[0]}}}} & {k(width, taps)});",
        step=lambda i, s: {"q_r": s.q_r // 2 ^ (taps if s.q_r % 2 else 0) if i.en else s.q_r},
        drives={"q": "q_r", "bit_out": "q_r[0]"},
        show=lambda i, s: {"q": s.q_r, "bit_out": s.q_r},
    )


def serial_parity(period: int, kind: str, clocking: Clocking) -> Design:
    """Return the parity of each so many bits that come one after another."""
    bits = bits_for(period)
    first = int(kind == "odd")
    return Design(
        does=f"Bits come one after another: an edge where `valid` is 1 takes `d`. After every {period} bits taken, "
        "`ready` "
        f"becomes 1 for one cycle and `p` becomes the exclusive or of these {period} bits"
        f"{', inverted' * first}; at all other edges `ready` becomes 0 and `p` keeps its value. After reset, `ready` "
        "and "
        "`p` are 0 and no bit has been taken.",
        inputs=(Port("valid", 1), Port("d", 1)),
        outputs=(Port("ready", 1), Port("p", 1)),
        clock=clock_of(clocking),
        registers={"taken_r": (bits, 0), "sum_r": (1, first), "ready_r": (1, 0), "p_r": (1, 0)},
        wires={"is_last": (1, f"valid & (taken_r == {k(bits, period - 1)})")},
        begins="ready_r <= is_last;\nif (is_last) begin\n  p_r <= sum_r ^ d;\n"
        f"  sum_r <= 1'd{first};\n  taken_r <= {k(bits, 0)};\nend else if (valid) begin\n  sum_r <= sum_r ^ d;\n"
        "  taken_r <= taken_r + 1'b1;\nend",
        step=lambda i, s: (
            {"ready_r": 0}
            if not i.valid
            else {"ready_r": 1, "p_r": s.sum_r ^ i.d, "sum_r": first, "taken_r": 0}
            if s.taken_r == period - 1
            else {"ready_r": 0, "sum_r": s.sum_r ^ i.d, "taken_r": s.taken_r + 1}
        ),
        drives={"ready": "ready_r", "p": "p_r"},
        show=lambda i, s: {"ready": s.ready_r, "p": s.p_r},
    )


def gray_counter(width: int, start: int, clocking: Clocking) -> Design:
    """Return a counter in Gray code."""
    start %= 1 << width
    return Design(
        does=f"A binary counter of {width} bits, {start} after reset. At each edge: if `clear` is 1 it becomes 0, "
        "else if "
        f"`en` is 1 it counts up by one modulo {1 << width}. `g` shows it in reflected Gray code (bit i is the "
        "exclusive "
        "or of bits i and i+1 of the counter).",
        inputs=(Port("clear", 1), Port("en", 1)),
        outputs=(Port("g", width),),
        clock=clock_of(clocking),
        registers={"n_r": (width, start)},
        begins=f"if (clear) n_r <= {k(width, 0)};\nelse if (en) n_r <= n_r + 1'b1;",
        step=lambda i, s: {"n_r": 0 if i.clear else s.n_r + i.en},
        drives={"g": "n_r ^ (n_r >> 1)"},
        show=lambda i, s: {"g": s.n_r ^ s.n_r // 2},
    )


def pwm(width: int, polarity: str, clocking: Clocking) -> Design:
    """Return a pulse width modulator whose duty is taken once a period."""
    inverted = polarity == "low"
    top = (1 << width) - 1
    return Design(
        does=f"A counter of {width} bits counts up at every edge, from {top} to 0. At the edge at which it goes from "
        f"{top} to 0, a second register takes `duty`. Both are 0 after reset. `out` is {int(not inverted)} while the "
        f"counter is less than the second register, else {int(inverted)}.",
        inputs=(Port("duty", width),),
        outputs=(Port("out", 1),),
        clock=clock_of(clocking),
        registers={"n_r": (width, 0), "duty_r": (width, 0)},
        begins=f"n_r <= n_r + 1'b1;\nif (n_r == {k(width, top)}) duty_r <= duty;",
        step=lambda i, s: {"n_r": s.n_r + 1, "duty_r": i.duty if s.n_r == top else s.duty_r},
        drives={"out": f"(n_r < duty_r) ^ 1'd{int(inverted)}"},
        show=lambda i, s: {"out": (s.n_r < s.duty_r) ^ inverted},
    )


def tracker(width: int, kept: str, clocking: Clocking) -> Design:
    """Return the greatest or the least value seen."""
    is_max = kept == "greatest"
    start = 0 if is_max else (1 << width) - 1
    return Design(
        does=f"A register, {start} after reset, keeps the {kept} value seen. At each edge: if `restart` is 1 it "
        "takes `d`; "
        f"else if `valid` is 1 and `d` is {'greater' if is_max else 'less'} than it, it takes `d`. All are unsigned. "
        "`best` shows it; `fresh` is 1 for the cycle after an edge at which it took `d`, else 0, and 0 after reset.",
        inputs=(Port("restart", 1), Port("valid", 1), Port("d", width)),
        outputs=(Port("best", width), Port("fresh", 1)),
        clock=clock_of(clocking),
        registers={"best_r": (width, start), "fresh_r": (1, 0)},
        wires={"takes": (1, f"restart | (valid & (d {'>' if is_max else '<'} best_r))")},
        begins="fresh_r <= takes;\nif (takes) best_r <= d;",
        step=lambda i, s: {
            "best_r": i.d if i.restart else (max if is_max else min)(s.best_r, i.d) if i.valid else s.best_r,
            "fresh_r": i.restart or (i.valid and (i.d > s.best_r if is_max else i.d < s.best_r)),
        },
        drives={"best": "best_r", "fresh": "fresh_r"},
        show=lambda i, s: {"best": s.best_r, "fresh": s.fresh_r},
    )


SEQUENTIAL: Final = templates(
    is_clocked=True,
    kinds=(
        (False, counter, {"width": width(2, 6), "way": one_of("up", "down"), "last": number(2), "start": number(0)}),
        (False, shift_register, {"width": width(3), "way": one_of("left", "right"), "start": number(0)}),
        (False, lfsr, {"width": width(3), "taps": number(1), "seed": number(1)}),
        (False, edge_detector, {"kind": one_of("rising", "falling", "any"), "delay": one_of("at once", "registered")}),
        (False, debouncer, {"cycles": number(2, 6), "start": one_of(0, 1)}),
        (False, ring, {"width": width(3), "kind": one_of("plain", "twisted"), "start": number(1)}),
        (False, stretcher, {"length": number(2, 9), "mode": one_of("restarts", "ignores")}),
        (False, timer, {"width": width(2, 5), "ending": one_of("repeats", "stops")}),
        (False, accumulator, {"width": width(3), "mode": one_of("wraps", "saturates"), "start": number(0)}),
        (False, divider, {"period": number(3, 12), "phase": number(0, 11)}),
        (True, galois, {"width": width(3), "taps": number(1), "seed": number(1)}),
        (True, serial_parity, {"period": number(2, 6), "kind": one_of("even", "odd")}),
        (True, gray_counter, {"width": width(2, 5), "start": number(0)}),
        (True, pwm, {"width": width(2, 4), "polarity": one_of("high", "low")}),
        (True, tracker, {"width": width(2), "kept": one_of("greatest", "least")}),
    ),
)
