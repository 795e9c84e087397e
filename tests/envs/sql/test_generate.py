"""Tasks: the same bytes for the same seed, splits apart, near misses killed, questions that say what they must."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from palestra.envs.base import SPLITS, TaskError
from palestra.envs.code.draws import Draws
from palestra.envs.sql.domains import DOMAINS, HELDOUT, make_schema
from palestra.envs.sql.draw import SHAPES
from palestra.envs.sql.english import tell
from palestra.envs.sql.generate import SqlTasks, is_heldout
from palestra.envs.sql.proof import LEAST, opened, prove
from palestra.envs.sql.query import Col, Lit, Select, Source, walk
from palestra.envs.sql.render import sql
from palestra.envs.sql.results import same_rows
from palestra.envs.sql.spoil import near_misses

Queries = Callable[..., Iterator[Any]]


def test_a_seed_names_a_task_and_splits_share_nothing() -> None:
    for split in SPLITS:
        tasks = [SqlTasks(split).sample(seed) for seed in range(4)]
        assert [SqlTasks(split).sample(seed).digest for seed in range(4)] == [task.digest for task in tasks]
        for task in tasks:
            domain, shape, parts = task.provenance["template"].split("/")
            assert (domain in HELDOUT) == (split == "heldout")
            assert is_heldout(shape, parts.split("+")) == (split == "heldout")


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_every_shape_has_tasks_with_every_number_of_parts(shape: str) -> None:
    for number, split in enumerate(SPLITS):
        task = SqlTasks(split).sample(number, {"shape": shape, "parts": 1 + 3 * number, "rows": 9})
        assert f"/{shape}/" in task.provenance["template"]


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"shape": "round"}, "shape"),
        ({"parts": 0}, "parts"),
        ({"tables": 9}, "tables"),
        ({"rows": 1}, "rows"),
        ({"size": 1}, "size"),
    ],
)
def test_a_knob_out_of_range_is_refused(knobs: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        SqlTasks().sample(1, knobs)
    with pytest.raises(TaskError, match="split"):
        SqlTasks("test")  # type: ignore[arg-type]


def test_hidden_databases_tell_the_query_from_its_near_misses(queries: Queries) -> None:
    misses = killed = proofs = 0
    for schema, query, draws, _ in queries(24):
        proof = prove(query, schema, 12, draws)
        if proof is None:
            continue
        proofs += 1
        misses, killed = misses + proof.misses, killed + len(proof.killed)
        results = [repr(one.rows) for one in (proof.shown, *proof.hidden)]
        assert len(set(results)) == len(results) > LEAST
        assert all(one.rows for one in proof.hidden)
    assert proofs > 5
    assert killed >= 0.9 * misses


def test_what_is_said_to_be_killed_is(queries: Queries) -> None:
    for schema, query, draws, _ in queries(8, 100):
        proof = prove(query, schema, 12, draws)
        for _, text in proof.killed if proof else ():
            seen = []
            for one in proof.hidden if proof else ():
                connection = opened(schema, one.database)
                try:
                    seen.append(same_rows(connection.execute(text).fetchall(), one.rows, ordered="ORDER BY" in text))
                except Exception:
                    seen.append(False)
                connection.close()
            assert not all(seen), text


def test_near_misses_are_of_many_kinds(queries: Queries) -> None:
    kinds = Counter(kind for schema, query, _, _ in queries(150) for kind, _ in near_misses(query, schema))
    assert set(kinds) == {
        *("operator", "bound", "negation", "dropped", "having", "function", "distinct", "join", "limit", "order"),
        *("window", "case", "set", "value", "column"),
    }


def test_a_query_that_no_database_can_tell_is_no_task(queries: Queries) -> None:
    schema, _, draws, _ = next(queries(1))
    table = schema.tables[0]
    constant = Select(columns=(Lit(1),), source=Source(table.name, table.key, table.plural), limit=1)
    assert prove(constant, schema, 12, draws) is None


def test_a_question_names_every_value_and_column_of_its_query(queries: Queries) -> None:
    for schema, query, _, _ in queries(120):
        told = tell(query)
        for node in walk(query):
            if isinstance(node, Lit) and isinstance(node.value, str):
                assert f"'{node.value}'" in told
            if isinstance(node, Col):
                assert node.words in told
        assert "{" not in told
        assert schema.ddl().count("CREATE TABLE") == len(schema.tables)


def test_a_near_miss_is_told_in_other_words(queries: Queries) -> None:
    """So that whatever decides the rows is said."""
    compared = 0
    for schema, query, _, _ in queries(150, 500):
        told, own = tell(query), sql(query)
        for kind, other in near_misses(query, schema):
            if sql(other) != own:
                compared += 1
                assert tell(other) != told, (kind, own, sql(other))
    assert compared > 1000


def test_links_lead_to_tables_that_are_there() -> None:
    for split in SPLITS:
        for seed, domain in enumerate(DOMAINS[split]):
            for count in (3, 4, 5):
                schema = make_schema(split, domain, count, Draws("sql tests", seed, f"schema {count}"))
                seen: set[str] = set()
                for table in schema.tables:
                    assert {link.links for link in table.links} <= {*seen, table.key}
                    seen.add(table.key)
                assert 3 <= len(seen) <= count
