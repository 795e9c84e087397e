"""Files of certified tasks: read as a source of tasks, and written.

JSONL holds one ``{"task": {...}, "certificate": {...}}`` a line. Parquet (the extra ``parquet``) holds the same two
as JSON texts, beside the columns task_id, family and split.
"""

import importlib
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import IO, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from palestra.envs.base import SPLITS, Json, Split, Task, TaskError
from palestra.envs.certify.certificate import Certificate, code_digest
from palestra.envs.registry import find
from palestra.envs.rows import ROWS_EACH, json_line, parquet_library

MAX_TASK_BYTES = 16 * 1024 * 1024  # of one task and its certificate
COLUMNS = ("task_id", "family", "split", "task", "certificate")


class StaleTasksWarning(UserWarning):
    """A task file's certificates were made by other code than the present one."""


@dataclass(frozen=True, slots=True)
class Record:
    """A task and what was shown of it; `where` names its place in the file."""

    task: Task
    certificate: Certificate
    where: str = ""


class TaskFile:
    """A file of certified tasks as a `TaskSource`: the task of a seed is number ``seed % len(file)``.

    Every certificate is held against its task when the file is read. One that was made by other code than the
    present draws a `StaleTasksWarning`.

    Args:
        path: of a file that `palestra generate` wrote.
        env_id: the environment that they are to be played in; None for any.
        strict: refuse a file whose certificates were made by other code.

    Raises:
        TaskError: the file cannot be read, is malformed, holds tasks of two environments or splits, or a task's
            certificate does not hold.
        UnknownEnvError: its environment is not registered.
    """

    knobs: Mapping[str, Json] = {}

    def __init__(self, path: Path | str, env_id: str | None = None, *, strict: bool = False) -> None:
        self.path = Path(path)
        self._tasks: list[Task] = []
        codes: set[str] = set()
        for record in read_records(self.path):
            certificate, task = record.certificate, record.task
            if problem := certificate.problem(task, certificate.code):
                raise TaskError(f"{record.where}: {problem}")
            known = (certificate.env_id, task.family, split_of(record))
            if not self._tasks:
                self.env_id, self.family, self.split = known
            elif known != (self.env_id, self.family, self.split):
                here, there = " ".join(known), " ".join((self.env_id, self.family, self.split))
                raise TaskError(f"{record.where} is of {here}, and those before are of {there}; split the file")
            self._tasks.append(task)
            codes.add(certificate.code)
        entry = find(self.env_id)
        if env_id is not None and find(env_id) != entry:
            raise TaskError(f"{str(path)!r} holds tasks of {entry.id}, not of {find(env_id).id}")
        if entry.family != self.family:
            raise TaskError(
                f"{str(path)!r} holds tasks of the family {self.family!r}; {entry.id} takes {entry.family!r}"
            )
        if codes != {code_digest(entry.entry_point)}:
            stale = (
                f"the certificates in {str(path)!r} were made by other code of {entry.id} than the present; "
                f"look with: palestra check {path} --level full, or generate the tasks again"
            )
            if strict:
                raise TaskError(stale)
            warnings.warn(stale, StaleTasksWarning, stacklevel=2)

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        return (self.sample(seed) for seed in count())

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed.

        Raises:
            TaskError: a knob is given, or the seed is no integer of at least 0.
        """
        if difficulty:
            raise TaskError(
                f"the tasks in {str(self.path)!r} have their difficulty: {next(iter(difficulty))!r} cannot be set"
            )
        if type(seed) is not int or seed < 0:
            raise TaskError(f"a seed must be an integer of at least 0, not {seed!r}")
        return self._tasks[seed % len(self._tasks)]


def split_of(record: Record) -> Split:
    """Return the split that a task says it is of.

    Raises:
        TaskError: it says none.
    """
    split = record.task.provenance.get("split")
    for known in SPLITS:
        if split == known:
            return known
    raise TaskError(f"{record.where}: the task's provenance names the split {split!r}, not {' or '.join(SPLITS)}")


def is_task_file(name: str) -> bool:
    """Tell whether a name is that of a task file, there or not."""
    return name.endswith((".jsonl", ".parquet"))


def read_records(path: Path) -> Iterator[Record]:
    """Yield what a task file holds; whether the certificates hold is the caller's to ask.

    Raises:
        TaskError: the file cannot be read or is malformed; the message names the place.
    """
    read = _read_parquet if path.suffix == ".parquet" else _read_lines
    is_empty = True
    try:
        for where, task, certificate in read(path):
            is_empty = False
            yield _record(where, task, certificate)
    except OSError as error:
        raise TaskError(f"cannot read the task file {str(path)!r}: {error.strerror or error}") from error
    if is_empty:
        raise TaskError(f"the task file {str(path)!r} is empty")


def write_records(path: Path, records: Iterable[tuple[Json, Json]]) -> None:
    """Write tasks and their certificates, both as plain JSON data, in the form that the name asks for.

    Raises:
        OSError: the file cannot be written.
        ModuleNotFoundError: Parquet is asked for and pyarrow is not installed.
    """
    if path.suffix == ".parquet":
        _write_parquet(path, records)
        return
    with path.open("w", encoding="ascii", newline="\n") as file:
        for task, certificate in records:
            file.write(json_line({"task": task, "certificate": certificate}))


def check_tools(task: Task) -> None:
    """Refuse a task whose tools' parameters are no JSON Schema.

    Raises:
        TaskError: they are none.
    """
    for tool in task.tools:
        function = tool["function"]
        if problem := _schema_problem(json.dumps(function["parameters"])):
            raise TaskError(f"the tool {function['name']!r}: {problem}")


@lru_cache(maxsize=4096)
def _schema_problem(schema: str) -> str:
    try:
        Draft202012Validator.check_schema(json.loads(schema))
    except SchemaError as error:
        return error.message
    return ""


def _record(where: str, task: Json, certificate: Json) -> Record:
    try:
        if not isinstance(certificate, Mapping):
            raise TaskError("there is no certificate")
        record = Record(Task.from_dict(task), Certificate.from_dict(certificate), where)
        check_tools(record.task)
    except (TaskError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise TaskError(f"{where} holds no certified task: {error}") from error
    return record


def json_lines(path: Path) -> Iterator[tuple[str, Json]]:
    """Yield what the lines of a JSONL file hold, each with words for its place.

    Raises:
        TaskError: a line is too long or no JSON.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file), 1):
            where = f"line {number} of {str(path)!r}"
            if len(line) > MAX_TASK_BYTES:
                raise TaskError(f"{where} is longer than {MAX_TASK_BYTES // 2**20} MiB")
            yield where, _parsed(line, where + (" (cut off?)" if not line.endswith(b"\n") else ""))


def _read_lines(path: Path) -> Iterator[tuple[str, Json, Json]]:
    for where, data in json_lines(path):
        if not isinstance(data, dict) or set(data) != {"task", "certificate"}:
            raise TaskError(f'{where} is not of the form {{"task": {{...}}, "certificate": {{...}}}}')
        yield where, data["task"], data["certificate"]


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines, of one that is too long only the beginning."""
    while line := file.readline(MAX_TASK_BYTES + 1):
        yield line


def _parsed(text: bytes | str, where: str) -> Json:
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise TaskError(f"{where} is not UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{where} is no JSON: {error}") from error


def _read_parquet(path: Path) -> Iterator[tuple[str, Json, Json]]:
    library = parquet_library()
    path.open("rb").close()  # what cannot be opened is told as of any file
    try:
        with library.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=ROWS_EACH, columns=["task", "certificate"]):
                for row in batch.to_pylist():
                    number += 1
                    where = f"row {number} of {str(path)!r}"
                    yield where, *(_parsed(_text(row, name, where), where) for name in ("task", "certificate"))
    except (ValueError, KeyError) as error:  # of which pyarrow's errors are
        if isinstance(error, TaskError):
            raise
        raise TaskError(f"{str(path)!r} is no Parquet file of tasks: {error}") from error


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    text = row.get(name)
    if not isinstance(text, str):
        raise TaskError(f"{where} has no JSON text in its column {name!r}")
    if len(text) > MAX_TASK_BYTES:
        raise TaskError(f"{where} is longer than {MAX_TASK_BYTES // 2**20} MiB")
    return text


def _write_parquet(path: Path, records: Iterable[tuple[Json, Json]]) -> None:
    arrow, library = importlib.import_module("pyarrow"), parquet_library()
    schema = arrow.schema([(name, arrow.string()) for name in COLUMNS])
    with library.ParquetWriter(path, schema) as writer:
        rows: list[tuple[str, ...]] = []

        def flush() -> None:
            columns = [list(column) for column in zip(*rows, strict=True)]
            writer.write_table(arrow.table(columns, schema=schema))
            rows.clear()

        for task, certificate in records:
            texts = (json_line(task).rstrip(), json_line(certificate).rstrip())
            rows.append((task["id"], task["family"], str(task["provenance"].get("split")), *texts))
            if len(rows) == ROWS_EACH:
                flush()
        if rows:
            flush()
