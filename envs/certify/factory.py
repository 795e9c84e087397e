"""Tasks made in numbers: only those with a certificate are kept, the others with the reason why not.

What is decided is written to a journal beside the file that is wanted, a line a seed and in the order of seeds, so a
run that was stopped, however roughly, goes on where it was and ends with the same bytes.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any, BinaryIO

from palestra.envs.base import Json, Split, Task, TaskError, digest
from palestra.envs.certify.certificate import Level, code_digest, version
from palestra.envs.certify.parallel import in_order
from palestra.envs.certify.task import Certifier
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, find, make, register
from palestra.envs.rows import json_line
from palestra.envs.taskfile import read_records, write_records
from palestra.sandbox.base import InfraError

MOST_REJECTED = 200  # in a row; then there is nothing more to be had


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What decides which tasks are made; how many of them and by how many processes does not."""

    env_id: str
    split: Split = "train"
    seed: int = 0  # of the first task that is tried
    difficulty: Mapping[str, Json] = field(default_factory=dict)
    level: Level = "full"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one seed: plain JSON data of a task and its certificate, and why they are not to be kept, if so."""

    seed: int
    task: Json
    certificate: Json
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """How far a run is."""

    kept: int = 0
    rejected: int = 0
    resumed: int = 0  # of those kept, by an earlier run
    faults: int = 0  # of the machine, after which a task was tried again
    last_fault: str = ""


class Press:
    """Makes and certifies the tasks of an order; each process has one."""

    def __init__(self, entry: EnvEntry, order: Order) -> None:
        register(entry)
        self.entry, self.order = entry, order
        self.env = open_env(order)
        self.certifier = Certifier(entry, self.env, order.level)

    def attempt(self, seed: int) -> Attempt:
        """Return what comes of a seed.

        Raises:
            InfraError: the machine failed, so nothing is known of it.
        """
        try:
            task = self.env.tasks.sample(seed, self.env.difficulty)
            data = task.to_dict()
            unfit = self._unfit(task, data)
        except InfraError:
            raise
        except MemoryError as error:
            raise InfraError(f"seed {seed}: memory ran out while its task was made") from error
        except Exception as error:  # a family's generator may raise anything
            return Attempt(seed, None, None, (f"the generator raised {error!r}",))
        if unfit:
            return Attempt(seed, data, None, (unfit,))
        certificate = self.certifier.certify(task)
        faults = [result.detail for result in certificate.results if result.status == "fault"]
        if faults and not all(fault.startswith("VerifierError") for fault in faults):
            raise InfraError(f"seed {seed}: {faults[0]}")
        return Attempt(seed, data, certificate.to_dict(), () if certificate.ok else tuple(certificate.failures))

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def _unfit(self, task: Task, data: Json) -> str:
        """Return why a task cannot stand in a file, if it cannot."""
        if task.family != self.entry.family:
            return f"the task is of the family {task.family!r}, not {self.entry.family!r}"
        if task.provenance.get("split") != self.order.split:
            return f"its provenance names the split {task.provenance.get('split')!r}, not {self.order.split!r}"
        if Task.from_dict(json.loads(json_line(data))).digest != task.digest:
            return "the task is another once it was written as JSON and read again"
        return ""


def attempt(seed: int, press: Press) -> Attempt:
    """Return what comes of a seed; a job for `in_order`."""
    return press.attempt(seed)


def open_env(order: Order) -> AgentEnv:
    """Return an environment that makes the order's tasks.

    Raises:
        UnknownEnvError: there is none of that name.
        TaskError: a knob is unknown or out of range.
    """
    env = make(order.env_id, split=order.split, difficulty=dict(order.difficulty), render_mode="ansi")
    try:
        for seed in (order.seed, order.seed + 1, order.seed + 2):
            try:
                env.tasks.sample(seed, env.difficulty)
                break
            except TaskError:  # of one seed it may be said that there is no task, of all it is the knob's
                if seed == order.seed + 2:
                    raise
    except BaseException:
        env.close()
        raise
    return env


def generate(
    order: Order,
    n: int,
    out: Path,
    *,
    workers: int = 1,
    resume: bool = False,
    seen: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Write a file of `n` certified tasks, no two of which an agent could not tell apart, and return the tally.

    The seeds ``order.seed``, ``order.seed + 1``, ... are tried in turn. What is rejected is kept with its reason in
    ``NAME.rejected.jsonl`` beside the file. The file's bytes depend on the order, on `n` and on the code alone.

    Args:
        order: which tasks.
        n: how many.
        out: the file, JSONL or Parquet by its name.
        workers: how many processes make them.
        resume: go on with a run that was stopped; one that is finished stays as it is.
        seen: called whenever a seed is decided.

    Raises:
        TaskError: the order makes no sense, there are not so many tasks to be had, or a file is in the way.
        InfraError: the machine failed several times on one task; what was decided stays decided.
        OSError: the files cannot be written.
    """
    entry = find(order.env_id)
    open_env(order).close()
    if resume and out.exists() and not _journal_path(out).exists():
        return _finished(out, n)
    with closing(Journal(out, {**asdict(order), "env_id": entry.id}, entry, resume)) as journal:
        tally = journal.tally
        tally.resumed = tally.kept

        def retried(error: InfraError) -> None:
            tally.faults, tally.last_fault = tally.faults + 1, str(error)

        seen(tally)
        seeds = count(order.seed + journal.decided)
        jobs = (partial(attempt, seed) for seed in seeds)
        with closing(in_order(partial(Press, entry, order), jobs, workers, retried)) as attempts:
            while tally.kept < n:
                journal.decide(next(attempts))
                seen(tally)
        journal.publish(n)
    return tally


class Journal:
    """What a run has decided, seed by seed, in a file that one process at a time may write.

    Raises:
        TaskError: another run writes it, it is another order's or damaged, or something is in the way.
    """

    def __init__(self, out: Path, order: Mapping[str, Json], entry: EnvEntry, resume: bool) -> None:
        self.out, self.path, self.rejects = out, _journal_path(out), out.with_suffix(".rejected.jsonl")
        self.tally = Tally()
        self.decided = 0
        self._seed = int(order["seed"])
        self._digests: dict[str, str] = {}  # of what an agent is told, and which task tells it
        self._in_a_row: list[str] = []  # the reasons of the newest rejections
        if self.path.exists() and not resume:
            raise TaskError(f"{str(self.path)!r} is of an unfinished run: go on with --resume, or remove it")
        in_the_way = [path for path in (out, self.rejects) if path.exists() and not self.path.exists()]
        if in_the_way:
            raise TaskError(f"{str(in_the_way[0])!r} is there already; remove it or write to another file")
        self._file = _locked(self.path)
        try:
            self._begin({"palestra": version(), "code": code_digest(entry.entry_point), **order})
        except BaseException:
            self._file.close()
            raise

    def decide(self, attempt: Attempt) -> None:
        """Write down what came of the next seed.

        Raises:
            TaskError: so many were rejected in a row that there is nothing more to be had.
        """
        if len(self._in_a_row) >= MOST_REJECTED:
            raise TaskError(
                f"none of the last {MOST_REJECTED} seeds gave another task ({self.tally.kept} are kept); "
                f"the newest reason: {self._in_a_row[-1]}"
            )
        reasons = attempt.reasons or self._known(attempt.task)
        line = {"seed": attempt.seed, "task": attempt.task}
        line |= {"reasons": list(reasons)} if reasons else {"certificate": attempt.certificate}
        self._file.write(json_line(line).encode())
        self._file.flush()
        self._count(line)

    def publish(self, n: int) -> None:
        """Make the file of the first `n` that were kept, and the one of the rejected; then forget the journal."""
        for path, write in ((self.rejects, self._write_rejected), (self.out, self._write_kept)):
            staging = path.with_name(f".{path.name}.part{path.suffix}")
            if write(staging, n):
                os.replace(staging, path)
        self.path.unlink()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _begin(self, header: Mapping[str, Json]) -> None:
        """Read what an earlier run wrote, if there is something; what was torn off is cut off."""
        whole = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                data = json.loads(line)
                known = _differing(data, header) if number == 1 else self._count(data)
            except (ValueError, KeyError, TypeError) as error:
                raise TaskError(f"line {number} of {str(self.path)!r} is damaged ({error}); remove the file") from error
            if known:
                raise TaskError(f"{str(self.path)!r} is of a run {known}; remove it or write to another file")
            whole += len(line)
        self._file.truncate(whole)
        self._file.seek(whole)
        if not whole:
            self._file.write(json_line(header).encode())
            self._file.flush()

    def _count(self, line: Mapping[str, Json]) -> str:
        if line["seed"] != self._seed + self.decided:
            raise ValueError(f"seed {line['seed']} instead of {self._seed + self.decided}")
        self.decided += 1
        if "certificate" in line:
            self._digests[_told(line["task"])] = line["task"]["id"]
            self.tally.kept += 1
            self._in_a_row.clear()
        else:
            self.tally.rejected += 1
            self._in_a_row.append(f"seed {line['seed']}: {line['reasons'][0]}")
        return ""

    def _known(self, task: Json) -> tuple[str, ...]:
        other = self._digests.get(_told(task))
        return () if other is None else (f"an agent is told the same as in {other!r}",)

    def _write_kept(self, path: Path, n: int) -> bool:
        lines = islice((line for line in self._lines() if "certificate" in line), n)
        write_records(path, ((line["task"], line["certificate"]) for line in lines))
        return True

    def _write_rejected(self, path: Path, n: int) -> bool:
        kept = written = 0
        with path.open("w", encoding="ascii", newline="\n") as file:
            for line in self._lines():
                kept += "certificate" in line
                if "reasons" in line and kept < n:
                    written += file.write(json_line(line))
        if not written:
            path.unlink()
        return bool(written)

    def _lines(self) -> Iterator[dict[str, Any]]:
        with self.path.open("rb") as file:
            next(file)
            yield from map(json.loads, file)


def _journal_path(out: Path) -> Path:
    return out.with_name(f"{out.name}.part")


def _locked(path: Path) -> BinaryIO:
    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise TaskError(f"another run is writing {str(path)!r}") from error
    file.seek(0)
    return file


def _differing(header: Mapping[str, Json], wanted: Mapping[str, Json]) -> str:
    """Return what an earlier run was asked otherwise, if anything."""
    for name, value in wanted.items():
        if header[name] != value:
            if name in ("code", "palestra"):
                return f"by other code than the present ({name} {str(header[name])[:12]})"
            return f"with {name}={header[name]!r}, not {value!r}"
    return ""


def _told(task: Mapping[str, Json]) -> str:
    """Return a hash of what an agent is told of a task at its start."""
    return digest([task["instruction"], task["tools"]])


def _finished(out: Path, n: int) -> Tally:
    held = sum(1 for _ in read_records(out))
    if held != n:
        raise TaskError(f"{str(out)!r} is finished and holds {held} tasks, not {n}; write to another file")
    return Tally(kept=held, resumed=held)
