"""The checks: good cases pass all of them, and each spoilt one is stopped by the check that is meant for it."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from palestra.envs.base import Json
from palestra.envs.tooluse.assemble import judged_of
from palestra.envs.tooluse.case import Case, Source, Step
from palestra.envs.tooluse.closing import briefing, public_of
from palestra.envs.tooluse.generate import ToolUseSource
from palestra.envs.tooluse.interpret import call
from palestra.envs.tooluse.planner import Rejected, leaves
from palestra.envs.tooluse.schema import Get, Search, Write
from palestra.envs.tooluse.validate import CHECKS, MAX_REQUEST_CHARS, Judged, check, resolve
from palestra.envs.tooluse.world import World

Spoil = Callable[[Judged], Judged | None]


@lru_cache(maxsize=1)
def good() -> tuple[Judged, ...]:
    return tuple(judged_of(ToolUseSource().sample(seed)) for seed in range(60))


def with_step(judged: Judged, number: int, **changes: Any) -> Judged:
    steps = list(judged.case.steps)
    steps[number] = replace(steps[number], **changes)
    return replace(judged, case=replace(judged.case, steps=tuple(steps)))


def with_goal(judged: Judged, **changes: Any) -> Judged:
    return replace(judged, case=replace(judged.case, goal=replace(judged.case.goal, **changes)))


def answer_of(judged: Judged) -> Json:
    answer = judged.case.goal.answer
    return answer[0] if isinstance(answer, list) else answer


def empty_request(judged: Judged) -> Judged:
    return replace(judged, request="  ")


def long_request(judged: Judged) -> Judged:
    return replace(judged, request=judged.request + " please" * MAX_REQUEST_CHARS)


def without_a_tool(judged: Judged) -> Judged:
    return replace(judged, tools=[name for name in judged.tools if name != judged.case.steps[0].tool])


def wrong_type(judged: Judged) -> Judged:
    arguments = judged.case.steps[0].arguments
    return with_step(judged, 0, arguments={**arguments, next(iter(arguments)): ["x"]})


def no_source(judged: Judged) -> Judged:
    return with_step(judged, 0, sources={})


def later_first(judged: Judged) -> Judged:
    return with_step(judged, 0, after=(0,))


def no_such_row(judged: Judged) -> Judged | None:
    for number, step in enumerate(judged.case.steps):
        name = next((name for name in step.arguments if name.endswith("_id")), "")
        if name and isinstance(judged.tool_of(step), Get | Write):
            return with_step(judged, number, arguments={**step.arguments, name: "nothing_1"})
    return None


def other_changes(judged: Judged) -> Judged:
    return with_goal(judged, changes=(*judged.case.goal.changes, ("x", "y", "z", 1)))


def untold(judged: Judged) -> Judged | None:
    for step in judged.case.steps:
        for name, source in step.sources.items():
            if source.kind == "query" and isinstance(step.arguments[name], str):
                return replace(judged, request="Please do what I asked for last time.")
    return None


def other_source(judged: Judged) -> Judged | None:
    for number, step in enumerate(judged.case.steps):
        for name, source in step.sources.items():
            if source.kind == "reply":
                wrong = Source(kind="reply", step=source.step, path="results.99.id")
                return with_step(judged, number, sources={**step.sources, name: wrong})
    return None


def no_edges(judged: Judged) -> Judged | None:
    lent = [any(source.kind != "query" for source in step.sources.values()) for step in judged.case.steps]
    number = next((n for n, is_lent in enumerate(lent) if is_lent), None)
    return None if number is None else with_step(judged, number, after=())


def told_answer(judged: Judged) -> Judged | None:
    answer = answer_of(judged)
    return None if answer is None else replace(judged, request=f"{judged.request} I think it is {answer}.")


def other_answer(judged: Judged) -> Judged | None:
    answer = judged.case.goal.answer
    if answer is None:
        return None
    return with_goal(judged, answer=[*answer[:-1], "x"] if isinstance(answer, list) else "x")


def asked_back(judged: Judged) -> Judged | None:
    return with_goal(judged, sources=(Source(kind="query"),)) if isinstance(answer_of(judged), str) else None


def idle_step(judged: Judged) -> Judged | None:
    searches = [tool for tool in judged.base.domain.tools if isinstance(tool, Search)]
    tool = next((tool for tool in searches if not any(one.is_required for one in tool.filters)), None)
    if tool is None or any(step.tool == tool.name and not step.arguments for step in judged.case.steps):
        return None
    steps = (*judged.case.steps, Step(tool=tool.name, arguments={}))
    return replace(judged, case=replace(judged.case, steps=steps))


def given_away(judged: Judged) -> Judged | None:
    """Tell in the request what a lookup is to find out."""
    for step in judged.case.steps:
        for name, source in step.sources.items():
            if source.kind == "reply" and isinstance(step.arguments[name], str):
                return replace(judged, request=f"{judged.request} I mean {step.arguments[name]}.")
    return None


def nothing_asked(judged: Judged) -> Judged | None:
    return with_goal(judged, answer=None, sources=()) if not judged.case.goal.changes else None


def another_row(judged: Judged) -> Judged | None:
    """Ask for the same of the first row of a listing of several, which the request does not single out."""
    goal = judged.case.goal
    if goal.answer is None or isinstance(goal.answer, list) or goal.sources[0].kind != "reply":
        return None
    for tool in (tool for tool in judged.base.domain.tools if isinstance(tool, Search) and tool.name in judged.tools):
        reply = call(World(judged.base), tool.name, {})
        if any(one.is_required for one in tool.filters) or reply["total"] < 3:
            continue
        key = next((key for key, value in reply["results"][0].items() if key != "id" and isinstance(value, str)), "id")
        source = Source(kind="reply", step=0, path=f"results.0.{key}")
        goal = replace(goal, answer=reply["results"][0][key], sources=(source,), changes=())
        return replace(
            judged,
            case=replace(judged.case, steps=(Step(tool=tool.name, arguments={}),), goal=goal),
            request="Tell me what one of them has there.",
        )
    return None


SPOILT: dict[Spoil, tuple[str, str]] = {
    empty_request: ("words", "must have 1 to"),
    long_request: ("words", "must have 1 to"),
    without_a_tool: ("schema", "not among the tools"),
    wrong_type: ("schema", "do not fit"),
    no_source: ("schema", "where each argument comes from"),
    later_first: ("schema", "which are not before it"),
    no_such_row: ("execution", "fails: there is no"),
    other_changes: ("execution", "do not lead to the goal's changes"),
    untold: ("provenance", "is not in the request"),
    other_source: ("provenance", "is not what its source shows"),
    no_edges: ("provenance", "a step that need not be before it"),
    another_row: ("referral", "does not tell which of"),
    told_answer: ("answer", "stands in the request"),
    other_answer: ("answer", "is not what its source shows"),
    asked_back: ("answer", ""),
    idle_step: ("necessity", "is used"),
    given_away: ("necessity", "which step"),
    nothing_asked: ("necessity", ""),
}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_a_spoilt_case_is_stopped_by_its_check(spoil: Spoil) -> None:
    name, told = SPOILT[spoil]
    spoilt = [found for judged in good() if (found := spoil(judged)) is not None]
    assert len(spoilt) >= 5
    for judged in spoilt:
        assert check(judged).startswith(f"{name}: "), (judged.request, check(judged))
        assert told in check(judged)


def test_good_cases_pass_each_check() -> None:
    for judged in good():
        assert {name: question(judged) for name, question in CHECKS.items()} == dict.fromkeys(CHECKS, "")


def test_an_order_that_matters_must_be_told() -> None:
    writes = [{n for n, s in enumerate(j.case.steps) if isinstance(j.tool_of(s), Write)} for j in good()]
    ordered = [j for j, own in zip(good(), writes, strict=True) if any(own & set(s.after) for s in j.case.steps)]
    assert ordered, "some of sixty go on with what was made or changed"
    stopped = 0
    for judged in ordered:
        for number, step in enumerate(judged.case.steps):
            told = {leaf.step for source in step.sources.values() for leaf in leaves(source)}
            if set(step.after) - told:
                assert check(with_step(judged, number, after=tuple(sorted(told)))).startswith("order: ")
                stopped += 1
    assert stopped, "some of them by the order alone"


def test_a_longer_way_than_needed_is_found_out() -> None:
    """A customer who is named by an id is looked up by name all the same."""
    for judged in good():
        case = judged.case
        if len(case.steps) == 2 and isinstance(judged.tool_of(case.steps[0]), Search):
            known = case.steps[1].arguments
            spoilt = replace(judged, request=f"{judged.request} ({', '.join(map(str, known.values()))})")
            if any(source.kind == "reply" for source in case.steps[1].sources.values()):
                assert CHECKS["execution"](spoilt) == ""
                assert CHECKS["second solver"](spoilt).startswith("it finds a way of 1 calls")
                return
    pytest.fail("no case of two steps among sixty")


def test_no_answer_stands_in_the_system_text() -> None:
    for judged in good():
        answer = answer_of(judged)
        if isinstance(answer, float):
            assert f" {answer} " not in briefing(public_of(judged.base))


def test_a_case_that_is_not_plain_is_refused() -> None:
    task = ToolUseSource().sample(0)
    case = Case.from_dict(task.hidden)
    with pytest.raises(Rejected, match="only a plain case"):
        judged_of(replace(task, hidden=replace(case, layers=({"op": "x"},)).to_dict()))


def test_sources_lead_to_values() -> None:
    replies: list[Json] = [{"a": 2, "results": [{"n": 3.5}, {"n": 1}]}, {"a": 5}]
    first, second = Source(kind="reply", step=0, path="a"), Source(kind="reply", step=1, path="a")
    assert resolve(first, replies) == 2
    assert resolve(Source(kind="reply", step=0, path="results.0.n"), replies) == 3.5
    assert resolve(Source(kind="reply", step=7, path="a"), replies) is None
    for how, worth in {"sum": 7, "difference": -3, "largest": 5, "smallest": 2}.items():
        assert resolve(Source(kind="derived", how=how, of=(first, second)), replies) == worth
    assert resolve(Source(kind="derived", how="sum"), replies) is None
