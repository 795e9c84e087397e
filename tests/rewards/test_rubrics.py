"""Rubrics: sums, gates, asynchronous criteria, and what is refused."""

import asyncio
import math

import pytest

from palestra.rewards.base import RecordError, Scored, Trajectory, Turn, Verdict, VerifierError
from palestra.rewards.rubrics import Criterion, Rubric

TURN = Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(-0.5,))
PLAYED = Trajectory(env_id="e", task_id="t", group="g", turns=(TURN, TURN), outcome=Scored(1.0, True))
PASSED, FAILED = Verdict(score=1.0, passed=True), Verdict(score=0.0, passed=False)


def solved(played: Trajectory, verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.passed


def brief(played: Trajectory, verdict: Verdict | None) -> float:
    return 1 / len(played.turns)


async def polite(played: Trajectory, verdict: Verdict | None) -> float:
    await asyncio.sleep(0)
    return 0.25


SOLVED = Criterion(name="solved", score=solved, gate=1.0)
BRIEF = Criterion(name="brief", score=brief, weight=0.5)
POLITE = Criterion(name="polite", score=polite, weight=-1.0)


def test_weighted_scores_are_summed_and_every_part_is_told() -> None:
    told = Rubric((SOLVED, BRIEF)).grade(PLAYED, PASSED)
    assert told.reward == 1.25
    assert told.scores == {"solved": 1.0, "brief": 0.5}
    assert told.parts == {"solved": 1.0, "brief": 0.25}
    assert told.failed_gates == ()


def test_a_failed_gate_zeroes_everything_and_says_which() -> None:
    told = Rubric((SOLVED, BRIEF)).grade(PLAYED, FAILED)
    assert told.reward == 0.0
    assert set(told.parts.values()) == {0.0}
    assert told.scores["brief"] == 0.5  # still reported
    assert told.failed_gates == ("solved",)


def test_a_gate_may_count_for_nothing_itself_and_lie_below_one() -> None:
    gate = Criterion(name="brief enough", score=brief, weight=0.0, gate=0.5)
    assert Rubric((gate, BRIEF)).grade(PLAYED).reward == 0.25
    assert Rubric((Criterion(name="briefer", score=brief, gate=0.6), BRIEF)).grade(PLAYED).reward == 0.0


def test_rubrics_are_put_together_and_weighed() -> None:
    both = Rubric((SOLVED,)) + 2.0 * Rubric((BRIEF,))
    assert both.grade(PLAYED, PASSED).reward == 1.5
    with pytest.raises(RecordError, match="names of their own"):
        sum([Rubric((SOLVED,))], start=Rubric((SOLVED,)))
    with pytest.raises(RecordError, match="names of their own"):
        Rubric(())


def test_asynchronous_criteria_are_awaited_from_either_side() -> None:
    rubric = Rubric((BRIEF, POLITE))
    assert rubric.grade(PLAYED).reward == 0.0
    assert asyncio.run(rubric.agrade(PLAYED)).parts == {"brief": 0.25, "polite": -0.25}
    assert [one.reward for one in rubric.grade_all([(PLAYED, None)] * 3)] == [0.0] * 3
    assert asyncio.run(Rubric((BRIEF,)).agrade(PLAYED)).reward == 0.25


def test_asynchronous_criteria_of_many_episodes_run_at_once() -> None:
    waiting, most = 0, 0

    async def slow(played: Trajectory, verdict: Verdict | None) -> float:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0.01)
        waiting -= 1
        return 1.0

    graded = Rubric((Criterion(name="slow", score=slow),)).grade_all([(PLAYED, None)] * 8)
    assert [one.reward for one in graded] == [1.0] * 8
    assert most == 8


@pytest.mark.parametrize("score", [math.nan, -0.1, 1.5, "1", None])
def test_what_is_no_score_is_refused(score: object) -> None:
    async def later(played: Trajectory, verdict: Verdict | None) -> object:
        return score

    for given in (lambda played, verdict: score, later):
        with pytest.raises(VerifierError, match=r"'odd' gave .*, not a score from 0 to 1"):
            Rubric((Criterion(name="odd", score=given),)).grade(PLAYED)  # type: ignore[arg-type]


def test_a_criterion_that_fails_is_named() -> None:
    def broken(played: Trajectory, verdict: Verdict | None) -> float:
        return 1 / 0

    async def broken_later(played: Trajectory, verdict: Verdict | None) -> float:
        return 1 / 0

    for score in (broken, broken_later):
        with pytest.raises(VerifierError, match="'bad' failed with ZeroDivisionError"):
            Rubric((Criterion(name="bad", score=score),)).grade(PLAYED)


def test_odd_criteria_are_refused() -> None:
    for name, weight, gate in (("", 1.0, None), ("a", math.inf, None), ("a", 1.0, 0.0), ("a", 1.0, 2.0)):
        with pytest.raises(RecordError):
            Criterion(name=name, score=brief, weight=weight, gate=gate)
