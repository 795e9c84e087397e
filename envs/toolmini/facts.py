"""Facts: plain fields that records of many tables have, and templates that ask for one of them.

A world shows a few facts of each table, in an order of its own, so that neither the place in a reply
nor the kind of value tells which field was asked for. The held-out templates are pairs of table and
fact that training never asks for together, though it asks for both: one has to read the request.
"""

import random
from collections.abc import Iterator

from palestra.envs.base import Split
from palestra.envs.toolmini.domain import Domain, Template
from palestra.envs.toolmini.pools import Pools, fresh
from palestra.envs.toolmini.tables import Record, Tables

OF_PEOPLE = ("town", "email", "phone", "birthday", "language", "score")
OF_THINGS = ("day", "color", "weight", "brand", "code", "stock")
HELD_OUT = 3  # every so many-th fact of a table, beginning at another one in each table

_TEXTS: dict[Split, tuple[str, ...]] = {
    "train": ("What is the {fact} of {who}?", "Find the {fact} of {who}.", "Which {fact} does {who} have?"),
    "heldout": ("Tell me the {fact} of {who}.", "{who} has which {fact}?"),
}


def lookups(table: str, noun: str, call: tuple[str, ...], facts: tuple[str, ...], *, first: int) -> Iterator[Template]:
    """Yield, for each fact of a table, the template that asks for it by one call.

    Args:
        table: whose records are asked for.
        noun: what one of them is called.
        call: the tool that shows it, and the path of its argument: the subject's ``name`` or ``id``.
        facts: the fields to ask for.
        first: the place of the first held-out one.
    """
    who = "{name}" if call[1] == "name" else f"{noun} {{id}}"
    for place, fact in enumerate(facts):
        split: Split = "heldout" if place % HELD_OUT == first else "train"
        texts = (text.format(fact=fact, who=who) for text in _TEXTS[split])
        yield Template(
            name=f"{noun}_{fact}",
            kind=f"{noun}_fact",
            split=split,
            table=table,
            texts=tuple(text[0].upper() + text[1:] for text in texts),
            calls=(call,),
            answer=fact,
        )


def draw(rng: random.Random, pools: Pools, facts: tuple[str, ...]) -> Record:
    """Return a value for each fact, no two of them alike."""
    record: Record = {}
    for fact in facts:
        while (value := fresh(rng, pools, fact)) in record.values():
            pass
        record[fact] = value
    return record


def choose(rng: random.Random, domain: Domain, template: Template, tables: Tables, count: int) -> Tables:
    """Return the tables with `count` facts each, in a random order, or more where the template needs them."""
    needed = {part for path in template.paths for part in path.split(".")}
    chosen: Tables = {}
    for name, table in tables.items():
        facts = domain.schema.facts.get(name, ())
        order = rng.sample(facts, len(facts))
        kept = sorted(order, key=lambda fact: fact not in needed)[:count]
        kept += [fact for fact in order if fact in needed and fact not in kept]
        rng.shuffle(kept)
        chosen[name] = {
            id_: {field: value for field, value in record.items() if field not in facts}
            | {fact: record[fact] for fact in kept}
            for id_, record in table.items()
        }
    return chosen
