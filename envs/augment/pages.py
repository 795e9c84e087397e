"""Long replies in pages, and a tool that turns them."""

import math
import random
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from palestra.envs.actions import ToolCall, compact_json, function_tool
from palestra.envs.augment.layer import Layer, Seen, Solving, Spec, Tool, token
from palestra.envs.base import Json, copy_json
from palestra.envs.reading import NOT_JSON, read_json

_NAMES = ("next_page", "fetch_next_page", "more_results", "continue_listing")
_CURSORS = ("next_cursor", "continuation", "page_token", "more_from")
_LISTS = ("page", "rows_here", "batch", "window_items")
_MOST_OPEN = 64  # replies whose pages are kept; the oldest goes first


class Pages(Layer):
    """Lists and long texts come in pages; ``next_page(cursor)`` gives the one that follows.

    A list that is the reply, or the longest list among the fields of a reply that is an object, is cut after
    ``size`` items, and a text that is no JSON after ``chars`` characters. A reply that is cut has a cursor.

    Must hold: all pages together are what was replied; the keys that are added mean nothing else.

    Knobs: ``size`` (items a page), ``chars`` (characters a page of text), ``most`` (pages of a reply that the oracle
    sees: where there would be more, they are longer).
    """

    name: ClassVar[str] = "pages"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._tool: str = spec["tool"]
        self._cursor: str = spec["cursor"]  # the key that holds it
        self._list: str = spec["list"]  # the key of a page of a reply that is a list
        self._prefix: str = spec["prefix"]
        self._size, self._chars = int(spec["size"]), int(spec["chars"])
        if self._size < 1 or self._chars < 1:
            raise ValueError("a page holds at least one item and one character")
        self._open: dict[str, Json] = {}  # number: [key, items], or a text
        self._count = 0
        self._mark = re.compile(rf"\n\[more: {re.escape(self._tool)}\(cursor=\"({self._prefix}\d+-\d+)\"\)\]\Z")

    @classmethod
    def draw(cls, rng: random.Random, seen: Seen, *, size: int = 2, chars: int = 400, most: int = 5) -> dict[str, Json]:
        """Return names that are free, and how long pages are."""
        values = [(read_json(reply), len(reply)) for _, reply in seen.steps]
        items = max((_longest(value) for value, _ in values), default=0)
        letters = max((length for value, length in values if value is NOT_JSON), default=0)
        return {
            "tool": _free(rng, _NAMES, seen.names, seen),
            "cursor": _free(rng, _CURSORS, seen.keys, seen),
            "list": _free(rng, _LISTS, seen.keys, seen),
            "prefix": token(rng, seen, 3),
            "size": max(size, math.ceil(items / most)),
            "chars": max(chars, math.ceil(letters / most)),
        }

    def tools(self, tools: Sequence[Tool]) -> list[Tool]:
        """Return the tools and the one that turns pages."""
        cursor = {"type": "string", "description": f"As a reply gave it, under {self._cursor} or at its end."}
        return [*tools, function_tool(self._tool, "Get the next page of a reply that was cut.", {"cursor": cursor})]

    def call(self, call: ToolCall) -> ToolCall | str:
        """Return the call, or a page."""
        return self._page(str(call.arguments.get("cursor"))) if call.name == self._tool else call

    def reply(self, call: ToolCall, text: str) -> str:
        """Return a reply's first page."""
        value = read_json(text)
        if value is NOT_JSON:
            if len(text) <= self._chars:
                return text
            return f'{text[: self._chars]}\n[more: {self._tool}(cursor="{self._opened(text)}-{self._chars}")]'
        if isinstance(value, list) and len(value) > self._size:
            value = {self._list: value}
        if not isinstance(value, dict) or self._cursor in value:
            return text
        lists = [key for key, inner in value.items() if isinstance(inner, list) and len(inner) > self._size]
        if not lists:
            return text
        key = max(lists, key=lambda key: len(value[key]))
        cursor = f"{self._opened([key, value[key]])}-{self._size}"
        return compact_json({**value, key: value[key][: self._size], self._cursor: cursor})

    def solve(self, call: ToolCall) -> Solving:
        """Turn pages until there is no cursor."""
        reply = yield call
        value = read_json(reply)
        if value is NOT_JSON:
            return (yield from self._rest_of_text(reply))
        if not isinstance(value, dict) or self._cursor not in value:
            return reply
        cursor = value.pop(self._cursor)
        while cursor is not None:
            more = read_json((yield ToolCall(self._tool, {"cursor": cursor})))
            if not isinstance(more, dict) or self._cursor not in more:
                return reply
            cursor = more.pop(self._cursor)
            for key, items in more.items():
                value[key] = [*value[key], *items]
        return compact_json(value[self._list] if list(value) == [self._list] else value)

    def dump(self) -> Json:
        return {"open": self._open, "count": self._count}

    def load(self, state: Json) -> None:
        self._open, self._count = dict(state["open"]), state["count"]

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield names that mean something already."""
        if self._tool in seen.names:
            yield f"there is a tool {self._tool!r} already"
        for key in (self._cursor, self._list):
            if key in seen.keys:
                yield f"the key {key!r} is one that the oracle sees"
        if self._prefix in seen.text:
            yield f"the cursors' prefix {self._prefix!r} stands in what the oracle sees"

    def _opened(self, content: Json) -> str:
        self._count += 1
        self._open[str(self._count)] = content
        if len(self._open) > _MOST_OPEN:
            del self._open[next(iter(self._open))]
        return f"{self._prefix}{self._count}"

    def _page(self, cursor: str) -> str:
        found = re.fullmatch(rf"{self._prefix}(\d{{1,9}})-(\d{{1,9}})", cursor, re.ASCII)
        content = self._open.get(found[1]) if found else None
        if found is None or content is None:
            return compact_json({"error": f"there is no page {cursor[:40]!r}; take the cursor of a reply"})
        start, number = int(found[2]), found[1]
        if isinstance(content, str):
            end = start + self._chars
            page: dict[str, Json] = {"text": content[start:end]}
        else:
            key, items = content
            end = start + self._size
            page, content = {key: copy_json(items[start:end])}, items
        page[self._cursor] = f"{self._prefix}{number}-{end}" if end < len(content) else None
        return compact_json(page)

    def _rest_of_text(self, reply: str) -> Solving:
        found = self._mark.search(reply)
        if found is None:
            return reply
        text, cursor = reply[: found.start()], found[1]
        while cursor is not None:
            more = read_json((yield ToolCall(self._tool, {"cursor": cursor})))
            if not isinstance(more, dict) or set(more) != {"text", self._cursor}:
                return reply
            text, cursor = text + more["text"], more[self._cursor]
        return text


def _longest(value: Json) -> int:
    """Return how many items the list has that would be cut."""
    if isinstance(value, dict):
        return max((len(inner) for inner in value.values() if isinstance(inner, list)), default=0)
    return len(value) if isinstance(value, list) else 0


def _free(rng: random.Random, names: Sequence[str], taken: Sequence[str] | frozenset[str], seen: Seen) -> str:
    free = [name for name in names if name not in taken]
    return rng.choice(free) if free else f"{names[0]}_{token(rng, seen)}"
