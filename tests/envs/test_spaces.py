"""The text space: any Unicode, in every kind of vector environment."""

import copy
import json
import multiprocessing
import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector.utils import (
    batch_space,
    concatenate,
    create_empty_array,
    create_shared_memory,
    iterate,
    read_from_shared_memory,
    write_to_shared_memory,
)
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.spaces import UnicodeText

write: Any = write_to_shared_memory  # typed for arrays alone


def shared(space: gymnasium.Space[Any], n: int) -> tuple[Any, Any]:
    """Return new shared memory for texts, and what a vector environment sees of it."""
    context: Any = multiprocessing.get_context()
    memory = create_shared_memory(space, n, context)
    return memory, read_from_shared_memory(space, memory, n)


any_text = st.text(st.characters(exclude_categories=[]), max_size=50)


@given(any_text)
def test_any_text_is_contained_up_to_the_length(text: str) -> None:
    assert text in UnicodeText(50)
    assert (text in UnicodeText(3)) is (len(text) <= 3)


@pytest.mark.parametrize("other", [None, 3, b"x", ["x"], ("x",), np.array(["x"])])
def test_nothing_else_is_contained(other: object) -> None:
    assert other not in UnicodeText()


def test_samples_are_seeded_contained_and_varied() -> None:
    one, other = UnicodeText(seed=3), UnicodeText(seed=3)
    samples = [one.sample() for _ in range(200)]
    assert samples == [other.sample() for _ in range(200)]
    assert all(sample in one for sample in samples)
    assert "" in [UnicodeText(2, seed=0).sample() for _ in range(20)] or "" in samples
    assert any(ord(max(sample)) > 0xFFFF for sample in samples if sample)
    assert UnicodeText(1, seed=0).sample() in UnicodeText(1)


def test_spaces_compare_copy_pickle_and_write_json() -> None:
    space = UnicodeText(10)
    assert space == UnicodeText(10)
    assert space != UnicodeText(11)
    assert space != gymnasium.spaces.Text(10)
    assert pickle.loads(pickle.dumps(space)) == copy.deepcopy(space) == space
    assert repr(space) == "UnicodeText(10)"
    texts = ["é🙂", ""]
    assert space.from_jsonable(json.loads(json.dumps(space.to_jsonable(texts)))) == texts


@pytest.mark.parametrize("length", [0, -1])
def test_a_space_holds_at_least_one_character(length: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        UnicodeText(length)


@given(st.lists(any_text, min_size=1, max_size=4))
def test_batches_are_tuples_of_whole_texts(texts: list[str]) -> None:
    batch = batch_space(UnicodeText(50), len(texts))
    assert tuple(texts) in batch
    assert list(iterate(batch, tuple(texts))) == texts
    empty = create_empty_array(UnicodeText(50), len(texts))
    assert empty == ("",) * len(texts)
    assert concatenate(UnicodeText(50), texts, empty) == tuple(texts)


@given(st.lists(any_text, min_size=1, max_size=4))
def test_shared_memory_is_read_live_and_copied_as_a_tuple(texts: list[str]) -> None:
    space, n = UnicodeText(50), len(texts)
    memory, view = shared(space, n)
    assert copy.deepcopy(view) == ("",) * n
    for index, text in enumerate(texts):
        write(space, index, text, memory)
    kept = copy.deepcopy(view)
    assert kept == tuple(texts) == view[:]
    assert (len(view), view[-1]) == (n, texts[-1])
    write(space, 0, "new", memory)
    assert (view[0], kept) == ("new", tuple(texts))
    with pytest.raises(IndexError):
        view[n]


def test_a_text_that_does_not_fit_is_not_written_over_its_neighbour() -> None:
    space = UnicodeText(4)
    memory, view = shared(space, 2)
    write(space, 1, "🙂🙂🙂🙂", memory)
    with pytest.raises(ValueError, match="5 characters does not fit"):
        write(space, 0, "x" * 5, memory)
    assert tuple(view) == ("", "🙂🙂🙂🙂")


def test_texts_nest_in_other_spaces() -> None:
    space = gymnasium.spaces.Dict({"text": UnicodeText(20), "n": gymnasium.spaces.Discrete(3)})
    batch: Any = batch_space(space, 2)
    assert set(batch.sample()) == {"text", "n"}
    memory, view = shared(space, 2)
    write(space, 1, {"text": "hé", "n": 2}, memory)
    kept = copy.deepcopy(view)
    assert kept["text"] == ("", "hé")
    assert list(kept["n"]) == [0, 2]
