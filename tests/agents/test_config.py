"""Settings come from one dataclass; whatever is wrong with them is said in one line."""

from pathlib import Path

import pytest

from palestra.agents.base import ConfigError
from palestra.agents.config import TrainConfig, load_config


def test_overrides_beat_the_file_and_the_file_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('seed = 3\nrl_lr = 1\nmodel = "owner/name"\n[difficulty]\nhops = 2\n')
    config = load_config(file, ["seed=4", "out=runs/b", "autocast=false", "difficulty.records=3"])
    assert (config.seed, config.rl_lr, config.model, config.out) == (4, 1.0, "owner/name", "runs/b")
    assert config.autocast is False
    assert config.difficulty == {"hops": 2, "records": 3}
    assert config.tasks == TrainConfig().tasks


def test_a_written_config_reads_back_equal(tmp_path: Path) -> None:
    config = load_config(None, ["difficulty.hops=1", "difficulty.domain=shop", "credit=grpo"])
    file = tmp_path / "config.toml"
    file.write_text(config.to_toml())
    assert load_config(file) == config


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rl_stepz=3"], "no setting named 'rl_stepz'; did you mean 'rl_steps'"),
        (["zzz=3"], "known: env"),
        (["rl_steps=many"], "rl_steps must be int, not 'many'"),
        (["rl_steps=true"], "rl_steps must be int, not True"),
        (["rl_steps=-1"], "rl_steps must be at least 0, not -1"),
        (["rl_lr=0"], "rl_lr must be a positive number, not 0.0"),
        (["rl_lr=nan"], "rl_lr must be a positive number"),
        (["temperature=0"], "temperature must be positive in training"),
        (["credit=ppo"], "credit must be one of turn_loo, rloo, grpo, dr_grpo, "),
        (["difficulty=3"], "difficulty must be a table"),
        (["fast"], "'fast' is no override; write name=value"),
    ],
)
def test_a_wrong_setting_is_named(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(None, words)
    assert said in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("seed = = 3")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(broken)


def test_the_main_job_loads_and_measures_at_least_100_held_out_tasks() -> None:
    config = load_config(Path(__file__).resolve().parents[2] / "agents" / "main_job.toml", ["seed=2"])
    assert (config.seed, config.env) == (2, "palestra/ToolUseMini-v0")
    assert config.eval_tasks >= 100
    assert config.rl_steps > 0
