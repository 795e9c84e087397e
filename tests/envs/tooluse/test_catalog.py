"""What every domain of the catalogue must be."""

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from string import Formatter

import jsonschema
import pytest

from palestra.envs.base import Json, Split
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.describe import function, returns
from palestra.envs.tooluse.draw import Drawing
from palestra.envs.tooluse.interpret import call, is_fault, names_row
from palestra.envs.tooluse.readable import PAGE, example, page
from palestra.envs.tooluse.schema import ID, Domain, Filter, Get, Param, Search, Total, Write
from palestra.envs.tooluse.world import Base, World, fill

SPLITS: tuple[Split, ...] = ("train", "heldout")
domains = pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)


def writes(domain: Domain) -> list[Write]:
    return [tool for tool in domain.tools if isinstance(tool, Write)]


def named(text: str) -> set[str]:
    """Return the arguments that a text names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def drawn(base: Base, write: Write, n: int) -> Iterator[dict[str, Json]]:
    """Yield arguments for a tool: rows of the world, and values such as their columns hold."""
    domain, rng = base.domain, random.Random(0)
    at = Drawing(rng, domain.pools["train"], {}, date.fromisoformat(base.today))

    def values(param: Param) -> list[Json]:
        if table := names_row(domain, param):
            return rng.choices(list(base.rows[table]), k=n)
        some = domain.by_name[param.table].by_name[param.column].draw.many(at, 40 * n)
        low, high = param.minimum, param.maximum
        some = [value for value in some if (low is None or value >= low) and (high is None or value <= high)]
        return [value for value in some if not param.enum or value in param.enum][:n]

    columns = {param.name: values(param) for param in write.params}
    return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def test_there_are_nine_domains_of_which_one_is_held_out() -> None:
    assert len(DOMAINS) == 9
    assert [name for name, domain in DOMAINS.items() if domain.is_held_out] == ["restaurant"]


@domains
def test_a_domain_stands_under_its_own_name(domain: Domain) -> None:
    assert DOMAINS[domain.name] is domain


@domains
def test_a_domain_has_enough_of_everything(domain: Domain) -> None:
    totals = {tool.how for tool in domain.tools if isinstance(tool, Total)}
    assert 4 <= len(domain.tables) <= 6
    assert 10 <= len(domain.tools) <= 20
    assert 5 <= len(writes(domain)) <= 8
    assert len(totals) >= 2
    assert 3 <= len(domain.policies) <= 5
    assert 300 <= sum(table.rows for table in domain.tables) <= 450


@domains
def test_names_of_tools_and_prefixes_of_ids_are_unique(domain: Domain) -> None:
    assert len(domain.tool) == len(domain.tools)
    assert len({table.prefix for table in domain.tables}) == len(domain.tables) == len(domain.by_name)


@domains
def test_every_policy_is_enforced_and_nothing_else_is_called_one(domain: Domain) -> None:
    enforced = {rule.policy for tool in writes(domain) for rule in tool.requires if rule.policy}
    assert enforced == {policy.name for policy in domain.policies}


def test_the_splits_share_no_word_in_any_domain() -> None:
    train, heldout = (
        {
            word.casefold()
            for domain in DOMAINS.values()
            for pool in domain.pools[split].values()
            for value in pool
            for word in value.split()
        }
        for split in SPLITS
    )
    assert train & heldout == set()
    for domain in DOMAINS.values():
        assert domain.pools["train"].keys() == domain.pools["heldout"].keys()


@domains
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("scale", [0.02, 1.0, 4.0])
def test_worlds_of_every_size_fit_their_schema(domain: Domain, split: Split, scale: float) -> None:
    base = fill(domain, split, 1, scale)
    for table in domain.tables:
        rows = base.rows[table.name]
        assert len(rows) == max(2, round(table.rows * scale))
        row = {column.name: column.schema() for column in table.columns}
        jsonschema.validate(
            list(rows.values()),
            {"type": "array", "items": {"type": "object", "properties": row, "required": list(row)}},
        )
        for column in table.columns:
            values = [cells[column.name] for cells in rows.values()]
            assert not column.ref or set(values) <= base.rows[column.ref].keys(), column.name
            assert not column.is_unique or len(set(values)) == len(values), column.name


@domains
def test_everything_that_a_tool_names_is_there(domain: Domain) -> None:
    for tool in domain.tools:
        filters: tuple[Filter, ...] = () if isinstance(tool, Get | Write) else tool.filters
        for path in [one.path for one in filters] + list(tool.shows if isinstance(tool, Get | Search) else ()):
            domain.column(tool.table, path)  # type: ignore[union-attr]  # only a Write has no table
        function(domain, tool)
        returns(domain, tool)
    for table in domain.tables:
        for path in table.named_by:
            assert domain.column(table.name, path) is not None, (table.name, path)


@domains
def test_every_column_is_shown_by_some_tool(domain: Domain) -> None:
    shown = {(tool.table, path) for tool in domain.tools if isinstance(tool, Search | Get) for path in tool.shows}
    hidden = {(table.name, column.name) for table in domain.tables for column in table.columns} - shown
    assert hidden == set()


@domains
def test_every_row_can_be_found(domain: Domain) -> None:
    found = {tool.table for tool in domain.tools if isinstance(tool, Search)}
    assert found == domain.by_name.keys()


@domains
def test_asks_and_errors_name_what_they_should(domain: Domain) -> None:
    for tool in writes(domain):
        required = {param.name for param in tool.params if param.is_required}
        assert len(tool.asks) >= 3, tool.name
        assert len(set(tool.asks)) == len(tool.asks), tool.name
        for ask in tool.asks:
            assert named(ask) == required, ask
            assert ask[0].islower(), f"not a clause that can follow 'please': {ask}"
            assert not ask.endswith("."), ask
        for rule in tool.requires:
            assert named(rule.error) <= required, rule.error


@domains
def test_texts_are_whole(domain: Domain) -> None:
    for tool in domain.tools:
        assert tool.about[0].isupper(), tool.about
        assert tool.about.endswith("."), tool.about
    for policy in domain.policies:
        assert policy.text.endswith("."), policy.text
    for table in domain.tables:
        for column in table.columns:
            assert column.about[0].isupper(), column.about
            assert not column.about.endswith("."), column.about


@domains
def test_every_writing_tool_can_be_used_and_refuses_where_it_has_rules(domain: Domain) -> None:
    base = fill(domain, "train", 2)
    for tool in writes(domain):
        replies = [call(World(base), tool.name, arguments) for arguments in drawn(base, tool, 300)]
        refused = sum(map(is_fault, replies))
        assert len(replies) == 300, tool.name
        assert refused <= 290, tool.name
        assert bool(refused) == bool(tool.requires), tool.name


@domains
def test_every_writing_tool_changes_only_what_it_declares(domain: Domain) -> None:
    base = fill(domain, "train", 3)
    for tool in writes(domain):
        for arguments in drawn(base, tool, 60):
            world = World(base)
            call(world, tool.name, arguments)
            changed = {(table, column) for table, _, column, _ in world.diff()}
            assert changed <= domain.written(tool), tool.name
            assert ID not in {column for table, column in changed if (table, ID) not in domain.written(tool)}


def test_the_page_about_the_worlds_is_what_the_command_writes() -> None:
    written = (Path(__file__).parents[3] / PAGE).read_text(encoding="utf-8")
    assert written == page(DOMAINS.values()), "a domain has changed: run python -m palestra.envs.tooluse.readable"


@domains
def test_every_tool_has_an_example_that_does_what_it_tells(domain: Domain) -> None:
    base = fill(domain, "train", 1)
    for tool in domain.tools:
        arguments, reply, changes = example(base, tool)
        jsonschema.validate(arguments, function(domain, tool)["function"]["parameters"])
        jsonschema.validate(reply, returns(domain, tool))
        assert not is_fault(reply), tool.name
        assert bool(changes) == isinstance(tool, Write), tool.name
