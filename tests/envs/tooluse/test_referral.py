"""Referrals and the words of requests: every way resolves to its row, by the calls that it says, in plain English."""

import random
import re
from itertools import islice, pairwise

import pytest

from palestra.envs.base import SPLITS
from palestra.envs.tooluse import phrases
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.domains.retail import RETAIL
from palestra.envs.tooluse.generate import ToolUseSource
from palestra.envs.tooluse.planner import Draft, Rejected
from palestra.envs.tooluse.referral import Way, can_show, refer, ways
from palestra.envs.tooluse.schema import ID
from palestra.envs.tooluse.solver import Asked, Wanted, solve
from palestra.envs.tooluse.world import fill

BASE = fill(RETAIL, "train", 7)
KINDS = {"id": 0, "unique": 1, "named": 1, "reference": 2, "listed": 2, "extreme": 3}


def told(way: Way, n: int = 40) -> list[tuple[str, str, int]]:
    """Return the phrases that a way gives for rows, with the rows and how many calls they take."""
    found = []
    for id_ in islice(BASE.rows[way.table], n):
        draft = Draft(BASE, "train", random.Random(1))
        try:
            phrase = refer(draft, way, id_)
            assert draft.know(way.table, id_, ID).value == id_
            found.append((phrase, id_, len(draft.calls)))
        except Rejected:
            continue
    return found


@pytest.mark.parametrize("name", DOMAINS)
def test_every_table_has_ways_of_several_kinds(name: str) -> None:
    domain = DOMAINS[name]
    kinds = {way.kind for table in domain.by_name for way in ways(domain, table)}
    assert kinds == set(KINDS)
    for table in domain.by_name:
        for way in ways(domain, table):
            assert KINDS[way.kind] <= way.level <= 3
    assert len({way.name for way in ways(domain, domain.tables[0].name)}) == len(ways(domain, domain.tables[0].name))


@pytest.mark.parametrize(
    ("way", "starts"),
    [
        (Way(kind="id", table="orders", level=0), "order ord_"),
        (Way(kind="unique", table="customers", level=1, tool="find_customer_by_email"), "the customer with e-mail"),
        (Way(kind="named", table="products", level=1, tool="search_products", paths=("name",)), "the product "),
        (
            Way(
                kind="reference",
                table="customers",
                level=2,
                column="customer_id",
                via=Way(kind="id", table="orders", level=0),
            ),
            "the customer of order ord_",
        ),
        (
            Way(
                kind="listed",
                table="orders",
                level=2,
                tool="list_orders",
                paths=("placed_on",),
                column="customer_id",
                via=Way(kind="id", table="customers", level=0),
            ),
            "the order of customer cus_",
        ),
        (
            Way(
                kind="extreme",
                table="order_lines",
                level=3,
                tool="list_order_lines",
                column="order_id:amount",
                via=Way(kind="id", table="orders", level=0),
                is_largest=True,
            ),
            "the order line with the highest amount of order ord_",
        ),
    ],
)
def test_a_way_gives_a_phrase_that_another_row_does_not_get(way: Way, starts: str) -> None:
    found = told(way)
    assert len(found) >= 5
    assert all(phrase.startswith(starts) for phrase, _, _ in found)
    assert len({phrase for phrase, _, _ in found}) == len(found)
    assert all(calls <= 2 for _, _, calls in found)


def test_a_phrase_that_fits_two_rows_is_rejected() -> None:
    named = Way(kind="named", table="customers", level=1, tool="search_customers", paths=("city",))
    cities = [str(row["city"]) for row in BASE.rows["customers"].values()]
    alone = {city for city in cities if cities.count(city) == 1}
    assert {phrase.removeprefix("the customer in ") for phrase, _, _ in told(named, 60)} == alone


def test_the_second_solver_understands_every_phrase() -> None:
    """From the words alone it finds the row's record, in no fewer calls than the lookup and the reading take."""
    for table, column in (("orders", "carrier"), ("customers", "credit"), ("products", "stock")):
        for way in ways(RETAIL, table)[::7]:
            for phrase, id_, calls in told(way)[:2]:
                place = (table, id_, column)
                found = solve(BASE, f"What is the {column} of {phrase}?", Wanted(asked=(Asked(place=place),)))
                assert found is not None, phrase
                assert len(found.calls) <= calls + 1, phrase


def test_an_id_is_of_use_where_a_tool_takes_it() -> None:
    by_id = Way(kind="id", table="order_lines", level=0)
    assert can_show(RETAIL, by_id, ID), "a line can be removed by its id"
    assert not can_show(RETAIL, by_id, "amount"), "and not be read by it"
    assert can_show(RETAIL, Way(kind="id", table="orders", level=0), "carrier")


@pytest.mark.parametrize("split", SPLITS)
def test_requests_are_sentences(split: str) -> None:
    for task in islice(ToolUseSource("heldout" if split == "heldout" else "train"), 60):
        text = task.instruction
        assert text[0].isupper() or text[0].isdigit(), text
        assert text[-1] in ".?", text
        assert not any(
            bad in text for bad in ("  ", "{", "}", "None", " the the ", "of of", " ,", "..", " .", "_id")
        ), text
        assert len(text) < 900


def test_that_row_and_the_new_row_are_clear() -> None:
    spoken = 0
    for seed in range(120):
        task = ToolUseSource().sample(seed, {"kinds": "write", "width": 3})
        sentences = re.split(r"(?<=[.?]) ", task.instruction)
        nouns = [re.escape(table.noun) for table in DOMAINS[task.public["domain"]].tables]
        for before, sentence in pairwise(sentences):
            if found := re.search(rf"\bthat ({'|'.join(nouns)})\b", sentence):
                spoken += 1
                assert len(re.findall(rf"\b{found[1]}\b", before)) == 1, task.instruction
        assert task.instruction.count(" the new ") <= 1, task.instruction
    assert spoken >= 10


def test_columns_are_spoken_of_by_natural_nouns() -> None:
    def of(table: str, column: str) -> str:
        return phrases.cell(RETAIL.by_name[table].by_name[column], "it")

    assert of("orders", "shipping_fee") == "the shipping fee of it"
    assert of("orders", "placed_on") == "the day on which it was placed"
    assert of("customers", "email") == "the e-mail address of it"
    travel = DOMAINS["travel"].by_name["flights"].by_name
    assert phrases.cell(travel["seats_left"], "it") == "the number of seats left of it"
    assert phrases.cell(travel["departs_at"], "it") == "the time at which it departs"
    assert phrases.happening(travel["departs_at"], is_plural=True) == "depart"


def test_phrases_follow_english() -> None:
    assert phrases.plural("mail folder") == "mail folders"
    assert phrases.plural("dish") == "dishes"
    assert phrases.plural("country") == "countries"
    assert phrases.joined(["a", "b", "c"]) == "a, b and c"
    assert phrases.said(12.5) == "12.50"
    assert phrases.said(12.0) == "12"
    assert (
        phrases.arranged(" of X", [" with fee 3", " that was placed first"]) == " with fee 3 of X that was placed first"
    )
    column = RETAIL.by_name["orders"].by_name["placed_on"]
    assert phrases.extreme(column, is_largest=True) == "that was placed last"
    assert phrases.bounded(column, "2024-03-02", is_least=True) == " that were placed on 2024-03-02 or later"
    assert (
        phrases.over_all(column, "largest", "orders of X")
        == "the latest day on which any of the orders of X was placed"
    )
