"""The checker is checked: every flawed environment is caught, and no honest one is accused.

`benchmarks/checker.py` prints the rates; here each flaw is a test of its own, which ends at the first
question that its entry names and that the environment fails.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from tests.envs.flawed.corpus import HONEST, Flaw, flaws, registered

from palestra.envs.certify import environment
from palestra.envs.certify.certificate import Level
from palestra.envs.certify.conduct import QUESTIONS
from palestra.envs.certify.environment import check
from palestra.envs.certify.findings import CheckResult, Finding
from palestra.envs.certify.matrix import Known, determinism
from palestra.envs.registry import EnvEntry

FLAWS = flaws()
TASKS = 3  # of a split


@pytest.fixture(autouse=True)
def corpus_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other processes import the corpus as well."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))


class Caught(Exception):
    """One of the questions that a flaw's entry names was failed."""


def stop_when_caught(flaw: Flaw, others: list[str], result: CheckResult) -> None:
    if result.name in flaw.caught_by and result.status == "failed":
        raise Caught(result.name)
    if not result.ok:
        others.append(f"{result.name}: {result.detail}")


def few_processes(entry: EnvEntry, known: Sequence[Known], level: Level) -> Finding:
    """Ask about determinism as at level "quick": in two processes instead of eighteen."""
    return determinism(entry, known, "quick")


@pytest.mark.parametrize("name", FLAWS)
def test_a_flawed_environment_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "determinism", few_processes)
    flaw, others = FLAWS[name], list[str]()
    try:
        check(registered(name), n=TASKS, split="train", level="full", seen=partial(stop_when_caught, flaw, others))
    except Caught:
        return
    pytest.fail(f"{name} ({flaw.summary}) passes {sorted(flaw.caught_by)}; it fails {others}")


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_environment_is_not_accused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "determinism", few_processes)
    report = check(registered(name), n=TASKS, level="full")
    assert [result for result in report.results if result.status != "passed"] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", HONEST)
def test_an_honest_environment_is_not_accused_in_any_process(name: str) -> None:
    report = check(registered(name), n=2 * TASKS, level="full")
    assert [result for result in report.results if result.status != "passed"] == []


def test_the_corpus_is_large_and_every_question_about_conduct_catches_somebody() -> None:
    catching = set().union(*(flaw.caught_by for flaw in FLAWS.values()))
    assert len(FLAWS) >= 75
    assert set(QUESTIONS) | {"leaks", "elsewhen", "fuzz", "determinism", "mutants", "variants"} <= catching
    assert all(flaw.summary for flaw in FLAWS.values())
