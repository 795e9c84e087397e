"""The experiments on credit find what is known, and use the library's own estimators."""

import importlib
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import palestra
from palestra.rewards.credit.group import rloo, turn_loo

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def test_the_vectorised_baselines_are_those_of_the_library(load: Any) -> None:
    toy = load("credit_baselines")
    one = toy.played(np.random.default_rng(3), 0.0, 50)
    records = toy.as_trajectories(one)
    for theirs, mine in ((turn_loo, toy.loo_of_alive), (rloo, toy.rloo)):
        wanted = mine(one)
        for number, row in enumerate(theirs(records)):
            group, sibling = divmod(number, toy.SIBLINGS)
            assert row[1:] == pytest.approx(list(wanted[group, sibling][: len(row) - 1]))


def test_the_true_gradient_is_the_slope_of_the_return(load: Any) -> None:
    toy = load("credit_baselines")

    def worth(logit: float) -> float:
        p = 1.0 / (1.0 + np.exp(-logit))
        return float(1.0 + p + p**2 + p**3)

    for logit in toy.LOGITS:
        assert toy.truth(logit) == pytest.approx((worth(logit + 1e-5) - worth(logit - 1e-5)) / 2e-5, abs=1e-6)


def test_few_groups_already_tell_the_biased_baselines(load: Any) -> None:
    found = load("credit_baselines").run(seeds=2, groups=4_000)
    assert set(found["biased"]) == {"mean per turn index over survivors", "the same, leave-one-out"}
    assert found["differing"] == []


def test_next_steps_vary_less_and_need_a_score_that_sees_their_worth(load: Any) -> None:
    toy = load("credit_truncated")
    ways = toy.WAYS

    def over(process: str, name: str) -> tuple[float, float]:
        rng = Random(f"{process}/{name}")
        found = [ways[name](process, 8, rng) for _ in range(150)]
        gradients = [value for one in found for value in one.gradients]
        return float(np.var([a for one in found for a in one.advantages])), float(np.mean(gradients))

    for process, name in (("apart", "next step, by its reward"), ("led", "next step, by its exact worth")):
        whole, short = over(process, "whole, return"), over(process, name)
        assert 6.0 < whole[0] / short[0] < 10.0
        assert short[1] == pytest.approx(toy.true_gradient(process, 8), abs=0.03)
    assert over("led", "next step, by its reward")[1] == pytest.approx(0.0, abs=0.03)


def test_a_sum_is_hacked_and_a_minimum_is_not(load: Any) -> None:
    toy = load("credit_hacking")
    by_sum, by_min = (toy.learn(toy.FORMS[f"outcome + {name}"], 0.5, 1, 60) for name in ("sum", "min"))
    assert by_sum["success"] < 0.2
    assert by_sum["alarm"] == 1.0
    assert by_sum["turns"] > by_min["turns"] + 4.0
    assert by_min["success"] > 0.6
    assert by_min["alarm"] == 0.0


def test_the_command_draws_what_it_found(tmp_path: Path) -> None:
    asked = ["--quick", "--only", "baselines", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "credit.py"), *asked],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(BENCHMARKS.parent / "src"), "PATH": "", "MPLCONFIGDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "among siblings alive" in done.stdout
    assert (tmp_path / "credit_baselines.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_kept_of_an_environment_is_what_it_does(load: Any) -> None:
    (play,) = load("credit_tasks").plays("palestra/ToolUseMini-v0", 1, 8, {"hops": 3})
    env = palestra.make("palestra/ToolUseMini-v0", shaping="progress")
    env.reset(seed=0, options={"task": play.task})
    at, paid = play.start, 0.0
    assert play.step(at, play.actions.index(list(env.oracle())[-1]))[0] == 0.0  # not won by its last action alone
    for action in env.oracle():
        outcome, progress, at = play.step(at, play.actions.index(action))
        reward = env.step(action)[1]
        assert outcome + progress == pytest.approx(reward)
        paid += outcome
    assert at is None
    assert paid == 1.0


@pytest.mark.parametrize("name", ["by_episode", "by_steps", "by_states", "by_forks"])
def test_every_kind_of_credit_teaches_and_counts_its_steps(load: Any, name: str) -> None:
    forks, tools = load("credit_forks"), load("credit_play")
    tasks = load("credit_tasks").plays("palestra/ToolUseMini-v0", 1, 5, {"hops": 1})
    policy = tools.SoftPolicy(np.zeros(tasks[0].width))
    played, advantages, steps = getattr(forks, name)(tasks[0], policy, Random(0))
    assert [len(row) for row in advantages] == [len(one.actions) for one in played]
    assert steps >= sum(len(one.actions) for one in played) + 10 * (name == "by_forks")
    curve = forks.learn(tasks, getattr(forks, name), 0.5, 800, 0)
    assert curve[-1] > max(0.8, curve[0])


def test_a_curriculum_learns_all_arms(load: Any) -> None:
    curricula = load("credit_curricula")
    arms = [{"hops": 1, "domain": "library"}, {"hops": 1, "domain": "clinic"}]
    tasks = [load("credit_tasks").plays(curricula.ENV_ID, 1, 6, arm) for arm in arms]
    load("credit_tasks").numbered(tasks)
    for name in ("DUMP", "uniform, adaptive attempts"):
        sampler, attempts = curricula.WAYS[name]
        assert curricula.learn(tasks, sampler(arms), attempts, 2_000, 1)[-1] > 0.7
