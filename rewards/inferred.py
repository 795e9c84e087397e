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
    value, to_go = _quality(before, own, fallback)
    children = tuple(_inferred(child, is_right, value, to_go) for child in step.children)
    return Inferred(value, value - before, to_go, own is not None, children)


def _quality(before: float, own: int | None, fallback: int | None) -> tuple[float, int | None]:
    """Return a step's value and `to_go`, from the value before it and what is known of right ends."""
    to_go = fallback if own is None else own
    if to_go is None:
        return 0.0, None
    return max(0.0, before + (1.0 - before) / to_go * (-1.0 if own is None else 1.0)), to_go


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
            for place, row in zip(places, _gains([trajectories[at] for at in places]), strict=True):
                scores[place] = row
        return scores


def _gains(some: Sequence[Trajectory]) -> list[list[float]]:
    """Return what each turn adds, for siblings as one tree whose nodes are numbered after their parents."""
    nodes: dict[tuple[int, tuple[int, ...], tuple[int, ...]], int] = {}
    parents, paths = list[int](), list[list[int]]()
    for one in some:
        path = [-1]
        for turn in one.turns:
            node = nodes.setdefault((path[-1], turn.prompt_ids, turn.output_ids), len(parents))
            if node == len(parents):
                parents.append(path[-1])
            path.append(node)
        paths.append(path)
    known: dict[int, int] = {path[-1]: 1 for one, path in zip(some, paths, strict=True) if one.outcome.is_success}
    for node in reversed(range(len(parents))):
        if node in known:
            known[parents[node]] = min(known[node] + 1, known.get(parents[node], known[node] + 1))
    found: dict[int, tuple[float, int | None]] = {-1: (0.0, known.get(-1))}
    for node, parent in enumerate(parents):
        before, fallback = found[parent]
        found[node] = _quality(before, known.get(node), fallback)
    return [[found[node][0] - found[parents[node]][0] for node in path[1:]] for path in paths]
