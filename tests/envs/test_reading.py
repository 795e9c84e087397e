"""Texts read safely: here, Python read by threads side by side."""

import ast
import gc
import sys
import threading
from collections.abc import Iterator

import pytest

from palestra.envs.reading import python_expression, python_tree

SOURCE = "def f(x):\n" + "    x = [(x + 1) * 2, {'a': x}]\n" * 200


@pytest.fixture
def switching() -> Iterator[None]:
    """Have threads change places, and garbage be collected, as often as can be."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)


class Garbage:
    """A cycle whose end runs Python code, so that another thread may go on in the middle of a parse."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(200):
            pass


def test_threads_that_parse_side_by_side_do_not_disturb_each_other(switching: None) -> None:
    wanted, said = ast.dump(ast.parse(SOURCE)), list[object]()

    def parse(depth: int) -> None:
        if depth:  # threads at different depths, which CPython of old mistook for each other's
            return parse(depth - 1)
        for _ in range(30):
            Garbage()
            try:
                said.append(ast.dump(python_tree(SOURCE)) == wanted)
            except SystemError as error:
                said.append(error)

    threads = [threading.Thread(target=parse, args=(depth,)) for depth in (1, 20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [True] * 90


def test_what_is_no_python_is_told_as_python_does() -> None:
    with pytest.raises(SyntaxError):
        python_tree("def")
    with pytest.raises(SyntaxError):
        python_expression("x = 1")
    with pytest.raises((SyntaxError, ValueError), match="null"):  # which one depends on Python's version
        python_tree("\0")
    assert ast.literal_eval(python_expression("[1, 'a']")) == [1, "a"]
