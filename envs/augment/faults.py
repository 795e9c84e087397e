"""Transient faults: calls that fail a few times before they reach the environment, and then do."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from palestra.envs.actions import ToolCall, compact_json
from palestra.envs.augment.layer import Layer, Seen, Solving, Spec, same_reply
from palestra.envs.base import Json

FAULTS: Mapping[str, Json] = {
    "timeout": {"error": {"kind": "timeout", "message": "the service did not answer in time; try again"}},
    "rate_limit": {"error": {"kind": "rate_limit", "status": 429, "message": "too many requests; try again"}},
    "unavailable": {"error": {"kind": "unavailable", "status": 503, "message": "out of service; try again"}},
}
_TEXTS = {kind: compact_json(value) for kind, value in FAULTS.items()}


class Faults(Layer):
    """A finite schedule of faults.

    Each entry ``{"at": n, "kind": kind, "times": r}`` makes the call fail that comes when n calls have got through,
    r times in a row. A call that fails never reaches below. Calls that the oracle makes together are not hit, because
    they may have to arrive together.

    Must hold: faults end, no reply from below looks like one, and who does not call again misses a reply.

    Knobs: ``count`` (of entries), ``times`` (at most, in a row).
    """

    name: ClassVar[str] = "faults"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._schedule: Mapping[int, Json] = {entry["at"]: entry for entry in spec["schedule"]}
        self.total = sum(entry["times"] for entry in spec["schedule"])
        self.retries = True  # whether `solve` calls again
        self._through = self._failed = 0

    @classmethod
    def draw(cls, rng: random.Random, seen: Seen, *, count: int = 2, times: int = 2) -> dict[str, Json]:
        """Return a schedule that hits calls of the oracle that it makes alone, and the last one only if it must."""
        hit = seen.alone[:-1] or seen.alone
        places = sorted(rng.sample(hit, min(count, len(hit))))
        kinds = [kind for kind, text in _TEXTS.items() if not any(same_reply(text, reply) for _, reply in seen.steps)]
        return {
            "schedule": [
                {"at": place, "kind": rng.choice(kinds), "times": rng.randint(1, max(1, times))} for place in places
            ]
            if kinds
            else []
        }

    def call(self, call: ToolCall) -> ToolCall | str:
        """Return the call, or a fault that is due."""
        entry = self._schedule.get(self._through)
        if entry is not None and self._failed < entry["times"]:
            self._failed += 1
            return _TEXTS[entry["kind"]]
        self._through, self._failed = self._through + 1, 0
        return call

    def solve(self, call: ToolCall) -> Solving:
        """Call again as long as it is a fault that is replied."""
        reply = yield call
        for _ in range(self.total * self.retries):
            if not self._is_fault(reply):
                break
            reply = yield call
        return reply

    def dump(self) -> Json:
        return [self._through, self._failed]

    def load(self, state: Json) -> None:
        self._through, self._failed = state

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield replies from below that would be taken for faults, and faults that hit nothing."""
        if any(self._is_fault(reply) for _, reply in seen.steps):
            yield "a reply from below looks like a fault"
        if late := [at for at in self._schedule if not 0 <= at < len(seen.steps)]:
            yield f"the fault at call {late[0]} does not hit the oracle, which makes {len(seen.steps)} calls"

    def _is_fault(self, reply: str) -> bool:
        kinds: Sequence[str] = [entry["kind"] for entry in self._schedule.values()]
        return any(same_reply(reply, _TEXTS[kind]) for kind in kinds)
