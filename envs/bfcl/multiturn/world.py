"""The world of one episode: the services of an entry, called by name, dumped to JSON and loaded again."""

import json
import math
import re
import threading
from collections.abc import Iterable, Mapping
from decimal import localcontext
from typing import Any, Self

import mpmath  # type: ignore[import-untyped]

from palestra.envs.base import Json, canonical_json, copy_json, digest
from palestra.envs.bfcl.multiturn import graph, services
from palestra.sandbox.base import InfraError

MAX_NODES = 20_000  # of a world's visible state; a world that outgrows it is no world that any entry asks for
MAX_DEPTH = 100
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
# One call at a time: the services change constants of their modules and the precision of mpmath.
_LOCK = threading.RLock()
_OURS = (MemoryError, OSError)  # what no argument leads to


class World:
    """The services of one entry, and all that they hold."""

    def __init__(self, instances: Mapping[str, Any]) -> None:
        self._instances = dict(instances)
        self._owners = {method: name for name in instances for method in services.methods(name)}
        self._state: Json = None

    @classmethod
    def create(cls, names: Iterable[str], configs: Mapping[str, Json], *, long_context: bool) -> Self:
        """Return the world in which an entry begins."""
        with _LOCK:
            return cls(
                {name: services.create(name, configs.get(name, {}), long_context=long_context) for name in names}
            )

    @classmethod
    def load(cls, state: Json) -> Self:
        """Return the world that `dump` wrote.

        Raises:
            KeyError, TypeError, ValueError: the state is malformed.
        """
        with _LOCK:
            return cls(graph.load(state, services.classes()))

    def dump(self) -> Json:
        """Return all that the services hold, as JSON."""
        if self._state is None:
            self._state = graph.dump(self._instances)
        return self._state

    def call(self, name: str, arguments: Mapping[str, Json]) -> tuple[str, str]:
        """Carry out one call.

        Returns:
            The reply as JSON text, and a digest that is equal for equal answers (5 and 5.0 are equal). What
            the package's code raises is an answer, too.

        Raises:
            InfraError: memory ran out, or the system failed; the package's code uses no files and no network.
        """
        try:
            return self._call(name, arguments)
        except _OURS as error:
            raise InfraError(f"{name} was not carried out: {type(error).__name__}: {error}") from error

    def _call(self, name: str, arguments: Mapping[str, Json]) -> tuple[str, str]:
        self._state = None
        with _LOCK, localcontext(), mpmath.workdps(mpmath.mp.dps):
            try:
                result = services.invoke(self._instances[self._owners[name]], name, arguments)
                reply = json.dumps(result, default=_plain, ensure_ascii=False)
            except _OURS:
                raise
            except Exception as error:  # the package's code raises whatever a wrong argument leads to
                result = {"error": _ADDRESS.sub("0x", f"{type(error).__name__}: {error}")}
                reply = json.dumps(result, ensure_ascii=False)
        asked = arguments if name in services.UNTOLD else {}
        try:
            return reply, digest(_Visible().value([json.loads(reply), copy_json(asked)]))[:16]
        except _TooLarge:
            return reply, digest(reply)[:16]

    @property
    def is_outgrown(self) -> bool:
        """Whether the state has more parts, or lies deeper, than any entry asks for, or holds itself."""
        try:
            _Visible().value(self._instances)
        except _TooLarge:
            return True
        return False

    def visible(self) -> str:
        """Return a digest of the state that BFCL checks: every public attribute of every service.

        A state that has grown out of all proportion has none, and equals no other.
        """
        try:
            return digest(_Visible().value(self._instances))[:16]
        except _TooLarge:
            return ""


class _TooLarge(Exception):
    """A state has more parts than any entry needs, or holds itself."""


class _Visible:
    """Values as they are compared: numbers by value, dicts without order, instances by their public attributes."""

    def __init__(self) -> None:
        self._nodes = 0

    def value(self, value: Any, depth: int = 0) -> Json:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise _TooLarge
        if isinstance(value, float):
            return _number(value)
        if isinstance(value, list):
            return [self.value(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {_key(key): self.value(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, set):
            return {"set": sorted(value)}
        if value is None or isinstance(value, (bool, int, str)):
            return value
        kind = type(value).__name__
        hidden = {"parent"} if kind == "Directory" else set()
        shown = {name: inner for name, inner in vars(value).items() if name[0] != "_" and name not in hidden}
        return {kind: self.value(shown, depth + 1)}


def _number(value: float) -> Json:
    if not math.isfinite(value):
        return repr(value)
    return int(value) if value == int(value) else value


def _key(key: object) -> str:
    return key if isinstance(key, str) else f"#{canonical_json(key)}"


def _plain(value: object) -> Json:
    """Return what JSON does not know as it does: sets in order, long numbers as text."""
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
