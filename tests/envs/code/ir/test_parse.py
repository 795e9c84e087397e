"""What is a program of the language, and what a text is told that is none."""

import contextlib
import io
import typing

import pytest

from palestra.envs.code.ir.interpret import run
from palestra.envs.code.ir.looks import nodes
from palestra.envs.code.ir.nodes import INT, Assign, Builtin, ForRange, Let, Name, Operation, Pop, Print, Reader, Use
from palestra.envs.code.ir.nodes import Statement as AnyStatement
from palestra.envs.code.ir.parse import LONGEST, SourceError, parse
from palestra.envs.code.ir.place import statements


def test_a_text_becomes_typed_nodes() -> None:
    program = parse("n = read_int()\nfor i in range(n):\n    n += i\nprint(n)\n")
    loop, add = program.body[1], program.body[1].body[0]  # type: ignore[union-attr]
    assert isinstance(program.body[0], Let)
    assert isinstance(loop, ForRange)
    assert add == Assign(Name("n", INT), Operation("+", Name("n", INT), Name("i", INT), INT))
    assert program.body[2] == Print((Name("n", INT),))


def test_a_new_variable_takes_what_is_popped() -> None:
    program = parse("xs = [1, 2]\nx = xs.pop()\nx = xs.pop()\nprint(x)\n")
    assert [type(each) for each in program.body] == [Let, Let, Pop, Pop, Print]


def test_the_corpus_has_every_statement_builtin_and_reader(corpus: typing.Any) -> None:
    programs = [sample.program for sample in corpus]
    kinds = {type(each) for program in programs for _, each in statements(program)}
    assert kinds == set(typing.get_args(AnyStatement))
    found = [node for program in programs for node in nodes(program)]
    assert {node.builtin for node in found if isinstance(node, Use)} == set(typing.get_args(Builtin))
    assert {node.reader for node in found if hasattr(node, "reader")} == set(typing.get_args(Reader))


def test_a_source_means_as_python_what_the_program_does(sample: typing.Any) -> None:
    """The language is a part of Python: with the readers defined, a source runs as it stands."""
    for given in sample.inputs:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(sample.source, sample.name, "exec"), readers(given))
        assert run(sample.program, given, most_steps=10**6).stdout == printed.getvalue()


def readers(given: str) -> dict[str, typing.Any]:
    lines, words = given.removesuffix("\n").split("\n")[::-1], list[str]()

    def word() -> str:
        while not words:
            words.extend(reversed(lines.pop().split()))
        return words.pop()

    return {
        "read_int": lambda: int(word()),
        "read_word": word,
        "read_line": lambda: lines.pop(),
        "read_ints": lambda n: [int(word()) for _ in range(n)],
        "read_words": lambda n: [word() for _ in range(n)],
        "read_lines": lambda n: [lines.pop() for _ in range(n)],
        "read_rows": lambda rows, columns: [[int(word()) for _ in range(columns)] for _ in range(rows)],
    }


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1 / 2", "line 1: the operator Div"),
        ("\nimport os", "line 2: Import is not in the language"),
        ("print(__import__('os').getcwd())", "no function __import__"),
        ("x = [1]\ny = x", "line 2: a list or a map belongs to one name"),
        ("g = [[1]]\nr = g[0]", "line 2: a list or a map belongs to one name"),
        ("def f(xs: list[int]) -> None:\n    xs.append(1)\nprint(1)", "line 2: xs cannot be changed"),
        ("def f(xs: list[int]) -> list[int]:\n    return xs\nprint(1)", "line 2: a list or a map belongs"),
        ("g = [[1]]\nfor r in g:\n    r.append(2)", "line 3: r cannot be changed"),
        ("xs = [1]\nfor x in xs:\n    xs.append(x)", "line 3: xs cannot be changed"),
        ("for i in range(3):\n    i = 2", "line 2: i cannot be changed"),
        ("for i in range(3):\n    print(i)\nprint(i)", "line 3: i is not made before"),
        ("if True:\n    y = 1\nprint(y)", "line 3: y is not made before"),
        ("x = 1\nx = 'a'", "line 2: a value of the type int"),
        ("if 1 < 2:\n    x = 1\nelse:\n    x = 'a'", "line 4: x is int elsewhere"),
        ("x = read_int() + 1", "line 1: what is read has to be given a name"),
        ("x = read_float()", "read_float reads nothing"),
        ("def f() -> int:\n    print(1)\n    return 1", "line 2: a function with a result neither"),
        ("def f() -> int:\n    n = read_int()\n    return n", "line 2: a function with a result neither"),
        ("def f(x: int) -> int:\n    if x > 0:\n        return 1\nprint(f(1))", "line 1: not every way"),
        ("def f() -> int:\n    return g()\ndef g() -> int:\n    return 1", "no function g"),
        ("def f() -> int:\n    return 1\nf()", "f has a result, which is lost"),
        ("def f(x):\n    print(x)", "the parameter x needs a type"),
        ("while True:\n    print(1)", "line 1: a loop without end"),
        ("while True:\n    break\n    print(1)", "line 2: what follows it is never reached"),
        ("break", "there is no loop"),
        ("return 1", "outside function|only functions return"),
        ("x: list[list[list[int]]] = []", "is no type of a list"),
        ("x: dict[str, list[int]] = {}", "is no type of a map"),
        ("x = []", "needs a type"),
        ("x = 9007199254740992", "at most 9007199254740991"),
        ("x = 0x" + "f" * 30_000, "at most 9007199254740991"),
        ("print('\\n')", "printable ASCII"),
        ("print('\u00e9')", "printable ASCII"),
        ("d: dict[str, int] = {}\nfor k in d:\n    print(k)", "through a map by sorted"),
        ("xs = [1]\nprint(xs)", "a list with a"),
        ("print(1 < 2)", "int\\("),
        ("x = 1.5", "1.5 is not in the language"),
        ("print(1, sep='')", "not in the language"),
        ("Loud = 1", "'Loud' cannot be a name"),
        ("class A: pass", "ClassDef"),
        ("lambda: 1", "not in the language"),
        ("x = (lambda: 1)()", "not in the language"),
        ("x = [i for i in [1]]", "lists are made by"),
        ("x = eval('1')", "no function eval"),
        ("global x", "Global"),
        ("@print\ndef f() -> None:\n    print(1)", "decorator"),
        ("def f(x: int = 1) -> None:\n    print(1)", "plain parameters"),
        ("x" * (LONGEST + 1), "too long"),
        ("(" * 3_000, "no Python"),
        ("x = " + "-" * 5_000 + "1", "no Python|nested too deeply"),
        ("x = " + "1+" * 20_000 + "1", "no Python|nested too deeply"),
        ("x = 1\x00", "no Python"),
        ("\ud800", "no Python"),
        ("".join("  " * n + "if True:\n" for n in range(60)) + "  " * 60 + "print(1)", "nested too deeply"),
        ("x = '\\d' is 1", "not in the language"),
    ],
    ids=range(55),
)
def test_what_is_not_in_the_language_is_named_with_its_line(source: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        parse(source)
