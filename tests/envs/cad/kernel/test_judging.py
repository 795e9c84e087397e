"""Shapes are measured, judged and drawn in a process of their own, and what breaks it is the shape's fault."""

import contextlib
import marshal
import random
from pathlib import Path

import numpy as np
import pytest

from palestra.envs.cad.kernel import SlotKernel, slots
from palestra.envs.cad.records import Picture, ShapeError, ShapeLimits, Wanted
from palestra.sandbox.base import InfraError, PermanentInfraError

START = "import cadquery as cq\nresult = cq.Workplane()"


def test_a_plate_is_measured(kernel: SlotKernel, plate: bytes) -> None:
    found = kernel.measure(plate)
    assert found.solids == 1
    assert found.size == pytest.approx((60, 40, 20))
    assert found.volume == pytest.approx(60 * 40 * 20 - 4 * np.pi * 2.5**2 * 20)
    assert [hole.diameter for hole in found.holes] == pytest.approx([5, 5, 5, 5])
    assert all(hole.is_through for hole in found.holes)


def test_a_plate_is_judged(kernel: SlotKernel, plate: bytes) -> None:
    tests = [{"kind": "solids", "count": 1}, {"kind": "holes", "diameter": 5, "count": 4, "tolerance": 0.01}]
    wanted = Wanted(brep=plate, tests=tests)
    same = kernel.judge(plate, wanted)
    assert same.iou == 1.0
    assert same.gain == 1.0
    assert same.features == 1.0
    block = kernel.build(f"{START}.box(60, 40, 20)").brep or b""
    other = kernel.judge(block, wanted)
    assert other.iou == pytest.approx(1 - 4 * np.pi * 2.5**2 * 20 / 48000, abs=1e-6)
    assert other.gain == pytest.approx(0.0, abs=1e-6)
    assert other.features == 0.5


def test_a_plate_is_drawn(kernel: SlotKernel, plate: bytes) -> None:
    picture = Picture(("isometric", "top"), 128, has_dimensions=True)
    first = kernel.draw(plate, picture)
    assert first.shape == (128, 256, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, kernel.draw(plate, picture))
    assert first.flags.writeable
    assert first.min() < 60
    assert not np.array_equal(first, kernel.draw(plate, Picture(("isometric", "top"), 128)))


@pytest.mark.parametrize("brep", [b"", b"no BREP", b"\nCASCADE Topology V1, (c) Matra-Datavision\n", b"\xff" * 1000])
def test_what_is_no_shape_is_told(kernel: SlotKernel, plate: bytes, brep: bytes) -> None:
    with pytest.raises(ShapeError):
        kernel.measure(brep)
    with pytest.raises(ShapeError):
        kernel.judge(brep, Wanted(brep=plate))
    with pytest.raises(ShapeError):
        kernel.draw(brep, Picture())


def test_a_reference_that_is_no_shape_is_our_fault(kernel: SlotKernel, plate: bytes) -> None:
    with pytest.raises(PermanentInfraError, match="the reference cannot be judged"):
        kernel.judge(plate, Wanted(brep=b"no BREP"))


def test_tests_that_make_no_sense_are_the_callers_fault(kernel: SlotKernel, plate: bytes) -> None:
    with pytest.raises(ValueError, match="colour"):
        kernel.judge(plate, Wanted(brep=plate, tests=[{"kind": "colour"}]))
    with pytest.raises(ValueError, match="views are some of"):
        kernel.draw(plate, Picture(()))


def test_a_shape_has_limits(plate: bytes) -> None:
    small = SlotKernel(limits=ShapeLimits(faces=5))
    with pytest.raises(ShapeError, match="at most 5"):
        small.measure(plate)


def test_a_shape_that_ends_whoever_looks_at_it_is_at_fault(
    kernel: SlotKernel, plate: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that was sent dies of one shape, as the kernel does of some: the canary tells that it is the shape's."""
    deadly = plate + b"\n"
    _infect(monkeypatch, f"if len(brep) == {len(deadly)}: __import__('os').kill(__import__('os').getpid(), 11)")
    with pytest.raises(ShapeError, match=r"whoever looks at it is ended \(killed by signal 11"):
        kernel.measure(deadly)
    with pytest.raises(ShapeError, match="whoever looks at it is ended"):
        kernel.judge(deadly, Wanted(brep=plate))
    assert kernel.measure(plate).solids == 1


def test_where_the_reference_ends_whoever_looks_it_is_our_fault(
    kernel: SlotKernel, plate: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly = plate + b"\n"
    _infect(monkeypatch, f"if len(brep) == {len(deadly)}: __import__('os')._exit(5)")
    with pytest.raises(InfraError, match="what is sound cannot be judged either"):
        kernel.judge(plate, Wanted(brep=deadly))


def test_where_nothing_can_be_measured_it_is_our_fault(
    kernel: SlotKernel, plate: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _infect(monkeypatch, "raise RuntimeError('out of order')")
    with pytest.raises(InfraError, match="out of order"):
        kernel.measure(plate)


def _infect(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """Send a loader that does something else first; the real one is used beside it."""
    sent = dict(slots._sent())
    name = "palestra.envs.cad.geometry.loading"
    source = slots._modules()[name].read_text()
    marked = '    """Return the part that a BREP text describes'
    assert marked in source
    head, tail = source.split(marked, 1)
    rest = tail.split('"""\n', 1)
    infected = f'{head}{marked}{rest[0]}"""\n    {line}\n{rest[1]}'
    sent[name] = (False, marshal.dumps(compile(infected, "loading", "exec")))
    monkeypatch.setattr(slots, "_sent", lambda: sent)


def test_nothing_that_came_from_another_process_is_unpickled() -> None:
    for path in (Path(slots.__file__), *slots._modules().values()):
        text = path.read_text()
        assert "import pickle" not in text
        assert "allow_pickle" not in text


def test_texts_that_were_tampered_with_are_never_a_fault_of_ours(kernel: SlotKernel, plate: bytes) -> None:
    rng = random.Random(3)
    numbers = (b"1e300", b"-1", b"999999999", b"nan", b"0")
    for number in range(15):
        words = plate.split(b" ")
        if number % 3 == 0:
            tampered = plate[: rng.randrange(len(plate))]
        elif number % 3 == 1:
            words[rng.randrange(len(words))] = rng.choice(numbers)
            tampered = b" ".join(words)
        else:
            at = rng.randrange(len(plate))
            tampered = plate[:at] + bytes([rng.choice(b"0123456789 -.e")]) + plate[at + 1 :]
        with contextlib.suppress(ShapeError):
            assert kernel.measure(tampered).volume > 0
    assert kernel.measure(plate).solids == 1
