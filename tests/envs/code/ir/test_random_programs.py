"""Programs made at random do the same here and as printed Python; so do their refactorings."""

import io
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.envs.code.ir.interpret import TooLong, Undefined, run
from palestra.envs.code.ir.mutate import refactorings
from palestra.envs.code.ir.nodes import Program
from palestra.envs.code.ir.parse import parse
from palestra.envs.code.ir.printers.catalogue import PRINTERS, NotInThisLanguage, render

NUMBERS = ("a", "b", "c")
PLAIN = (*NUMBERS, "len(xs)", "len(s)", "xs[0]", "d.get(a, 5)")
FORMS = (
    *("({0} + {1})", "({0} - {1})", "{0} * {1}", "min({0}, {1})", "max({0}, {1})", "abs({0})", "-({0})"),
    *("({0}) // 3", "({0}) % 7", "({0}) // -2", "({0}) % -5", "twice({0})", "({0}) // (abs({1}) + 1)"),
)


@st.composite
def number(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(PLAIN) | st.integers(-9, 9).map(str))
    left, right = draw(number(depth - 1)), draw(number(depth - 1))
    form = draw(st.sampled_from(FORMS))
    if draw(st.booleans()):
        return form.format(left, right)
    return f"({left} if {draw(truth(0))} else {right})"


@st.composite
def truth(draw: st.DrawFn, depth: int = 1) -> str:
    if depth and draw(st.booleans()):
        form = draw(st.sampled_from(["({0} and {1})", "({0} or {1})", "(not {0})", "(({0}) == ({1}))"]))
        return form.format(draw(truth(depth - 1)), draw(truth(depth - 1)))
    if draw(st.booleans()):
        return draw(st.sampled_from(["s < t", "s + t == t + s", "'a' in s", "a in xs", "b not in d", "s[::-1] >= s"]))
    operator = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
    return f"{draw(number(1))} {operator} {draw(number(1))}"


@st.composite
def block(draw: st.DrawFn, depth: int = 2, indent: str = "", in_loop: bool = False) -> str:
    lines = [draw(statement(depth, indent, in_loop)) for _ in range(draw(st.integers(1, 3)))]
    return "".join(lines)


@st.composite
def statement(draw: st.DrawFn, depth: int, indent: str, in_loop: bool) -> str:
    kind = draw(st.sampled_from(["number", "text", "list", "map", "print", "if", "for", "each", "while"]))
    inner = indent + "    "
    if depth == 0 and kind in ("if", "for", "each", "while"):
        kind = "print"
    match kind:
        case "number":
            sign = draw(st.sampled_from(["=", "+=", "-="]))
            return f"{indent}{draw(st.sampled_from(NUMBERS))} {sign} ({draw(number())}) % 1000\n"
        case "text":
            return indent + draw(st.sampled_from(["s += str(a)", "t = s[:len(s) // 2] + 'x'", "s = t[::-1]"])) + "\n"
        case "list":
            forms = ["xs.append({0})", "xs[0] = {0}", "xs = sorted(xs)", "xs = xs[::-1]", "xs = xs[:1] + [{0}]"]
            return indent + draw(st.sampled_from(forms)).format(draw(number())) + "\n"
        case "map":
            forms = ["d[{0}] = {1}", "d.pop({0}, None)", "c = d.get({0}, {1})"]
            return indent + draw(st.sampled_from(forms)).format(draw(number(1)), draw(number(1))) + "\n"
        case "print":
            return f"{indent}print({draw(number())}, s, *xs, int({draw(truth())}))\n"
        case "if":
            made = f"{indent}if {draw(truth())}:\n{draw(block(depth - 1, inner, in_loop))}"
            return made + (f"{indent}else:\n{draw(block(depth - 1, inner, in_loop))}" if draw(st.booleans()) else "")
    leave = draw(st.sampled_from(["", "continue", "break"]))
    leave = f"{inner}if {draw(truth(0))}:\n{inner}    {leave}\n" if leave else ""
    body = draw(block(depth - 1, inner, True))
    name = f"i{depth}"
    match kind:
        case "for":
            bounds = draw(st.sampled_from(["a % 4", "-1, 3", "len(s) % 5, -1, -1", "b % 3, c % 6"]))
            return f"{indent}for {name} in range({bounds}):\n{leave}{body}{inner}c += {name}\n"
        case "each":
            of = draw(st.sampled_from(["sorted(d)", "[1, 2, 3]", "[a, b]"]))
            return f"{indent}for {name} in {of}:\n{leave}{body}{inner}c += {name}\n"
    name = f"left{depth}"
    return f"{indent}{name} = {draw(st.integers(0, 3))}\n{indent}while {name} > 0:\n{inner}{name} -= 1\n{leave}{body}"


HEAD = """\
def twice(n: int) -> int:
    if n % 2 == 0:
        return n * 2
    return n + n

a = read_int()
b = read_int()
c = 0
s = read_word()
t = "ab"
xs = [a, b]
d: dict[int, int] = {}
"""
TAIL = 'print(a, b, c, s, t, *xs)\nfor k in sorted(d):\n    print(k, d[k])\nprint("end", *xs)\n'
SOURCES = block().map(lambda made: HEAD + made + TAIL)
INPUT = "12 -7\nbanana\n"


def outcome(program: Program) -> str | None:
    try:
        return run(program, INPUT, most_steps=20_000).stdout
    except (Undefined, TooLong):
        return None


def as_python(source: str) -> str:
    printed, words = io.StringIO(), iter(INPUT.split())

    def show(*values: typing.Any) -> None:
        print(*values, file=printed)

    exec(
        compile(source.replace("import sys\n\nwords = iter(sys.stdin.read().split())\n", ""), "printed", "exec"),
        {"words": words, "print": show},
    )
    return printed.getvalue()


@settings(max_examples=40, deadline=None)
@given(SOURCES)
def test_printed_python_does_what_the_program_does(source: str) -> None:
    program = parse(source)
    wanted = outcome(program)
    if wanted is not None:
        assert as_python(render(program, "python").source) == wanted


@settings(max_examples=15, deadline=None)
@given(SOURCES)
def test_refactorings_do_what_the_program_does(source: str) -> None:
    program = parse(source)
    wanted = outcome(program)
    for made in refactorings(program):
        after = outcome(made.program)
        assert wanted is None or after is None or after == wanted, made.kind


@settings(max_examples=15, deadline=None)
@given(SOURCES)
def test_every_printer_writes_every_program(source: str) -> None:
    program = parse(source)
    for language in PRINTERS:
        try:
            assert render(program, language).source
        except NotInThisLanguage as error:
            pytest.fail(f"{language}: {error}")
