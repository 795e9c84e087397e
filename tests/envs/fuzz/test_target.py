"""Targets and traces: what depends on what, and how far a run was."""

import itertools

import pytest

from palestra.envs.fuzz import c, python
from palestra.envs.fuzz.target import Target
from palestra.envs.fuzz.trace import Taken, Trace, farthest, normalised


def test_the_path_is_what_encloses_the_target_and_what_may_return_before_it(target: Target) -> None:
    kinds = [type(node).__name__ for node in target.decisions]
    assert kinds == ["If", "While", "If", "If", "If"]
    assert target.path == ((0, False), (2, False), (3, True), (4, True))


def test_a_target_in_an_else_and_in_a_loop_is_found() -> None:
    text = "def parse():\n    p = 0\n    while p < size:\n        if at(p) == 1:\n            p += 1\n        else:\n"
    target = Target(text + "            return 100\n    return 1\n", 8)
    assert target.path == ((0, True), (1, False))
    trace = python.probed_in_process(target)
    assert trace(b"\1\1").distance(target) > 0
    assert trace(b"\1\2").hits(target)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "return 100",
        "def parse(:\n",
        "def parse():\n    return 1\n",
        "def parse():\n    return 100\n",
        "def parse():\n    p = 0\n    if p > 1:\n        return 2\n    return 3\n",
        "x = 1\ny = 2\n",
        "def parse():\n    for p in b'':\n        return 100\n",
        "(" * 5000,
    ],
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="description"):
        Target(text, 8)


def test_a_target_that_reads_nothing_is_refused(target: Target) -> None:
    with pytest.raises(ValueError, match="reads no input"):
        Target(target.text, 0)


def test_c_is_only_made_of_what_has_a_meaning_there() -> None:
    for line in (
        "p = len(data)",
        "p = p ** 2",
        "p, q = 1, 2",
        "assert p",
        "p = [1]",
        "p = p // 2",
        "p = 1 if p else 2",
    ):
        text = f"def parse():\n    p = 0\n    {line}\n    if p == 1:\n        return 100\n    return 1\n"
        with pytest.raises((ValueError, KeyError)):
            c.shown(Target(text, 8))


def test_nearer_inputs_have_smaller_distances(target: Target) -> None:
    trace = python.probed_in_process(target)
    inputs = [b"", b"A", b"AA", b"AB501", b"AB5", b"AB9", b"AB3x", b"AB3"]
    distances = [trace(data).distance(target) for data in inputs]
    assert distances == sorted(distances, reverse=True)
    assert len(set(distances)) == len(inputs)
    assert distances[0] <= farthest(target) == 4.0
    assert distances[-1] == 0.0
    assert [trace(data).hits(target) for data in inputs] == [False] * 7 + [True]
    assert trace(b"AB20").hits(target)


def test_where_a_run_turned_off(target: Target) -> None:
    trace = python.probed_in_process(target)
    stops = {data: trace(data).stop(target) for data in (b"", b"AB999", b"AB4", b"AB3x")}
    assert stops == {b"": 0, b"AB999": 1, b"AB4": 2, b"AB3x": 3}


def test_a_branch_distance_is_within_0_and_1_and_grows() -> None:
    values = [normalised(distance) for distance in (0, 1, 2, 3, 4, 7, 8, 100, 255, 256, 10**6, 2**31)]
    assert values[0] == 0.0
    assert all(a < b for a, b in itertools.pairwise(values))
    assert normalised(2**40) == normalised(2**80) == 1.0
    assert normalised(2) - normalised(1) == normalised(2**20) - normalised(2**19)


@pytest.mark.parametrize(
    "report",
    [b"", b"hello", b"0 1 1 1", b"0 1 0 -1 1\nTraceback", b"0 1 0 -2 1", b"-1 1 0 0 0", b"0 1 0 -1 1 \n", b"9" * 99],
)
def test_what_is_no_report_is_none(report: bytes) -> None:
    assert Trace.read(report) is None


def test_a_report_is_read() -> None:
    assert Trace.read(b"3 1 0 -1 2\n0 0 7 5 -1\n") == Trace({0: Taken(0, 7, 5, -1), 3: Taken(1, 0, -1, 2)})
