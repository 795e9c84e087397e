"""Every tool of every domain does what the domain declares of it, whatever it is called with."""

import json
import random
import re
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.envs.tooluse.worldcalls import SPLITS, arguments, everything, gives, takes

from palestra.envs.actions import call_text, parse_action
from palestra.envs.base import Json
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.describe import effect_of, function, returns
from palestra.envs.tooluse.interpret import MAX_ECHO_CHARS, call, is_fault, matching, names_row, target
from palestra.envs.tooluse.schema import ID, Delete, Domain, Insert, Search, Set, Tool, Total, Write, shown_as
from palestra.envs.tooluse.world import World, fill

domains = pytest.mark.parametrize("name", DOMAINS)
seeds = st.integers(0, 2**32)
TRIES = 1500


def world_of(domain: Domain, rng: random.Random, scale: float = 0.3) -> World:
    return World(fill(domain, rng.choice(SPLITS), rng.randrange(12), scale))


def writes(domain: Domain) -> list[Write]:
    return [tool for tool in domain.tools if isinstance(tool, Write)]


def changed(
    before: dict[str, dict[str, dict[str, Json]]], after: dict[str, dict[str, dict[str, Json]]]
) -> set[tuple[str, str]]:
    """Return the (table, column) of every cell that differs; a row made or gone counts with its id."""
    found = set()
    for table in before:
        for id_ in before[table].keys() | after[table].keys():
            old, new = before[table].get(id_), after[table].get(id_)
            found |= {(table, name) for name in (old or new or {}) if (old or {}).get(name) != (new or {}).get(name)}
            found |= {(table, ID)} if old is None or new is None else set()
    return found


@domains
@settings(max_examples=12)
@given(seed=seeds)
def test_a_call_replies_and_changes_as_its_tool_declares(name: str, seed: int) -> None:
    domain = DOMAINS[name]
    rng = random.Random(seed)
    world = world_of(domain, rng)
    for _ in range(25):
        tool = rng.choice(domain.tools if rng.random() < 0.4 else writes(domain))
        told = arguments(rng, world, tool)
        assert takes(domain, tool).is_valid(told), (tool.name, told)
        before, twin = everything(world), world.copy()
        reply = call(world, tool.name, told)
        gives(domain, tool).validate(reply)
        assert json.loads(json.dumps(reply)) == reply
        assert call(twin, tool.name, told) == reply
        assert twin.diff() == world.diff()
        cells = changed(before, everything(world))
        assert cells <= (domain.written(tool) if not is_fault(reply) else frozenset()), (tool.name, told)


@domains
@settings(max_examples=12)
@given(seed=seeds)
def test_rows_stay_whole_whatever_is_called(name: str, seed: int) -> None:
    domain = DOMAINS[name]
    rng = random.Random(seed)
    world = world_of(domain, rng)
    for _ in range(40):
        tool = rng.choice(writes(domain))
        call(world, tool.name, arguments(rng, world, tool))
    kinds = {"string": str, "integer": int, "number": float, "boolean": bool}
    left_out = {
        (effect.table, column)
        for tool in writes(domain)
        for effect in tool.effects
        if isinstance(effect, Insert)
        for column in domain.by_name[effect.table].by_name
        if column not in effect.values or not _is_always_given(tool, effect, column)
    }
    for table in domain.tables:
        for id_, row in world.rows(table.name):
            assert row.keys() == table.by_name.keys()
            for column in table.columns:
                value = row[column.name]
                if value is None:
                    assert (table.name, column.name) in left_out, (table.name, id_, column.name)
                    continue
                assert type(value) is kinds[column.type], (table.name, id_, column.name, value)
                assert not column.enum or value in column.enum
                assert not column.ref or world.row(column.ref, value) is not None, (table.name, id_, column.name)


def _is_always_given(tool: Write, effect: Insert, column: str) -> bool:
    optional = {param.name for param in tool.params if not param.is_required}
    return getattr(effect.values[column], "name", "") not in optional


@domains
def test_no_two_effects_of_a_call_write_one_cell(name: str) -> None:
    domain = DOMAINS[name]
    rng = random.Random(13)
    for tool in writes(domain):
        for _ in range(200):
            world = world_of(domain, rng)
            told = arguments(rng, world, tool)
            if not is_fault(call(world.copy(), tool.name, told)):
                sets = [effect for effect in tool.effects if isinstance(effect, Set) and effect.arg in told]
                cells = [target(world, tool, told, effect) for effect in sets]
                assert len(set(cells)) == len(cells), (tool.name, told)


@domains
def test_rows_are_written_and_removed_by_their_ids(name: str) -> None:
    for tool in writes(DOMAINS[name]):
        ids = {param.name for param in tool.params if param.column == ID}
        assert {effect.arg for effect in tool.effects if not isinstance(effect, Insert)} <= ids, tool.name


@domains
def test_a_tool_is_idempotent_exactly_where_it_says_so(name: str) -> None:
    domain = DOMAINS[name]
    rng = random.Random(7)
    for tool in writes(domain):
        differs = succeeded = 0
        for _ in range(TRIES):
            world = world_of(domain, rng, 1.0)
            told = arguments(rng, world, tool)
            if is_fault(call(world, tool.name, told)):
                continue
            once = world.diff()
            call(world, tool.name, told)
            differs += world.diff() != once
            succeeded += 1
            if succeeded >= 40:
                break
        assert succeeded >= 10, tool.name
        assert tool.is_idempotent == (differs == 0), (tool.name, f"{differs} of {succeeded} differ")
        assert effect_of(tool) == {"effect": "write", "idempotent": tool.is_idempotent}


@domains
def test_every_rule_of_every_tool_is_met_and_broken_in_default_worlds(name: str) -> None:
    domain = DOMAINS[name]
    rng = random.Random(5)
    for tool in writes(domain):
        missing = {rule.error for rule in tool.requires}
        succeeded = False
        for _ in range(TRIES):
            world = world_of(domain, rng, 1.0)
            told = arguments(rng, world, tool)
            reply = call(world, tool.name, told)
            if not is_fault(reply):
                succeeded = True
            elif reply["error"]["code"] == "not_allowed":
                echo = {name: str(value)[:MAX_ECHO_CHARS] for name, value in told.items()}
                missing -= {error for error in missing if error.format_map(echo) == reply["error"]["message"]}
            if succeeded and not missing:
                break
        assert succeeded, tool.name
        assert not missing, (tool.name, missing)


@domains
def test_every_reading_tool_succeeds_in_default_worlds(name: str) -> None:
    domain = DOMAINS[name]
    rng = random.Random(11)
    for tool in domain.tools:
        if not isinstance(tool, Write):
            found = 0
            for _ in range(60):
                world = world_of(domain, rng, 1.0)
                reply = call(world, tool.name, arguments(rng, world, tool))
                found += not is_fault(reply) and reply.get("total", 1) > 0
            assert found >= 20, tool.name
            assert effect_of(tool) == {"effect": "read", "idempotent": True}


@domains
@settings(max_examples=12)
@given(seed=seeds)
def test_the_pages_of_a_search_hold_every_row_that_fits_once(name: str, seed: int) -> None:
    domain = DOMAINS[name]
    rng = random.Random(seed)
    world = world_of(domain, rng, 1.0)
    for tool in domain.tools:
        if isinstance(tool, Search):
            told = {name: value for name, value in arguments(rng, world, tool).items() if name != "cursor"}
            fitting = [id_ for id_, _ in matching(world, tool.table, tool.filters, told)]
            found: list[str] = []
            cursor: dict[str, Json] = {}
            while True:
                reply = call(world, tool.name, told | cursor)
                assert reply["total"] == len(fitting)
                for shown in reply["results"]:
                    found.append(shown[ID])
                    cells = {shown_as(path): world.value(tool.table, shown[ID], path) for path in tool.shows}
                    assert shown == {ID: shown[ID], **cells}
                if "next_cursor" not in reply:
                    break
                cursor = {"cursor": reply["next_cursor"]}
            assert found == fitting == sorted(set(found))


@domains
@settings(max_examples=12)
@given(seed=seeds)
def test_filters_and_totals_mean_what_they_are_called(name: str, seed: int) -> None:
    domain = DOMAINS[name]
    rng = random.Random(seed)
    world = world_of(domain, rng, 1.0)
    for tool in domain.tools:
        if isinstance(tool, Search | Total):
            told = arguments(rng, world, tool)
            told.pop("cursor", None)
            fitting = {id_ for id_, _ in world.rows(tool.table) if all(_fit(world, tool, id_, told))}
            assert fitting == {id_ for id_, _ in matching(world, tool.table, tool.filters, told)}, (tool.name, told)
            if isinstance(tool, Total):
                numbers = [world.value(tool.table, id_, tool.of) for id_ in fitting] if tool.of else [0] * len(fitting)
                numbers = [number for number in numbers if number is not None]
                assert call(world, tool.name, told).get(tool.how) == _total(tool.how, numbers), tool.name


def _fit(world: World, tool: Search | Total, id_: str, told: dict[str, Json]) -> Iterator[bool]:
    for one in tool.filters:
        if one.arg in told:
            value, wanted = world.value(tool.table, id_, one.path), told[one.arg]
            if one.compare == "equals":
                yield str(value).lower() == str(wanted).lower()
            elif one.compare == "has_words":
                yield wanted.lower() in value.lower().split()
            else:
                yield value is not None and (value >= wanted if one.compare == "at_least" else value <= wanted)


def _total(how: str, numbers: Sequence[Json]) -> object:
    if how == "count":
        return len(numbers)
    if not numbers:
        return 0 if how == "sum" else None
    told = {"sum": sum(numbers), "min": min(numbers), "max": max(numbers), "mean": sum(numbers) / len(numbers)}
    return pytest.approx(told[how], abs=0.00501)


HOSTILE: st.SearchStrategy[Json] = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "\x00", "\ud800", "\udfff\ud800", "{0}", "{arguments}", "%s", "../..", "a" * 20_000, "9" * 400]
    ),
    st.integers(),
    st.sampled_from([10**300, -(10**300), 10**4200, -1, 0, 2**63]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1e308, -1e308, 5e-324, -0.0, 0.1 + 0.2]),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@domains
@settings(max_examples=40)
@given(seed=seeds, data=st.data())
def test_hostile_arguments_are_refused_or_answered(name: str, seed: int, data: st.DataObject) -> None:
    domain = DOMAINS[name]
    rng = random.Random(seed)
    world = world_of(domain, rng)
    tool = rng.choice(domain.tools)
    told = arguments(rng, world, tool)
    names = sorted(function(domain, tool)["function"]["parameters"]["properties"])
    told |= {name: data.draw(HOSTILE) for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=2))}
    action = parse_action(call_text(tool.name, told), [function(domain, tool)])
    assert bool(action.error) != bool(action.calls)
    if action.calls:
        reply = call(world, tool.name, action.calls[0].arguments)
        gives(domain, tool).validate(reply)
        json.dumps([reply, world.diff()], allow_nan=False)
        for other in domain.tools:
            gives(domain, other).validate(call(world, other.name, arguments(rng, world, other)))


@domains
def test_words_and_numbers_of_the_wrong_kind_are_refused(name: str) -> None:
    domain = DOMAINS[name]
    for tool in domain.tools:
        for arg, schema in function(domain, tool)["function"]["parameters"]["properties"].items():
            wrong = {"string": 5, "integer": True, "number": True, "boolean": 1}[schema["type"]]
            text = call_text(tool.name, {arg: wrong})
            assert parse_action(text, [function(domain, tool)]).error, (tool.name, arg)


@domains
def test_schemas_are_schemas(name: str) -> None:
    domain = DOMAINS[name]
    for tool in domain.tools:
        Draft202012Validator.check_schema(function(domain, tool)["function"]["parameters"])
        Draft202012Validator.check_schema(returns(domain, tool))
        told = function(domain, tool)["function"]["parameters"]["properties"]
        assert all(schema["description"] and schema["type"] != "object" for schema in told.values()), tool.name


@domains
def test_numbers_that_are_written_have_bounds(name: str) -> None:
    domain = DOMAINS[name]
    for tool in writes(domain):
        for param in tool.params:
            table = domain.by_name[param.table]
            if not names_row(domain, param) and table.by_name[param.column].type in ("integer", "number"):
                assert param.minimum is not None, (tool.name, param.name)
                assert param.maximum is not None, (tool.name, param.name)
                assert 0 <= param.minimum < param.maximum <= 1_000_000, (tool.name, param.name)


@domains
def test_what_can_be_deleted_is_referred_to_by_nothing(name: str) -> None:
    domain = DOMAINS[name]
    referred = {column.ref for table in domain.tables for column in table.columns}
    for tool in writes(domain):
        tables = {param.name: param.table for param in tool.params}
        deleted = {tables[effect.arg] for effect in tool.effects if isinstance(effect, Delete)}
        assert not deleted & referred, tool.name


@domains
def test_no_tool_writes_a_column_whose_values_are_unique(name: str) -> None:
    domain = DOMAINS[name]
    unique = {(table.name, column.name) for table in domain.tables for column in table.columns if column.is_unique}
    for tool in writes(domain):
        kept = Write(
            name=tool.name,
            about=tool.about,
            params=tool.params,
            effects=tuple(effect for effect in tool.effects if isinstance(effect, Set)),
            asks=tool.asks,
        )
        assert not domain.written(kept) & unique, tool.name


@domains
def test_tables_refer_only_to_tables_before_them(name: str) -> None:
    domain = DOMAINS[name]
    before: set[str] = set()
    for table in domain.tables:
        assert {column.ref for column in table.columns if column.ref} <= before, table.name
        before.add(table.name)


def test_the_words_of_the_splits_are_disjoint_over_all_domains() -> None:
    train, heldout = (
        {
            word
            for domain in DOMAINS.values()
            for pool in domain.pools[split].values()
            for value in pool
            for word in re.findall(r"[^\W\d_]+", value.casefold())
        }
        for split in SPLITS
    )
    assert train & heldout == set()


def test_tools_of_all_kinds_are_there() -> None:
    tools: list[Tool] = [tool for domain in DOMAINS.values() for tool in domain.tools]
    effects = {type(effect) for tool in tools if isinstance(tool, Write) for effect in tool.effects}
    assert effects == {Set, Insert, Delete}
    assert {tool.how for tool in tools if isinstance(tool, Total)} == {"count", "sum", "min", "max", "mean"}
