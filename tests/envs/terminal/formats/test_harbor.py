"""Folders of Harbor: what is read is what was written, and what is wrong is named by its file."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.envs.terminal.formats.conftest import HELLO, TOML, written

from palestra.envs.base import Task, TaskError
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.formats.harbor import read_harbor, read_package, write_package
from palestra.envs.terminal.formats.package import Package
from palestra.envs.terminal.formats.tasks import package_of, task_of
from palestra.envs.terminal.tree import File, Link, Tree

NAMES = st.from_regex(r"[a-z][a-z0-9_.-]{0,6}", fullmatch=True)
FILES = st.builds(File, st.binary(max_size=20), st.sampled_from([0o644, 0o755, 0o600]))
TREES = st.dictionaries(st.tuples(NAMES, NAMES).map(lambda pair: f"/d-{pair[0]}/{pair[1]}"), FILES, max_size=3).map(
    Tree
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=30).filter(str.strip)
DOCKERFILE = "FROM debian:12\nWORKDIR /app\n"


@st.composite
def packages(draw: st.DrawFn) -> Package:
    return Package(
        name="task",
        instruction=draw(TEXTS),
        settings={
            "schema_version": draw(st.sampled_from(["1.0", "1.1", "1.2", "1.3", "1.4"])),
            "task": {"name": "a/b", "keywords": draw(st.lists(TEXTS, max_size=2))},
            "metadata": draw(st.dictionaries(TEXTS, TEXTS | st.integers(-9, 9) | st.booleans(), max_size=3)),
            "verifier": {
                "timeout_sec": draw(st.floats(1, 600)),
                "env": draw(st.dictionaries(NAMES, NAMES, max_size=2)),
            },
            "environment": {"cpus": 1, "env": {"A": "b"}},
        },
        environment=draw(TREES).put("/Dockerfile", DOCKERFILE),
        tests=draw(TREES).put("/test.sh", File(draw(TEXTS).encode(), 0o755)),
        solution=draw(st.just(Tree()) | TREES.map(lambda tree: tree.put("/solve.sh", "true\n"))),
        beside=draw(TREES).put("/README.md", draw(TEXTS)),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packages())
def test_import_export_import_is_the_same(tmp_path_factory: pytest.TempPathFactory, package: Package) -> None:
    first, second = (tmp_path_factory.mktemp("harbor") / "task" for _ in range(2))
    write_package(package, first)
    read = read_package(first)
    assert read == package
    [task] = read_harbor(first)
    again = Task.from_dict(task.to_dict())  # as it is in a file of tasks
    write_package(package_of(again), second)
    assert read_package(second) == package
    [imported] = read_harbor(second)
    assert imported == task


def test_tasks_are_found_below_a_folder_and_nothing_of_them_is_public(tmp_path: Path) -> None:
    for name in ("b", "a", "deep/c", ".hidden"):
        written(tmp_path / name, HELLO)
    (tmp_path / "linked").symlink_to(tmp_path / "a")
    tasks = list(read_harbor(tmp_path, "heldout"))
    assert [task.id for task in tasks] == [f"terminal/harbor/{name}/heldout/{n}" for n, name in enumerate("abc")]
    shown = str([tasks[0].instruction, tasks[0].tools, tasks[0].public])
    assert "made.txt" not in shown
    assert "$WORD" not in shown


def test_links_in_a_folder_are_kept(tmp_path: Path) -> None:
    folder = written(tmp_path / "a", HELLO)
    (folder / "environment" / "to").symlink_to("given.txt")
    package = read_package(folder)
    assert package.environment["/to"] == Link("given.txt")
    write_package(package, tmp_path / "b" / "a")
    assert read_package(tmp_path / "b" / "a") == package


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("instruction.md", None, "instruction.md: cannot be read"),
        ("instruction.md", " \n", "instruction.md: is empty"),
        ("tests/test.sh", None, "tests/test.sh: is missing"),
        ("environment/Dockerfile", None, "environment/Dockerfile: is missing"),
        ("environment/Dockerfile", "FROM alpine\n", "environment/Dockerfile:1: FROM alpine is none of"),
        ("environment/docker-compose.yaml", "services: {}\n", "environment/docker-compose.yaml: is not supported"),
        ("task.toml", "schema_version = 3\n", "task.toml: schema_version: 3 is not one of"),
        ("task.toml", TOML + "[environment]\ngpus = 1\n", "task.toml: environment.gpus: is not supported"),
        ("task.toml", TOML + "[environment]\nworkdir = 'app'\n", "task.toml: environment.workdir: 'app'"),
        ("task.toml", TOML + "[verifier]\nenv = { K = '${KEY}' }\n", "task.toml: verifier.env.K: '${KEY}' asks for"),
        ("task.toml", TOML + "[verifier]\nuser = 'judge'\n", "task.toml: verifier.user: is not supported"),
        ("task.toml", "artifacts = ['../x']\n" + TOML, "task.toml: artifacts: '../x' is no absolute path"),
        ("task.toml", TOML + "[[steps]]\nname = 'one'\n", "task.toml: steps: tasks of several steps"),
    ],
)
def test_what_is_wrong_is_named_by_its_file(name: str, text: str | None, told: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "hello", HELLO)
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text)
    with pytest.raises(TaskError) as refused:
        list(read_harbor(folder))
    assert told in str(refused.value)
    left_out: list[tuple[Path, str]] = []
    written(tmp_path / "other", HELLO)
    tasks = list(read_harbor(tmp_path, left_out=lambda place, error: left_out.append((place, str(error)))))
    assert [task.provenance["template"] for task in tasks] == ["other"]
    assert [place for place, _ in left_out] == [folder]


def test_a_solution_without_its_script_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "hello", {**HELLO, "solution/other.sh": ""})
    (folder / "solution" / "solve.sh").unlink()
    with pytest.raises(TaskError, match=r"solution/solve\.sh: is missing"):
        read_package(folder)


def test_a_folder_without_tasks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="has no task"):
        list(read_harbor(tmp_path))
    with pytest.raises(TaskError, match="is no folder"):
        list(read_harbor(tmp_path / "nowhere"))


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder = written(tmp_path / "hello", HELLO)
    package = read_package(folder)
    with pytest.raises(TaskError, match="is there already"):
        write_package(package, folder)
    assert task_of(package, number=0, split="train", source="harbor", where="x").hidden["tests"]["mode"] == "separate"


def test_a_folder_is_written_where_it_was_to_be_whatever_lies_beside(tmp_path: Path) -> None:
    package = read_package(written(tmp_path / "hello", HELLO))
    (tmp_path / "elsewhere").mkdir()
    beside = Tree({"/environment": Link(str(tmp_path / "elsewhere"))})
    write_package(replace(package, beside=beside), tmp_path / "out")
    assert read_package(tmp_path / "out").environment == package.environment
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_docker_has_built_is_played_on_docker(env: TerminalEnv, tmp_path: Path) -> None:
    [task] = read_harbor(written(tmp_path / "hello", HELLO))
    for backend in ("", "native", "process"):
        with pytest.raises(TaskError, match="so on docker, not on 'native'"):
            env.reset(options={"task": replace(task, public={**task.public, "image": "task-0", "sandbox": backend})})
    with pytest.raises(TaskError, match="what would be built is 'task-"):
        env.reset(options={"task": replace(task, public={**task.public, "image": "task-0", "sandbox": "docker"})})
