"""Task files of every form, and what is refused in one line."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from palestra.envs.base import TaskError
from palestra.envs.certify.factory import Order, generate
from palestra.envs.registry import UnknownEnvError, make
from palestra.envs.verification.tasks import read_task_set

WORD = "toy/Word-v0"
TASKS = [make("palestra/ToolUseMini-v0").tasks.sample(seed).to_dict() for seed in range(2)]
Write = Callable[[str, Any], Path]


def words(n: int) -> list[Any]:
    return [make(WORD).tasks.sample(seed).to_dict() for seed in range(n)]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: Any) -> Path:
        lines = content if name.endswith(".jsonl") and isinstance(content, list) else [content]
        text = content if isinstance(content, str) else "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", ["tasks.json", "tasks.jsonl"])
def test_plain_tasks_are_read_in_their_order(write: Write, name: str) -> None:
    found = read_task_set(write(name, words(3)), WORD)
    assert found.entry.id == WORD
    assert [task.to_dict() for task in found.tasks] == json.loads(json.dumps(words(3)))


def test_one_task_may_stand_alone(write: Write) -> None:
    assert [task.seed for task in read_task_set(write("task.json", words(1)[0]), WORD).tasks] == [0]


@pytest.mark.parametrize("name", ["tasks.jsonl", "tasks.parquet"])
def test_certified_tasks_name_their_environment(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    generate(Order(env_id="palestra/ToolUseMini-v0", level="quick"), 2, path)
    assert [task.to_dict() for task in read_task_set(path).tasks] == [json.loads(json.dumps(task)) for task in TASKS]
    assert read_task_set(path, "ToolUseMini-v0").entry.id == "palestra/ToolUseMini-v0"
    with pytest.raises(TaskError, match=r"is of palestra/ToolUseMini-v0, not of toy/Word-v0"):
        read_task_set(path, WORD)


def test_a_certified_task_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    generate(Order(env_id="palestra/ToolUseMini-v0", level="quick"), 1, path)
    record = json.loads(path.read_text())
    record["task"]["instruction"] += " Please."
    path.write_text(json.dumps(record) + "\n")
    with pytest.raises(TaskError, match="was changed since"):
        read_task_set(path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("tasks.json", "{", "is no JSON"),
        ("tasks.json", "[]", "is empty"),
        ("tasks.jsonl", "", "is empty"),
        ("tasks.json", [1], "task 1 of .* holds no task: a task must be a JSON object"),
        ("tasks.jsonl", [{"id": "a"}], "line 1 of .* holds no task: task field 'family' is missing"),
        ("tasks.json", "[" * 100_000, "is no JSON"),
        ("tasks.json", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "is no JSON"),
        ("tasks.txt", "", "ends in .jsonl, .json or .parquet"),
        ("tasks.json", TASKS, "task 1 of .* is of tooluse, not of toy/Word-v0"),
    ],
)
def test_what_holds_no_tasks_is_refused(write: Write, name: str, content: Any, told: str) -> None:
    with pytest.raises(TaskError, match=told):
        read_task_set(write(name, content), WORD)


def test_two_tasks_of_one_id_are_refused(write: Write) -> None:
    with pytest.raises(TaskError, match=r"task 2 of .* has the id 'word/train/0', and so has task 1"):
        read_task_set(write("tasks.json", [*words(1), *words(1)]), WORD)


def test_where_a_family_has_several_environments_they_are_named(write: Write) -> None:
    with pytest.raises(TaskError, match=re.escape("say of which environment: these are: toy/Word-v0, toy/WordGives")):
        read_task_set(write("tasks.json", words(1)))
    with pytest.raises(TaskError, match="there is none"):
        read_task_set(write("tasks.json", {**words(1)[0], "family": "nobody's"}))
    with pytest.raises(UnknownEnvError):
        read_task_set(write("tasks.json", words(1)), "toy/Wurd-v0")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for name in ("none.json", "none.jsonl", "none.parquet"):
        with pytest.raises(TaskError, match=f"cannot read the task file .*{name}"):
            read_task_set(tmp_path / name)
