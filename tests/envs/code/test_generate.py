"""Tasks are fair, the same everywhere, and split by what they are made of."""

import itertools
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from palestra.envs.base import Task, TaskError
from palestra.envs.code.catalogue import OPERATIONS
from palestra.envs.code.chains import is_heldout_pair
from palestra.envs.code.generate import CodeTasks
from palestra.envs.code.ir.printers.catalogue import PRINTERS
from palestra.envs.code.problems.tasks import COMMON
from palestra.envs.code.program import READS, OutOfRange, Program, Step, written
from palestra.envs.code.testing import near_misses

SEEDS = 6


def sample_some(split: Any) -> list[Task]:
    tasks = CodeTasks(split)
    knobs = itertools.product(sorted(READS), (1, 2, 3, 4))
    return [tasks.sample(seed, {"kind": kind, "steps": steps}) for kind, steps in knobs for seed in range(SEEDS)]


@pytest.fixture(scope="module", params=["train", "heldout"])
def some_tasks(request: pytest.FixtureRequest) -> list[Task]:
    return sample_some(request.param)


def program_of(task: Task) -> Program:
    data = task.hidden["program"]
    return Program(data["reads"], tuple(Step(name, k) for name, k in data["steps"]))


def names_of(task: Task) -> list[str]:
    return [name for name, _ in task.hidden["program"]["steps"]]


def test_solutions_pass_every_test(some_tasks: list[Task], run_source: Callable[[str, str], str]) -> None:
    for task in some_tasks:
        for case in [*task.public["examples"], *task.hidden["tests"]]:
            printed = run_source(task.hidden["solution"], case["input"])
            assert printed.split() == case["output"].split(), (task.id, case)


def test_tests_are_many_different_and_telling(some_tasks: list[Task]) -> None:
    for task in some_tasks:
        examples, hidden = task.public["examples"], task.hidden["tests"]
        assert len(examples) >= 2
        assert len(hidden) >= 12
        inputs = [case["input"] for case in [*examples, *hidden]]
        assert len(set(inputs)) == len(inputs), "an input occurs twice, so a table of the examples knows it"
        most = Counter(case["output"] for case in hidden).most_common(1)[0][1]
        assert most <= len(hidden) / 2, f"{task.id}: one constant passes {most} of {len(hidden)}"
        assert any(case["input"].split() != case["output"].split() for case in hidden), "an echo passes"


def test_no_step_is_idle_and_no_constant_is_loose(some_tasks: list[Task]) -> None:
    """A cheat that leaves a step out, or is one off, fails a hidden test."""
    for task in some_tasks:
        program = program_of(task)
        wanted = {case["input"]: case["output"].split() for case in task.hidden["tests"]}
        for miss in near_misses(program):
            assert any(output_of(miss, parsed(program.reads, given)) != output for given, output in wanted.items()), (
                f"{task.id}: {miss} passes"
            )


def parsed(kind: str, text: str) -> Any:
    lines = text.split("\n")
    match kind:
        case "number":
            return int(text)
        case "grid":
            return [list(map(int, line.split())) for line in lines[1:-1]]
        case "ints":
            return list(map(int, text.split()))
        case "words":
            return text.split()
        case _:
            return lines[0]


def output_of(program: Program, value: Any) -> list[str] | None:
    try:
        return written(program.gives, program.trace(value)[-1]).split()
    except OutOfRange:
        return None


def test_splits_differ_by_operations_pairs_and_constants() -> None:
    train, heldout = sample_some("train"), sample_some("heldout")
    for task in train:
        names = names_of(task)
        assert not any(OPERATIONS[name].is_heldout for name in names)
        assert not any(is_heldout_pair(*pair) for pair in itertools.pairwise(names))
    for task in heldout:
        names = names_of(task)
        new_pairs = [pair for pair in itertools.pairwise(names) if is_heldout_pair(*pair)]
        assert new_pairs or any(OPERATIONS[name].is_heldout for name in names)
    constants = [
        {(name, k) for task in tasks for name, k in task.hidden["program"]["steps"] if k is not None}
        for tasks in (train, heldout)
    ]
    assert not constants[0] & constants[1]
    templates = [{task.provenance["template"] for task in tasks} for tasks in (train, heldout)]
    assert not templates[0] & templates[1]
    assert len(templates[0]) >= 100
    assert len(templates[1]) >= 100


def test_tasks_survive_json() -> None:
    for task in itertools.islice(CodeTasks(), 10):
        assert Task.from_dict(json.loads(json.dumps(task.to_dict()))).digest == task.digest


def test_what_the_agent_reads_is_short_and_holds_no_hidden_test() -> None:
    tasks = [CodeTasks().sample(seed, {"area": "chains"}) for seed in range(40)]
    for task in [*tasks, *itertools.islice(CodeTasks(), 10)]:
        most = 900 if "program" in task.hidden else 6_000
        assert len(task.instruction) < most, task.instruction
        shown = task.instruction + json.dumps(task.public)
        assert task.hidden["solution"] not in shown
        long = [case["input"].strip() for case in task.hidden["tests"] if len(case["input"]) > 12]
        assert not any(given in task.instruction for given in long)


def chain(seed: int, size: int) -> Task:
    return CodeTasks().sample(seed, {"area": "chains", "size": size})


def test_knobs_change_what_they_name() -> None:
    tasks = CodeTasks()
    for kind, steps in itertools.product(sorted(READS), (1, 5)):
        program = program_of(tasks.sample(3, {"kind": kind, "steps": steps}))
        assert (program.reads, len(program.steps)) == (kind, steps)
    small, large = (
        sum(
            len(case["input"])
            for seed in range(10)
            for case in tasks.sample(seed, {"area": "chains", "size": size}).hidden["tests"]
        )
        for size in (4, 40)
    )
    assert large > 3 * small


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"steps": 0}, "1 to 5"),
        ({"steps": 6}, "1 to 5"),
        ({"steps": "2"}, "takes int"),
        ({"size": 3}, "4 to 40"),
        ({"size": 41}, "4 to 40"),
        ({"kind": "line"}, "ints"),
        ({"area": "poetry"}, "chains"),
        ({"area": "maps", "kind": "ints"}, "is of the area"),
        ({"area": "chains", "structure": "cases"}, "is not of the area"),
        ({"kind": "ints", "language": "any"}, "is not of the area"),
        ({"structure": "two"}, "cases"),
        ({"format": "xml"}, "counted"),
        ({"helpers": 5}, "0 to 4"),
        ({"corners": 1.5}, "0 to 1"),
        ({"complexity": "cubic"}, "quadratic"),
        ({"language": "klingon"}, "python"),
        ({"depth": 2}, "unknown difficulty knob"),
    ],
)
def test_wrong_knobs_are_named(knobs: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        CodeTasks().sample(0, knobs)


def test_knobs_of_problems_change_what_they_name() -> None:
    tasks = CodeTasks()
    told = [
        tasks.sample(seed, {"area": "maps", "structure": "cases", "steps": 1}).hidden["problem"] for seed in range(2)
    ]
    assert {one["choices"]["structure"] for one in told} == {"cases"}
    for form in ("counted", "comma"):
        fields = tasks.sample(1, {"area": "arrays", "format": form}).hidden["problem"]["choices"]
        assert fields["form of xs"] == form
    rare = tasks.sample(2, {"area": "strings", "language": "rare"})
    assert rare.public["language"] in set(PRINTERS) - set(COMMON)
    assert rare.hidden["oracle"] != tasks.sample(2, {"area": "strings"}).hidden["oracle"]
    many, few = (tasks.sample(4, {"area": "numbers", "corners": share}).hidden["reasons"] for share in (1.0, 0.0))
    assert sum("corner" in reason for reason in many) >= sum("corner" in reason for reason in few) == 0
    functions = [
        tasks.sample(3, {"area": "arrays", "steps": 4, "helpers": n}).hidden["ir"].count("def ") for n in (0, 4)
    ]
    assert functions[0] < functions[1]


def test_a_large_test_has_limits_of_its_own() -> None:
    task = CodeTasks().sample(1, {"complexity": "linear"})
    large = task.hidden["tests"][-1]
    assert len(large["input"]) > 10 * max(len(case["input"]) for case in task.hidden["tests"][:-1])
    assert large["limits"]["cpu_s"] > 0
    assert "large" in task.hidden["reasons"][-1]


def test_ids_tell_tasks_of_other_knobs_apart() -> None:
    tasks = CodeTasks()
    chosen: list[dict[str, Any]] = [
        {},
        {"area": "maps"},
        {"structure": "one"},
        {"steps": 3},
        {"area": "chains"},
        {"kind": "ints"},
    ]
    ids = [tasks.sample(0, knobs).id for knobs in chosen]
    assert len(set(ids)) == len(ids)


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(TaskError, match="'test'"):
        CodeTasks("test")  # type: ignore[arg-type]
