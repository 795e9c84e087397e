"""Replies with lines around them that say nothing, and a middle that is left out until it is asked for."""

import random
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from palestra.envs.actions import ToolCall, compact_json, function_tool
from palestra.envs.augment.layer import Layer, Seen, Solving, Spec, Tool, token
from palestra.envs.base import Json
from palestra.envs.reading import read_json

_NAMES = ("read_rest", "show_omitted", "read_left_out")
_BEFORE = ("", "\n\n", "-----\n", "== reply ==\n", "service> ")
_MOST_KEPT = 64  # middles; the oldest goes first


class Observation(Layer):
    """Padding before a reply, a status line after it, and the middle of a long one left out.

    ``read_rest(part)`` gives the middle. Replies of this layer are never JSON, so layers above that read JSON
    leave them alone.

    Must hold: a reply can be put together again, character by character.

    Knobs: ``keep`` (characters kept at either end of a long reply; 0 leaves all replies whole).
    """

    name: ClassVar[str] = "observation"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._tool: str = spec["tool"]
        self._before: str = spec["before"]
        self._mark: str = spec["mark"]
        self._keep = int(spec["keep"])
        self._kept: dict[str, str] = {}
        self._count = 0
        mark = re.escape(self._mark)
        self._status = re.compile(rf"\n\[{mark}: reply \d+ is complete\]\Z")
        self._gap = re.compile(rf'\n\[{mark}: \d+ characters left out; {re.escape(self._tool)}\(part="(\d+)"\)\]\n')

    @classmethod
    def draw(cls, rng: random.Random, seen: Seen, *, keep: int = 150) -> dict[str, Json]:
        """Return lines that stand nowhere in what the oracle sees."""
        free = [name for name in _NAMES if name not in seen.names]
        return {
            "tool": rng.choice(free) if free else f"read_rest_{token(rng, seen)}",
            "before": rng.choice(_BEFORE),
            "mark": token(rng, seen, 4),
            "keep": keep,
        }

    def tools(self, tools: Sequence[Tool]) -> list[Tool]:
        """Return the tools and, where replies are cut, the one that reads the rest."""
        if not self._keep:
            return list(tools)
        part = {"type": "string", "description": "As the reply names it."}
        return [*tools, function_tool(self._tool, "Read what was left out of a reply.", {"part": part})]

    def call(self, call: ToolCall) -> ToolCall | str:
        """Return the call, or what was left out."""
        if not self._keep or call.name != self._tool:
            return call
        part = str(call.arguments.get("part"))
        if part not in self._kept:
            return compact_json({"error": f"nothing was left out under {part[:40]!r}"})
        return compact_json({"part": part, "left_out": self._kept[part]})

    def reply(self, call: ToolCall, text: str) -> str:
        """Return a reply with lines around it."""
        self._count += 1
        if self._keep and len(text) > 3 * self._keep:
            part, middle = str(self._count), text[self._keep : -self._keep]
            self._kept[part] = middle
            if len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            gap = f'\n[{self._mark}: {len(middle)} characters left out; {self._tool}(part="{part}")]\n'
            text = f"{text[: self._keep]}{gap}{text[-self._keep :]}"
        return f"{self._before}{text}\n[{self._mark}: reply {self._count} is complete]"

    def solve(self, call: ToolCall) -> Solving:
        """Take the lines away and put the middle back."""
        reply = yield call
        end = self._status.search(reply)
        if end is None or not reply.startswith(self._before):
            return reply
        text = reply[len(self._before) : end.start()]
        gap = self._gap.search(text)
        if gap is None:
            return text
        rest = read_json((yield ToolCall(self._tool, {"part": gap[1]})))
        middle = rest.get("left_out", "") if isinstance(rest, dict) else ""
        return f"{text[: gap.start()]}{middle}{text[gap.end() :]}"

    def dump(self) -> Json:
        return {"kept": self._kept, "count": self._count}

    def load(self, state: Json) -> None:
        self._kept, self._count = dict(state["kept"]), state["count"]

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield marks and names that mean something already."""
        if self._keep and self._tool in seen.names:
            yield f"there is a tool {self._tool!r} already"
        if self._mark in seen.text:
            yield f"the mark {self._mark!r} stands in what the oracle sees"
