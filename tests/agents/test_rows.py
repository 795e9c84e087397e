"""Turns become rows without a sampled token lost, doubled or encoded again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.agents.base import Row
from palestra.agents.rows import rows_from_turns
from palestra.rewards.base import RecordError, Turn

IDS = st.lists(st.integers(0, 4), min_size=1, max_size=6).map(tuple)


def turn(prompt: tuple[int, ...], output: tuple[int, ...]) -> Turn:
    return Turn(prompt_ids=prompt, output_ids=output, logprobs=tuple(-0.1 * i for i in range(len(output))))


def test_prompts_that_extend_what_was_said_make_one_row() -> None:
    rows, stats = rows_from_turns([turn((1, 2), (3, 4)), turn((1, 2, 3, 4, 9), (5,))])
    assert [row.ids for row in rows] == [(1, 2, 3, 4, 9, 5)]
    assert rows[0].mask == (False, False, True, True, False, True)
    assert rows[0].turns == (-1, -1, 0, 0, -1, 1)
    assert (stats.clean, stats.realign, stats.fork, stats.trained, stats.overwritten) == (1, 0, 0, 3, 0)


def test_a_few_changed_tokens_realign_and_are_counted() -> None:
    rows, stats = rows_from_turns([turn((1, 2), (3, 4, 5)), turn((1, 2, 3, 7, 9), (6,))], realign_limit=2)
    assert [row.ids for row in rows] == [(1, 2, 3, 7, 9, 6)]
    assert rows[0].mask == (False, False, True, False, False, True)
    assert (stats.realign, stats.trained, stats.overwritten) == (1, 2, 2)


@pytest.mark.parametrize("prompt", [(8, 2, 3, 4, 5, 9), (1, 2, 7), (8,)])
def test_a_rewritten_history_forks_and_loses_nothing(prompt: tuple[int, ...]) -> None:
    rows, stats = rows_from_turns([turn((1, 2), (3, 4, 5)), turn(prompt, (6,))], realign_limit=2)
    assert [row.ids for row in rows] == [(1, 2, 3, 4, 5), (*prompt, 6)]
    assert (stats.fork, stats.trained, stats.overwritten) == (1, 4, 0)


def test_no_turns_make_no_rows() -> None:
    assert rows_from_turns([])[0] == []


@st.composite
def drifting_turns(draw: st.DrawFn) -> list[Turn]:
    """Episodes whose prompts sometimes repeat what was said with changes, as re-encoding engines do."""
    turns: list[Turn] = []
    said: tuple[int, ...] = ()
    for _ in range(draw(st.integers(1, 5))):
        keep = draw(st.integers(0, len(said))) if draw(st.booleans()) else len(said)
        prompt = said[:keep] + draw(IDS)
        output = draw(IDS)
        turns.append(turn(prompt, output))
        said = prompt + output
    return turns


@given(drifting_turns(), st.integers(0, 6))
def test_every_sampled_token_is_trained_at_most_once_and_in_its_own_context(turns: list[Turn], limit: int) -> None:
    rows, stats = rows_from_turns(turns, realign_limit=limit)
    assert stats.trained + stats.overwritten == sum(len(one.output_ids) for one in turns)
    seen: dict[int, int] = {}
    for row in rows:
        assert len(row.ids) == len(row.mask) == len(row.logprobs) == len(row.turns)
        for position, (is_sampled, index) in enumerate(zip(row.mask, row.turns, strict=True)):
            assert is_sampled == (index >= 0)
            if is_sampled:
                offset = position - len(turns[index].prompt_ids)
                assert row.ids[:position] == (turns[index].prompt_ids + turns[index].output_ids)[:position]
                assert row.ids[position] == turns[index].output_ids[offset]
                assert row.logprobs[position] == turns[index].logprobs[offset]
                seen[index * 100 + offset] = seen.get(index * 100 + offset, 0) + 1
    assert all(count == 1 for count in seen.values())


@given(drifting_turns())
def test_without_drift_there_is_one_row_and_with_it_nothing_is_overwritten_at_limit_0(turns: list[Turn]) -> None:
    _, stats = rows_from_turns(turns, realign_limit=0)
    assert stats.overwritten == 0


def test_a_row_of_unequal_lengths_is_refused() -> None:
    with pytest.raises(RecordError, match="lengths 2, 1, 2 and 2"):
        Row(ids=(1, 2), mask=(True,), logprobs=(0.0, 0.0), turns=(0, 0))
