"""Problems about ways on grids with walls."""

import heapq
from typing import Any

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, archetype


@archetype("graphs", "grid_ways")
class GridWays(Archetype):
    """Ways on a grid with walls."""

    def __init__(self, c: Choices) -> None:
        self.moves = c.pick("moves", ("four", "eight", "right and down", "knight"))
        self.edge = c.pick("edge", ("ends", "wraps"))
        self.objective = c.pick("objective", ("steps", "reached", "missed", "farthest", "map"))
        self.start = c.pick("start", ("top left", "bottom right"))
        self.mark = c.constant("wall", ("#",), ("X",))
        self.steps = {
            "four": ((-1, 0), (0, -1), (0, 1), (1, 0)),
            "right and down": ((0, 1), (1, 0)),
            "eight": tuple((a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b),
            "knight": tuple((a, b) for a in (-2, -1, 1, 2) for b in (-2, -1, 1, 2) if abs(a) != abs(b)),
        }[self.moves]
        self.gives = "words" if self.objective == "map" else "int"
        self.fields = (
            Field(
                name="cells",
                sort="lines",
                what="the rows of the grid",
                least=1,
                most=6,
                shape=f"made of . and {self.mark}, 1 to 6 characters, the same number in each",
            ),
        )

    def story(self) -> str:
        how = {
            "four": "one cell up, down, left or right",
            "eight": "one cell up, down, left, right or diagonally",
            "right and down": "one cell right or down",
            "knight": "two cells in one of the four directions and one cell across (as a knight in chess)",
        }[self.moves]
        rim = (
            "The grid wraps around: beyond an edge one is at the opposite one."
            if self.edge == "wraps"
            else "No step leaves the grid."
        )
        corner, other = ("top left", "bottom right")[:: 1 if self.start == "top left" else -1]
        asked = {
            "steps": f"the least number of steps to the {other} cell, -1 if it cannot be reached",
            "reached": "how many cells can be reached, the start included",
            "missed": "how many free cells cannot be reached",
            "farthest": "the greatest least number of steps to a cell that can be reached, -1 if none can",
            "map": "the grid, a line for each row, in which each cell that can be reached shows the last digit of "
            "the least number of steps to it",
        }[self.objective]
        return (
            f"A grid has free cells (.) and walls ({self.mark}). A step goes {how}, onto a free cell. {rim} One starts "
            f"in the {corner} cell; if that is a wall, no cell can be reached. The result is {asked}."
        )

    def solve(self) -> str:
        wrap = "r = r % rows\nc = c % columns" if self.edge == "wraps" else ""
        begin, goal = ("0", "rows * columns - 1")[:: 1 if self.start == "top left" else -1]
        end = {
            "steps": f"return far[{goal}]",
            "reached": "return len(queue)",
            "missed": 'count = 0\nfor row in cells:\n    for one in row:\n        if one == ".":\n'
            "            count += 1\nreturn count - len(queue)",
            "farthest": "return far[queue[len(queue) - 1]] if len(queue) > 0 else -1",
            "map": 'made: list[str] = []\nfor i in range(rows):\n    line = ""\n    for j in range(columns):\n'
            "        line = line + (cells[i][j] if far[i * columns + j] < 0 else chr(48 + far[i * columns + j] % 10))\n"
            "    made.append(line)\nreturn made",
        }[self.objective]
        return self.code(
            """
def solve(cells: list[str]) -> <type>:
    down: list[int] = [<down>]
    right: list[int] = [<right>]
    rows = len(cells)
    columns = len(cells[0])
    far = [-1] * (rows * columns)
    queue: list[int] = []
    start = <begin>
    if cells[start // columns][start % columns] == ".":
        queue.append(start)
        far[start] = 0
    done = 0
    while done < len(queue):
        here = queue[done]
        done += 1
        for i in range(len(down)):
            r = here // columns + down[i]
            c = here % columns + right[i]
            <wrap>
            if r >= 0 and r < rows and c >= 0 and c < columns:
                if cells[r][c] == "." and far[r * columns + c] < 0:
                    far[r * columns + c] = far[here] + 1
                    queue.append(r * columns + c)
    <end>
""",
            down=", ".join(str(a) for a, _ in self.steps),
            right=", ".join(str(b) for _, b in self.steps),
            begin=begin,
            wrap=wrap,
            end=end,
        )

    def law(self, cells: list[str]) -> Any:
        rows, columns = len(cells), len(cells[0])
        open_ = {(r, c) for r in range(rows) for c in range(columns) if cells[r][c] == "."}
        first, last = ((0, 0), (rows - 1, columns - 1))[:: 1 if self.start == "top left" else -1]
        heap, far = [(0, first)] if first in open_ else [], dict[tuple[int, int], int]()
        while heap:
            way, (r, c) = heapq.heappop(heap)
            if (r, c) in far:
                continue
            far[r, c] = way
            for a, b in self.steps:
                there = ((r + a) % rows, (c + b) % columns) if self.edge == "wraps" else (r + a, c + b)
                if there in open_ and there not in far:
                    heapq.heappush(heap, (way + 1, there))
        shown = [
            "".join(str(far[r, c])[-1] if (r, c) in far else cells[r][c] for c in range(columns)) for r in range(rows)
        ]
        return {
            "steps": far.get(last, -1),
            "reached": len(far),
            "missed": len(open_) - len(far),
            "farthest": max(far.values(), default=-1),
        }.get(self.objective, shown)

    def draw(self, draws: Draws, size: int) -> tuple[list[str]]:
        rows, columns = draws.between(1, min(6, size)), draws.between(1, min(6, size))
        share = draws.pick((0.1, 0.3, 0.45))
        cells = [[self.mark if draws.chance(share) else "." for _ in range(columns)] for _ in range(rows)]
        if draws.chance(0.8):
            cells[0][0] = cells[-1][-1] = "."
        return (["".join(row) for row in cells],)

    def corners(self) -> tuple[Corner, ...]:
        return (
            ("one cell", (["."],)),
            ("one wall", ([self.mark],)),
            ("a row", (["....."],)),
            ("a column", ([".", ".", "."],)),
            ("cut in two", (["...", self.mark * 3, "..."],)),
            ("a wall at the start", ([self.mark + "..", "...", "..."],)),
            ("a wall at the end", (["...", "...", ".." + self.mark],)),
            ("round a corner", (["." + self.mark + ".", "." + self.mark + ".", "..."],)),
        )
