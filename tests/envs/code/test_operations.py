"""Every operation's code and its law are two algorithms for one function."""

import copy
from typing import Any

import pytest

from palestra.envs.code.catalogue import OPERATIONS, Operation
from palestra.envs.code.draws import Draws
from palestra.envs.code.inputs import corners, drawn
from palestra.envs.code.program import READS, Program, Step, written

INPUTS = 200
ON_THE_WAY: dict[str, list[Any]] = {  # values that no task reads, but that steps can lead to
    "ints": [[]],
    "text": [""],
    "words": [[]],
    "number": [0, -1, -10, -907, 10**11 + 7],
}


def values_for(operation: Operation, k: Any) -> list[Any]:
    draws = Draws(operation.name, 0, "agreement")
    values = [*corners(operation.takes, 9, [k]), *ON_THE_WAY.get(operation.takes, [])]
    values += [drawn(operation.takes, draws, 3 + number % 12, [k]) for number in range(4 * INPUTS)]
    if operation.domain:
        low, high = operation.domain
        values = [min(max(value, low), high) for value in values] + list(range(low, min(high, low + INPUTS)))
    texts = {written(operation.takes, value): value for value in values}
    return list(texts.values())[: INPUTS + 40]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_code_and_law_agree(name: str) -> None:
    operation = OPERATIONS[name]
    constants: tuple[Any, ...] = (None,)
    if operation.pool:
        constants = (*operation.pool.train, *operation.pool.heldout)
    tried = set()
    for k in constants:
        step = Step(name, k)
        code = compile(step.fill(operation.code), name, "exec")
        for value in values_for(operation, k):
            before = copy.deepcopy(value)
            namespace: dict[str, Any] = {"x": copy.deepcopy(value)}
            exec(code, namespace)  # our own text, from the catalogue
            assert namespace["x"] == step.apply(value), f"{name}({k}) on {value!r}"
            assert value == before, f"the law of {name} changed its argument"
            tried.add(written(operation.takes, value))
    assert len(tried) >= INPUTS


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_phrases_and_code_name_their_constant(name: str) -> None:
    operation = OPERATIONS[name]
    assert ("{k}" in operation.phrase) == ("{k}" in operation.code) == (operation.pool is not None)
    assert operation.phrase.endswith(".")


def test_constants_of_the_splits_do_not_meet() -> None:
    for operation in OPERATIONS.values():
        if operation.pool:
            assert not set(operation.pool.train) & set(operation.pool.heldout), operation.name


def test_a_program_is_said_solved_and_run_from_the_same_data() -> None:
    program = Program("ints", (Step("keep_greater", 3), Step("total")))
    assert program.statement().splitlines() == [
        "Input: one line of integers.",
        "1. Keep the numbers greater than 3.",
        "2. Add up the numbers.",
        "Print the number.",
    ]
    assert program.source().splitlines() == [
        "x = list(map(int, input().split()))",
        "x = [v for v in x if v > 3]",
        "x = sum(x)",
        "print(x)",
    ]
    assert program.trace([1, 4, 5]) == [[1, 4, 5], [4, 5], 9]


def test_every_kind_that_is_read_has_training_and_heldout_operations() -> None:
    for kind in READS:
        flags = {operation.is_heldout for operation in OPERATIONS.values() if operation.takes == kind}
        assert flags == {True, False}, kind
