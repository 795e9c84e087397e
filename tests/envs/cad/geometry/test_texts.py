"""Texts that no kernel wrote: cut off, changed, announced to be longer than they are. None of them is believed."""

import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import cadquery as cq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.envs.cad.geometry import answer, wire
from palestra.envs.cad.geometry.grammar import is_brep, is_sound

Written = Callable[..., bytes]
NEW = (b"0", b"-1", b"1", b"7", b"99999999", b"nan", b"1e300", b"*", b"+3 0", b"-7", b"2.5", b"", b"4294967296", b"\0")
CHILD = """
import json, os, sys
from palestra.envs.cad.geometry import answer
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # the kernel prints
for line in sys.stdin:
    answers.write(json.dumps("refused" if "refused" in answer(json.loads(line)) else "measured") + "\\n")
    answers.flush()
"""


@pytest.fixture(scope="module")
def text(brep: Written) -> bytes:
    return brep(cq.Workplane().box(20, 10, 5).edges("|Z").fillet(1).faces(">Z").workplane().hole(3))


def spoiled(text: bytes, seed: int) -> bytes:
    """A text that lacks its end, or some words of which are others."""
    rng = random.Random(seed)
    if rng.random() < 0.15:
        return text[: rng.randrange(len(text))]
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        start, end = rng.choice([found.span() for found in re.finditer(rb"\S+", text)])
        text = text[:start] + rng.choice(NEW) + text[end:]
    return text


@pytest.mark.parametrize("number", range(0, 100, 7))
def test_a_text_that_is_cut_off_is_refused(text: bytes, number: int) -> None:
    cut = text[: len(text) * number // 100]
    assert not (is_brep(cut) and is_sound(cut))
    assert "refused" in answer(wire.measure(cut))


def test_whatever_a_shape_is_written_with_is_read(brep: Written) -> None:
    lofted = cq.Workplane().rect(10, 10).workplane(offset=8).circle(3).loft()
    cone = cq.Solid.makeCone(4, 0, 6)
    turned = cq.Assembly().add(lofted, loc=cq.Location((5, 5, 5), (1, 1, 1), 30)).add(cone).toCompound()
    meshed: Any = lofted.val()
    meshed.mesh(0.5)
    for shape in (lofted, cone, turned, meshed, cq.Workplane().text("g8", 10, 3), cq.Edge.makeCircle(3)):
        written = brep(shape)
        assert is_brep(written)
        assert is_sound(written)


@given(st.binary(max_size=2000))
@settings(max_examples=200)
def test_no_bytes_are_a_shape(data: bytes) -> None:
    for start in (
        b"",
        b"\nCASCADE Topology V3, (c) Open Cascade\n",
        b"\nCASCADE Topology V3,\nLocations 0\nTShapes 1\n",
    ):
        assert "refused" in answer(wire.measure(start + data))


def test_texts_that_announce_much_are_not_parsed(text: bytes) -> None:
    for table in (b"Locations", b"Curves", b"Curve2ds", b"Surfaces", b"TShapes", b"Triangulations"):
        assert not is_sound(re.sub(rb"\n" + table + rb" \d+", b"\n" + table + b" 7654321", text))
    assert not is_sound(text.replace(b"20", b"99999999"))


@pytest.mark.slow
def test_spoiled_texts_raise_nothing_and_do_not_hang(text: bytes) -> None:
    """The kernel may end the process on a few of them, as it may in a slot; they are counted."""
    said: Counter[str] = Counter()
    child: subprocess.Popen[str] | None = None
    for seed in range(400):
        if child is None:
            command = [sys.executable, "-c", CHILD]
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
            )  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(wire.measure(spoiled(text, seed))) + "\n")
        child.stdin.flush()
        line = child.stdout.readline()
        if not line:
            with child:
                child.stdin.close()
            assert child.returncode < 0, "it raised instead of refusing"
            said["crashed"] += 1
            child = None
        else:
            said[json.loads(line)] += 1
    if child is not None:
        child.communicate()
    assert said["refused"] > 200
    assert said["crashed"] < 20
