"""What is right in another form is right: predicates ask for no more than the text does."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from palestra.envs.base import Json
from palestra.envs.terminal.catalogue import OPERATORS
from palestra.envs.terminal.frozen import Frozen
from palestra.envs.terminal.predicates import RUNNING, evaluate
from palestra.envs.terminal.runs import Stage
from palestra.envs.terminal.step import HOME, Operator, Step
from palestra.envs.terminal.tree import File, Folder, Tree

Drawn = Callable[..., Step | None]
EVERY = pytest.mark.parametrize("operator", OPERATORS.values(), ids=lambda one: one.name)


@pytest.fixture(scope="module")
def judge() -> Iterator[Callable[[Step, Tree], list[str]]]:
    """Return the function that tells all that is wrong with an end, programs that it holds included."""
    with closing(Stage()) as stage:

        def reasons(step: Step, tree: Tree) -> list[str]:
            frozen = Frozen((tree.to_tar(),), {})
            still = [evaluate(tree, check) for check in step.checks if check["kind"] not in RUNNING]
            running = [stage.reason(frozen, check) for check in step.checks if check["kind"] in RUNNING]
            return [one.evidence for one in still if not one.passed] + [reason for reason in running if reason]

        yield reasons


def written_otherwise(check: Json, data: bytes) -> bytes:
    """Return content that says the same as a file does in the eyes of those who read what a predicate is about."""
    if check["kind"] == "json":
        return json.dumps(json.loads(data), indent=5, sort_keys=True).encode()
    if check["kind"] == "csv":
        rows = list(csv.reader(io.StringIO(data.decode()), delimiter=check.get("delimiter", ",")))
        other = io.StringIO()
        csv.writer(other, delimiter=check.get("delimiter", ","), quoting=csv.QUOTE_ALL).writerows(rows)
        return other.getvalue().encode()
    if check["kind"] == "sqlite":
        with closing(sqlite3.connect(":memory:")) as held:
            held.deserialize(data)
            held.executescript("PRAGMA page_size = 4096; VACUUM; ANALYZE;")
            return held.serialize()
    return data.removesuffix(b"\n") if "lines" in check else data


@EVERY
def test_other_spaces_quotes_pages_and_a_missing_last_newline_are_as_good(operator: Operator, drawn: Drawn) -> None:
    found = 0
    for seed in range(8):
        step = drawn(operator, seed, heldout=seed % 2 == 1)
        if step is None or step.setup:
            continue
        end = step.effect(step.starts)
        still = [{**check, "group": 0} for check in step.checks if check["kind"] not in RUNNING]
        if not all(evaluate(end, check).passed for check in still):
            continue  # part of the effect is what a program makes
        found += 1
        for check in still:
            node = end.get(check["path"])
            if isinstance(node, File):
                end = end.put(check["path"], File(written_otherwise(check, node.data), node.mode, node.owner, 0))
        end = end.put(f"{HOME}/elsewhere", Folder()).put("/tmp/mine.txt", "a note\n")
        assert [reason for check in still if not (reason := evaluate(end, check)).passed] == []
    assert found or operator.name.startswith("scripting_")


def first(operator: Operator, drawn: Drawn, is_wanted: Callable[[Step], bool]) -> Step:
    steps = (step for seed in range(300) if (step := drawn(operator, seed)) is not None)
    return next(filter(is_wanted, steps))


def test_an_old_line_of_a_crontab_may_stay_as_a_comment(drawn: Drawn, judge: Callable[[Step, Tree], list[str]]) -> None:
    step = first(OPERATORS["scripting_cron"], drawn, lambda one: one.choices[0] == "change")
    (path,) = step.starts
    end = step.effect(step.starts)
    gone = next(line for line in step.starts.text(path).splitlines() if line not in end.text(path))
    assert judge(step, end) == []
    assert judge(step, end.put(path, f"{end.text(path)}# was: {gone}\n")) == []
    assert judge(step, end.put(path, f"{end.text(path)}{gone}\n"))


def test_a_service_may_be_mended_with_a_file_of_ones_own(
    drawn: Drawn, judge: Callable[[Step, Tree], list[str]]
) -> None:
    step = first(OPERATORS["scripting_services"], drawn, lambda one: one.choices == ("path",))
    program = next(path for path in step.starts if path.endswith("/service.py"))
    root = program.rpartition("/")[0]
    end = step.starts.put(f"{root}/server/service.py", step.starts[program])
    assert judge(step, step.effect(step.starts)) == []
    assert judge(step, end) == []
    assert judge(step, step.starts)
