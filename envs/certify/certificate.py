"""The certificate of a task: what was shown of it, by which code, with which seed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from palestra import __version__
from palestra.envs.base import Json, Task, TaskError, digest
from palestra.envs.certify.findings import CheckResult
from palestra.envs.certify.sources import sources

Level = Literal["quick", "full"]
LEVELS: tuple[Level, ...] = ("quick", "full")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a task was put through, and what came of it.

    It holds for the task's very bytes and for the very code that made it: `problem` tells.
    """

    env_id: str
    task_id: str
    task_digest: str
    level: Level
    seed: int  # of the scripts that were played
    trace: str  # hash of all that the oracle was shown and paid; "" if it did not solve the task
    version: str  # of palestra
    code: str  # hash of the files that decide the episodes: the family's and what they import
    results: tuple[CheckResult, ...]

    @property
    def ok(self) -> bool:
        """True when nothing failed and no fault kept a question from its answer."""
        return bool(self.trace and self.results) and all(result.ok for result in self.results)

    @property
    def failures(self) -> list[str]:
        """What is wrong, a line each."""
        return [f"{result.name}: {result.detail}" for result in self.results if not result.ok]

    @property
    def digest(self) -> str:
        """The sha256, in hex, of the certificate's canonical JSON."""
        return digest(self.to_dict())

    def problem(self, task: Task, code: str) -> str:
        """Return why this is no valid certificate of a task under the code of that hash; "" if it is."""
        if self.task_digest != task.digest:
            return f"the certificate is of another task than {task.id!r}, or the task was changed since"
        if self.code != code:
            return f"the certificate of {task.id!r} was made by other code ({self.code[:12]}, now {code[:12]})"
        return "" if self.ok else f"{task.id!r} did not pass: {'; '.join(self.failures) or 'nothing was shown'}"

    def to_dict(self) -> dict[str, Json]:
        """Return the certificate as plain JSON data."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**fields, "results": [result.to_dict() for result in self.results]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Certificate":
        """Return the certificate that `to_dict` wrote.

        Raises:
            TaskError: it is none.
        """
        try:
            return cls(**{**data, "results": tuple(map(CheckResult.from_dict, data["results"]))})
        except (TypeError, KeyError) as error:
            raise TaskError(f"not a certificate: {error}") from error


def version() -> str:
    """Return the version of palestra that certificates are made by."""
    return __version__


@cache
def code_digest(entry_point: str) -> str:
    """Return the sha256, in hex, of the files that decide an environment's episodes (see `sources`).

    Raises:
        TaskError: there is no such module.
    """
    hashed = hashlib.sha256()
    for name, path in sorted(sources(entry_point).items()):
        hashed.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return hashed.hexdigest()
