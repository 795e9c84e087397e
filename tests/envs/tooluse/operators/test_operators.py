"""Each operator on tasks that it fits: the oracle stays at the maximum, and what must not pay does not."""

import json
import random
from typing import Any

import pytest
from tests.envs.tooluse.operators.samples import composed, earned, fitting, solution

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task
from palestra.envs.tooluse.closing import ASK, CLOSING, FINISH
from palestra.envs.tooluse.operators.compose import OPERATORS
from palestra.envs.tooluse.operators.near import Near
from palestra.envs.tooluse.operators.operator import Refused, Subject
from palestra.envs.tooluse.operators.replay import stands
from palestra.envs.tooluse.operators.suffice import arguments_of, pool
from palestra.envs.tooluse.operators.telling import fitting as rows_fitting
from palestra.envs.tooluse.schema import Write

OWN = ("indirect", "ambiguous", "withheld", "wrong", "missing", "bereft", "irrelevant", "near", "locale")


def params_of(task: Task) -> dict[str, Any]:
    found: dict[str, Any] = task.provenance["augmentations"][-1]["params"]
    return found


@pytest.mark.parametrize("name", list(OPERATORS))
def test_the_oracle_earns_the_maximum_and_doing_nothing_earns_nothing(name: str) -> None:
    for _, after in fitting(name, 4 if name in OWN else 2):
        assert earned(after, solution(after)) == 1.0
        assert earned(after, ["I am done."]) == 0.0


@pytest.mark.parametrize("name", OWN)
def test_the_same_seed_makes_the_same_task_and_says_what_was_done(name: str) -> None:
    before, after = next(fitting(name, 1))
    entry = after.provenance["augmentations"][-1]
    assert entry["name"] == name
    assert OPERATORS[name].made(before, entry["seed"]).digest == after.digest
    assert Task.from_dict(json.loads(json.dumps(after.to_dict()))).digest == after.digest
    assert "augmentations" not in before.provenance


@pytest.mark.parametrize("name", OWN)
def test_check_holds_for_what_was_made_and_not_for_the_task_as_it_was(name: str) -> None:
    before, after = next(fitting(name, 1))
    assert OPERATORS[name].check(before, after) == []
    undone = {"instruction": before.instruction, "hidden": before.to_dict()["hidden"]}
    if name != "bereft":  # whose request was never changed
        assert OPERATORS[name].check(before, Task.from_dict({**after.to_dict(), **undone}))


def test_an_indirect_query_names_no_id_and_fits_one_row() -> None:
    for before, after in fitting("indirect", 6):
        told = params_of(after)
        assert stands(told["id"], before.instruction)
        assert not stands(told["id"], after.instruction)
        assert rows_fitting(Subject(after).world(), told["told"]) == [told["id"]]
        assert len(after.hidden["steps"]) > len(before.hidden["steps"])


def test_an_ambiguous_query_fits_several_rows_and_the_wrong_ones_earn_nothing() -> None:
    for _, after in fitting("ambiguous", 6):
        told = params_of(after)
        rows = rows_fitting(Subject(after).world(), told["told"])
        assert told["id"] in rows
        assert len(rows) >= 2
        for other in set(rows) - {told["id"]}:
            actions = [action.replace(told["id"], other) for action in solution(after)]
            case = Subject(after).case
            if case.goal.answer is None:  # an answer would be copied
                assert earned(after, actions) == 0.0


def test_asking_tells_which_row_is_meant() -> None:
    asked = [after for _, after in fitting("ambiguous", 12) if params_of(after)["by"] == "user"]
    assert asked
    for task in asked:
        assert ASK in solution(task)[0]
        path, value, _ = params_of(task)["more"]
        assert path
        assert str(value) in next(iter(task.hidden["user"].values()))


def test_a_missing_parameter_is_asked_for_and_guessing_it_does_not_pay() -> None:
    for before, after in fitting("missing", 4):
        missing = params_of(after)
        assert solution(after) == [call_text(ASK, {"about": missing["parameter"]})]
        assert earned(after, [call_text(ASK, {"about": "everything"})]) == 0.0
        assert earned(after, solution(before)) == 0.0


def test_what_the_user_withheld_is_told_when_asked_for() -> None:
    for before, after in fitting("withheld", 4):
        value = params_of(after)["value"]
        assert any(ASK in action for action in solution(after))
        assert after.hidden["goal"] == before.hidden["goal"]
        assert not stands(str(value), after.instruction)


@pytest.mark.parametrize("name", ["irrelevant", "bereft"])
def test_what_no_tool_can_do_is_declined(name: str) -> None:
    for before, after in fitting(name, 4):
        (action,) = solution(after)
        assert "no_tool" in action
        assert earned(after, solution(before)) == 0.0
        assert earned(after, [action.replace("no_tool", "not_allowed")]) == 0.0


def test_a_wrong_value_is_reported_or_found_elsewhere() -> None:
    endings = set()
    for before, after in fitting("wrong", 12):
        wrong = params_of(after)
        endings.add(wrong["ending"])
        assert earned(after, solution(before)) == (
            1.0 if wrong["ending"] == "solve" else 0.0
        )  # it knows the right value
        if wrong["ending"] == "report":
            report = json.loads(solution(after)[-1].split(">", 1)[1].rsplit("<", 1)[0])["arguments"]
            assert report == {"code": "wrong_value", "tool": wrong["tool"], "parameter": wrong["key"]}
    assert endings == {"solve", "report"}


def test_a_distractor_that_writes_spoils_the_end_and_one_that_reads_does_not() -> None:
    for before, after in fitting("near", 10):
        new = Subject(after)
        for spec in params_of(after)["tools"]:
            tool = new.domain.tool[spec["name"]]
            arguments = _some_arguments(new, tool.name)
            changed = new.world()
            reply = new.ground.call(changed, tool.name, arguments)
            with_it = [call_text(tool.name, arguments), *solution(after)]
            is_traced = isinstance(tool, Write) and "error" not in reply and bool(changed.diff())
            assert earned(after, with_it) == (0.0 if is_traced else 1.0)
        assert {tool["function"]["name"] for tool in before.tools} < {tool["function"]["name"] for tool in after.tools}
        assert [tool["function"]["name"] for tool in after.tools][-len(CLOSING) :] == list(CLOSING)


def _some_arguments(at: Subject, name: str) -> dict[str, Json]:
    return next(iter(arguments_of(at, at.domain.tool[name], pool(at))), {})


def test_near_tools_are_of_the_degrees_that_are_asked_for() -> None:
    for degree in range(4):
        for seed in range(6):
            try:
                after = Near(count=2, degrees=(degree,)).apply(composed(seed), random.Random(seed))
            except Refused:
                continue
            assert {spec["degree"] for spec in params_of(after)["tools"]} == {degree}
            break
        else:
            pytest.fail(f"no distractor of degree {degree} was found for six tasks")


def test_days_and_amounts_are_told_in_another_way_and_the_answer_is_not() -> None:
    for before, after in fitting("locale", 8):
        spec = params_of(after)["spec"]
        assert spec["told"] in after.instruction
        finish = [action for action in solution(after) if FINISH in action]
        assert finish == [action for action in solution(before) if FINISH in action]


def test_an_operator_says_why_it_does_not_fit() -> None:
    reasons = set()
    for seed in range(30):
        for name in OWN:
            try:
                OPERATORS[name].apply(composed(seed), random.Random(seed))
            except Refused as refused:
                reasons.add(str(refused))
    assert len(reasons) > 3
    assert all(reason and "Traceback" not in reason for reason in reasons)
