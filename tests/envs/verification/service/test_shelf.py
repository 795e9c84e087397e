"""Tasks are kept once each, within a bound, and never given up while somebody waits for them."""

from typing import Any

import pytest

from palestra.envs.base import Task
from palestra.envs.verification.service.refusal import Refusal
from palestra.envs.verification.service.shelf import Shelf


def data_of(seed: int) -> dict[str, Any]:
    return Task(id=f"word/{seed}", family="word", seed=seed, instruction="Say it backwards.").to_dict()


SIZE = len(str(data_of(0)))


def test_equal_tasks_are_kept_once_under_their_digest() -> None:
    shelf = Shelf(10 * SIZE)
    held = shelf.put(data_of(0))
    assert shelf.put(data_of(0)) is held
    assert held.digest == Task.from_dict(data_of(0)).digest
    assert (len(shelf), shelf.get(held.digest)) == (1, held)


def test_what_was_not_used_for_longest_makes_room() -> None:
    shelf = Shelf(int(2.5 * SIZE))
    first, second = shelf.put(data_of(0)), shelf.put(data_of(1))
    shelf.get(first.digest)
    shelf.put(data_of(2))
    assert len(shelf) == 2
    with pytest.raises(Refusal, match="no task has the digest") as refused:
        shelf.get(second.digest)
    assert refused.value.status == 404


def test_a_task_that_is_waited_for_stays() -> None:
    shelf = Shelf(int(1.5 * SIZE))
    held = shelf.put(data_of(0))
    held.uses = 1
    with pytest.raises(Refusal, match="no room") as refused:
        shelf.put(data_of(1))
    assert (refused.value.status, refused.value.retry_after_s) == (503, 5)
    held.uses = 0
    assert shelf.put(data_of(1)).id != held.id
    assert len(shelf) == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "must be a JSON object"),
        ([], "must be a JSON object"),
        ({}, "is missing"),
        ({**data_of(0), "hiden": {}}, "unknown task field 'hiden'"),
        ({**data_of(0), "seed": "0"}, "must be an integer"),
        ({**data_of(0), "public": {"x": float("nan")}}, "not a JSON value"),
    ],
)
def test_what_is_no_task_is_refused_with_the_reason(data: object, why: str) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        Shelf(SIZE).put(data)
    assert refused.value.status == 400


def test_a_task_that_is_nested_too_deeply_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(700):
        deep = [deep]
    with pytest.raises(Refusal, match=r"nested too deeply|recursion"):
        Shelf(SIZE).put({**data_of(0), "public": {"x": deep}})
