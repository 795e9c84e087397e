"""What runs in the slot that judges: it is given our modules, archives of files, and predicates, and tells reasons.

What is in the archives was made by an agent. It is parsed here and nowhere else, within the slot's limits; nothing in
it is run. What this prints is read as texts.
"""

import hashlib
import importlib
import importlib.machinery
import json
import marshal
import signal
import sys
import types
from typing import Any

SECONDS_EACH = 2.0  # of processor time, for one predicate


def main() -> None:
    """Read all from stdin and print a JSON object with "reasons", a list, and "digest"."""
    given = sys.stdin.buffer.read()
    size = int.from_bytes(given[:8], "big")
    head = json.loads(given[8 : 8 + size])
    place = 8 + size
    parts = []
    for length in head["sizes"]:
        parts.append(given[place : place + length])
        place += length
    load(marshal.loads(parts[0]))
    print(json.dumps(judged(parts[1:], head["troubles"], head["predicates"])))


class Ours:
    """Finds our modules, each of which is made of its code when it is first imported."""

    def __init__(self, codes: dict[str, bytes]) -> None:
        self._codes = codes

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        """Return how one of our modules is made."""
        return importlib.machinery.ModuleSpec(name, self) if name in self._codes else None  # type: ignore[arg-type]

    def create_module(self, spec: object) -> None:
        """Leave it to Python."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill a module."""
        exec(marshal.loads(self._codes[module.__name__]), module.__dict__)


def load(codes: dict[str, bytes]) -> None:
    """Let modules be imported, given by their codes."""
    base: Any = types.ModuleType("palestra.envs.base")
    base.Json = object
    sys.modules["palestra.envs.base"] = base
    for name in codes:
        while name := name.rpartition(".")[0]:
            package: Any = sys.modules.setdefault(name, types.ModuleType(name))
            package.__path__ = []
    sys.meta_path.insert(0, Ours(codes))


def judged(archives: list[bytes], troubles: dict[str, str], predicates: list[dict[str, Any]]) -> dict[str, Any]:
    """Return for each predicate why it does not hold, or "", and a hash of what they are about."""
    judging: Any = importlib.import_module("palestra.envs.terminal.predicates.judging")
    tree: Any = importlib.import_module("palestra.envs.terminal.tree").Tree()
    for archive in archives:
        found, others = type(tree).unpack(archive)
        tree = tree.joined(found)
        troubles = {**troubles, **{path: f"{path} is a pipe or a device" for path in others}}

    def stop(*_: object) -> None:
        raise TimeoutError(f"it takes more than {SECONDS_EACH:g} s to look at it")

    signal.signal(signal.SIGPROF, stop)
    reasons = []
    for predicate in predicates:
        path = f"{predicate['path']}/"
        told = next((told for place, told in troubles.items() if path.startswith(f"{place}/")), "")
        signal.setitimer(signal.ITIMER_PROF, SECONDS_EACH)
        reasons.append(told or judging.reason(tree, predicate))
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {"reasons": reasons, "digest": digest(tree, [one["path"] for one in predicates])}


def digest(tree: Any, paths: list[str]) -> str:
    """Return a hash of what is at and below some paths, times left out, and what git keeps to itself."""
    hashed = hashlib.sha256()
    for path, node in tree.items():
        if "/.git/" not in path and any(f"{path}/".startswith(f"{place}/") for place in paths):
            content = hashlib.sha256(getattr(node, "data", b"")).hexdigest()
            fields = (path, type(node).__name__, getattr(node, "mode", 0), getattr(node, "target", ""), content)
            hashed.update(repr(fields).encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()


if __name__ == "__main__":
    main()
