"""A programming language as the judge needs it: how to compile, run, limit, find and describe it.

All of it comes from one YAML file, so that a language is added without a line of Python::

    name: lua
    title: Lua
    file: main.lua
    execute: lua5.4 main.lua
    version: lua5.4 -v
    packages: [lua5.4]
    hello:
      program: |
        print(2 * io.read("n"))
      input: "21\\n"
      output: "42\\n"
    prompt: Read numbers with io.read("n").

Commands are split into words as a shell would, and no shell runs them.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import jsonschema
import jsonschema.exceptions
import yaml

from palestra.sandbox.base import MIB, Limits

MOST_BYTES: Final = 64 * 1024  # of a file
Engine = Literal["command", "python"]


class LanguageError(ValueError):
    """A language's file cannot be used; the message names the file and the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A program that shows that a language works: what it is, reads and must print."""

    program: str
    input: str
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What a language needs for itself, on top of what a task allows its programs."""

    seconds: float = 0.0  # to start: added to the wall clock and the processor time
    memory_mb: int = 0  # added
    processes: int = 1  # at least so many, threads included


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language. Paths may have `*`; they are of the sandbox's system, which is this machine's."""

    name: str
    title: str
    file: str  # where the source goes, in an empty folder
    engine: Engine = "command"  # "python": the sandbox's own warm interpreter, with neither file nor command
    compile: tuple[str, ...] = ()
    execute: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()  # what its programs must be able to read beside shared libraries
    runs: tuple[str, ...] = ()  # what they must be able to run beside the first word of `execute`
    compiling: Limits = field(default_factory=Limits)
    runtime: Runtime = field(default_factory=Runtime)
    version: tuple[str, ...]
    packages: tuple[str, ...] = ()  # of Debian
    hello: Hello
    prompt: str


def load_language(file: Path) -> Language:
    """Return the language in a YAML file.

    Raises:
        LanguageError: the file cannot be read, is no YAML, or a field makes no sense.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise LanguageError(f"{file}: a language's file has at most {MOST_BYTES} bytes")
        fields = yaml.safe_load(data.decode())
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise LanguageError(f"{file}: cannot be read: {' '.join(str(error).split())}") from error
    return read_language(fields, str(file), file.stem)


def read_language(fields: Any, file: str, stem: str) -> Language:
    """Return the language that a file's fields tell.

    Args:
        fields: as YAML reads them.
        file: what errors call the file.
        stem: the file's name without its ending, which must be the language's.

    Raises:
        LanguageError: a field makes no sense.
    """
    _check(fields, file)
    if fields["name"] != stem:
        raise LanguageError(f"{file}: name: the file must be called {fields['name']}.yaml, or the language {stem!r}")
    limits = fields.get("limits", {})
    commands = {name: _words(fields[name], f"{file}: {name}") for name in _COMMANDS if name in fields}
    return Language(
        name=fields["name"],
        title=fields["title"],
        file=fields["file"],
        engine=fields.get("engine", "command"),
        env=fields.get("env", {}),
        reads=tuple(fields.get("reads", ())),
        runs=tuple(fields.get("runs", ())),
        compiling=_compiling(limits.get("compile", {})),
        runtime=Runtime(**limits.get("run", {})),
        packages=tuple(fields.get("packages", ())),
        hello=Hello(**fields["hello"]),
        prompt=fields["prompt"].strip(),
        **commands,
    )


def _check(fields: Any, file: str) -> None:
    error = jsonschema.exceptions.best_match(_VALIDATOR.iter_errors(fields))
    if error is not None:
        place = ".".join(map(str, error.absolute_path)) or "the whole file"
        raise LanguageError(f"{file}: {place}: {error.message:.300}")
    is_command = fields.get("engine", "command") == "command"
    if is_command != ("execute" in fields):
        told = "is missing" if is_command else "goes with 'engine: command' only"
        raise LanguageError(f"{file}: execute: {told}")
    if "compile" in fields and not is_command:
        raise LanguageError(f"{file}: compile: goes with 'engine: command' only")


def _words(text: str, place: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise LanguageError(f"{place}: {text!r} cannot be split into words: {error}") from error
    if not words or not words[0]:
        raise LanguageError(f"{place}: has no words")
    return words


def _compiling(told: Mapping[str, float]) -> Limits:
    seconds, disk = float(told.get("seconds", 30)), int(told.get("disk_mb", 64)) * MIB
    return Limits(
        wall_s=3 * seconds,  # a busy machine is no fault of the program
        cpu_s=seconds,
        memory_bytes=int(told.get("memory_mb", 512)) * MIB,
        processes=int(told.get("processes", 16)),
        file_bytes=disk,
        disk_bytes=disk,
    )


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_COMMANDS: Final = ("compile", "execute", "version")
_TEXT: Final = {"type": "string", "pattern": r"\S"}
_PATHS: Final = {"type": "array", "items": {"type": "string", "pattern": r"^/[^\0]*$"}}
_MB: Final = {"type": "integer", "minimum": 0, "maximum": 16384}
_COUNT: Final = {"type": "integer", "minimum": 1, "maximum": 1024}
_VALIDATOR: Final = jsonschema.Draft202012Validator(
    _object(
        ["name", "title", "file", "version", "hello", "prompt"],
        name={"type": "string", "pattern": "^[a-z][a-z0-9_]{0,31}$"},
        title=_TEXT,
        file={"type": "string", "pattern": r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$"},
        engine={"enum": ["command", "python"]},
        compile=_TEXT,
        execute=_TEXT,
        env={
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
            "additionalProperties": {"type": "string", "pattern": r"^[^\0]*$"},
        },
        reads=_PATHS,
        runs=_PATHS,
        limits=_object(
            [],
            compile=_object(
                [],
                seconds={"type": "number", "exclusiveMinimum": 0, "maximum": 600},
                memory_mb={**_MB, "minimum": 16},
                processes=_COUNT,
                disk_mb={**_MB, "minimum": 1},
            ),
            run=_object([], seconds={"type": "number", "minimum": 0, "maximum": 60}, memory_mb=_MB, processes=_COUNT),
        ),
        version=_TEXT,
        packages={"type": "array", "items": {"type": "string", "pattern": "^[a-z0-9][a-z0-9+.-]+$"}},
        hello=_object(["program", "input", "output"], program=_TEXT, input={"type": "string"}, output=_TEXT),
        prompt=_TEXT,
    )
)
