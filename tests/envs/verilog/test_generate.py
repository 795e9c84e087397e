"""Tasks are the same everywhere, split by template, and follow their knobs."""

import json
from typing import Any

import pytest

from palestra.envs.base import SPLITS, Task, TaskError
from palestra.envs.verilog.catalogue import TEMPLATES
from palestra.envs.verilog.generate import VerilogTasks
from palestra.envs.verilog.mutants import design_of, mutants, near_misses
from palestra.envs.verilog.template import is_heldout_number


@pytest.mark.parametrize("split", SPLITS)
def test_splits_have_no_template_in_common(split: Any) -> None:
    tasks = [VerilogTasks(split).sample(seed) for seed in range(60)]
    assert all(TEMPLATES[task.hidden["template"]].is_heldout is (split == "heldout") for task in tasks)
    assert len({task.hidden["template"] for task in tasks}) > 8
    assert len({task.instruction for task in tasks}) > 50


def test_there_are_many_templates_of_both_kinds_in_both_splits() -> None:
    counts: dict[tuple[bool, bool], int] = {}
    for template in TEMPLATES.values():
        key = template.is_clocked, template.is_heldout
        counts[key] = counts.get(key, 0) + 1
    assert len(TEMPLATES) >= 40
    assert min(counts.values()) >= 7


def test_widths_are_of_the_splits_own_pool() -> None:
    for split in SPLITS:
        for seed in range(30):
            width = VerilogTasks(split).sample(seed, {"width": 16}).hidden["params"].get("width")
            if width is not None and width > 5:
                assert is_heldout_number(width) is (split == "heldout")


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"kind": "sequential", "edge": "falling"}, "falling edge"),
        ({"kind": "sequential", "reset": "async"}, "asynchronous"),
        ({"kind": "sequential", "reset": "sync"}, "is synchronous"),
        ({"kind": "sequential", "polarity": "low"}, "`rst_n`"),
        ({"kind": "combinational"}, "combinational"),
        ({"template": "counter"}, "A counter"),
    ],
)
def test_knobs_are_followed(knobs: dict[str, Any], told: str) -> None:
    for seed in range(8):
        assert told in VerilogTasks().sample(seed, knobs).instruction


@pytest.mark.parametrize(
    "knobs",
    [
        {"kind": "analogue"},
        {"template": "rotator"},
        {"template": "nothing"},
        {"width": 3},
        {"width": 33},
        {"edge": "both"},
    ],
)
def test_knobs_that_make_no_sense_are_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(TaskError):
        VerilogTasks().sample(0, knobs)


def test_a_task_is_rebuilt_from_its_json() -> None:
    for seed in range(12):
        task = VerilogTasks("train").sample(seed)
        again = Task.from_dict(json.loads(json.dumps(task.to_dict())))
        assert again.digest == task.digest
        assert design_of(again).source(again.public["module"]) == again.hidden["golden"]


def test_nothing_hidden_is_told() -> None:
    task = VerilogTasks().sample(3)
    told = json.dumps([task.instruction, task.public, list(task.tools)])
    assert "assign" not in told
    assert "always" not in told


def test_mutants_change_one_word_and_near_misses_keep_the_ports() -> None:
    for seed in range(8):
        task = VerilogTasks().sample(seed)
        golden = task.hidden["golden"]
        header = golden[: golden.index(");")]
        assert all(source.startswith(header) and source != golden for _, source in near_misses(task))
        found = [source for _, source in mutants(golden)]
        assert found
        assert golden not in found
