"""Evaluation: how often a policy solves tasks, with intervals, by template."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from palestra.agents.rollout import Episode, RolloutResult, is_success
from palestra.agents.statistics import Interval, mean_interval, wilson
from palestra.rewards.attempts import pass_at_k
from palestra.sandbox.base import InfraError


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What came of n episodes. `successes` holds one mean per task, in the tasks' order."""

    n: int
    success_rate: float
    interval: Interval  # of the success rate, 95 %
    mean_reward: float
    reward_interval: Interval
    pass_at: dict[str, float]  # k, as text -> estimate, over tasks
    by_template: dict[str, float]
    successes: list[float]
    mean_turns: float
    tokens: int
    faults: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as plain JSON data."""
        return asdict(self)


def summarise(result: RolloutResult, episodes: Sequence[Episode]) -> Evaluation:
    """Return the evaluation of a rollout. Faults are counted and belong to no rate.

    Raises:
        InfraError: no episode was played to its end.
    """
    played = result.trajectories
    if not played:
        reason = result.faults[0].message if result.faults else "there were no episodes"
        raise InfraError(f"nothing to evaluate: {reason}")
    tries: dict[str, list[float]] = defaultdict(list)
    rewards = [one.reward for one in played]
    for one in played:
        tries[one.group].append(float(is_success(one)))
    template_of = {episode.group: str(episode.task.provenance.get("template", "")) for episode in episodes}
    templates: dict[str, list[float]] = defaultdict(list)
    for group, outcomes in tries.items():
        templates[template_of[group]] += outcomes
    wins = int(sum(sum(outcomes) for outcomes in tries.values()))
    least = min(len(outcomes) for outcomes in tries.values())
    ks = [k for k in (1, 2, 4, 8, 16, 32) if k <= least]
    means = {group: sum(outcomes) / len(outcomes) for group, outcomes in tries.items()}
    return Evaluation(
        n=len(played),
        success_rate=wins / len(played),
        interval=wilson(wins, len(played)) if least == 1 else mean_interval(list(means.values())),
        mean_reward=sum(rewards) / len(rewards),
        reward_interval=mean_interval(rewards),
        pass_at={str(k): sum(pass_at_k(len(o), int(sum(o)), k) for o in tries.values()) / len(tries) for k in ks},
        by_template={name: sum(outcomes) / len(outcomes) for name, outcomes in sorted(templates.items())},
        successes=[means[group] for group in dict.fromkeys(e.group for e in episodes) if group in means],
        mean_turns=sum(len(one.turns) for one in played) / len(played),
        tokens=result.tokens,
        faults=len(result.faults),
        seconds=result.seconds,
    )
