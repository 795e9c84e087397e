"""Days and units in other ways: exact in both directions, and told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.actions import ToolCall, compact_json
from palestra.envs.reading import read_json
from palestra.envs.tooluse.describe import function
from palestra.envs.tooluse.domains.retail import RETAIL
from palestra.envs.tooluse.operators.layers import DATES, Locale
from palestra.envs.tooluse.operators.over import SMALLER, locale

FULL = locale(RETAIL, "DD.MM.YYYY", ["USD"])


def layer(dates: str = "DD.MM.YYYY", *units: str) -> Locale:
    return Locale({**FULL, **locale(RETAIL, dates, units or ["USD"])})


@pytest.mark.parametrize("dates", list(DATES))
@given(day=st.dates())
def test_a_day_survives_every_way_to_write_it(dates: str, day: object) -> None:
    one = layer(dates)
    assert one.below("date", one.above("date", str(day))) == str(day)


@given(cents=st.integers(-(10**12), 10**12))
def test_an_amount_survives_to_the_cent(cents: int) -> None:
    one = layer()
    assert one.above("USD", cents / 100) == cents
    assert one.below("USD", cents) == cents / 100


@pytest.mark.parametrize("unit", [*SMALLER])
@given(number=st.integers(-(10**9), 10**9))
def test_whole_numbers_stay_whole(unit: str, number: int) -> None:
    one = Locale({**FULL, "units": {unit: list(SMALLER[unit])}})
    assert one.below(f"{unit}!", one.above(f"{unit}!", number)) == number


def test_a_call_and_its_reply_pass_in_both_directions() -> None:
    one = layer()
    below = ToolCall("list_orders", {"placed_from": "2024-03-05", "status": "pending"})
    solving = one.solve(below)
    above = next(solving)
    assert above.arguments == {"placed_from": "05.03.2024", "status": "pending"}
    assert one.call(above) == below
    reply = {"results": [{"id": "ord_1", "placed_on": "2024-03-05", "status": "pending"}], "total": 1}
    shown = one.reply(below, compact_json(reply))
    assert read_json(shown)["results"][0]["placed_on"] == "05.03.2024"
    with pytest.raises(StopIteration) as end:
        solving.send(shown)
    assert read_json(end.value.value) == reply


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_orders", {"placed_from": "2024-03-05"}),
        ("list_orders", {"placed_from": 5}),
        ("search_products", {"max_price": 1.5}),
        ("search_products", {"max_price": "150"}),
        ("grant_credit", {"customer_id": "cus_1", "amount": True}),
    ],
)
def test_what_is_written_in_the_old_way_is_refused_with_a_reason(tool: str, arguments: dict[str, object]) -> None:
    reply = layer().call(ToolCall(tool, arguments))
    assert isinstance(reply, str)
    assert "is not a" in reply


def test_replies_that_are_no_json_stay_as_they_are() -> None:
    assert layer().reply(ToolCall("get_order", {}), "placed_on: 2024-03-05") == "placed_on: 2024-03-05"


def test_the_request_says_what_its_days_and_amounts_are() -> None:
    told = layer().instruction("Which orders were placed on 2024-03-05?")
    assert told.startswith("Which orders were placed on 05.03.2024?")
    assert "DD.MM.YYYY" in told
    assert "cents" in told
    assert layer().keeps("Which orders were placed on 2024-03-05?", told)
    assert not layer().keeps("Which orders were placed on 2024-03-06?", told)


def test_schemas_take_what_the_tools_now_take() -> None:
    tools = {
        tool["function"]["name"]: tool["function"]
        for tool in layer().tools([function(RETAIL, one) for one in RETAIL.tools])
    }
    amount = tools["grant_credit"]["parameters"]["properties"]["amount"]
    assert (amount["type"], amount["minimum"], amount["maximum"]) == ("integer", 100, 50_000)
    assert "cents" in amount["description"]
    assert "format" not in tools["list_orders"]["parameters"]["properties"]["placed_from"]
    assert "DD.MM.YYYY" in tools["get_order"]["description"]
