"""Folders of Terminal-Bench 1: ``task.yaml``, ``Dockerfile``, ``docker-compose.yaml``, ``run-tests.sh``, ``tests/``.

They are read as the folders of Harbor that mean the same. ``run-tests.sh`` prints what pytest prints, and a task is
done if pytest's short summary says that every test passed: here a test that was skipped, or that was expected to fail,
has not passed, unlike there.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator

from palestra.envs.base import Json, Split, Task, TaskError
from palestra.envs.terminal.formats.folders import read_file, read_folder, read_text
from palestra.envs.terminal.formats.harbor import LeftOut, read_folders
from palestra.envs.terminal.formats.package import Package
from palestra.envs.terminal.tree import File, Tree

SETTINGS: Final = "task.yaml"
_COMPOSE: Final = ("docker-compose.yaml", "docker-compose.yml")
_NOT_BUILT: Final = frozenset({SETTINGS, *_COMPOSE, "solution.sh", "solution.yaml", "run-tests.sh", "tests"})
_MOST_BYTES: Final = 256 * 1024  # of a text that a person wrote
_TEXT: Final = {"type": "string"}
_SECONDS: Final = {"type": "number", "exclusiveMinimum": 0, "maximum": 86_400}
_SCHEMA: Final = Draft202012Validator(
    {
        "type": "object",
        "properties": {
            "instruction": {"type": "string", "minLength": 1},
            "descriptions": {
                "type": "array",
                "items": {"type": "object", "required": ["key", "description"], "properties": {"description": _TEXT}},
            },
            "difficulty": _TEXT,
            "category": _TEXT,
            "tags": {"type": "array", "items": _TEXT},
            "parser_name": {"const": "pytest"},
            "max_agent_timeout_sec": _SECONDS,
            "max_test_timeout_sec": _SECONDS,
            "run_tests_in_same_shell": {"type": "boolean"},
        },
        "anyOf": [{"required": ["instruction"]}, {"required": ["descriptions"]}],
    }
)
_SOLUTION: Final = Draft202012Validator(
    {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["command"],
            "properties": {"command": _TEXT, "append_enter": {"const": True}, "block": {"type": "boolean"}},
        },
    }
)
_USUAL: Final = frozenset(
    ["build", "image", "container_name", "command", "environment", "volumes", "stdin_open", "tty", "init"]
) | {"working_dir"}  # of a service
_BUILT: Final = {"context": (".", "./"), "dockerfile": ("Dockerfile", "./Dockerfile")}
_AGENT_S, _TESTS_S = 360.0, 60.0
_PYTEST: Final = "#!/bin/bash\npytest $TEST_DIR/test_outputs.py -rA\n"  # where a task has no run-tests.sh
_TEST: Final = """#!/bin/bash
# Made of a task of Terminal-Bench: its run-tests.sh, and a reader of what pytest prints.
export TEST_DIR=/tests T_BENCH_TEST_DIR=/tests
mkdir -p /logs/verifier
bash /tests/run-tests.sh >/logs/verifier/output.txt 2>&1
cat /logs/verifier/output.txt
python3 -I /tests/palestra_summary.py /logs/verifier/output.txt >/logs/verifier/reward.txt
"""
_OURS: Final = ("/test.sh", "/palestra_summary.py")


def read_terminal_bench(
    path: Path, split: Split = "train", left_out: LeftOut | None = None, *, in_docker: bool = False
) -> Iterator[Task]:
    """Yield the tasks of a folder that is a task of Terminal-Bench or has some below it, by their paths.

    Args:
        path: the folder.
        split: the tasks'.
        left_out: is told of each task that makes no sense or cannot be played here, instead of raising.
        in_docker: have Docker build every Dockerfile, also those that could do without.

    Raises:
        TaskError: there is none, or one makes no sense; the message names file and field.
    """
    yield from read_folders(path, SETTINGS, read_package, "terminal-bench", split, left_out, in_docker)


def read_package(folder: Path) -> Package:
    """Return the task in a folder, as Harbor would have it.

    Raises:
        TaskError: a file is missing, or makes no sense; the message names it.
    """
    told = _checked(read_yaml(folder / SETTINGS), _SCHEMA, folder / SETTINGS)
    name = re.sub(r"[^\w.-]", "-", folder.resolve().name).strip(".-") or "task"
    environment = read_folder(folder, without=_NOT_BUILT)
    metadata = {field: told[field] for field in ("difficulty", "category", "tags") if field in told}
    metadata |= {
        field: value for field, value in told.items() if field.startswith("author_") and isinstance(value, str)
    }
    settings: dict[str, Json] = {
        "schema_version": "1.4",
        "task": {"name": f"terminal-bench/{name}"},
        "metadata": metadata,
        "agent": {"timeout_sec": float(told.get("max_agent_timeout_sec", _AGENT_S))},
        "verifier": {"timeout_sec": float(told.get("max_test_timeout_sec", _TESTS_S))},
        "environment": _compose(folder, "/Dockerfile" in environment),
    }
    if told.get("run_tests_in_same_shell"):
        settings["verifier"]["environment_mode"] = "shared"
    return Package(
        name=name,
        instruction=_instruction(told, folder),
        settings=settings,
        environment=environment,
        tests=_tests(folder),
        solution=_solution(folder),
    )


def read_yaml(path: Path) -> Json:
    """Return what a YAML file holds.

    Raises:
        TaskError: it cannot be read, is no YAML, refers to parts of itself, or is no JSON data.
    """
    try:
        return yaml.load(read_text(path, most_bytes=_MOST_BYTES), Loader=_PlainLoader)  # a safe loader, made stricter
    except yaml.YAMLError as error:
        raise TaskError(f"{path}: is no YAML: {' '.join(str(error).split()):.300}") from error
    except (RecursionError, ValueError) as error:
        raise TaskError(f"{path}: cannot be read: {error!s:.200}") from error


class _PlainLoader(yaml.SafeLoader):
    """Reads YAML without aliases, by which a small file can mean a huge value, and without dates."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "aliases are not supported", event.start_mark)
        return super().compose_node(parent, index)


_PlainLoader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _checked(value: Json, schema: Draft202012Validator, path: Path) -> Any:
    problem = next(iter(sorted(schema.iter_errors(value), key=lambda one: list(map(str, one.absolute_path)))), None)
    if problem is not None:
        field = ".".join(map(str, problem.absolute_path)) or "the file"
        raise TaskError(f"{path}: {field}: {problem.message:.300}")
    return value


def _instruction(told: Mapping[str, Any], folder: Path) -> str:
    if "instruction" in told:
        return str(told["instruction"])
    for one in told["descriptions"]:
        if one["key"] == "base":
            return str(one["description"])
    raise TaskError(f"{folder / SETTINGS}: descriptions: has none with the key 'base'")


def _tests(folder: Path) -> Tree:
    tests = read_folder(folder / "tests")
    script = folder / "run-tests.sh"
    text = read_text(script, most_bytes=_MOST_BYTES) if script.exists() or script.is_symlink() else _PYTEST
    if taken := [path for path in _OURS if path in tests]:
        raise TaskError(f"{folder / 'tests'}{taken[0]}: has the name of a file that is put there")
    if not tests:
        raise TaskError(f"{folder / 'tests'}: has no test")
    summary = Path(__file__).with_name("summary.py").read_bytes()
    return (
        tests.put("/run-tests.sh", File(text.encode(), 0o755))
        .put("/test.sh", File(_TEST.encode(), 0o755))
        .put("/palestra_summary.py", File(summary))
    )


def _solution(folder: Path) -> Tree:
    script, listed = folder / "solution.sh", folder / "solution.yaml"
    if script.exists() or script.is_symlink():
        return Tree({"/solve.sh": File(read_file(script, most_bytes=_MOST_BYTES), 0o755)})
    if not listed.exists():
        return Tree()
    commands = _checked(read_yaml(listed), _SOLUTION, listed)
    text = "\n".join(["#!/bin/bash", *(one["command"] for one in commands)]) + "\n"
    return Tree({"/solve.sh": File(text.encode(), 0o755)})


def _compose(folder: Path, has_dockerfile: bool) -> dict[str, Json]:
    """Return what the compose file says of the environment, as Harbor would have it.

    Raises:
        TaskError: it asks for more than one plain container.
    """
    path = next((folder / name for name in _COMPOSE if (folder / name).exists()), None)
    if path is None:
        return {}
    told = read_yaml(path)
    services = told.get("services") if isinstance(told, dict) else None
    if not isinstance(services, dict) or list(services) != ["client"] or not isinstance(services["client"], dict):
        others = f", and not {', '.join(map(str, services))}" if isinstance(services, dict) and services else ""
        raise TaskError(f"{path}: services: one container, of the name 'client', is wanted{others:.200}")
    client: dict[str, Any] = services["client"]
    if unknown := sorted({str(key) for key in client} - _USUAL):
        raise TaskError(f"{path}: services.client.{unknown[0]}: cannot be played here")
    volumes = client.get("volumes") or []
    for place in volumes if isinstance(volumes, list) else [volumes]:
        if not str(place).startswith("${T_BENCH"):
            raise TaskError(f"{path}: services.client.volumes: {place!r:.80} cannot be played here")
    _check_build(client.get("build"), path)
    settings: dict[str, Json] = {}
    if env := _variables(client.get("environment") or {}, path):
        settings["env"] = env
    if client.get("working_dir"):
        settings["workdir"] = str(client["working_dir"])
    image = str(client.get("image") or "")
    if not has_dockerfile and image and "${" not in image:
        settings["docker_image"] = image
    return settings


def _check_build(told: Any, path: Path) -> None:
    """Raise TaskError unless what is built is the Dockerfile of the folder, as it is."""
    plain: dict[str, Any] = told if isinstance(told, dict) else {"context": told}
    for key, value in plain.items():
        if value and str(value) not in _BUILT.get(str(key), ()):
            raise TaskError(f"{path}: services.client.build.{key}: {value!r:.80} cannot be played here")


def _variables(told: Any, path: Path) -> dict[str, str]:
    field = f"{path}: services.client.environment"
    if isinstance(told, list):
        told = {one.partition("=")[0]: one.partition("=")[2] for one in told if isinstance(one, str)}
    if not isinstance(told, dict):
        raise TaskError(f"{field}: is no object or list of texts")
    kept = {str(name): "" if value is None else str(value) for name, value in told.items() if str(name) != "TEST_DIR"}
    for name, value in kept.items():
        if "${" in value:
            raise TaskError(f"{field}.{name}: {value!r:.80} asks for a variable of the host's")
    return kept
