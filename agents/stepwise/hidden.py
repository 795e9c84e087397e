"""What a frozen model makes of the tokens that it has seen: the last hidden state at the end of each turn or text."""

from collections.abc import Sequence

import torch
from torch import Tensor

from palestra.agents.model import Learner
from palestra.agents.stepwise.adapters import base_only
from palestra.rewards.base import Trajectory


@torch.no_grad()
def last_states(learner: Learner, sequences: Sequence[Sequence[int]], *, limit: int = 4096) -> Tensor:
    """Return (sequences, width), float32 on the CPU: the base model's last hidden state at each one's last token.

    The policy's adapter, if there is one, is left out: what is learnt on top of it would be of a model that moves.

    Args:
        learner: holds the model.
        sequences: of token ids, each of one or more.
        limit: only a sequence's last tokens, at most this many, are seen.
    """
    decoder, found = learner.model.get_decoder(), []
    with base_only(learner):
        for ids in sequences:
            if not ids:
                raise ValueError("a sequence has at least one token, of which to take the state")
            out = decoder(input_ids=torch.tensor([list(ids[-limit:])], device=learner.device), use_cache=False)
            found.append(out.last_hidden_state[0, -1].float().cpu())
    width = int(learner.model.config.get_text_config().hidden_size)
    return torch.stack(found) if found else torch.zeros(0, width)


def turn_states(learner: Learner, trajectories: Sequence[Trajectory], *, limit: int = 4096) -> list[Tensor]:
    """Return, of each trajectory, (turns, width): the state at the last token that each turn said."""
    ends = [[(*turn.prompt_ids, *turn.output_ids) for turn in one.turns] for one in trajectories]
    states = last_states(learner, [ids for some in ends for ids in some], limit=limit)
    return list(states.split([len(some) for some in ends]))
