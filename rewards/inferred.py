"""Values of steps inferred from a tree of attempts whose ends are known: how far each is on a way to a right end.

Source: ReST-MCTS*, arXiv:2406.03816; what becomes of wrong steps is read from its released code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from palestra.rewards.base import Trajectory
from palestra.rewards.forking import Node


@dataclass(frozen=True, slots=True)
class Inferred:
    """A step with its quality.

    Attributes:
        value: of all steps up to this one, in [0, 1]; 1 at a right end.
        reward: what the step added to it.
        to_go: steps to the nearest right end, this one counted, so 1 for the end itself. A step from which none is
            known has that of the last step before it from which one is. None where there is no right end at all.
        is_right: whether a right end is known from here.
        children: what followed.
    """

    value: float
    reward: float
    to_go: int | None
    is_right: bool
    children: tuple["Inferred", ...]


def inferred(steps: Sequence[Node], is_right: Callable[[Node], bool]) -> tuple[Inferred, ...]:
    """Return the steps of a tree with their qualities.

    ``v = max(0, v_before + r * (1 - v_before) / m)``, where ``m`` is `to_go` and ``r`` is 1 for a step from which a
    right end is known and -1 for any other; before the first step ``v`` is 0.

    Args:
        steps: the first ones, as `palestra.rewards.forking.tree` gives them.
        is_right: whether a step without children is a right end.
    """
    distances = [_distance(step, is_right) for step in steps]
    known = [distance for distance in distances if distance is not None]
    before = min(known) + 1 if known else None
    return tuple(_inferred(step, is_right, 0.0, before) for step in steps)


def _distance(step: Node, is_right: Callable[[Node], bool]) -> int | None:
    if not step.children:
        return 1 if is_right(step) else None
    known = [one for child in step.children if (one := _distance(child, is_right)) is not None]
    return min(known) + 1 if known else None


def _inferred(step: Node, is_right: Callable[[Node], bool], before: float, fallback: int | None) -> Inferred:
    own = _distance(step, is_right)
    to_go = fallback if own is None else own
    gained = 0.0 if to_go is None else (1.0 - before) / to_go * (-1.0 if own is None else 1.0)
    value = max(0.0, before + gained)
    children = tuple(_inferred(child, is_right, value, to_go) for child in step.children)
    return Inferred(value, value - before, to_go, own is not None, children)


class InferredReward:
    """A `StepReward` of what each turn adds to the inferred quality, from attempts that begin alike.

    Sibling trajectories that said the same tokens so far are one branch of a tree, such as those that were forked from
    each other; an end is right where the episode is a success. Attempts that share nothing are paid as well: 1 / T for
    each of the T turns of a success, and 0 for others.
    """

    def score(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return one reward a turn."""
        groups: dict[tuple[str, str], list[int]] = {}
        for place, one in enumerate(trajectories):
            groups.setdefault((one.env_id, one.group), []).append(place)
        scores: list[list[float]] = [[] for _ in trajectories]
        for places in groups.values():
            some = [(trajectories[at], scores[at]) for at in places]
            _spread(inferred(_grown(some, 0), lambda end: end.reward > 0.0), some, 0)
        for one, row in zip(trajectories, scores, strict=True):
            row += [0.0] * (len(one.turns) - len(row))  # after a success by the same turns
        return scores


Scores = tuple[Trajectory, list[float]]


def _branches(some: Sequence[Scores], depth: int) -> list[list[Scores]]:
    """Return, in order of appearance, who took the same turn at a depth."""
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], list[Scores]] = {}
    for one, row in some:
        if len(one.turns) > depth:
            turn = one.turns[depth]
            found.setdefault((turn.prompt_ids, turn.output_ids), []).append((one, row))
    return list(found.values())


def _grown(some: Sequence[Scores], depth: int) -> tuple[Node, ...]:
    nodes = []
    for members in _branches(some, depth):
        is_success = any(one.outcome.is_success and len(one.turns) == depth + 1 for one, _ in members)
        children = () if is_success else _grown(members, depth + 1)
        nodes.append(Node(float(is_success), float(is_success), 0.0, children))
    return tuple(nodes)


def _spread(steps: Sequence[Inferred], some: Sequence[Scores], depth: int) -> None:
    for step, members in zip(steps, _branches(some, depth), strict=True):
        for _, row in members:
            row.append(step.reward)
        if step.children:
            _spread(step.children, members, depth + 1)
