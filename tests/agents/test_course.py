"""Step rewards and curricula through the trainer: what is drawn, what is told, what a checkpoint keeps."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from palestra.agents.base import ConfigError
from palestra.agents.config import TrainConfig, load_config
from palestra.agents.curricula import Course, Dump, Staged
from palestra.agents.metrics import read_metrics
from palestra.agents.progress import Progress
from palestra.agents.recipe import advantages_of
from palestra.agents.trainer import Trainer
from palestra.envs.base import TaskError
from palestra.rewards.base import Scored, Trajectory, Turn
from palestra.rewards.combine import HackingWatch

GRID = {"half": ["low", "high"]}
NAMES = ("uniform", "staged", "dump", "pcl", "variance", "eva")


def config(folder: Path, out: Path, **changes: Any) -> TrainConfig:
    words = {
        "env": "toy/Graded-v0", "model": str(folder), "out": str(out), "sft_steps": 0, "rl_steps": 3, "updates": 1,
        "tasks": 4, "attempts": 4, "rl_lr": 0.01, "warmup": 0, "lora_rank": 0, "autocast": False, "max_tokens": 2,
        "eval_tasks": 0, "checkpoint_every": 1, "keep_checkpoints": 99, "device": "cpu", "export": False, **changes,
    }  # fmt: skip
    return load_config(None, [f"{name}={json.dumps(value)}" for name, value in words.items()])


def grid(**changes: Any) -> dict[str, Any]:
    return {"curriculum": "dump", "curriculum_grid.half": GRID["half"], **changes}


def test_what_a_course_draws_depends_on_seed_step_and_what_it_was_told() -> None:
    course = Course("dump", GRID, seed=0)
    assert course.draw(3, 20) == course.draw(3, 20) == Course("dump", GRID, seed=0).draw(3, 20)
    assert course.draw(3, 20) != course.draw(4, 20)
    arms = course.draw(0, 20)
    returns = [[1.0, 0.0] if arm else [0.0, 0.0] for arm in arms]
    for _ in range(40):
        course.tell(0, returns)
    later = course.draw(1, 40)
    assert sum(later) > 30  # of the second arm there is something to learn
    assert course.settings(1, 1) == [{"half": GRID["half"][later[0]]}]
    resumed = Course("dump", GRID, seed=0)
    resumed.load(json.loads(json.dumps(course.state())))
    assert resumed.draw(1, 40) == later


def test_a_task_of_which_every_attempt_was_lost_tells_nothing() -> None:
    course = Course("staged", {"hops": [1, 2]}, seed=0)
    assert isinstance(course.sampler, Staged)
    course.tell(0, [[], [1.0]])
    assert course.sampler.state()["latest"] == [1.0]


def test_without_a_curriculum_every_task_has_the_runs_own_difficulty() -> None:
    course = Course("none", {}, seed=0)
    assert course.settings(5, 3) == [{}, {}, {}]


@pytest.mark.parametrize("name", NAMES)
def test_every_sampler_draws_the_trainers_tasks(toys: None, tiny_folder: Path, tmp_path: Path, name: str) -> None:
    trainer = Trainer(config(tiny_folder, tmp_path, **grid(curriculum=name, rl_steps=2)), progress=Progress(None))
    drawn = [task.difficulty for step in range(2) for task in trainer._train_tasks("rl", step, 4)]
    assert all(one["half"] in GRID["half"] for one in drawn)
    trainer.run()
    assert len(read_metrics(tmp_path)) == 2


def test_a_resumed_course_goes_on_as_one_that_was_not_stopped(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    changes = grid(step_weight=0.5, **{"step_parts.letter": 1})
    whole = Trainer(config(tiny_folder, tmp_path / "whole", **changes), progress=Progress(None))
    whole.run()
    settings = config(tiny_folder, tmp_path / "cut", **changes)
    part = Trainer(settings, progress=Progress(None))
    part.units = part.units[:2]
    part.run()
    resumed = Trainer(settings, progress=Progress(None), resume=True)
    assert isinstance(resumed.course.sampler, Dump)
    assert sum(resumed.course.state()["told"]) == 8
    resumed.run()
    assert resumed.course.state() == whole.course.state()
    assert resumed.watch.state() == whole.watch.state()
    theirs = whole.learner.trainable()
    assert all(torch.equal(p, theirs[name]) for name, p in resumed.learner.trainable().items())


def played(*rewards: tuple[float, float]) -> list[Trajectory]:
    """Episodes of two turns, each paid a part "look" and a part "end"."""
    made = []
    for look, end in rewards:
        turns = tuple(
            Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(0.0,), reward=value, parts={name: value})
            for name, value in (("look", look), ("end", end))
        )
        outcome = Scored(look + end, end == 1.0)
        made.append(Trajectory(env_id="e", task_id="t", group="g", turns=turns, outcome=outcome))
    return made


def test_step_rewards_are_the_named_parts_mixed_with_the_credit() -> None:
    settings = load_config(None, ["credit=rloo", "step_weight=0.5", "step_parts.look=2"])
    episodes = played((1.0, 0.0), (0.0, 1.0), (0.5, 1.0))
    rows, stats = advantages_of(settings, episodes, HackingWatch())
    returns, looks = (1.0, 1.0, 1.5), (2.0, 0.0, 1.0)
    for place, row in enumerate(rows):
        others = [i for i in range(3) if i != place]
        episode = returns[place] - sum(returns[i] for i in others) / 2
        step = looks[place] - sum(looks[i] for i in others) / 2
        assert row == pytest.approx([episode + 0.5 * step, episode])
    assert stats["step_reward"] == pytest.approx(1.0)
    assert stats["step_outcome_correlation"] == pytest.approx(-0.8660254)
    assert stats["hacking_alarm"] == 0.0


def test_without_a_weight_the_credit_is_as_it_was_and_nothing_is_watched() -> None:
    watch, episodes = HackingWatch(), played((1.0, 0.0), (0.0, 1.0))
    rows, stats = advantages_of(load_config(None, []), episodes, watch)
    assert (rows, stats) == ([[0.0, -1.0], [0.0, 1.0]], {})
    assert watch.state() == HackingWatch().state()


def test_the_watch_is_in_the_metrics_of_a_run(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    settings = config(tiny_folder, tmp_path, step_weight=0.5, **{"step_parts.letter": 1})
    Trainer(settings, progress=Progress(None)).run()
    lines = read_metrics(tmp_path)
    assert all(line["hacking_alarm"] in (0.0, 1.0) for line in lines)
    assert all(line["step_reward"] == pytest.approx(line["reward"]) for line in lines)  # "letter" is all that pays


def test_a_written_config_keeps_its_grid(tmp_path: Path) -> None:
    settings = load_config(None, ["curriculum=eva", "curriculum_grid.hops=[1, 2]", 'curriculum_grid.domain=["shop"]'])
    file = tmp_path / "config.toml"
    file.write_text(settings.to_toml())
    assert load_config(file) == settings


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["curriculum=dump"], "curriculum and curriculum_grid go together"),
        (["curriculum_grid.hops=[1]"], "curriculum and curriculum_grid go together"),
        (["curriculum=dump", "curriculum_grid.hops=3"], r"curriculum_grid.hops must be a list of values.*not 3"),
        (["curriculum=dump", "curriculum_grid.hops=[]"], r"curriculum_grid.hops must be a list"),
        (["curriculum=dum", "curriculum_grid.hops=[1]"], "curriculum must be one of none, uniform, staged, dump"),
        (["curriculum=pcl", "curriculum_grid.hops=[1]", "tasks_file=x.jsonl"], "no curriculum can choose it"),
        (["step_weight=1"], "step_weight and step_parts go together"),
        (["step_parts.look=1"], "step_weight and step_parts go together"),
        (["step_weight=-1"], "step_weight must be 0 or more"),
        (["step_weight=1", "step_parts.look=much"], "step_parts.look must be a finite number, not 'much'"),
    ],
)
def test_wrong_settings_are_named(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(None, words)


def test_a_knob_that_the_environment_lacks_is_told_before_the_run(
    toys: None, tiny_folder: Path, tmp_path: Path
) -> None:
    settings = config(tiny_folder, tmp_path, curriculum="dump", **{"curriculum_grid.hops": [1]})
    with pytest.raises(TaskError, match="unknown difficulty knob 'hops'; known: half"):
        Trainer(settings, progress=Progress(None))
