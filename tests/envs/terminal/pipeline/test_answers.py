"""Whatever JSON a model answers, it is read or refused with a reason; and ideas that it is asked for."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.envs.base import canonical_json
from palestra.envs.reading import strict_json
from palestra.envs.terminal.pipeline.answers import Description, Exam, Layout, Refused
from palestra.envs.terminal.pipeline.pools import CATEGORIES, COMPLEXITIES, SCENARIOS, Place

LOG = "/workspace/a"
CHECK = {"kind": "file", "path": LOG, "equals": "x"}
RUNS = {"kind": "runs", "command": ["bash", LOG], "files": [LOG], "cases": [{"stdout": "1", "args": ["a"]}]}
STEP = {"what": "w", "checks": [CHECK, RUNS], "solve": "true", "wrong": {"not": "false"}}
GOOD: dict[str, tuple[Callable[[Mapping[str, Any]], Any], dict[str, Any]]] = {
    "description": (Description.read, {"title": "t", "task": "Do all of this. " * 9, "truth": "y"}),
    "layout": (
        Layout.read,
        {
            "files": {LOG: "x", "/workspace/b": {"base64": "eA==", "mode": "0755"}},
            "setup": "true",
            "services": [{"run": "true", "ready": "true"}],
            "initial": [CHECK],
        },
    ),
    "exam": (lambda told: Exam.read(told, "words"), {"steps": [STEP], "changes": [LOG]}),
}
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["/workspace/x", "file"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any) -> list[tuple[Any, ...]]:
    """Return the path to every value in a value, its own first."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *rest) for key, one in inner for rest in places(one))]


def put(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    if not place:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = put(value[place[0]], place[1:], other)
    return copy


@pytest.mark.parametrize("name", GOOD)
def test_good_answers_are_read(name: str) -> None:
    read, good = GOOD[name]
    assert read(good) is not None


def refusal(read: Callable[[Any], Any], told: Any) -> str:
    """Return why something is refused; "" if it is read."""
    try:
        read(told)
    except Refused as error:
        return str(error) or "for no reason"
    return ""


@pytest.mark.parametrize("name", GOOD)
@given(data=st.data())
@settings(max_examples=150)
def test_any_other_answer_is_read_or_refused(name: str, data: st.DataObject) -> None:
    read, good = GOOD[name]
    place = data.draw(st.sampled_from(places(good)[1:]))
    reason = refusal(read, put(good, place, data.draw(VALUES)))
    assert reason != "for no reason"
    assert len(reason) < 2000


@pytest.mark.parametrize("name", GOOD)
def test_what_is_nested_deep_is_refused(name: str) -> None:
    read, good = GOOD[name]
    deep = strict_json("[" * 900 + "]" * 900)
    reasons = [refusal(read, put(good, place, deep)) for place in places(good)[1:]]
    assert "for no reason" not in reasons
    assert sum(map(bool, reasons)) > len(reasons) / 2


def test_ideas_follow_from_their_numbers_and_splits_share_none() -> None:
    for split in ("train", "heldout"):
        ideas = [Place(number, split).idea for number in range(2 * len(CATEGORIES[split]))]
        assert [Place(number, split).idea for number in range(len(ideas))] == ideas
        first, second = ideas[: len(CATEGORIES[split])], ideas[len(CATEGORIES[split]) :]
        assert {one.category for one in first} == {one.category for one in second} == set(CATEGORIES[split])
        assert [one.category for one in first] != [one.category for one in second]
    for pool in (CATEGORIES, SCENARIOS):
        assert not set(pool["train"]) & set(pool["heldout"])
        assert all(len(set(words)) == len(words) for words in pool.values())
    assert len(CATEGORIES["train"]) * len(COMPLEXITIES) * len(SCENARIOS["train"]) > 9000
    told = Place(7, "train").idea
    assert json.loads(canonical_json(told.to_json())).keys() == {"category", "complexity", "scenario"}
    assert Place(7, "train").draw("build") != Place(7, "train").draw("examine")
