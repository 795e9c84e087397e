"""Rows that begin alike as one tree: what they have in common is computed once.

Siblings share their prompt, and often more: the same call, the same reply, another answer. A tree holds
each distinct beginning once. Attention from a token to its ancestors, and positions by depth, make the
model compute for every row what it would compute for that row alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from palestra.agents.base import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRow:
    """A row and, for each of its tokens, the advantage it is trained with (0 where not sampled)."""

    row: Row
    advantages: tuple[float, ...]
    episode_tokens: int = 0  # sampled tokens of the whole episode; 0: the row is all of it
    old: tuple[float, ...] = ()  # of the sampled tokens, log-probabilities by the learner before its updates
    ref: tuple[float, ...] = ()  # the same, under the weights to stay near
    teacher: tuple[float, ...] = ()  # the same, under a teacher that was told more; NaN where there is none

    @property
    def prompt(self) -> tuple[int, ...]:
        """The tokens before the first sampled one."""
        return self.row.ids[: self.row.mask.index(True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Rows as a tree of tokens: every node comes after its parent, and a row is a path from the root."""

    rows: tuple[TrainRow, ...]
    tokens: tuple[int, ...]
    parents: tuple[int, ...]  # -1 for a root
    depths: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...]  # of each row, a node for each token

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def is_chain(self) -> bool:
        """Whether no two rows part."""
        return len(self) == max(map(len, self.paths))

    def ancestors(self) -> NDArray[np.bool_]:
        """Return (nodes, nodes): whether the second is an ancestor of the first, or itself."""
        seen = np.eye(len(self), dtype=np.bool_)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                seen[node] |= seen[parent]
        return seen


def grow(rows: Sequence[TrainRow]) -> Tree:
    """Return the tree of the rows; equal rows are one path."""
    children: dict[tuple[int, int], int] = {}
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    paths = []
    for one in rows:
        node, path = -1, []
        for depth, token in enumerate(one.row.ids):
            parent, node = node, children.setdefault((node, token), len(tokens))
            if node == len(tokens):
                tokens.append(token)
                parents.append(parent)
                depths.append(depth)
            path.append(node)
        paths.append(tuple(path))
    return Tree(
        rows=tuple(rows), tokens=tuple(tokens), parents=tuple(parents), depths=tuple(depths), paths=tuple(paths)
    )
