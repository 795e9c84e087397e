"""What an episode is paid: parts that cannot be had for nothing, turns that did something new, and shaping."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.envs.tooluse.byhand import PENDING, both_case, carrier_case, carrier_of, earn, say, task_of

from palestra.envs.base import EpisodeOver, Snapshot
from palestra.envs.env import Shaping
from palestra.envs.tooluse.case import Case, Goal, Step
from palestra.envs.tooluse.env import ToolUseEnv
from palestra.envs.tooluse.pay import REWARDS, Reward
from palestra.envs.tooluse.progress import Effect, counts_for, joined, matched
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.rewards.heads import economy, f1, paid_for_calls, paid_for_saying
from palestra.rewards.judge import HeedsErrors, Judgement, tempered

ORDER, OTHER = PENDING[:2]
BOTH = both_case(ORDER)
LOOK, WRITE = say("get_order", order_id=ORDER), say("change_carrier", order_id=ORDER, carrier=carrier_of(ORDER))
RIGHT, WRONG = say("finish", answer=BOTH.goal.answer), say("finish", answer=-1)
SPAM = "".join(say("get_order", order_id=order) for order in PENDING[2:12])


# -- graded ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actions", "worth"),
    [
        ([LOOK, WRITE, RIGHT], 1.0),
        ([WRITE, RIGHT], 1.0),  # fewer calls than the oracle's cost nothing
        ([LOOK, WRITE, WRONG], 0.8 * 5 / 8 + 0.2),
        ([LOOK, RIGHT], 0.8 * 3 / 8 + 0.2),
        ([LOOK, LOOK, LOOK, WRITE, RIGHT], 0.8 + 0.2 * 2 / 4),
        ([LOOK, WRITE, *[SPAM] * 5, RIGHT], 0.8 + 0.2 * 2 / 52),
        ([WRONG], 0.0),  # nothing is right, so nothing is paid for being brief
        ([LOOK, WRITE, say("decline", reason="no_tool")], 0.0),
        ([LOOK, WRITE, say("cancel_order", order_id=OTHER), RIGHT], 0.0),
        ([LOOK, WRITE], 0.0),
    ],
)
def test_parts_are_paid_once_the_end_is_right(actions: list[str], worth: float) -> None:
    assert earn(ToolUseEnv(reward="graded"), task_of(BOTH), actions) == pytest.approx(worth)


def test_spam_costs_where_it_is_graded_and_nowhere_else() -> None:
    clean, spammed = [LOOK, WRITE, RIGHT], [LOOK, WRITE, *[SPAM] * 5, RIGHT]
    graded, exact = ToolUseEnv(reward="graded"), ToolUseEnv()
    assert earn(graded, task_of(BOTH), spammed) < earn(graded, task_of(BOTH), clean) == 1.0
    assert earn(exact, task_of(BOTH), spammed) == earn(exact, task_of(BOTH), clean) == 1.0


def test_what_is_not_asked_for_is_not_paid_for() -> None:
    """Where nothing is to be changed, an unchanged world earns nothing by itself."""
    question = replace(BOTH, steps=BOTH.steps[:1], goal=replace(BOTH.goal, changes=()))
    env = ToolUseEnv(reward="graded")
    assert earn(env, task_of(question), [WRONG]) == 0.0
    assert earn(env, task_of(question), [LOOK, RIGHT]) == 1.0
    refusal = replace(BOTH, steps=(), goal=Goal(ending="refuse", told={"reason": "no_tool"}))
    assert earn(env, task_of(refusal), [say("decline", reason="no_tool")]) == 1.0
    assert earn(env, task_of(refusal), [LOOK, say("decline", reason="no_tool")]) == 0.8


@given(st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)), st.integers(0, 9), st.integers(0, 99))
def test_the_parts_are_shares(wanted: set[int], found: set[int], needed: int, made: int) -> None:
    assert 0.0 <= f1(wanted, found) <= 1.0
    assert (f1(wanted, found) == 1.0) is (wanted == found)
    assert 0.0 <= economy(needed, made) <= 1.0
    assert (economy(needed, made) == 1.0) is (made <= needed)


# -- FTRL --------------------------------------------------------------------------------------


def paid(actions: list[str], case: Case = BOTH) -> list[float]:
    """Return what each turn is paid by FTRL's head."""
    env = ToolUseEnv(reward="ftrl", shaping="none")
    env.reset(options={"task": task_of(case)})
    return [env.step(action)[1] for action in actions]


@pytest.mark.parametrize(
    ("actions", "rewards"),
    [
        ([LOOK, WRITE, RIGHT], [1.0, 1.0, 1.0]),
        ([LOOK + WRITE, RIGHT], [4 / 3, 1.0]),
        ([LOOK + LOOK + WRITE], [4 / 4]),
        ([LOOK, LOOK, WRITE, WRONG], [1.0, 0.0, 1.0, 0.5]),
        ([LOOK, RIGHT], [1.0, 1 / 2]),
        ([RIGHT], [1 / 3]),
        ([WRONG], [0.0]),
        (["<tool_call>{", LOOK], [-0.3, 1.0]),
        ([LOOK, ""], [1.0, -0.5]),
        ([LOOK, WRITE, "All done."], [1.0, 1.0, 0.5]),
        ([SPAM, "All done."], [0.0, 0.0]),
        ([say("cancel_order", order_id=OTHER), LOOK, RIGHT], [0.0, 1.0, 0.0]),
    ],
)
def test_a_turn_is_paid_for_what_it_newly_solves(actions: list[str], rewards: list[float]) -> None:
    assert paid(actions) == pytest.approx(rewards)


def test_a_turn_without_a_call_is_the_last_one() -> None:
    env = ToolUseEnv(reward="ftrl")
    for text in ("", "I am done."):
        env.reset(options={"task": task_of(BOTH)})
        _, _, is_over, _, info = env.step(text)
        assert is_over
        assert not info["is_success"]


def test_an_ending_that_names_what_it_must_is_a_final_answer() -> None:
    case = carrier_case(
        ORDER, steps=(), goal=Goal(ending="ask", told={"tool": "change_carrier", "parameter": "carrier"})
    )
    assert paid([say("ask_user", about="carrier")], case) == [1.0]
    assert paid([say("decline", reason="no_tool")], case) == [0.5]  # everything is solved: there was nothing to call


def test_the_heads_by_the_numbers() -> None:
    assert [paid_for_calls(*numbers) for numbers in ((0, 0), (1, 1), (2, 2), (3, 1))] == [0.0, 1.0, 4 / 3, 0.5]
    assert [paid_for_saying("right", unsolved) for unsolved in (0, 1, 3)] == [1.0, 0.5, 0.25]
    assert [paid_for_saying(saying, 0) for saying in ("empty", "broken", "other")] == [-0.5, -0.3, 0.5]
    assert paid_for_saying("other", 1) == 0.0


# -- matching ----------------------------------------------------------------------------------


def test_a_call_counts_once_and_the_matching_is_the_largest() -> None:
    """A greedy one would give step 0 to the first call, and nothing to the second."""
    assert matched([[0, 1], [0]]) == {0, 1}
    assert matched([[0, 1]]) == {0}
    assert matched([[0], [0], [0]]) == {0}


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True), max_size=5))
def test_no_choice_of_calls_does_more(edges: list[list[int]]) -> None:
    choices = itertools.product(*[[None, *steps] for steps in edges])
    best = max(
        len(set(some)) for choice in choices if len(some := [x for x in choice if x is not None]) == len(set(some))
    )
    assert len(matched(edges)) == best
    kept: list[list[int]] = []
    for steps in edges:
        kept = joined(kept, steps)
    assert len(matched(kept)) == best  # what `joined` leaves out makes no difference


def test_order_matters_only_along_the_edges() -> None:
    facts: list[Effect] = [frozenset({("a",)}), frozenset({("b",)}), frozenset({("c",)})]
    steps = [Step(tool="x", arguments={}), Step(tool="y", arguments={}, after=(0,)), Step(tool="z", arguments={})]
    assert counts_for(facts[1], facts, steps, []) == []
    assert counts_for(facts[1], facts, steps, [[0]]) == [1]
    assert counts_for(facts[2], facts, steps, []) == [2]
    assert counts_for(facts[0] | facts[2], facts, steps, []) == [0, 2]
    assert counts_for(frozenset(), facts, steps, []) == []


def test_a_step_is_done_by_whatever_shows_the_same() -> None:
    """The fee, which the answer takes, and nothing else of the order; the write comes after it or does not count."""
    env = ToolUseEnv(shaping="progress")
    env.reset(options={"task": task_of(BOTH)})
    steps = {say("get_order", order_id=OTHER): 0.0, WRITE: 0.0, LOOK: 0.5, f" {LOOK}": 0.0}
    assert [env.step(action)[1] for action in steps] == list(steps.values())


# -- shaping -----------------------------------------------------------------------------------

ACTIONS = (LOOK, WRITE, say("change_carrier", order_id=OTHER, carrier=carrier_of(OTHER)), RIGHT, WRONG)
HORIZON = 4


def values(env: ToolUseEnv) -> dict[str, tuple[float, frozenset[str]]]:
    """Return, for every state that can be reached, what the best policy earns from there on, and its first actions."""
    env.reset(seed=0, options={"task": task_of(BOTH, turns=HORIZON)})
    found: dict[str, tuple[float, frozenset[str]]] = {}

    def value(at: Snapshot, turns: int) -> float:
        env.restore(at)
        key = f"{turns} {env._state_key()}"
        if key not in found:
            worth = {}
            for action in ACTIONS:
                env.restore(at)
                _, reward, terminated, truncated, _ = env.step(action)
                worth[action] = reward if terminated or truncated else reward + value(env.snapshot(), turns + 1)
            best = max(worth.values())
            found[key] = best, frozenset(action for action, one in worth.items() if one > best - 1e-9)
        return found[key][0]

    value(env.snapshot(), 0)
    return found


@pytest.mark.parametrize("reward", REWARDS)
def test_shaping_by_a_potential_moves_no_optimum(reward: Reward) -> None:
    plain, shaped = (values(ToolUseEnv(reward=reward, shaping=shaping)) for shaping in ("none", "potential"))
    assert len(plain) == 20
    assert {key: actions for key, (_, actions) in plain.items()} == {key: best for key, (_, best) in shaped.items()}
    start = next(key for key in plain if key.startswith("0 "))
    assert plain[start][0] == pytest.approx(shaped[start][0])


@pytest.mark.parametrize("reward", ["exact", "graded"])
@pytest.mark.parametrize("shaping", ["none", "potential"])
def test_no_policy_earns_more_than_the_oracle(reward: Reward, shaping: Shaping) -> None:
    env = ToolUseEnv(reward=reward, shaping=shaping)
    found = values(env)
    start = next(key for key in found if key.startswith("0 "))
    assert found[start][0] == pytest.approx(earn(env, task_of(BOTH), [LOOK, WRITE, RIGHT]))


# -- judges ------------------------------------------------------------------------------------

GOOD = Verdict.of([Check(name="a", passed=True)])
BAD = Verdict.of([Check(name="a", passed=False)])


def test_a_judge_lowers_and_never_raises() -> None:
    for score in (0.0, 0.25, 1.0):
        assert tempered(GOOD, Judgement(score)).score == score
        assert tempered(BAD, Judgement(score)).score == 0.0
        assert not tempered(BAD, Judgement(score)).passed
    assert tempered(GOOD, Judgement(0.5, "hm")).checks[-1] == Check(name="judge", passed=False, evidence="hm")
    for score in (1.5, -0.1, float("nan")):
        with pytest.raises(VerifierError):
            tempered(GOOD, Judgement(score))


def test_the_judge_by_rule_minds_errors_that_are_repeated() -> None:
    env = ToolUseEnv(judge=HeedsErrors())
    again = say("cancel_order", order_id="ord_00000")
    assert earn(env, task_of(BOTH), [again, again, LOOK, WRITE, RIGHT]) == 1.0
    assert earn(env, task_of(BOTH), [again, again, again, again, LOOK, WRITE, RIGHT]) == 0.5
    assert env.verdict().checks[-1].evidence.startswith("cancel_order(")
    assert earn(env, task_of(BOTH), [again, WRONG]) == 0.0


@pytest.mark.parametrize("reward", REWARDS)
def test_a_judge_lowers_what_the_end_is_worth(reward: Reward) -> None:
    for share in (1.0, 0.5, 0.0):
        env = ToolUseEnv(reward=reward, judge=lambda messages, verdict, share=share: Judgement(share))
        env.reset(options={"task": task_of(BOTH)})
        infos = [env.step(action)[4] for action in (LOOK, WRITE, RIGHT)]
        assert infos[-1]["reward_parts"]["outcome"] == share
        assert infos[-1]["is_success"]


def test_there_is_no_verdict_without_an_episode() -> None:
    with pytest.raises(EpisodeOver):
        ToolUseEnv().verdict()


def test_no_judge_makes_a_wrong_episode_right() -> None:
    env = ToolUseEnv(judge=lambda messages, verdict: Judgement(1.0, "splendid"))
    assert earn(env, task_of(BOTH), [WRONG]) == 0.0
    assert earn(env.fork()[0], task_of(BOTH), [LOOK, WRITE, RIGHT]) == 1.0


def test_an_unknown_reward_is_named() -> None:
    with pytest.raises(ValueError, match="'best'"):
        ToolUseEnv(reward="best")  # type: ignore[arg-type]  # that is the point
