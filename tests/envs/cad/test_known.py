"""What a kernel that remembers asks the other for, and what it does not."""

import numpy as np
import pytest

from palestra.envs.cad.known import KnownKernel
from palestra.envs.cad.records import Built, Comparison, Picture, Properties, ShapeError, Wanted

SOLID = Properties(
    solids=1,
    volume=1.0,
    area=6.0,
    centre=(0.5, 0.5, 0.5),
    inertia=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    low=(0.0, 0.0, 0.0),
    high=(1.0, 1.0, 1.0),
    faces={"plane": 6},
    edges=12,
    vertices=8,
    euler=2,
    holes=(),
    thickness=1.0,
)


class Counting:
    """A kernel of texts, which counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_closed = False

    def build(self, source: str, *, timeout_s: float = 10.0) -> Built:
        self.asked.append("build")
        return Built(None if source == "slow" else source.encode(), timed_out=source == "slow")

    def measure(self, brep: bytes) -> Properties:
        self.asked.append("measure")
        if brep == b"open":
            raise ShapeError("it is open")
        return SOLID

    def judge(self, brep: bytes, wanted: Wanted) -> Comparison:
        self.asked.append("judge")
        iou = float(brep == wanted.brep)
        return Comparison(iou, 0.5, True, 0.0, 0.0, 0.0, 1.0, 1.0)

    def draw(self, brep: bytes, picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        self.asked.append("draw")
        return np.zeros((picture.size, picture.size, 3), np.uint8)

    def close(self) -> None:
        self.is_closed = True


def test_the_same_question_is_asked_once() -> None:
    inner = Counting()
    known = KnownKernel(inner)
    for _ in range(3):
        assert known.build("a").brep == b"a"
        assert known.measure(b"a") == SOLID
        assert known.judge(b"a", Wanted(brep=b"a")).iou == 1.0
    assert inner.asked == ["build", "measure", "judge"]
    for wanted in (Wanted(brep=b"b"), Wanted(brep=b"a", solids=2), Wanted(brep=b"a", tests=({"kind": "solids"},))):
        known.judge(b"a", wanted)
    assert known.judge(b"b", Wanted(brep=b"a")).iou == 0.0
    assert inner.asked.count("judge") == 5
    known.draw(b"a", Picture())
    known.draw(b"a", Picture())
    assert inner.asked.count("draw") == 2
    known.close()
    assert inner.is_closed


def test_a_refusal_is_remembered_word_for_word() -> None:
    inner = Counting()
    known = KnownKernel(inner)
    for _ in range(2):
        with pytest.raises(ShapeError, match=r"^it is open$"):
            known.measure(b"open")
    assert inner.asked == ["measure"]


def test_who_ran_out_of_time_may_try_once_more() -> None:
    inner = Counting()
    known = KnownKernel(inner)
    assert all(known.build("slow").timed_out for _ in range(4))
    assert inner.asked == ["build"] * 2
    assert known.build("slow", timeout_s=20.0).timed_out  # with more time it is another question
    assert inner.asked == ["build"] * 3


def test_what_is_large_or_long_ago_is_forgotten() -> None:
    inner = Counting()
    known = KnownKernel(inner, most=2)
    for source in ("a", "b", "a", "c", "a", "b"):
        known.build(source)
    assert inner.asked == ["build"] * 4


def test_shapes_that_are_remembered_have_so_many_bytes_at_most() -> None:
    inner = Counting()
    known = KnownKernel(inner, most_bytes=10)
    for source in ("a" * 4, "b" * 4, "a" * 4, "b" * 4):
        known.build(source)
    assert len(inner.asked) == 2
    known.build("c" * 4)  # for which the oldest goes
    known.build("b" * 4)
    assert len(inner.asked) == 3
    known.build("a" * 4)
    assert len(inner.asked) == 4
    known.build("d" * 11)
    known.build("d" * 11)
    assert len(inner.asked) == 6
