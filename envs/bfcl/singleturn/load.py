"""The single-turn entries as tasks: which there are, which of them belong together, and which are left out."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import ClassVar

from palestra.envs.actions import compact_json, function_tool
from palestra.envs.base import Budget, Json, Split, Task, TaskError, derive_seed
from palestra.envs.bfcl import package
from palestra.envs.bfcl.schema import Language, language_of, tool, tool_name
from palestra.envs.bfcl.singleturn.oracle import solve
from palestra.envs.bfcl.singleturn.verify import DECLINE
from palestra.envs.bfcl.source import EntrySource, check_category, is_in, mixed

FAMILY = "bfcl_single_turn"
GENERATOR_VERSION = 1
IRRELEVANT = ("irrelevance", "live_irrelevance")
CATEGORIES = (
    "simple_python",
    "simple_java",
    "simple_javascript",
    "multiple",
    "parallel",
    "parallel_multiple",
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
    *IRRELEVANT,
)
TURNS = 3  # for each request: a malformed action may be made good; the first calls that can be read are judged
_DECLINE_TOOL = function_tool(
    DECLINE, "Say that none of the functions fits the request, or that a value they need was not given.", {}
)
# No call that fits the function's own document is accepted for these: a value outside its enum, of another type
# or of an unknown parameter is wanted, or none at all. The tests show it for each.
UNSOLVABLE = frozenset(
    {
        "simple_javascript_5",
        "parallel_multiple_21",
        "parallel_multiple_94",
        "live_simple_71-35-0",
        "live_simple_106-63-0",
        "live_simple_112-68-0",
        "live_multiple_87-38-4",
        "live_multiple_152-58-6",
        "live_multiple_552-153-1",
        "live_multiple_595-158-1",
        "live_multiple_596-158-2",
        "live_multiple_731-167-2",
        "live_multiple_733-167-4",
        "live_multiple_735-167-6",
        "live_multiple_750-169-5",
        "live_multiple_756-169-11",
        "live_multiple_835-178-10",
        "live_multiple_862-181-3",
        "live_multiple_871-182-8",
        "live_multiple_947-197-0",
        "live_multiple_964-207-0",
        "live_parallel_multiple_2-2-0",
    }
)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry: its category, its group (entries that share a function or a request), and the entry."""

    category: str
    group: str
    entry: Mapping[str, Json]

    @property
    def language(self) -> Language:
        """The language that the functions are of."""
        return language_of(self.category)

    @property
    def wanted(self) -> list[dict[str, Json]]:
        """The accepted calls under their tools' names; none where the request must be declined."""
        calls = package.answers(self.category).get(self.entry["id"], [])
        return [{tool_name(name): accepted for name, accepted in call.items()} for call in calls]

    @property
    def takes_thought(self) -> bool:
        """Whether some wanted call has an argument that may not be left out."""
        accepted = [values for call in self.wanted for parameters in call.values() for values in parameters.values()]
        return any("" not in values for values in accepted)


class SingleTurnSource(EntrySource[Item]):
    """BFCL's single-turn entries. The seeds from 0 give each entry of the split once, then begin again.

    Knobs: ``category`` ("any", or the name of one), ``paired`` (an entry that must be declined, or that a call
    without arguments meets, comes together with another one). Entries that share a function or a request are
    in the same split; about a fifth of the groups is held out.
    """

    own_knobs: ClassVar[Mapping[str, Json]] = {"category": "any", "paired": True}

    def _items(self, category: str) -> tuple[Item, ...]:
        return items(self.split, category)

    def _task(self, item: Item, seed: int, knobs: Mapping[str, Json]) -> Task:
        return task(item, seed, self.split, knobs)


@cache
def items(split: Split, category: str = "any") -> tuple[Item, ...]:
    """Return a split's entries, in an order that mixes the categories and is the same everywhere.

    Raises:
        TaskError: the category is unknown or has no entry in the split.
    """
    check_category(category, CATEGORIES)
    found = [item for item in _all_items() if category in ("any", item.category) and is_in(split, item.group)]
    if not found:
        raise TaskError(f"the category {category!r} has no entry in the split {split!r}")
    return mixed(found)


@lru_cache(maxsize=1)
def _all_items() -> tuple[Item, ...]:
    found = [(category, entry) for category in CATEGORIES for entry in package.entries(category)]
    groups: dict[str, str] = {}

    def leader(name: str) -> str:
        while groups.setdefault(name, name) != name:
            groups[name] = name = groups[groups[name]]
        return name

    keys = [(f"id {entry['id']}", [*_shared(entry)]) for _, entry in found]
    for own, shared in keys:
        for name in shared:
            groups[leader(name)] = leader(own)
    return tuple(
        Item(category, leader(own), entry)
        for (category, entry), (own, _) in zip(found, keys, strict=True)
        if entry["id"] not in UNSOLVABLE
    )


def _shared(entry: Mapping[str, Json]) -> Iterator[str]:
    """Yield what would give one entry away to who has seen another: its functions and its request."""
    yield from (f"function {document['name']}" for document in entry["function"])
    yield f"request {entry['question'][0][-1]['content'].casefold().strip()}"


def task(item: Item, seed: int, split: Split, knobs: Mapping[str, Json]) -> Task:
    """Return an entry as a task.

    To decline, or to name a function that takes nothing, is one word, whatever was asked. An entry for which
    that is enough is paired with one for which it is not: no constant answer earns anything.
    """
    posed = [item]
    if knobs["paired"] and not item.takes_thought:
        rng = random.Random(derive_seed(FAMILY, item.entry["id"], seed, "partner"))
        posed.append(rng.choice([other for other in _thoughtful(split) if other.group != item.group]))
        rng.shuffle(posed)
    requests = [_request(one) for one in posed]
    return Task(
        id="/".join([FAMILY, *(one.entry["id"] for one in posed)]),
        family=FAMILY,
        seed=seed,
        instruction=requests[0]["text"],
        difficulty=knobs,
        tools=tuple(requests[0]["tools"]),
        budget=Budget(turns=TURNS * len(posed)),
        public={"category": item.category},
        hidden={"requests": [compact_json(request) for request in requests]},
        provenance={
            "template": item.group,
            "split": split,
            "generator": GENERATOR_VERSION,
            "package": f"{package.DISTRIBUTION} {package.VERSION}",
            "entry": item.entry["id"],
        },
    )


@cache
def _thoughtful(split: Split) -> tuple[Item, ...]:
    return tuple(item for item in items(split) if item.takes_thought)


def _request(item: Item) -> dict[str, Json]:
    """Return an entry as one request: what is said, what may be called, what is wanted, and the oracle's calls."""
    documents, wanted = item.entry["function"], item.wanted
    tools = [*(tool(document, item.language) for document in documents), _DECLINE_TOOL]
    return {
        "text": _said(item.entry["question"][0]),
        "tools": tools,
        "wanted": wanted or [{DECLINE: {}}],
        "calls": solve(wanted, tools) if wanted else [{"name": DECLINE, "arguments": {}}],
        "category": item.category,
        "functions": [{**document, "name": tool_name(document["name"])} for document in documents],
    }


def _said(messages: list[dict[str, str]]) -> str:
    """Return what was said before the agent's turn; who said it is told where there was more than a request."""
    if len(messages) == 1:
        return messages[0]["content"]
    return "\n\n".join(f"[{message['role']}] {message['content']}" for message in messages)
