"""The agents folder's nouns: who samples tokens, what is trained on, and what a loss is.

A policy knows no environment: token ids go in, token ids come out. Imports nothing heavy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from palestra.rewards.base import FinishReason, RecordError

if TYPE_CHECKING:
    from torch import Tensor


class ModelError(ValueError):
    """A model's name, files or answers are not usable; the message says what to do."""


class ConfigError(ValueError):
    """A setting is unknown, of the wrong type or out of range; the message names it."""


class MissingExtraError(ImportError):
    """An optional dependency is not installed; the message says which extra brings it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to sample one reply. There is no top-p or top-k: they would falsify the ratio in training."""

    max_tokens: int = 64
    temperature: float = 1.0  # 0 is greedy
    stop_ids: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens!r}")
        if not 0.0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature must be 0 or more, not {self.temperature!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sampled reply, exactly as it was sampled."""

    output_ids: tuple[int, ...]  # the stop token included when there was one
    logprobs: tuple[float, ...]  # under the distribution sampled from; 0 where sampling was greedy
    finish: FinishReason
    version: int = 0  # of the weights that sampled it


class Policy(Protocol):
    """Anything that continues token ids: a local model, a server, a script."""

    async def generate(self, prompt_ids: Sequence[int], sampling: Sampling) -> Sample:
        """Return a continuation of the prompt.

        Raises:
            InfraError: the engine failed; the episode is dropped, never scored.
        """
        ...

    async def close(self) -> None:
        """Give back what the policy holds; a second call does nothing."""
        ...


class Chat(Protocol):
    """Turns messages into a policy's token ids and its replies back into actions."""

    stop_ids: tuple[int, ...]  # any of them ends a reply
    end_id: int  # the one that the chat format itself writes

    def render(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return the prompt that asks for the assistant's next message."""
        ...

    def extend(self, output_ids: Sequence[int], replies: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return what follows a sampled reply: its end, if it was cut, the replies, the next request.

        The next prompt is always the last one, the sampled ids and this, so nothing is encoded twice.
        """
        ...

    def parse(self, output_ids: Sequence[int]) -> str | dict[str, Any]:
        """Return the sampled reply as an action: text, or an assistant message with tool calls."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One training sequence: the tokens, and which of them were sampled, when and how likely."""

    ids: tuple[int, ...]
    mask: tuple[bool, ...]  # True: sampled by the policy, and trained on
    logprobs: tuple[float, ...]  # at sampling time; 0 where mask is False
    turns: tuple[int, ...]  # index of the turn that sampled the token; -1 where mask is False

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.mask) == len(self.logprobs) == len(self.turns):
            raise RecordError(
                f"a row's fields have lengths {len(self.ids)}, {len(self.mask)}, "
                f"{len(self.logprobs)} and {len(self.turns)}; they must be equal"
            )


class TokenLoss(NamedTuple):
    """A policy loss token by token, (rows, tokens), 0 where nothing was sampled."""

    loss: "Tensor"  # differentiable in the log-probabilities
    cut: "Tensor"  # bool: where a bound of the loss holds the token back


class PolicyLoss(Protocol):
    """A policy loss on sampled tokens: pure, differentiable in `logp`, changes no input."""

    def __call__(self, logp: "Tensor", old_logp: "Tensor", advantage: "Tensor", mask: "Tensor") -> TokenLoss:
        """Return the loss of each token; the caller weighs, sums and divides.

        Args:
            logp: (rows, tokens) log-probabilities under the weights being trained.
            old_logp: (rows, tokens) the same at sampling time.
            advantage: (rows, tokens) of the turn that sampled each token.
            mask: (rows, tokens) bool, True where a token was sampled; elsewhere anything may stand.
        """
        ...
