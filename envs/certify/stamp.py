"""The certificate of an environment: a file in its package that says which code passed the check, and how."""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from palestra.envs.base import Json, Split, TaskError
from palestra.envs.certify.certificate import Level, code_digest, version
from palestra.envs.certify.findings import Status
from palestra.envs.certify.sources import STAMP_SUFFIX
from palestra.envs.registry import EnvEntry

if TYPE_CHECKING:
    from palestra.envs.certify.environment import CheckReport

_MAX_BYTES = 1_000_000
_WELL: frozenset[Status] = frozenset({"passed", "absent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What an environment was put through and by which code of it; the detail stands in the report of the check."""

    env_id: str
    code: str  # hash of the files that decide the episodes: the family's and what they import
    version: str  # of palestra
    level: Level
    n: int  # tasks of each split
    splits: tuple[Split, ...]
    seed: int  # of the first task; the others follow by one
    results: Mapping[str, Status]
    mutants: Mapping[str, Json] = field(default_factory=dict)  # by kind: how many were killed, a hole, equivalent

    @classmethod
    def of(cls, entry: EnvEntry, report: "CheckReport") -> "Stamp":
        """Return the certificate that a check is worth.

        Raises:
            TaskError: it did not pass, or looked at too little.
        """
        stamp = cls(
            env_id=entry.id,
            code=code_digest(entry.entry_point),
            version=version(),
            level=report.level,
            n=report.n,
            splits=report.splits,
            seed=report.seed,
            results={result.name: result.status for result in report.results},
            mutants=next((dict(r.evidence["kinds"]) for r in report.results if "kinds" in r.evidence), {}),
        )
        if weakness := stamp.weakness:
            raise TaskError(f"{entry.id} gets no certificate: {weakness}")
        return stamp

    @property
    def weakness(self) -> str:
        """Why the check that this tells of is not enough; "" if it is."""
        bad = [name for name, status in self.results.items() if status not in _WELL]
        if bad:
            return f"{bad[0]} {self.results[bad[0]]}" + f" and {len(bad) - 1} more" * (len(bad) > 1)
        if not self.results:
            return "nothing was asked"
        return "" if self.level == "full" else f"it was checked at level {self.level!r}, not 'full'"

    def write(self, path: Path) -> None:
        """Write the certificate; its name must end in ``.certificate.json``, so that it is no part of the code.

        Raises:
            TaskError: the name does not, or the file cannot be written.
        """
        check_name(path)
        try:
            path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8", newline="\n")
        except OSError as error:
            raise TaskError(f"cannot write the certificate {str(path)!r}: {error.strerror or error}") from error


def check_name(path: Path) -> None:
    """Refuse a file name that would make the certificate a part of the code that it certifies.

    Raises:
        TaskError: the name does not end in ``.certificate.json``.
    """
    if not path.name.endswith(STAMP_SUFFIX):
        raise TaskError(f"an environment certificate's name ends in {STAMP_SUFFIX!r}, unlike {path.name!r}")


def problem(entry: EnvEntry) -> str:
    """Return why an entry has no certificate that holds for its present code, and what to run; "" if it has."""
    path = Path(f"{entry.id.rpartition('/')[2]}{STAMP_SUFFIX}")
    try:
        path = _path(entry)
        why = _weakness(_read(path), entry)
    except TaskError as error:
        why = str(error)
    return (
        why and f"{entry.id} has no valid certificate: {why}; run: palestra check {entry.id} --level full --out {path}"
    )


def _weakness(stamp: Stamp, entry: EnvEntry) -> str:
    if stamp.env_id != entry.id:
        return f"{entry.certificate!r} is of {stamp.env_id}"
    if stamp.weakness:
        return stamp.weakness
    code = code_digest(entry.entry_point)
    return "" if stamp.code == code else f"its code has changed since ({stamp.code[:12]}, now {code[:12]})"


def _path(entry: EnvEntry) -> Path:
    """Return where the entry's certificate is, or should be; nothing is imported but parent packages."""
    package, slash, name = entry.certificate.partition("/")
    if not slash:
        raise TaskError("its entry names none, such as certificate='my_package/Name-v0.certificate.json'")
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError) as error:
        raise TaskError(f"{entry.certificate!r} names no package: {error}") from error
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise TaskError(f"{entry.certificate!r} names no package")
    path = Path(next(iter(folders))) / name
    check_name(path)
    return path


def _read(path: Path) -> Stamp:
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_MAX_BYTES))
        return _stamp(data)
    except OSError as error:
        raise TaskError(f"{str(path)!r} cannot be read ({error.strerror or error})") from error
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise TaskError(f"{str(path)!r} holds none ({error})") from error


def _stamp(data: Any) -> Stamp:
    results: dict[str, Json] = dict(data["results"])
    if odd := [status for status in results.values() if status not in get_args(Status)]:
        raise ValueError(f"a result is {odd[0]!r}")
    return Stamp(**{**data, "splits": tuple(data["splits"]), "results": results})
