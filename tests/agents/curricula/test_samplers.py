"""Samplers: what each prefers after what it was told, and that they go on from their state."""

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from palestra.agents.curricula import (
    AdaptiveAttempts,
    Dump,
    Eva,
    Pcl,
    Sampler,
    Staged,
    Uniform,
    VarianceAware,
    arms_of,
    token_budget,
)

ARMS = arms_of({"hops": [1, 2, 3, 4], "domain": ["shop", "library"]})
SAMPLERS: dict[str, Callable[[], Sampler]] = {
    "uniform": lambda: Uniform(ARMS),
    "staged": lambda: Staged(ARMS),
    "dump": lambda: Dump(ARMS),
    "pcl": lambda: Pcl(ARMS),
    "variance": lambda: VarianceAware(ARMS),
    "eva": lambda: Eva(ARMS),
}
each = pytest.mark.parametrize("make", SAMPLERS.values(), ids=SAMPLERS)
SOLVED, HALF, HOPELESS = [1.0] * 4, [1.0, 0.0, 1.0, 0.0], [0.0] * 4


def taught(sampler: Any, rounds: int = 40) -> Counter[int]:
    """Tell that one hop is solved, two are half solved and more are hopeless; return what is drawn then."""
    for _ in range(rounds):
        for arm, setting in enumerate(ARMS):
            sampler.tell(arm, {1: SOLVED, 2: HALF}.get(int(setting["hops"]), HOPELESS))
    drawn = Counter(int(ARMS[arm]["hops"]) for arm in sampler.draw(400, Random(0)))
    return drawn


def test_arms_are_every_combination_in_order() -> None:
    assert len(ARMS) == 8
    assert ARMS[:3] == [{"hops": 1, "domain": "shop"}, {"hops": 1, "domain": "library"}, {"hops": 2, "domain": "shop"}]
    with pytest.raises(ValueError, match="'hops' has no value"):
        arms_of({"hops": []})


@each
def test_draws_are_arms_depend_on_the_seed_alone_and_never_fail_untold(make: Callable[[], Sampler]) -> None:
    first, again = make().draw(64, Random(3)), make().draw(64, Random(3))
    assert first == again
    assert all(0 <= arm < len(ARMS) for arm in first)
    assert make().draw(0, Random(0)) == []


@each
def test_a_state_goes_through_json_and_the_sampler_goes_on_as_if_nothing_had_happened(
    make: Callable[[], Sampler],
) -> None:
    sampler, rng = make(), Random(1)
    for arm in sampler.draw(200, rng):
        sampler.tell(arm, [rng.random() for _ in range(4)])
    resumed = make()
    resumed.load(json.loads(json.dumps(sampler.state())))
    assert resumed.draw(50, Random(9)) == sampler.draw(50, Random(9))
    sampler.tell(0, SOLVED)
    resumed.tell(0, SOLVED)
    assert resumed.state() == sampler.state()


@pytest.mark.parametrize("name", ["staged", "dump", "variance", "eva"])
def test_a_state_of_other_arms_is_refused(name: str) -> None:
    state, kinds = SAMPLERS[name]().state(), {"staged": Staged, "dump": Dump, "variance": VarianceAware, "eva": Eva}
    with pytest.raises(ValueError, match="8 arms, and there are 2"):
        kinds[name](ARMS[:2]).load(state)


@pytest.mark.parametrize("kind", [Uniform, Staged, Dump, Pcl, VarianceAware, Eva])
def test_no_arms_are_refused(kind: Any) -> None:
    with pytest.raises(ValueError, match="at least one arm"):
        kind([])


@pytest.mark.parametrize(("name", "share"), [("dump", 0.9), ("pcl", 0.9), ("eva", 0.5), ("variance", 0.4)])
def test_what_is_half_solved_is_preferred(name: str, share: float) -> None:
    drawn = taught(SAMPLERS[name]())
    assert drawn[2] >= share * 400
    assert drawn[2] == max(drawn.values())


def test_uniform_prefers_nothing() -> None:
    drawn = taught(Uniform(ARMS))
    assert min(drawn.values()) > 60


def test_variance_aware_keeps_a_share_for_everything() -> None:
    assert taught(VarianceAware(ARMS))[4] > 20
    assert taught(VarianceAware(ARMS, share=1.0))[4] < taught(VarianceAware(ARMS))[4] / 2
    with pytest.raises(ValueError, match="share is from 0 to 1"):
        VarianceAware(ARMS, share=2.0)


def test_dump_goes_back_to_what_it_has_not_tried() -> None:
    sampler = Dump(ARMS[:2])
    for _ in range(200):
        sampler.tell(0, HALF)
    assert sampler.bounds()[1] > sampler.bounds()[0]
    # By hand: mean absolute advantage 1/2, ln 201 = 5.3033.
    assert sampler.bounds() == pytest.approx([0.5 + (2 * 5.3033 / 201) ** 0.5, (2 * 5.3033) ** 0.5], rel=1e-4)


def test_dump_forgets_what_an_arm_taught_long_ago() -> None:
    sampler = Dump(ARMS[:2], window=10)
    for returns in [HALF] * 30 + [SOLVED] * 10:
        sampler.tell(0, returns)
    assert sampler.bounds()[0] == pytest.approx((2 * 3.713572 / 41) ** 0.5, rel=1e-4)


def test_pcl_has_an_opinion_of_arms_that_it_never_drew() -> None:
    sampler = Pcl(arms_of({"hops": [1, 2, 3, 4]}))
    for _ in range(100):
        sampler.tell(0, SOLVED)
        sampler.tell(3, HOPELESS)
    assert sampler.chance(0) > 0.9 > sampler.chance(1) > sampler.chance(2) > 0.1 > sampler.chance(3)


def test_staged_goes_on_when_a_stage_is_learnt_and_looks_back() -> None:
    sampler = Staged(ARMS[:3], threshold=0.75, window=4, review=0.5)
    for returns in (SOLVED, SOLVED, HALF):
        sampler.tell(0, returns)
    assert sampler.stage == 0
    sampler.tell(1, SOLVED)  # not of this stage
    sampler.tell(0, HALF)
    assert sampler.stage == 1
    assert set(sampler.draw(50, Random(0))) == {0, 1}
    for stage in (1, 2, 2):
        for _ in range(4):
            sampler.tell(stage, SOLVED)
    assert sampler.stage == 2  # the last one stays


def test_eva_evolves_one_knob_by_one_value() -> None:
    sampler = Eva(ARMS)
    assert [ARMS[arm] for arm in sampler.neighbours(0)] == [
        {"hops": 1, "domain": "library"},
        {"hops": 2, "domain": "shop"},
    ]
    assert Eva([{"hops": 1}]).neighbours(0) == [0]


def test_attempts_go_on_until_there_is_signal() -> None:
    balanced = AdaptiveAttempts(attempts=4, rounds=3, keep=4)
    assert balanced.wants_more([])
    assert balanced.wants_more([0.0] * 4)
    assert balanced.wants_more([1.0, 0.0, 0.0, 0.0])
    assert not balanced.wants_more([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    assert not balanced.wants_more([0.0] * 12)  # given up
    eager = AdaptiveAttempts(attempts=4, rounds=3, keep=4, rule="positive")
    assert not eager.wants_more([1.0, 0.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="keep at least 2"):
        AdaptiveAttempts(keep=1)


def test_what_is_kept_is_as_even_as_there_is() -> None:
    balanced = AdaptiveAttempts(keep=4)
    kept = balanced.kept([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0], Random(0))
    assert len(kept) == 4
    assert sum(index in (0, 4, 6) for index in kept) == 2
    assert balanced.kept([1.0] * 8, Random(0)) == sorted(balanced.kept([1.0] * 8, Random(0)))
    assert len(balanced.kept([1.0] * 8, Random(0))) == 4
    assert balanced.kept([0.0, 0.0, 1.0], Random(0)) == [0, 1, 2]


def test_a_budget_of_tokens_follows_its_points() -> None:
    schedule = [(10, 1000), (20, 3000), (40, 2000)]
    assert [token_budget(step, schedule) for step in (0, 10, 15, 20, 30, 40, 99)] == [
        1000, 1000, 2000, 3000, 2500, 2000, 2000,
    ]  # fmt: skip
    for wrong in ([], [(5, 10), (5, 20)], [(0, 0)]):
        with pytest.raises(ValueError, match="points"):
            token_budget(0, wrong)
