"""How long the chains of steps are that a template takes, told from the declarations alone, before any world is."""

from collections.abc import Sequence
from functools import lru_cache

from palestra.envs.tooluse.parts import Loan, Part
from palestra.envs.tooluse.referral import Way
from palestra.envs.tooluse.schema import ID, Domain, Get, Search


def reach(domain: Domain, parts: Sequence[Part]) -> int:
    """Return the length of the longest chain of steps that parts are likely to take."""
    longest, before = 0, 0
    for part in parts:
        follows = any(way.kind in ("made", "same") for way in part.ways)
        length = _of_part(domain, part)
        before = max(before + 1, length) if follows else length
        longest = max(longest, before)
    return longest


def _of_part(domain: Domain, part: Part) -> int:
    if part.asked is not None:
        return _of_loan(domain, part.asked)
    found = [_of_way(domain, way) for way in part.ways]
    return 1 + max([*found, *(_of_loan(domain, loan) for loan in part.loans.values())], default=0)


def _of_loan(domain: Domain, loan: Loan) -> int:
    return max(_of_way(domain, way) + (not _is_shown(domain, way, loan.path)) for way in loan.ways)


@lru_cache(maxsize=65536)
def _of_way(domain: Domain, way: Way) -> int:
    """Return how many steps, one after another, it takes to know a row's id."""
    if way.kind in ("id", "made", "same"):
        return 0
    if way.via is None:
        return 1
    if way.kind == "reference":
        return _of_way(domain, way.via) + (not _is_shown(domain, way.via, way.column))
    return _of_way(domain, way.via) + 1


def _is_shown(domain: Domain, way: Way, path: str) -> bool:
    """Tell whether the call that resolves a row shows a column of it, too."""
    if way.kind in ("id", "made", "same"):
        return path == ID
    if way.kind != "reference" or way.via is None:
        tool = domain.tool[way.tool]
        return isinstance(tool, Get | Search) and path in tool.shows
    inner = f"{way.column}.{path}"
    if way.via.kind == "reference":
        return False
    if way.via.kind == "id" or not _is_shown(domain, way.via, way.column):
        shown = [tool for tool in domain.tools if isinstance(tool, Get) and tool.table == way.via.table]
        first = next((tool for tool in shown if tool.by == ID and way.column in tool.shows), None)
        return first is not None and inner in first.shows
    return _is_shown(domain, way.via, inner)
