"""Training rows grouped so that little is computed twice: by length budget and by shared beginnings.

Siblings share their first prompt, and tasks of one kind their system message. Rows that begin alike are
put side by side; what a whole micro-batch has in common is computed once for all of its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from palestra.agents.base import Row

WORTH = 1.5  # times its own tokens is what a row may add to a batch


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRow:
    """A row and, for each of its tokens, the advantage it is trained with (0 where not sampled)."""

    row: Row
    advantages: tuple[float, ...]
    count: int = 1  # how many equal rows this one stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """Rows that go through the model together."""

    rows: tuple[TrainRow, ...]
    shared: int  # leading tokens, the same in every row and none of them sampled

    @property
    def tokens(self) -> int:
        """Tokens computed, padding included."""
        return self.shared + len(self.rows) * (max(len(one.row.ids) for one in self.rows) - self.shared)


def merge_equal(rows: Sequence[TrainRow]) -> list[TrainRow]:
    """Return the rows with those that say the same for the same advantage merged into one that counts for all.

    A sure policy's siblings often say the same. Their log-probabilities at sampling time are those of
    equal tokens under equal weights; where rounding made them differ, the first's are kept.
    """
    merged: dict[tuple[object, ...], TrainRow] = {}
    for one in rows:
        key = (one.row.ids, one.row.turns, one.advantages)
        known = merged.get(key)
        merged[key] = one if known is None else replace(known, count=known.count + one.count)
    return list(merged.values())


def micro_batches(rows: Sequence[TrainRow], *, token_budget: int, share: bool = True) -> list[MicroBatch]:
    """Return the rows in micro-batches of at most `token_budget` tokens, the largest first.

    The largest comes first so that a budget too large for the memory fails in the first second. A row
    that is longer than the budget is alone in its batch. A row that would cost its neighbours much, by
    sharing less with them or by being longer, begins a new one.
    """
    batches: list[MicroBatch] = []
    current: list[TrainRow] = []
    for row in sorted(rows, key=lambda one: (one.row.ids, one.advantages)):
        grown = _batch([*current, row], share)
        if current:
            before = _batch(current, share)
            if grown.tokens > min(token_budget, before.tokens + WORTH * len(row.row.ids)):
                batches.append(before)
                current = []
        current.append(row)
    if current:
        batches.append(_batch(current, share))
    return sorted(batches, key=lambda batch: -batch.tokens)


def _batch(rows: Sequence[TrainRow], share: bool) -> MicroBatch:
    # Rows are sorted, so what the first and the last share, all share. The token before the first
    # sampled one stays outside, because its hidden state predicts a sampled token.
    first, last = rows[0].row.ids, rows[-1].row.ids
    limit = min(one.row.mask.index(True) - 1 for one in rows) if share else 0
    shared = 0
    while shared < limit and first[shared] == last[shared]:
        shared += 1
    return MicroBatch(rows=tuple(rows), shared=max(0, shared))
