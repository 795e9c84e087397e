"""The losses that a config chooses by name, with their options: plain data, which imports nothing heavy."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from palestra.agents.base import ConfigError

DenominatorName = Literal["auto", "token_mean", "sequence_mean", "sequence_sum", "constant"]
ImportanceName = Literal[
    "none",
    "token_truncate",
    "token_mask",
    "sequence_truncate",
    "sequence_mask",
    "geometric_truncate",
    "geometric_mask",
]
KlName = Literal["k1_reward", "k1", "k2", "k3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSpec:
    """A loss as a config sees it."""

    function: str  # of palestra.agents.losses
    options: Mapping[str, float | str]  # with their defaults
    denominator: DenominatorName = "token_mean"  # unless the config names one
    is_idle_without_advantage: bool = True  # tokens whose advantage is 0 have no gradient
    takes_clip: bool = False  # `low` and `high` are the config's clip_low and clip_high
    credits: tuple[str, ...] = ()  # the only ones that it is defined for; empty: any
    is_drawn: bool = False  # takes a seed


LOSSES: dict[str, LossSpec] = {
    "ppo": LossSpec(function="ppo_clip", options={"low": 0.2, "high": 0.28}, takes_clip=True),
    "stretch": LossSpec(function="ppo_clip", options={"low": 0.4, "high": 0.8}),
    "dual_clip": LossSpec(function="dual_clip", options={"low": 0.2, "high": 0.28, "cap": 3.0}, takes_clip=True),
    "gspo": LossSpec(function="gspo", options={"low": 3e-4, "high": 4e-4}, denominator="sequence_mean"),
    "cispo": LossSpec(function="cispo", options={"low": 1.0, "high": 4.0}),
    "dppo": LossSpec(function="dppo", options={"low": 0.2, "high": 0.2, "pull": 1e-3}, is_idle_without_advantage=False),
    "topr": LossSpec(function="topr", options={"cap": 1.0, "level": "sequence"}, denominator="sequence_sum"),
    "nsr": LossSpec(function="w_reinforce", options={"positive": 0.0}),
    "w_reinforce": LossSpec(function="w_reinforce", options={"positive": 0.1}),
    "pmd_mean": LossSpec(
        function="pmd",
        options={"tau": 0.01},
        denominator="sequence_mean",
        is_idle_without_advantage=False,
        credits=("rloo",),
    ),
    "pmd_partition": LossSpec(
        function="pmd",
        options={"tau": 0.01},
        denominator="sequence_mean",
        is_idle_without_advantage=False,
        credits=("log_partition",),
    ),
    "clip_cov": LossSpec(
        function="clip_cov",
        options={"low": 0.2, "high": 0.28, "fraction": 2e-4, "cov_low": 1.0, "cov_high": 5.0},
        is_idle_without_advantage=False,
        takes_clip=True,
        is_drawn=True,
    ),
    "kl_cov": LossSpec(
        function="kl_cov", options={"fraction": 2e-3, "coef": 1.0}, is_idle_without_advantage=False, is_drawn=True
    ),
}

_RANGES = {  # of each option, both ends inclusive
    "low": (0.0, 1.0),
    "high": (0.0, 1e6),
    "cap": (1.0, 1e6),
    "pull": (0.0, 1e6),
    "positive": (0.0, 1e6),
    "tau": (1e-6, 1e6),
    "fraction": (0.0, 1.0),
    "cov_low": (-1e6, 1e6),
    "cov_high": (-1e6, 1e6),
    "coef": (0.0, 1e6),
}
_CHOICES = {"level": ("sequence", "token")}


def loss_options(name: str, given: Mapping[str, Any]) -> dict[str, float | str]:
    """Return a loss's options, the given ones in place of its defaults.

    Raises:
        ConfigError: the loss does not exist or has no such option, or a value is out of range.
    """
    if name not in LOSSES:
        raise ConfigError(f"no loss named {name!r}; {_hint(name, list(LOSSES))}")
    options = dict(LOSSES[name].options)
    for option, value in given.items():
        if option not in options:
            raise ConfigError(f"the loss {name!r} has no option {option!r}; {_hint(option, list(options))}")
        options[option] = _checked(name, option, value)
    if "cov_low" in options and not float(options["cov_low"]) < float(options["cov_high"]):
        raise ConfigError(
            f"loss_options.cov_low must be below cov_high, not {options['cov_low']!r} and {options['cov_high']!r}"
        )
    return options


def _checked(name: str, option: str, value: Any) -> float | str:
    if option in _CHOICES:
        if value not in _CHOICES[option]:
            raise ConfigError(f"loss_options.{option} must be one of {', '.join(_CHOICES[option])}, not {value!r}")
        return str(value)
    low, high = _RANGES[option]
    if type(value) not in (int, float) or not math.isfinite(value) or not low <= value <= high:
        raise ConfigError(f"loss_options.{option} of the loss {name!r} must be from {low:g} to {high:g}, not {value!r}")
    return float(value)


def _hint(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
