"""Shell tasks from seeds: the same for the same seed, apart by structure, and as hard as the knobs say."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from palestra.envs.base import Json, Split, Task, TaskError
from palestra.envs.draws import Draws
from palestra.envs.terminal.catalogue import OPERATORS, REPAIRS
from palestra.envs.terminal.compose import AREAS, TOOLS, Composed, joined, needs
from palestra.envs.terminal.generate import KNOBS, TerminalTasks, is_heldout, make_task
from palestra.envs.terminal.harder import MENDS
from palestra.envs.terminal.predicates import check_predicate
from palestra.envs.terminal.proofs import tree_hash, twin_of
from palestra.envs.terminal.step import HOME, TOLD, Knobs, Step
from palestra.envs.terminal.tree import Tree

TRAIN, HELDOUT = TerminalTasks("train"), TerminalTasks("heldout")
SEEDS = range(30)


@pytest.mark.parametrize("source", [TRAIN, HELDOUT], ids=["train", "heldout"])
def test_a_seed_makes_the_same_task_again(source: TerminalTasks) -> None:
    for seed in range(6):
        assert source.sample(seed).digest == source.sample(seed).digest
    assert Task.from_dict(json.loads(json.dumps(source.sample(0).to_dict()))).digest == source.sample(0).digest


def test_another_process_makes_the_same_task() -> None:
    program = (
        "from palestra.envs.terminal.generate import TerminalTasks\n"
        "print([TerminalTasks('train').sample(seed).digest for seed in range(4)])"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert told.stdout.strip() == str([TRAIN.sample(seed).digest for seed in range(4)])


def test_no_template_and_no_folder_name_is_in_both_splits() -> None:
    train, heldout = ([source.sample(seed) for seed in SEEDS] for source in (TRAIN, HELDOUT))
    templates = [{task.provenance["template"] for task in tasks} for tasks in (train, heldout)]
    assert not templates[0] & templates[1]
    assert all(is_heldout(task.provenance["structure"]) for task in heldout)
    folders = [{folder for task in tasks for folder in task.hidden["collect"]} for tasks in (train, heldout)]
    assert not folders[0] & folders[1]


def test_tasks_are_apart_by_structure_and_not_only_by_seed() -> None:
    tasks = [TRAIN.sample(seed) for seed in range(100)]
    assert len({task.provenance["template"] for task in tasks}) >= 95
    assert len({task.instruction for task in tasks}) == len({task.id for task in tasks}) == 100


@pytest.mark.slow
def test_every_operator_and_chains_are_drawn() -> None:
    tasks = [TRAIN.sample(seed, {"operators": 4}) for seed in range(200)]
    assert {name for task in tasks for name in task.provenance["operators"]} == set(OPERATORS)
    chained = sum(any(step["source"] >= 0 for step in task.hidden["steps"]) for task in tasks)
    assert chained > 50


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_instruction_tells_all_that_the_checks_ask_for(count: int) -> None:
    for seed in range(8):
        composed, task = TRAIN.composed(seed, {"operators": count}), TRAIN.sample(seed, {"operators": count})
        assert len(task.hidden["steps"]) == count
        for at, step in enumerate(composed.steps):
            assert f"{at + 1}. " in task.instruction
            assert step.text.splitlines()[0] in task.instruction
        for check in task.hidden["checks"]:
            check_predicate(check)
            assert 0 <= check["group"] < count
        assert {check["group"] for check in task.hidden["checks"]} == set(range(count))
        assert f"{task.budget.turns} turns" in task.instruction


def test_what_is_hidden_is_told_nowhere_else() -> None:
    task = TRAIN.sample(3)
    shown = json.dumps([task.instruction, task.tools, dict(task.public)], default=dict)
    for step in task.hidden["steps"]:
        assert step["solve"] not in shown
    assert not any(value in shown for value in task.hidden["made"].values())


@pytest.mark.parametrize("area", AREAS)
def test_an_area_can_be_asked_for(area: str) -> None:
    known = {one.name for one in OPERATORS.values() if one.area == area}
    for seed in range(5):
        assert set(TRAIN.sample(seed, {"area": area}).provenance["operators"]) <= known


def test_every_area_has_operators_and_there_are_many_templates_in_each() -> None:
    areas = [operator.area for operator in OPERATORS.values()]
    assert set(areas) == set(AREAS)
    assert len(areas) >= 20
    for area in AREAS:
        tasks = [TRAIN.sample(seed, {"area": area, "operators": 1}) for seed in range(20)]
        assert len({task.provenance["template"] for task in tasks}) >= 12


def test_so_many_steps_mend_something_as_faults_are_asked_for() -> None:
    for seed in range(6):
        steps = TRAIN.composed(seed, {"faults": 2, "operators": 3}).steps
        assert sum(step.operator in REPAIRS or step.choices[-1].startswith(MENDS) for step in steps) >= 2


def test_a_larger_size_is_more_data() -> None:
    def amount(size: int) -> int:
        return sum(len(json.dumps(TRAIN.sample(seed, {"size": size}).hidden["start"])) for seed in range(8))

    assert amount(60) > 2 * amount(6)


def test_decoys_are_files_that_must_stay() -> None:
    for seed in range(8):
        composed = TRAIN.composed(seed, {"decoys": 4})
        assert len(composed.noise) == 4
        assert set(composed.noise) <= set(TRAIN.sample(seed, {"decoys": 4}).hidden["keeps"])


def test_values_stand_in_files_that_the_text_names() -> None:
    for seed in range(10):
        composed, task = (make(seed, {"indirect": True}) for make in (TRAIN.composed, TRAIN.sample))
        assert isinstance(composed, Composed)
        assert isinstance(task, Task)
        assert all(f"`{folder}/{TOLD}`" in task.instruction for folder in composed.folders)


@pytest.mark.parametrize("tool", TOOLS)
def test_what_the_machine_lacks_is_said_and_not_needed(tool: str) -> None:
    for seed in range(6):
        composed, task = (make(seed, {"without": tool}) for make in (TRAIN.composed, TRAIN.sample))
        assert isinstance(composed, Composed)
        assert isinstance(task, Task)
        assert f"no `{tool}`" in task.instruction
        assert not any(needs(step, (tool,)) for step in composed.steps)
        assert f"/usr/bin/{'*awk' if tool == 'awk' else tool}" in task.hidden["setup"]


def test_a_cap_gives_so_many_turns_for_each_call() -> None:
    assert TRAIN.sample(0, {"cap": 2, "operators": 3}).budget.turns == 8
    assert TRAIN.sample(0, {"cap": 10, "operators": 1}).budget.turns == 20


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"operators": 5}, "'operators' must be 1 to 4"),
        ({"operators": 0}, "'operators' must be 1 to 4"),
        ({"size": 3}, "'size' must be 4 to 200"),
        ({"decoys": -1}, "'decoys' must be 0 to 5"),
        ({"cap": 1}, "'cap' must be 2 to 20"),
        ({"faults": 3}, "'faults' must be 0 to the number of operators"),
        ({"area": "web"}, "'area' must be any"),
        ({"without": "python3, rm"}, "not 'rm'"),
        ({"operators": "2"}, "takes int"),
        ({"steps": 2}, "unknown difficulty knob 'steps'"),
    ],
)
def test_a_knob_out_of_range_is_refused(knobs: Mapping[str, Json], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        TRAIN.sample(0, knobs)


def test_a_split_that_nobody_knows_is_refused() -> None:
    split: Any = "test"
    with pytest.raises(TaskError, match="unknown split 'test'"):
        TerminalTasks(split)


def _step(folder: str, name: str, text: str, **more: Any) -> Step:
    """Return a step that writes a file."""
    path = f"{folder}/{name}"
    told: dict[str, Any] = {
        "operator": "files_written",
        "choices": (),
        "text": f"Write `{path}`.",
        "starts": Tree({f"{folder}/{name}.in": Tree().put("/x", "in\n")["/x"]}),
        "effect": lambda tree: tree.put(path, text),
        "solve": f"echo {text.strip()} > {path}",
        "checks": ({"kind": "file", "path": path, "equals": text},),
        "wrong": {"nothing": "true", "something": f"echo x > {path}"},
        "makes": (path,),
    }
    return Step(**{**told, **more})


def _together(*steps: Step) -> Composed | None:
    return joined(steps, [-1] * len(steps), [f"{HOME}/{n}" for n in range(len(steps))], Tree())


def test_steps_that_are_in_each_others_way_are_not_put_together() -> None:
    one, two = _step(f"{HOME}/0", "a", "1\n"), _step(f"{HOME}/1", "b", "2\n")
    assert _together(one, two) is not None
    assert _together(one, one) is None  # both begin with the same file
    undoing = _step(f"{HOME}/1", "b", "2\n", effect=lambda tree: tree.drop(f"{HOME}/0").put(f"{HOME}/1/b", "2\n"))
    assert _together(one, undoing) is None
    done_already = _step(f"{HOME}/1", "b", "2\n", starts=Tree().put(f"{HOME}/1/b", "2\n"))
    assert _together(one, done_already) is None
    spoiling = _step(
        f"{HOME}/1", "b", "2\n", keeps=(f"{HOME}/1/b.in",), effect=lambda tree: tree.put(f"{HOME}/1/b.in", "")
    )
    assert _together(one, spoiling) is None
    doing_both = _step(f"{HOME}/1", "b", "2\n", effect=lambda t: t.put(f"{HOME}/0/a", "1\n").put(f"{HOME}/1/b", "2\n"))
    assert _together(one, doing_both) is None


def test_files_that_no_step_is_about_must_stay_and_files_that_one_changes_need_not() -> None:
    changing = _step(f"{HOME}/0", "a", "1\n", effect=lambda tree: tree.put(f"{HOME}/0/a", "1\n").drop(f"{HOME}/0/a.in"))
    found = _together(changing, _step(f"{HOME}/1", "b", "2\n"))
    assert found is not None
    task = make_task(found, "train", 0, KNOBS)
    assert set(task.hidden["keeps"]) == {f"{HOME}/1/b.in"}
    assert set(task.hidden["made"]) == {f"{HOME}/0/a", f"{HOME}/1/b"}


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_a_twin_has_the_same_template_and_other_values(split: Split) -> None:
    found = 0
    for seed in range(6):
        composed = TerminalTasks(split).composed(seed)
        twin = twin_of(composed, Knobs(decoys=1), heldout=split == "heldout", seed=1000 + seed)
        if twin is not None:
            found += 1
            assert twin.template == composed.template
            assert [step.solve for step in twin.steps] != [step.solve for step in composed.steps]
    assert found >= 3


def test_a_hash_of_a_tree_tells_all_but_times() -> None:
    tree = Tree().put("/a", "x").put("/b/.git/HEAD", "1")
    assert tree_hash(tree) == tree_hash(tree.put("/b/.git/HEAD", "2"))
    assert len({tree_hash(one) for one in (tree, tree.put("/a", "y"), tree.put("/c", "x"), tree.drop("/a"))}) == 4


def test_operators_draw_alike_from_the_same_draws() -> None:
    for operator in OPERATORS.values():
        one, two = (
            operator.draw(Draws("terminal", operator.name, 5, "s"), f"{HOME}/x", None, Knobs(), heldout=False)
            for _ in range(2)
        )
        assert (one is None) == (two is None)
        if one is not None and two is not None:
            assert (one.text, one.solve, one.starts, one.checks) == (two.text, two.solve, two.starts, two.checks)
