"""Tasks are fair, the same everywhere, and split by what they are made of."""

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from palestra.envs.base import SPLITS, Split, Task, TaskError
from palestra.envs.fuzz import python
from palestra.envs.fuzz.encoding import decode
from palestra.envs.fuzz.fuzzers import climb, draws_of, random_search
from palestra.envs.fuzz.generate import FuzzTasks, is_heldout_pair
from palestra.envs.fuzz.layout import LAYOUTS
from palestra.envs.fuzz.stages import HELDOUT_STAGES, STAGES
from palestra.envs.fuzz.target import REACHED, Target
from palestra.envs.fuzz.verify import Puzzle

COUNT = 30


@pytest.fixture(scope="module", params=SPLITS)
def some_tasks(request: pytest.FixtureRequest) -> list[Task]:
    tasks = FuzzTasks(request.param)
    return [tasks.sample(seed, {"depth": 2 + seed % 5, "decoys": seed % 7}) for seed in range(COUNT)]


def kinds_of(task: Task) -> list[str]:
    return str(task.provenance["template"]).split(":")[1].split("-")


def bytes_of(task: Task) -> tuple[bytes, bytes]:
    return decode(task.hidden["witness"], 1024), decode(task.public["start"], 1024)


def test_the_witness_reaches_the_target_and_the_start_does_not(some_tasks: list[Task]) -> None:
    for task in some_tasks:
        puzzle, (witness, start) = Puzzle.of(task), bytes_of(task)
        run, trace = python.plain_in_process(puzzle.target), python.probed_in_process(puzzle.target)
        assert run(witness) == REACHED != run(start), task.id
        assert trace(witness).distance(puzzle.target) == 0.0
        assert trace(start).distance(puzzle.target) == puzzle.start_distance > 0
        taken = trace(witness).taken
        assert all(taken[number].times(way) for number, way in puzzle.target.path if number in taken)


def test_every_byte_that_matters_matters(some_tasks: list[Task]) -> None:
    for task in some_tasks:
        run, (witness, _) = python.plain_in_process(Puzzle.of(task).target), bytes_of(task)
        relevant = task.hidden["relevant"]
        assert len(relevant) >= 0.6 * len(witness)
        for place in relevant:
            for change in (1, 2, 128):
                spoilt = witness[:place] + bytes([witness[place] ^ change]) + witness[place + 1 :]
                assert run(spoilt) != REACHED, (task.id, place)
        for spoilt in (witness[:-1], witness[1:], witness + b"\0", b"", witness + witness):
            assert run(spoilt) != REACHED, task.id


def test_chance_does_not_find_a_target_and_the_distance_guides() -> None:
    by_chance, guided = [], []
    for seed in (4, 8):
        task = FuzzTasks().sample(seed, {"depth": 2, "layout": "guards"})
        distance, (_, start) = distance_of(Puzzle.of(task).target), bytes_of(task)
        by_chance.append(random_search(zero_of(distance), start, draws_of(seed), 12_000, 256))
        guided.append(climb(distance, start, draws_of(seed), 12_000, 256))
    assert by_chance == [None, None]
    assert all(found is not None for found in guided)


def zero_of(distance: Callable[[bytes], float]) -> Callable[[bytes], bool]:
    return lambda data: distance(data) == 0.0


def distance_of(target: Target) -> Callable[[bytes], float]:
    trace = python.probed_in_process(target)
    return lambda data: trace(data).distance(target)


def test_no_input_takes_long(some_tasks: list[Task]) -> None:
    """Loops end after as many rounds as there are bytes, or a number that the input cannot choose freely."""
    inputs = [bytes([byte]) * 1024 for byte in range(0, 256, 5)] + [bytes(range(256)) * 4]
    for task in some_tasks[:10]:
        target, (witness, _) = Puzzle.of(task).target, bytes_of(task)
        trace = python.probed_in_process(target)
        for data in inputs:
            for given in (data, witness + data, witness[: len(witness) // 2] + data):
                assert sum(taken.true for taken in trace(given).taken.values()) < 20_000, task.id


def test_splits_differ_by_stages_pairs_and_constants() -> None:
    made = {split: [FuzzTasks(split).sample(seed) for seed in range(40)] for split in SPLITS}
    for task in made["train"]:
        kinds = kinds_of(task)
        assert not HELDOUT_STAGES & set(kinds)
        assert not any(is_heldout_pair(*pair) for pair in itertools.pairwise(kinds))
    for task in made["heldout"]:
        kinds = kinds_of(task)
        assert HELDOUT_STAGES & set(kinds) or any(is_heldout_pair(*pair) for pair in itertools.pairwise(kinds))
    templates = {split: {task.provenance["template"] for task in tasks} for split, tasks in made.items()}
    assert not templates["train"] & templates["heldout"]
    words = {
        split: {word for task in tasks for word in re.findall(r"b'[^']+'|[a-z]+=", task.hidden["description"])}
        for split, tasks in made.items()
    }
    assert len(words["train"]) > 5
    assert not words["train"] & words["heldout"]


def test_the_same_seed_makes_the_same_task_and_others_others() -> None:
    again = [task.digest for task in itertools.islice(FuzzTasks(), 8)]
    assert again == [FuzzTasks().sample(seed).digest for seed in range(8)]
    assert len(set(again)) == 8
    task = FuzzTasks().sample(3)
    assert Task.from_dict(json.loads(json.dumps(task.to_dict()))).digest == task.digest


def test_a_language_changes_nothing_but_the_language() -> None:
    for seed in range(8):
        one, two = (FuzzTasks().sample(seed, {"language": language}) for language in ("c", "python"))
        assert one.hidden == two.hidden
        assert one.public["start"] == two.public["start"]
        assert one.public["source"] != two.public["source"]
    languages = {FuzzTasks().sample(seed).public["language"] for seed in range(12)}
    assert languages == {"c", "python"}


@pytest.mark.parametrize("split", SPLITS)
def test_knobs_change_what_they_name(split: Split) -> None:
    tasks = FuzzTasks(split)
    for kind in sorted(STAGES):
        if split == "heldout" or kind not in HELDOUT_STAGES:
            assert kind in kinds_of(tasks.sample(1, {"kind": kind})), kind
    for layout in LAYOUTS:
        assert str(tasks.sample(2, {"layout": layout}).provenance["template"]).startswith(layout)
    for depth in (2, 6):
        assert len(kinds_of(tasks.sample(3, {"depth": depth}))) == depth
    few, many = (
        sum(len(Puzzle.of(tasks.sample(seed, {"decoys": decoys})).target.decisions) for seed in range(8))
        for decoys in (0, 6)
    )
    assert many > few
    assert tasks.sample(4, {"input_bytes": 300}).public["input_bytes"] == 300
    short, long = (
        sum(len(bytes_of(tasks.sample(seed, {"size": size, "kind": "payload"}))[0]) for seed in range(8))
        for size in (3, 16)
    )
    assert long > short


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"depth": 1}, "2 to 6"),
        ({"depth": "2"}, "takes int"),
        ({"size": 17}, "3 to 16"),
        ({"decoys": 7}, "0 to 6"),
        ({"input_bytes": 64}, "128 to 1024"),
        ({"language": "rust"}, "any, c, python"),
        ({"kind": "machine"}, "split train, not 'machine'"),
        ({"layout": "flat"}, "guards, nested, late"),
        ({"hard": True}, "unknown difficulty knob"),
    ],
)
def test_wrong_knobs_are_named(knobs: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        FuzzTasks().sample(0, knobs)


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(TaskError, match="'test'"):
        FuzzTasks("test")  # type: ignore[arg-type]
