"""Tasks: the same from a seed, told in full, made without a kernel, of both splits, and refused where a knob is odd."""

import json
import subprocess
import sys
from itertools import islice

import pytest

from palestra.envs.base import SPLITS, Split, Task, TaskError
from palestra.envs.cad.generate import MODES, PLACED, CadTasks, Mode, listed
from palestra.envs.cad.parts.part import Part, is_heldout
from palestra.envs.cad.parts.reading import parse
from palestra.envs.cad.parts.tree import from_json, shape_of
from palestra.envs.cad.verify import check_task


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("split", SPLITS)
def test_tasks_are_whole(mode: Mode, split: Split) -> None:
    for task in islice(CadTasks(mode, split), 4):
        check_task(task)
        assert Task.from_dict(json.loads(json.dumps(task.to_dict()))).digest == task.digest
        assert task.digest == CadTasks(mode, split).sample(task.seed).digest
        tree = from_json(task.hidden["tree"])
        part = Part(tree)
        assert part.program() == task.hidden["program"]
        assert task.hidden["near_misses"]
        assert task.hidden["program"] not in [program for _, program in task.hidden["near_misses"]]
        assert task.instruction.endswith(PLACED["datum"])
        assert task.public["given"] == task.hidden["free"] != task.hidden["program"]
        assert bool(task.public["given"]) == (mode in ("edit", "repair"))
        assert task.public["given"].strip() in task.instruction
        if mode != "edit":
            assert is_heldout(shape_of(tree)) == (split == "heldout")


@pytest.mark.parametrize(("mode", "register"), [("text", "expert"), ("text", "layman"), ("dims", "table")])
def test_a_text_is_read_back(mode: Mode, register: str) -> None:
    knobs = {"register": register} if mode == "text" else {}
    for seed in range(6):
        task = CadTasks(mode).sample(seed, knobs)
        told = task.instruction.split("\n\n", 1)[1].removesuffix(f"\n\n{PLACED['datum']}")
        assert parse(told, register) == from_json(task.hidden["tree"])  # type: ignore[arg-type]


def test_what_views_do_not_tell_is_listed() -> None:
    task = CadTasks("image").sample(0)
    part = Part(from_json(task.hidden["tree"]))
    assert listed(part) in task.instruction
    assert len(listed(part).splitlines()) == 2 + 1 + len(part.tree.edges) + len(part.tree.steps)


def test_a_place_is_told_and_judged() -> None:
    task = CadTasks().sample(1, {"alignment": "rotations"})
    assert task.hidden["alignment"] == "rotations"
    assert task.instruction.endswith(PLACED["rotations"])


@pytest.mark.parametrize(
    ("mode", "knobs", "why"),
    [
        ("text", {"register": "table"}, "register"),
        ("dims", {"register": "expert"}, "unknown difficulty knob"),
        ("text", {"alignment": "scaled"}, "alignment"),
        ("text", {"features": 9}, "features"),
        ("text", {"features": "3"}, "features"),
        ("text", {"edit_distance": 1}, "unknown difficulty knob"),
        ("edit", {"edit_distance": 4}, "edit_distance"),
        ("image", {"decimals": 1}, "unknown difficulty knob"),
    ],
)
def test_an_odd_knob_is_refused(mode: Mode, knobs: dict[str, object], why: str) -> None:
    with pytest.raises(TaskError, match=why):
        CadTasks(mode).sample(0, knobs)


def test_an_odd_mode_or_split_is_refused() -> None:
    with pytest.raises(TaskError, match="unknown mode 'solid'; known: text, dims, edit, repair, image"):
        CadTasks("solid")  # type: ignore[arg-type]
    with pytest.raises(TaskError, match="unknown split 'test'"):
        CadTasks("text", "test")  # type: ignore[arg-type]


def test_no_kernel_is_imported_by_palestra_or_by_tasks() -> None:
    program = (
        "import sys, palestra; palestra.list_envs(); env = palestra.make('palestra/Cad-v0'); env.reset(seed=1); "
        "print([name for name in ('cadquery', 'OCP', 'vtkmodules', 'trimesh', 'scipy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {program}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_who_lacks_the_kernel_is_told_what_to_install() -> None:
    program = (
        "import importlib.util, palestra; find = importlib.util.find_spec; "
        "importlib.util.find_spec = lambda name, *more: None if name == 'cadquery' else find(name, *more); "
        "env = palestra.make('palestra/Cad-v0'); env.reset(seed=1); next(iter(env.oracle())); "
        "env.step(next(iter(env.oracle())))"
    )
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {program}"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "pip install 'palestra[cad]'" in told
