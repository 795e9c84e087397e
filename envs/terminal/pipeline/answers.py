"""What a model answers, read as data: each stage's object with all that can be said of it without a machine."""

import base64
import posixpath
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from palestra.envs.base import Json, canonical_json
from palestra.envs.terminal.predicates import RUNNING, check_predicate
from palestra.envs.terminal.step import HOME
from palestra.envs.terminal.tree import File, Tree
from palestra.rewards.base import VerifierError

STEPS: Final = range(1, 5)
WRONG: Final = range(1, 4)  # variants of a step
_TASK_CHARS: Final = range(80, 6001)
_TRUTH_CHARS: Final = 20_000
_BASH_CHARS: Final = 12_000
_FILES, _FILE_BYTES, _ALL_BYTES = 200, 256 * 1024, 1024 * 1024
_CHECKS, _CHECK_CHARS, _CASES, _SERVICES = 30, 60_000, 20, 3
_PATTERN_CHARS: Final = 500
_LEAST_TOLD: Final = 40  # characters of a line of the solution that no task's text has by chance
_MARKUP: Final = re.compile(
    r"<\|[\w ]{1,40}\|>|</?(?:tool_call|tool_response|think|system|assistant|user)>|\[/?INST\]", re.I
)
_ORDERS: Final = re.compile(
    r"\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+|the\s+|your\s+)*(?:previous|prior|earlier|above|preceding)\b"
    r"|\byou are now\b|\b(?:system|developer)\s+(?:prompt|message)\b|\bas an ai\b",
    re.I,
)


class Refused(ValueError):
    """An answer is not what was asked for; the text says why, so that its author can mend it."""


@dataclass(frozen=True, slots=True)
class Description:
    """A task in words."""

    title: str
    text: str
    truth: str  # what only the author knows

    @classmethod
    def read(cls, told: Mapping[str, Json]) -> "Description":
        """Return what a model described.

        Raises:
            Refused: it is none, or no text to put before an agent.
        """
        title, text, truth = (_text(told, name) for name in ("title", "task", "truth"))
        if len(text.strip()) not in _TASK_CHARS:
            raise Refused(f"a task's text has {_TASK_CHARS[0]} to {_TASK_CHARS[-1]:,} characters, not {len(text)}")
        if not truth.strip() or len(truth) > _TRUTH_CHARS:
            raise Refused(f"truth has 1 to {_TRUTH_CHARS:,} characters, not {len(truth)}")
        for pattern in (_MARKUP, _ORDERS):
            if found := pattern.search(text) or pattern.search(title):
                raise Refused(f"{found.group()!r} in a task's text speaks to a model and not about the task")
        if odd := next((sign for sign in text + title if _is_odd(sign)), None):
            raise Refused(f"a task's text has the character {odd!a}")
        return cls(title.strip()[:120], text.strip(), truth.strip())


@dataclass(frozen=True, slots=True)
class Layout:
    """A machine's start as it was declared."""

    files: Tree
    setup: str
    services: tuple[dict[str, str], ...]
    initial: tuple[Json, ...]  # predicates that hold at the start

    @classmethod
    def read(cls, told: Mapping[str, Json]) -> "Layout":
        """Return what a model declared.

        Raises:
            Refused: something in it is malformed, too large or out of place.
        """
        files = told.get("files", {})
        if not isinstance(files, Mapping) or len(files) > _FILES:
            raise Refused(f"files is an object of at most {_FILES} paths")
        tree = Tree({_place(path): _file(path, node) for path, node in files.items()})
        if sum(len(node.data) for node in tree.values() if isinstance(node, File)) > _ALL_BYTES:
            raise Refused(f"all files together have at most {_ALL_BYTES:,} bytes")
        if inside := next((path for path in tree if any(path.startswith(f"{other}/") for other in tree)), None):
            raise Refused(f"{inside} is below what is a file")
        services = told.get("services", [])
        if not isinstance(services, Sequence) or isinstance(services, str) or len(services) > _SERVICES:
            raise Refused(f"services is a list of at most {_SERVICES}")
        setup = bash(told.get("setup", ""), "setup", may_be_empty=True)
        if not tree and not setup:
            raise Refused("there is neither a file nor a setup: a task begins with something")
        initial = predicates(told.get("initial"), 0, "initial")
        return cls(tree, setup, tuple(_service(one) for one in services), tuple(initial))


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a task: what it must leave, what does it, and what almost does."""

    what: str
    checks: tuple[Json, ...]
    solve: str
    wrong: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Exam:
    """What decides whether a task is done, and its author's solution."""

    steps: tuple[Step, ...]
    changes: tuple[str, ...]  # files and folders of the start that may be other afterwards

    @classmethod
    def read(cls, told: Mapping[str, Json], text: str) -> "Exam":
        """Return what a model wrote for the task of that text.

        Raises:
            Refused: something in it is malformed, or the text gives the solution away.
        """
        steps = told.get("steps")
        if not isinstance(steps, Sequence) or isinstance(steps, str) or len(steps) not in STEPS:
            raise Refused(f"steps is a list of {STEPS[0]} to {STEPS[-1]}")
        read = tuple(_step(one, number) for number, one in enumerate(steps))
        changes = told.get("changes", [])
        if not isinstance(changes, Sequence) or isinstance(changes, str) or len(changes) > _FILES:
            raise Refused("changes is a list of paths")
        for line in (line.strip() for step in read for line in step.solve.splitlines()):
            if len(line) >= _LEAST_TOLD and line in text:
                raise Refused(f"the task's text tells the solution: {line[:120]!r}")
        return cls(read, tuple(_place(path, may_be_home=True) for path in changes))

    @property
    def checks(self) -> list[Json]:
        """All predicates."""
        return [check for step in self.steps for check in step.checks]


def predicates(told: Json, group: int, where: str) -> list[Json]:
    """Return a list of predicates of one group.

    Raises:
        Refused: there is none, or one is malformed, too large, or about what is not below `HOME`.
    """
    if not isinstance(told, Sequence) or isinstance(told, str) or not 1 <= len(told) <= _CHECKS:
        raise Refused(f"{where}: a list of 1 to {_CHECKS} predicates is needed")
    return [_predicate(one, group, f"{where}, predicate {number}") for number, one in enumerate(told, 1)]


def bash(told: Json, where: str, *, may_be_empty: bool = False) -> str:
    """Return lines of bash that can be typed at a prompt.

    Raises:
        Refused: they cannot.
    """
    if not isinstance(told, str) or not (may_be_empty or told.strip()):
        raise Refused(f"{where} is lines of bash, not {told!r:.60}")
    if len(told) > _BASH_CHARS:
        raise Refused(f"{where} has {len(told):,} characters, and may have {_BASH_CHARS:,}")
    if odd := next((sign for sign in told if sign not in "\n\t" and unicodedata.category(sign) in ("Cc", "Cs")), None):
        raise Refused(f"{where} has the character {odd!a}, which cannot be typed")
    return told.strip("\n")


def _step(told: Json, number: int) -> Step:
    where = f"step {number + 1}"
    if not isinstance(told, Mapping):
        raise Refused(f"{where} is an object, not {told!r:.60}")
    wrong = told.get("wrong")
    if not isinstance(wrong, Mapping) or len(wrong) not in WRONG:
        raise Refused(f"{where}: wrong is an object of {WRONG[0]} to {WRONG[-1]} ways to do it almost right")
    return Step(
        what=_text(told, "what")[:200],
        checks=tuple(predicates(told.get("checks"), number, where)),
        solve=bash(told.get("solve"), f"{where}: solve"),
        wrong={str(name)[:80]: bash(one, f"{where}: wrong {name!r:.40}") for name, one in wrong.items()},
    )


def _predicate(told: Json, group: int, where: str) -> Json:
    if not isinstance(told, Mapping):
        raise Refused(f"{where} is an object, not {told!r:.60}")
    asked = {**told, "group": group}
    try:
        check_predicate(asked)
        size = len(canonical_json(asked))
    except (VerifierError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"{where}: {error}") from error
    if size > _CHECK_CHARS:
        raise Refused(f"{where} has more than {_CHECK_CHARS:,} characters")
    for path in asked["files"] if asked["kind"] in RUNNING else [asked["path"]]:
        _place(path, may_be_home=True)
    if len(str(asked.get("matches", ""))) > _PATTERN_CHARS:
        raise Refused(f"{where}: a pattern has at most {_PATTERN_CHARS} characters")
    if asked["kind"] in RUNNING:
        _check_running(asked, where)
    return asked


def _check_running(asked: Mapping[str, Any], where: str) -> None:
    """Refuse what would be read on this side as what it is not."""
    if not all(isinstance(word, str) and "\0" not in word for word in asked["command"]):
        raise Refused(f"{where}: a command is a list of words")
    seconds = asked.get("seconds", 1)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= 20:
        raise Refused(f"{where}: seconds are more than 0 and at most 20, not {seconds!r:.40}")
    if len(asked["cases"]) > _CASES:
        raise Refused(f"{where}: there are at most {_CASES} cases")
    if asked["kind"] == "listens" and (type(asked["port"]) is not int or not 1024 <= asked["port"] < 65536):
        raise Refused(f"{where}: a port is a number from 1024 to 65535")
    if asked.get("compare", "lines") not in ("exact", "lines", "tokens", "unordered_lines", "floats"):
        raise Refused(f"{where}: there is no comparison {asked['compare']!r:.40}")
    for case in asked["cases"]:
        for name, value in case.items():
            if name not in _CASE or not _CASE[name](value):
                raise Refused(f"{where}: {name!r:.40} of a case cannot be {value!r:.60}")


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_exit(value: Json) -> bool:
    return type(value) is int and 0 <= value < 256


def _is_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and "\0" not in one for one in value)


def _is_files(value: Json) -> bool:
    return isinstance(value, dict) and all(
        path.startswith("/") and posixpath.normpath(path) == path and isinstance(text, str)
        for path, text in value.items()
    )


_CASE: Final[Mapping[str, Callable[[Json], bool]]] = {  # `matches` would be matched on this side, however long it takes
    **dict.fromkeys(("stdin", "stdout", "send", "equals", "contains"), _is_text),
    "args": _is_texts,
    **dict.fromkeys(("files", "makes"), _is_files),
    "exit": _is_exit,
}


def _service(told: Json) -> dict[str, str]:
    if not isinstance(told, Mapping) or not set(told) <= {"run", "ready"}:
        raise Refused(f"a service is an object with run and ready, not {told!r:.60}")
    return {"run": bash(told.get("run"), "run"), "ready": bash(told.get("ready"), "ready")}


def _file(path: Json, node: Json) -> File:
    told: Mapping[str, Json] = {"text": node} if isinstance(node, str) else node
    if not isinstance(told, Mapping) or not set(told) <= {"text", "base64", "mode"}:
        raise Refused(f"{path!r:.80}: a file is a text, or an object with text or base64, and mode")
    try:
        data = told["text"].encode() if "text" in told else base64.b64decode(told["base64"], validate=True)
        mode = told.get("mode", "0644")
        if not isinstance(mode, str) or not re.fullmatch(r"0?[0-7]{3}", mode):
            raise ValueError(f"a mode is octal, such as '0644', not {mode!r:.20}")
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise Refused(f"{path!r:.80}: {type(error).__name__} {error}") from error
    if len(data) > _FILE_BYTES:
        raise Refused(f"{path!r:.80}: a file has at most {_FILE_BYTES:,} bytes")
    return File(data, int(mode, 8))


def _place(path: Json, *, may_be_home: bool = False) -> str:
    """Return a path below `HOME`."""
    if isinstance(path, str) and may_be_home and path.rstrip("/") == HOME:
        return HOME
    if not isinstance(path, str) or not path.startswith(f"{HOME}/") or any(map(_is_odd, path)) or "\n" in path:
        raise Refused(f"a path is absolute and below {HOME}, not {path!r:.80}")
    if posixpath.normpath(path) != path.rstrip("/") or len(path) > 400:
        raise Refused(f"a path is in its shortest form, unlike {path!r:.80}")
    return path.rstrip("/")


def _text(told: Mapping[str, Json], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise Refused(f"{name} is a text, not {value!r:.60}")
    return value


def _is_odd(sign: str) -> bool:
    """Tell whether a character is one that people do not see, or that drives a terminal."""
    return sign not in "\n\t" and unicodedata.category(sign) in ("Cc", "Cs", "Cf", "Co")
