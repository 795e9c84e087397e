"""A world whose tools are carried out in a sandbox: one Python process for an episode, spoken to in lines of JSON."""

import ast
import importlib.util
import json
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from palestra import sandbox as sandboxes
from palestra.envs.base import Json
from palestra.envs.reading import python_tree
from palestra.envs.tooluse import inside
from palestra.envs.tooluse.case import Case
from palestra.envs.tooluse.world import Changes
from palestra.sandbox.base import InfraError, Limits, Spec

NEEDS = frozenset({"network_off", "pid_hidden"})
_LIMITS = Limits(wall_s=600.0, cpu_s=600.0)
_WAIT_S = 30.0  # for an answer, however busy the machine is
_PACKAGE = "palestra"
_PROGRAM = "program.py"
_SOURCE = f"""
import sys
sys.path.insert(0, "/workspace")
from {inside.__name__} import serve
serve(sys.stdin, sys.stdout)
"""
_START = f"stty raw -echo && python3 -I {_PROGRAM}\n"


class SandboxedWorld:
    """Carries out calls of a case in a sandbox of its own; what they change is kept by the caller.

    Raises:
        InfraError: the sandbox or the process in it could not be started.
    """

    def __init__(self, case: Case, backend: str = "native") -> None:
        spec = Spec(needs=NEEDS, terminal=True, limits=_LIMITS, env={"PYTHONHASHSEED": "0"})
        self._sandbox = sandboxes.create(spec, backend=backend)
        self._seen = b""
        try:
            for path, source in _sources().items():
                self._sandbox.write(path, source)
            self._shell = self._sandbox.shell()
            self._shell.send(_START.encode())
            while self._line() != inside.READY.encode():  # the terminal may show something before
                pass
            self._shell.send(json.dumps(case.to_dict()).encode() + b"\n")
        except BaseException:
            self.close()
            raise

    def call(self, changes: Changes, name: str, arguments: Mapping[str, Json]) -> tuple[Json, Changes]:
        """Return a call's reply and what the world's changes are after it.

        Raises:
            InfraError: the process is gone, or does not answer.
        """
        answer = self._answer({"changes": changes, "name": name, "arguments": arguments})
        if not isinstance(answer, dict) or answer.keys() != {"reply", "changes"}:
            raise InfraError(f"the sandboxed world answers what is none: {str(answer)[:200]!r}")
        return answer["reply"], answer["changes"]

    def close(self) -> None:
        """Give the sandbox back; a second call does nothing."""
        self._sandbox.close()

    def _answer(self, request: Json) -> Json:
        if self._shell.is_idle:
            raise InfraError("the process of the sandboxed world is gone")
        self._shell.send(json.dumps(request).encode() + b"\n")
        told = self._line()
        try:
            return json.loads(told)
        except ValueError as error:
            told += b"\n" + self._seen + self._shell.wait(timeout_s=2.0).output
            raise InfraError(f"the sandboxed world answers no JSON: {told[-500:]!r}") from error

    def _line(self) -> bytes:
        """Return the next line that the process writes."""
        deadline = time.monotonic() + _WAIT_S
        while b"\n" not in self._seen:
            if self._shell.is_idle:
                raise InfraError(f"the process of the sandboxed world has ended: {self._seen[-500:]!r}")
            if time.monotonic() > deadline:
                raise InfraError(f"the sandboxed world did not answer in {_WAIT_S:g} s: {self._seen[-200:]!r}")
            self._seen += self._shell.read(timeout_s=0.2)
        told, self._seen = self._seen.split(b"\n", 1)
        return told.strip(b"\r")


@cache
def _sources() -> dict[str, bytes]:
    """Return the files that the process inside needs, and no others, under their paths in the workspace."""
    found: dict[str, bytes] = {}
    wanted = [inside.__name__]
    while wanted:
        name = wanted.pop()
        path = f"{name.replace('.', '/')}.py"
        spec = importlib.util.find_spec(name)
        if path in found or spec is None or spec.origin is None:
            continue
        found[path] = Path(spec.origin).read_bytes()
        wanted += _imported(found[path])
    packages = {str(parent) for path in found for parent in Path(path).parents if str(parent) != "."}
    return found | {f"{package}/__init__.py": b"" for package in packages} | {_PROGRAM: _SOURCE.encode()}


def _imported(source: bytes) -> Iterator[str]:
    for node in ast.walk(python_tree(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{_PACKAGE}."):
            yield node.module
