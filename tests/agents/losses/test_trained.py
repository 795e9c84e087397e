"""Every loss and every option trains a tiny model for two updates through the trainer itself."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from palestra.agents.base import ConfigError
from palestra.agents.checkpoint import CheckpointError
from palestra.agents.config import TrainConfig, load_config
from palestra.agents.loss_options import LOSSES
from palestra.agents.metrics import read_metrics
from palestra.agents.progress import Progress
from palestra.agents.recipe import is_overlong, numeric_ids, objective_of
from palestra.agents.trainer import Trainer
from palestra.rewards.base import Scored, Trajectory, Truncated, Turn
from palestra.rewards.credit import CREDITS


def config(folder: Path, out: Path, **changes: Any) -> TrainConfig:
    words = {
        "env": "toy/Pair-v0",
        "model": str(folder),
        "out": str(out),
        "sft_steps": 0,
        "rl_steps": 1,
        "updates": 2,
        "tasks": 4,
        "attempts": 4,
        "rl_lr": 0.01,
        "warmup": 0,
        "lora_rank": 0,
        "autocast": False,
        "max_tokens": 2,
        "eval_tasks": 0,
        "checkpoint_every": 1,
        "keep_checkpoints": 99,
        "device": "cpu",
        "export": False,
        **changes,
    }
    return load_config(None, [f"{name}={json.dumps(value)}" for name, value in words.items()])


def trained(settings: TrainConfig) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    trainer = Trainer(settings, progress=Progress(None))
    before = {name: p.detach().clone() for name, p in trainer.learner.trainable().items()}
    trainer.run()
    changes = {name: p.detach() - before[name] for name, p in trainer.learner.trainable().items()}
    return changes, read_metrics(Path(settings.out))


@pytest.mark.parametrize("name", LOSSES)
def test_each_loss_trains(toys: None, tiny_folder: Path, tmp_path: Path, name: str) -> None:
    credit = (LOSSES[name].credits or ("turn_loo",))[0]
    changes, (line,) = trained(config(tiny_folder, tmp_path, loss=name, credit=credit))
    assert all(change.isfinite().all() for change in changes.values())
    assert any(change.any() for change in changes.values())
    assert math.isfinite(line["loss"])
    assert line["grad_norm"] > 0
    assert line["first_ratio_off"] < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSES)
def test_each_loss_learns(toys: None, tiny_folder: Path, tmp_path: Path, name: str) -> None:
    """From 0.1 to 0.25 of the reward over the first ten steps, a random model's, to 0.7 or more over the last ten."""
    credit = (LOSSES[name].credits or ("turn_loo",))[0]
    steps = {"rl_steps": 60, "tasks": 8, "attempts": 8, "max_tokens": 1, "rl_lr": 0.005, "warmup": 2}
    quiet = {"checkpoint_every": 1000, "log_episodes": False}
    _, lines = trained(config(tiny_folder, tmp_path, loss=name, credit=credit, **steps, **quiet))
    rewards = [line["reward"] for line in lines]
    assert sum(rewards[:10]) / 10 < 0.35
    assert sum(rewards[-10:]) / 10 > 0.6


@pytest.mark.parametrize("name", [name for name in CREDITS if name != "bnpo"])  # which takes returns of 0 and 1 only
def test_each_credit_trains(toys: None, tiny_folder: Path, tmp_path: Path, name: str) -> None:
    changes, (line,) = trained(config(tiny_folder, tmp_path, credit=name))
    assert all(change.isfinite().all() for change in changes.values())
    assert any(change.any() for change in changes.values())
    assert line["grad_norm"] > 0


@pytest.mark.parametrize(
    ("options", "logged"),
    [
        ({"denominator": "sequence_mean"}, {}),
        ({"denominator": "constant", "denominator_length": 7}, {}),
        ({"importance": "token_truncate"}, {"importance": (0.99, 1.01)}),
        ({"importance": "sequence_mask", "importance_low": 0.5}, {"importance": (0.99, 1.01)}),
        ({"importance": "geometric_mask", "importance_low": 2.0}, {"importance": (0.0, 0.0)}),
        ({"kl_coef": 0.5}, {"kl_ref": (1e-6, 10.0)}),
        ({"kl_coef": 0.5, "kl": "k2", "kl_corrected": False}, {"kl_ref": (1e-6, 10.0)}),
        ({"kl_coef": 0.5, "kl": "k1_reward"}, {"kl_ref": (1e-6, 10.0)}),
        ({"kl_coef": 0.5, "kl": "k1"}, {"kl_ref": (1e-6, 10.0)}),
        ({"precision_weight": 5.0}, {}),
        ({"loss": "dual_clip", "loss_options": {"cap": 2.0}, "clip_high": 0.5}, {}),
    ],
)
def test_each_option_trains(
    toys: None, tiny_folder: Path, tmp_path: Path, options: dict[str, Any], logged: dict[str, tuple[float, float]]
) -> None:
    table = options.pop("loss_options", {})
    words = {**options, **{f"loss_options.{name}": value for name, value in table.items()}}
    changes, (line,) = trained(config(tiny_folder, tmp_path, **words))
    assert all(change.isfinite().all() for change in changes.values())
    assert math.isfinite(line["loss"])
    for name, (low, high) in logged.items():
        assert low <= line[name] <= high


def test_episodes_that_a_limit_cut_off_are_not_trained_on(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    """A random model does not end its reply within two tokens, so all of them are."""
    changes, (line,) = trained(config(tiny_folder, tmp_path, overlong_filter=True))
    assert line["overlong"] == 1.0
    assert line["tokens"] == 0.0
    assert not any(change.any() for change in changes.values())


def test_what_is_overlong() -> None:
    def played(outcome: Scored | Truncated, *finishes: Any) -> Trajectory:
        turns = tuple(Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(0.0,), finish=one) for one in finishes)
        return Trajectory(env_id="e", task_id="t", group="g", turns=turns, outcome=outcome)

    assert not is_overlong(played(Scored(0.0, False), "stop", "stop"))
    assert is_overlong(played(Scored(1.0, True), "stop", "length"))
    assert is_overlong(played(Truncated("turns", 0.0), "stop"))


def test_a_resumed_run_with_a_penalty_keeps_its_reference(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    changes = {"rl_steps": 3, "sft_steps": 1, "kl_coef": 0.5}
    whole = Trainer(config(tiny_folder, tmp_path / "whole", **changes), progress=Progress(None))
    whole.run()
    for stop in (1, 2):  # before the reference is taken, and after
        settings = config(tiny_folder, tmp_path / f"cut-{stop}", **changes)
        part = Trainer(settings, progress=Progress(None))
        part.units = part.units[:stop]
        part.run()
        resumed = Trainer(settings, progress=Progress(None), resume=True)
        resumed.run()
        for name, value in whole.learner.trainable().items():
            assert torch.equal(value, resumed.learner.trainable()[name])


def test_a_run_that_had_no_reference_cannot_go_on_with_a_penalty(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    trained(config(tiny_folder, tmp_path))
    with pytest.raises(CheckpointError, match="was written without the reference that kl_coef needs"):
        Trainer(config(tiny_folder, tmp_path, kl_coef=0.5, rl_steps=2), progress=Progress(None), resume=True)


def test_numeric_tokens_are_those_with_a_digit(tiny_tokenizer: Any) -> None:
    found = numeric_ids(tiny_tokenizer)
    assert sorted(tiny_tokenizer.convert_ids_to_tokens(sorted(found))) == list("0123456789")


def test_names_of_bytes_and_added_marks_are_no_numbers() -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = ["<0x0A>", "<0x31>", "_12", "3.5", "mm", "<mark1>", "<end2>"]
    inner = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="mm"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end2>")
    tokenizer.add_tokens(["<mark1>"])
    assert tokenizer.convert_ids_to_tokens(sorted(numeric_ids(tokenizer))) == ["_12", "3.5"]


def test_the_mirror_descent_with_a_partition_has_one_temperature(tiny_tokenizer: Any) -> None:
    settings = load_config(None, ["loss=pmd_partition", "credit=log_partition", "loss_options.tau=0.5"])
    assert objective_of(settings, tiny_tokenizer, seed="0").loss.keywords == {"tau": 0.5}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["loss=pppo"], "no loss named 'pppo'; did you mean 'ppo'?"),
        (["loss=zzz"], "no loss named 'zzz'; known: ppo, stretch, dual_clip"),
        (["loss=gspo", "loss_options.hgih=1"], "the loss 'gspo' has no option 'hgih'; did you mean 'high'?"),
        (["loss=topr", "loss_options.low=1"], "the loss 'topr' has no option 'low'; known: cap, level"),
        (["loss=topr", "loss_options.level=turn"], "loss_options.level must be one of sequence, token, not 'turn'"),
        (["loss=topr", "loss_options.cap=0.5"], "loss_options.cap of the loss 'topr' must be from 1 to 1e+06, not 0.5"),
        (["loss_options.low=many"], "loss_options.low of the loss 'ppo' must be from 0 to 1, not 'many'"),
        (["loss_options.high=nan"], "must be from 0 to 1e+06, not nan"),
        (["loss_options.high=true"], "must be from 0 to 1e+06, not True"),
        (["loss_options=3"], "loss_options must be a table"),
        (["loss=clip_cov", "loss_options.cov_low=9"], "loss_options.cov_low must be below cov_high, not 9.0 and 5.0"),
        (["loss=gspo", "clip_low=0.1"], "the loss 'gspo' does not use clip_low; its options are set by loss_options"),
        (["clip_low=1.5"], "clip_low must be at most 1, not 1.5"),
        (["loss=pmd_mean"], "the loss 'pmd_mean' needs credit = 'rloo', not 'turn_loo'"),
        (["loss=pmd_partition", "credit=rloo"], "the loss 'pmd_partition' needs credit = 'log_partition', not 'rloo'"),
        (["denominator=mean"], "denominator must be one of auto, token_mean, sequence_mean"),
        (["denominator_length=-1"], "denominator_length must be at least 0, not -1"),
        (["importance=token"], "importance must be one of none, token_truncate, token_mask"),
        (["importance_low=3"], "importance_low must be at most importance_high, not 3.0 and 2.0"),
        (["importance_high=nan"], "importance_low must be at most importance_high, not 0.0 and nan"),
        (["kl_coef=-1"], "kl_coef must be at least 0, not -1.0"),
        (["kl_coef=nan"], "kl_coef must be finite, not nan"),
        (["kl=k1", "kl_corrected=false"], 'kl = "k1" without kl_corrected has a gradient of mean 0'),
        (["precision_weight=0"], "precision_weight must be a positive number, not 0.0"),
    ],
)
def test_a_wrong_setting_is_named(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(None, words)
    assert said in str(error.value)


def test_a_losses_options_are_written_and_read_back(tmp_path: Path) -> None:
    settings = load_config(
        None, ["loss=gspo", "loss_options.low=0.001", "difficulty.hops=1", "denominator=constant", "kl_coef=1e-4"]
    )
    assert settings.options_of_loss() == {"low": 0.001, "high": 4e-4}
    file = tmp_path / "config.toml"
    file.write_text(settings.to_toml())
    assert load_config(file) == settings


def test_the_clipping_of_the_config_is_that_of_the_losses_that_take_it() -> None:
    assert load_config(None, ["clip_high=0.5"]).options_of_loss() == {"low": 0.2, "high": 0.5}
    both = load_config(None, ["loss=dual_clip", "clip_high=0.5", "loss_options.high=0.6", "loss_options.cap=4"])
    assert both.options_of_loss() == {"low": 0.2, "high": 0.6, "cap": 4.0}
