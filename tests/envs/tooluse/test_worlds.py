"""A world: the same from the same seed anywhere, changed cell by cell, saved and begun again."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.envs.tooluse.worldcalls import SPLITS, arguments, everything

from palestra.envs.base import Json
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.draw import Code, OneOf, Ref, Whole
from palestra.envs.tooluse.interpret import call, is_fault
from palestra.envs.tooluse.schema import (
    Arg,
    Cell,
    Column,
    Const,
    Delete,
    Domain,
    Insert,
    Param,
    Require,
    Set,
    Sum,
    Table,
    Write,
    shown_as,
)
from palestra.envs.tooluse.world import World, fill

_DIGESTS = """
import json
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.world import fill
print(json.dumps([fill(one, split, 3, 0.5).digest() for one in DOMAINS.values() for split in ("train", "heldout")]))
"""
RETAIL = DOMAINS["retail"]


def in_retail(seed: int = 0) -> World:
    return World(fill(RETAIL, "train", seed, 0.2))


def stirred(world: World, rng: random.Random, n: int) -> World:
    """Call n tools with arguments that mostly fit."""
    for _ in range(n):
        tool = rng.choice(world.domain.tools)
        call(world, tool.name, arguments(rng, world, tool))
    return world


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_a_world_is_the_same_in_another_process(hash_seed: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _DIGESTS],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    here = [fill.__wrapped__(one, split, 3, 0.5).digest() for one in DOMAINS.values() for split in SPLITS]
    assert json.loads(told) == here
    assert len(set(here)) == len(here)


def test_worlds_differ_by_seed_split_and_scale() -> None:
    bases = [fill(RETAIL, split, seed, scale) for split in SPLITS for seed in (0, 1) for scale in (0.1, 0.2)]
    assert len({base.digest() for base in bases}) == len(bases)


@pytest.mark.parametrize("name", DOMAINS)
def test_a_base_is_never_changed(name: str) -> None:
    base = fill(DOMAINS[name], "train", 0, 0.2)
    digest = base.digest()
    stirred(World(base), random.Random(0), 150)
    assert base.digest() == digest


@settings(max_examples=40)
@given(name=st.sampled_from(sorted(DOMAINS)), seed=st.integers(0, 2**32))
def test_changes_survive_json(name: str, seed: int) -> None:
    rng = random.Random(seed)
    world = stirred(World(fill(DOMAINS[name], "train", 1, 0.2)), rng, 25)
    again = World(world.base, json.loads(json.dumps(world.save())))
    assert again.diff() == world.diff()
    assert everything(again) == everything(world)
    tool = rng.choice(world.domain.tools)
    told = arguments(rng, world, tool)
    assert call(again, tool.name, told) == call(world, tool.name, told)
    assert again.diff() == world.diff()


def test_a_world_keeps_neither_what_it_was_begun_with_nor_what_it_saved() -> None:
    changes: dict[str, dict[str, dict[str, Json] | None]] = {}
    world = in_retail()
    customer = next(iter(world.base.rows["customers"]))
    for begun in (World(world.base, changes), World(world.base)):
        begun.set("customers", customer, "city", "Nowhere")
        saved = begun.save()
        begun.set("customers", customer, "city", "Elsewhere")
        begun.delete("orders", next(iter(world.base.rows["orders"])))
        assert changes == {}
        assert list(saved) == ["customers"]
        assert saved["customers"] == {customer: {**world.base.rows["customers"][customer], "city": "Nowhere"}}


def test_a_diff_tells_every_cell_once_and_in_order() -> None:
    world = in_retail()
    first, second = list(world.base.rows["customers"])[:2]
    line = next(iter(world.base.rows["order_lines"]))
    made = world.insert("returns", {"order_id": "ord_1", "reason": "damaged", "opened_on": "2024-01-02"})
    world.set("customers", second, "city", "Nowhere")
    world.delete("order_lines", line)
    world.set("customers", first, "tier", "none")
    world.set("customers", first, "city", "Elsewhere")
    assert world.diff() == [
        ["customers", first, "city", "Elsewhere"],
        ["customers", first, "tier", "none"],
        ["customers", second, "city", "Nowhere"],
        ["order_lines", line, "id", None],
        ["returns", made, "id", made],
        ["returns", made, "opened_on", "2024-01-02"],
        ["returns", made, "order_id", "ord_1"],
        ["returns", made, "reason", "damaged"],
    ]


def test_a_cell_that_is_set_back_is_no_change() -> None:
    world = in_retail()
    id_, row = next(world.rows("products"))
    for column in row:
        world.set("products", id_, column, "else")
    assert len(world.diff()) == len(row)
    for column, value in row.items():
        world.set("products", id_, column, value)
    assert world.diff() == []
    assert world.save() == {}


def test_truth_and_one_are_different_cells() -> None:
    world = World(fill(DOMAINS["files"], "train", 0, 0.2))
    id_, row = next((id_, row) for id_, row in world.rows("files") if row["is_locked"] is False)
    world.set("files", id_, "is_locked", 0)
    assert world.diff() == [["files", id_, "is_locked", 0]]
    world.set("files", id_, "is_locked", row["is_locked"])
    assert world.diff() == []


def test_only_rows_that_exist_are_written() -> None:
    world = in_retail()
    with pytest.raises(KeyError, match="no customers 'cus_1'"):
        world.set("customers", "cus_1", "city", "Paris")
    assert world.value("customers", "cus_1", "city") is None
    assert world.value("orders", "ord_1", "customer_id.city") is None


rows_made = st.lists(
    st.fixed_dictionaries(
        {
            "order_id": st.sampled_from(["ord_1", "ord_2"]),
            "reason": st.sampled_from(["damaged", "\ud800", ""]),
            "opened_on": st.sampled_from(["2024-01-01", None]),
        }
    ),
    max_size=8,
)


@given(made=rows_made, data=st.data())
def test_the_order_in_which_rows_are_made_does_not_matter(made: list[dict[str, Json]], data: st.DataObject) -> None:
    one, other = in_retail(), in_retail()
    ids = [one.insert("returns", row) for row in made]
    again = [other.insert("returns", row) for row in data.draw(st.permutations(made))]
    assert len(set(ids)) == len(ids)
    assert sorted(again) == sorted(ids)
    assert one.diff() == other.diff()
    for id_ in ids:
        one.delete("returns", id_)
    assert one.diff() == []


def test_ids_that_were_given_are_not_those_of_the_base() -> None:
    world = in_retail()
    made = world.insert("returns", {"order_id": "ord_1", "reason": "damaged", "opened_on": "2024-01-01"})
    assert made.startswith("ret_")
    assert len(made) == len("ret_") + 6
    assert all(len(id_) == len("ret_") + 5 for id_ in world.base.rows["returns"])


def test_paths_are_shown_under_names_of_their_own() -> None:
    assert shown_as("customer_id.name") == "customer_name"
    assert shown_as("order_id.customer_id.city") == "order_customer_city"
    assert shown_as("status") == "status"


# -- a domain of one tool, for what no real one does ---------------------------------------------


def made_of(**told: Any) -> tuple[World, Mapping[str, str]]:
    """Return a world of boxes and shelves with one tool, and its ids by table."""
    shelves = Table(
        name="shelves",
        noun="shelf",
        prefix="shf",
        rows=2,
        columns=(
            Column(name="label", about="Label", draw=Code("??"), is_unique=True),
            Column(name="load", about="Load", draw=OneOf(5.0), type="number"),
            Column(name="boxes", about="Boxes", draw=Whole(3, 3), type="integer"),
        ),
    )
    boxes = Table(
        name="boxes",
        noun="box",
        prefix="box",
        rows=2,
        columns=(
            Column(name="shelf_id", about="Shelf", draw=Ref("shelves"), ref="shelves"),
            Column(name="weight", about="Weight", draw=OneOf(2.0), type="number"),
            Column(name="pieces", about="Pieces", draw=OneOf(4), type="integer"),
        ),
    )
    tool = Write(name="do", about="Do it.", asks=(), **told)
    domain = Domain(name="store", about="", tables=(shelves, boxes), tools=(tool,), pools={"train": {}, "heldout": {}})
    base = fill(domain, "train", 0)
    return World(base), {table: next(iter(rows)) for table, rows in base.rows.items()}


SHELF = Param(name="shelf_id", of="shelves.id", is_required=False)
PIECES = Param(name="pieces", of="boxes.pieces", is_required=False)
WEIGHT = Param(name="weight", of="boxes.weight", is_required=False)
BOX = Param(name="box_id", of="boxes.id")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Arg("pieces"), Const(0)),
        (Const(0), Arg("pieces")),
        (Cell("shelf_id", "boxes"), Const(0)),
        (Const(0), Sum(Cell("shelf_id", "boxes"), Const(1))),
    ],
)
def test_a_rule_about_an_argument_that_was_not_given_holds(left: Any, right: Any) -> None:
    rule = Require(left=left, op="==", right=right, error="no")
    world, ids = made_of(
        params=(BOX, SHELF, PIECES), requires=(rule,), effects=(Set("box_id", "pieces", Arg("pieces")),)
    )
    assert call(world, "do", {"box_id": ids["boxes"]}) == {"ok": True}
    assert world.diff() == []
    told = {"box_id": ids["boxes"], "shelf_id": ids["shelves"], "pieces": 7}
    assert is_fault(call(world, "do", told))


@pytest.mark.parametrize(
    "effect",
    [
        Set("box_id", "pieces", Sum(Cell("box_id", "pieces"), Arg("pieces"))),
        Set("box_id", "pieces", Cell("shelf_id", "boxes")),
        Set("shelf_id", "boxes", Const(0)),
        Delete("shelf_id"),
    ],
)
def test_nothing_is_written_for_an_argument_that_was_not_given(effect: Any) -> None:
    world, ids = made_of(params=(BOX, SHELF, PIECES), effects=(effect, Set("box_id", "weight", Const(1.0))))
    assert call(world, "do", {"box_id": ids["boxes"]}) == {"ok": True}
    assert world.diff() == [["boxes", ids["boxes"], "weight", 1.0]]


def test_a_way_that_leads_nowhere_is_a_fault_and_nothing_is_written() -> None:
    effects = (Set("box_id", "pieces", Const(0)), Set("box_id", "shelf_id.boxes", Const(0)))
    world, ids = made_of(params=(BOX,), effects=effects)
    for nowhere in (None, "shf_1"):
        world.set("boxes", ids["boxes"], "shelf_id", nowhere)
        before = world.diff()
        reply = call(world, "do", {"box_id": ids["boxes"]})
        assert reply["error"] == {"code": "not_allowed", "message": f"{ids['boxes']} has no shelf"}
        assert world.diff() == before


def test_where_effects_write_is_settled_before_any_is_written() -> None:
    effects = (Set("box_id", "shelf_id", Arg("shelf_id")), Set("box_id", "shelf_id.boxes", Const(0)))
    world, ids = made_of(params=(BOX, SHELF), effects=effects)
    old = world.value("boxes", ids["boxes"], "shelf_id")
    new = next(id_ for id_, _ in world.rows("shelves") if id_ != old)
    call(world, "do", {"box_id": ids["boxes"], "shelf_id": new})
    assert world.diff() == [["boxes", ids["boxes"], "shelf_id", new], ["shelves", old, "boxes", 0]]


def test_a_rule_about_a_cell_that_holds_nothing_is_broken() -> None:
    rule = Require(left=Cell("box_id", "weight"), op="<=", right=Const(9), error="{box_id} has no weight")
    world, ids = made_of(params=(BOX,), requires=(rule,), effects=(Set("box_id", "pieces", Const(0)),))
    world.set("boxes", ids["boxes"], "weight", None)
    reply = call(world, "do", {"box_id": ids["boxes"]})
    assert reply["error"] == {"code": "not_allowed", "message": f"{ids['boxes']} has no weight"}


@pytest.mark.parametrize(("pieces", "weight"), [(2, 5), (2.0, 5.0), (2.0, 5)])
def test_equal_numbers_make_equal_rows(pieces: float, weight: float) -> None:
    world, ids = made_of(
        params=(SHELF, PIECES, WEIGHT),
        effects=(
            Insert("boxes", {"shelf_id": Arg("shelf_id"), "pieces": Arg("pieces"), "weight": Arg("weight")}),
            Set("shelf_id", "boxes", Sum(Cell("shelf_id", "boxes"), Arg("pieces"))),
            Set("shelf_id", "load", Sum(Cell("shelf_id", "load"), Arg("weight"))),
        ),
    )
    reply = call(world, "do", {"shelf_id": ids["shelves"], "pieces": pieces, "weight": weight})
    plain = made_of(params=(), effects=())[0]
    same = plain.insert("boxes", {"shelf_id": ids["shelves"], "weight": 5.0, "pieces": 2})
    assert reply == {"ok": True, "id": same}
    shelf = world.row("shelves", ids["shelves"])
    assert shelf is not None
    assert (repr(shelf["boxes"]), repr(shelf["load"])) == ("5", "10.0")


def test_values_are_all_taken_before_any_is_written() -> None:
    world, ids = made_of(
        params=(BOX,),
        effects=(
            Set("box_id", "pieces", Cell("box_id", "shelf_id.boxes")),
            Set("box_id", "shelf_id.boxes", Cell("box_id", "pieces")),
        ),
    )
    call(world, "do", {"box_id": ids["boxes"]})
    told = world.value("boxes", ids["boxes"], "pieces"), world.value("boxes", ids["boxes"], "shelf_id.boxes")
    assert told == (3, 4)


def test_what_is_echoed_is_short_and_says_no_more_than_was_told() -> None:
    rule = Require(left=Arg("pieces"), op="==", right=Const(-1), error="not {pieces}")
    world, ids = made_of(params=(BOX, PIECES), requires=(rule,), effects=())
    for number in (10**13, -(10**4000), 1e308):
        reply = call(world, "do", {"box_id": ids["boxes"], "pieces": number})
        assert reply["error"] == {"code": "out_of_range", "message": "pieces is larger than any number here"}
    assert call(world, "do", {"box_id": ids["boxes"], "pieces": 12})["error"]["message"] == "not 12"
    for id_ in ("{box_id.__class__}", "\ud800", "x" * 99_999):
        reply = call(world, "do", {"box_id": id_})
        assert reply["error"]["code"] == "not_found"
        assert len(reply["error"]["message"]) < 200
