"""The algorithm on one page: group-based policy optimisation with turn-level credit, and no options.

The trainer beside it adds batching, sharing, low-rank adapters, checkpoints and logs. It is tested
against this page: given the same episodes, both make the same step.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from palestra.rewards.base import Trajectory


def policy_loss(model: torch.nn.Module, groups: Sequence[Sequence[Trajectory]]) -> Tensor:
    """Return the loss whose gradient step is one step of the algorithm.

    For turn k of episode i the advantage is the reward still to come, less its mean over the siblings
    that also reached turn k. Each token that was sampled in that turn is pushed by it, clipped where the
    weights have moved away from those that sampled; tokens weigh equally over the whole batch.
    """
    loss, count = torch.zeros(()), 0
    for group in groups:
        to_come = [[sum(turn.reward for turn in one.turns[k:]) for k in range(len(one.turns))] for one in group]
        for i, episode in enumerate(group):
            for k, turn in enumerate(episode.turns):
                siblings = [to_come[j][k] for j in range(len(group)) if j != i and len(to_come[j]) > k]
                baseline = sum(siblings) / len(siblings) if siblings else 0.0
                advantage = to_come[i][k] - baseline if len(group) > 1 else 0.0
                ids = torch.tensor([[*turn.prompt_ids, *turn.output_ids]])
                start, size = len(turn.prompt_ids), len(turn.output_ids)
                logits = model(ids).logits[0, start - 1 : start - 1 + size]
                logp = torch.log_softmax(logits, -1).gather(1, ids[0, start:, None])[:, 0]
                ratio = (logp - torch.tensor(turn.logprobs)).exp()
                clipped = ratio.clamp(1 - 0.2, 1 + 0.28)
                loss = loss - torch.minimum(ratio * advantage, clipped * advantage).sum()
                count += size
    return loss / count
