"""Fields that mean nothing: request ids, times, flags; and fields in another order."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from palestra.envs.actions import ToolCall, compact_json
from palestra.envs.augment.layer import Layer, Seen, Solving, Spec, token
from palestra.envs.base import Json
from palestra.envs.reading import NOT_JSON, read_json

_CALLS = 4096  # for which drawn numbers stay apart from the oracle's
_KEYS = {
    "id": ("request_id", "trace", "correlation_id", "x_request", "span_id", "op_ref"),
    "time": ("served_at_ms", "epoch_ms", "generated_at_ms", "clock_ms"),
    "flag": ("deprecated", "cached", "beta", "legacy_mode", "is_partial_refresh"),
    "text": ("region", "node", "build", "shard"),
}
_KINDS = tuple(_KEYS)


class Noise(Layer):
    """Fields that mean nothing, added to replies that are JSON objects; other replies pass unchanged.

    Must hold: no key and no value of it occurs in what the oracle sees and does, so that whoever takes one of
    them for an answer is wrong, and whoever leaves them out reads what was replied.

    Knobs: ``fields`` (how many), ``inner`` (whether objects within the reply get a flag each), ``shuffled``
    (whether the fields come in another order).
    """

    name: ClassVar[str] = "noise"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._fields: Sequence[Mapping[str, Json]] = spec["fields"]
        self._inner: str = spec["inner"]
        self._order: int = spec["order"]
        self._keys = {field["key"] for field in self._fields}
        self._count = 0

    @classmethod
    def draw(
        cls, rng: random.Random, seen: Seen, *, fields: int = 3, inner: bool = True, shuffled: bool = True
    ) -> dict[str, Json]:
        """Return fields with keys and values that the oracle does not see."""
        drawn: list[Json] = []
        for number in range(fields):
            kind = _KINDS[number % len(_KINDS)]
            taken = {*seen.keys, *(field["key"] for field in drawn)}
            keys = [key for key in _KEYS[kind] if key not in taken]
            key = rng.choice(keys) if keys else token(rng, seen)
            drawn.append({"key": key, "kind": kind, "value": _value(rng, seen, kind)})
        flags = [key for key in _KEYS["flag"] if key not in {*seen.keys, *(field["key"] for field in drawn)}]
        return {
            "fields": drawn,
            "inner": rng.choice(flags) if inner and flags else "",
            "order": rng.randrange(1, 2**31) if shuffled else 0,
        }

    def reply(self, call: ToolCall, text: str) -> str:
        """Return a reply with the fields added."""
        value = read_json(text)
        if not isinstance(value, (dict, list)):
            return text
        self._count += 1
        made = self._noisy(value, is_outer=True)
        return compact_json(made)

    def solve(self, call: ToolCall) -> Solving:
        """Leave the fields out."""
        reply = yield call
        value = read_json(reply)
        return reply if value is NOT_JSON else compact_json(self._quiet(value))

    def dump(self) -> Json:
        return self._count

    def load(self, state: Json) -> None:
        self._count = state

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield keys and values that the oracle sees or uses."""
        for key in (*(field["key"] for field in self._fields), *([self._inner] if self._inner else [])):
            if key in seen.keys:
                yield f"the key {key!r} is one that the oracle sees"
        for field in self._fields:
            if field["kind"] == "time":
                if any(field["value"] <= number <= field["value"] + 37 * _CALLS for number in seen.integers):
                    yield f"a time from {field['value']} on is a number that the oracle sees"
            elif field["kind"] != "flag" and (seen.shows(str(field["value"])) or str(field["value"]) in seen.text):
                yield f"the value {field['value']!r} is one that the oracle sees"
        if len(self._keys) < len(self._fields):
            yield "two fields have the same key"

    def _noisy(self, value: Json, *, is_outer: bool = False) -> Json:
        if isinstance(value, list):
            return [self._noisy(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        made = {key: self._noisy(inner) for key, inner in value.items()}
        if is_outer:
            for field in self._fields:
                made.setdefault(field["key"], self._now(field))
        elif self._inner:
            made.setdefault(self._inner, False)
        if not self._order:
            return made
        keys = sorted(made)
        random.Random(self._order).shuffle(keys)
        return {key: made[key] for key in keys}

    def _quiet(self, value: Json, *, is_outer: bool = True) -> Json:
        if isinstance(value, list):
            return [self._quiet(inner, is_outer=False) for inner in value]
        if not isinstance(value, dict):
            return value
        dropped = self._keys if is_outer else {self._inner} if self._inner else ()
        return {key: self._quiet(inner, is_outer=False) for key, inner in value.items() if key not in dropped}

    def _now(self, field: Mapping[str, Json]) -> Json:
        if field["kind"] == "id":
            return f"{field['value']}{self._count:04d}"
        return field["value"] + 37 * self._count if field["kind"] == "time" else field["value"]


def _value(rng: random.Random, seen: Seen, kind: str) -> Json:
    if kind == "flag":
        return False
    if kind != "time":
        return token(rng, seen)
    while True:
        start = rng.randrange(10**12, 9 * 10**12)
        if not any(start <= number <= start + 37 * _CALLS for number in seen.integers):
            return start
