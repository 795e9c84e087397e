"""A file of certified tasks under check: whether what its certificates say holds, for these tasks and this code."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from palestra.envs.base import Task, TaskError, canonical_json, digest
from palestra.envs.certify.certificate import Certificate, Level, code_digest
from palestra.envs.certify.environment import CheckReport
from palestra.envs.certify.findings import CheckResult, Finding, ask
from palestra.envs.certify.parallel import in_order
from palestra.envs.certify.task import Certifier
from palestra.envs.registry import EnvEntry, find, make, register
from palestra.envs.taskfile import Record, read_records, split_of
from palestra.sandbox.base import InfraError


@dataclass(frozen=True, slots=True)
class Recheck:
    """What was found of a file, and its tasks."""

    report: CheckReport
    tasks: tuple[Task, ...]


def recheck(
    path: Path,
    *,
    env_id: str | None = None,
    level: Level = "quick",
    n: int | None = None,
    workers: int = 1,
    seen: Callable[[CheckResult], None] = lambda result: None,
) -> Recheck:
    """Return what every question to a task file found.

    Args:
        path: of a file that `palestra generate` wrote.
        env_id: the environment that its tasks should be of; None for the one that the first names.
        level: "quick" looks at what the certificates say; "full" makes each of them anew and compares.
        n: how many tasks, from the first; None for all.
        workers: how many processes make the certificates.
        seen: called with each result as soon as it is known.

    Raises:
        TaskError: the file cannot be read, is malformed, or is of another environment.
        UnknownEnvError: its environment is not registered.
    """
    records = list(islice(read_records(path), n))
    first = records[0]
    entry = find(env_id or first.certificate.env_id)
    if first.certificate.env_id != entry.id:
        raise TaskError(f"{str(path)!r} holds tasks of {first.certificate.env_id}, not of {entry.id}")
    questions = {
        "source": lambda: _none(_mixed(records, entry), f"{len(records)} tasks of {entry.id}, {split_of(first)}"),
        "digests": lambda: _none(_changed(records), "each certificate is of its task, byte by byte"),
        "passed": lambda: _none(_failed(records), "each certificate says that its task passed"),
        "code": lambda: _none(_stale(records, entry), "each certificate was made by the present code"),
        "distinct": lambda: _none(_repeated(records), "no two tasks are told alike"),
    }
    if level == "full":
        questions["remade"] = lambda: _none(_other(records, entry, workers), "made anew, each certificate is the same")
    results = []
    for name, question in questions.items():
        results.append(ask(name, question))
        seen(results[-1])
    report = CheckReport(
        env_id=entry.id, level=level, n=len(records), splits=(split_of(first),), seed=0, results=tuple(results)
    )
    return Recheck(report, tuple(record.task for record in records))


def _none(problems: Iterator[str], fine: str) -> Finding:
    found = list(problems)
    more = f" (and {len(found) - 1} more)" * (len(found) > 1)
    return Finding(not found, found[0] + more if found else fine, {"problems": list(found[:20])})


def _mixed(records: Sequence[Record], entry: EnvEntry) -> Iterator[str]:
    split = split_of(records[0])
    for record in records:
        known = (record.certificate.env_id, record.task.family, split_of(record))
        if known != (entry.id, entry.family, split):
            yield f"{record.where} is of {' '.join(known)}, not of {entry.id} {entry.family} {split}"


def _changed(records: Sequence[Record]) -> Iterator[str]:
    for record in records:
        if record.certificate.task_digest != record.task.digest:
            yield f"{record.where}: {record.certificate.problem(record.task, record.certificate.code)}"


def _failed(records: Sequence[Record]) -> Iterator[str]:
    for record in records:
        if not record.certificate.ok:
            yield f"{record.where}: {'; '.join(record.certificate.failures) or 'nothing was shown'}"


def _stale(records: Sequence[Record], entry: EnvEntry) -> Iterator[str]:
    code = code_digest(entry.entry_point)
    for record in records:
        if record.certificate.code != code:
            yield f"{record.where}: made by other code ({record.certificate.code[:12]}, now {code[:12]}); generate anew"


def _repeated(records: Sequence[Record]) -> Iterator[str]:
    known: dict[str, str] = {}
    for record in records:
        other = known.setdefault(digest([record.task.instruction, record.task.to_dict()["tools"]]), record.where)
        if other != record.where:
            yield f"{record.where} tells an agent the same as {other}"


def _other(records: Sequence[Record], entry: EnvEntry, workers: int) -> Iterator[str]:
    jobs = (partial(_difference, record) for record in records)
    with closing(in_order(partial(_Bench, entry), jobs, workers)) as differences:
        yield from filter(None, differences)


class _Bench:
    """An environment, and who certifies its tasks; each process has one."""

    def __init__(self, entry: EnvEntry) -> None:
        register(entry)
        self.entry, self.env = entry, make(entry.id, render_mode="ansi")

    def certify(self, task: Task, level: Level, seed: int) -> Certificate:
        return Certifier(self.entry, self.env, level, seed).certify(task)

    def close(self) -> None:
        self.env.close()


def _difference(record: Record, bench: _Bench) -> str:
    """Return how a certificate differs from one made anew; a job for `in_order`."""
    old = record.certificate
    new = bench.certify(record.task, old.level, old.seed)
    if faults := [result.detail for result in new.results if result.status == "fault"]:
        raise InfraError(f"{record.where}: {faults[0]}")
    before, now = old.to_dict(), new.to_dict()
    for name in before:
        if canonical_json(before[name]) != canonical_json(now[name]):
            told = f"; now: {'; '.join(new.failures)}" if new.failures else ""
            return f"{record.where}: made anew, the certificate of {record.task.id!r} has another {name!r}{told}"
    return ""
