"""Judges of whole responses: both ways, several votes, what says nothing, and as a criterion of a rubric."""

import asyncio
from dataclasses import dataclass, field

import pytest
from tests.rewards.judging.scripted import FormModel

from palestra.rewards.base import Scored, Trajectory, Turn, VerifierError
from palestra.rewards.judge import Judgement
from palestra.rewards.judging.base import Panel, Question, StepVerdict
from palestra.rewards.judging.generative import GenerativeJudge
from palestra.rewards.judging.responses import (
    COMPARED,
    GRADED,
    Substantive,
    asked,
    judged,
    preference,
    response_of,
    task_of,
)
from palestra.rewards.judging.rules import FirstJudge, LongestJudge
from palestra.rewards.rubrics import Rubric

TURN = Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(-0.5,))
QUESTION = asked("What is 6 times 7?", "It is 42.", "It is 41.")


def played(*messages: dict[str, object]) -> Trajectory:
    return Trajectory(
        env_id="e", task_id="t", group="g", turns=(TURN,), outcome=Scored(0.0, False), messages=tuple(messages)
    )


@dataclass
class Told:
    """Says what it was told to, one after the other, and remembers questions."""

    verdicts: list[StepVerdict]
    seen: list[tuple[Question, int]] = field(default_factory=list)

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        self.seen.append((question, seed))
        return self.verdicts.pop(0)


def scores(*values: float) -> StepVerdict:
    return StepVerdict(judgements=tuple(Judgement(value) for value in values))


ABSTAINS = StepVerdict(abstention="not the form")


def test_a_comparison_is_made_both_ways_with_seeds_of_their_own() -> None:
    judge = Told([scores(1.0, 0.0), scores(1.0, 0.0), scores(0.0, 1.0), scores(0.5, 0.5)])
    found = asyncio.run(preference(judge, QUESTION, votes=2, seed=10))
    assert found.ways == (1.0, 0.75)  # shown second it won once, and once there was a tie
    assert found.chance == 0.875
    assert [seed for _, seed in judge.seen] == [10, 11, 12, 13]
    assert [one.candidates[0].action for one, _ in judge.seen] == ["It is 42."] * 2 + ["It is 41."] * 2


def test_a_judge_that_prefers_a_place_says_nothing_by_it() -> None:
    assert asyncio.run(preference(FirstJudge(), QUESTION, votes=3)).chance == 0.5


def test_where_one_way_was_not_answered_there_is_no_opinion() -> None:
    found = asyncio.run(preference(Told([scores(1.0, 0.0), ABSTAINS]), QUESTION))
    assert (found.chance, found.ways, found.abstained) == (None, (1.0, None), 1)
    heard = asyncio.run(preference(Told([scores(1.0, 0.0), ABSTAINS, ABSTAINS, scores(0.0, 1.0)]), QUESTION, votes=2))
    assert (heard.chance, heard.abstained) == (1.0, 2)  # half of each way is enough
    few = [scores(1.0, 0.0), ABSTAINS, ABSTAINS, *[scores(0.0, 1.0)] * 3]
    assert asyncio.run(preference(Told(few), QUESTION, votes=3)).chance is None


def test_odd_comparisons_are_refused() -> None:
    for question, votes in ((asked("t", "a"), 1), (asked("t", "a", "b", "c"), 1), (QUESTION, 0)):
        with pytest.raises(ValueError, match="two candidates and at least 1 vote"):
            asyncio.run(preference(FirstJudge(), question, votes=votes))


def test_a_model_is_shown_task_rubric_reference_and_responses_behind_fences() -> None:
    model = FormModel(lambda text, others: 9 if "42" in text else 1)
    judge = GenerativeJudge(model, wording=COMPARED)
    question = asked("What is 6 times 7?", "42", "41", rubric=["Hard rule: a number."], reference="42")
    found = asyncio.run(preference(judge, question))
    assert found.chance == 1.0
    for piece in (" task>", " rubric>", " reference>", "| Hard rule: a number."):
        assert piece in model.asked[0]
    assert "page" not in model.asked[0]
    plain = asyncio.run(GenerativeJudge(model, wording=GRADED).judge(asked("t", "42")))
    assert plain.scores == (0.9,)
    assert "rubric>" not in model.asked[-1]
    assert "You grade a response" in model.systems[-1]


@pytest.mark.parametrize(
    "text",
    ["", " ", ":", "...", "\u200b\u2060", "\u3002", "\u0301", "\U0001f44d", "what is 6 TIMES 7", "is 6 times 7?"],
)
def test_what_says_nothing_is_worth_nothing_and_nobody_is_asked(text: str) -> None:
    model = FormModel(lambda text, others: 10)
    judge = Substantive(GenerativeJudge(model, wording=GRADED))
    assert asyncio.run(judge.judge(asked("What is 6 times 7?", text))).scores == (0.0,)
    both = asyncio.run(judge.judge(asked("What is 6 times 7?", text, "41")))
    assert both.scores == (0.0, 1.0)  # there is nothing to compare it with
    assert asyncio.run(judge.judge(asked("What is 6 times 7?", text, text))).scores == (0.0, 0.0)
    assert model.asked == []


@pytest.mark.parametrize(
    ("task", "text", "reference"),
    [
        ("Is it Paris or London?", "London", ""),  # a part of the task may be an answer
        ("Which operator compares?", "==", "=="),
        ("Repeat after me: one two three four five", "one two three four five", "one two three four five"),
        ("What is 6 times 7?", "\u56db\u5341\u4e8c", ""),
    ],
)
def test_what_says_something_is_judged(task: str, text: str, reference: str) -> None:
    judge = Substantive(GenerativeJudge(FormModel(lambda text, others: 10), wording=GRADED))
    assert asyncio.run(judge.judge(asked(task, text, reference=reference))).scores == (1.0,)


def test_abstentions_pass_through() -> None:
    assert asyncio.run(Substantive(Told([ABSTAINS])).judge(QUESTION)).abstention == "not the form"


def test_a_judge_is_a_criterion_of_a_rubric() -> None:
    model = FormModel(lambda text, others: 10 if "42" in text else 2)
    judge = Panel(Substantive(GenerativeJudge(model, wording=GRADED)), votes=3)
    right = played({"role": "user", "content": "What is 6 times 7?"}, {"role": "assistant", "content": "42"})
    wrong = played({"role": "user", "content": "What is 6 times 7?"}, {"role": "assistant", "content": "41"})
    rubric = Rubric((judged("right", judge, reference=lambda one: "42", weight=2.0, gate=0.5),))
    told = rubric.grade_all([(right, None), (wrong, None)])
    assert [one.reward for one in told] == [2.0, 0.0]
    assert told[1].failed_gates == ("right",)
    assert len(model.asked) == 6  # three votes each


def test_nothing_is_gained_by_making_a_judge_abstain() -> None:
    one = played({"role": "user", "content": "t"}, {"role": "assistant", "content": "text"})
    assert Rubric((judged("j", Told([ABSTAINS])),)).grade(one).reward == 0.0
    with pytest.raises(VerifierError, match="abstains: not the form"):
        Rubric((judged("j", Told([ABSTAINS]), abstained=None),)).grade(one)


def test_an_episode_is_its_task_and_all_that_was_said_after_it() -> None:
    calls = [{"id": "1", "function": {"name": "add", "arguments": '{"a": 1}'}}]
    one = played(
        {"role": "system", "content": "s"},
        {"role": "user", "content": "task"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "content": "2"},
        {"role": "assistant", "content": "It is 2."},
    )
    assert task_of(one) == "task"
    assert response_of(one) == 'assistant: add({"a": 1})\ntool: 2\nassistant: It is 2.'
    assert response_of(played({"role": "user", "content": "t"}, {"role": "assistant", "content": "r"})) == "r"
    assert (task_of(played()), response_of(played())) == ("", "")


def test_the_longest_judge_reads_nothing() -> None:
    assert asyncio.run(preference(LongestJudge(), asked("t", "aaaa", "b"))).chance == 1.0
