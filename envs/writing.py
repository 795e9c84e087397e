"""Shell tasks that a language model writes, as a file of certified tasks.

All that a run does stands in a journal beside the file, with what it has cost; with it a run that was stopped, however
roughly, goes on where it was.
"""

import os
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from palestra.envs.base import Json, Task, TaskError
from palestra.envs.certify.certificate import Level, code_digest
from palestra.envs.certify.declared import declared
from palestra.envs.certify.task import Certifier
from palestra.envs.endpoint import Backend
from palestra.envs.registry import find, make
from palestra.envs.rows import json_line
from palestra.envs.taskfile import write_records
from palestra.envs.terminal.pipeline.journal import Count, Journal, failures
from palestra.envs.terminal.pipeline.run import Order, Run, header
from palestra.sandbox.base import InfraError

ENV_ID: Final = "palestra/Terminal-v0"


@dataclass(slots=True, kw_only=True)
class Written:
    """What a run has come to, earlier ones that it goes on with included."""

    counts: dict[str, Count]  # by stage, in their order
    kept: int = 0
    rejected: int = 0
    undecided: int = 0  # ideas that were begun
    last_fault: str = ""
    reasons: dict[str, str] = field(default_factory=dict)  # by stage, why it rejected the last idea that it did
    files: dict[str, Path] = field(default_factory=dict)  # "tasks", "rejected" and "journal", those that are there

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON data."""
        told = {name: getattr(self, name) for name in ("kept", "rejected", "undecided", "last_fault", "reasons")}
        stages = {stage: count.to_json() for stage, count in self.counts.items()}
        return {**told, "stages": stages, "files": {name: str(path) for name, path in self.files.items()}}


class CertifierGate:
    """Certifies shell tasks, each in an environment of its own, in any thread."""

    def __init__(self, level: Level) -> None:
        self._entry = find(ENV_ID)
        self._level: Level = level
        self._family, self.code = declared(self._entry), code_digest(self._entry.entry_point)
        self._slots = threading.BoundedSemaphore(max(1, len(os.sched_getaffinity(0))))

    def certify(self, task: Task) -> tuple[Json, tuple[str, ...]]:
        """Return a task's certificate as JSON data, and why it does not hold, if so.

        Raises:
            InfraError: the machine failed.
        """
        with self._slots, closing(make(self._entry.id, render_mode="ansi")) as env:
            certificate = Certifier(self._entry, env, self._level, family=self._family).certify(task)
        faults = [result.detail for result in certificate.results if result.status == "fault"]
        if faults and not all(fault.startswith("VerifierError") for fault in faults):
            raise InfraError(f"{task.id}: {faults[0]}")
        return certificate.to_dict(), tuple(certificate.failures)


def write(
    order: Order,
    out: Path,
    *,
    backend: Backend,
    player: Backend,
    n: int,
    most: int,
    concurrency: int = 8,
    resume: bool = False,
    seen: Callable[[Written], None] = lambda written: None,
) -> Written:
    """Write a file of certified tasks that a model wrote, and return what it took.

    What is rejected stands with stage, reason and the model's text in ``NAME.rejected.jsonl`` beside the file. Both are
    written at the end, also where a fault or an interruption is the end.

    Args:
        order: what is asked of the model, and of the tasks.
        out: the file, JSONL or Parquet by its name; there is none where no task was kept.
        backend: the model that writes.
        player: the model that attempts; it may be the same.
        n: stop when so many tasks are kept; a few more may come of what is in work then.
        most: stop when so many ideas were tried.
        concurrency: ideas in work at one time.
        resume: go on with a run that was stopped, or that is to bring more.
        seen: called now and then.

    Raises:
        TaskError: a file is in the way, or of another run.
        InfraError: the server refuses, or server or machine fail again and again; go on with `resume`.
        OSError: the files cannot be written.
    """
    rejects, kept_in = out.with_suffix(".rejected.jsonl"), journal_path(out)
    if not kept_in.exists() and (there := next((path for path in (out, rejects) if path.exists()), None)):
        raise TaskError(f"{str(there)!r} is there already; remove it or write to another file")
    gate = CertifierGate(order.level)
    with closing(Journal(kept_in, header(order, backend, player), gate.code, resume=resume)) as journal:
        run = Run(order, backend, player, gate, journal)
        try:
            run.go(n, most, concurrency, lambda: seen(_written(run)))
        finally:
            _publish(journal, out, rejects)
        written = _written(run)
    paths = {"tasks": out, "rejected": rejects, "journal": kept_in}
    written.files = {name: path for name, path in paths.items() if path.exists()}
    return written


def journal_path(out: Path) -> Path:
    """Return where the journal of a run that writes a file stands."""
    return out.with_name(f"{out.name}.journal")


def _written(run: Run) -> Written:
    works = list(run.journal.works.values())
    return Written(
        counts=run.journal.counts,
        kept=sum(work.is_kept for work in works),
        rejected=sum(work.rejected is not None for work in works),
        undecided=sum(bool(work.made) and not work.is_decided for work in works),
        last_fault=run.last_fault,
        reasons={str(told["stage"]): str(told["reason"]) for told in failures(run.journal.works)},
    )


def _publish(journal: Journal, out: Path, rejects: Path) -> None:
    pairs = [(work.made["certify"]["task"], work.made["certify"]["certificate"]) for work in journal.kept]
    lines = [json_line(line) for line in failures(journal.works)]
    for path, there in ((out, bool(pairs)), (rejects, bool(lines))):
        staging = path.with_name(f".{path.name}.part{path.suffix}")
        if not there:
            path.unlink(missing_ok=True)
            continue
        if path == out:
            write_records(staging, pairs)
        else:
            staging.write_text("".join(lines), encoding="ascii")
        os.replace(staging, path)
