"""The layers that a case may have: those of every family, and one that needs to know what a domain's columns hold."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

from palestra.envs.actions import ToolCall, compact_json
from palestra.envs.augment.layer import Layer, Seen, Solving, Spec, Tool, name_of
from palestra.envs.augment.operators import OPERATORS
from palestra.envs.base import Json, copy_json
from palestra.envs.reading import NOT_JSON, read_json
from palestra.envs.tooluse.interpret import fault

DATES: Mapping[str, tuple[str, str]] = {  # how a day is written: as a pattern, and from year, month and day
    "DD.MM.YYYY": (r"(?P<d>\d{2})\.(?P<m>\d{2})\.(?P<y>\d{4})", "{d}.{m}.{y}"),
    "DD/MM/YYYY": (r"(?P<d>\d{2})/(?P<m>\d{2})/(?P<y>\d{4})", "{d}/{m}/{y}"),
    "MM/DD/YYYY": (r"(?P<m>\d{2})/(?P<d>\d{2})/(?P<y>\d{4})", "{m}/{d}/{y}"),
    "YYYYMMDD": (r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})", "{y}{m}{d}"),
    "DD-MM-YYYY": (r"(?P<d>\d{2})-(?P<m>\d{2})-(?P<y>\d{4})", "{d}-{m}-{y}"),
}
_ISO = r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"
_IN_TEXT = re.compile(rf"(?<![\w-]){_ISO}(?![\w-])")


class Locale(Layer):
    """Days written in another way, and numbers in a smaller unit, in calls and replies; the request tells it.

    Must hold: whatever a field holds can be told and understood without loss.

    The spec holds ``dates`` (one of `DATES`, or ""), ``units`` (unit -> [smaller unit, how many make one]),
    ``arguments`` and ``replies`` (tool -> field -> "date", or a unit, with a ``!`` where it holds whole numbers),
    and ``told``, a sentence for the request.
    """

    name: ClassVar[str] = "locale"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        dates: str = spec["dates"]
        self._dates = (re.compile(DATES[dates][0]), DATES[dates][1]) if dates else None
        self._units: Mapping[str, tuple[str, int]] = {
            unit: (name, int(by)) for unit, (name, by) in spec["units"].items()
        }
        self._arguments: Mapping[str, Mapping[str, str]] = spec["arguments"]
        self._replies: Mapping[str, Mapping[str, str]] = spec["replies"]
        self._told: str = spec["told"]

    def instruction(self, text: str) -> str:
        """Return the request with its days as they are written here, and a sentence that says how."""
        return f"{self._redated(text)}\n\n{self._told}"

    def keeps(self, before: str, after: str) -> bool:
        """Tell whether the request stands there whole, its days written anew."""
        return after == self.instruction(before) and before == self._undated(self._redated(before))

    def tools(self, tools: Sequence[Tool]) -> list[Tool]:
        """Return the tools with fields as they are given here."""
        return [self._tool(tool) for tool in tools]

    def call(self, call: ToolCall) -> ToolCall | str:
        """Return the call with values as they are below, or a reply that says what is wrong with them."""
        arguments = dict(call.arguments)
        for name, kind in self._arguments.get(call.name, {}).items():
            if arguments.get(name) is None:
                continue
            value = self.below(kind, arguments[name])
            if value is None:
                return compact_json(fault("bad_arguments", f"{name} is not {self.words(kind)}"))
            arguments[name] = value
        return ToolCall(call.name, arguments, call.id)

    def reply(self, call: ToolCall, text: str) -> str:
        """Return the reply with values as they are written here."""
        return self._rewritten(call, text, self.above)

    def solve(self, call: ToolCall) -> Solving:
        """Write the arguments as here, and read the reply as below."""
        kinds = self._arguments.get(call.name, {})
        arguments = {name: self.above(kinds.get(name, ""), value) for name, value in call.arguments.items()}
        return self._rewritten(call, (yield ToolCall(call.name, arguments, call.id)), self.below)

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield what is announced nowhere."""
        if self.spec["dates"] and self.spec["dates"] not in self._told:
            yield f"the request does not tell that days are written {self.spec['dates']}"
        for name, _ in self._units.values():
            if name not in self._told:
                yield f"the request does not tell that there are {name}"

    def above(self, kind: str, value: Json) -> Json:
        """Return a value as it is written here."""
        if kind == "date" and self._dates is not None and isinstance(value, str):
            day = re.fullmatch(_ISO, value)
            return self._dates[1].format(**day.groupdict()) if day else value
        if kind.rstrip("!") in self._units and isinstance(value, (int, float)) and not isinstance(value, bool):
            return round(value * self._units[kind.rstrip("!")][1])
        return value

    def below(self, kind: str, value: Json) -> Json:
        """Return a value as it is below, None where it is none that is written so."""
        if kind == "date" and self._dates is not None:
            day = self._dates[0].fullmatch(value) if isinstance(value, str) else None
            return "{y}-{m}-{d}".format(**day.groupdict()) if day else None
        if kind.rstrip("!") in self._units:
            by = self._units[kind.rstrip("!")][1]
            if not isinstance(value, int) or isinstance(value, bool):
                return None
            if kind.endswith("!"):
                return value // by if value % by == 0 else None
            return round(value / by, 2) if abs(value) < 10**15 else None
        return value

    def words(self, kind: str) -> str:
        """Return how values of a kind are given here."""
        return (
            f"a day as {self.spec['dates']}"
            if kind == "date"
            else f"a whole number of {self._units[kind.rstrip('!')][0]}"
        )

    def _rewritten(self, call: ToolCall, text: str, value_of: Callable[[str, Json], Json]) -> str:
        kinds, reply = self._replies.get(call.name, {}), read_json(text)
        if reply is NOT_JSON or not isinstance(reply, dict) or not kinds:
            return text
        rows = reply.get("results")
        for row in [reply, *(rows if isinstance(rows, list) else [])]:
            for key in kinds.keys() & row.keys() if isinstance(row, dict) else ():
                told = None if row[key] is None else value_of(kinds[key], row[key])
                row[key] = row[key] if told is None else told
        return compact_json(reply)

    def _tool(self, tool: Tool) -> Tool:
        name = name_of(tool)
        kinds, shown = self._arguments.get(name, {}), set(self._replies.get(name, {}).values())
        if not kinds and not shown:
            return tool
        told: dict[str, Json] = copy_json(tool)
        for argument, kind in kinds.items():
            schema = told["function"]["parameters"]["properties"].get(argument)
            if schema is not None and (kind == "date" or kind.rstrip("!") in self._units):
                self._retold(schema, kind)
        words = sorted({self.words(kind) for kind in shown if kind == "date" or kind.rstrip("!") in self._units})
        if words:
            told["function"]["description"] += f" Replies give {' and '.join(words)}."
        return told

    def _retold(self, schema: dict[str, Json], kind: str) -> None:
        """Change a field's schema to what is given here."""
        if kind == "date":
            schema.pop("format", None)
        else:
            unit = kind.rstrip("!")
            schema["type"] = "integer"
            schema["description"] = str(schema.get("description", "")).replace(f" ({unit})", "")
            for bound in ("minimum", "maximum"):
                if bound in schema:
                    schema[bound] = round(schema[bound] * self._units[unit][1])
        schema["description"] = f"{schema.get('description', '')}: {self.words(kind)}"

    def _redated(self, text: str) -> str:
        return _IN_TEXT.sub(lambda day: str(self.above("date", day[0])), text) if self._dates else text

    def _undated(self, text: str) -> str:
        if self._dates is None:
            return text
        return re.sub(
            rf"(?<![\w-]){self._dates[0].pattern}(?![\w-])", lambda day: str(self.below("date", day[0])), text
        )


LAYERS: Mapping[str, type[Layer]] = {**OPERATORS, Locale.name: Locale}
