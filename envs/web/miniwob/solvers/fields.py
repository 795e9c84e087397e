"""Pages that want something written."""

import re
from collections.abc import Iterator, Mapping

from palestra.envs.web.miniwob.look import Item
from palestra.envs.web.miniwob.sight import Sight, click, fill


def text(sight: Sight) -> Iterator[str]:
    yield fill(sight.field(), sight.said(r'Enter "(.*)" into the text field')[1])
    yield click(sight.one("button"))


def cased_text(sight: Sight) -> Iterator[str]:
    word, case = sight.said(r'Type "(.*)" in all (upper|lower) case').groups()
    yield fill(sight.field(), word.upper() if case == "upper" else word.lower())
    yield click(sight.one("button"))


def password_twice(sight: Sight) -> Iterator[str]:
    word = sight.said(r'password "(.*)" into both')[1]
    for place in (0, 1):
        yield fill(sight.field(place), word)
    yield click(sight.one("button"))


def login(sight: Sight) -> Iterator[str]:
    """Enter both words; if a pop-up comes in between, cancel it and go on."""
    for html_id, word in (("username", r'username "(.*?)"'), ("password", r'password "(.*?)"')):
        yield click(sight.one(html_id=html_id))
        if sight.all(html_id="popup"):
            yield click(sight.one(html_id="popup-cancel"))
        yield fill(sight.one(html_id=html_id), sight.said(word)[1])
    yield click(sight.one(html_id="subbtn"))


def date(sight: Sight) -> Iterator[str]:
    month, day, year = sight.said(r"(\d\d)/(\d\d)/(\d{4})").groups()
    yield fill(sight.one("input"), f"{year}-{month}-{day}")
    yield click(sight.one("button"))


def time(sight: Sight) -> Iterator[str]:
    hour, minute, half = sight.said(r"Enter (\d+):(\d\d)\s([AP])M").groups()
    yield fill(sight.one("input"), f"{int(hour) % 12 + 12 * (half == 'P'):02}:{minute}")
    yield click(sight.one("button"))


def focus(sight: Sight) -> Iterator[str]:
    yield click(sight.field())


def numbered_focus(sight: Sight) -> Iterator[str]:
    yield click(sight.field(int(sight.said(r"the (\d)")[1]) - 1))


def arithmetic(sight: Sight) -> Iterator[str]:
    left, sign, right = re.findall(r"-?\d+|[-+x]", sight.one(html_id="math-problem").text)
    results = {"+": int(left) + int(right), "-": int(left) - int(right), "x": int(left) * int(right)}
    yield fill(sight.field(), str(results[sign]))
    yield click(sight.one("button"))


def algebra(sight: Sight) -> Iterator[str]:
    problem = sight.one(html_id="math-problem").text
    left, sign, right, result = re.findall(r"x|\d+|[-+]", problem)
    if sign == "+":
        answer = int(result) - int(right if left == "x" else left)
    else:
        answer = int(result) + int(right) if left == "x" else int(left) - int(result)
    yield fill(sight.field(), str(answer))
    yield click(sight.one("button"))


def blocks(sight: Sight) -> Iterator[str]:
    yield fill(sight.field(), str(len(sight.all(kind="addition-block"))))
    yield click(sight.one("button"))


def guess(sight: Sight) -> Iterator[str]:
    low, high = 0, 9
    while True:
        middle = (low + high) // 2
        yield fill(sight.field(), str(middle))
        yield click(sight.one("button"))
        if sight.all(html_id="higher"):
            low = middle + 1
        else:
            high = middle - 1


def copied_value(sight: Sight) -> Iterator[str]:
    place = int(found[1]) - 1 if (found := re.search(r"the (\d)\w\w text area", sight.utterance)) else 0
    yield fill(sight.one(html_id="answer-input"), sight.all("textarea")[place].value)
    yield click(sight.one("button"))


def table_value(sight: Sight) -> Iterator[str]:
    yield fill(sight.field(), _cells(sight)[sight.said(r"value of (.*) into")[1]])
    yield click(sight.one("button"))


def table_values(sight: Sight) -> Iterator[str]:
    cells = _cells(sight)
    for label, html_id in (("ll1", "tt1"), ("ll2", "tt2")):
        yield fill(sight.one(html_id=html_id), cells[sight.one(html_id=label).text.removesuffix(":")])
    yield click(sight.one("button"))


def _cells(sight: Sight) -> dict[str, str]:
    texts = [item.text for item in sight.all("td")]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def word_of_text(sight: Sight) -> Iterator[str]:
    place = int(sight.said(r"the (\d+)\w\w word")[1])
    words = sight.one("p").text.split()
    yield fill(sight.one(html_id="answer-input"), re.sub("[^a-zA-Z]", "", words[place - 1]))
    yield click(sight.one("button"))


def last_word(sight: Sight) -> Iterator[str]:
    words = sight.one("textarea").value.split()
    yield fill(sight.one(html_id="answer-input"), re.sub("[^a-zA-Z]", "", words[-1]))
    yield click(sight.one("button"))


def film(sight: Sight) -> Iterator[str]:
    """Fill a form whose labels stand beside, above or below their fields."""
    genre, director, year = sight.said(r"for (.*) movies directed by (.*) from year (\d+)").groups()
    values = {"genre": genre, "director": director, "year": year, "date": year}
    labels = [item for item in sight.items if item.is_leaf and item.text and item.tag != "input"]
    for field in [item for item in sight.all("input") if item.role == "textbox"]:
        label = min((one for one in labels if _word(one, values)), key=lambda one: _distance(one, field))
        yield fill(field, values[_word(label, values)])
    submits = ("Submit", "Search", "Go!")
    yield click(next(item for item in sight.items if item.text in submits and item.is_leaf and item.is_clickable))


def _word(label: Item, values: Mapping[str, str]) -> str:
    return next((word for word in values if word in label.text.lower()), "")


def _distance(label: Item, field: Item) -> float:
    """Return how far apart their rows are; a label below its field counts as nearer than one of the next row."""
    (_, top, _, height), (_, field_top, _, field_height) = label.box, field.box
    return abs((top + height / 2) - (field_top + field_height / 2))


SOLVERS = {
    "enter-text": text,
    "enter-text-dynamic": text,
    "enter-text-2": cased_text,
    "enter-password": password_twice,
    "login-user": login,
    "login-user-popup": login,
    "enter-date": date,
    "enter-time": time,
    "focus-text": focus,
    "focus-text-2": numbered_focus,
    "simple-arithmetic": arithmetic,
    "simple-algebra": algebra,
    "visual-addition": blocks,
    "guess-number": guess,
    "copy-paste": copied_value,
    "copy-paste-2": copied_value,
    "read-table": table_value,
    "read-table-2": table_values,
    "find-word": word_of_text,
    "scroll-text": last_word,
    "multi-layouts": film,
    "multi-orderings": film,
}
