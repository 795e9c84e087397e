"""Operations on a grid of integers and on a walk, a string of the moves U, D, L and R."""

from collections import Counter
from itertools import accumulate, chain, groupby

from palestra.envs.code.catalogue import ADDENDS, STRIDES, THRESHOLDS, operation

Ints = list[int]
Grid = list[list[int]]
_TO = {"U": 1j, "D": -1j, "L": -1, "R": 1}


@operation("grid", "grid", "Transpose the grid: its columns become its rows.", "x = [list(r) for r in zip(*x)]")
def transpose(x: Grid) -> Grid:
    return [[row[column] for row in x] for column in range(len(x[0]))]


@operation("grid", "grid", "Turn the grid clockwise by 90 degrees.", "x = [list(r) for r in zip(*x[::-1])]")
def turn(x: Grid) -> Grid:
    return [[row[column] for row in reversed(x)] for column in range(len(x[0]))]


@operation("grid", "grid", "Reverse every row.", "x = [r[::-1] for r in x]")
def mirror_rows(x: Grid) -> Grid:
    return [list(reversed(row)) for row in x]


@operation("grid", "grid", "Reverse the order of the rows.", "x = x[::-1]")
def flip(x: Grid) -> Grid:
    return list(reversed(x))


@operation("grid", "grid", "Sort every row in ascending order.", "x = [sorted(r) for r in x]")
def sort_rows(x: Grid) -> Grid:
    counts = [Counter(row) for row in x]
    return [[v for v in sorted(count) for _ in range(count[v])] for count in counts]


@operation("grid", "grid", "Add {k} to every number.", "x = [[v + {k} for v in r] for r in x]", k=ADDENDS)
def add_to_cells(x: Grid, k: int) -> Grid:
    return [list(map(k.__add__, row)) for row in x]


@operation(
    "grid",
    "grid",
    "Sort the rows by their sums in ascending order; ties stay in order.",
    "x = sorted(x, key=sum)",
    heldout=True,
)
def rows_by_sum(x: Grid) -> Grid:
    return [row for wanted in sorted(set(map(sum, x))) for row in x if sum(row) == wanted]


@operation("grid", "ints", "List the sums of the rows.", "x = [sum(r) for r in x]")
def row_sums(x: Grid) -> Ints:
    return [list(accumulate(row))[-1] for row in x]


@operation("grid", "ints", "List the sums of the columns.", "x = [sum(r[j] for r in x) for j in range(len(x[0]))]")
def column_sums(x: Grid) -> Ints:
    return [sum(column) for column in zip(*x, strict=True)]


@operation("grid", "ints", "List the greatest number of every row.", "x = [max(r) for r in x]")
def row_maxima(x: Grid) -> Ints:
    return [sorted(row)[-1] for row in x]


@operation(
    "grid",
    "ints",
    "List the diagonal: row 1 column 1, row 2 column 2, as far as it goes.",
    "x = [x[i][i] for i in range(min(len(x), len(x[0])))]",
)
def diagonal(x: Grid) -> Ints:
    return [v for i, row in enumerate(x) for j, v in enumerate(row) if i == j]


@operation("grid", "ints", "List all numbers row by row.", "x = [v for r in x for v in r]")
def flatten(x: Grid) -> Ints:
    return list(chain.from_iterable(x))


@operation(
    "grid",
    "ints",
    "List all numbers row by row: the 1st row from left to right, the 2nd from right to left, and so on.",
    """
    y = []
    for i, r in enumerate(x):
        if i % 2 == 1:
            r = r[::-1]
        y += r
    x = y
    """,
    heldout=True,
)
def snake(x: Grid) -> Ints:
    return [v for i, row in enumerate(x) for v in (reversed(row) if i & 1 else row)]


@operation(
    "grid",
    "ints",
    "List all numbers along the spiral that starts at the top left and goes right, inwards.",
    """
    y = []
    while x:
        y += x[0]
        x = [list(r) for r in zip(*x[1:])][::-1]
    x = y
    """,
)
def spiral(x: Grid) -> Ints:
    rows, columns = len(x), len(x[0])
    seen: set[tuple[int, int]] = set()
    made: Ints = []
    place, step = (0, 0), (0, 1)
    while len(made) < rows * columns:
        seen.add(place)
        made.append(x[place[0]][place[1]])
        ahead = (place[0] + step[0], place[1] + step[1])
        if not (0 <= ahead[0] < rows and 0 <= ahead[1] < columns) or ahead in seen:
            step = (step[1], -step[0])
        place = (place[0] + step[0], place[1] + step[1])
    return made


@operation("grid", "number", "Add up all numbers.", "x = sum(sum(r) for r in x)")
def grid_total(x: Grid) -> int:
    return sum(chain.from_iterable(x))


@operation(
    "grid",
    "number",
    "Count the numbers greater than {k}.",
    "x = sum(1 for r in x for v in r if v > {k})",
    k=THRESHOLDS,
)
def count_above(x: Grid, k: int) -> int:
    return sum(len(row) - len([v for v in row if v <= k]) for row in x)


@operation(
    "grid",
    "number",
    "Count the numbers greater than all of their neighbours above, below, left and right.",
    """
    t = 0
    for i in range(len(x)):
        for j in range(len(x[0])):
            y = []
            if i > 0:
                y.append(x[i - 1][j])
            if i < len(x) - 1:
                y.append(x[i + 1][j])
            if j > 0:
                y.append(x[i][j - 1])
            if j < len(x[0]) - 1:
                y.append(x[i][j + 1])
            if all(x[i][j] > v for v in y):
                t += 1
    x = t
    """,
)
def peaks(x: Grid) -> int:
    cells = {(i, j): v for i, row in enumerate(x) for j, v in enumerate(row)}
    around = ((0, 1), (1, 0), (0, -1), (-1, 0))
    return sum(all(cells.get((i + a, j + b), v - 1) < v for a, b in around) for (i, j), v in cells.items())


@operation("moves", "moves", "Reverse the order of the moves.", "x = x[::-1]")
def reverse_moves(x: str) -> str:
    return "".join(reversed(x))


@operation(
    "moves",
    "moves",
    "Turn every move clockwise: U becomes R, R becomes D, D becomes L, L becomes U.",
    'x = "".join("URDL"[("URDL".index(c) + 1) % 4] for c in x)',
)
def turn_moves(x: str) -> str:
    return x.translate(str.maketrans("URDL", "RDLU"))


@operation("moves", "moves", "Swap L and R.", 'x = "".join({"L": "R", "R": "L"}.get(c, c) for c in x)')
def mirror_moves(x: str) -> str:
    return x.replace("L", "l").replace("R", "L").replace("l", "R")


@operation(
    "moves",
    "moves",
    "Leave out the moves at the places {k}, 2*{k}, 3*{k} and so on, counted from 1.",
    'x = "".join(c for i, c in enumerate(x) if i % {k} != {k} - 1)',
    k=STRIDES,
)
def skip_moves(x: str, k: int) -> str:
    return "".join(x[start : start + k - 1] for start in range(0, len(x), k))


@operation(
    "moves",
    "moves",
    "Leave out every move that repeats the move just before it.",
    'x = x[:1] + "".join(x[i] for i in range(1, len(x)) if x[i] != x[i - 1])',
    heldout=True,
)
def collapse_moves(x: str) -> str:
    return "".join(move for move, _ in groupby(x))


@operation(
    "moves",
    "ints",
    "Start at two numbers 0 0; R adds 1 to the first, L takes 1 off it; U adds 1 to the second, D takes 1 off it. "
    "List the two after the last move.",
    'x = [x.count("R") - x.count("L"), x.count("U") - x.count("D")]',
)
def destination(x: str) -> Ints:
    end = _path(x)[-1]
    return [int(end.real), int(end.imag)]


@operation(
    "moves",
    "ints",
    "Start at height 0; U adds 1, D takes 1 off. List the height after every move.",
    """
    t = 0
    y = []
    for c in x:
        if c == "U":
            t += 1
        elif c == "D":
            t -= 1
        y.append(t)
    x = y
    """,
)
def heights(x: str) -> Ints:
    return [int(place.imag) for place in _path(x)[1:]]


@operation(
    "moves",
    "number",
    "Count the steps of the shortest way from the end of this walk back to its start.",
    'x = abs(x.count("R") - x.count("L")) + abs(x.count("U") - x.count("D"))',
)
def way_back(x: str) -> int:
    end = _path(x)[-1]
    return int(abs(end.real) + abs(end.imag))


@operation(
    "moves",
    "number",
    "Count the different places of this walk, its start included.",
    """
    a = b = 0
    y = {(0, 0)}
    for c in x:
        if c == "R":
            a += 1
        elif c == "L":
            a -= 1
        elif c == "U":
            b += 1
        else:
            b -= 1
        y.add((a, b))
    x = len(y)
    """,
)
def places_seen(x: str) -> int:
    path = _path(x)
    return sum(place not in path[:i] for i, place in enumerate(path))


@operation(
    "moves",
    "number",
    "Count the moves that differ from the move just before them.",
    "x = sum(1 for i in range(1, len(x)) if x[i] != x[i - 1])",
)
def turns(x: str) -> int:
    return max(0, len(list(groupby(x))) - 1)


def _path(moves: str) -> list[complex]:
    return list(accumulate(moves, lambda place, move: place + _TO[move], initial=0j))
