"""Tasks are proved on machines, and what does not stand is found."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from palestra.envs.draws import Draws
from palestra.envs.scripts import play
from palestra.envs.terminal.catalogue import OPERATORS
from palestra.envs.terminal.compose import Composed, joined
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.generate import KNOBS, TerminalTasks, make_task
from palestra.envs.terminal.harder import harder
from palestra.envs.terminal.operators import (
    files_archives,
    files_checksums,
    files_dates,
    files_duplicates,
    files_encodings,
    files_find,
    files_layout,
    files_modes,
    files_parts,
    files_rename,
)
from palestra.envs.terminal.proofs import Proof, Prover, agreeing, twin_of
from palestra.envs.terminal.step import HOME, Knobs, Operator, Step
from palestra.envs.terminal.tree import Tree

FILES = tuple(
    operator
    for module in (
        files_archives,
        files_checksums,
        files_dates,
        files_duplicates,
        files_encodings,
        files_find,
        files_layout,
        files_modes,
        files_parts,
        files_rename,
    )
    for operator in module.OPERATORS
)
VARIED = (Knobs(), Knobs(size=8, strict=True), Knobs(size=30, indirect=True), Knobs(size=20, decoys=3))


def alone(operator: Operator, seed: int, knobs: Knobs, *, heldout: bool = False) -> Composed | None:
    """Return an operator's step as a task of its own."""
    folder = f"{HOME}/part"
    draws = Draws("terminal", operator.name, seed, "alone")
    step = operator.draw(draws, folder, None, knobs, heldout=heldout)
    made = step and harder(step, operator, draws, folder, None, knobs, heldout=heldout)
    return None if made is None else joined([made], [-1], [folder], Tree())


def proved(operator: Operator, seed: int) -> Proof | None:
    """Return the proof of an operator's step, its twin's solution included."""
    knobs, heldout = VARIED[seed % 4], seed % 3 == 2
    composed = alone(operator, seed, knobs, heldout=heldout)
    if composed is None:
        return None
    twin = twin_of(composed, knobs, heldout=heldout, seed=seed + 10_000)
    return Prover().prove(make_task(composed, "heldout" if heldout else "train", seed, KNOBS), composed, twin)


@pytest.mark.parametrize("operator", FILES, ids=lambda one: one.name)
def test_a_step_about_files_stands(operator: Operator) -> None:
    found = [proof for seed in (1,) if (proof := proved(operator, seed)) is not None]
    assert found
    assert not [failure for proof in found for failure in proof.failures]
    assert all(proof.trials >= 6 for proof in found)


@pytest.mark.parametrize("operator", FILES, ids=lambda one: one.name)
def test_an_operator_on_files_makes_choices_of_structure(operator: Operator) -> None:
    drawn = [alone(operator, seed, VARIED[seed % 4]) for seed in range(60)]
    choices = {one.steps[0].choices for one in drawn if one is not None}
    assert len(choices) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_stands_over_many_seeds(name: str) -> None:
    found = [proof for seed in range(20) if (proof := proved(OPERATORS[name], seed)) is not None]
    assert len(found) >= 10
    assert not [failure for proof in found for failure in proof.failures]


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "heldout"])
def test_composed_tasks_stand(split: Any) -> None:
    source, prover = TerminalTasks(split), Prover()
    for seed in range(16):
        difficulty = {
            "operators": 1 + seed % 4,
            "strict": seed % 2 == 0,
            "indirect": seed % 3 == 0,
            "decoys": seed % 6,
            "faults": seed % 2,
        }
        assert not prover.prove_seed(source, seed, difficulty).failures


@pytest.mark.parametrize("tool", ["python3", "awk"])
def test_a_task_without_a_program_can_be_done_without_it(tool: str) -> None:
    source = TerminalTasks("train")
    difficulty = {"operators": 1, "without": tool, "area": "files"}
    composed, task = source.composed(3, difficulty), source.sample(3, difficulty)
    assert not Prover().prove(task, composed).failures
    with closing(TerminalEnv(difficulty=difficulty)) as env:
        env.reset(seed=3)
        told = env.step(f"$ {tool} --version")[0]
    assert "not found" in str(told)


@pytest.fixture
def honest() -> Composed:
    found = alone(files_layout.OPERATORS[0], 1, Knobs(size=6))
    assert found is not None
    return found


def flaws() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what can be wrong with a step, and what is said of it."""
    yield "the solution does not pass", {"solve": "true"}
    yield "the solution does not pass", {"solve": "exit 3"}
    yield "done wrongly passes", {"wrong": {"nothing": "true", "not wrong": None}}
    yield "different bytes", {"effect": lambda tree: tree.put(f"{HOME}/part/other", "x")}
    yield "raised KeyError", {"effect": lambda tree: tree.put("/x", tree.data("/nowhere"))}
    yield "something else", {"solve": f"{{solve}}\ndate +%N > {HOME}/part/now"}


@pytest.mark.parametrize(("told", "flaw"), list(flaws()), ids=lambda one: one if isinstance(one, str) else "")
def test_what_does_not_stand_is_found(honest: Composed, told: str, flaw: dict[str, Any]) -> None:
    step = honest.steps[0]
    if "wrong" in flaw:
        flaw = {"wrong": {name: line or step.solve for name, line in flaw["wrong"].items()}}
    if "{solve}" in flaw.get("solve", ""):
        flaw = {"solve": flaw["solve"].replace("{solve}", step.solve)}
    broken = replace(honest, steps=(replace(step, **flaw),))
    proof = Prover().prove(make_task(broken, "train", 1, KNOBS), broken)
    assert not proof.ok
    assert any(told in failure for failure in proof.failures), proof.failures


def test_a_task_that_is_done_at_the_start_and_one_without_its_inputs_are_found(honest: Composed) -> None:
    task = make_task(honest, "train", 1, KNOBS)
    done = replace(task, hidden={**task.hidden, "start": honest.end.to_json()})
    assert "doing nothing passes" in Prover().prove(done, honest).failures
    path = f"{HOME}/part/needed"
    needing = replace(honest, start=honest.start.put(path, "x"))
    assert f"at the start, {path} is not what it should be" in Prover().prove(task, needing).failures


def test_a_step_that_nobody_needs_is_found(honest: Composed) -> None:
    idle = Step(
        operator="files_layout",
        choices=(),
        text="",
        starts=Tree(),
        effect=lambda tree: tree,
        solve="true",
        checks=({"kind": "folder", "path": HOME},),
        wrong={},
    )
    both = replace(honest, steps=(*honest.steps, idle), sources=(-1, -1), folders=(*honest.folders, f"{HOME}/two"))
    failures = Prover().prove(make_task(both, "train", 1, KNOBS), both).failures
    assert failures == ("without step 2 (files_layout), the rest passes",)


def test_the_oracle_is_worth_the_same_if_its_files_are_what_python_makes(honest: Composed) -> None:
    task = make_task(honest, "train", 1, KNOBS)
    spoilt = replace(task, hidden={**task.hidden, "made": {path: "0" * 64 for path in task.hidden["made"]}})
    with closing(TerminalEnv()) as env:
        assert play(env, agreeing, 0, task).is_success
        assert not play(env, agreeing, 0, spoilt).is_success
