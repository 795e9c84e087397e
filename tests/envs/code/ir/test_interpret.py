"""What programs do here, what they may not do, and how their steps are counted."""

import sys
import threading

import pytest

from palestra.envs.code.ir.interpret import TooLong, Undefined, ready, run
from palestra.envs.code.ir.parse import parse


def steps(source: str, given: str = "", most: int = 10**6) -> int:
    return run(parse(source), given, most_steps=most).steps


@pytest.mark.parametrize(
    ("source", "given", "said"),
    [
        ("xs = [1]\nprint(xs[1])", "", "no item 1 of 1"),
        ("n = read_int()\nxs = [1]\nprint(xs[n])", "-1", "no item -1"),
        ("n = read_int()\nxs = [1]\nxs[n] = 2", "-1", "no item -1"),
        ("n = read_int()\nprint(1 // n)", "0", "divided by 0"),
        ("n = read_int()\nprint(1 % n)", "0", "divided by 0"),
        ("print(9007199254740991 + 1)", "", "too large"),
        ("print(-9007199254740991 - 1)", "", "too large"),
        ("print(3037000500 * 3037000500)", "", "too large"),
        ("d: dict[int, int] = {}\nprint(d[1])", "", "no key 1"),
        ("xs: list[int] = []\nxs.pop()", "", "nothing is left"),
        ("s = 'ab'\nprint(s[2])", "", "no item 2"),
        ("s = 'ab'\nprint(s[1:3])", "", "no slice from 1 to 3"),
        ("n = read_int()\nprint(len([0] * n))", "-1", "no number of items"),
        ("print(int('1x'))", "", "no integer"),
        ("print(int('9007199254740992'))", "", "no integer"),
        ("print(chr(10))", "", "no printable"),
        ("print(ord('ab'))", "", "one character"),
        ("n = read_int()", "", "input ends"),
        ("n = read_line()", "", "input ends"),
        ("n = read_int()", "x", "no integer"),
        ("n = read_int()\ns = read_line()", "1 2\n", "a line is read where"),
        ("def f(n: int) -> int:\n    return f(n + 1)\nprint(f(0))", "", "deep"),
    ],
)
def test_what_the_language_does_not_define_ends_the_program(source: str, given: str, said: str) -> None:
    with pytest.raises(Undefined, match=said):
        run(parse(source), given, most_steps=10**6)


@pytest.mark.parametrize(
    "source",
    [
        "n = 1\nwhile n > 0:\n    n += 1",
        "xs = [0] * 9007199254740991",
        "g = [[0] * 0 for _ in range(9007199254740991)]",
        "g = read_rows(9007199254740991, 0)",
        "for i in range(9007199254740991):\n    print(i)",
        "s = 'ab'\nwhile True:\n    s = s + s\n    if s == '':\n        break",
        "xs = [1]\nwhile len(xs) > 0:\n    xs = xs + xs",
    ],
)
def test_a_program_that_goes_on_is_stopped(source: str) -> None:
    with pytest.raises(TooLong):
        run(parse(source), "", most_steps=100_000)


def test_steps_are_counted_alike_every_time_and_follow_the_work() -> None:
    source = "n = read_int()\nfor i in range(n):\n    for j in range(n):\n        k = i + j\n"
    assert steps(source, "10") == steps(source, "10")
    assert steps(source, "10") == 3 + 10 * (1 + 1) + 100 * (1 + 1)  # with a word read, and each turn's statement
    assert 90 < steps(source, "100") / steps(source, "10") < 100


def test_builtins_cost_what_they_touch() -> None:
    made = "n = read_int()\nxs = [1] * n\n"
    base = steps(made, "1000")
    assert steps(made + "ys = xs.copy()", "1000") - base == 1 + 1000
    assert steps(made + "b = 2 in xs", "1000") - base == 1 + 1000
    assert steps(made + "ys = sorted(xs)", "1000") - base == 1 + 1000 * 10
    assert steps(made + "y = len(xs)", "1000") - base == 1


def test_lines_may_follow_words_and_be_empty() -> None:
    program = parse("n = read_int()\nxs = read_lines(n)\nm = read_int()\nprint(n, '|'.join(xs), m)")
    assert run(program, "3  \n\n a b \nc\n\n\n7", most_steps=100).stdout == "3 | a b |c 7\n"


def test_threads_do_not_cut_each_others_calls_short() -> None:
    """Python's limit of nested calls is one for all threads: whoever ends first must not take it from the others."""
    deep = ready(
        parse("def down(n: int) -> int:\n    return 0 if n == 0 else down(n - 1) + 1\nn = read_int()\nprint(down(n))\n")
    )
    usual, stop = sys.getrecursionlimit(), threading.Event()

    def come_and_go() -> None:
        flat = ready(parse("n = read_int()\nprint(n)\n"))  # what is ready is one thread's
        while not stop.is_set():
            flat("1\n", 100)

    others = [threading.Thread(target=come_and_go) for _ in range(3)]
    for other in others:
        other.start()
    try:
        assert {deep("390\n", 100_000).stdout for _ in range(300)} == {"390\n"}
    finally:
        stop.set()
        for other in others:
            other.join()
    assert sys.getrecursionlimit() == usual
