"""Tasks that a Python module solves: tests of pytest judge it, in a process where its code never runs."""

import ast
from typing import Final

from palestra.envs.base import Task
from palestra.envs.code.judge.pytest_exam import PytestBench
from palestra.envs.code.verify import PYTHON, language_name, limits_of
from palestra.envs.code.writing import PYTEST
from palestra.envs.reading import python_tree
from palestra.rewards.base import Check, Verdict, VerifierError

CANARY: Final = "a test that must fail"  # a check of the judge's own, beside those of the tests


def is_module(task: Task) -> bool:
    """Tell whether a task is solved by a module, and not by a program.

    Raises:
        VerifierError: its kind is unknown.
    """
    kind = task.hidden.get("kind")
    if kind not in (None, PYTEST):
        raise VerifierError(f"a code task's kind is {PYTEST!r}, or it has none, unlike {kind!r:.80}")
    return kind == PYTEST


def module_name(task: Task) -> str:
    """Return the name by which the tests import the module.

    Raises:
        VerifierError: it is none.
    """
    name = task.public.get("module", "solution")
    if not isinstance(name, str) or not name.isidentifier():
        raise VerifierError(f"a code task's module is an identifier, not {name!r:.80}")
    return name


def check_module_task(task: Task) -> None:
    """Refuse a task that no module could be judged by.

    Raises:
        VerifierError: tests, limits, module or language make no sense.
    """
    _tests(task)
    _public_tests(task)
    limits_of(task.public.get("limits"))
    if language_name(task) != PYTHON:
        raise VerifierError(f"tests of pytest judge Python, not {language_name(task)!r}")


def judge_module(examiner: PytestBench, task: Task, source: str) -> Verdict:
    """Return the verdict of a task's hidden tests on a module.

    Raises:
        VerifierError: the tests are missing or broken.
        InfraError: the sandbox failed.
    """
    limits = limits_of(task.public.get("limits"))
    return examiner.examine(source, _tests(task), module=module_name(task), limits=limits)


def try_module(examiner: PytestBench, task: Task, source: str) -> str:
    """Return what the agent is told of a module: whether it can be loaded, and how the public tests went.

    Raises:
        VerifierError: the public tests are broken.
        InfraError: the sandbox failed.
    """
    limits = limits_of(task.public.get("limits"))
    verdict = examiner.examine(source, _public_tests(task), module=module_name(task), limits=limits)
    checks = [check for check in verdict.checks if check.name != CANARY]
    lines = [f"passed {sum(check.passed for check in checks)} of {len(checks)} public tests"]
    return "\n".join([*lines, *(f"{check.name}: {check.evidence}" for check in checks if not check.passed)])


def explain_module(task: Task, check: Check) -> str:
    """Return the source of the hidden test that a check is about and of what it calls; "" if it is about none."""
    tests = _tests(task)
    name = check.name.split("::")[-1].partition("[")[0]
    functions = {node.name: node for node in ast.walk(python_tree(tests)) if isinstance(node, ast.FunctionDef)}
    if name not in functions:
        return ""
    used = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)}
    shown = [functions[name], *(functions[one] for one in sorted(used & set(functions) - {name}))]
    return "the test:\n" + "\n\n".join(str(ast.get_source_segment(tests, node)) for node in shown)


def _tests(task: Task) -> str:
    tests = task.hidden.get("tests")
    if not isinstance(tests, str) or not tests.strip():
        raise VerifierError(f"a module's hidden tests are the source of a file for pytest, not {tests!r:.80}")
    return tests


def _public_tests(task: Task) -> str:
    """Return the task's public tests, or one that asks no more than that the module can be loaded."""
    tests = task.public.get("tests", f"import {module_name(task)}\ndef test_it_can_be_loaded():\n    pass\n")
    if not isinstance(tests, str):
        raise VerifierError(f"a module's public tests are the source of a file for pytest, not {tests!r:.80}")
    return tests
