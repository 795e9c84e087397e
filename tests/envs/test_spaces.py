"""The text space: any Unicode, in every kind of vector environment."""

import copy
import json
import multiprocessing
import pickle
import unicodedata
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
from hypothesis import example, given
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


@given(st.lists(any_text, max_size=4))
@example(["\ud83d\ude42"])  # two halves, which a JSON reader would put together
@example(["\x00", "🙂", "a\udfff", ""])
def test_json_leaves_every_text_as_it_is(texts: list[str]) -> None:
    space = UnicodeText(50)
    for ascii_only in (True, False):
        written = json.dumps(space.to_jsonable(texts), ensure_ascii=ascii_only).encode()
        assert space.from_jsonable(json.loads(written)) == texts


@pytest.mark.parametrize("wrong", [3, None, ["a"], {}, {"base64": 3}, {"base64": "?"}, {"base64": "YQ==", "more": 1}])
def test_other_json_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"a text is a JSON string|base64"):
        UnicodeText().from_jsonable(["fine", wrong])


LONGEST = ["x" * 65_536, "🙂" * 65_536, "\x00" * 65_536, "\ud800" * 65_536]


@pytest.mark.parametrize("text", LONGEST, ids=["ascii", "emoji", "nul", "surrogates"])
def test_the_longest_texts_go_through_everything(text: str) -> None:
    space = UnicodeText()
    assert text in space
    assert text + "x" not in space
    assert space.from_jsonable(json.loads(json.dumps(space.to_jsonable([text])))) == [text]
    memory, view = shared(space, 2)
    write(space, 0, text, memory)
    write(space, 1, text[::-1], memory)
    assert copy.deepcopy(view) == (text, text[::-1])
    assert (text, "") in batch_space(space, 2)


def test_samples_reach_all_of_unicode_and_no_half_characters() -> None:
    space = UnicodeText(seed=1)
    chars = set("".join(space.sample() for _ in range(3000)))
    assert {unicodedata.category(char) for char in chars} >= {"Lu", "Ll", "Lo", "Nd", "So", "Zs", "Cc", "Cn", "Co"}
    assert max(map(ord, chars)) > 0x10_0000
    assert not [char for char in chars if 0xD800 <= ord(char) < 0xE000]


def test_a_pickled_space_goes_on_where_it_was() -> None:
    space = UnicodeText(20, seed=4)
    space.sample()
    twin = pickle.loads(pickle.dumps(space))
    assert [twin.sample() for _ in range(5)] == [space.sample() for _ in range(5)]
    assert space.seed(7) == 7
    twin.seed(7)
    assert twin.sample() == space.sample()
    batches: list[Any] = [batch_space(UnicodeText(20), 3) for _ in range(2)]
    for batch in batches:
        batch.seed(11)
    assert batches[0].sample() == batches[1].sample()
    assert len(set(batches[0].sample())) > 1


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
