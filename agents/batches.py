"""Micro-batches: trees of rows that go through the model together, within a budget of tokens.

Rows with one prompt are a tree. Trees that begin alike, with the same system message and tools, are put
side by side, and what a whole micro-batch begins with is computed once for all of its trees.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from palestra.agents.trees import TrainRow, Tree, grow

WORTH = 1.1  # times its own tokens is what a tree may add to a batch


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """Trees that go through the model together."""

    trees: tuple[Tree, ...]
    shared: int  # leading tokens, the same in every tree and none of them the last of a prompt

    @property
    def rows(self) -> tuple[TrainRow, ...]:
        """The rows of all trees, in order."""
        return tuple(one for tree in self.trees for one in tree.rows)

    @property
    def width(self) -> int:
        """Nodes of the largest tree after the shared beginning."""
        return max(map(len, self.trees)) - self.shared

    @property
    def tokens(self) -> int:
        """Tokens computed, padding included."""
        return self.shared + len(self.trees) * self.width


def micro_batches(rows: Sequence[TrainRow], *, token_budget: int, share: bool = True) -> list[MicroBatch]:
    """Return the rows in micro-batches of at most `token_budget` tokens, the largest first.

    The largest comes first so that a budget too large for the memory fails in the first second. A row
    that is longer than the budget is alone in its batch. A tree that would cost its neighbours much, by
    sharing less with them or by being larger, begins a new one.

    Args:
        rows: in any order.
        token_budget: tokens computed in a batch, padding included.
        share: compute what rows have in common once; without it every row stands alone.
    """
    batches: list[MicroBatch] = []
    current: list[Tree] = []
    for tree in _trees(rows, token_budget, share):
        grown = _batch([*current, tree], share)
        if current:
            before = _batch(current, share)
            if grown.tokens > min(token_budget, before.tokens + WORTH * len(tree)):
                batches.append(before)
                current = []
        current.append(tree)
    if current:
        batches.append(_batch(current, share))
    return sorted(batches, key=lambda batch: -batch.tokens)


def _trees(rows: Sequence[TrainRow], token_budget: int, share: bool) -> Iterator[Tree]:
    """Yield trees of rows with one prompt, each of at most `token_budget` tokens unless a row is longer."""
    if not share:
        yield from (grow([one]) for one in sorted(rows, key=lambda one: len(one.row.ids)))
        return
    ordered = sorted(rows, key=lambda one: (one.prompt, one.row.ids))
    for _, siblings in itertools.groupby(ordered, key=lambda one: one.prompt):
        members: list[TrainRow] = []
        for one in siblings:
            if members and len(grow([*members, one])) > token_budget:
                yield grow(members)
                members = []
            members.append(one)
        yield grow(members)


def _batch(trees: Sequence[Tree], share: bool) -> MicroBatch:
    # Trees are sorted by prompt, so what the first and the last share, all share. The last token of a
    # prompt stays outside, because its hidden state predicts a sampled token.
    prompts = [tree.rows[0].prompt for tree in trees] if share else [()]
    limit = min(map(len, prompts)) - 1
    shared = 0
    while shared < limit and prompts[0][shared] == prompts[-1][shared]:
        shared += 1
    return MicroBatch(trees=tuple(trees), shared=shared)
