"""Tasks that came from elsewhere: those that can be proven get certificates, the others are kept apart.

Three files come of them: the certified tasks; ``NAME.rejected.jsonl`` with those whose certificate failed and why;
and ``NAME.unproven.jsonl`` with those that came without a solution, one plain task a line. Solutions of these can be
judged, but nothing shows that they have any.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from palestra.envs.base import Json, Split, Task, TaskError, digest
from palestra.envs.certify.certificate import Level
from palestra.envs.certify.parallel import in_order
from palestra.envs.certify.task import Certifier
from palestra.envs.registry import EnvEntry, find, make, register
from palestra.envs.rows import json_line
from palestra.envs.taskfile import MAX_TASK_BYTES, write_records
from palestra.sandbox.base import InfraError

_APART = ("rejected", "unproven")


@dataclass(slots=True)
class Tally:
    """What came of the tasks so far."""

    certified: int = 0
    rejected: int = 0
    unproven: int = 0
    faults: int = 0  # of the machine, after which a task was tried again
    newest_reason: str = ""  # why the last of the rejected was


class Assayer:
    """Certifies tasks of one environment; each process has one."""

    def __init__(self, entry: EnvEntry, split: Split, level: Level) -> None:
        register(entry)
        self.env = make(entry.id, split=split, render_mode="ansi")
        self._certifier = Certifier(entry, self.env, level)

    def certify(self, task: Json) -> tuple[Json, tuple[str, ...]]:
        """Return a task's certificate as plain JSON data, and why it failed, if it did.

        Raises:
            InfraError: the machine failed, so nothing is known of the task.
        """
        certificate = self._certifier.certify(Task.from_dict(task))
        faults = [result.detail for result in certificate.results if result.status == "fault"]
        if faults and not all(fault.startswith("VerifierError") for fault in faults):
            raise InfraError(f"task {task['id']!r}: {faults[0]}")
        return certificate.to_dict(), () if certificate.ok else tuple(certificate.failures)

    def close(self) -> None:
        """Close the environment."""
        self.env.close()


def take_in(
    tasks: Iterator[Task],
    out: Path,
    *,
    env_id: str,
    is_solved: Callable[[Task], bool],
    split: Split = "train",
    level: Level = "full",
    workers: int = 1,
    seen: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Write what comes of tasks, in their order, and return how many of each kind there are.

    Args:
        tasks: of the environment, as an importer yields them.
        out: NAME.jsonl or NAME.parquet, for the certified tasks; not written where there are none.
        env_id: the environment.
        is_solved: whether a task has a solution of its own.
        split: the tasks'.
        level: what each is put through.
        workers: how many processes certify; the files are the same for any number.
        seen: called whenever a task is decided.

    Raises:
        TaskError: a file is in the way, or the importer says what is wrong with its own.
        InfraError: the machine failed several times on one task.
        OSError: the files cannot be written.
    """
    entry = find(env_id)
    jobs = (partial(_decided, task.to_dict(), is_solved(task)) for task in tasks)
    with closing(_Ledger(out, seen)) as ledger:
        tally = ledger.tally

        def retried(error: InfraError) -> None:
            tally.faults += 1

        with closing(in_order(partial(Assayer, entry, split, level), jobs, workers, retried)) as decided:
            write_records(ledger.staging["certified"], ledger.sorted_out(decided))
        ledger.publish()
    return tally


class _Ledger:
    """Three files in the making: they appear when all of them are done."""

    def __init__(self, out: Path, seen: Callable[[Tally], None]) -> None:
        self.tally = Tally()
        self._seen = seen
        self._paths = {"certified": out, **{kind: out.with_suffix(f".{kind}.jsonl") for kind in _APART}}
        for path in self._paths.values():
            if path.exists():
                raise TaskError(f"{str(path)!r} is there already; remove it or write to another file")
        self.staging = {kind: path.with_name(f".{path.name}.part{path.suffix}") for kind, path in self._paths.items()}
        self._files = {kind: self.staging[kind].open("w", encoding="ascii") for kind in _APART}

    def sorted_out(self, decided: Iterator[tuple[Json, Json, tuple[str, ...]]]) -> Iterator[tuple[Json, Json]]:
        """Yield the certified tasks and write down the others."""
        told: dict[str, str] = {}
        for task, certificate, reasons in decided:
            other = told.setdefault(digest([task["instruction"], task["tools"]]), task["id"])
            if other != task["id"]:
                reasons = (f"an agent is told the same as in {other!r}",)
            elif len(json_line({"task": task, "certificate": certificate})) > MAX_TASK_BYTES:
                reasons = (f"it has more than {MAX_TASK_BYTES // 2**20} MiB",)
            if reasons:
                self.tally.rejected += 1
                self.tally.newest_reason = f"{task['id']}: {reasons[0]}"
                self._files["rejected"].write(json_line({"task": task, "reasons": list(reasons)}))
            elif certificate is None:
                self.tally.unproven += 1
                self._files["unproven"].write(json_line(task))
            else:
                self.tally.certified += 1
                yield task, certificate
            self._seen(self.tally)

    def publish(self) -> None:
        """Give the files that hold something their names."""
        for kind, path in self._paths.items():
            if kind in self._files:
                self._files[kind].close()
            if getattr(self.tally, kind):
                os.replace(self.staging[kind], path)

    def close(self) -> None:
        """Remove what was not published."""
        for file in self._files.values():
            file.close()
        for path in self.staging.values():
            path.unlink(missing_ok=True)


def _decided(task: Json, is_solved: bool, assayer: Assayer) -> tuple[Json, Json, tuple[str, ...]]:
    """Return a task, its certificate if there can be one, and why it is to be rejected, if it is."""
    certificate, reasons = assayer.certify(task) if is_solved else (None, ())
    return task, certificate, reasons
