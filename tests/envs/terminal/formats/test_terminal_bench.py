"""Folders of Terminal-Bench 1 become those of Harbor that mean the same."""

from pathlib import Path

import pytest
from tests.envs.terminal.formats.conftest import BENCH, played, written

from palestra.envs.base import TaskError
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.formats.harbor import read_harbor, write_package
from palestra.envs.terminal.formats.harbor import read_package as read_harbor_package
from palestra.envs.terminal.formats.tasks import package_of
from palestra.envs.terminal.formats.terminal_bench import read_package, read_terminal_bench


def test_it_is_solved_by_its_solution_and_not_by_doing_nothing(env: TerminalEnv, tmp_path: Path) -> None:
    [task] = read_terminal_bench(written(tmp_path / "hello", BENCH))
    assert played(env, task, "oracle").is_success, env.verdict()
    assert played(env, task, "nop").reward == 0.0
    verdict = env.verdict()
    assert verdict is not None
    assert "FAILED ../tests/test_outputs.py::test_hello" in verdict.checks[0].evidence


def test_as_a_folder_of_harbor_it_is_the_same_task(tmp_path: Path) -> None:
    [task] = read_terminal_bench(written(tmp_path / "hello", BENCH))
    write_package(package_of(task), tmp_path / "out" / "hello")
    assert read_harbor_package(tmp_path / "out" / "hello") == read_package(tmp_path / "hello")
    [again] = read_harbor(tmp_path / "out" / "hello")
    assert {**again.hidden, "package": ""} == {**task.hidden, "package": ""}
    assert (again.instruction, again.public) == (task.instruction, task.public)


def test_what_it_says_is_kept(tmp_path: Path) -> None:
    more = BENCH["task.yaml"] + "max_agent_timeout_sec: 99\nmax_test_timeout_sec: 7\nauthor_name: Me\n"
    package = read_package(written(tmp_path / "hello", {**BENCH, "task.yaml": more}))
    assert package.instruction == "Write hello."
    assert package.settings["metadata"] == {"difficulty": "easy", "tags": ["files"], "author_name": "Me"}
    assert (package.settings["agent"], package.settings["verifier"]) == ({"timeout_sec": 99.0}, {"timeout_sec": 7.0})
    assert package.settings["environment"] == {"env": {"WORD": "hello"}}
    assert set(package.environment) == {"/Dockerfile"}


def test_a_solution_can_be_a_list_of_commands(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "hello", {**BENCH, "solution.yaml": "- command: cd /app\n- command: ls\n  block: true\n"}
    )
    (folder / "solution.sh").unlink()
    assert read_package(folder).solution.text("/solve.sh") == "#!/bin/bash\ncd /app\nls\n"


def test_older_tasks_have_descriptions_and_no_script(tmp_path: Path) -> None:
    told = "descriptions:\n  - key: base\n    description: Do it.\nparser_name: pytest\n"
    folder = written(tmp_path / "old", {**BENCH, "task.yaml": told})
    (folder / "run-tests.sh").unlink()
    package = read_package(folder)
    assert package.instruction == "Do it."
    assert "pytest $TEST_DIR" in package.tests.text("/run-tests.sh")


def test_tests_in_the_agents_shell_run_in_its_machine(tmp_path: Path) -> None:
    told = BENCH["task.yaml"] + "run_tests_in_same_shell: true\n"
    [task] = read_terminal_bench(written(tmp_path / "same", {**BENCH, "task.yaml": told}))
    assert task.hidden["tests"]["mode"] == "shared"


BOMB = "a: &a [x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 8)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("task.yaml", BOMB, "task.yaml: is no YAML: aliases are not supported"),
        ("task.yaml", "instruction: [", "task.yaml: is no YAML"),
        ("task.yaml", "instruction: !!python/object/apply:os.system ['true']\n", "task.yaml: is no YAML"),
        ("task.yaml", "- a\n", "task.yaml: the file: ['a'] is not of type 'object'"),
        ("task.yaml", "instruction: 3\n", "task.yaml: instruction: 3 is not of type 'string'"),
        ("task.yaml", "difficulty: easy\n", "task.yaml: the file:"),
        ("task.yaml", "instruction: x\nparser_name: swebench\n", "task.yaml: parser_name: 'pytest' was expected"),
        ("task.yaml", "instruction: x\nmax_test_timeout_sec: soon\n", "task.yaml: max_test_timeout_sec"),
        ("task.yaml", "descriptions: []\n", "task.yaml: descriptions: has none with the key 'base'"),
        ("task.yaml", "x: " + "[" * 3000, "task.yaml:"),
        ("task.yaml", "x: '" + "y" * 300_000, "task.yaml: has 300"),
        ("docker-compose.yaml", "services:\n  client: {}\n  db: {}\n", "is wanted, and not client, db"),
        (
            "docker-compose.yaml",
            "services:\n  client:\n    build: ../other\n",
            "services.client.build.context: '../other'",
        ),
        ("docker-compose.yaml", "services:\n  client:\n    build: {args: {A: 1}}\n", "services.client.build.args"),
        ("docker-compose.yaml", "services:\n  client:\n    build: {dockerfile: Other}\n", "build.dockerfile: 'Other'"),
        ("docker-compose.yaml", "services:\n  client:\n    networks: [a]\n", "services.client.networks: cannot be"),
        (
            "docker-compose.yaml",
            "services:\n  client:\n    privileged: true\n",
            "services.client.privileged: cannot be played",
        ),
        ("docker-compose.yaml", "services:\n  client:\n    volumes: [/:/host]\n", "services.client.volumes: '/:/host'"),
        ("docker-compose.yaml", "services:\n  client:\n    volumes: 3\n", "services.client.volumes: 3"),
        ("docker-compose.yaml", "services:\n  client:\n    environment: 3\n", "services.client.environment"),
        ("docker-compose.yaml", "[]\n", "docker-compose.yaml: services"),
        ("tests/test.sh", "echo 1\n", "tests/test.sh: has the name of a file that is put there"),
        ("solution.yaml", "- 3\n", "solution.yaml: 0: 3 is not of type 'object'"),
        ("solution.yaml", "- {command: vim, append_enter: false}\n", "solution.yaml: 0.append_enter"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_field(name: str, text: str, told: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "hello", {**BENCH, name: text})
    if name == "solution.yaml":
        (folder / "solution.sh").unlink()
    with pytest.raises(TaskError) as refused:
        list(read_terminal_bench(folder))
    assert told in str(refused.value)


def test_a_compose_file_may_say_where_the_shell_begins_and_in_which_image(tmp_path: Path) -> None:
    compose = "services:\n  client:\n    build: .\n    working_dir: /srv/work\n    image: ${T_BENCH_IMAGE}\n"
    [task] = read_terminal_bench(written(tmp_path / "where", {**BENCH, "docker-compose.yaml": compose}))
    assert task.hidden["tests"]["workdir"] == "/srv/work"
    folder = written(tmp_path / "image", {**BENCH, "docker-compose.yaml": "services: {client: {image: 'debian:12'}}\n"})
    (folder / "Dockerfile").unlink()
    package = read_package(folder)
    assert package.settings["environment"] == {"docker_image": "debian:12"}
    [task] = read_terminal_bench(folder)
    assert task.public["image"] == ""
