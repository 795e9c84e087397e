"""Files of certified tasks as they are read: a source of tasks, or one clear line that says why not."""

import itertools
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import palestra
from palestra.envs.base import TaskError
from palestra.envs.certify.factory import Order, generate
from palestra.envs.registry import EnvEntry, UnknownEnvError, register
from palestra.envs.rows import json_line
from palestra.envs.taskfile import MAX_TASK_BYTES, StaleTasksWarning, TaskFile, read_records

Line = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    path = tmp_path_factory.mktemp("made") / "tasks.jsonl"
    generate(Order(env_id="palestra/ToolUseMini-v0", level="quick"), 3, path)
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[list[Line]], Path]:
    def write(lines: list[Line]) -> Path:
        path = tmp_path / "tasks.jsonl"
        path.write_text("".join(map(json_line, lines)))
        return path

    return write


def changed(line: Line, part: str, **changes: Any) -> Line:
    return {**line, part: {**line[part], **changes}}


def test_a_file_is_a_source_of_its_tasks(made: list[Line], write: Callable[[list[Line]], Path]) -> None:
    source = TaskFile(write(made))
    ids = [line["task"]["id"] for line in made]
    assert [task.id for task in itertools.islice(source, 5)] == [*ids, *ids[:2]]
    assert (source.sample(7).id, len(source), source.split) == (ids[1], 3, "train")
    assert source.sample(0, {}) == source.sample(0, None)
    for seed in (-1, "0", True, 1.0):
        with pytest.raises(TaskError, match="a seed must be an integer"):
            source.sample(seed)  # type: ignore[arg-type]
    with pytest.raises(TaskError, match="'hops' cannot be set"):
        source.sample(0, {"hops": 1})
    assert pickle.loads(pickle.dumps(source)).sample(1) == source.sample(1)


def test_an_environment_plays_the_tasks_of_a_file(made: list[Line], write: Callable[[list[Line]], Path]) -> None:
    env = palestra.make("ToolUseMini-v0", tasks=TaskFile(write(made)))
    assert env.reset(seed=4)[1]["task_id"] == made[1]["task"]["id"]
    assert env.fork()[0].task == env.task


BAD_SCHEMA = [{"type": "function", "function": {"name": "answer", "parameters": {"type": "strng"}}}]
CHANGES: dict[str, tuple[Callable[[Line], Line], str]] = {
    "another task": (lambda line: changed(line, "task", instruction="Do it."), "was changed since"),
    "failed": (lambda line: changed(line, "certificate", trace=""), "did not pass"),
    "no results": (lambda line: changed(line, "certificate", results=[]), "nothing was shown"),
    "odd result": (lambda line: changed(line, "certificate", results=[3]), "holds no certified task"),
    "odd results": (lambda line: changed(line, "certificate", results=3), "holds no certified task"),
    "odd status": (
        lambda line: changed(line, "certificate", results=[{"name": "x", "status": "fine", "detail": ""}]),
        "'fine'",
    ),
    "unknown field": (lambda line: changed(line, "task", colour=1), "unknown task field 'colour'"),
    "unknown certificate field": (lambda line: changed(line, "certificate", colour=1), "not a certificate"),
    "no certificate": (lambda line: {**line, "certificate": None}, "there is no certificate"),
    "list": (lambda line: {**line, "task": []}, "must be a JSON object, not list"),
    "more": (lambda line: {**line, "more": 1}, "is not of the form"),
    "less": (lambda line: {"task": line["task"]}, "is not of the form"),
    "bad tool": (lambda line: changed(line, "task", tools=BAD_SCHEMA), "'strng' is not valid"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_malformed_record_is_named_by_its_line(
    made: list[Line], write: Callable[[list[Line]], Path], name: str
) -> None:
    change, told = CHANGES[name]
    path = write([made[0], change(made[1])])
    with pytest.raises(TaskError) as refused:
        TaskFile(path)
    assert str(refused.value).startswith(f"line 2 of {str(path)!r}")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def with_digest(line: Line, **changes: Any) -> Line:
    """Return a line whose task was changed and whose certificate is said to be of the changed one."""
    line = changed(line, "task", **changes)
    return changed(line, "certificate", task_digest=palestra.Task.from_dict(line["task"]).digest)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda line: with_digest(line, family="code"), "is of palestra/ToolUseMini-v0 code train, and those before"),
        (lambda line: with_digest(line, provenance={"split": "heldout"}), "ToolUseMini-v0 tooluse heldout, and those"),
        (lambda line: with_digest(line, provenance={}), "names the split None"),
        (lambda line: changed(line, "certificate", env_id="palestra/Code-v0"), "is of palestra/Code-v0 tooluse"),
    ],
)
def test_a_file_holds_tasks_of_one_environment_and_one_split(
    made: list[Line], write: Callable[[list[Line]], Path], change: Callable[[Line], Line], told: str
) -> None:
    with pytest.raises(TaskError) as refused:
        TaskFile(write([made[0], change(made[1])]))
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\n", "line 1 of .* is no JSON"),
        (b'{"task": {"id"', r"line 1 of .* \(cut off\?\) is no JSON"),
        (b"\xff\xfe{}\n", "line 1 of .* is not UTF-8: invalid start byte at byte 0"),
        (b"[" * 100_000 + b"\n", "line 1 of .* is no JSON"),
        (b"[]\n", "line 1 of .* is not of the form"),
        (b" " * (MAX_TASK_BYTES + 1), "line 1 of .* is longer than 16 MiB"),
    ],
)
def test_a_malformed_file_is_told_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(content)
    with pytest.raises(TaskError, match=told) as refused:
        TaskFile(path)
    assert "\n" not in str(refused.value)


def test_a_file_cut_off_is_told_as_such(made: list[Line], write: Callable[[list[Line]], Path]) -> None:
    path = write(made)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TaskError, match=r"line 3 of .* \(cut off\?\) is no JSON"):
        TaskFile(path)


@pytest.mark.parametrize("name", ["none.jsonl", "none.parquet", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(TaskError, match="cannot read the task file"):
        TaskFile(tmp_path / name)


def test_a_parquet_file_of_something_else_is_refused(tmp_path: Path) -> None:
    import pyarrow  # type: ignore[import-untyped]
    import pyarrow.parquet  # type: ignore[import-untyped]

    path = tmp_path / "tasks.parquet"
    path.write_bytes(b"PAR1 and more")
    with pytest.raises(TaskError, match="is no Parquet file of tasks"):
        TaskFile(path)
    for columns, told in [
        ({"colour": ["red"]}, "is no Parquet file of tasks|has no JSON text in its column 'task'"),
        ({"task": [None], "certificate": ["{}"]}, "row 1 of .* has no JSON text in its column 'task'"),
        ({"task": ["{"], "certificate": ["{}"]}, "row 1 of .* is no JSON"),
        ({"task": ["{}"], "certificate": ["{}"]}, "row 1 of .* holds no certified task"),
    ]:
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
        with pytest.raises(TaskError, match=told):
            TaskFile(path)


def test_certificates_of_other_code_draw_a_warning_or_are_refused(
    made: list[Line], write: Callable[[list[Line]], Path]
) -> None:
    path = write([changed(line, "certificate", code="0" * 64) for line in made])
    with pytest.warns(StaleTasksWarning, match="made by other code .*look with: palestra check .* --level full"):
        assert len(TaskFile(path)) == 3
    with pytest.raises(TaskError, match="made by other code"):
        TaskFile(path, strict=True)


def test_the_environment_must_be_registered(made: list[Line], write: Callable[[list[Line]], Path]) -> None:
    with pytest.raises(UnknownEnvError, match="ToolUs-v0"):
        TaskFile(write([changed(line, "certificate", env_id="palestra/ToolUs-v0") for line in made]))
    register(EnvEntry(id="files/Code-v0", entry_point="palestra.envs.code.env:CodeEnv", family="code", summary="x"))
    with pytest.raises(TaskError, match="holds tasks of the family 'tooluse'; files/Code-v0 takes 'code'"):
        TaskFile(write([changed(line, "certificate", env_id="files/Code-v0") for line in made]))


def test_texts_of_every_kind_come_back_as_they_were(made: list[Line], write: Callable[[list[Line]], Path]) -> None:
    odd = with_digest(made[0], instruction="a\u2028b\ud83d \x00\U0001f600\r\n")
    (record,) = read_records(write([odd]))
    assert record.task.instruction == odd["task"]["instruction"]
