"""How a task of Code-v0 is written down, whoever makes it: what is told, what is shown, what is hidden.

Public: ``language`` (a name on the shelf; Python where it is missing), ``examples``, ``limits``. Hidden: ``tests``
(``{"input", "output"}``, each with ``limits`` of its own if need be), ``checker`` (as `read_checker` reads it, or
``{"kind": "program", "language", "source"}``), ``oracle`` (a solution in the language) and ``mutants`` of it.

A task of a module that tests of pytest judge has ``"kind": "pytest"`` and its ``tests`` as source among what is
hidden; public are the ``module``'s name and, if there are some, ``tests`` that a run may show.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from palestra.envs.actions import function_tool
from palestra.envs.base import Budget, Json, Task
from palestra.envs.code.languages.shelf import find_language

LIMITS: Final[dict[str, Json]] = {"cpu_s": 1.0, "wall_s": 4.0, "memory_mb": 128, "output_kb": 64}
MODULE_LIMITS: Final[dict[str, Json]] = {"cpu_s": 4.0, "wall_s": 12.0, "memory_mb": 256, "output_kb": 256}
PYTEST: Final = "pytest"  # the kind of a task that is a module


def tools_for(title: str) -> tuple[Mapping[str, Json], ...]:
    """Return the tools of a task whose programs are in the language of that title."""
    code = {"code": {"type": "string", "description": f"a whole {title} program"}}
    return (
        function_tool("run", "Run a program on the examples and see what it prints.", code),
        function_tool("submit", "Hand in a program. It is judged on hidden inputs; this ends the episode.", code),
    )


def tools_for_module(module: str) -> tuple[Mapping[str, Json], ...]:
    """Return the tools of a task whose solution is a Python module."""
    code = {"code": {"type": "string", "description": f"the whole of {module}.py"}}
    return (
        function_tool("run", "Load a module and see whether what is asked for is there.", code),
        function_tool("submit", "Hand in a module. It is judged by hidden tests; this ends the episode.", code),
    )


def shown(examples: Sequence[Mapping[str, Json]]) -> str:
    """Return examples as a statement shows them."""
    return "\n\n".join(f"Input:\n{_ended(str(case['input']))}Output:\n{case['output']}".rstrip() for case in examples)


def program_task(
    *,
    name: str,
    seed: int,
    statement: str,
    examples: Sequence[Mapping[str, Json]],
    tests: Sequence[Mapping[str, Json]],
    provenance: Mapping[str, Json],
    language: str = "python",
    limits: Mapping[str, Json] | None = None,
    checker: Json = "lines",
    oracle: str = "",
    mutants: Sequence[str] = (),
    difficulty: Mapping[str, Json] | None = None,
    budget: Budget = Budget(turns=5, seconds=120.0),  # noqa: B008 - frozen
) -> Task:
    """Return a task that a program solves from stdin to stdout.

    Args:
        name: the task's id.
        seed: of its generator, or its number in a set.
        statement: the problem, without examples and without a word on the language.
        examples: inputs and outputs to show and to try programs on.
        tests: those to hide; each may have ``limits`` that override the task's.
        provenance: at least ``template`` and ``split``.
        language: a name on the shelf.
        limits: override `LIMITS`, one by one.
        checker: how outputs are compared.
        oracle: a solution; "" if none is known, and then nothing can be proven of the task.
        mutants: programs that are nearly right and must fail.
        difficulty: its generator's knobs.
        budget: what an episode may use.

    Raises:
        UnknownLanguageError: there is no such language.
        LanguageError: its file cannot be used.
    """
    spoken = find_language(language)
    hidden: dict[str, Json] = {"tests": [dict(case) for case in tests], "checker": checker}
    hidden |= ({"oracle": oracle} if oracle else {}) | ({"mutants": list(mutants)} if mutants else {})
    parts = [f"Write a program in {spoken.title}.", statement.strip(), shown(examples), spoken.prompt]
    return Task(
        id=name,
        family="code",
        seed=seed,
        instruction="\n\n".join(filter(None, parts)),
        difficulty=dict(difficulty or {}),
        tools=tools_for(spoken.title),
        budget=budget,
        public={
            "language": spoken.name,
            "examples": [dict(case) for case in examples],
            "limits": {**LIMITS, **(limits or {})},
        },
        hidden=hidden,
        provenance=dict(provenance),
    )


def module_task(
    *,
    name: str,
    seed: int,
    statement: str,
    module: str,
    tests: str,
    provenance: Mapping[str, Json],
    asked: Sequence[str] = (),
    oracle: str = "",
) -> Task:
    """Return a task that a Python module solves, judged by tests of pytest.

    Args:
        name: the task's id.
        seed: its number in a set.
        statement: the problem.
        module: the name that the tests import.
        tests: their source.
        provenance: at least ``template`` and ``split``.
        asked: names that the module must have, which a run looks for.
        oracle: a solution; "" if none is known.
    """
    looks = "".join(f"\ndef test_{one}_is_there():\n    {module}.{one}\n" for one in asked)
    public: dict[str, Any] = {"language": "python", "module": module, "limits": dict(MODULE_LIMITS)}
    return Task(
        id=name,
        family="code",
        seed=seed,
        instruction=f"Write the Python module {module}.py; hidden tests import it.\n\n{statement.strip()}",
        tools=tools_for_module(module),
        budget=Budget(turns=5, seconds=240.0),
        public=public | ({"tests": f"import {module}\n{looks}"} if looks else {}),
        hidden={"kind": PYTEST, "tests": tests, **({"oracle": oracle} if oracle else {})},
        provenance=dict(provenance),
    )


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
