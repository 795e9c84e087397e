"""A judge of steps as a reward: who is compared with whom, and what an abstention pays."""

import pytest

from palestra.rewards.base import RecordError, Scored, StepReward, Trajectory, Turn
from palestra.rewards.judging.base import Candidate, Question, StepVerdict
from palestra.rewards.judging.rules import ExactJudge, LongestJudge
from palestra.rewards.judging.steps import JudgedReward
from palestra.sandbox.base import InfraError


def episode(*actions: str, group: str = "g") -> Trajectory:
    turns = tuple(Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(0.0,)) for _ in actions)
    messages = tuple({"role": "assistant", "content": action} for action in actions)
    return Trajectory(env_id="e", task_id="t", group=group, turns=turns, outcome=Scored(0.0, False), messages=messages)


def question(one: Trajectory, number: int) -> Question:
    said = [str(message["content"]) for message in one.messages]
    return Question(
        instruction="do", state="page", history=tuple(said[:number]), candidates=(Candidate(action=said[number]),)
    )


def test_siblings_in_one_state_are_compared_and_equal_actions_are_asked_once() -> None:
    reward = JudgedReward(judge=LongestJudge(), ask=question)
    scorer: StepReward = reward
    scores = scorer.score([episode("ab", "x"), episode("abcd"), episode("ab"), episode("ab", group="h")])
    assert scores == [[0.0, 1.0], [1.0], [0.0], [1.0]]  # 2 of 4 letters; alone; the longest; as the first; alone
    assert (reward.asked, reward.abstained) == (3, 0)


def test_an_abstention_and_what_is_not_asked_pay_nothing() -> None:
    one = episode("good", "what")
    judge = ExactJudge({question(one, 0).key: ["good"]})
    reward = JudgedReward(judge=judge, ask=question)
    assert reward.score([one]) == [[1.0, 0.0]]
    assert (reward.asked, reward.abstained) == (2, 1)
    assert JudgedReward(judge=judge, ask=lambda one, number: None).score([one, episode()]) == [[0.0, 0.0], []]


def test_a_judge_that_cannot_be_asked_is_no_reward() -> None:
    class Down:
        async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
            raise InfraError("down")

    with pytest.raises(ExceptionGroup) as caught:
        JudgedReward(judge=Down(), ask=question).score([episode("a")])
    assert caught.group_contains(InfraError)


def test_a_turn_is_one_candidate() -> None:
    two = Question(instruction="", state="", candidates=(Candidate(action="a"), Candidate(action="b")))
    with pytest.raises(RecordError, match="one candidate, not 2"):
        JudgedReward(judge=LongestJudge(), ask=lambda one, number: two).score([episode("a")])
