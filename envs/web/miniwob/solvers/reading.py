"""Pages that want shapes or numbers told apart."""

import re
from collections.abc import Iterator

from palestra.envs.web.miniwob.look import Item
from palestra.envs.web.miniwob.sight import Sight, click, fill

_COLOURS = {
    "red": "#ff0000",
    "green": "#008000",
    "blue": "#0000ff",
    "aqua": "#00ffff",
    "black": "",
    "magenta": "#ff00ff",
    "yellow": "#ffff00",
}
_TAGS = {"rectangle": "rect", "circle": "circle", "triangle": "polygon"}


def _matches(item: Item, words: list[str]) -> bool:
    """Tell whether a shape is what some words say: a size, a colour, a kind, or a character itself."""
    return all(_is(item, word) for word in words)


def _is(item: Item, word: str) -> bool:
    if word in ("small", "large"):
        height = item.box[3]
        is_large = height > 15
        return is_large == (word == "large")
    if word in _COLOURS:
        return item.colour == _COLOURS[word]
    if word in _TAGS:
        return item.tag == _TAGS[word]
    if word in ("item", "shape"):
        return word == "item" or item.tag != "text"
    if word in ("letter", "digit"):
        return item.tag == "text" and item.text.isdigit() == (word == "digit")
    return item.tag == "text" and item.text == word


def _shapes(sight: Sight) -> list[Item]:
    return [item for item in sight.items if item.tag in ("text", "circle", "rect", "polygon")]


def shape(sight: Sight) -> Iterator[str]:
    words = sight.said(r"Click on an? (.*)")[1].split()
    [wanted, *_] = [item for item in _shapes(sight) if _matches(item, words)]
    yield click(wanted)


def count(sight: Sight) -> Iterator[str]:
    words = sight.said(r"How many (.*)s are there")[1].split()
    number = sum(_matches(item, words) for item in _shapes(sight))
    yield click(sight.one("button", str(number)))


def identify(sight: Sight) -> Iterator[str]:
    [item] = _shapes(sight)
    if item.tag == "text":
        label = "Number" if item.text.isdigit() else "Letter"
    else:
        label = {"rect": "Rectangle", "circle": "Circle", "polygon": "Triangle"}[item.tag]
    yield click(sight.one("button", label))


def greatest(sight: Sight) -> Iterator[str]:
    """Turn one card after another, since one at a time shows its number."""
    numbers: dict[str, int] = {}
    cards = [item.id for item in sight.all(kind="card")]
    for card in cards:
        yield click(next(item for item in sight.items if item.id == card))
        numbers[card] = int(next(item for item in sight.items if item.id == card).text)
    best = max(numbers, key=lambda card: numbers[card])
    yield click(next(item for item in sight.items if item.id == best))
    yield click(sight.one("button"))


def ascending(sight: Sight) -> Iterator[str]:
    """Click the numbers by value; after the first they are hidden, so their places are kept."""
    numbers = sorted((int(item.text), item.centre) for item in sight.all("text"))
    yield click(next(item for item in sight.all("text") if item.text == "1"))
    for _, (x, y) in numbers[1:]:
        hidden = min(sight.all("rect"), key=lambda one: abs(one.centre[0] - x) + abs(one.centre[1] - y))
        yield click(hidden)


def slanted(sight: Sight) -> Iterator[str]:
    yield fill(sight.field(), re.sub(r"\s", "", sight.one(html_id="captcha").text))
    yield click(sight.one("button"))


SOLVERS = {
    "click-shape": shape,
    "count-shape": count,
    "identify-shape": identify,
    "find-greatest": greatest,
    "ascending-numbers": ascending,
    "text-transform": slanted,
}
