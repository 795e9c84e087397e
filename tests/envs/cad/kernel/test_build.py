"""What comes of programs: a shape, or words that help."""

import importlib.util
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from palestra import sandbox as sandboxes
from palestra.envs.cad.kernel import SlotKernel, kernel_for
from palestra.envs.cad.records import Kernel, ShapeLimits
from palestra.sandbox.base import MIB, Limits, PermanentInfraError, Spec

START = "import cadquery as cq\n"
CUBE = START + "result = cq.Workplane().box(1, 1, 1)"
BOX = START + "result = cq.Workplane().box(10, 20, 30)\n"


def test_it_is_a_kernel(kernel: SlotKernel) -> None:
    known: Kernel = kernel
    assert known.build(BOX).brep


def test_a_program_leaves_a_shape_and_what_it_printed(kernel: SlotKernel) -> None:
    built = kernel.build(BOX + "print('volume', result.val().Volume())")
    assert built.brep
    assert built.error == ""
    assert built.output == "volume 6000.0\n"
    assert not built.timed_out
    assert 0 < built.seconds < 10
    found = kernel.measure(built.brep)
    assert found.size == pytest.approx((10, 20, 30))


def test_equal_programs_leave_equal_bytes(kernel: SlotKernel) -> None:
    assert kernel.build(BOX).brep == kernel.build(BOX + "x = 1").brep


@pytest.mark.parametrize(
    ("result", "solids"),
    [
        ("cq.Workplane().box(1, 1, 1).val()", 1),
        ("cq.Solid.makeBox(1, 1, 1)", 1),
        ("cq.Workplane().rarray(5, 5, 2, 2).box(1, 1, 1, combine=False)", 4),
        ("cq.Workplane().rarray(5, 5, 2, 1).rect(1, 1).extrude(2)", 2),
        (
            "cq.Assembly().add(cq.Solid.makeBox(1, 1, 1)).add(cq.Solid.makeBox(1, 1, 1), loc=cq.Location((5, 0, 0)))",
            2,
        ),
    ],
)
def test_the_result_may_be_of_several_kinds(kernel: SlotKernel, result: str, solids: int) -> None:
    built = kernel.build(f"{START}result = {result}")
    assert built.brep, built.error
    assert kernel.measure(built.brep).solids == solids


def test_triangles_of_a_shape_are_left_out(kernel: SlotKernel) -> None:
    plain, meshed = (
        kernel.build(f"{START}result = cq.Workplane().sphere(5)\n{more}")
        for more in ("", "result.val().tessellate(0.01)")
    )
    assert plain.brep
    assert meshed.brep
    assert abs(len(plain.brep) - len(meshed.brep)) < 10


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (CUBE + ".edges('|Z').fillet(3)", r"NotDone.*\(line 2: .*fillet\(3\).*radius is too large"),
        (CUBE + ".edges('|Q').fillet(.1)", r"ParseException: Expected a selector, found '\|'.*Hint"),
        (CUBE + ".faces('>X').edges('|X').fillet(.1)", "edges be selected.*selector found none"),
        (START + "part = cq.Workplane().box(1, 1, 1)", "without the name `result`.*is it `part`"),
        (START + "result = 3", "of the type int"),
        (START + "result = None", "of the type NoneType"),
        (START + "result = [cq.Workplane().box(1, 1, 1)]", "of the type list"),
        ("result = cq.Workplane().box(1, 1, 1)", "NameError.*line 1.*import cadquery as cq"),
        (START + "result = cq.Workplane().boxx(1, 1, 1)", "AttributeError.*there is `box`"),
        (START + "result = cq.Workplane().rect(1, 1)", "no solid"),
        (START + "result = cq.Workplane().moveTo(0, 0).lineTo(1, 0)", "sketch that nothing was made of|no solid"),
        (START + "result = cq.Workplane().lineTo(1, 1).lineTo(0, 1).extrude(3)", "No pending wires.*close"),
        (START + "result = cq.Workplane().rect(1, 1).extrude(0)", "line 2.*a length is 0"),
        (CUBE + ".faces('>Z')", r"1 selected \(Face\) and no solid.*\.end\(\)"),
        (CUBE + ".faces('>Z').val()", "a Face without a solid"),
        (CUBE + ".cut(cq.Workplane().box(3, 3, 3))", "is empty: nothing was built"),
        (CUBE + ".shell(-3)", "wall is too thick"),
        (START + "result = cq.Workplane().box(1, 1,\n", r"SyntaxError: '\(' was never closed \(line 2"),
        (START + "\n\nx = 1 / 0\nresult = 1", "ZeroDivisionError: division by zero .line 4: `x = 1 / 0`"),
        ("import build123d", "ModuleNotFoundError.*CadQuery, NumPy"),
        ("def f(): f()\nf()", "RecursionError.*for ever"),
        ("x = bytearray(1 << 40)", "MemoryError.*memory"),
        ("import sys\nsys.exit(3)", "without the name `result`"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import os\nos._exit(3)", "process ended .exit code 3."),
        ("import os\nos.kill(os.getpid(), 11)", "kernel crashed, SIGSEGV"),
        ("\0", "null bytes"),
        ("x = '\ud800'", "UnicodeEncodeError"),
        ("", "without the name `result`"),
    ],
)  # fmt: skip
def test_what_went_wrong_is_told_shortly(kernel: SlotKernel, program: str, said: str) -> None:
    built = kernel.build(program)
    assert built.brep is None
    assert not built.timed_out
    assert len(built.error) < 700
    assert "\n" not in built.error
    assert re.search(said, built.error), built.error


def test_leaving_early_with_a_result_is_an_end_like_another(kernel: SlotKernel) -> None:
    assert kernel.build(BOX + "import sys\nsys.exit()").brep
    assert kernel.build(BOX + "show_object(result)").brep  # of an editor
    assert kernel.build(BOX + "if __name__ != '__main__': del result").brep


@pytest.mark.parametrize("program", ["while True: pass", "import time\ntime.sleep(60)", "sum(range(10**12))"])
def test_a_program_is_stopped_in_time(kernel: SlotKernel, program: str) -> None:
    built = kernel.build(program, timeout_s=0.5)
    assert built.timed_out
    assert "stopped after 0.5 s" in built.error
    assert built.seconds > 0.45


def test_programs_that_stop_the_clock_are_stopped_too(kernel: SlotKernel) -> None:
    quiet = (
        "import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nsignal.setitimer(signal.ITIMER_REAL, 0)\n"
    )
    built = kernel.build(BOX + quiet + "while True: time.sleep(1)", timeout_s=0.5)
    assert built.timed_out
    assert built.brep is None


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 1e9])
def test_times_that_make_no_sense_are_refused(kernel: SlotKernel, seconds: float) -> None:
    with pytest.raises(ValueError, match="timeout_s must be from"):
        kernel.build(BOX, timeout_s=seconds)


def test_a_shape_has_a_size_at_most() -> None:
    built = SlotKernel(limits=ShapeLimits(bytes=2000)).build(BOX)
    assert built.brep is None
    assert "at most 2,000 are taken" in built.error


def test_what_is_printed_is_cut(kernel: SlotKernel) -> None:
    built = kernel.build(BOX + "print('a' * 100_000_000)")
    assert "[... cut ...]" in built.output
    assert len(built.output) < 5000


def test_nothing_is_left_for_the_next_program(kernel: SlotKernel) -> None:
    kernel.build(
        "import cadquery, os\ncadquery.Workplane.box = None\nopen('answer', 'w').write('x')\nopen('/tmp/x', 'w')"
    )
    built = kernel.build(BOX + "import os\nprint(os.listdir('.'), os.listdir('/tmp'))")
    assert built.brep
    assert built.output == "[] []\n"


def test_threads_build_at_the_same_time(kernel: SlotKernel) -> None:
    with ThreadPoolExecutor(6) as threads:
        sizes = range(1, 7)
        built = list(threads.map(lambda size: kernel.build(f"{START}result = cq.Workplane().box({size}, 1, 1)"), sizes))
        found = list(threads.map(lambda one: kernel.measure(one.brep or b""), built))
    assert [one.volume for one in found] == pytest.approx(list(sizes))


def test_a_fork_has_slots_of_its_own(kernel: SlotKernel) -> None:
    kernel.build(BOX)
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(write, b"built" if kernel.build(BOX).brep else b"nothing")
        finally:
            os._exit(0)
    os.close(write)
    assert os.read(read, 100) == b"built"
    os.close(read)
    assert os.waitpid(child, 0)[1] == 0
    assert kernel.build(BOX).brep


def test_closing_is_once_and_for_all() -> None:
    own = SlotKernel()
    own.close()
    own.close()
    with pytest.raises(ValueError, match="closed; make another"):
        own.build(BOX)
    assert kernel_for() is kernel_for()
    assert kernel_for().build(BOX).brep


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PermanentInfraError, match=r"pip install 'palestra\[cad\]'"):
        SlotKernel()


def test_builds_leave_no_descriptors_processes_or_threads(kernel: SlotKernel) -> None:
    def held() -> tuple[int, int, int]:
        children = Path(f"/proc/self/task/{threading.main_thread().native_id}/children").read_text().split()
        return len(os.listdir("/proc/self/fd")), len(children), threading.active_count()

    kernel.build(BOX)
    before = held()
    for number in range(100):
        assert kernel.build("1 / 0" if number % 3 == 0 else "result = 1").brep is None
    assert held() == before


def test_a_slot_takes_files_before_its_first_program() -> None:
    """What a large preloaded library holds is no fault of whoever writes a file."""
    with closing(sandboxes.create(Spec(preload=("cadquery",), limits=Limits(memory_bytes=32 * MIB)))) as sandbox:
        sandbox.write("file", b"content")
        assert sandbox.read("file") == b"content"
