"""From groups of trajectories, a cheap rule and a judge to advantages: no trainer is needed."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from tests.rewards.judging.scripted import FormModel

from palestra.rewards.base import Scored, Trajectory, Turn
from palestra.rewards.judging.generative import GenerativeJudge
from palestra.rewards.judging.responses import COMPARED, Substantive
from palestra.rewards.routed import RoutedCredit, by_judge
from palestra.rewards.routing import Router


def played(group: str, text: str, reward: float = 0.0, turns: int = 1) -> Trajectory:
    turn = Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(-0.5,))
    last = Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(-0.5,), reward=reward)
    messages = ({"role": "user", "content": f"task {group}"}, {"role": "assistant", "content": text})
    return Trajectory(
        env_id="e",
        task_id=group,
        group=group,
        turns=(*[turn] * (turns - 1), last),
        outcome=Scored(reward, False),
        messages=messages,
    )


def worth(text: str, others: str) -> int:
    return text.count("good")


def cheap(one: Trajectory) -> float:
    return one.reward


def credit_of(budget: int, *, has_length_control: bool = True) -> tuple[RoutedCredit, FormModel]:
    model = FormModel(worth)
    judge = Substantive(GenerativeJudge(model, wording=COMPARED))
    credit = RoutedCredit(
        Router(budget=budget), cheap=cheap, compare=by_judge(judge), has_length_control=has_length_control
    )
    return credit, model


BATCH = [
    played("a", "good good", 0.1, turns=2),
    played("b", "alone", 1.0),
    played("a", "good", 0.1),
    played("a", "nothing", 9.0),
]


def test_unsure_pairs_go_to_the_judge_and_sure_ones_do_not() -> None:
    credit, model = credit_of(1)
    advantages = credit(BATCH)
    assert [len(row) for row in advantages] == [2, 1, 1, 1]
    assert len(model.asked) == 2  # one pair, both ways: the two that score alike
    assert advantages[0] == pytest.approx([0.0] * 2, abs=0.001)  # it won against one and lost to the sure one
    assert advantages[2] == pytest.approx([-0.5], abs=0.001)
    assert advantages[3] == pytest.approx([0.5], abs=0.001)  # the rule is believed where it is sure
    assert advantages[1] == [0.0]
    told = credit.report()
    assert told["judge_calls"] == 1.0
    assert told["judged_share"] == pytest.approx(1 / 3)
    assert told["judge_abstained"] == 0.0
    assert 0.0 < told["uncertainty"] < 0.4
    assert told["groups"] == 2.0


def test_with_a_large_budget_the_judge_decides_everything() -> None:
    credit, model = credit_of(10)
    assert credit(BATCH) == [[0.5, 0.5], [0.0], [0.0], [-0.5]]
    assert len(model.asked) == 6
    assert asyncio.run(credit.credit(BATCH)) == credit(BATCH)


def test_a_judge_that_abstains_leaves_the_cheap_answer() -> None:
    class Mute:
        async def __call__(self, first: Trajectory, second: Trajectory) -> float | None:
            return None

    credit = RoutedCredit(Router(budget=5), cheap=cheap, compare=Mute())
    advantages = credit(BATCH)
    assert advantages[3][0] > 0.49
    assert advantages[0] == [pytest.approx(advantages[2][0])] * 2
    assert credit.report()["judge_abstained"] == 1.0
    assert credit([]) == []


def test_what_a_judge_owes_to_length_is_taken_out() -> None:
    rng = Random(0)
    credits = []
    for has_control in (True, False):
        credit = RoutedCredit(Router(budget=6), cheap=cheap, compare=longest, has_length_control=has_control)
        for number in range(30):
            credit([played(f"{number}", "word " * rng.randrange(1, 60), rng.random()) for _ in range(4)])
        credits.append(credit)
    batch = [played("x", "word", 0.0), played("x", "word " * 59, 0.0)]
    levelled, plain = (credit(batch) for credit in credits)
    assert plain == [[-0.5], [0.5]]
    assert abs(levelled[0][0]) < 0.15
    assert credits[0].report()["prefers_longer"] == 1.0
    assert credits[0].report()["length_weight"] > 2.0
    assert "length_weight" not in credits[1].report()


async def longest(first: Trajectory, second: Trajectory) -> float | None:
    a, b = (str(one.messages[-1]["content"]) for one in (first, second))
    return 0.5 if len(a) == len(b) else float(len(a) > len(b))


def test_it_calibrates_the_rule_where_it_is_told_to() -> None:
    rng = Random(3)

    def group(number: int) -> Sequence[Trajectory]:
        return [played(f"{number}", "good " * rng.randrange(8), rng.gauss(0, 10)) for _ in range(4)]

    credit, _ = credit_of(6)
    credit.calibrates = True
    for number in range(10):
        credit(group(number))
    assert credit.report()["temperature"] > 5.0  # the rule knows nothing of what the judge says
