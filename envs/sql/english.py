"""Queries told in words, so that no doubt is left about rows, columns, ties, missing values or order."""

from collections.abc import Mapping, Sequence
from typing import Final

from palestra.envs.sql.query import (
    Agg,
    Among,
    AnyOf,
    Between,
    Case,
    Coalesce,
    Col,
    Compare,
    Compound,
    Condition,
    Days,
    Exists,
    Expression,
    InQuery,
    Like,
    Lit,
    Missing,
    Order,
    Part,
    Query,
    Scalar,
    Select,
    Times,
    Window,
    With,
    has_aggregate,
)
from palestra.envs.sql.schema import Kind, Value

INNER: Final = "that_"  # what aliases of subqueries begin with
_NUMBERS: Final = {
    "=": "is", "<>": "is known and is not", "<": "is less than", "<=": "is at most",
    ">": "is greater than", ">=": "is at least",
}  # fmt: skip
_DATES: Final = {
    "=": "is", "<>": "is known and is not", "<": "is before", "<=": "is on or before",
    ">": "is after", ">=": "is on or after",
}  # fmt: skip
_ENDS: Final[Mapping[str, tuple[str, str]]] = {
    "text": ("from A to Z", "from Z to A"),
    "date": ("earliest first", "latest first"),
    "number": ("smallest first", "largest first"),
}
_AGGREGATES: Final = {
    "count": "the number of known values of {}",
    "count distinct": "the number of different known values of {}",
    "sum": "the sum of {}",
    "avg": "the average of {}",
    "min": "the least value of {}",
    "max": "the greatest value of {}",
}


def tell(query: Query) -> str:
    """Return a query as a question of several sentences."""
    match query:
        case With(name, inner, then):
            entries = ", ".join(
                f"'{label}' ({_expression(column)})" for label, column in zip(inner.names, inner.columns, strict=True)
            )
            return "\n".join(
                [
                    f"First make a list called {name}. {' '.join(_rows(inner))} Each entry of the list has {entries}.",
                    f"Then answer from that list. {_select(then)}",
                ]
            )
        case Compound(operator, left, right):
            both = {
                "union": "Return the rows that are in A, in B or in both, each different row once.",
                "union all": "Return all rows of A and all rows of B, as often as they occur.",
                "intersect": "Return the rows that are both in A and in B, each different row once.",
                "except": "Return the rows of A that are not in B, each different row once.",
            }[operator]
            same = "Missing values count as equal to each other."
            return f"Let A be this: {_select(left)}\nLet B be this: {_select(right)}\n{both} {same}"
        case Select():
            return _select(query)


def _select(select: Select) -> str:
    return " ".join([*_rows(select), _columns(select), *_ends(select)])


def _rows(select: Select) -> list[str]:
    """Return which rows are taken, and how they are grouped."""
    entry = _noun(select.source.alias)
    one = f"{'an' if entry[0] in 'aeiou' else 'a'} {entry}"
    told = [f"Take all {select.source.plural}."]
    for join in select.joins:
        mine, theirs = _expression(join.mine), _noun(join.source.alias)
        if join.theirs.name == "id":
            without = "is kept, with everything of the other missing" if join.is_left else "is left out"
            told.append(
                f"Join to each its {theirs}, which is the one of the {join.source.plural} whose id is {mine}; "
                f"what has none {without}."
            )
            continue
        without = (
            f"{one} without any is kept once, with everything of the {theirs} missing"
            if join.is_left
            else f"{one} without any is left out"
        )
        told.append(
            f"Join to each {entry} every one of the {join.source.plural} whose {join.theirs.words} is "
            f"{mine}, which makes one row for each pair; {without}."
        )
    if select.where:
        told.append(f"Keep only the rows where {_conditions(select.where)}.")
    if select.group:
        keys = _list([_expression(one) for one in select.group])
        told.append(f"Group the rows by {keys}; missing values form a group of their own.")
    if select.having:
        told.append(f"Keep only the groups in which {_conditions(select.having)}.")
    return told


def _columns(select: Select) -> str:
    each = "group" if select.group else "row"
    listed = [f"({number}) {_expression(column)}" for number, column in enumerate(select.columns, 1)]
    columns = "; ".join(listed) if len(listed) > 1 else _expression(select.columns[0])
    if has_aggregate(select) and not select.group:
        return f"Return a single row over all of them: {columns}."
    once = ", each different result once" if select.distinct else ""
    return f"Return for each {each}{once}: {columns}."


def _ends(select: Select) -> list[str]:
    told = []
    if select.order:
        told.append(f"Sort {_orders(select.order)}.")
    if select.limit:
        first = f"leave out the first {select.offset} and return the next" if select.offset else "return only the first"
        rows = "row" if select.limit == 1 else f"{select.limit} rows"
        told.append(f"Of these, {first} {rows}, or as many as there are.")
    return told


def _orders(orders: Sequence[Order]) -> str:
    return "; ties ".join(f"by {_expression(one.by)}, {_ENDS[_sort_kind(one.by)][one.is_down]}" for one in orders)


def _sort_kind(node: Expression) -> str:
    kind = _kind(node)
    return "number" if kind in ("int", "real") else kind


def _kind(node: Expression) -> Kind:
    match node:
        case Col() | Coalesce(of=Col()):
            return node.kind if isinstance(node, Col) else node.of.kind
        case Agg(function, of) if function in ("min", "max") and of is not None:
            return _kind(of)
        case Scalar(query):
            return _kind(query.columns[0])
        case Case():
            return "text"
    return "int"


def _expression(node: Expression) -> str:
    match node:
        case Col():
            return f"the {node.words} of {_owner(node.alias)}"
        case Lit(value):
            return show(value)
        case Part(unit, of):
            return f"the {unit} of {_expression(of)}" + " (1 to 12)" * (unit == "month")
        case Days(start, end):
            return f"the number of days from {_expression(start)} to {_expression(end)}"
        case Times(left, right):
            return f"{_expression(left)} times {_expression(right)}"
        case Coalesce(of, value):
            return f"{_expression(of)}, or {show(value.value)} where it is missing"
        case Case(when, then, otherwise):
            return f"{show(then.value)} where {_condition(when)}, else {show(otherwise.value)}"
        case Agg(function, of):
            return "the number of rows" if of is None else _AGGREGATES[function].format(_expression(of))
        case Window():
            return _window(node)
        case Scalar(query):
            return _scalar(query)


def _scalar(query: Select) -> str:
    return f"{_expression(query.columns[0])} over all {query.source.plural}{_those(query)}"


def _window(window: Window) -> str:
    group = (
        f"the rows kept with the same {window.within.words} of {_owner(window.within.alias)}" if window.within else ""
    )
    among = f"among {group} (missing ones alike)" if group else "among all the rows kept"
    if window.function in ("sum", "count"):
        figure = (
            "the number of rows" if window.of is None else _AGGREGATES[window.function].format(_expression(window.of))
        )
        if not window.order:
            return f"{figure} {among}"
        until = f"up to and including this one when sorted {_orders(window.order)}"
        return f"the running total, which is {figure} {among}, {until}"
    gaps = {
        "rank": "; equal ones share a rank and leave a gap after it",
        "dense_rank": "; equal ones share a rank and leave no gap after it",
        "row_number": "",
    }[window.function]
    return f"the rank (from 1) {among} when sorted {_orders(window.order)}{gaps}"


def _condition(node: Condition) -> str:
    match node:
        case Compare(operator, left, right):
            words = _DATES if _kind(left) == "date" else _NUMBERS
            return f"{_expression(left)} {words[operator]} {_expression(right)}"
        case Missing(of, negated):
            return f"{_expression(of)} is {'known' if negated else 'missing'}"
        case Between(of, low, high):
            return f"{_expression(of)} is from {show(low.value)} to {show(high.value)}, both included"
        case Among(of, known):
            return f"{_expression(of)} is {_list([show(value.value) for value in known], 'or')}"
        case Like(of, place, letters):
            verb = "starts with" if place == "start" else "contains"
            return f"{_expression(of)} {verb} {show(letters)}, in upper or lower case"
        case InQuery(of, query, negated):
            values = f"the values of {_expression(query.columns[0])} over all {query.source.plural}{_those(query)}"
            return f"{_expression(of)} is {'not ' * negated}among {values}"
        case Exists(query, negated):
            return f"there is {'no' if negated else 'at least one'} row among all {query.source.plural}{_those(query)}"
        case AnyOf(conditions):
            return f"[{'] or ['.join(map(_condition, conditions))}]"


def _those(query: Select) -> str:
    """Return which rows of a subquery count."""
    return f" (only those where {_conditions(query.where)})" if query.where else ""


def _conditions(conditions: Sequence[Condition]) -> str:
    if len(conditions) == 1:
        return _condition(conditions[0])
    return f"all of this is true: [{'] and ['.join(map(_condition, conditions))}]"


def _list(texts: Sequence[str], last: str = "and") -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def _owner(alias: str) -> str:
    return _noun(alias) if alias.startswith(INNER) else f"the {_noun(alias)}"


def _noun(alias: str) -> str:
    return alias.replace("_", " ")


def show(value: Value) -> str:
    """Return a value as it stands in a question."""
    return f"'{value}'" if isinstance(value, str) else str(value)
