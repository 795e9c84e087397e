"""What counts as solved: a query whose rows are the reference's on every hidden database.

A program of ours runs it in the sandbox, each time in a process of its own with a database built anew; the rows that
it prints are compared out of its reach.
"""

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from palestra.envs.base import Json, Task
from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import Case, trouble
from palestra.envs.code.judge.exam import Exam, examine
from palestra.envs.sql.results import same_rows
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import MIB, Limits, Python

LIMITS: Final = Limits(
    wall_s=10.0,
    cpu_s=5.0,
    memory_bytes=256 * MIB,
    processes=8,
    file_bytes=1 * MIB,
    disk_bytes=4 * MIB,
    output_bytes=2 * MIB,
)
LEAST: Final = 3  # hidden databases


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query came to on one database: columns and rows, or an error."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class RowsChecker:
    """Accepts a result with the same rows, in the same order where one was asked for."""

    ordered: bool

    def accepts(self, case: Case, printed: bytes) -> bool:
        """Return whether the printed rows are those of the case."""
        wanted, found = json.loads(case.stdout), read(printed)
        return (
            not found.error
            and len(found.columns) == wanted["columns"]
            and same_rows(found.rows, wanted["rows"], ordered=self.ordered)
        )


def judge(bench: Bench, task: Task, sql: str) -> Verdict:
    """Return the verdict on a query: passed only if it is right on every hidden database.

    Raises:
        VerifierError: the task's databases or rows are missing or malformed.
        InfraError: the sandbox failed.
    """
    return examine(bench, _program(sql), exam(task, sql), nonce=task.digest)


def exam(task: Task, sql: str = "") -> Exam:
    """Return the hidden databases with a query as tests.

    Raises:
        VerifierError: they are missing or malformed, or fewer than three.
    """
    tests, schema = task.hidden.get("tests"), task.public.get("schema")
    if not isinstance(tests, list | tuple) or len(tests) < LEAST or not isinstance(schema, str):
        raise VerifierError(f"an SQL task needs a schema and at least {LEAST} hidden tests, not {tests!r:.80}")
    for test in tests:
        if not (
            isinstance(test, Mapping)
            and isinstance(test.get("database"), Mapping)
            and _is_table(test.get("rows"))
            and type(test.get("columns")) is int
        ):
            raise VerifierError(
                f"each hidden test has a 'database', 'rows' and a number of 'columns', not {test!r:.80}"
            )
    cases = tuple(
        Case(
            _asked(schema, test["database"], sql),
            json.dumps({"rows": test["rows"], "columns": test["columns"]}).encode(),
        )
        for test in tests
    )
    return Exam(cases=cases, limits=LIMITS, checker=RowsChecker(bool(task.hidden.get("ordered"))))


def ask(bench: Bench, task: Task, sql: str) -> Answer:
    """Return what a query comes to on the database that the task shows.

    Raises:
        InfraError: the sandbox failed.
    """
    result = bench.run(_program(sql), _asked(task.public["schema"], task.public["database"], sql), LIMITS)
    problem = trouble(result, LIMITS)
    return Answer(error=problem) if problem else read(result.stdout)


def is_right(task: Task, answer: Answer) -> bool:
    """Return whether an answer is what the reference returns on the database that the task shows."""
    wanted, width = task.hidden["shown"], task.hidden["tests"][0]["columns"]
    ordered = bool(task.hidden.get("ordered"))
    return not answer.error and len(answer.columns) == width and same_rows(answer.rows, wanted, ordered=ordered)


def explain(task: Task, check: Check) -> str:
    """Return the database that a check is about and the rows it wants, as JSON; "" if it is about none."""
    if not (found := re.match(r"hidden test (\d+)", check.name)):
        return ""
    test = task.hidden["tests"][int(found[1])]
    return f"database:\n{json.dumps(test['database'])}\nwanted:\n{json.dumps(test['rows'])}"


def read(printed: bytes) -> Answer:
    """Return what the program in the sandbox printed; what it cannot have printed is an error, too."""
    try:
        told = json.loads(printed)
        if "error" in told:
            return Answer(error=str(told["error"]))
        return Answer(tuple(map(str, told["columns"])), tuple(tuple(map(_value, row)) for row in told["rows"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return Answer(error="no result")


def _value(value: Json) -> Any:
    if isinstance(value, dict):
        return bytes.fromhex(value["blob"])
    if isinstance(value, list | bool):
        raise TypeError(f"no value of a row: {value!r:.80}")
    return value


def _is_table(rows: Json) -> bool:
    return isinstance(rows, list | tuple) and all(isinstance(row, list | tuple) for row in rows)


def _asked(schema: str, database: Json, sql: str) -> bytes:
    return json.dumps({"schema": schema, "database": database, "sql": sql}).encode()


def _program(sql: str) -> Program:
    return Program(command=Python(_source()), digest=hashlib.sha256(sql.encode("utf-8", "surrogatepass")).digest())


@functools.cache
def _source() -> str:
    return Path(__file__).with_name("inside.py").read_text(encoding="utf-8")
