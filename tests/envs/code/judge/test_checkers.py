"""Right outputs are right however they are spaced, and nothing else is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.envs.code.judge.conftest import LIMITS, Take

from palestra.envs.code.judge.bench import Bench
from palestra.envs.code.judge.case import Case
from palestra.envs.code.judge.checker_program import ProgramChecker
from palestra.envs.code.judge.checkers import KINDS, Floats, exact, lines, read_checker, tokens
from palestra.envs.code.judge.checkers import unordered_lines as any_lines
from palestra.envs.code.judge.checkers import unordered_tokens as any_tokens
from palestra.envs.code.judge.exam import Exam, examine
from palestra.envs.code.languages.shelf import find_language
from palestra.rewards.base import VerifierError

CLOSE = Floats(absolute=1e-6, relative=1e-6)


@pytest.mark.parametrize(
    ("printed", "wanted", "same"),
    [
        (b"1 2\n", b"1 2\n", True),
        (b"  1   2 \r\n\n\n", b"1 2\n", True),
        (b"", b"\n", True),
        (b"1\n2\n", b"1 2\n", False),
        (b"12\n", b"1 2\n", False),
        (b"1\n\n2\n", b"1\n2\n", False),
        (b"1 2 3\n", b"1 2\n", False),
        (b"01\n", b"1\n", False),
        (b"1.0\n", b"1\n", False),
        (b"A\n", b"a\n", False),
        (b"1\0\n", b"1\n", False),
        (b"\xef\xbc\x91\n", b"1\n", False),  # a digit of another script
        (b"\xff\xfe", b"1\n", False),
    ],
)
def test_lines_are_equal_when_they_hold_the_same_words(printed: bytes, wanted: bytes, same: bool) -> None:
    assert lines(printed, wanted) is same


@pytest.mark.parametrize(
    ("same", "printed", "wanted", "answer"),
    [
        (exact, b"1\n", b"1\n", True),
        (exact, b"1", b"1\n", False),
        (exact, b"1\r\n", b"1\n", False),
        (tokens, b"1\n2  3\r\n", b"1 2 3\n", True),
        (tokens, b"2 1 3\n", b"1 2 3\n", False),
        (tokens, b"1 23\n", b"1 2 3\n", False),
        (any_lines, b"b 2\r\n\na  1\n", b"a 1\nb 2\n", True),
        (any_lines, b"a 2\nb 1\n", b"a 1\nb 2\n", False),
        (any_lines, b"1 a\n2 b\n", b"a 1\nb 2\n", False),
        (any_lines, b"a\na\nb\n", b"a\nb\nb\n", False),
        (any_lines, b"a\n", b"a\na\n", False),
        (any_tokens, b"3 1\n2", b"1 2 3\n", True),
        (any_tokens, b"1 1 2", b"1 2 2\n", False),
        (CLOSE, b"0.3333333 x\n", b"0.33333333 x\n", True),
        (CLOSE, b"1e3 -.5 +2.\r\n", b"1000 -0.5 2.0\n", True),
        (CLOSE, b"1000000.5\n", b"1000000\n", True),
        (CLOSE, b"1000002\n", b"1000000\n", False),
        (CLOSE, b"0.34\n", b"0.33\n", False),
        (CLOSE, b"nan\n", b"1\n", False),
        (CLOSE, b"inf\n", b"1e300\n", False),
        (CLOSE, b"1e999\n", b"1e308\n", False),
        (CLOSE, b"nan inf\n", b"nan inf\n", True),
        (CLOSE, b"1_0\n", b"10\n", False),
        (CLOSE, b"0x0A\n", b"10\n", False),
        (CLOSE, b"\xd9\xa1\n", b"1\n", False),
        (CLOSE, b"1 2\n", b"1\n", False),
        (CLOSE, b"9" * 5000, b"1\n", False),
        (Floats(absolute=0, relative=0), b"1.0\n", b"1\n", True),
    ],
)
def test_every_comparison_asks_for_what_its_name_says(same: Any, printed: bytes, wanted: bytes, answer: bool) -> None:
    assert same(printed, wanted) is answer


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(printed=st.binary(max_size=40), wanted=st.binary(max_size=40))
def test_no_output_makes_a_comparison_fail(kind: str, printed: bytes, wanted: bytes) -> None:
    checker = read_checker(kind)
    assert checker.accepts(Case(b"", wanted), wanted)
    assert checker.accepts(Case(b"", wanted), printed) <= (sorted(printed.split()) == sorted(wanted.split())) or (
        kind == "floats" and len(printed.split()) == len(wanted.split())
    )


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"exact"}))
@given(words=st.lists(st.lists(st.integers(), min_size=1, max_size=4), min_size=1, max_size=4))
def test_other_spacing_is_the_same_answer(kind: str, words: list[list[int]]) -> None:
    wanted = "\n".join(" ".join(map(str, line)) for line in words)
    checker, case = read_checker(kind), Case(b"", wanted.encode() + b"\n")
    for told in (wanted, wanted.replace("\n", "\r\n") + "\r\n", wanted.replace("\n", " \n") + "  \n\n"):
        assert checker.accepts(case, told.encode())


@pytest.mark.parametrize(
    "told",
    [
        *(
            None,
            "",
            "same",
            3,
            {},
            {"kind": "lines", "relative": 1},
            {"kind": "floats", "relative": 2},
            {"kind": ["x"]},
        ),
        *({"kind": "floats", "absolute": float("nan")}, {"kind": "floats", "absolute": True}),
    ],
)
def test_a_checker_that_is_none_is_refused(told: Any) -> None:
    with pytest.raises(VerifierError):
        read_checker(told)


def test_tolerances_are_read() -> None:
    assert read_checker({"kind": "floats", "absolute": 0.1, "relative": 0}).accepts(Case(b"", b"1"), b"1.05")
    assert not read_checker("floats").accepts(Case(b"", b"1"), b"1.05")


DIVISOR = """
given, printed = int(open("input").read()), open("output").read().split()
assert open("expected").read().strip()
raise SystemExit(0 if len(printed) == 1 and 1 < int(printed[0]) < given and given % int(printed[0]) == 0 else 1)
"""


def test_a_checker_program_decides_by_its_exit_code(take: Take, desk: Bench) -> None:
    """Any proper divisor is right: no comparison could say so."""
    checker = ProgramChecker(desk, find_language("python"), DIVISOR)
    exam = Exam(cases=(Case(b"12\n", b"2\n"), Case(b"35\n", b"5\n")), limits=LIMITS, checker=checker)
    largest = "n = int(input())\nprint(next(d for d in range(n - 1, 1, -1) if n % d == 0))\n"
    assert take("bare", largest, exam).passed
    for wrong in ("print(input())", "print(1)", "print('accepted')", "", "print('0 ' * 1000)", "print('9' * 4000)"):
        verdict = take("bare", wrong, exam)
        assert (verdict.passed, verdict.checks[-1].evidence) == (False, "wrong output"), wrong


def test_a_checker_may_be_in_another_language_than_the_candidate(take: Take, desk: Bench) -> None:
    source = 'int main(void) { return fopen("output", "r") == 0 || fgetc(fopen("output", "r")) != 121; }\n'
    checker = ProgramChecker(desk, find_language("c"), "#include <stdio.h>\n" + source)
    exam = Exam(cases=(Case(b"", b"y"),), limits=LIMITS, checker=checker)
    assert take("perl", "print 'yes'", exam).passed
    assert not take("perl", "print 'no'", exam).passed


@pytest.mark.parametrize("broken", ["raise SystemExit(1)", "import time; time.sleep(60)", "1 / 0", "x ="])
def test_a_checker_that_rejects_what_is_expected_is_broken_and_no_verdict(take: Take, desk: Bench, broken: str) -> None:
    limits = LIMITS if "sleep" not in broken else type(LIMITS)(wall_s=0.5)
    checker = ProgramChecker(desk, find_language("python"), broken, limits)
    exam = Exam(cases=(Case(b"", b"1\n"),), limits=LIMITS, checker=checker)
    with pytest.raises(VerifierError, match="does not accept the output that the test itself expects"):
        take("bare", "print(1)", exam)


def test_a_checker_must_compile_and_have_a_bench_of_its_own(desk: Bench) -> None:
    with pytest.raises(VerifierError, match="the checker program does not compile"):
        ProgramChecker(desk, find_language("c"), "int main(")
    checker = ProgramChecker(desk, find_language("python"), "")
    exam = Exam(cases=(Case(b"", b""),), limits=LIMITS, checker=checker)
    with pytest.raises(ValueError, match="bench of its own"):
        examine(desk, desk.prepare(find_language("python"), ""), exam, nonce="1")
