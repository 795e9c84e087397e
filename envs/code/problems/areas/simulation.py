"""Problems about things that go on in time: robots, queues, cellular automata, stores, circles."""

from typing import Any, Final

from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Gives, Parts, archetype, code

_WALL: Final = {
    "stops": "bumps += 1",
    "wraps": "x = a % {w}\ny = b % {h}\nbumps += 1",
    "turns": "bumps += 1\nway = (way + 2) % 4",
}


@archetype("simulation")
def robot(c: Choices) -> Parts:
    """A robot on a small field."""
    wall = c.pick("edge", tuple(_WALL))
    turning = c.pick("turning", ("left and right", "compass"))
    objective = c.pick("objective", ("position", "visited", "bumps", "farthest", "twice"))
    start = c.pick("start", ("corner", "middle"))
    width, height = c.constant("width", (4, 5), (6, 7)), c.constant("height", (3, 5), (4, 7))
    x0, y0 = (0, 0) if start == "corner" else (width // 2, height // 2)
    letters = "LRF" if turning == "left and right" else "NESWF"
    turn = (
        'if one == "L":\n    way = (way + 3) % 4\nelif one == "R":\n    way = (way + 1) % 4'
        if turning == "left and right"
        else 'if one == "N":\n    way = 0\nelif one == "E":\n    way = 1\nelif one == "S":\n    way = 2\nelif one == '
        '"W":\n    way = 3'
    )
    end = {
        "position": "return [x, y]",
        "visited": "return len(seen)",
        "bumps": "return bumps",
        "farthest": "return far",
        "twice": "return again",
    }[objective]
    gives: Gives = "ints" if objective == "position" else "int"
    solve = code(
        """
def solve(s: str) -> <type>:
    x = <x0>
    y = <y0>
    way = 0
    bumps = 0
    far = 0
    again = 0
    seen: dict[int, int] = {}
    seen[x * 100 + y] = 1
    for one in s:
        <turn>
        else:
            a = x
            b = y
            if way == 0:
                b += 1
            elif way == 1:
                a += 1
            elif way == 2:
                b -= 1
            else:
                a -= 1
            if a >= 0 and a < <w> and b >= 0 and b < <h>:
                x = a
                y = b
            else:
                <wall>
            far = max(far, abs(x - <x0>) + abs(y - <y0>))
            if x * 100 + y in seen:
                again += 1
            seen[x * 100 + y] = 1
    <end>
""",
        type="list[int]" if gives == "ints" else "int",
        x0=str(x0),
        y0=str(y0),
        turn=turn,
        w=str(width),
        h=str(height),
        wall=_WALL[wall].replace("{w}", str(width)).replace("{h}", str(height)),
        end=end,
    )

    def law(s: str) -> Any:
        place, way, bumps, track = complex(x0, y0), 1j, 0, [complex(x0, y0)]
        for one in s:
            if one != "F":
                way = {"L": way * 1j, "R": way / 1j, "N": 1j, "E": 1 + 0j, "S": -1j, "W": -1 + 0j}[one]
                continue
            there = place + way
            if not (0 <= there.real < width and 0 <= there.imag < height):
                bumps += 1
                way = -way if wall == "turns" else way
                there = complex(there.real % width, there.imag % height) if wall == "wraps" else place
            place = there
            track.append(place)
        away = [abs(int(one.real) - x0) + abs(int(one.imag) - y0) for one in track]
        return {
            "position": [int(place.real), int(place.imag)],
            "visited": len(set(track)),
            "bumps": bumps,
            "farthest": max(away),
        }.get(objective, len(track) - len(set(track)))

    turns = (
        "L turns it left, R turns it right (by 90 degrees)"
        if turning == "left and right"
        else ("N, E, S and W turn it that way")
    )
    edge = {
        "stops": "it stays where it is, which counts as a bump",
        "wraps": "it comes in again at the opposite edge, which counts as a bump",
        "turns": "it stays where it is, turns around (by 180 degrees), and that counts as a bump",
    }[wall]
    asked = {
        "position": "x and y at the end",
        "visited": "how many different cells it was on, the start included",
        "bumps": "the number of bumps",
        "farthest": "the greatest distance from the start (|x - x of the start| + |y - y of the start|) that it ever "
        "had",
        "twice": "how many F commands ended on a cell on which it had been before (also if it stayed there)",
    }[objective]
    return Parts(
        story=f"A robot is on a field with x from 0 to {width - 1} (to the east) and y from 0 to {height - 1} (to the "
        "north). It starts at "
        f"x = {x0}, y = {y0}, facing north. Commands are letters: {turns}; F moves it one cell ahead. If it would "
        f"leave the field, {edge}. "
        f"The result is {asked}.",
        fields=(Field(name="s", sort="text", what="the commands", letters=letters, scale=3),),
        gives=gives,
        solve=solve,
        law=law,
        draw=lambda draws, size: (
            "".join("F" if draws.chance(0.6) else draws.pick(letters) for _ in range(draws.between(0, 3 * size))),
        ),
        corners=tuple(
            (name, (text,))
            for name, text in (
                ("no commands", ""),
                ("ahead", "FFFF"),
                ("turn only", letters[1]),
                ("another way", letters[0] + "FFF"),
                ("round", f"F{letters[1]}F"),
                ("back and forth", f"FF{letters[2]}F"),
            )
        ),
    )


@archetype("simulation")
def automaton(c: Choices) -> Parts:
    """A row of cells that all change at once by a random rule."""
    border = c.pick("border", ("zeros", "wraps", "ones", "copies"))
    reach = c.pick("looks at", ("three", "left two", "sum"))
    objective = c.pick("objective", ("row", "ones", "runs", "history", "settled"))
    generations = c.pick("generations", ("until settled",) if objective == "settled" else ("k", "until settled"))
    k = c.constant("k", (2, 3), (4, 5))
    bits = c.constant(
        "rule", ("01101110", "01011010", "00011110", "01100100"), ("10010110", "01001001", "00110110", "11010010")
    )
    table = str(bits) if reach != "sum" else str(bits)[:4]
    outside = {"zeros": '"0"', "ones": '"1"', "wraps": "s[(i + n) % n]", "copies": "s[min(max(i, 0), n - 1)]"}[border]
    index = {"three": "4 * a + 2 * b + c", "left two": "4 * at(s, i - 2) + 2 * a + b", "sum": "a + b + c"}[reach]
    most = str(k) if generations == "k" else "20"
    stop = "if after == row:\n    break" if generations != "k" else ""
    end = {
        "row": "return row",
        "ones": "return ones(row)",
        "runs": 'found = 0\nfor i in range(len(row)):\n    if row[i] == "1" and (i == 0 or row[max(i - 1, 0)] == '
        '"0"):\n'
        "        found += 1\nreturn found",
        "history": "return history",
        "settled": "return turns",
    }[objective]
    gives: Gives = {"row": "text", "history": "ints"}.get(objective, "int")  # type: ignore[assignment]
    solve = code(
        """
def at(s: str, i: int) -> int:
    n = len(s)
    if i >= 0 and i < n:
        return 1 if s[i] == "1" else 0
    return 1 if <outside> == "1" else 0


def ones(s: str) -> int:
    count = 0
    for one in s:
        if one == "1":
            count += 1
    return count


def solve(s: str) -> <type>:
    rule = "<table>"
    row = s
    history: list[int] = [ones(row)]
    turns = 0
    for turn in range(<most>):
        after = ""
        for i in range(len(row)):
            <cells>
            after = after + rule[<index>]
        <stop>
        row = after
        turns += 1
        history.append(ones(row))
    <end>
""",
        type={"text": "str", "ints": "list[int]", "int": "int"}[gives],
        outside=outside,
        table=table,
        most=most,
        cells="a = at(row, i - 1)\nb = at(row, i)\nc = at(row, i + 1)"
        if reach != "left two"
        else "a = at(row, i - 1)\nb = at(row, i)",
        index=index.replace("(s,", "(row,"),
        stop=stop,
        end=end,
    )

    def law(s: str) -> Any:
        rows = [[int(one) for one in s]]
        while len(rows) <= int(most):
            own = rows[-1]
            pad = {"zeros": ([0, 0], [0, 0]), "ones": ([1, 1], [1, 1]), "copies": (own[:1] * 2, own[-1:] * 2)}.get(
                border, ((own * 2)[-2:], (own * 2)[:2])
            )
            wide = pad[0] + own + pad[1]
            windows = [wide[i + 1 : i + 4] if reach != "left two" else wide[i : i + 3] for i in range(len(own))]
            made = [int(table[sum(one) if reach == "sum" else int("".join(map(str, one)), 2)]) for one in windows]
            if generations != "k" and made == own:
                break
            rows.append(made)
        last = "".join(map(str, rows[-1]))
        return {
            "row": last,
            "ones": last.count("1"),
            "runs": len([one for one in last.split("0") if one]),
            "history": [sum(row) for row in rows],
        }.get(objective, len(rows) - 1)

    neighbours = {
        "three": "the cell to its left, the cell itself and the cell to its right",
        "left two": "the cell two to its left, the cell to its left and the cell itself",
        "sum": "the cell to its left, the cell itself and the cell to its right",
    }[reach]
    rules = (
        ", ".join(f"{number:03b} gives {table[number]}" for number in range(8))
        if reach != "sum"
        else ", ".join(f"{number} give{'s' * (number == 1)} {table[number]}" for number in range(4))
    )
    read = f"read as three digits: {rules}" if reach != "sum" else f"by how many of these are 1: {rules}"
    outer = {
        "zeros": "Cells outside the row are 0.",
        "ones": "Cells outside the row are 1.",
        "wraps": "The row is a ring: beyond its last cell comes its first, and the other way round.",
        "copies": "Cells outside the row are like the row's cell that is nearest to them.",
    }[border]
    time = (
        f"This is done {k} times."
        if generations == "k"
        else ("This is done until a step would change nothing, but at most 20 times.")
    )
    asked = {
        "row": "the row at the end",
        "ones": "how many cells are 1 at the end",
        "runs": "how many runs of ones (as long as can be) there are at the end",
        "history": "the numbers of ones at the beginning and after each step that was done",
        "settled": "how many steps were done (the last that would change nothing is none)",
    }[objective]
    return Parts(
        story="Cells in a row are 0 or 1. In a step all cells change at once; the new value of a cell depends on "
        f"{neighbours}, {read}. {outer} "
        f"{time} The result is {asked}.",
        fields=(Field(name="s", sort="text", what="the row", letters="01", least=2),),
        gives=gives,
        solve=solve,
        law=law,
    )


@archetype("simulation")
def circle(c: Choices) -> Parts:
    """People in a circle who leave one after the other."""
    way = c.pick("direction", ("clockwise", "alternating"))
    leaves = c.pick("leaves", ("one", "one of odd number counts double"))
    start = c.pick("starts at", ("first", "last"))
    objective = c.pick("objective", ("last", "order", "kth", "sum of places"))
    remain = c.pick("until", ("nobody", "two"))
    k = c.constant("k", (2, 3, 5), (4, 6))
    step = f"{k}" if leaves == "one" else f"({k} if people[place] % 2 == 0 else {k + 1})"
    least = "0" if remain == "nobody" else "2"
    end = {
        "last": "return gone[len(gone) - 1] if len(gone) > 0 else 0",
        "order": "return gone",
        "kth": f"return gone[{k - 1}] if len(gone) >= {k} else 0",
        "sum of places": "total = 0\nfor i in range(len(gone)):\n    total += (i + 1) * gone[i]\nreturn total",
    }[objective]
    gives: Gives = "ints" if objective == "order" else "int"
    solve = code(
        """
def solve(n: int) -> <type>:
    people: list[int] = []
    for i in range(1, n + 1):
        people.append(i)
    gone: list[int] = []
    way = 1
    place = <start>
    while len(people) > <least>:
        place = (place + way * (<step> - 1)) % len(people)
        gone.append(people[place])
        people = people[0:place] + people[place + 1:len(people)]
        <turn>
        if way == -1:
            place -= 1
        if len(people) > 0:
            place = place % len(people)
    <end>
""",
        type="list[int]" if gives == "ints" else "int",
        start="0" if start == "first" else "n - 1",
        least=least,
        step=step,
        turn="way = 0 - way" if way == "alternating" else "",
        end=end,
    )

    def law(n: int) -> Any:
        left = list(range(1, n + 1))  # the one at whom counting starts first
        if start == "last":
            left = [n, *left[:-1]]
        gone: list[int] = []
        forward = True
        while len(left) > int(least):
            steps = (k if leaves == "one" or left[0] % 2 == 0 else k + 1) - 1
            for _ in range(steps):
                left = [*left[1:], left[0]] if forward else [left[-1], *left[:-1]]
            gone.append(left[0])
            after = left[1:]
            if way == "alternating":
                forward = not forward
            left = after if forward else [*after[-1:], *after[:-1]]
        ranks = sum(place * who for place, who in enumerate(gone, start=1))
        return {"last": [0, *gone][-1], "order": gone, "kth": gone[k - 1] if len(gone) >= k else 0}.get(
            objective, ranks
        )

    count = (
        f"up to {k}"
        if leaves == "one"
        else f"up to {k} (up to {k + 1} if the one at whom counting starts has an odd number)"
    )
    turn = (
        "always in the direction of ascending numbers"
        if way == "clockwise"
        else (
            "the first time in the direction of ascending numbers, then each time in the other direction than the time "
            "before"
        )
    )
    till = "everybody has left" if remain == "nobody" else "no more than two are left"
    asked = {
        "last": "the number of the one who leaves last (0 if nobody leaves)",
        "order": "the numbers of those who leave, in that order",
        "kth": f"the number of the one who leaves as number {k} (0 if fewer leave)",
        "sum of places": "the sum of i times the number of the one who leaves as number i, for all who leave",
    }[objective]
    return Parts(
        story="People with the numbers 1 to n stand in a circle in this order (1 comes after n). Counting starts "
        "with person "
        f"{'1' if start == 'first' else 'n'}, who counts as 1, and goes {count}, {turn}; the one who is reached "
        "leaves. The next "
        "counting starts with the one who stands next to the one who left, in the direction of that next counting. It "
        "goes on until "
        f"{till}. The result is {asked}.",
        fields=(Field(name="n", sort="int", what="n", low=1, high=20),),
        gives=gives,
        solve=solve,
        law=law,
    )
