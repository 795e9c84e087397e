"""The draft: what is known and from where, and which calls must come before which."""

import random

import pytest

from palestra.envs.tooluse.domains.retail import RETAIL
from palestra.envs.tooluse.planner import QUERY, Draft, Known, Rejected, ancestors, depth, dig, leaves, place_of
from palestra.envs.tooluse.schema import Get, Search, Write
from palestra.envs.tooluse.touches import conflicts, touched
from palestra.envs.tooluse.world import World, fill

BASE = fill(RETAIL, "train", 7)
ORDER = next(iter(BASE.rows["orders"]))
CUSTOMER = str(BASE.rows["orders"][ORDER]["customer_id"])
PENDING = [id_ for id_, row in BASE.rows["orders"].items() if row["status"] == "pending"]


def draft() -> Draft:
    return Draft(BASE, "train", random.Random(0))


def tool(name: str) -> Get | Search:
    found = RETAIL.tool[name]
    assert isinstance(found, Get | Search)
    return found


def write(name: str) -> Write:
    found = RETAIL.tool[name]
    assert isinstance(found, Write)
    return found


def test_what_the_request_tells_needs_no_call() -> None:
    at = draft()
    at.tell("orders", ORDER)
    assert at.know("orders", ORDER, "id") == Known(ORDER, QUERY)
    assert not at.calls


def test_a_cell_is_read_by_the_call_that_shows_it_and_only_once() -> None:
    at = draft()
    at.tell("orders", ORDER)
    known = at.know("orders", ORDER, "carrier")
    at.know("orders", ORDER, "shipping_fee")
    assert known.value == BASE.rows["orders"][ORDER]["carrier"]
    assert (known.source.kind, known.source.step, known.source.path) == ("reply", 0, "carrier")
    assert [made.tool for made in at.calls] == ["get_order"]


def test_a_reference_is_followed_by_what_its_reply_shows() -> None:
    at = draft()
    at.tell("orders", ORDER)
    assert at.know("orders", ORDER, "customer_id.name").source.step == 0, "the order's head shows the name"
    assert at.know("orders", ORDER, "customer_id.city").source.step == 1
    assert [made.tool for made in at.calls] == ["get_order", "get_customer"]
    assert at.steps()[1].after == (0,)


def test_a_cell_that_nothing_shows_is_rejected() -> None:
    with pytest.raises(Rejected, match=r"no tool shows customers\.city"):
        draft().know("customers", CUSTOMER, "city")
    line = next(iter(BASE.rows["order_lines"]))
    at = draft()
    at.tell("order_lines", line)
    with pytest.raises(Rejected, match=r"no tool shows order_lines\.amount"):
        at.know("order_lines", line, "amount")


def test_a_failing_or_idle_write_is_rejected() -> None:
    at = draft()
    shipped = next(id_ for id_, row in BASE.rows["orders"].items() if row["status"] == "shipped")
    with pytest.raises(Rejected, match="cancel_order fails: not_allowed"):
        at.write(write("cancel_order"), {"order_id": Known(shipped, QUERY)})
    same = {"order_id": Known(PENDING[0], QUERY), "carrier": Known(BASE.rows["orders"][PENDING[0]]["carrier"], QUERY)}
    with pytest.raises(Rejected, match="change_carrier changes nothing"):
        draft().write(write("change_carrier"), same)


def test_writes_on_other_rows_are_free_and_on_the_same_row_in_order() -> None:
    at = draft()
    at.write(write("cancel_order"), {"order_id": Known(PENDING[0], QUERY)})
    at.write(write("cancel_order"), {"order_id": Known(PENDING[1], QUERY)})
    assert [step.after for step in at.steps()] == [(), ()]
    at = draft()
    other = next(c for c in ("Swiftpost", "Bluebox") if c != BASE.rows["orders"][PENDING[0]]["carrier"])
    at.write(write("change_carrier"), {"order_id": Known(PENDING[0], QUERY), "carrier": Known(other, QUERY)})
    at.write(write("cancel_order"), {"order_id": Known(PENDING[0], QUERY)})
    steps = at.steps()
    assert [step.after for step in steps] == [(), (0,)]
    assert (depth(steps), ancestors(steps, 1)) == (2, {0})


def test_a_question_about_what_a_write_changes_is_rejected() -> None:
    at = draft()
    at.tell("orders", PENDING[0])
    known = at.know("orders", PENDING[0], "status")
    at.write(write("cancel_order"), {"order_id": Known(PENDING[0], QUERY)})
    with pytest.raises(Rejected, match="depends on whether something else was done before"):
        at.steps([known.source])
    assert at.steps()[1].after == (), "where nobody asks for the state, the order is free"


def test_the_row_that_a_write_makes_can_be_spoken_of() -> None:
    at = draft()
    delivered = next(id_ for id_, row in BASE.rows["orders"].items() if row["status"] == "delivered")
    at.write(write("open_return"), {"order_id": Known(delivered, QUERY), "reason": Known("damaged", QUERY)})
    made = at.recent["made", "returns"]
    assert at.know("returns", made, "id").source.path == "id"
    assert at.recent["same", "orders"] == delivered


def test_tools_touch_what_they_declare() -> None:
    assert ("orders", "status") in touched(RETAIL, RETAIL.tool["cancel_order"])
    assert ("customers", "name") in touched(RETAIL, RETAIL.tool["get_order"])
    assert conflicts(RETAIL, RETAIL.tool["get_order"], RETAIL.tool["cancel_order"])
    assert not conflicts(RETAIL, RETAIL.tool["get_product"], RETAIL.tool["cancel_order"])
    assert conflicts(RETAIL, RETAIL.tool["get_product"], RETAIL.tool["add_order_line"])
    assert not conflicts(RETAIL, RETAIL.tool["get_order"], RETAIL.tool["get_customer"])


def test_places_and_paths_lead_where_they_say() -> None:
    world = World(BASE)
    assert place_of(world, "orders", ORDER, "customer_id.city") == ("customers", CUSTOMER, "city")
    assert place_of(world, "orders", "ord_1", "customer_id.city") is None
    reply = {"results": [{"id": "a"}, {"id": "b"}]}
    assert dig(reply, "results.1.id") == "b"
    assert dig(reply, "results.2.id") is None
    assert dig(reply, "results.-1.id") is None
    assert dig(reply, "results.id") is None
    known = Known(1, QUERY)
    assert not list(leaves(known.source))
