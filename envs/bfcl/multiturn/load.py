"""The multi-turn entries as tasks: what the user says, which services there are, and what each turn must lead to."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from palestra.envs.actions import function_tool
from palestra.envs.base import SPLITS, Budget, Json, Split, Task, TaskError, merge_knobs
from palestra.envs.bfcl import package
from palestra.envs.bfcl.multiturn import services
from palestra.envs.bfcl.multiturn.oracle import END_TURN
from palestra.envs.bfcl.multiturn.script import act_out
from palestra.envs.bfcl.schema import tool

FAMILY = "bfcl_multi_turn"
GENERATOR_VERSION = 1
CATEGORIES = ("base", "miss_func", "miss_param", "long_context")
HELD_OUT = 5  # one scenario in so many
MORE_TOOLS = "There are more tools now than before: {}. Please do it with them."
TURNS_EACH = 10  # of the agent's, for one of the user's
_END_TURN_TOOL = function_tool(
    END_TURN, "Give the turn back to the user: all is done, or something is missing. Say so in the same message.", {}
)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry: its category, the number of its scenario, which the four categories share, and the entry."""

    category: str
    scenario: int
    entry: Mapping[str, Json]

    @property
    def is_long(self) -> bool:
        """Whether the services are padded with long content."""
        return self.category == "long_context"


class MultiTurnSource:
    """BFCL's multi-turn entries. The seeds from 0 give each entry of the split once, then begin again.

    Knobs: ``category`` ("any", base, miss_func, miss_param or long_context). The four variants of a scenario
    are in the same split; about a fifth of the scenarios is held out.

    Raises:
        BfclMissingError: the package is not installed.
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"split must be one of {', '.join(SPLITS)}, not {split!r}")
        package.root()
        self.split: Split = split
        self.knobs: Mapping[str, Json] = {"category": "any"}

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed: the same bytes for the same arguments, in any process.

        Raises:
            TaskError: the seed is no integer, or a knob is unknown.
        """
        if type(seed) is not int or seed < 0:
            raise TaskError(f"a seed must be an integer of at least 0, not {seed!r}")
        knobs = merge_knobs(self.knobs, difficulty)
        fitting = items(self.split, knobs["category"])
        return task(fitting[seed % len(fitting)], seed, self.split, knobs)

    def __iter__(self) -> Iterator[Task]:
        """Yield the tasks of seeds 0, 1, 2 ... without end."""
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1


@cache
def items(split: Split, category: str = "any") -> tuple[Item, ...]:
    """Return a split's entries, in an order that mixes the categories and is the same everywhere.

    Raises:
        TaskError: the category is unknown.
    """
    if category != "any" and category not in CATEGORIES:
        raise TaskError(f"knob 'category' must be any, {', '.join(CATEGORIES)}, not {category!r}")
    found = [
        Item(name, number, entry)
        for name in CATEGORIES
        if category in ("any", name)
        for number, entry in enumerate(package.entries(f"multi_turn_{name}"))
        if (_number(f"scenario {number}") % HELD_OUT == 0) == (split == "heldout")
    ]
    return tuple(sorted(found, key=lambda item: _number(item.entry["id"])))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def task(item: Item, seed: int, split: Split, knobs: Mapping[str, Json]) -> Task:
    """Return an entry as a task, its wanted calls acted out."""
    entry = item.entry
    names, configs = entry["involved_classes"], entry["initial_config"]
    wanted = package.answers(f"multi_turn_{item.category}")[entry["id"]]
    acted = act_out(names, configs, wanted, long_context=item.is_long)
    tools, later = (*_tools(names), _END_TURN_TOOL), _later(entry, acted)
    known, missing = [one["function"]["name"] for one in tools], {name for came in later.values() for name in came}
    turns = [
        {"user": _said(messages, later.get(number, [])), "came": later.get(number, []), **told}
        for number, (messages, told) in enumerate(zip(entry["question"], acted, strict=True))
    ]
    return Task(
        id=f"{FAMILY}/{entry['id']}",
        family=FAMILY,
        seed=seed,
        instruction=turns[0]["user"],
        difficulty=knobs,
        tools=tools,
        budget=Budget(turns=max(TURNS_EACH * len(turns), sum(len(turn["calls"]) + 3 for turn in turns))),
        public={"category": item.category, "tools": [name for name in known if name not in missing]},
        hidden={"services": names, "configs": configs, "is_long": item.is_long, "turns": turns},
        provenance={
            "template": f"scenario {item.scenario}",
            "split": split,
            "generator": GENERATOR_VERSION,
            "package": f"{package.DISTRIBUTION} {package.VERSION}",
            "entry": entry["id"],
        },
    )


def _later(entry: Mapping[str, Json], acted: Sequence[Mapping[str, Json]]) -> dict[int, list[str]]:
    """Return which tools come in which turn; one that is wanted before it comes (multi_turn_miss_func_49) is there."""
    later = {int(turn): missed for turn, missed in entry.get("missed_function", {}).items()}
    early = {turn: {call["name"] for told in acted[:turn] for call in told["calls"]} for turn in later}
    return {turn: [name for name in missed if name not in early[turn]] for turn, missed in later.items()}


def _tools(names: Sequence[str]) -> Iterator[dict[str, Json]]:
    for name in names:
        for document in package.documents(services.MODULES[name]):
            made = tool(document)
            if document["name"] == "close_ticket":  # scenario 173 has a ticket by the name of "ticket_001"
                made["function"]["parameters"]["properties"]["ticket_id"]["type"] = ["integer", "string"]
            yield made


def _said(messages: Sequence[Mapping[str, str]], came: Sequence[str]) -> str:
    """Return what the user says in a turn; where the entry says nothing, tools came that were missing."""
    return "\n\n".join(message["content"] for message in messages) or MORE_TOOLS.format(", ".join(came))
