"""``task.toml`` of Harbor: its fields and their types, read and written."""

import datetime
import json
import math
import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator

from palestra.envs.base import Json, TaskError

VERSIONS: Final = ("1.0", "1.1", "1.2", "1.3", "1.4")
_MOST_DEEP: Final = 16
_TEXT: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}
_SECONDS: Final = {"type": "number", "exclusiveMinimum": 0, "maximum": 86_400}
_COUNT: Final = {"type": "number", "minimum": 0}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_VARIABLES: Final = {"type": "object", "additionalProperties": _TEXT}
_NETWORK: Final = {"enum": ["no-network", "public", "allowlist"]}
_USER: Final = {"type": ["string", "integer"]}


def _table(**fields: Json) -> dict[str, Json]:
    return {"type": "object", "properties": fields}


_ENVIRONMENT: Final = _table(
    build_timeout_sec=_SECONDS, docker_image=_TEXT, os=_TEXT, cpus=_COUNT, memory_mb=_COUNT, storage_mb=_COUNT,
    memory=_TEXT, storage=_TEXT, gpus=_COUNT, gpu_types=_TEXTS, allow_internet=_FLAG, network_mode=_NETWORK,
    allowed_hosts=_TEXTS, env=_VARIABLES, healthcheck={"type": "object"}, workdir=_TEXT,
    mcp_servers={"type": "array", "items": {"type": "object"}}, skills_dir=_TEXT,
)  # fmt: skip
_VERIFIER: Final = _table(
    timeout_sec=_SECONDS, env=_VARIABLES, user=_USER, network_mode=_NETWORK,
    environment_mode={"enum": ["shared", "separate"]}, environment=_ENVIRONMENT,
    collect={"type": "array", "items": {"type": "object"}},
)  # fmt: skip
_AGENT: Final = _table(timeout_sec=_SECONDS, user=_USER, network_mode=_NETWORK)
_ARTIFACT: Final = {
    "anyOf": [_TEXT, {"type": "object", "required": ["source"], "properties": {"source": _TEXT, "destination": _TEXT}}]
}
_SCHEMA: Final = Draft202012Validator(
    _table(
        schema_version={"enum": [*VERSIONS]},
        version={"enum": [*VERSIONS]},
        task={
            **_table(
                name={"type": "string", "pattern": r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$"}, description=_TEXT,
                authors={"type": "array"}, keywords=_TEXTS,
            ),
            "required": ["name"],
        },
        metadata={"type": "object"},
        agent=_AGENT,
        verifier=_VERIFIER,
        environment=_ENVIRONMENT,
        solution=_table(env=_VARIABLES),
        steps={
            "type": "array",
            "items": {**_table(name=_TEXT, min_reward={}, agent=_AGENT, verifier=_VERIFIER), "required": ["name"]},
        },
        multi_step_reward_strategy={"enum": ["mean", "final"]},
        artifacts={"type": "array", "items": _ARTIFACT},
        source=_TEXT,
    )
)  # fmt: skip


def read_settings(text: str, where: str) -> dict[str, Json]:
    """Return what a ``task.toml`` says, as JSON data; dates become texts, and unknown fields are kept.

    Raises:
        TaskError: it is no TOML, or a field has the wrong type; the message names file and field.
    """
    try:
        told = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TaskError(f"{where}: is no TOML: {error}") from error
    settings: dict[str, Json] = _as_json(told, where, "", 0)
    check_settings(settings, where)
    return settings


def check_settings(settings: Mapping[str, Json], where: str) -> None:
    """Raise TaskError where a field is of the wrong type; the message names it."""
    problem = next(iter(sorted(_SCHEMA.iter_errors(settings), key=lambda one: list(map(str, one.absolute_path)))), None)
    if problem is not None:
        field = ".".join(map(str, problem.absolute_path)) or "the file"
        raise TaskError(f"{where}: {field}: {problem.message:.300}")


def write_settings(settings: Mapping[str, Json]) -> str:
    """Return the text of a ``task.toml``."""
    lines: list[str] = []
    _write_table(settings, (), lines)
    return "\n".join(lines).strip("\n") + "\n"


def _as_json(value: Any, where: str, field: str, depth: int) -> Json:
    if depth > _MOST_DEEP:
        raise TaskError(f"{where}: {field}: is nested more than {_MOST_DEEP} deep")
    if isinstance(value, dict):
        return {name: _as_json(one, where, f"{field}.{name}".strip("."), depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_json(one, where, field, depth + 1) for one in value]
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise TaskError(f"{where}: {field}: {value} is no finite number")
    return value


def _write_table(table: Mapping[str, Json], at: tuple[str, ...], lines: list[str]) -> None:
    below = {name: value for name, value in table.items() if isinstance(value, Mapping) or _is_tables(value)}
    lines += [f"{_key(name)} = {_inline(value)}" for name, value in table.items() if name not in below]
    for name, value in below.items():
        place = (*at, name)
        header = ".".join(map(_key, place))
        for one in [value] if isinstance(value, Mapping) else value:
            lines += ["", f"[{header}]" if isinstance(value, Mapping) else f"[[{header}]]"]
            _write_table(one, place, lines)


def _is_tables(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _inline(value: Json) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_inline(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if re.search(r"[.e]", repr(value)) else f"{value!r}.0"
    return str(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
