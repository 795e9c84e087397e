"""Questions from seeds: a schema and a query are drawn, and kept only if databases tell it from near misses.

Held-out questions are about other worlds, with other values, and put a part on a shape that training never sees
together.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from palestra.envs.actions import function_tool
from palestra.envs.base import SPLITS, Budget, Json, Split, Task, TaskError, merge_knobs
from palestra.envs.code.draws import Draws
from palestra.envs.sql.domains import DOMAINS, make_schema
from palestra.envs.sql.draw import SHAPES, draw_parts, draw_query
from palestra.envs.sql.english import tell
from palestra.envs.sql.parts import NoPart
from palestra.envs.sql.proof import Proof, prove
from palestra.envs.sql.query import Query, is_ordered
from palestra.envs.sql.render import sql
from palestra.envs.sql.schema import Schema

GENERATOR_VERSION: Final = 1
KNOBS: Final[dict[str, Json]] = {"shape": "any", "parts": 2, "tables": 4, "rows": 12}
PARTS: Final = range(1, 5)
TABLES: Final = range(3, 6)
ROWS: Final = range(5, 31)
_HELDOUT_PAIRS: Final = 4  # one pair of a shape and a part in so many is never trained on
_ATTEMPTS: Final = 400
_SQL: Final = {"sql": {"type": "string", "description": "one SQLite query"}}
TOOLS: Final = (
    function_tool("query", "Run a query on the example database and see its rows.", _SQL),
    function_tool("submit", "Hand in a query. It is judged on other databases; this ends the episode.", _SQL),
)
RULES: Final = (
    "A missing value is NULL. A comparison with a missing value is not true, and figures over rows leave missing "
    "values out; the sum, average, least or greatest of no values is missing. Missing values sort before all others, "
    "and so come last where the order is reversed. In a figure over other rows, 'that book' is each of them in turn "
    "and 'the book' is the row that it is worked out for. Texts compare and sort by character codes, upper case before "
    "lower. Return the columns in the order in which they are named. Unless a sorting is asked for, the order of rows "
    "does not matter; how often a row occurs does."
)


class SqlTasks:
    """The family's `TaskSource`.

    Knobs: ``shape`` of the query (rows, total, groups, children, sets, above, best, or any), ``parts`` put on it (1
    to 4), ``tables`` in the schema (3 to 5, where the world has so many), ``rows`` in a table (about so many, 5 to 30).

    Raises:
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(KNOBS)

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed, the same bytes in any process.

        Raises:
            TaskError: a knob is unknown or out of range, or the two references of a query disagree.
        """
        knobs = merge_knobs(self.knobs, difficulty)
        _check_knobs(knobs)
        shape = knobs["shape"]
        if shape == "any":
            shape = Draws(f"sql/{self.split}", seed, "shape").pick((*sorted(SHAPES), "rows"))
        draws = Draws(f"sql/{self.split}/{shape}/{knobs['parts']}", seed, "query")
        for attempt in range(_ATTEMPTS):
            domain = draws.pick(DOMAINS[self.split])
            parts = draw_parts(shape, knobs["parts"], draws)
            schema = make_schema(self.split, domain, knobs["tables"], draws)
            if is_heldout(shape, parts) != (self.split == "heldout"):
                continue
            try:
                query = draw_query(schema, shape, parts, draws)
            except NoPart:
                continue
            template = f"{domain}/{shape}/{'+'.join(sorted(parts))}"
            proof = prove(query, schema, knobs["rows"], Draws(f"sql/{template}", seed, f"databases/{attempt}"))
            if proof is not None:
                return _task(query, schema, proof, self.split, seed, knobs, template)
        raise TaskError(f"no fair {shape} task of {knobs['parts']} parts for seed {seed} in {_ATTEMPTS} draws")


def is_heldout(shape: str, parts: Sequence[str]) -> bool:
    """Return whether a query has a part that training never shows with its shape."""
    return any(hashlib.sha256(f"{shape}|{part}".encode()).digest()[0] % _HELDOUT_PAIRS == 0 for part in parts)


def _check_knobs(knobs: Mapping[str, Json]) -> None:
    if knobs["shape"] != "any" and knobs["shape"] not in SHAPES:
        raise TaskError(f"knob 'shape' must be any, {', '.join(sorted(SHAPES))}, not {knobs['shape']!r}")
    for name, known in (("parts", PARTS), ("tables", TABLES), ("rows", ROWS)):
        if knobs[name] not in known:
            raise TaskError(f"knob {name!r} must be {known[0]} to {known[-1]}, not {knobs[name]}")


def _task(
    query: Query, schema: Schema, proof: Proof, split: Split, seed: int, knobs: Mapping[str, Any], template: str
) -> Task:
    ddl = schema.ddl()
    step = max(1, len(proof.killed) // 12)
    return Task(
        id=f"sql/{split}/{knobs['shape']}-{knobs['parts']}-{knobs['tables']}-{knobs['rows']}/{seed}",
        family="sql",
        seed=seed,
        instruction=(
            f"Write one SQLite query that answers a question about a database like this:\n\n{ddl}\n\n"
            f"The question:\n{tell(query)}\n\n{RULES}"
        ),
        difficulty=dict(knobs),
        tools=TOOLS,
        budget=Budget(turns=5, seconds=120.0),
        public={"schema": ddl, "tables": schema.to_json(), "database": proof.shown.database},
        hidden={
            "solution": sql(query),
            "ordered": is_ordered(query),
            "shown": [list(row) for row in proof.shown.rows],
            "tests": [
                {"database": one.database, "rows": [list(row) for row in one.rows], "columns": len(one.rows[0])}
                for one in proof.hidden
            ],
            "near_misses": [[kind, text] for kind, text in proof.killed[::step]],
        },
        provenance={
            "template": template,
            "split": split,
            "generator": GENERATOR_VERSION,
            "near_misses": proof.misses,
            "killed": len(proof.killed),
        },
    )
