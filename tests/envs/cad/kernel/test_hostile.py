"""Programs that want more than a shape get a shape or a complaint, and the next program finds all as it was."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from palestra.envs.cad.kernel import SlotKernel
from palestra.envs.cad.kernel.hostile import HOSTILE, random_program
from palestra.envs.cad.records import Built, ShapeError
from palestra.sandbox.base import InfraError

BOX = "import cadquery as cq\nresult = cq.Workplane().box(10, 20, 30)\n"
ENDLESS = {  # that their time ends, or that are long at work
    "deaf to signals", "endless triangles", "fork bomb", "huge boolean", "memory of many", "no end at all",
    "output without end", "thread bomb", "very many faces",
}  # fmt: skip


def worth(kernel: SlotKernel, built: Built) -> float | None:
    """Return the volume of what was built; None if it is nothing."""
    if built.brep is None:
        assert built.error
        assert len(built.error) < 700
        return None
    try:
        return kernel.measure(built.brep).volume
    except ShapeError:
        return None


def is_sound(kernel: SlotKernel) -> bool:
    built = kernel.build(BOX)
    return built.brep is not None and kernel.measure(built.brep).volume == pytest.approx(6000)


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - ENDLESS))
def test_a_hostile_program_gets_its_box_or_nothing(kernel: SlotKernel, name: str) -> None:
    volume = worth(kernel, kernel.build(HOSTILE[name]))
    assert volume is None or volume == pytest.approx(6000)


@pytest.mark.slow  # many end by force, and their slots are made anew
@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_a_program_without_end_is_ended(kernel: SlotKernel, name: str) -> None:
    built = kernel.build(HOSTILE[name], timeout_s=1.0)
    assert worth(kernel, built) is None or name == "huge boolean"


@pytest.mark.slow
def test_the_kernel_is_sound_after_them(kernel: SlotKernel) -> None:
    for name in ("kernel patched", "no end at all", "memory", "answer of its own", "kill of everything"):
        kernel.build(HOSTILE[name], timeout_s=1.0)
        assert is_sound(kernel), name


def test_who_writes_the_answer_itself_has_left_a_shape_like_another(kernel: SlotKernel) -> None:
    """A program owns its process: a text that it writes down is judged as a shape, and says nothing else."""
    left = kernel.build(BOX).brep
    assert left
    forged = (
        "import json, os\n"
        f"brep = bytes.fromhex({left.hex()!r})\n"
        "told = {'kind': 'shape', 'iou': 1.0, 'passed': True}\n"
        "open('answer', 'wb').write(json.dumps(told).encode() + b'\\n' + brep)\nos._exit(0)\n"
    )
    assert kernel.build(forged).brep == left


def test_a_child_that_outlives_its_program_writes_nothing(kernel: SlotKernel) -> None:
    for _ in range(5):
        assert worth(kernel, kernel.build(HOSTILE["child that writes later"])) == pytest.approx(6000)


@pytest.mark.parametrize("name", ["files", "other processes"])
def test_a_program_sees_nothing_of_ours(kernel: SlotKernel, name: str) -> None:
    built = kernel.build(HOSTILE[name])
    assert built.output
    for word in ("palestra-", "geometry", "pytest", str(Path.cwd()), str(Path(__file__).parents[4])):
        assert word not in built.output


def test_our_modules_cannot_be_imported(kernel: SlotKernel) -> None:
    assert "ModuleNotFoundError" in kernel.build(HOSTILE["our modules"]).error


def test_the_network_is_away(kernel: SlotKernel) -> None:
    assert "OSError" in kernel.build(HOSTILE["network"]).error


def test_a_slot_killed_in_mid_build_is_a_fault_of_ours_and_is_replaced() -> None:
    kernel, faults = SlotKernel(), list[BaseException]()

    def build() -> None:
        try:
            kernel.build("import time\ntime.sleep(20)", timeout_s=20)
        except InfraError as error:
            faults.append(error)

    assert is_sound(kernel)
    thread = threading.Thread(target=build)
    thread.start()
    deadline = time.monotonic() + 15
    while not (victims := _sleepers()) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    thread.join(timeout=25)
    assert not thread.is_alive()
    assert len(faults) == 1
    assert is_sound(kernel)


def _sleepers() -> list[int]:
    """Return the fork-servers of slots that run a program now: they have children that have children."""
    servers = []
    for launcher in _children(threading.main_thread().native_id or 0):
        servers += [one for one in _children(launcher) if len(_children(one)) >= 2]
    return servers


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def test_programs_at_random_leave_the_kernel_sound(kernel: SlotKernel) -> None:
    rng = random.Random(7)
    for _ in range(25):
        worth(kernel, kernel.build(random_program(rng), timeout_s=2.0))
    assert is_sound(kernel)
