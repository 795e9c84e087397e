"""What judges of steps are asked and answer, several answers as one, and judges that read nothing."""

import asyncio
from collections.abc import Sequence

import pytest

from palestra.rewards.base import VerifierError
from palestra.rewards.judge import Judgement
from palestra.rewards.judging.base import Candidate, Panel, Question, StepJudge, StepVerdict
from palestra.rewards.judging.rules import BASELINES, ExactJudge, FirstJudge, LongestJudge, RandomJudge


def question(*actions: str) -> Question:
    return Question(
        instruction="Buy milk.", state="a shop", candidates=tuple(Candidate(action=action) for action in actions)
    )


def scores(judge: StepJudge, *actions: str, seed: int = 0) -> tuple[float, ...]:
    return asyncio.run(judge.judge(question(*actions), seed)).scores


class Scripted:
    """Says one verdict after the other, and keeps what it was shown."""

    def __init__(self, *verdicts: StepVerdict) -> None:
        self._left, self.shown = list(verdicts), list[tuple[str, ...]]()

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        self.shown.append(tuple(one.action for one in question.candidates))
        return self._left.pop(0)


def verdict(*scores: float) -> StepVerdict:
    return StepVerdict(judgements=tuple(Judgement(score, f"worth {score}") for score in scores))


def test_a_verdict_judges_or_abstains() -> None:
    with pytest.raises(VerifierError, match="either judgements or a reason"):
        StepVerdict()
    with pytest.raises(VerifierError, match="either judgements or a reason"):
        StepVerdict(judgements=(Judgement(1.0),), abstention="too long")
    with pytest.raises(VerifierError, match=r"must be in \[0, 1\], not nan"):
        verdict(float("nan"))
    assert StepVerdict(abstention="too long").best is None


@pytest.mark.parametrize(("given", "best"), [((0.1, 0.9), 1), ((0.5, 0.5), None), ((0.5, 0.5, 0.2), None), ((0.0,), 0)])
def test_only_one_can_be_the_best(given: Sequence[float], best: int | None) -> None:
    assert verdict(*given).best == best


def test_a_question_has_candidates_and_a_key_without_them() -> None:
    with pytest.raises(ValueError, match="at least one candidate"):
        question()
    assert question("a", "b").key == question("c").key
    assert question("a", "b").showing([1]).candidates == question("b").candidates


def test_judges_that_read_nothing() -> None:
    assert scores(FirstJudge(), "a", "bb", "c") == (1.0, 0.0, 0.0)
    assert scores(LongestJudge(), "a", "bbbb", "") == (0.25, 1.0, 0.0)
    assert scores(LongestJudge(), "", "") == (0.0, 0.0)
    assert scores(RandomJudge(), "a", "b", seed=3) == scores(RandomJudge(), "a", "b", seed=3)
    assert len({scores(RandomJudge(), "a", "b", seed=seed) for seed in range(20)}) == 20
    assert set(BASELINES) == {"random", "first", "longest"}


def test_the_exact_judge_knows_what_is_right_and_says_nothing_of_what_it_does_not_know() -> None:
    judge = ExactJudge({question("a").key: ["b", "c"]})
    assert scores(judge, "a", "b", "c") == (0.0, 1.0, 1.0)
    other = Question(instruction="Buy tea.", state="a shop", candidates=(Candidate(action="a"),))
    assert asyncio.run(judge.judge(other)).abstention == "unknown question"


def test_a_panel_shows_pairs_both_ways_and_returns_the_mean_in_the_given_order() -> None:
    judge = Scripted(verdict(1.0, 0.0), verdict(0.0, 1.0), verdict(0.5, 0.0), verdict(0.0, 0.5))
    said = asyncio.run(Panel(judge, 4).judge(question("a", "b"), seed=1))
    assert judge.shown[0] == judge.shown[1][::-1]
    assert judge.shown[2] == judge.shown[3][::-1]
    favoured = judge.shown[0][0]
    assert said.scores[("a", "b").index(favoured)] >= 0.5
    assert sum(said.scores) == pytest.approx(0.75)
    assert scores(Panel(FirstJudge(), 8), "a", "b") == (0.5, 0.5)  # places cancel out


def test_a_panel_without_shuffles_keeps_the_order_and_the_reasons() -> None:
    judge = Scripted(verdict(1.0, 0.0), verdict(0.0, 0.5))
    said = asyncio.run(Panel(judge, 2, shuffles=False).judge(question("a", "b")))
    assert judge.shown == [("a", "b")] * 2
    assert said.scores == (0.5, 0.25)
    assert said.judgements[1].reason == "worth 0.0\nworth 0.5"


def test_a_panel_abstains_where_most_do() -> None:
    none = StepVerdict(abstention="not the form")
    two = Panel(Scripted(none, verdict(1.0, 0.0)), 2, shuffles=False)
    assert asyncio.run(two.judge(question("a", "b"))).scores == (1.0, 0.0)
    three = Panel(Scripted(none, verdict(1.0, 0.0), none), 3, shuffles=False)
    assert asyncio.run(three.judge(question("a", "b"))).abstention == "not the form"
    with pytest.raises(ValueError, match="at least 1 vote"):
        Panel(FirstJudge(), 0)
