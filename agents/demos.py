"""Demonstrations: the oracle's episodes, token for token as the policy would have sampled them."""

from collections.abc import Callable

from palestra.agents.base import Chat
from palestra.agents.rows import rows_from_turns
from palestra.agents.trees import TrainRow
from palestra.envs.base import Task
from palestra.envs.env import AgentEnv
from palestra.rewards.base import Scored, Turn, VerifierError


def demonstration(env: AgentEnv, task: Task, chat: Chat, encode: Callable[[str], list[int]]) -> TrainRow:
    """Play the oracle on a task and return its episode as a training row, each said token weighted 1.

    Args:
        encode: text to token ids, without special tokens.

    Raises:
        VerifierError: the oracle did not solve the task, so the task is no demonstration of anything.
    """
    _, info = env.reset(seed=task.seed, options={"task": task})
    prompt = chat.render(info["messages"], info["tools"])
    turns: list[Turn] = []
    for action in env.oracle():
        said = (*encode(action), chat.end_id)
        seen = len(info["messages"])
        _, _, _, _, info = env.step(action)
        turns.append(Turn(prompt_ids=tuple(prompt), output_ids=said, logprobs=(0.0,) * len(said)))
        if info["outcome"] is not None:
            break
        prompt = [*prompt, *said, *chat.extend(said, info["messages"][seen + 1 :])]
    outcome = info["outcome"]
    if not (isinstance(outcome, Scored) and outcome.is_success):
        raise VerifierError(f"the oracle did not solve {task.id!r}; its outcome was {outcome!r}")
    (row,), _ = rows_from_turns(turns)
    return TrainRow(row=row, advantages=tuple(float(is_sampled) for is_sampled in row.mask))
