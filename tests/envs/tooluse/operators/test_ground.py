"""The tools that operators bring in, and the values that they show wrong, on the retail world of one seed."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.envs.tooluse.byhand import BASE, PENDING, SEED

from palestra.envs.base import Json, TaskError
from palestra.envs.tooluse.case import Case, Goal, Place
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.describe import function, returns
from palestra.envs.tooluse.domains.retail import RETAIL
from palestra.envs.tooluse.operators.ground import Ground, ground
from palestra.envs.tooluse.world import World

ORDER = PENDING[0]
ROW = BASE.rows["orders"][ORDER]


def on(*twists: dict[str, Json]) -> Ground:
    place = Place(domain="retail", split="train", seed=SEED, digest=BASE.digest())
    return ground(Case(place=place, steps=(), goal=Goal(), twists=twists))


def a(kind: str, like: str = "", **more: Any) -> dict[str, Json]:
    return {"kind": kind, "degree": 1, "name": "other", "about": "Another one.", "like": like, **more}


def test_a_case_without_twists_is_played_in_the_domain_itself() -> None:
    assert on().domain is RETAIL
    assert on().base.digest() == BASE.digest()


def test_a_draft_is_kept_and_nothing_else_happens() -> None:
    drafts = on(a("draft", "change_carrier"))
    world = World(drafts.base)
    assert drafts.call(world, "other", {"order_id": ORDER, "carrier": "Bluebox"})["ok"]
    assert {cell[0] for cell in world.diff()} == {"other_drafts"}
    assert ["carrier", "Bluebox"] in [cell[2:] for cell in world.diff()]


def test_another_scope_has_the_same_rows_under_other_ids_and_leaves_the_real_ones_alone() -> None:
    archive = on(a("scope", "get_order", turn=3), a("scope", "cancel_order", name="cancel_old", turn=3))
    shown = archive.call(World(archive.base), "other", {"order_id": ORDER})
    real = {key: shown[key] for key in ("customer_id", "placed_on", "status", "carrier", "shipping_fee")}
    assert real != {key: ROW[key] for key in real}
    assert real in [{key: row[key] for key in real} for row in BASE.rows["orders"].values()]
    world = World(archive.base)
    done = [id_ for id_ in BASE.rows["orders"] if "ok" in archive.call(world, "cancel_old", {"order_id": id_})]
    assert len(done) == len(PENDING)
    assert {cell[0] for cell in world.diff()} == {"orders_3"}


def test_the_same_rows_can_be_written_and_shown_column_by_column() -> None:
    write = on(a("column", table="orders", arg="order_id", column="shipping_fee"))
    world = World(write.base)
    assert write.call(world, "other", {"order_id": ORDER, "shipping_fee": 1.5}) == {"ok": True}
    assert world.diff() == [["orders", ORDER, "shipping_fee", 1.5]]
    show = on(a("column", table="orders", arg="order_id", shows=["carrier"]))
    assert show.call(World(show.base), "other", {"order_id": ORDER}) == {"id": ORDER, "carrier": ROW["carrier"]}


def test_another_effect_takes_the_same_arguments() -> None:
    other = on(a("effect", "change_carrier", arg="order_id", column="status", value="shipped"))
    world = World(other.base)
    assert other.call(world, "other", {"order_id": ORDER, "carrier": "Bluebox"}) == {"ok": True}
    assert world.diff() == [["orders", ORDER, "status", "shipped"]]


def test_a_tool_of_another_domain_brings_its_tables_along() -> None:
    foreign = on(a("foreign", "close_ticket", domain="tickets"))
    assert foreign.domain.tool["other"].about == "Another one."
    assert {"tickets_tickets", "orders"} <= foreign.domain.by_name.keys()
    assert foreign.base.rows["tickets_tickets"]


@pytest.mark.parametrize("domain", ["travel", "banking", "calendar_mail", "files", "tickets", "vehicles", "health"])
def test_every_foreign_tool_has_valid_schemas_and_answers(domain: str) -> None:
    for tool in DOMAINS[domain].tools:
        brought = on(a("foreign", tool.name, domain=domain)).domain
        Draft202012Validator.check_schema(function(brought, brought.tool["other"])["function"]["parameters"])
        Draft202012Validator.check_schema(returns(brought, brought.tool["other"]))


def test_a_wrong_value_is_shown_for_its_row_alone() -> None:
    wrong = on({"kind": "wrong", "tool": "get_order", "id": ORDER, "key": "shipping_fee", "value": -1.0})
    world = World(wrong.base)
    assert wrong.call(world, "get_order", {"order_id": ORDER})["shipping_fee"] == -1.0
    assert wrong.call(world, "get_order", {"order_id": PENDING[1]})["shipping_fee"] >= 0
    assert world.value("orders", ORDER, "shipping_fee") == ROW["shipping_fee"]
    total = on({"kind": "wrong", "tool": "order_total", "id": "", "key": "sum", "value": -1})
    assert total.call(world, "order_total", {"order_id": ORDER}) == {"sum": -1}


@pytest.mark.parametrize(
    "twist",
    [
        {"kind": "nothing"},
        {"kind": "wrong", "tool": "get_order"},
        a("draft", "no_such_tool"),
        a("draft", "change_carrier", name="get_order"),
        a("foreign", "close_ticket", domain="nowhere"),
        a("column", table="nothing", arg="x", column="y"),
    ],
)
def test_what_is_malformed_is_told(twist: dict[str, Json]) -> None:
    with pytest.raises(TaskError, match=r"malformed|two tools"):
        on(twist)


def test_a_case_with_twists_is_the_same_as_json() -> None:
    place = Place(domain="retail", split="train", seed=SEED)
    case = Case(place=place, steps=(), goal=Goal(), twists=(a("draft", "change_carrier"),))
    assert Case.from_dict(case.to_dict()) == case
