"""Generated tasks: the same from the same seed, solved by their oracle, and split by template and word."""

import json
from itertools import islice

import pytest

from palestra.envs.base import SPLITS, Json, Split, Task, TaskError
from palestra.envs.tooluse.case import Case
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.generate import ToolUseSource
from palestra.envs.tooluse.interpret import call, is_fault
from palestra.envs.tooluse.world import World, fill

N = 60


def tasks(split: Split, n: int = N) -> list[Task]:
    return list(islice(ToolUseSource(split), n))


@pytest.mark.parametrize("split", SPLITS)
def test_the_oracle_reaches_the_goal(split: Split) -> None:
    for task in tasks(split):
        case = Case.from_dict(json.loads(json.dumps(task.hidden)))
        base = fill(DOMAINS[case.place.domain], case.place.split, case.place.seed, case.place.scale)
        assert base.digest() == case.place.digest
        world = World(base)
        for step in case.steps:
            assert not is_fault(call(world, step.tool, step.arguments)), task.id
        assert [list(cell) for cell in case.goal.changes] == json.loads(json.dumps(world.diff())), task.id


def test_a_task_survives_json() -> None:
    for task in tasks("train", 20):
        again = Task.from_dict(json.loads(json.dumps(task.to_dict())))
        assert again.digest == task.digest
        assert Case.from_dict(again.hidden) == Case.from_dict(task.hidden)


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"width": 4}, "'width' must be from 0 to 3"),
        ({"domain": "zoo"}, "must be any, .*, not 'zoo'"),
        ({"domain": "restaurant"}, "in train, not 'restaurant'"),
        ({"kinds": "both", "width": 1}, "two things"),
        ({"scal": 1.0}, "unknown difficulty knob 'scal'"),
    ],
)
def test_a_wrong_knob_is_named(knobs: dict[str, Json], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        ToolUseSource().sample(0, knobs)
