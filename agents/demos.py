"""Demonstrations: episodes that succeed, the oracle's by default, token for token as the policy would have sampled."""

from collections.abc import Callable, Iterable

from palestra.agents.base import Chat
from palestra.agents.rows import rows_from_turns
from palestra.agents.trees import TrainRow
from palestra.envs.base import Task
from palestra.envs.env import AgentEnv
from palestra.rewards.base import Scored, Turn, VerifierError


def demonstration(
    env: AgentEnv,
    task: Task,
    chat: Chat,
    encode: Callable[[str], list[int]],
    actions: Iterable[str] | None = None,
) -> TrainRow:
    """Play a solution of a task and return its episode as a training row, each said token weighted 1.

    Args:
        encode: text to token ids, without special tokens.
        actions: what is done, such as a collected demonstration's; the oracle's by default.

    Raises:
        VerifierError: the task was not solved, so this is no demonstration of anything.
    """
    _, info = env.reset(seed=task.seed, options={"task": task})
    prompt = chat.render(info["messages"], info["tools"])
    turns: list[Turn] = []
    for action in env.oracle() if actions is None else actions:
        said = (*encode(action), chat.end_id)
        seen = len(info["messages"])
        _, _, _, _, info = env.step(action)
        turns.append(Turn(prompt_ids=tuple(prompt), output_ids=said, logprobs=(0.0,) * len(said)))
        if info["outcome"] is not None:
            break
        prompt = [*prompt, *said, *chat.extend(said, info["messages"][seen + 1 :])]
    outcome = info["outcome"]
    if not (isinstance(outcome, Scored) and outcome.is_success):
        raise VerifierError(f"{task.id!r} was not solved; its outcome was {outcome!r}")
    (row,), _ = rows_from_turns(turns)
    return TrainRow(row=row, advantages=tuple(float(is_sampled) for is_sampled in row.mask))
