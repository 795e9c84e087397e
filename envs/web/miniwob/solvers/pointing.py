"""Pages that want a point: shapes dragged, lines drawn, places clicked."""

import math
from collections.abc import Iterator

from palestra.envs.web.miniwob.look import Item
from palestra.envs.web.miniwob.sight import Sight, call, click, click_at, drag

_AWAY = {"left": (-15, 0), "right": (15, 0), "up": (0, -15), "down": (0, 15)}


def drag_shape(sight: Sight) -> Iterator[str]:
    """Drag the only shape a little in the direction that is named."""
    across, down = _AWAY[sight.said(r"(left|right|up|down) then press")[1]]
    x, y = next(item for item in sight.items if item.tag in ("circle", "rect", "polygon")).centre
    yield drag((x, y), (x + across, y + down))
    yield click(sight.one("button"))


def drag_box(sight: Sight) -> Iterator[str]:
    yield drag(sight.one(html_id="draggableSmall").centre, sight.one(html_id="draggableLarge").centre)
    yield click(sight.one("button"))


def drag_into_box(sight: Sight) -> Iterator[str]:
    tag = {"rectangles": "rect", "circles": "circle", "triangles": "polygon"}[sight.said(r"all (\w+) into")[1]]
    left, top, *_ = sight.one(html_id="shape-container").box
    wanted = [item for item in sight.all(tag) if item.html_id != "shape-container"]
    for place, item in enumerate(wanted):
        yield drag(item.centre, (left + 12 + 18 * place, top + 22))
    yield click(sight.one("button"))


def drag_in_list(sight: Sight) -> Iterator[str]:
    """Drag a name of a list to a place that is named by number, by end or by how far."""
    name, where = sight.said(r"Drag ([\w-]+) (.*)").groups()
    rows = sight.all("li")
    start = next(place for place, row in enumerate(rows) if row.text == name)
    if "position." in where and "by one" not in where:
        end = int(where.split()[2][0]) - 1
    else:
        end = {"to the top.": 0, "to the bottom.": len(rows) - 1}.get(where, start + (1 if "down" in where else -1))
    yield drag(rows[start].centre, _past(rows[start], rows[end]))


def _past(moved: Item, place: Item) -> tuple[float, float]:
    x, y = place.centre
    return x, y + (6 if y > moved.centre[1] else -6)


def sort_numbers(sight: Sight) -> Iterator[str]:
    count = len(sight.all("li"))
    for end in range(count):
        rows = sight.all("li")
        start = min(range(end, count), key=lambda place: int(rows[place].text))
        if start != end:
            yield drag(rows[start].centre, _past(rows[start], rows[end]))
    yield click(sight.one("button"))


def drag_in_grid(sight: Sight) -> Iterator[str]:
    name, where = sight.said(r"Drag ([\w-]+) (.*)\.").groups()
    cells = sight.all("li")
    start = next(place for place, cell in enumerate(cells) if cell.text == name)
    steps = {"up by one": -3, "down by one": 3, "left by one": -1, "right by one": 1}
    end = start + steps[where] if where in steps else _GRID.index(where.removeprefix("to the "))
    (x, y), (from_x, from_y) = cells[end].centre, cells[start].centre
    across, down = _sign(x - from_x), _sign(y - from_y)
    if across > 0 > down:  # to the right, and yet to an earlier place
        across = -1
    yield drag((from_x, from_y), (x + across * 6, y + down * 6))


_GRID = (
    *("top left", "top center", "top right"),
    *("center left", "center", "center right"),
    *("bottom left", "bottom center", "bottom right"),
)


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def grid_point(sight: Sight) -> Iterator[str]:
    across, up = map(int, sight.said(r"\((-?\d),(-?\d)\)").groups())
    points = sorted({item.centre for item in sight.all("circle")})
    columns, rows = sorted({x for x, _ in points}), sorted({y for _, y in points}, reverse=True)
    yield click_at(columns[across + 2], rows[up + 2])


def centre(sight: Sight) -> Iterator[str]:
    yield click_at(*sight.one("circle").centre)
    yield click(sight.one("button"))


def midpoint(sight: Sight) -> Iterator[str]:
    (x, y), (other_x, other_y) = (item.centre for item in sight.all("circle"))
    yield click_at((x + other_x) // 2, (y + other_y) // 2)
    yield click(sight.one("button"))


def bisector(sight: Sight) -> Iterator[str]:
    """Go from the corner between the directions of both arms."""
    corner = sight.one(kind="init-blue").centre
    arms = [_unit(corner, item.centre) for item in sight.all(kind="init-black")]
    direction = math.atan2(arms[0][1] + arms[1][1], arms[0][0] + arms[1][0])
    yield click_at(*_point(sight, corner, [direction]))
    yield click(sight.one("button"))


def right_angle(sight: Sight) -> Iterator[str]:
    corner, arm = sight.one(html_id="init-blue").centre, sight.one(html_id="init-black").centre
    along = math.atan2(arm[1] - corner[1], arm[0] - corner[0])
    yield click_at(*_point(sight, corner, [along + math.pi / 2, along - math.pi / 2]))
    yield click(sight.one("button"))


def _unit(start: tuple[int, int], end: tuple[int, int]) -> tuple[float, float]:
    length = math.dist(start, end)
    return (end[0] - start[0]) / length, (end[1] - start[1]) / length


def _point(sight: Sight, start: tuple[int, int], directions: list[float]) -> tuple[int, int]:
    """Return the point that is farthest from a start in one of the directions, and still on the drawing."""
    left, top, width, height = sight.one("svg").box
    found = [
        (round(start[0] + length * math.cos(one)), round(start[1] + length * math.sin(one)))
        for length in range(100, 8, -1)
        for one in directions
    ]
    return next(
        (x, y)
        for x, y in found
        if left + 4 <= x < left + width - 4 and top + 4 <= y < min(top + height, sight.one("button").box[1]) - 4
    )


def line(sight: Sight) -> Iterator[str]:
    x, y = sight.one("circle").centre
    is_level = "horizontal" in sight.utterance
    left, top, width, height = sight.one("svg").box
    ends = (left + 3, left + width - 4) if is_level else (top + 3, min(top + height, sight.one("button").box[1]) - 4)
    yield drag(*(((end, y) if is_level else (x, end)) for end in ends))
    yield click(sight.one("button"))


def circle(sight: Sight) -> Iterator[str]:
    x, y = sight.one("circle").centre
    points = [(x + 20 * math.cos(turn * math.pi / 8), y + 20 * math.sin(turn * math.pi / 8)) for turn in range(17)]
    rounded = [(round(across), round(down)) for across, down in points]
    yield call("mouse_down", x=rounded[0][0], y=rounded[0][1], button="left")
    for across, down in rounded[1:]:
        yield call("mouse_move", x=across, y=down)
    yield call("mouse_up", x=rounded[-1][0], y=rounded[-1][1], button="left")
    yield click(sight.one("button"))


def chase(sight: Sight) -> Iterator[str]:
    """Keep the pointer where the circle will be in the middle of the next call, by where it was before."""
    before = sight.one("circle").centre
    yield call("mouse_move", x=before[0], y=before[1])
    while True:
        now = sight.one("circle").centre
        ahead = (now[0] + (now[0] - before[0]) // 2, now[1] + (now[1] - before[1]) // 2)
        before = now
        yield call("mouse_move", x=min(max(ahead[0], 0), 159), y=min(max(ahead[1], 50), 209))


SOLVERS = {
    "drag-circle": drag_shape,
    "drag-single-shape": drag_shape,
    "drag-box": drag_box,
    "drag-shapes": drag_into_box,
    "drag-items": drag_in_list,
    "drag-items-grid": drag_in_grid,
    "drag-sort-numbers": sort_numbers,
    "grid-coordinate": grid_point,
    "circle-center": centre,
    "find-midpoint": midpoint,
    "bisect-angle": bisector,
    "right-angle": right_angle,
    "draw-line": line,
    "draw-circle": circle,
    "chase-circle": chase,
}
