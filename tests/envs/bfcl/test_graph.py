"""Object graphs as JSON and back, and generators whose place is told by two numbers."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.bfcl.multiturn import graph
from palestra.envs.bfcl.multiturn.pinned import CountedRandom, PinnedDatetime


class Folder:
    """A thing that knows its parent and what it holds."""

    def __init__(self, name: str, parent: "Folder | None" = None) -> None:
        self.name, self.parent = name, parent
        self.contents: dict[Any, Any] = {}


def through(value: Any) -> Any:
    return graph.load(json.loads(json.dumps(graph.dump(value))), {"Folder": Folder})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
            | st.sets(st.integers(), max_size=3)
        ),
        max_leaves=12,
    )
)
def test_values_come_back_equal(value: Any) -> None:
    assert through(value) == value


def test_shared_parts_stay_shared_and_cycles_stay_cycles() -> None:
    root = Folder("root")
    child = Folder("child", root)
    root.contents = {"child": child, "again": child, 3: [root]}
    made = through({"root": root, "here": child})
    assert made["here"] is made["root"].contents["child"] is made["root"].contents["again"]
    assert made["here"].parent is made["root"] is made["root"].contents[3][0]
    assert graph.dump(made) == graph.dump({"root": root, "here": child})


def test_keys_that_look_like_marks_are_only_keys() -> None:
    value = {"same": 0, "class": "Folder", "of": {}, "dict": [{"set": [1]}], "float": "inf"}
    assert through(value) == value


def test_only_known_classes_are_made() -> None:
    with pytest.raises(KeyError, match="Popen"):
        graph.load({"class": "Popen", "of": {"args": "id"}}, {"Folder": Folder})
    with pytest.raises(TypeError, match="of no kind that a state can hold"):
        graph.dump({"x": 1j})


@given(st.integers(0, 10**6), st.lists(st.sampled_from(["randint", "uniform", "large", "choice"]), max_size=12))
def test_a_generator_draws_as_the_stdlibs_and_goes_on_where_it_was(start: int, draws: list[str]) -> None:
    def draw(source: random.Random, kind: str) -> object:
        if kind == "randint":
            return source.randint(10_000, 99_999)
        if kind == "large":
            return source.randint(100_000_000_000, 999_999_999_999)
        return source.uniform(-10.0, 40.0) if kind == "uniform" else source.choice("abc")

    ours, theirs = CountedRandom(start), random.Random(start)
    assert [draw(ours, kind) for kind in draws] == [draw(theirs, kind) for kind in draws]
    again = through([ours])[0]
    assert [draw(again, "uniform"), draw(again, "large")] == [draw(theirs, "uniform"), draw(theirs, "large")]


def test_the_clock_stands_still_in_utc() -> None:
    now = PinnedDatetime.now()
    assert now == PinnedDatetime.today() == PinnedDatetime(2024, 9, 1, 10, 30)
    assert now.timestamp() == 1_725_186_600
    assert PinnedDatetime.fromtimestamp(now.timestamp()) == now
    assert through([now]) == [now]
