"""The algorithm on one page: rollout, credit, loss, update, and no options.

The trainer adds batching, sharing, low-rank adapters, checkpoints and logs. It is tested against this page: in the
same environments with the same seeds, both sample the same episodes and make the same updates.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from palestra.agents.base import Chat, Sampling
from palestra.agents.rollout import Episode
from palestra.envs.env import AgentEnv
from palestra.rewards.base import Trajectory, Turn


@torch.no_grad()
def sample(model: torch.nn.Module, prompt: Sequence[int], sampling: Sampling) -> tuple[list[int], list[float]]:
    """Return a reply to a prompt, token by token, and the log-probability of each.

    Each token is drawn by one number between 0 and 1, looked up in the cumulative probabilities.
    """
    ids, logprobs = list(prompt), list[float]()
    for draw in np.random.Generator(np.random.Philox(sampling.seed)).random(sampling.max_tokens):
        logp = torch.log_softmax(model(torch.tensor([ids])).logits[0, -1], -1)
        cumulative = logp.exp().cumsum(-1)
        ids.append(int(torch.searchsorted(cumulative, float(draw) * cumulative[-1], right=True)))
        logprobs.append(float(logp[ids[-1]]))
        if ids[-1] in sampling.stop_ids:
            break
    return ids[len(prompt) :], logprobs


def rollout(model: torch.nn.Module, env: AgentEnv, chat: Chat, episode: Episode, max_tokens: int) -> Trajectory:
    """Play an episode: the model says something, the environment answers and pays, until there is an outcome."""
    _, info = env.reset(seed=episode.task.seed, options={"task": episode.task})
    prompt, turns = chat.render(info["messages"], info["tools"]), list[Turn]()
    while info["outcome"] is None:
        seed = (episode.seed * 1_000_003 + len(turns)) % 2**63
        sampling = Sampling(max_tokens=max_tokens, temperature=1.0, stop_ids=chat.stop_ids, seed=seed)
        said, logprobs = sample(model, prompt, sampling)
        seen = len(info["messages"])
        _, reward, _, _, info = env.step(chat.parse(said))
        turns.append(
            Turn(prompt_ids=tuple(prompt), output_ids=tuple(said), logprobs=tuple(logprobs), reward=float(reward))
        )
        prompt = [*prompt, *said, *chat.extend(said, info["messages"][seen + 1 :])]
    return Trajectory(
        env_id="", task_id=episode.task.id, group=episode.group, turns=tuple(turns), outcome=info["outcome"]
    )


def credit(group: Sequence[Trajectory]) -> list[list[float]]:
    """Return one advantage a turn: the reward to come, less its mean over the siblings that reached that turn."""
    to_come = [[sum(turn.reward for turn in one.turns[k:]) for k in range(len(one.turns))] for one in group]
    advantages = []
    for i, mine in enumerate(to_come):
        siblings = [[row[k] for j, row in enumerate(to_come) if j != i and len(row) > k] for k in range(len(mine))]
        baselines = [sum(values) / len(values) if values else 0.0 for values in siblings]
        advantages.append([g - b if len(group) > 1 else 0.0 for g, b in zip(mine, baselines, strict=True)])
    return advantages


def policy_loss(model: torch.nn.Module, batch: Sequence[tuple[Trajectory, Sequence[float]]]) -> Tensor:
    """Return the loss of episodes with their advantages.

    Each sampled token is pushed by its turn's advantage, clipped where the weights have moved away from those that
    sampled; tokens weigh equally over the whole batch.
    """
    loss, count = torch.zeros(()), 0
    for episode, advantages in batch:
        for turn, advantage in zip(episode.turns, advantages, strict=True):
            ids = torch.tensor([[*turn.prompt_ids, *turn.output_ids]])
            start, size = len(turn.prompt_ids), len(turn.output_ids)
            logits = model(ids).logits[0, start - 1 : start - 1 + size]
            logp = torch.log_softmax(logits, -1).gather(1, ids[0, start:, None])[:, 0]
            ratio = (logp - torch.tensor(turn.logprobs)).exp()
            clipped = ratio.clamp(1 - 0.2, 1 + 0.28)
            loss = loss - torch.minimum(ratio * advantage, clipped * advantage).sum()
            count += size
    return loss / count


def step(model: torch.nn.Module, optimizer: torch.optim.Optimizer, groups: Sequence[Sequence[Trajectory]]) -> float:
    """Make one optimiser step on groups of siblings and return the loss before it."""
    loss = policy_loss(model, [pair for group in groups for pair in zip(group, credit(group), strict=True)])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())
