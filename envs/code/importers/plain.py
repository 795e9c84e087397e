"""Sets of inputs and outputs, one problem a line::

    {"id": "double", "statement": "Print twice the number.", "tests": [{"input": "3\\n", "output": "6\\n"}, ...]}

Beside these a row may have ``examples`` (as the tests; where they are missing, the first test is shown instead of
being hidden), ``language``, ``checker`` (a name or an object, as tasks have it), ``limits`` (``cpu_s``, ``wall_s``,
``memory_mb``, ``output_kb``; a test may have its own) and ``solution``, without which nothing can be shown of it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from palestra.envs.base import Split, Task, TaskError
from palestra.envs.code.importers.reading import FULL_TEXT, TEXT, Row, read_rows
from palestra.envs.code.judge.bench import is_text
from palestra.envs.code.languages.language import LanguageError
from palestra.envs.code.languages.shelf import UnknownLanguageError
from palestra.envs.code.verify import LIMIT_NAMES, PYTHON, examples, hidden_tests
from palestra.envs.code.writing import program_task
from palestra.rewards.base import VerifierError

_LIMITS: Final = {
    "type": "object",
    "properties": {name: {"type": "number", "exclusiveMinimum": 0} for name in LIMIT_NAMES},
    "additionalProperties": False,
}
_CASES: Final = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["input", "output"],
        "properties": {"input": TEXT, "output": TEXT, "limits": _LIMITS},
        "additionalProperties": False,
    },
}
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "statement", "tests"],
    "properties": {
        "id": FULL_TEXT,
        "statement": FULL_TEXT,
        "tests": _CASES,
        "examples": _CASES,
        "language": FULL_TEXT,
        "checker": {"type": ["string", "object"]},
        "limits": _LIMITS,
        "solution": FULL_TEXT,
    },
    "additionalProperties": False,
}


def read_plain(path: Path, split: Split = "train") -> Iterator[Task]:
    """Yield the tasks of a file.

    Raises:
        TaskError: it cannot be read, or a row makes no sense; the message names file, line and field.
    """
    for row in read_rows(path, _SCHEMA, "id"):
        yield _task(row, split)


def _task(row: Row, split: Split) -> Task:
    fields = row.fields
    tests = fields["tests"]
    shown = fields.get("examples") or tests[:1]
    hidden = tests if "examples" in fields else tests[1:]
    if not hidden:
        raise row.wrong("tests", "there is one, and it would be shown as an example: give another, or 'examples'")
    known = {case["input"] for case in shown}
    if all(case["input"] in known for case in hidden):
        raise row.wrong("tests", "each is an example as well, so a table of the examples would pass")
    try:
        task = program_task(
            name=f"plain/{fields['id']}",
            seed=row.line,
            statement=fields["statement"],
            examples=shown,
            tests=hidden,
            provenance={"template": fields["id"], "split": split, "source": "plain"},
            language=fields.get("language", PYTHON),
            limits=fields.get("limits"),
            checker=fields.get("checker", "lines"),
            oracle=fields.get("solution", ""),
        )
    except (UnknownLanguageError, LanguageError) as error:
        raise row.wrong("language", str(error)) from error
    _check(row, task)
    return task


def _check(row: Row, task: Task) -> None:
    """Refuse what could not be judged."""
    for name in ("statement", "solution"):
        if not is_text(row.fields.get(name, "")):
            raise row.wrong(name, "is no valid Unicode text")
    try:
        examples(task)
        hidden_tests(task)
    except VerifierError as error:
        is_checker = "checker" in str(error) or "tolerance" in str(error)
        raise row.wrong("checker" if is_checker else "limits", str(error)) from error
    except UnicodeError as error:
        raise TaskError(f"{row.file}: line {row.line}: tests: {error}") from error
