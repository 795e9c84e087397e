"""A training run's settings: one typed dataclass, read from TOML and overridden on the command line."""

import difflib
import json
import math
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from palestra.agents.base import ConfigError
from palestra.agents.curricula.course import CurriculumName, checked_grid
from palestra.agents.distill.texts import DistillKind
from palestra.agents.embedded import DEFAULT_MODEL
from palestra.agents.loss_options import LOSSES, DenominatorName, ImportanceName, KlName, loss_options
from palestra.agents.runners import RunnerKind
from palestra.envs.env import Shaping
from palestra.rewards.credit import CREDITS

_TABLES = ("difficulty", "loss_options", "step_parts", "curriculum_grid")  # settings that are tables


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Everything that decides a training run; `agents/main_job.toml` is the job that README reports."""

    env: str = "palestra/ToolUseMini-v0"
    difficulty: Mapping[str, Any] = field(default_factory=dict)  # knobs of the environment's tasks
    tasks_file: str = ""  # training tasks from a file that `palestra generate` wrote, instead of made ones
    strict_tasks: bool = False  # refuse such a file if its certificates were made by other code
    shaping: Shaping = "potential"
    model: str = DEFAULT_MODEL
    seed: int = 0
    out: str = "runs/train"

    # cold start: supervised fine-tuning on the oracle's episodes of training templates
    sft_steps: int = 40
    sft_demos: int = 8  # a step
    sft_lr: float = 1e-3

    # reinforcement learning
    rl_steps: int = 20
    tasks: int = 8  # a step
    attempts: int = 8  # siblings a task
    rl_lr: float = 3e-4
    credit: str = "turn_loo"  # a name in palestra.rewards.credit.CREDITS
    clip_low: float = 0.2  # of the losses ppo, dual_clip and clip_cov: a ratio's bounds are 1 - low and 1 + high
    clip_high: float = 0.28
    updates: int = 2  # optimiser steps on each step's episodes
    max_grad_norm: float = 1.0
    warmup: int = 2  # optimiser steps over which the learning rate rises, in each phase

    # step rewards beside the credit, and which tasks come next; docs/credit.md
    step_weight: float = 0.0  # of the step rewards' advantages; 0: none
    step_parts: Mapping[str, Any] = field(default_factory=dict)  # what the environment calls them, each with a weight
    curriculum: CurriculumName = "none"
    curriculum_grid: Mapping[str, Any] = field(default_factory=dict)  # knobs, each with its list of values

    # the loss; docs/losses.md says what each is and when to use it
    loss: str = "ppo"
    loss_options: Mapping[str, Any] = field(default_factory=dict)  # of that loss, in place of its defaults
    denominator: DenominatorName = "auto"  # what the summed loss is divided by; auto: the loss's own
    denominator_length: int = 0  # tokens, of the denominator "constant"; 0: max_context
    importance: ImportanceName = "none"  # correction for what sampler and learner see differently
    importance_low: float = 0.0
    importance_high: float = 2.0
    kl_coef: float = 0.0  # of the divergence from the weights at the first reinforcement step; 0: none
    kl: KlName = "k3"
    kl_corrected: bool = True  # weigh it by the ratio to the sampler
    overlong_filter: bool = False  # do not train on episodes that a limit of turns or tokens cut off
    precision_weight: float = 1.0  # of a token with a digit, relative to any other

    # self-distillation: the same weights, told more, teach token by token; docs/credit.md
    distill: DistillKind = "none"
    distill_coef: float = 1.0  # of the divergence from the teacher, beside the loss
    distill_cap: float = 2.0  # of its importance weights
    distill_alone: bool = False  # without the loss's advantages

    # the policy
    lora_rank: int = 16  # 0 trains every weight
    lora_alpha: int = 32
    temperature: float = 1.0
    max_tokens: int = 48  # of one turn
    max_context: int = 1024
    concurrency: int = 64
    runner: RunnerKind = "inline"

    # the machine
    device: str = "auto"
    autocast: bool = True  # bfloat16 where that is safe
    sample_dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    token_budget: int = 4096  # of a micro-batch, padding included
    gradient_checkpointing: bool = False
    threads: int = 0  # of PyTorch; 0 leaves its choice

    # evaluation on held-out templates, greedy, and records
    eval_tasks: int = 192
    eval_seed: int = 1_000_000
    checkpoint_every: int = 5  # steps
    keep_checkpoints: int = 2
    log_episodes: bool = True
    export: bool = True  # write the trained model, adapters merged, to out/model

    def __post_init__(self) -> None:
        for name in ("tasks", "attempts", "updates", "max_tokens", "max_context", "concurrency", "token_budget"):
            _at_least(self, name, 1)
        for name in ("sft_steps", "rl_steps", "eval_tasks", "lora_rank", "threads", "warmup", "seed", "eval_seed"):
            _at_least(self, name, 0)
        for name in ("denominator_length", "kl_coef", "importance_low", "distill_coef"):
            _at_least(self, name, 0)
        for name in ("sft_demos", "checkpoint_every", "keep_checkpoints", "lora_alpha"):
            _at_least(self, name, 1)
        for name in ("sft_lr", "rl_lr", "max_grad_norm", "clip_low", "clip_high", "precision_weight", "distill_cap"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigError(f"{name} must be a positive number, not {getattr(self, name)!r}")
        if self.tasks_file and self.difficulty:
            knob = next(iter(self.difficulty))
            raise ConfigError(
                f"the tasks in {self.tasks_file!r} have their difficulty: difficulty.{knob} cannot be set"
            )
        if not 0 < self.temperature < float("inf"):
            raise ConfigError(f"temperature must be positive in training, not {self.temperature!r}")
        if self.credit not in CREDITS:
            raise ConfigError(f"credit must be one of {', '.join(CREDITS)}, not {self.credit!r}")
        self._check_loss()
        self._check_steps()
        self._check_curriculum()
        self._check_distill()

    def _check_loss(self) -> None:
        if self.clip_low > 1:
            raise ConfigError(f"clip_low must be at most 1, not {self.clip_low!r}; no ratio is below 0")
        self.options_of_loss()
        spec = LOSSES[self.loss]
        if spec.credits and self.credit not in spec.credits:
            raise ConfigError(f"the loss {self.loss!r} needs credit = {spec.credits[0]!r}, not {self.credit!r}")
        for name in ("clip_low", "clip_high"):
            default = TrainConfig.__dataclass_fields__[name].default
            if not spec.takes_clip and getattr(self, name) != default:
                raise ConfigError(f"the loss {self.loss!r} does not use {name}; its options are set by loss_options")
        if not self.importance_low <= self.importance_high < float("inf"):
            raise ConfigError(
                f"importance_low must be at most importance_high, not {self.importance_low!r} "
                f"and {self.importance_high!r}"
            )
        if not self.kl_coef < float("inf"):
            raise ConfigError(f"kl_coef must be finite, not {self.kl_coef!r}")
        if self.kl == "k1" and not self.kl_corrected:
            raise ConfigError('kl = "k1" without kl_corrected has a gradient of mean 0; choose k2, k3 or k1_reward')

    def _check_steps(self) -> None:
        if not 0 <= self.step_weight < float("inf"):
            raise ConfigError(f"step_weight must be 0 or more and finite, not {self.step_weight!r}")
        if bool(self.step_weight) != bool(self.step_parts):
            raise ConfigError("step_weight and step_parts go together, such as step_weight=0.5 step_parts.progress=1")
        for name, weight in self.step_parts.items():
            if type(weight) not in (int, float) or not math.isfinite(weight):
                raise ConfigError(f"step_parts.{name} must be a finite number, not {weight!r}")

    def _check_curriculum(self) -> None:
        if (self.curriculum == "none") == bool(self.curriculum_grid):
            raise ConfigError("curriculum and curriculum_grid go together: a sampler, and values of knobs")
        if self.tasks_file and self.curriculum_grid:
            raise ConfigError(f"the tasks in {self.tasks_file!r} have their difficulty: no curriculum can choose it")
        checked_grid(self.curriculum_grid)

    def _check_distill(self) -> None:
        if not self.distill_coef < float("inf"):
            raise ConfigError(f"distill_coef must be finite, not {self.distill_coef!r}")
        if self.distill_alone and self.distill == "none":
            raise ConfigError("distill_alone without a teacher learns nothing; choose distill")
        if self.distill_alone and not LOSSES[self.loss].is_idle_without_advantage:
            raise ConfigError(f"distill_alone needs a loss that does nothing without advantages, not {self.loss!r}")

    def options_of_loss(self) -> dict[str, float | str]:
        """Return the options of the loss: its defaults, the config's clipping, what `loss_options` says.

        Raises:
            ConfigError: see `palestra.agents.loss_options.loss_options`.
        """
        spec = LOSSES.get(self.loss)
        clip = {"low": self.clip_low, "high": self.clip_high} if spec is not None and spec.takes_clip else {}
        return loss_options(self.loss, {**clip, **self.loss_options})

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return {**asdict(self), **{name: dict(getattr(self, name)) for name in _TABLES}}

    def to_toml(self) -> str:
        """Return the settings as TOML that `load_config` reads back."""
        data = self.to_dict()
        tables = {name: data.pop(name) for name in _TABLES}
        lines = [f"{name} = {json.dumps(value)}" for name, value in data.items()]
        for name, table in tables.items():
            lines += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        return "\n".join([*lines, ""])


def _at_least(config: TrainConfig, name: str, least: int) -> None:
    if getattr(config, name) < least:
        raise ConfigError(f"{name} must be at least {least}, not {getattr(config, name)!r}")


def load_config(path: Path | None = None, overrides: Sequence[str] = ()) -> TrainConfig:
    """Return the defaults, overridden by a TOML file, overridden by ``name=value`` words.

    Knobs of the task generator are written ``difficulty.hops=2``, a loss's options ``loss_options.tau=0.1``.

    Raises:
        ConfigError: a name is unknown, a value has the wrong type, or the file cannot be read.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"the config file {str(path)!r} cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"the config file {str(path)!r} is not TOML: {error}") from error
    for word in overrides:
        name, equals, text = word.partition("=")
        if not equals:
            raise ConfigError(f"{word!r} is no override; write name=value")
        table, dot, key = name.partition(".")
        if dot and table in _TABLES:
            values[table] = {**values.get(table, {}), key: _read(text)}
        else:
            values[name] = _read(text)
    return from_dict(values)


def from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """Return a config from plain data; same errors as `load_config`."""
    kinds = typing.get_type_hints(TrainConfig)
    known = [entry.name for entry in fields(TrainConfig)]
    checked = {}
    for name, value in values.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise ConfigError(f"no setting named {name!r}; {hint}")
        checked[name] = _checked(name, value, kinds[name])
    return TrainConfig(**checked)


def _checked(name: str, value: Any, kind: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin is Literal or isinstance(kind, types.UnionType):
        if value not in typing.get_args(kind):
            raise ConfigError(f"{name} must be one of {', '.join(map(str, typing.get_args(kind)))}, not {value!r}")
        return value
    if origin is not None:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name} must be a table, not {value!r}")
        return dict(value)
    if kind is float and type(value) is int:
        return float(value)
    if kind is str and type(value) in (int, float):
        return str(value)
    if type(value) is not kind:
        raise ConfigError(f"{name} must be {kind.__name__}, not {value!r}")
    return value


def _read(text: str) -> Any:
    """Return a word of the command line as TOML reads it, else as text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
