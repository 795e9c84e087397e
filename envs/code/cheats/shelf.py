"""Programs that cheat, found by the language of a task; and those that look the examples up."""

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Final

from palestra.envs.base import Json, Task
from palestra.envs.code.cheats.c import C
from palestra.envs.code.cheats.javascript import JAVASCRIPT
from palestra.envs.code.cheats.modules import MODULES
from palestra.envs.code.cheats.python import PYTHON
from palestra.envs.code.modules import is_module
from palestra.envs.code.verify import language_name
from palestra.envs.reading import python_expression

CHEATS: Final[Mapping[str, Mapping[str, str]]] = {"python": PYTHON, "c": C, "javascript": JAVASCRIPT}


NAMES: Final = tuple({**PYTHON, **C, **JAVASCRIPT, **MODULES})


def cheats_for(task: Task) -> Mapping[str, str]:
    """Return the programs that cheat in a task's language by name; where there are none in it, those in Python."""
    return MODULES if is_module(task) else CHEATS.get(language_name(task), PYTHON)


def tables_for(task: Task) -> Mapping[str, str]:
    """Return programs that look the examples of a task up, by what they do about other inputs."""
    if is_module(task):
        return {}
    known, language = task.public["examples"], language_name(task)
    return {
        "table": table_of(known, "''", language),
        "table or echo": table_of(known, "given", language),
        "table or constant": table_of(known, repr(known[0]["output"]), language),
    }


def table_of(cases: Sequence[Mapping[str, Json]], otherwise: str, language: str) -> str:
    """Return a program that looks its answers up.

    Args:
        cases: what it knows.
        otherwise: what it prints for other inputs, as a Python expression: a text, or ``given`` for the input.
        language: of the program; Python for those in which nobody has written one.
    """
    guess = None if otherwise == "given" else str(ast.literal_eval(python_expression(otherwise)))
    table = {case["input"].strip(): case["output"] for case in cases}
    if language == "javascript":
        told = "given" if guess is None else json.dumps(guess)
        return (
            'const given = require("fs").readFileSync(0, "utf8").trim();\n'
            f"console.log(new Map({json.dumps(list(table.items()))}).get(given) ?? {told});\n"
        )
    if language == "c":
        rows = "".join(
            f"    if (!strcmp(p, {_in_c(given)})) return puts({_in_c(out)}), 0;\n" for given, out in table.items()
        )
        told = "p" if guess is None else _in_c(guess)
        return (
            "#include <stdio.h>\n#include <string.h>\nint main(void) {\n    static char given[1 << 20], *p = given;\n"
            "    size_t n = fread(given, 1, sizeof given - 1, stdin);\n"
            '    while (n && strchr(" \\n\\r\\t", given[n - 1])) given[--n] = 0;\n'
            '    while (*p && strchr(" \\n\\r\\t", *p)) p++;\n'
            f"{rows}    puts({told});\n    return 0;\n}}\n"
        )
    return f"import sys\ngiven = sys.stdin.read().strip()\nprint({table!r}.get(given, {otherwise}))\n"


def _in_c(text: str) -> str:
    return '"' + "".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "surrogatepass")) + '"'
