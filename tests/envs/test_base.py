"""Tasks, seeds and snapshots as data."""

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.base import (
    Budget,
    EpisodeOver,
    Json,
    Snapshot,
    SnapshotError,
    Task,
    TaskError,
    canonical_json,
    derive_seed,
    digest,
    merge_knobs,
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
things = st.dictionaries(st.text(), plain, max_size=3)
TOOL = {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}
DATA: dict[str, Json] = {"id": "a/1", "family": "a", "seed": 1, "instruction": "Do it."}


@given(
    st.text(), st.integers(), st.text(), things, st.integers(1, 99), st.floats(0.1, 1e6), things, things, st.booleans()
)
def test_a_task_survives_json(
    id_: str, seed: int, instruction: str, knobs: Any, turns: int, seconds: float, public: Any, hidden: Any, tools: bool
) -> None:
    task = Task(
        id=id_,
        family="a",
        seed=seed,
        instruction=instruction,
        difficulty=knobs,
        tools=(TOOL,) * tools,
        budget=Budget(turns=turns, seconds=seconds),
        public=public,
        hidden=hidden,
    )
    read = Task.from_dict(json.loads(json.dumps(task.to_dict())))
    assert read == task
    assert read.digest == task.digest
    assert pickle.loads(pickle.dumps(task)) == task


def test_the_digest_ignores_the_order_of_keys_and_nothing_else() -> None:
    task = Task.from_dict({**DATA, "public": {"a": 1, "b": 2}})
    assert Task.from_dict({**DATA, "public": {"b": 2, "a": 1}}).digest == task.digest
    for change in ({"public": {"a": 1, "b": 2.5}}, {"seed": 2}, {"hidden": {"x": None}}, {"budget": {"turns": 9}}):
        assert Task.from_dict({**DATA, "public": {"a": 1, "b": 2}, **change}).digest != task.digest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"colour": "red"}, "unknown task field 'colour'"),
        ({"seed": True}, "'seed' must be an integer, not True"),
        ({"seed": "1"}, "'seed' must be an integer"),
        ({"id": 7}, "'id' must be text, not 7"),
        ({"instruction": None}, "'instruction' must be text"),
        ({"tools": "f"}, "'tools' must be list or tuple"),
        ({"tools": [3]}, "function tools with names, not 3"),
        ({"tools": [{}]}, "function tools with names"),
        ({"tools": [{"function": {"name": 1, "parameters": {}}}]}, "function tools with names"),
        ({"tools": [{"function": {"name": "f"}}]}, "the tool 'f' must have 'parameters'"),
        ({"budget": {"turns": 0}}, "at least 1 turn, as an integer, not 0"),
        ({"budget": {"turns": 2.0}}, "as an integer, not 2.0"),
        ({"budget": {"turns": True}}, "as an integer, not True"),
        ({"budget": {"seconds": float("inf")}}, "positive number, not inf"),
        ({"budget": {"minutes": 3}}, "'budget' is malformed"),
        ({"budget": 3}, "'budget' must be object, not 3"),
        ({"hidden": []}, "'hidden' must be object"),
        ({"hidden": {"x": float("nan")}}, "not a JSON value"),
        ({"public": {"x": object()}}, "not a JSON value"),
        ({"public": {"x": {1, 2}}}, "not a JSON value"),
    ],
)
def test_a_malformed_task_is_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        Task.from_dict({**DATA, **change})


@pytest.mark.parametrize("lacking", sorted(DATA))
def test_a_missing_field_is_named(lacking: str) -> None:
    with pytest.raises(TaskError, match=f"task field {lacking!r} is missing"):
        Task.from_dict({name: value for name, value in DATA.items() if name != lacking})


@given(plain)
def test_no_json_makes_from_dict_fail_in_another_way(value: Json) -> None:
    with pytest.raises(TaskError):
        Task.from_dict(value)


def test_canonical_json_is_one_text() -> None:
    assert canonical_json({"b": 1, "a": [1.5, "é", None]}) == '{"a":[1.5,"é",null],"b":1}'
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1}) != digest({"a": 2, "b": True})
    deep: Json = []
    for _ in range(100_000):
        deep = [deep]
    for odd in (float("nan"), float("inf"), object(), {(1, 2): 3}, deep):
        with pytest.raises(TaskError, match="not a JSON value"):
            canonical_json(odd)


def test_seeds_are_derived_by_stage_and_never_change() -> None:
    assert derive_seed("a", "t", 0, "world") == 1882696964253861418
    seeds = {derive_seed(f, t, s, g) for f in ("a", "b") for t in ("t", "u") for s in range(5) for g in ("x", "y")}
    assert len(seeds) == 40
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_knobs_are_merged_and_checked() -> None:
    assert merge_knobs({"n": 1, "name": "x"}, {"n": 2}) == {"n": 2, "name": "x"}
    assert merge_knobs({"n": 1}, None) == {"n": 1}
    for chosen, told in (({"m": 1}, "unknown difficulty knob 'm'; known: n"), ({"n": True}, "takes int, not True")):
        with pytest.raises(TaskError, match=told):
            merge_knobs({"n": 1}, chosen)


@given(things, st.dictionaries(st.text(), st.binary(), max_size=3))
def test_a_snapshot_survives_json(state: Json, blobs: dict[str, bytes]) -> None:
    snapshot = Snapshot.take("a/B-v0", state, blobs)
    read = Snapshot.from_dict(json.loads(json.dumps(snapshot.to_dict())))
    assert read == snapshot == pickle.loads(pickle.dumps(snapshot))
    assert read.verify("a/B-v0") == state


def test_a_snapshot_knows_whose_it_is_and_when_it_was_changed() -> None:
    snapshot = Snapshot.take("a/B-v0", {"x": 1}, {"w": b"12"})
    with pytest.raises(SnapshotError, match="is of 'a/B-v0' and cannot be restored into 'a/C-v0'"):
        snapshot.verify("a/C-v0")
    changes: list[dict[str, Any]] = [{"state": '{"x":2}'}, {"blobs": {"w": "MTM="}}, {"blobs": {}}, {"digest": "0"}]
    for change in changes:
        with pytest.raises(SnapshotError, match="does not match its hash"):
            Snapshot.from_dict({**snapshot.to_dict(), **change}).verify("a/B-v0")


@pytest.mark.parametrize(
    "change", [{"state": 3}, {"blobs": []}, {"blobs": {"w": "%"}}, {"blobs": {"w": 3}}, {"more": 1}, {"env_id": None}]
)
def test_a_malformed_snapshot_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SnapshotError):
        Snapshot.from_dict({**Snapshot.take("a/B-v0", {}, {}).to_dict(), **change})
    with pytest.raises(SnapshotError):
        Snapshot.from_dict(change.get("blobs", 3))


@pytest.mark.parametrize("error", [TaskError("x"), EpisodeOver("x"), SnapshotError("x")])
def test_errors_cross_processes(error: Exception) -> None:
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), copied.args) == (type(error), error.args)
