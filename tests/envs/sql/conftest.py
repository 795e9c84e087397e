"""What this folder's tests share: one environment for all that only needs queries to run, and random queries."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from palestra.envs.base import SPLITS
from palestra.envs.code.draws import Draws
from palestra.envs.sql.domains import DOMAINS, make_schema
from palestra.envs.sql.draw import SHAPES, draw_parts, draw_query
from palestra.envs.sql.env import SqlEnv
from palestra.envs.sql.parts import NoPart
from palestra.envs.sql.query import Query
from palestra.envs.sql.schema import Schema


@pytest.fixture(scope="module")
def env() -> Iterator[SqlEnv]:
    with closing(SqlEnv()) as made:
        yield made


def random_queries(count: int, seed: int = 0) -> Iterator[tuple[Schema, Query, Draws, str]]:
    """Yield queries of both splits and all shapes in turn, with the shape's name."""
    made = 0
    while made < count:
        seed += 1
        draws = Draws("sql tests", seed, "query")
        split, shape = SPLITS[seed % 2], sorted(SHAPES)[seed // 2 % len(SHAPES)]
        schema = make_schema(split, draws.pick(DOMAINS[split]), draws.between(3, 5), draws)
        try:
            query = draw_query(schema, shape, draw_parts(shape, draws.between(1, 4), draws), draws)
        except NoPart:
            continue
        made += 1
        yield schema, query, draws, shape


@pytest.fixture
def queries() -> object:
    """Return `random_queries`."""
    return random_queries
