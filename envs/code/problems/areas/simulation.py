"""Problems about things that go on in time: robots, queues, cellular automata, stores, circles."""

from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, Gives, Values, archetype

_WALL: Final = {
    "stops": "bumps += 1",
    "wraps": "x = a % {w}\ny = b % {h}\nbumps += 1",
    "turns": "bumps += 1\nway = (way + 2) % 4",
}


@archetype("simulation", "robot")
class Robot(Archetype):
    """A robot on a small field."""

    def __init__(self, c: Choices) -> None:
        self.wall = c.pick("edge", tuple(_WALL))
        self.turning = c.pick("turning", ("left and right", "compass"))
        self.objective = c.pick("objective", ("position", "visited", "bumps", "farthest", "twice"))
        start = c.pick("start", ("corner", "middle"))
        self.width: int = c.constant("width", (4, 5), (6, 7))
        self.height: int = c.constant("height", (3, 5), (4, 7))
        self.x0 = 0 if start == "corner" else self.width // 2
        self.y0 = 0 if start == "corner" else self.height // 2
        self.letters = "LRF" if self.turning == "left and right" else "NESWF"
        self.gives = "ints" if self.objective == "position" else "int"
        self.fields = (Field(name="s", sort="text", what="the commands", letters=self.letters, scale=3),)

    def story(self) -> str:
        turns = (
            "L turns it left, R turns it right (by 90 degrees)"
            if self.turning == "left and right"
            else ("N, E, S and W turn it that way")
        )
        edge = {
            "stops": "it stays where it is, which counts as a bump",
            "wraps": "it comes in again at the opposite edge, which counts as a bump",
            "turns": "it stays where it is, turns around (by 180 degrees), and that counts as a bump",
        }[self.wall]
        asked = {
            "position": "x and y at the end",
            "visited": "how many different cells it was on, the start included",
            "bumps": "the number of bumps",
            "farthest": "the greatest distance from the start (|x - x of the start| + |y - y of the start|) that it "
            "ever had",
            "twice": "how many F commands ended on a cell on which it had been before (also if it stayed there)",
        }[self.objective]
        return (
            f"A robot is on a field with x from 0 to {self.width - 1} (to the east) and y from 0 to {self.height - 1} "
            f"(to the north). It starts at x = {self.x0}, y = {self.y0}, facing north. Commands are letters: {turns}; "
            f"F moves it one cell ahead. If it would leave the field, {edge}. The result is {asked}."
        )

    def solve(self) -> str:
        turn = (
            'if one == "L":\n    way = (way + 3) % 4\nelif one == "R":\n    way = (way + 1) % 4'
            if self.turning == "left and right"
            else (
                'if one == "N":\n    way = 0\nelif one == "E":\n    way = 1\nelif one == "S":\n    way = 2\n'
                'elif one == "W":\n    way = 3'
            )
        )
        end = {
            "position": "return [x, y]",
            "visited": "return len(seen)",
            "bumps": "return bumps",
            "farthest": "return far",
            "twice": "return again",
        }[self.objective]
        return self.code(
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
            x0=str(self.x0),
            y0=str(self.y0),
            turn=turn,
            w=str(self.width),
            h=str(self.height),
            wall=_WALL[self.wall].replace("{w}", str(self.width)).replace("{h}", str(self.height)),
            end=end,
        )

    def law(self, s: str) -> Any:
        place, way, bumps, track = complex(self.x0, self.y0), 1j, 0, [complex(self.x0, self.y0)]
        for one in s:
            if one != "F":
                way = {"L": way * 1j, "R": way / 1j, "N": 1j, "E": 1 + 0j, "S": -1j, "W": -1 + 0j}[one]
                continue
            there = place + way
            if not (0 <= there.real < self.width and 0 <= there.imag < self.height):
                bumps += 1
                way = -way if self.wall == "turns" else way
                there = complex(there.real % self.width, there.imag % self.height) if self.wall == "wraps" else place
            place = there
            track.append(place)
        away = [abs(int(one.real) - self.x0) + abs(int(one.imag) - self.y0) for one in track]
        return {
            "position": [int(place.real), int(place.imag)],
            "visited": len(set(track)),
            "bumps": bumps,
            "farthest": max(away),
        }.get(self.objective, len(track) - len(set(track)))

    def draw(self, draws: Draws, size: int) -> Values:
        return (
            "".join("F" if draws.chance(0.6) else draws.pick(self.letters) for _ in range(draws.between(0, 3 * size))),
        )

    def corners(self) -> tuple[Corner, ...]:
        return tuple(
            (name, (text,))
            for name, text in (
                ("no commands", ""),
                ("ahead", "FFFF"),
                ("turn only", self.letters[1]),
                ("another way", self.letters[0] + "FFF"),
                ("round", f"F{self.letters[1]}F"),
                ("back and forth", f"FF{self.letters[2]}F"),
            )
        )


@archetype("simulation", "automaton")
class Automaton(Archetype):
    """A row of cells that all change at once by a random rule."""

    def __init__(self, c: Choices) -> None:
        self.border = c.pick("border", ("zeros", "wraps", "ones", "copies"))
        self.reach = c.pick("looks at", ("three", "left two", "sum"))
        self.objective = c.pick("objective", ("row", "ones", "runs", "history", "settled"))
        self.generations = c.pick(
            "generations", ("until settled",) if self.objective == "settled" else ("k", "until settled")
        )
        self.k = c.constant("k", (2, 3), (4, 5))
        bits = c.constant(
            "rule", ("01101110", "01011010", "00011110", "01100100"), ("10010110", "01001001", "00110110", "11010010")
        )
        self.table = str(bits) if self.reach != "sum" else str(bits)[:4]
        self.most = str(self.k) if self.generations == "k" else "20"
        kinds: dict[str, Gives] = {"row": "text", "history": "ints"}
        self.gives = kinds.get(self.objective, "int")
        self.fields = (Field(name="s", sort="text", what="the row", letters="01", least=2),)

    def story(self) -> str:
        neighbours = {
            "three": "the cell to its left, the cell itself and the cell to its right",
            "left two": "the cell two to its left, the cell to its left and the cell itself",
            "sum": "the cell to its left, the cell itself and the cell to its right",
        }[self.reach]
        rules = (
            ", ".join(f"{number:03b} gives {self.table[number]}" for number in range(8))
            if self.reach != "sum"
            else ", ".join(f"{number} give{'s' * (number == 1)} {self.table[number]}" for number in range(4))
        )
        read = f"read as three digits: {rules}" if self.reach != "sum" else f"by how many of these are 1: {rules}"
        outer = {
            "zeros": "Cells outside the row are 0.",
            "ones": "Cells outside the row are 1.",
            "wraps": "The row is a ring: beyond its last cell comes its first, and the other way round.",
            "copies": "Cells outside the row are like the row's cell that is nearest to them.",
        }[self.border]
        time = (
            f"This is done {self.k} times."
            if self.generations == "k"
            else ("This is done until a step would change nothing, but at most 20 times.")
        )
        asked = {
            "row": "the row at the end",
            "ones": "how many cells are 1 at the end",
            "runs": "how many runs of ones (as long as can be) there are at the end",
            "history": "the numbers of ones at the beginning and after each step that was done",
            "settled": "how many steps were done (the last that would change nothing is none)",
        }[self.objective]
        return (
            "Cells in a row are 0 or 1. In a step all cells change at once; the new value of a cell depends on "
            f"{neighbours}, {read}. {outer} {time} The result is {asked}."
        )

    def solve(self) -> str:
        outside = {"zeros": '"0"', "ones": '"1"', "wraps": "s[(i + n) % n]", "copies": "s[min(max(i, 0), n - 1)]"}[
            self.border
        ]
        index = {"three": "4 * a + 2 * b + c", "left two": "4 * at(s, i - 2) + 2 * a + b", "sum": "a + b + c"}[
            self.reach
        ]
        stop = "if after == row:\n    break" if self.generations != "k" else ""
        end = {
            "row": "return row",
            "ones": "return ones(row)",
            "runs": "found = 0\nfor i in range(len(row)):\n"
            '    if row[i] == "1" and (i == 0 or row[max(i - 1, 0)] == "0"):\n        found += 1\nreturn found',
            "history": "return history",
            "settled": "return turns",
        }[self.objective]
        return self.code(
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
            outside=outside,
            table=self.table,
            most=self.most,
            cells="a = at(row, i - 1)\nb = at(row, i)\nc = at(row, i + 1)"
            if self.reach != "left two"
            else "a = at(row, i - 1)\nb = at(row, i)",
            index=index.replace("(s,", "(row,"),
            stop=stop,
            end=end,
        )

    def law(self, s: str) -> Any:
        rows = [[int(one) for one in s]]
        while len(rows) <= int(self.most):
            own = rows[-1]
            pad = {"zeros": ([0, 0], [0, 0]), "ones": ([1, 1], [1, 1]), "copies": (own[:1] * 2, own[-1:] * 2)}.get(
                self.border, ((own * 2)[-2:], (own * 2)[:2])
            )
            wide = pad[0] + own + pad[1]
            windows = [wide[i + 1 : i + 4] if self.reach != "left two" else wide[i : i + 3] for i in range(len(own))]
            made = [
                int(self.table[sum(one) if self.reach == "sum" else int("".join(map(str, one)), 2)]) for one in windows
            ]
            if self.generations != "k" and made == own:
                break
            rows.append(made)
        last = "".join(map(str, rows[-1]))
        return {
            "row": last,
            "ones": last.count("1"),
            "runs": len([one for one in last.split("0") if one]),
            "history": [sum(row) for row in rows],
        }.get(self.objective, len(rows) - 1)


@archetype("simulation", "circle")
class Circle(Archetype):
    """People in a circle who leave one after the other."""

    def __init__(self, c: Choices) -> None:
        self.way = c.pick("direction", ("clockwise", "alternating"))
        self.leaves = c.pick("leaves", ("one", "one of odd number counts double"))
        self.start = c.pick("starts at", ("first", "last"))
        self.objective = c.pick("objective", ("last", "order", "kth", "sum of places"))
        self.remain = c.pick("until", ("nobody", "two"))
        self.k = c.constant("k", (2, 3, 5), (4, 6))
        self.least = "0" if self.remain == "nobody" else "2"
        self.gives = "ints" if self.objective == "order" else "int"
        self.fields = (Field(name="n", sort="int", what="n", low=1, high=20),)

    def story(self) -> str:
        count = (
            f"up to {self.k}"
            if self.leaves == "one"
            else f"up to {self.k} (up to {self.k + 1} if the one at whom counting starts has an odd number)"
        )
        turn = (
            "always in the direction of ascending numbers"
            if self.way == "clockwise"
            else (
                "the first time in the direction of ascending numbers, then each time in the other direction than the "
                "time before"
            )
        )
        till = "everybody has left" if self.remain == "nobody" else "no more than two are left"
        asked = {
            "last": "the number of the one who leaves last (0 if nobody leaves)",
            "order": "the numbers of those who leave, in that order",
            "kth": f"the number of the one who leaves as number {self.k} (0 if fewer leave)",
            "sum of places": "the sum of i times the number of the one who leaves as number i, for all who leave",
        }[self.objective]
        return (
            "People with the numbers 1 to n stand in a circle in this order (1 comes after n). Counting starts with "
            f"person {'1' if self.start == 'first' else 'n'}, who counts as 1, and goes {count}, {turn}; the one who "
            "is reached leaves. The next counting starts with the one who stands next to the one who left, in the "
            f"direction of that next counting. It goes on until {till}. The result is {asked}."
        )

    def solve(self) -> str:
        step = f"{self.k}" if self.leaves == "one" else f"({self.k} if people[place] % 2 == 0 else {self.k + 1})"
        end = {
            "last": "return gone[len(gone) - 1] if len(gone) > 0 else 0",
            "order": "return gone",
            "kth": f"return gone[{self.k - 1}] if len(gone) >= {self.k} else 0",
            "sum of places": "total = 0\nfor i in range(len(gone)):\n    total += (i + 1) * gone[i]\nreturn total",
        }[self.objective]
        return self.code(
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
            start="0" if self.start == "first" else "n - 1",
            least=self.least,
            step=step,
            turn="way = 0 - way" if self.way == "alternating" else "",
            end=end,
        )

    def law(self, n: int) -> Any:
        left = list(range(1, n + 1))  # the one at whom counting starts first
        if self.start == "last":
            left = [n, *left[:-1]]
        gone: list[int] = []
        forward = True
        while len(left) > int(self.least):
            steps = (self.k if self.leaves == "one" or left[0] % 2 == 0 else self.k + 1) - 1
            for _ in range(steps):
                left = [*left[1:], left[0]] if forward else [left[-1], *left[:-1]]
            gone.append(left[0])
            after = left[1:]
            if self.way == "alternating":
                forward = not forward
            left = after if forward else [*after[-1:], *after[:-1]]
        ranks = sum(place * who for place, who in enumerate(gone, start=1))
        return {"last": [0, *gone][-1], "order": gone, "kth": gone[self.k - 1] if len(gone) >= self.k else 0}.get(
            self.objective, ranks
        )
