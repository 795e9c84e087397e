"""What a run has come to, line by line in a file: whoever goes on with it begins where the last whole line ends.

A line is written when a stage of an idea is passed, has failed or met a fault, and after each attempt. So a run that is
killed loses what was in work and nothing else, and what it had cost until then stays counted.
"""

import fcntl
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from palestra.envs.base import Json, TaskError, digest
from palestra.envs.endpoint import Usage

STAGES: Final = ("describe", "build", "examine", "filter", "certify")


@dataclass(slots=True)
class Count:
    """What a stage has come to."""

    passed: int = 0
    rejected: int = 0
    faults: int = 0  # after which an idea was put off
    attempts: int = 0
    solved: int = 0  # attempts that passed
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0  # of all ideas in it, added up; what was waited for the model is part of it

    @property
    def entered(self) -> int:
        """How many ideas it has decided."""
        return self.passed + self.rejected

    def to_json(self) -> dict[str, Json]:
        """Return the count as JSON data."""
        told = {name: getattr(self, name) for name in ("entered", "passed", "rejected", "faults", "attempts", "solved")}
        share = self.passed / self.entered if self.entered else None
        return {**told, "yield": share, **self.usage.to_json(), "stage_seconds": round(self.seconds, 3)}


@dataclass(slots=True)
class Work:
    """One idea, and how far it has come."""

    number: int
    made: dict[str, Json] = field(default_factory=dict)  # by the stages that it has passed, what came of them
    attempts: list[Json] = field(default_factory=list)
    rejected: Json = None  # what is told of it: stage, reason and text

    @property
    def is_kept(self) -> bool:
        """Whether a certified task has come of it."""
        return "certify" in self.made

    @property
    def is_decided(self) -> bool:
        """Whether there is nothing more to be done with it."""
        return self.is_kept or self.rejected is not None


class Journal:
    """A run's file, written by one process at a time and any of its threads.

    Args:
        path: of the file.
        header: what the run was asked for; another run's file is refused.
        code: of the present certificates: a task that was certified by other code is certified again.
        resume: go on with a file that is there.

    Raises:
        TaskError: the file is another run's, in use, damaged, or there without `resume`.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, header: Mapping[str, Json], code: str, *, resume: bool) -> None:
        self.path, self.works = path, dict[int, Work]()
        self.counts = {stage: Count() for stage in STAGES}
        self._code, self._lock = code, threading.RLock()
        self._told: dict[str, int] = {}  # hashes of what agents are told by the tasks that are kept
        if path.exists() and path.stat().st_size and not resume:
            raise TaskError(f"{str(path)!r} is of an earlier run: go on with --resume, or remove it")
        self._file = _locked(path)
        try:
            self._begin(dict(header))
        except BaseException:
            self._file.close()
            raise

    @property
    def kept(self) -> list[Work]:
        """The ideas that have become tasks, in the order of their numbers."""
        with self._lock:
            return [self.works[number] for number in sorted(self.works) if self.works[number].is_kept]

    def work(self, number: int) -> Work:
        """Return an idea as far as it has come."""
        with self._lock:
            return self.works.setdefault(number, Work(number))

    def note(self, number: int, stage: str, usage: Usage, seconds: float, **what: Json) -> None:
        """Write down what has come of an idea: ``made``, ``attempt``, ``rejected`` with ``text``, or ``fault``."""
        line = {"item": number, "stage": stage, **what, "usage": usage.to_json(), "seconds": round(seconds, 3)}
        with self._lock:
            self._file.write((json.dumps(line) + "\n").encode())
            self._file.flush()
            self._take(line)

    def alike(self, instruction: str, number: int) -> int | None:
        """Return the number of another task that tells an agent the same; else None, and this one is remembered."""
        with self._lock:
            other = self._told.setdefault(digest(instruction), number)
            return other if other != number else None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _begin(self, header: dict[str, Json]) -> None:
        whole = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break  # it was torn off
            try:
                data = json.loads(line)
                if number == 1:
                    self._compare(data, header)
                else:
                    self._take(data)
            except TaskError:
                raise
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise TaskError(
                    f"line {number} of {str(self.path)!r} is damaged ({error!r}); remove the file"
                ) from error
            whole += len(line)
        self._file.truncate(whole)
        self._file.seek(whole)
        if not whole:
            self._file.write((json.dumps(header) + "\n").encode())
            self._file.flush()

    def _compare(self, old: Any, header: dict[str, Json]) -> None:
        if not isinstance(old, dict) or old.keys() != header.keys():
            raise TaskError(f"{str(self.path)!r} is no journal of this version; remove it or write to another file")
        for name, value in header.items():
            if old[name] != value:
                raise TaskError(
                    f"{str(self.path)!r} is of a run with {name}={old[name]!r}, not {value!r}; "
                    "ask for the same, or write to another file"
                )

    def _take(self, line: Mapping[str, Any]) -> None:
        count, work = self.counts[line["stage"]], self.work(int(line["item"]))
        count.usage.add(line["usage"])
        count.seconds += float(line["seconds"])
        if "attempt" in line:
            work.attempts.append(line["attempt"])
            count.attempts += 1
            count.solved += bool(line["attempt"]["passed"])
        elif "fault" in line:
            count.faults += 1
        elif "rejected" in line:
            work.rejected = {"stage": line["stage"], "reason": line["rejected"], "text": line["text"]}
            count.rejected += 1
        elif line["stage"] != "certify" or line["made"]["certificate"]["code"] == self._code:
            work.made[line["stage"]] = line["made"]
            count.passed += 1
            if line["stage"] == "certify":
                self._told.setdefault(digest(line["made"]["task"]["instruction"]), work.number)


def failures(works: Mapping[int, Work]) -> Iterator[dict[str, Json]]:
    """Yield what is told of each idea that was rejected."""
    for number in sorted(works):
        if works[number].rejected is not None:
            yield {"seed": number, **works[number].rejected}


def _locked(path: Path) -> BinaryIO:
    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise TaskError(f"another run is writing {str(path)!r}") from error
    file.seek(0)
    return file
