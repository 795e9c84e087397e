"""Python objects as JSON and back: lists, dicts, sets and plain instances, shared parts and cycles included.

A folder of the simulated file system knows its parent, and can be copied into itself; two names may stand for
one list. So every container is numbered in the order in which it is met, and met again is told by its number.
"""

import math
from collections.abc import Mapping
from typing import Any

from palestra.envs.base import Json
from palestra.envs.bfcl.multiturn.pinned import CountedRandom, PinnedDatetime


def dump(root: object) -> Json:
    """Return an object graph as JSON.

    Raises:
        TypeError: something in it is of no known kind.
    """
    return _Dump().value(root)


def load(state: Json, classes: Mapping[str, type]) -> Any:
    """Return the object graph that `dump` wrote; instances are made of the named classes only.

    Raises:
        KeyError: a class is unknown.
        TypeError, ValueError: the state is malformed.
    """
    return _Load(classes).value(state)


class _Dump:
    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}

    def value(self, value: Any) -> Json:
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, PinnedDatetime):
            return {"time": value.isoformat()}
        if id(value) in self._numbers:
            return {"same": self._numbers[id(value)]}
        self._numbers[id(value)] = len(self._numbers)
        return self._container(value)

    def _container(self, value: Any) -> Json:
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            if all(isinstance(key, str) for key in value):
                return {"dict": {key: self.value(inner) for key, inner in value.items()}}
            return {"pairs": [[key, self.value(inner)] for key, inner in value.items()]}
        if isinstance(value, set):
            return {"set": sorted(value)}
        if isinstance(value, CountedRandom):
            return {"random": [value.start, value.words]}
        if not hasattr(value, "__dict__"):
            raise TypeError(f"{value!r:.80} is of no kind that a state can hold")
        return {"class": type(value).__name__, "of": {name: self.value(inner) for name, inner in vars(value).items()}}


class _Load:
    def __init__(self, classes: Mapping[str, type]) -> None:
        self._classes = classes
        self._met: list[Any] = []

    def value(self, state: Json) -> Any:
        if isinstance(state, list):
            made: list[Any] = []
            self._met.append(made)
            made.extend(self.value(item) for item in state)
            return made
        if not isinstance(state, dict):
            return state
        if "class" in state:
            return self._instance(state)
        ((kind, content),) = state.items()
        return getattr(self, f"_{kind}")(content)

    def _instance(self, state: Mapping[str, Json]) -> Any:
        cls = self._classes[state["class"]]
        instance: Any = object.__new__(cls)
        self._met.append(instance)
        vars(instance).update({name: self.value(inner) for name, inner in state["of"].items()})
        return instance

    def _dict(self, content: Mapping[str, Json]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self._met.append(made)
        made.update((key, self.value(inner)) for key, inner in content.items())
        return made

    def _pairs(self, content: list[list[Json]]) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        self._met.append(made)
        made.update((key, self.value(inner)) for key, inner in content)
        return made

    def _set(self, content: list[Json]) -> set[Any]:
        made = set(content)
        self._met.append(made)
        return made

    def _random(self, content: list[int]) -> CountedRandom:
        made = CountedRandom(*content)
        self._met.append(made)
        return made

    def _same(self, number: int) -> Any:
        return self._met[number]

    def _float(self, text: str) -> float:
        return float(text)

    def _time(self, text: str) -> PinnedDatetime:
        return PinnedDatetime.fromisoformat(text)
