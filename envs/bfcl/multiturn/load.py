"""The multi-turn entries as tasks: what the user says, which services there are, and what each turn must lead to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from palestra.envs.actions import function_tool
from palestra.envs.base import Budget, Json, Split, Task
from palestra.envs.bfcl import package
from palestra.envs.bfcl.multiturn import services
from palestra.envs.bfcl.multiturn.oracle import END_TURN
from palestra.envs.bfcl.multiturn.script import act_out
from palestra.envs.bfcl.schema import tool
from palestra.envs.bfcl.source import EntrySource, check_category, is_in, mixed

FAMILY = "bfcl_multi_turn"
GENERATOR_VERSION = 1
CATEGORIES = ("base", "miss_func", "miss_param", "long_context")
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


class MultiTurnSource(EntrySource[Item]):
    """BFCL's multi-turn entries. The seeds from 0 give each entry of the split once, then begin again.

    Knobs: ``category`` ("any", base, miss_func, miss_param or long_context). The four variants of a scenario
    are in the same split; about a fifth of the scenarios is held out.
    """

    own_knobs: ClassVar[Mapping[str, Json]] = {"category": "any"}

    def _items(self, category: str) -> tuple[Item, ...]:
        return items(self.split, category)

    def _task(self, item: Item, seed: int, knobs: Mapping[str, Json]) -> Task:
        return task(item, seed, self.split, knobs)


@cache
def items(split: Split, category: str = "any") -> tuple[Item, ...]:
    """Return a split's entries, in an order that mixes the categories and is the same everywhere.

    Raises:
        TaskError: the category is unknown.
    """
    check_category(category, CATEGORIES)
    found = [
        Item(name, number, entry)
        for name in CATEGORIES
        if category in ("any", name)
        for number, entry in enumerate(package.entries(f"multi_turn_{name}"))
        if is_in(split, f"scenario {number}")
    ]
    return mixed(found)


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
