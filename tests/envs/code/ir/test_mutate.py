"""Faulty programs are programs that mostly do something else; refactored ones never do."""

import contextlib
import typing

from palestra.envs.code.ir.check import check
from palestra.envs.code.ir.interpret import TooLong, Undefined, run
from palestra.envs.code.ir.mutate import KINDS, mutants, refactorings
from palestra.envs.code.ir.nodes import Program
from palestra.envs.code.ir.parse import parse
from palestra.envs.code.ir.place import statements
from palestra.envs.code.ir.printers.catalogue import render


def outputs(program: Program, inputs: typing.Iterable[str], most_steps: int = 100_000) -> list[str]:
    printed = []
    for given in inputs:
        with contextlib.suppress(Undefined, TooLong):
            printed.append(run(program, given, most_steps=most_steps).stdout)
    return printed


def some(corpus: typing.Any) -> list[typing.Any]:
    names = ("functions", "knapsack", "loops", "maps", "sorted_texts", "truths")
    return [sample for sample in corpus if sample.name in names]


def test_every_mutant_is_another_checked_program_at_a_statement_of_the_first(sample: typing.Any) -> None:
    program, seen = sample.program, set()
    places = {address for address, _ in statements(program)}
    for mutant in mutants(program):
        assert check(mutant.program) == mutant.program
        assert mutant.address in places
        assert mutant.kind in KINDS
        seen.add(mutant.program)
    assert program not in seen


def test_every_kind_of_fault_is_made_somewhere(corpus: typing.Any) -> None:
    assert {mutant.kind for sample in some(corpus) for mutant in mutants(sample.program)} == set(KINDS)


def test_every_refactored_program_does_the_same(sample: typing.Any) -> None:
    wanted = outputs(sample.program, sample.inputs, 10**6)
    assert len(wanted) == len(sample.inputs)
    for made in refactorings(sample.program):
        assert outputs(made.program, sample.inputs, 4 * 10**6) == wanted, (made.kind, render(made.program, "python"))


def test_every_kind_of_refactoring_is_made_somewhere(corpus: typing.Any) -> None:
    described = str(refactorings.__doc__)
    kinds = {made.kind for sample in corpus for made in refactorings(sample.program)}
    assert kinds == {each for each in described.split('"') if each.replace("_", "").isalpha() and "_" in each} | {
        "temporary"
    }


def test_most_faults_are_seen_in_what_is_printed() -> None:
    source = "n = read_int()\nxs = read_ints(n)\nbest = xs[0]\n"
    program = parse(source + "for x in xs:\n    if x > best:\n        best = x\nprint(best)\n")
    inputs = ["3\n1 5 2\n", "1\n-4\n", "4\n3 3 9 -9\n", "2\n7 1\n"]
    right = outputs(program, inputs)
    made = list(mutants(program))
    told = [outputs(mutant.program, inputs) != right for mutant in made]
    assert len(made) >= 10
    assert sum(told) / len(told) > 0.75


def test_faults_are_what_they_are_called() -> None:
    program = parse("n = read_int()\ntotal = 0\nfor i in range(n):\n    total += i\nprint(total)\n")
    found = {
        (mutant.kind, render(mutant.program, "python").source.split("main() -> None:")[1])
        for mutant in mutants(program)
    }
    text = {kind: [source for each, source in found if each == kind] for kind in KINDS}
    assert any("total = 1" in source for source in text["initial_value"])
    assert any("total -= i" in source for source in text["arithmetic"])
    assert any("range(1, n)" in source for source in text["off_by_one"])
    assert any("range(n + 1)" in source for source in text["off_by_one"])
    assert any("print(n)" in source for source in text["wrong_variable"])
