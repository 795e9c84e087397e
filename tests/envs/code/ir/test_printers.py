"""The corpus does the same in every language, each with its own compiler and in the judge's sandbox."""

import typing
from dataclasses import replace

import pytest

from palestra.envs.code.ir.check import check
from palestra.envs.code.ir.interpret import run
from palestra.envs.code.ir.looks import nodes
from palestra.envs.code.ir.nodes import NONE, Call, Do, Function, Program, Read
from palestra.envs.code.ir.parse import parse
from palestra.envs.code.ir.place import statements
from palestra.envs.code.ir.printers.catalogue import PRINTERS, NotInThisLanguage, render
from palestra.envs.code.ir.rewrite import transformed
from palestra.envs.code.judge.bench import Bench
from palestra.envs.code.judge.case import Case
from palestra.envs.code.languages.shelf import find_language
from palestra.sandbox.base import MIB, Limits

LIMITS = Limits(wall_s=20.0, cpu_s=20.0, memory_bytes=512 * MIB)
IN_CI = ("python", "javascript", "cpp", "c", "lua", "perl", "ruby", "ocaml", "r", "fortran")
# What a language has no way to write: samples by their names.
NOT_WRITTEN: dict[str, set[str]] = {}


def way_of_reading(program: Program) -> str:
    lines = {"line" in node.reader for node in nodes(program) if isinstance(node, Read)}
    return "mixed" if len(lines) == 2 else "lines" if True in lines else "words"


def merged(samples: list[typing.Any]) -> tuple[Program, str]:
    """Return one program that does what all do, one after the other, and its input."""
    functions: list[Function] = []
    body: list[Do] = []
    given = ""
    for number, sample in enumerate(samples):

        def renamed(node: typing.Any, start: str = f"t{number}_") -> typing.Any:
            if isinstance(node, Call):
                return replace(node, function=start + node.function)
            return replace(node, name=start + node.name) if isinstance(node, Function) else node

        program = transformed(sample.program, renamed)
        functions += [*program.functions, Function(f"t{number}", (), NONE, program.body)]
        body += [Do(Call(f"t{number}", (), NONE))] * len(sample.inputs)
        given += "".join(sample.inputs)
    return check(Program(tuple(body), tuple(functions))), given


def is_written(sample: typing.Any, language: str) -> bool:
    try:
        render(sample.program, language)
    except NotInThisLanguage:
        return False
    return True


COMPILED = ("cpp",)  # for longer than the other tests here take together
RUNS = [
    pytest.param(language, way, marks=[pytest.mark.slow] if language in COMPILED and way != "lines" else [])
    for language in PRINTERS
    if language in IN_CI
    for way in ("words", "lines", "mixed")
]


@pytest.mark.parametrize(("language", "way"), RUNS)
def test_the_corpus_does_the_same(corpus: typing.Any, bench: Bench, language: str, way: str) -> None:
    samples = [sample for sample in corpus if is_written(sample, language)]
    assert {sample.name for sample in corpus} - {sample.name for sample in samples} == NOT_WRITTEN.get(language, set())
    program, given = merged([sample for sample in samples if way_of_reading(sample.program) == way])
    wanted = run(program, given, most_steps=10**7).stdout
    prepared = bench.prepare(find_language(language), render(program, language).source)
    made = bench.attempt(prepared, Case(given.encode(), wanted.encode()), LIMITS)
    assert not made.problem, first_difference(wanted, made)


def first_difference(wanted: str, made: typing.Any) -> str:
    pairs = zip(wanted.split("\n"), [*made.stdout.decode().split("\n"), ""], strict=False)
    told = next((f"wanted {want!r}, got {got!r}" for want, got in pairs if want != got), "")
    return f"{made.problem}: {told} {made.stderr[:2000].decode(errors='replace')}"


@pytest.mark.parametrize("language", PRINTERS)
def test_every_statement_begins_on_a_line_of_its_own(sample: typing.Any, language: str) -> None:
    if is_written(sample, language):
        program = sample.program
        printed = render(program, language)
        addresses = [address for address, _ in statements(program)]
        lines = printed.source.split("\n")
        assert {*printed.lines} == {*addresses}
        assert all(lines[line - 1].strip() for line in printed.lines.values())
        assert len({*printed.lines.values()}) == len(addresses)


def test_a_line_is_that_of_its_statement() -> None:
    program = parse(
        "n = read_int()\nfor i in range(n):\n    if i > 2:\n        print(i)\n    else:\n        print(n)\n"
    )
    printed = render(program, "python")
    lines = printed.source.split("\n")
    assert lines[printed.lines["", 1, "body", 0, "otherwise", 0] - 1].strip() == "print(n)"
    assert lines[printed.lines["", 1] - 1].strip() == "for i in range(n):"


def test_a_language_without_a_printer_is_named() -> None:
    with pytest.raises(NotInThisLanguage, match="no printer for 'cobol'"):
        render(parse("print(1)"), "cobol")
