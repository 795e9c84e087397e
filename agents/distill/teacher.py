"""The teacher: the student's own weights and tokens, after an opening that says more."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from palestra.agents.base import Chat
from palestra.agents.distill import texts
from palestra.agents.distill.texts import DistillKind
from palestra.agents.model import Learner
from palestra.agents.trees import TrainRow
from palestra.agents.update import UpdateSettings, score
from palestra.envs.base import Task
from palestra.envs.env import AgentEnv
from palestra.rewards.base import Trajectory


@dataclass(frozen=True, slots=True)
class Opening:
    """How a task begins, and what an expert would do; the plan is for teachers only."""

    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...]
    plan: tuple[str, ...] = ()


def opening_of(env: AgentEnv, task: Task, *, has_plan: bool = False) -> Opening:
    """Return a task's opening; with `has_plan` the oracle plays it, too."""
    _, info = env.reset(seed=task.seed, options={"task": task})
    messages, tools = tuple(info["messages"]), tuple(info["tools"])
    plan: list[str] = []
    if has_plan:
        for action in env.oracle():
            plan.append(str(action))
            _, _, _, _, info = env.step(action)
            if info["outcome"] is not None:
                break
    return Opening(messages, tools, tuple(plan))


def teacher_row(row: TrainRow, opening: Opening, told: str, chat: Chat) -> TrainRow | None:
    """Return the row as the teacher reads it: `told` behind the opening's last message, then the same tokens.

    None if the row does not begin with the opening, as after a history that was rewritten, or nothing is told.
    """
    if not told:
        return None
    prompt = tuple(chat.render(opening.messages, opening.tools))
    if row.row.ids[: len(prompt)] != prompt:
        return None
    last = opening.messages[-1]
    content = f"{last.get('content') or ''}\n\n{told}"
    longer = tuple(chat.render([*opening.messages[:-1], {**last, "content": content}], opening.tools))
    start, added = len(prompt), len(longer)
    inner = replace(
        row.row,
        ids=longer + row.row.ids[start:],
        mask=(False,) * added + row.row.mask[start:],
        logprobs=(0.0,) * added + row.row.logprobs[start:],
        turns=(-1,) * added + row.row.turns[start:],
    )
    return replace(row, row=inner, advantages=(0.0,) * added + row.advantages[start:])


def taught(
    kind: DistillKind,
    learner: Learner,
    chat: Chat,
    played: Sequence[Trajectory],
    rows: Sequence[Sequence[TrainRow]],
    openings: Mapping[str, Opening],
    settings: UpdateSettings,
) -> tuple[list[list[TrainRow]], dict[str, float]]:
    """Return the rows with what the teacher thinks of their tokens, and what to log.

    The teacher has the learner's weights as they are now and no gradient. Only what it thinks is taken over: ids and
    masks of the rows are the student's. Rows without a teacher carry NaN, of which `reverse_kl` makes nothing.

    Args:
        played: the episodes, one for each list of `rows`.
        openings: by the episodes' groups.
    """
    groups: dict[str, list[Trajectory]] = {}
    for one in played:
        groups.setdefault(one.group, []).append(one)
    found: dict[tuple[int, int], TrainRow] = {}
    for place, (one, its_rows) in enumerate(zip(played, rows, strict=True)):
        opening = openings[one.group]
        told = _told(kind, one, groups[one.group], opening)
        for number, row in enumerate(its_rows):
            seen = teacher_row(row, opening, told, chat)
            if seen is not None:
                found[place, number] = seen
    scores = dict(zip(found, score(learner, list(found.values()), settings), strict=True)) if found else {}
    result, apart = [], list[float]()
    for place, its_rows in enumerate(rows):
        marked = []
        for number, row in enumerate(its_rows):
            own = [value for value, is_sampled in zip(row.row.logprobs, row.row.mask, strict=True) if is_sampled]
            teacher = scores.get((place, number), (math.nan,) * len(own))
            apart += [a - b for a, b in zip(own, teacher, strict=True) if not math.isnan(b)]
            marked.append(replace(row, teacher=teacher))
        result.append(marked)
    total = sum(map(len, rows))
    return result, {
        "taught": len(found) / total if total else 0.0,
        "teacher_kl": math.fsum(apart) / len(apart) if apart else 0.0,
    }


def _told(kind: DistillKind, one: Trajectory, group: Sequence[Trajectory], opening: Opening) -> str:
    if kind == "feedback":
        return texts.feedback(one, group)
    return texts.skill(group) if kind == "skill" else texts.privileged(opening.plan)
