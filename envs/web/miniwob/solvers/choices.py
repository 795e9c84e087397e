"""Pages that want something chosen: boxes, options, colours, lists that drop down, sliders."""

import colorsys
from collections.abc import Iterator

from palestra.envs.web.miniwob.look import Item
from palestra.envs.web.miniwob.sight import Sight, call, click, click_at, press

SUBMIT = "Submit"


def boxes(sight: Sight) -> Iterator[str]:
    wanted = sight.said(r"Select (.*) and click Submit")[1].split(", ")
    for label in sight.all("label"):
        if label.text in wanted:
            yield click(label)
    yield click(sight.one("button", SUBMIT))


def option(sight: Sight) -> Iterator[str]:
    yield click(sight.one("label", sight.said(r"Select (.*) and click Submit")[1]))
    yield click(sight.one("button", SUBMIT))


def dropdown(sight: Sight) -> Iterator[str]:
    wanted = sight.said(r"Select (.*) from the list")[1]
    yield call("select_option", bid=sight.one("select").id, options=[wanted])
    yield click(sight.one("button", SUBMIT))


def scroll_list(sight: Sight) -> Iterator[str]:
    wanted = sight.said(r"Select (.*) from the scroll list")[1].split(", ")
    yield call("select_option", bid=sight.one("select").id, options=wanted)
    yield click(sight.one("button", SUBMIT))


def colour(sight: Sight) -> Iterator[str]:
    wanted = _COLOURS[sight.said(r"the (\w+) colored box")[1]]
    boxes = [item for item in sight.all(kind="color") if item.html_id != "query-color"]
    yield click(next(item for item in boxes if item.background == wanted))


_COLOURS = {
    "red": "#ff0000",
    "blue": "#0000ff",
    "olive": "#808000",
    "lime": "#00ff00",
    "black": "#000000",
    "white": "#ffffff",
    "grey": "#808080",
    "purple": "#800080",
    "orange": "#ffa500",
    "yellow": "#ffff00",
    "cyan": "#00ffff",
    "pink": "#ffc0cb",
    "magenta": "#ff00ff",
}


def shades(sight: Sight) -> Iterator[str]:
    hue = {"red": 0, "green": 120, "blue": 240}[sight.said(r"shades of (\w+)")[1]]
    for item in sight.all("span"):
        if item.background and abs((_hue(item.background) - hue + 180) % 360 - 180) < 60:
            yield click(item)
    yield click(sight.one("button", SUBMIT))


def _hue(colour: str) -> float:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return 360 * colorsys.rgb_to_hsv(red, green, blue)[0]


def slider(sight: Sight) -> Iterator[str]:
    yield from _slide(sight, sight.one(html_id="slider"), "val", int(sight.said(r"Select (-?\d+)")[1]))
    yield click(sight.one("button", SUBMIT))


def sliders(sight: Sight) -> Iterator[str]:
    wanted = sight.said(r"\[(.*)\]")[1].split(",")
    for place, value in enumerate(wanted, start=1):
        yield from _slide(sight, sight.one(html_id=f"slider-{place}"), f"val-{place}", int(value))
    yield click(sight.one("button", SUBMIT))


def _slide(sight: Sight, track: Item, told: str, wanted: int) -> Iterator[str]:
    """Look where both ends are, click in proportion between them, and go on by keys."""

    def now() -> int:
        return int(sight.one(html_id=told).text)

    def handle() -> Item:
        return sight.one(kind="ui-slider-handle", within=next(one for one in sight.items if one.id == track.id))

    if now() == wanted:
        return
    yield press(handle(), "Home")
    low = now()
    yield press(handle(), "End")
    high = now()
    share = (wanted - low) / (high - low)
    left, top, width, height = track.box
    if width > height:
        yield click_at(left + round(share * (width - 1)), top + height // 2)
    else:
        yield click_at(left + width // 2, top + round((1 - share) * (height - 1)))
    while now() != wanted:
        yield press(handle(), "ArrowRight" if now() < wanted else "ArrowLeft")


def slider_and_box(sight: Sight) -> Iterator[str]:
    wanted, place = sight.said(r"Select (-?\d+) with the slider, click the (\d)").groups()
    yield from _slide(sight, sight.one(html_id="slider"), "val", int(wanted))
    yield click(sight.one(html_id=f"checkbox-{place}"))
    yield click(sight.one("button", SUBMIT))


def radio_and_field(sight: Sight) -> Iterator[str]:
    radio, number, field = sight.said(r'the (\d)\w+ radio button and enter the number "(-?\d+)" into the (\d)').groups()
    yield click([item for item in sight.all("input") if item.role == "radio"][int(radio) - 1])
    yield call("fill", bid=sight.one(html_id=f"input-{field}").id, value=number)
    yield click(sight.one("button", SUBMIT))


def drop_and_press(sight: Sight) -> Iterator[str]:
    wanted, label = sight.said(r'Choose (.*) from the dropdown, then click the button labeled "(\w+)"').groups()
    yield click(sight.one(kind="selectric"))
    yield click(next(item for item in sight.all("li") if item.text == wanted))
    yield click(sight.one("button", label))


def spinner(sight: Sight) -> Iterator[str]:
    wanted = int(sight.said(r"Select (-?\d+)")[1])
    kind = "ui-spinner-up" if wanted > 0 else "ui-spinner-down"
    for _ in range(abs(wanted)):
        yield click(sight.one(kind=kind))
    yield click(sight.one("button", SUBMIT))


def date(sight: Sight) -> Iterator[str]:
    month, day, year = sight.said(r"(\d\d)/(\d\d)/(\d{4})").groups()
    wanted = f"{_MONTHS[int(month) - 1]} {year}"
    yield click(sight.one(html_id="datepicker"))
    while sight.one(kind="ui-datepicker-title").text != wanted:
        yield click(sight.one(kind="ui-datepicker-prev"))
    yield click(next(item for item in sight.all("a", kind="ui-state-default") if item.text == str(int(day))))
    yield click(sight.one("button", SUBMIT))


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def digit_in_boxes(sight: Sight) -> Iterator[str]:
    rows = _DIGITS[int(sight.said(r'number "(\d)"')[1])].split()
    boxes = [item for item in sight.all("input") if item.role == "checkbox"]
    for box, wanted in zip(boxes, "".join(rows), strict=True):
        if wanted == "#":
            yield click(box)
    yield click(sight.one("button", SUBMIT))


_DIGITS = (
    ".##. #..# #..# #..# #..# #..# .##.",
    "..#. .##. ..#. ..#. ..#. ..#. ..#.",
    ".##. #..# #..# ..#. .#.. #... ####",
    ".##. #..# ...# .##. ...# #..# .##.",
    "#... #.#. #.#. #### ..#. ..#. ..#.",
    "#### #... #... ###. ...# #..# .##.",
    ".##. #..# #... ###. #..# #..# .##.",
    "#### #..# ...# ..#. ..#. .#.. .#..",
    ".##. #..# #..# .##. #..# #..# .##.",
    ".##. #..# #..# .### ...# #..# .##.",
)

SOLVERS = {
    "click-checkboxes": boxes,
    "click-checkboxes-large": boxes,
    "click-checkboxes-transfer": boxes,
    "click-option": option,
    "choose-list": dropdown,
    "click-scroll-list": scroll_list,
    "click-color": colour,
    "click-shades": shades,
    "use-slider": slider,
    "use-slider-2": sliders,
    "form-sequence": slider_and_box,
    "form-sequence-2": radio_and_field,
    "form-sequence-3": drop_and_press,
    "use-spinner": spinner,
    "choose-date": date,
    "choose-date-easy": date,
    "choose-date-medium": date,
    "choose-date-nodelay": date,
    "number-checkboxes": digit_in_boxes,
}
