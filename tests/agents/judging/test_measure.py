"""Figures of judges: on judges whose worth is known, they come out as that."""

import asyncio
from typing import Any

import pytest
from tests.agents.judging.given import PREFERENCES, RIGHT

from palestra.agents.judging.measure import Judged, Rate, Report, judge_pairs
from palestra.agents.judging.preferences import exact_judge, question_of
from palestra.agents.statistics import wilson
from palestra.envs.endpoint import EndpointError, EndpointRefusal
from palestra.envs.web.labels import best_of_n_accuracy, pairwise_accuracy
from palestra.rewards.judge import Judgement
from palestra.rewards.judging.base import Question, StepJudge, StepVerdict
from palestra.rewards.judging.rules import FirstJudge, LongestJudge, RandomJudge

ASKED = 2 * 2 * len(PREFERENCES)  # two wrong actions, two ways


def judged(judge: StepJudge, **more: Any) -> Judged:
    return asyncio.run(judge_pairs(judge, PREFERENCES, **more))


def report(judge: StepJudge, **more: Any) -> Report:
    return Report.of(judged(judge, **more).pairs)


def rate(of: Rate | None) -> float:
    assert of is not None
    return of.rate


def test_who_knows_the_labels_is_always_right() -> None:
    told = report(exact_judge(PREFERENCES))
    assert [rate(one) for one in (told.pairwise, told.best_of_n, told.one_way)] == [1.0, 1.0, 1.0]
    assert told.pairwise is not None
    assert told.pairwise.interval == wilson(len(PREFERENCES), len(PREFERENCES))
    assert set(told.by_site) == {"forum", "inbox", "shop"}
    assert {name: one and one.n for name, one in told.by_kind.items()} == {"another element": 8, "ends too early": 8}
    assert (rate(told.first), rate(told.turned), rate(told.abstained), told.reasons) == (0.5, 0.0, 0.0, {})


def test_who_prefers_a_place_is_never_right_both_ways() -> None:
    told = report(FirstJudge())
    assert [rate(one) for one in (told.pairwise, told.best_of_n, told.one_way)] == [0.0, 0.0, 0.5]
    assert (rate(told.first), rate(told.turned)) == (1.0, 1.0)


def test_who_prefers_length_is_told_so() -> None:
    told = report(LongestJudge())
    assert (rate(told.longer), rate(told.longer_is_right)) == (1.0, 0.0)
    assert rate(told.pairwise) == 0.0
    assert told.longer is not None
    assert told.longer.n == ASKED // 2  # the other pairs are equally long, and ties
    assert rate(told.abstained) == 0.0


def test_rates_are_those_of_the_metrics_of_labels() -> None:
    class Lengths:
        """Scores by the last digit, which is right for some."""

        async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
            return StepVerdict(judgements=tuple(Judgement(len(one.action) % 3 / 2) for one in question.candidates))

    scores = []
    for one in PREFERENCES:
        said = asyncio.run(Lengths().judge(question_of(one, [one.positive, *one.negatives])))
        scores.append(said.scores)
    told = report(Lengths())
    assert rate(told.pairwise) == pytest.approx(pairwise_accuracy(scores))
    assert rate(told.best_of_n) == pytest.approx(best_of_n_accuracy(scores))


def test_several_votes_are_one_verdict_and_the_same_for_a_seed() -> None:
    class Wavering:
        """Prefers the right action with two seeds of three, and counts."""

        asked = 0

        async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
            self.asked += 1
            is_honest = seed % 3 != 0
            return StepVerdict(
                judgements=tuple(Judgement(float((one.action in RIGHT) == is_honest)) for one in question.candidates)
            )

    judge = Wavering()
    assert rate(report(judge).pairwise) < 1.0
    judge.asked = 0
    assert rate(report(judge, votes=3).pairwise) == 1.0
    assert judge.asked == 3 * ASKED
    assert judged(RandomJudge(), seed=1).pairs == judged(RandomJudge(), seed=1, concurrency=1).pairs
    assert judged(RandomJudge(), seed=1).pairs != judged(RandomJudge(), seed=2).pairs


def test_abstentions_are_not_right_and_have_reasons() -> None:
    class Shy:
        async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
            if question.candidates[0].action in RIGHT:
                return await exact_judge(PREFERENCES).judge(question)
            return StepVerdict(abstention="not the form")

    told = report(Shy())
    assert [rate(one) for one in (told.pairwise, told.one_way, told.abstained)] == [0.0, 0.5, 0.5]
    assert told.reasons == {"not the form": ASKED // 2}
    assert (told.turned, rate(told.first)) == (None, 1.0)
    assert told.to_json()["turned"] is None


def test_faults_are_no_opinion() -> None:
    class Failing:
        async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
            if "99" in question.candidates[0].action:
                raise EndpointError("too busy")
            return await exact_judge(PREFERENCES).judge(question)

    found = judged(Failing())
    assert (len(found.pairs), found.faults, found.last_fault) == (8, 8, "too busy")
    told = Report.of(found.pairs)
    assert rate(told.pairwise) == 1.0
    assert told.best_of_n is None  # of each state a pair is missing


@pytest.mark.parametrize("error", [EndpointRefusal("no such model"), EndpointError("down")])
def test_a_server_that_never_answers_ends_it(error: Exception) -> None:
    class Down:
        async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
            raise error

    with pytest.raises(type(error), match=str(error)):
        judged(Down())


def test_intervals_are_over_tasks() -> None:
    assert Rate.of([]) is None
    few = Rate.of([("a", True), ("b", False)])
    assert few == Rate(0.5, None, 2)
    wide = Rate.of((f"task {number % 10}", number % 10 < 5) for number in range(1000))
    assert wide is not None
    assert wide.interval is not None
    low, high = wide.interval
    assert low < 0.3  # ten tasks, not a thousand trials
    assert high > 0.7
    assert wide.to_json() == {"rate": 0.5, "interval": [round(low, 4), round(high, 4)], "n": 1000}
