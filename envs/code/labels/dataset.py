"""Data sets of labelled programs: from tasks to rows, written as JSONL or Parquet, with counts."""

import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from palestra.envs.base import Json, Task
from palestra.envs.code.draws import Draws
from palestra.envs.code.labels.labelling import GOOD, Labelled, Labeller
from palestra.envs.rows import ROWS_EACH, json_line, parquet_library
from palestra.rewards.base import Verdict, VerifierError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many candidates a task gets, beside its reference."""

    single: int = 24  # with one change, drawn from all of the reference's
    several: int = 6  # with two or three
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.single, self.several) < 0:
            raise ValueError(f"the numbers of candidates are from 0 on, not {self.single!r} and {self.several!r}")


@dataclass(slots=True)
class Counts:
    """What became of tasks and lines."""

    tasks: int = 0
    left_out: dict[str, str] = field(default_factory=dict)  # tasks without labels, by id, and why
    programs: int = 0
    passed: int = 0
    runs: int = 0  # programs that were judged
    lines: Counter[tuple[str, str]] = field(default_factory=Counter)  # changed lines by kind of change and label
    prefixes: Counter[str] = field(default_factory=Counter)  # by label

    def add(self, row: Labelled) -> None:
        """Count a row; its changed lines only where it has one change, whose kind they are of."""
        self.programs += 1
        self.passed += row.passed
        self.prefixes.update(line.prefix for line in row.lines if line.prefix)
        if len(row.kinds) == 1:
            self.lines.update((row.kinds[0], line.label) for line in row.lines if line.is_changed)

    def by_kind(self) -> dict[str, tuple[int, int]]:
        """Return, for each kind of change, how many changed lines are good and how many bad."""
        kinds = sorted({kind for kind, _ in self.lines})
        return {kind: (self.lines[kind, GOOD], self.lines[kind, "bad"]) for kind in kinds}

    def to_json(self) -> dict[str, Json]:
        """Return the counts as plain data."""
        return {
            "tasks": self.tasks,
            "left_out": dict(self.left_out),
            "programs": self.programs,
            "passed": self.passed,
            "runs": self.runs,
            "prefixes": dict(sorted(self.prefixes.items())),
            "changed_lines": {kind: {"good": good, "bad": bad} for kind, (good, bad) in self.by_kind().items()},
        }


def labelled(
    tasks: Iterable[Task], judge: Callable[[Task, str], Verdict], wanted: Wanted, counts: Counts
) -> Iterator[Labelled]:
    """Yield rows: of each task the reference, then candidates with one change, then some with several.

    Args:
        tasks: what is labelled; those without a reference that can be changed, or whose reference fails, are left out.
        judge: as `CodeEnv.judge`.
        wanted: how many candidates.
        counts: what is counted, as rows are yielded.

    Raises:
        InfraError: the sandbox failed.
    """
    for task in tasks:
        try:
            labeller = Labeller(task, judge)
            whole = labeller.label()
            if not whole.passed:
                raise VerifierError(f"its reference fails its tests: {whole.evidence}")
        except VerifierError as error:
            counts.left_out[task.id] = str(error)
            continue
        counts.tasks += 1
        draws = Draws(task.digest, wanted.seed, "labels")
        single = [(way,) for way in draws.shuffled(labeller.reference.ways)[: wanted.single]]
        several = [labeller.several(draws, 2 + number % 2) for number in range(wanted.several)]
        for changes in [(), *single, *dict.fromkeys(chosen for chosen in several if len(chosen) > 1)]:
            row = labeller.label(changes)
            counts.add(row)
            yield row
        counts.runs += labeller.runs


def write(path: Path, rows: Iterable[Labelled]) -> None:
    """Write rows as JSONL or, where the name ends in .parquet, as Parquet with nested columns.

    Raises:
        OSError: the file cannot be written.
        ModuleNotFoundError: Parquet is asked for and pyarrow is not installed.
    """
    if path.suffix == ".parquet":
        _write_parquet(path, rows)
        return
    with path.open("w", encoding="ascii", newline="\n") as file:
        for row in rows:
            file.write(json_line(row.to_json()))


def _write_parquet(path: Path, rows: Iterable[Labelled]) -> None:
    arrow, library = importlib.import_module("pyarrow"), parquet_library()
    text, truth = arrow.string(), arrow.bool_()
    line = arrow.struct([("text", text), ("label", text), ("is_changed", truth), ("prefix", text)])
    columns = {"task": text, "digest": text, "language": text, "kinds": arrow.list_(text), "passed": truth}
    columns |= {"evidence": text, "program": text, "lines": arrow.list_(line)}
    schema = arrow.schema(list(columns.items()))
    with library.ParquetWriter(path, schema) as writer:
        held: list[dict[str, Json]] = []
        for row in rows:
            held.append(row.to_json())
            if len(held) == ROWS_EACH:
                writer.write_table(arrow.Table.from_pylist(held, schema=schema))
                held.clear()
        if held:
            writer.write_table(arrow.Table.from_pylist(held, schema=schema))
