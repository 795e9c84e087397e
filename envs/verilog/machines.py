"""Clocked modules with more to remember: state machines, queues, arbiters, register files."""

from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.verilog.design import Design, Port, Values
from palestra.envs.verilog.sequential import Clocking
from palestra.envs.verilog.template import (
    Choice,
    Params,
    bits_for,
    clock_of,
    k,
    one_of,
    templates,
    width,
)


def moore(states: int, inputs: int, moves: list[list[int]], shown: list[int], clocking: Clocking) -> Design:
    """Return a Moore machine of a random table."""
    bits, ways = bits_for(states), 1 << inputs
    rows = "\n".join(
        f"- {n}: " + ", ".join(f"x={x}: {to}" for x, to in enumerate(row)) + f"; `y` is {shown[n]}"
        for n, row in enumerate(moves)
    )
    lines = ["case (state_r)"]
    for n, row in enumerate(moves):
        chain = " : ".join(f"(x == {k(inputs, x)}) ? {k(bits, to)}" for x, to in enumerate(row[:-1]))
        lines.append(f"  {k(bits, n)}: state_r <= {chain} : {k(bits, row[ways - 1])};")
    lines += [f"  default: state_r <= {k(bits, 0)};", "endcase"]
    outputs = " : ".join(f"(state_r == {k(bits, n)}) ? {k(2, y)}" for n, y in enumerate(shown[:-1]))
    return Design(
        does=f"A Moore state machine with the states 0 to {states - 1}; it is in state 0 after reset. At each edge "
        "where "
        "`en` is 1 it goes to the state that this table names for its state and the input `x`; `y` depends on the "
        "state "
        f"alone:\n{rows}",
        inputs=(Port("en", 1), Port("x", inputs)),
        outputs=(Port("y", 2),),
        clock=clock_of(clocking),
        registers={"state_r": (bits, 0)},
        begins="if (en)\n" + "\n".join(lines),
        step=lambda i, s: {"state_r": moves[s.state_r][i.x] if i.en else s.state_r},
        drives={"y": f"{outputs} : {k(2, shown[-1])}"},
        show=lambda i, s: {"y": shown[s.state_r]},
    )


def sequence(pattern: list[int], overlap: str, clocking: Clocking) -> Design:
    """Return a detector of a pattern of bits."""
    size = len(pattern)
    word = "".join(map(str, pattern))
    bits = bits_for(size)

    def after(matched: int, bit: int) -> int:
        seen = word[:matched] + str(bit)
        longest = size if overlap == "none" else size - 1
        return next(n for n in range(min(len(seen), longest), -1, -1) if seen.endswith(word[:n])) % size

    def restarted(matched: int, bit: int) -> int:
        is_found = matched == size - 1 and bit == pattern[-1]
        return 0 if is_found and overlap == "none" else after(matched, bit)

    lines = ["case (matched_r)"]
    for n in range(size):
        lines.append(f"  {k(bits, n)}: matched_r <= x ? {k(bits, restarted(n, 1))} : {k(bits, restarted(n, 0))};")
    lines += [f"  default: matched_r <= {k(bits, 0)};", "endcase"]
    may = (
        "Found patterns may overlap: bits of one may be the first bits of the next."
        if overlap == "may"
        else "Patterns do not overlap: after one was found, its bits count no more for the next."
    )
    return Design(
        does=f"Bits come on `x`, one at each edge where `en` is 1. `found` is 1 while `en` is 1 and the present `x` "
        f"completes the pattern {word} (its left bit comes first) with the bits taken at the last edges; else it is 0. "
        f"{may} After reset no bit has been taken.",
        inputs=(Port("en", 1), Port("x", 1)),
        outputs=(Port("found", 1),),
        clock=clock_of(clocking),
        registers={"matched_r": (bits, 0)},
        begins="if (en)\n" + "\n".join(lines),
        step=lambda i, s: {"matched_r": restarted(s.matched_r, i.x) if i.en else s.matched_r},
        drives={"found": f"en & (x == 1'd{pattern[-1]}) & (matched_r == {k(bits, size - 1)})"},
        show=lambda i, s: {"found": i.en and i.x == pattern[-1] and s.matched_r == size - 1},
    )


def register_file(width: int, count: int, bypass: str, clocking: Clocking) -> Design:
    """Return a register file with one port to write and one to read."""
    bits, passes = bits_for(count), bypass == "bypassed"
    read = "(we & (wa == ra)) ? wd : cells_r[ra]" if passes else "cells_r[ra]"
    extra = " If `we` is 1 and `wa` equals `ra`, `rd` shows `wd` instead." if passes else ""
    return Design(
        does=f"{count} registers of {width} bits, all 0 after reset. At each edge where `we` is 1 the one with the "
        "number "
        f"`wa` takes `wd`. `rd` shows, at once and without waiting for an edge, the one with the number `ra`.{extra}",
        inputs=(Port("we", 1), Port("wa", bits), Port("wd", width), Port("ra", bits)),
        outputs=(Port("rd", width),),
        clock=clock_of(clocking),
        memory=("cells_r", width, count),
        begins="if (we) cells_r[wa] <= wd;",
        step=lambda i, s: {"cells_r": _with(s.cells_r, i.wa, i.wd)} if i.we else {},
        drives={"rd": read},
        show=lambda i, s: {"rd": i.wd if passes and i.we and i.wa == i.ra else s.cells_r[i.ra]},
    )


def fifo(width: int, depth: int, clocking: Clocking) -> Design:
    """Return a queue."""
    bits = bits_for(depth)

    def step(i: Values, s: Values) -> dict[str, Any]:
        puts, gets = i.push and s.count_r < depth, i.pop and s.count_r > 0
        return {
            "items_r": _with(s.items_r, s.tail_r, i.d) if puts else s.items_r,
            "tail_r": s.tail_r + bool(puts),
            "head_r": s.head_r + bool(gets),
            "count_r": s.count_r + bool(puts) - bool(gets),
        }

    return Design(
        does=f"A queue of at most {depth} items of {width} bits, empty after reset. At each edge: if `push` is 1 and "
        "it is "
        "not full, `d` is put at its end; if `pop` is 1 and it is not empty, its first item is taken away. Both may "
        "happen "
        "at one edge; full and empty mean what they were before it. `count` is how many items there are, `full` and "
        "`empty` say what they are named for, and `q` is the first item, or 0 while the queue is empty.",
        inputs=(Port("push", 1), Port("pop", 1), Port("d", width)),
        outputs=(Port("q", width), Port("count", bits + 1), Port("full", 1), Port("empty", 1)),
        clock=clock_of(clocking),
        registers={"head_r": (bits, 0), "tail_r": (bits, 0), "count_r": (bits + 1, 0)},
        memory=("items_r", width, depth),
        wires={
            "puts": (1, f"push & (count_r != {k(bits + 1, depth)})"),
            "gets": (1, f"pop & (count_r != {k(bits + 1, 0)})"),
        },
        begins="if (puts) begin\n  items_r[tail_r] <= d;\n  tail_r <= tail_r + 1'b1;\nend\n"
        "if (gets) head_r <= head_r + 1'b1;\ncount_r <= count_r + puts - gets;",
        step=step,
        drives={
            "q": f"(count_r == {k(bits + 1, 0)}) ? {k(width, 0)} : items_r[head_r]",
            "count": "count_r",
            "full": f"count_r == {k(bits + 1, depth)}",
            "empty": f"count_r == {k(bits + 1, 0)}",
        },
        show=lambda i, s: {
            "q": s.items_r[s.head_r] if s.count_r else 0,
            "count": s.count_r,
            "full": s.count_r == depth,
            "empty": s.count_r == 0,
        },
    )


def mealy(states: int, moves: list[list[int]], told: list[list[int]], clocking: Clocking) -> Design:
    """Return a Mealy machine of a random table."""
    bits = bits_for(states)
    rows = "\n".join(
        f"- {n}: " + ", ".join(f"x={x}: y={told[n][x]}, then {to}" for x, to in enumerate(row))
        for n, row in enumerate(moves)
    )
    lines = ["case (state_r)"]
    for n, row in enumerate(moves):
        lines.append(f"  {k(bits, n)}: state_r <= x ? {k(bits, row[1])} : {k(bits, row[0])};")
    lines += [f"  default: state_r <= {k(bits, 0)};", "endcase"]
    outputs = " : ".join(
        f"(state_r == {k(bits, n)}) ? (x ? {k(2, one)} : {k(2, zero)})" for n, (zero, one) in enumerate(told[:-1])
    )
    return Design(
        does=f"A Mealy state machine with the states 0 to {states - 1}; it is in state 0 after reset. For its state "
        "and the "
        "input `x` this table says what `y` is at once, and to which state it goes at the next edge:\n" + rows,
        inputs=(Port("x", 1),),
        outputs=(Port("y", 2),),
        clock=clock_of(clocking),
        registers={"state_r": (bits, 0)},
        begins="\n".join(lines),
        step=lambda i, s: {"state_r": moves[s.state_r][i.x]},
        drives={"y": f"{outputs} : (x ? {k(2, told[-1][1])} : {k(2, told[-1][0])})"},
        show=lambda i, s: {"y": told[s.state_r][i.x]},
    )


def arbiter(count: int, begins: str, clocking: Clocking) -> Design:
    """Return a round-robin arbiter."""
    bits = bits_for(count)
    last = count - 1 if begins == "0" else 0

    def granted(i: Values, s: Values) -> int | None:
        order = [(s.last_r + n) % count for n in range(1, count + 1)]
        return next((n for n in order if i.req >> n & 1), None)

    def chain(values: list[int]) -> str:
        """Search from each last winner on, as a table."""
        rows = []
        for before in range(count - 1, -1, -1):
            order = [(before + n) % count for n in range(1, count + 1)]
            search = " : ".join(f"(req[{n}]) ? {k(bits, values[n])}" for n in order)
            rows.append(f"(last_r == {k(bits, before)}) ? ({search} : {k(bits, 0)})")
        return " : ".join(rows) + f" : {k(bits, 0)}"

    return Design(
        does=f"A round-robin arbiter for {count} requests, the bits of `req`. Bit 0 is the least significant. The "
        "search "
        "for a bit of `req` that is 1 begins at the number after that of the last winner and goes up, from "
        f"{count - 1} to 0; the first that is found is the winner: its bit of `gnt` is 1 at once and the others are 0. "
        f"Without a request `gnt` is 0. At each edge where `en` is 1 and there is a winner, it becomes the last "
        "winner. "
        f"After reset the last winner is {last}, so that the search begins at {(last + 1) % count}.",
        inputs=(Port("en", 1), Port("req", count)),
        outputs=(Port("gnt", count),),
        clock=clock_of(clocking),
        registers={"last_r": (bits, last)},
        wires={"winner": (bits, chain([*range(count)]))},
        begins="if (en & (|req)) last_r <= winner;",
        step=lambda i, s: {"last_r": s.last_r if granted(i, s) is None or not i.en else granted(i, s)},
        drives={"gnt": f"(|req) ? {k(count, 1)} << winner : {k(count, 0)}"},
        show=lambda i, s: {"gnt": 0 if (won := granted(i, s)) is None else 1 << won},
    )


def transmitter(width: int, order: str, clocking: Clocking) -> Design:
    """Return a serial transmitter with a start bit and a stop bit."""
    bits = bits_for(width + 3)
    frame = [f"d[{n}]" for n in (range(width) if order == "lowest" else range(width - 1, -1, -1))]
    size = width + 2

    def step(i: Values, s: Values) -> dict[str, Any]:
        if s.left_r:
            return {"left_r": s.left_r - 1, "frame_r": s.frame_r // 2 | 1 << (size - 1)}
        if not i.send:
            return {}
        data = i.d if order == "lowest" else int(f"{i.d:0{width}b}"[::-1], 2)
        return {"left_r": size, "frame_r": 1 << (size - 1) | data << 1}

    return Design(
        does=f"A serial transmitter. While it is idle, as after reset, `tx` is 1 and `busy` is 0. At an edge at "
        "which it is "
        f"idle and `send` is 1 it takes `d`, and in the {size} cycles after that edge `busy` is 1 and `tx` is, one "
        "cycle "
        f"each: 0, the bits of `d` from the {order} on, 1. Then it is idle for one cycle at least. While `busy` is 1, "
        "`send` is ignored.",
        inputs=(Port("send", 1), Port("d", width)),
        outputs=(Port("tx", 1), Port("busy", 1)),
        clock=clock_of(clocking),
        registers={"left_r": (bits, 0), "frame_r": (size, (1 << size) - 1)},
        begins=f"if (left_r != {k(bits, 0)}) begin\n  left_r <= left_r - 1'b1;\n"
        f"  frame_r <= {{1'b1, frame_r[{size - 1}:1]}};\nend else if (send) begin\n  left_r <= {k(bits, size)};\n"
        f"  frame_r <= {{1'b1, {', '.join(reversed(frame))}, 1'b0}};\nend",
        step=step,
        drives={"tx": f"(left_r == {k(bits, 0)}) ? 1'b1 : frame_r[0]", "busy": f"left_r != {k(bits, 0)}"},
        show=lambda i, s: {"tx": s.frame_r if s.left_r else 1, "busy": s.left_r > 0},
    )


def _with(cells: tuple[int, ...], place: int, value: int) -> tuple[int, ...]:
    return (*cells[:place], value, *cells[place + 1 :])


def _moves(ways: str) -> Any:
    """Choose a table of next states in which every state can be reached."""

    def choose(choice: Choice, params: Params) -> Json:
        states, count = params["states"], 1 << params.get(ways, 1)
        table = [[choice.draws.between(0, states - 1) for _ in range(count)] for _ in range(states)]
        for n in range(states):
            table[n][choice.draws.between(0, count - 1)] = (n + 1) % states
        return table

    return choose


def _shown(choice: Choice, params: Params) -> Json:
    shown = [choice.draws.between(0, 3) for _ in range(params["states"])]
    return [shown[0], shown[0] ^ choice.draws.between(1, 3), *shown[2:]]


def _told(choice: Choice, params: Params) -> Json:
    return [[choice.draws.between(0, 3), choice.draws.between(0, 3)] for _ in range(params["states"])]


def _pattern(choice: Choice, params: Params) -> Json:
    return [choice.draws.between(0, 1) for _ in range(choice.draws.between(3, 5))]


MACHINES: Final = templates(
    is_clocked=True,
    kinds=(
        (
            False,
            moore,
            {"states": one_of(3, 4, 5, 6), "inputs": one_of(1, 2), "moves": _moves("inputs"), "shown": _shown},
        ),
        (False, sequence, {"pattern": _pattern, "overlap": one_of("may", "none")}),
        (False, register_file, {"width": width(2), "count": one_of(4, 8), "bypass": one_of("bypassed", "plain")}),
        (False, fifo, {"width": width(2), "depth": one_of(2, 4, 8)}),
        (True, mealy, {"states": one_of(3, 4, 5, 6), "moves": _moves(""), "told": _told}),
        (True, arbiter, {"count": one_of(2, 3, 4), "begins": one_of("0", "1")}),
        (True, transmitter, {"width": width(2), "order": one_of("lowest", "highest")}),
    ),
)
