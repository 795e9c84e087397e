"""What a query is paid: for its outcome alone, or in parts, after Reasoning-SQL. Pure functions of texts.

Source of the parts and weights: Reasoning-SQL, arXiv:2503.23157, whose training script sums 3 for execution, 1 for
syntax, up to 1 for schema linking by recall, up to 1 for the Jaccard index of bigrams and up to 0.5 for format. Here
the sum is divided by the most it can be, and schema linking is told by precision as well, so that naming every table
and column does not pay.
"""

import itertools
import re
from collections.abc import Mapping, Sequence, Set
from typing import Final, Literal

from palestra.rewards.heads import f1

Reward = Literal["exact", "reasoning_sql"]
REWARDS: tuple[Reward, ...] = ("exact", "reasoning_sql")
WEIGHTS: Final = {"execution": 3.0, "syntax": 1.0, "schema": 1.0, "ngram": 1.0, "format": 0.5}

Tables = Mapping[str, Sequence[str]]  # the columns of each table
Name = tuple[str, str]  # "table" or "column", and which

_TOKEN: Final = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))"""
    r"""|(?P<text>'(?:[^']|'')*'?)"""
    r"""|(?P<name>"[^"]*"?|`[^`]*`?|\[[^\]]*\]?|[^\W\d]\w*)"""
    r"""|(?P<other>\d[\w.]*|<>|<=|>=|!=|==|\|\||.)""",
    re.DOTALL,
)


def tokens(sql: str) -> list[str]:
    """Return a query's words, numbers, texts and signs, in lower case but for texts, without comments."""
    return [text if kind == "text" else text.lower() for kind, text in _tokens(sql)]


def names(sql: str, tables: Tables) -> frozenset[Name]:
    """Return the tables and columns of a schema that a query names; texts and comments name nothing."""
    said = {text.strip('"`[]').lower() for kind, text in _tokens(sql) if kind == "name"}
    known = {("table", name) for name in tables} | {("column", name) for row in tables.values() for name in row}
    return frozenset((kind, name) for kind, name in known if name.lower() in said)


def linking(wanted: Set[Name], found: Set[Name]) -> float:
    """Return the harmonic mean of precision and recall of the names, in [0, 1]."""
    return f1(wanted, found)


def linking_recall(wanted: Set[Name], found: Set[Name]) -> float:
    """Return the share of the wanted names that were found, as the paper has it: naming everything earns 1."""
    return len(wanted & found) / len(wanted) if wanted else 1.0


def bigram_similarity(wanted: str, found: str) -> float:
    """Return the Jaccard index of the sets of neighbouring tokens of two queries, in [0, 1]."""
    one, two = (set(itertools.pairwise(words)) for words in (tokens(wanted), tokens(found)))
    return len(one & two) / len(one | two) if one | two else 1.0


def is_bare(sql: str) -> bool:
    """Return whether a text is one query and nothing else: no fence, no words around it, one semicolon at most."""
    found = tokens(sql)
    return bool(found) and found[0] in ("select", "with") and ";" not in found[:-1] and "```" not in sql


def reasoning_sql(wanted: str, found: str, tables: Tables, *, is_right: bool, runs: bool) -> dict[str, float]:
    """Return what the parts of a query are worth: they add up to at most 1, and to 1 for the reference itself.

    A query that is right has execution and syntax, at least 4 / 6.5; one that is wrong has at most 3.5 / 6.5.

    Args:
        wanted: the reference.
        found: what was handed in.
        tables: of the schema.
        is_right: on all hidden databases.
        runs: on the database that is shown.
    """
    parts = {
        "execution": float(is_right),
        "syntax": float(runs or is_right),
        "schema": linking(names(wanted, tables), names(found, tables)),
        "ngram": bigram_similarity(wanted, found),
        "format": float(is_bare(found)),
    }
    most = sum(WEIGHTS.values())
    return {name: WEIGHTS[name] * part / most for name, part in parts.items()}


def _tokens(sql: str) -> list[tuple[str, str]]:
    return [(str(one.lastgroup), one[0]) for one in _TOKEN.finditer(sql) if one.lastgroup != "skip"]
