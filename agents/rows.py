"""From an episode's turns to training rows, without ever encoding text again.

Each turn came with the exact prompt it was sampled after. While the next prompt begins with what was
said so far, the row grows (CLEAN). Where the prompt repeats it with a few of its last tokens changed
- some engine encoded its own words again - the row follows the prompt, and the overwritten tokens are
not trained on (REALIGN). Where history was rewritten, a new row begins (FORK).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from palestra.agents.base import Row
from palestra.rewards.base import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStats:
    """How turns became rows. ``trained + overwritten`` is the number of tokens sampled."""

    clean: int = 0
    realign: int = 0
    fork: int = 0
    trained: int = 0
    overwritten: int = 0


def rows_from_turns(turns: Sequence[Turn], *, realign_limit: int = 8) -> tuple[list[Row], RowStats]:
    """Return the rows of one episode and how they came about.

    Args:
        turns: with their prompts, in order.
        realign_limit: the most sampled tokens that a changed prompt may overwrite; more is a fork.
    """
    rows: list[Row] = []
    kinds = {"clean": 0, "realign": 0, "fork": 0}
    overwritten = 0
    building = _Builder()
    for index, turn in enumerate(turns):
        shared = building.shared_prefix(turn.prompt_ids)
        lost = sum(building.mask[shared:])
        if index == 0 or shared == len(building.ids):
            kinds["clean"] += index > 0
        elif lost <= realign_limit and any(building.mask[:shared]):
            kinds["realign"] += 1
            overwritten += lost
            building.cut(shared)
        else:
            kinds["fork"] += 1
            rows.append(building.row())
            building, shared = _Builder(), 0
        building.context(turn.prompt_ids[shared:])
        building.sampled(turn, index)
    if turns:
        rows.append(building.row())
    trained = sum(sum(row.mask) for row in rows)
    return rows, RowStats(**kinds, trained=trained, overwritten=overwritten)


class _Builder:
    def __init__(self) -> None:
        self.ids: list[int] = []
        self.mask: list[bool] = []
        self.logprobs: list[float] = []
        self.turns: list[int] = []

    def shared_prefix(self, prompt: Sequence[int]) -> int:
        """Return how many leading tokens the row so far and a prompt have in common."""
        length = min(len(self.ids), len(prompt))
        for position in range(length):
            if self.ids[position] != prompt[position]:
                return position
        return length

    def cut(self, length: int) -> None:
        for column in (self.ids, self.mask, self.logprobs, self.turns):
            del column[length:]

    def context(self, ids: Sequence[int]) -> None:
        self.ids += ids
        self.mask += [False] * len(ids)
        self.logprobs += [0.0] * len(ids)
        self.turns += [-1] * len(ids)

    def sampled(self, turn: Turn, index: int) -> None:
        self.ids += turn.output_ids
        self.mask += [True] * len(turn.output_ids)
        self.logprobs += turn.logprobs
        self.turns += [index] * len(turn.output_ids)

    def row(self) -> Row:
        return Row(ids=tuple(self.ids), mask=tuple(self.mask), logprobs=tuple(self.logprobs), turns=tuple(self.turns))
