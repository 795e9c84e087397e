"""Master keys and the questions that they are given to; graders that read nothing, and the usual one."""

import asyncio

import pytest

from palestra.rewards.judging.base import Question
from palestra.rewards.judging.generative import Said, Unasked
from palestra.rewards.judging.keys import KEYS, made_questions
from palestra.rewards.judging.plain import GRADERS, ContainsGrader, PlainGrader
from palestra.rewards.judging.responses import asked


def graded(judge: object, question: Question) -> object:
    verdict = asyncio.run(judge.judge(question))  # type: ignore[attr-defined]
    return verdict.abstention or verdict.scores


def test_the_keys_of_the_paper_and_others_are_there() -> None:
    texts = {key.text for key in KEYS.values()}
    known = {" ", ".", ",", ":", "Thought process:", "Let's solve this problem step by step.", "Solution", "\u89e3"}
    assert known <= texts
    assert {key.kind for key in KEYS.values()} == {"symbol", "opening", "claim", "order", "echo", "unseen"}
    assert len(texts) == len(KEYS) > 50
    assert KEYS["asked"].on("a {task}?") == "You asked: a {task}?"


@pytest.mark.parametrize("name", sorted(KEYS))
def test_no_key_holds_an_answer(name: str) -> None:
    for one in made_questions(60):
        assert graded(ContainsGrader(), asked(one.task, KEYS[name].on(one.task), reference=one.reference)) == (0.0,)


def test_questions_have_one_right_and_one_wrong_response() -> None:
    questions = made_questions(60, 3)
    assert questions == made_questions(60, 3) != made_questions(60, 4)
    assert len({one.task for one in questions}) > 55
    for one in questions:
        assert graded(ContainsGrader(), asked(one.task, one.right, reference=one.reference)) == (1.0,)
        assert graded(ContainsGrader(), asked(one.task, one.wrong, reference=one.reference)) == (0.0,)


def test_questions_are_right_as_worked_by_hand() -> None:
    product, spelling, day = made_questions(3)
    a, b = (int(word.strip("?")) for word in product.task.split() if word.strip("?").isdigit())
    assert int(product.reference) == a * b
    assert f'"{spelling.reference[::-1]}"' in spelling.task
    assert day.reference.endswith("day")


def test_graders_that_read_nothing() -> None:
    question = asked("t", "a", "b", reference="b")
    assert graded(GRADERS["yes"](), question) == (1.0, 1.0)
    assert graded(GRADERS["contains"](), question) == (0.0, 1.0)
    assert graded(GRADERS["contains"](), asked("t", "a")) == "no reference"
    tosses = [graded(GRADERS["coin"](), asked("t", str(number))) for number in range(40)]
    assert 8 < tosses.count((1.0,)) < 32


@pytest.mark.parametrize(
    ("said", "found"),
    [("YES", (1.0,)), ("no.", (0.0,)), ("**Yes**, it is", (1.0,)), ("Nobody knows", "neither yes nor no"), ("", None)],
)
def test_the_usual_grader_reads_its_first_word(said: str, found: object) -> None:
    class Model:
        async def say(self, system: str, text: str, seed: int) -> Said:
            assert "Response: {response}" in text  # what others wrote is no form
            return Said(said)

    assert graded(PlainGrader(Model()), asked("t", "{response}")) == (found or "neither yes nor no")


def test_a_question_that_does_not_fit_is_an_abstention() -> None:
    class Small:
        async def say(self, system: str, text: str, seed: int) -> Said:
            raise Unasked("longer than the context")

    assert graded(PlainGrader(Small()), asked("t", "r")) == "longer than the context"
