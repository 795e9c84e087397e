"""What an episode is worth: the data as asked, the answer in its type, and nothing without having looked."""

import pytest

from palestra.envs.base import TaskError
from palestra.envs.web.element import Page, heading, text
from palestra.envs.web.site import Goal
from palestra.envs.web.verify import (
    REPORT,
    SAY,
    either,
    goal_from_json,
    goal_to_json,
    is_solved,
    said,
    seen_on,
    together,
)

START = {"notes": {"1": {"title": "a", "done": False}}}
DONE = {"notes": {"1": {"title": "a", "done": True}}}
CHANGE = Goal(kind="change", template="t", intent="i", changes={"notes/1/done": True})
WORD = Goal(kind="answer", template="t", intent="i", answer="Anna Bell", facts=("Anna Bell", "12"))
NUMBER = Goal(kind="answer", template="t", intent="i", answer=12.5)
VAIN = Goal(kind="infeasible", template="t", intent="i", facts=("Locked",))


def test_a_change_is_worth_something_when_it_is_exactly_what_was_asked() -> None:
    assert is_solved(CHANGE, START, DONE, said(CHANGE, SAY, "whatever"), 0)
    assert not is_solved(CHANGE, START, START, said(CHANGE, SAY, "done"), 0)
    assert not is_solved(CHANGE, START, DONE, said(CHANGE, REPORT, "done"), 0)
    more = {"notes": {**DONE["notes"], "2": {"title": "b", "done": False}}}
    assert not is_solved(CHANGE, START, more, SAY, 0)
    assert not is_solved(CHANGE, START, {"notes": {}}, SAY, 0)


@pytest.mark.parametrize("text_", ["Anna Bell", " anna  BELL\n"])
def test_a_text_is_right_whatever_its_case_and_spaces(text_: str) -> None:
    assert is_solved(WORD, START, START, said(WORD, SAY, text_), 0b11)


@pytest.mark.parametrize(
    "text_",
    [
        "",
        "Anna",
        "Anna Bell.",
        "Anna Bell, Bruno Cox",
        "The answer is Anna Bell",
        "Bruno Cox\nAnna Bell",
        "Anna Bell" * 2,
    ],
)
def test_stuffing_an_answer_fails(text_: str) -> None:
    assert not is_solved(WORD, START, START, said(WORD, SAY, text_), 0b11)


def test_an_answer_without_having_looked_is_a_guess() -> None:
    for seen in (0b00, 0b01, 0b10):
        assert not is_solved(WORD, START, START, said(WORD, SAY, "Anna Bell"), seen)


def test_an_answer_leaves_the_data_as_they_are() -> None:
    assert not is_solved(WORD, START, DONE, said(WORD, SAY, "Anna Bell"), 0b11)
    assert not is_solved(WORD, START, START, said(WORD, REPORT, "Anna Bell"), 0b11)


@pytest.mark.parametrize(("text_", "is_right"), [
    ("12.5", True), (" 12.50 ", True), ("12", False), ("12,5", False), ("$12.5", False), ("1.25e1", False),
    ("12.5 13.5", False), ("", False), ("nan", False), ("1" * 400, False), ("\u0661\u0662", False), ("12.5.0", False),
])  # fmt: skip
def test_numbers_are_compared_by_value_and_written_plainly(text_: str, is_right: bool) -> None:
    assert is_solved(NUMBER, START, START, said(NUMBER, SAY, text_), 0) is is_right


def test_what_cannot_be_done_is_reported_after_one_looked() -> None:
    assert is_solved(VAIN, START, START, said(VAIN, REPORT, "locked"), 1)
    assert not is_solved(VAIN, START, START, said(VAIN, REPORT, "locked"), 0)
    assert not is_solved(VAIN, START, START, said(VAIN, SAY, "It cannot be done."), 1)
    assert not is_solved(VAIN, START, DONE, said(VAIN, REPORT, "locked"), 1)


def test_that_something_cannot_be_done_is_never_known_without_facts() -> None:
    goal = Goal(kind="infeasible", template="t", intent="i")
    assert not is_solved(goal, START, START, said(goal, REPORT, ""), 0)


def test_an_answer_that_is_the_name_of_an_end_is_compared_as_a_text() -> None:
    goal = Goal(kind="answer", template="t", intent="i", answer=SAY)
    assert is_solved(goal, START, START, said(goal, SAY, SAY), 0)
    assert not is_solved(goal, START, START, said(goal, REPORT, SAY), 0)


def test_facts_are_seen_as_whole_words_of_what_a_page_tells() -> None:
    page = Page("Order 12", (heading("Customers", 1), text("By Anna Bell, since 1999")))
    assert seen_on(page, WORD.facts) == 0b11
    assert seen_on(Page("112", (text("Joanna Bella"),)), WORD.facts) == 0
    assert seen_on(Page("(12)", ()), WORD.facts) == 0b10
    assert seen_on(page, ()) == 0


def test_a_fact_may_be_several_texts_of_one_page_or_one_of_several_facts() -> None:
    order, person = Page("Order 12", (text("Anna Bell"),)), Page("Cox", (text("Anna Bell"),))
    both = together("Order 12", "Anna Bell")
    assert [seen_on(page, (both,)) for page in (order, person, Page("Order 12", ()))] == [1, 0, 0]
    facts = (either(both, "Cox"), either("Dee", together("Cox", "Order 12")))
    assert [seen_on(page, facts) for page in (order, person)] == [0b01, 0b01]
    assert seen_on(Page("Order 12", (text("Cox"),)), facts) == 0b11


def test_a_goal_survives_json_and_a_malformed_one_is_refused() -> None:
    goal = Goal(
        kind="change", template="t", intent="i", changes={"a/b": None}, values=("x",), parts=(("p", {"a/b/c": 1}),)
    )
    assert goal_from_json(goal_to_json(goal)) == goal
    for wrong in ({}, {**goal_to_json(goal), "kind": "x"}, {**goal_to_json(goal), "more": 1}):
        with pytest.raises(TaskError):
            goal_from_json(wrong)
