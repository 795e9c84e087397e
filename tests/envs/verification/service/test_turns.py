"""Clients are served in turn, and the queue keeps count."""

import asyncio
import itertools

from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.verification.service.turns import Turns


def drained(turns: Turns[str]) -> list[str]:
    async def take() -> list[str]:
        return [await turns.get() for _ in range(len(turns))]

    return asyncio.run(take())


def test_a_client_with_much_does_not_hold_up_one_with_little() -> None:
    turns: Turns[str] = Turns()
    for number in range(5):
        turns.put("much", f"m{number}")
    turns.put("little", "l0")
    turns.put("other", "o0")
    assert drained(turns) == ["m0", "l0", "o0", "m1", "m2", "m3", "m4"]


def test_who_has_just_been_served_is_last_in_turn() -> None:
    turns: Turns[str] = Turns()

    async def play() -> list[str]:
        turns.put("a", "a0")
        turns.put("a", "a1")
        first = await turns.get()
        turns.put("b", "b0")
        turns.put("a", "a2")
        return [first, *[await turns.get() for _ in range(3)]]

    assert asyncio.run(play()) == ["a0", "a1", "b0", "a2"]


def test_what_is_taken_back_is_not_served() -> None:
    turns: Turns[str] = Turns()
    turns.put("a", "a0")
    turns.put("a", "a1")
    turns.put("b", "b0")
    assert turns.remove("a", "a0")
    assert not turns.remove("a", "a0")
    assert turns.remove("b", "b0")
    assert (len(turns), turns.clients, turns.waiting("a"), turns.waiting("b")) == (1, 1, 1, 0)
    assert drained(turns) == ["a1"]


def test_get_waits_for_what_comes() -> None:
    async def play() -> str:
        turns: Turns[str] = Turns()
        waiting = asyncio.create_task(turns.get())
        await asyncio.sleep(0)
        assert not waiting.done()
        turns.put("a", "a0")
        return await waiting

    assert asyncio.run(play()) == "a0"


@given(st.lists(st.sampled_from("abcd"), max_size=60))
def test_nothing_is_lost_each_client_keeps_its_order_and_nobody_is_passed_over(clients: list[str]) -> None:
    turns: Turns[str] = Turns()
    items = [f"{client}{number}" for number, client in enumerate(clients)]
    for item in items:
        turns.put(item[0], item)
    served = drained(turns)
    assert sorted(served) == sorted(items)
    for client in "abcd":
        assert [s for s in served if s[0] == client] == [i for i in items if i[0] == client]
    for client in "abcd":  # between two turns of one client, each of the others has one at most
        places = [place for place, item in enumerate(served) if item[0] == client]
        for one, next_one in itertools.pairwise(places):
            between = [item[0] for item in served[one + 1 : next_one]]
            assert len(set(between)) == len(between)
