"""Episodes as branches: any moment of any environment, to be played on by a policy as often as is wanted."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from palestra.agents.base import Chat, Policy, Sampling
from palestra.envs.base import Snapshot
from palestra.envs.env import AgentEnv

Info = Mapping[str, Any]
Actor = Callable[[Info, Random], Any]  # an action, drawn for what `info` tells: messages, tools, state


@dataclass(frozen=True, slots=True)
class EpisodeBranch:
    """A moment of an episode as `palestra.rewards.forking` takes it.

    All branches of an episode share one environment of their own, which each of them restores before it acts, so they
    are for one thread, and what the agent of the episode has is not touched.

    Attributes:
        env: restored to the moment whenever it is needed.
        moment: of the episode.
        info: what the episode told at that moment.
        actor: acts from there on.
        is_markov: the actor looks at nothing but the state, so moments with equal state keys and as many turns behind
            them are worth the same, and are valued once. A model that reads the conversation is none.
    """

    env: AgentEnv
    moment: Snapshot
    info: Info
    actor: Actor
    is_markov: bool = False

    @property
    def key(self) -> str:
        """Return the state and how many turns were taken, for an actor that looks at nothing else; else ""."""
        if not self.is_markov:
            return ""
        turns = sum(message.get("role") == "assistant" for message in self.info["messages"])
        return f"{self.info['state_key']}/{turns}"

    def step(self, rng: Random) -> "tuple[float, EpisodeBranch | None]":
        """Let the actor act once; return what that paid, and where it led unless the episode ended.

        Raises:
            InfraError, VerifierError: the machine or the verifier failed; there is no value.
        """
        self.env.restore(self.moment)
        *_, reward, terminated, truncated, info = self.env.step(self.actor(self.info, rng))
        if terminated or truncated:
            return float(reward), None
        return float(reward), EpisodeBranch(self.env, self.env.snapshot(), info, self.actor, self.is_markov)


@contextmanager
def branching(env: AgentEnv, info: Info, actor: Actor, *, is_markov: bool = False) -> Iterator[EpisodeBranch]:
    """Give the present moment of a live episode as a branch, which ends with the block.

    Args:
        env: in an episode; it is forked, and stays as it is.
        info: what its last reset or step told.
        actor: acts in the branch.
        is_markov: see `EpisodeBranch`.
    """
    with closing(env.fork()[0]) as scratch:
        yield EpisodeBranch(scratch, scratch.snapshot(), info, actor, is_markov)


@dataclass(slots=True)
class Spent:
    """What an actor that samples has cost so far."""

    asked: int = 0  # replies
    prompt_tokens: int = 0
    sampled_tokens: int = 0


@contextmanager
def sampling(
    policy: Policy, chat: Chat, *, max_tokens: int = 64, temperature: float = 1.0, spent: Spent | None = None
) -> Iterator[Actor]:
    """Give an actor that samples from a policy, for a block in which no event loop runs.

    A policy whose engine lives in an event loop gets one that lasts as long as the block. What it costs is added to
    `spent`.
    """
    with asyncio.Runner() as runner:

        def act(info: Info, rng: Random) -> Any:
            asked = Sampling(
                max_tokens=max_tokens, temperature=temperature, stop_ids=chat.stop_ids, seed=rng.getrandbits(31)
            )
            prompt = chat.render(info["messages"], info["tools"])
            sample = runner.run(policy.generate(prompt, asked))
            if spent is not None:
                spent.asked += 1
                spent.prompt_tokens += len(prompt)
                spent.sampled_tokens += len(sample.output_ids)
            return chat.parse(sample.output_ids)

        yield act
