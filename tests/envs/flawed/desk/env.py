"""An honest environment with tools and a small database: cancel an order, and say what it cost."""

import json
from collections.abc import Iterator
from random import Random
from typing import ClassVar

from tests.envs.flawed.corpus import Tasks

from palestra.envs.actions import Action, ToolCall, call_text, function_tool
from palestra.envs.base import Budget, Json, Split, Task, copy_json
from palestra.envs.env import AgentEnv, StepResult

TEXT = {"type": "string"}
TOOLS = (
    function_tool("find", "Look a customer up by name.", {"name": TEXT}),
    function_tool("orders", "List the orders of a customer.", {"customer": TEXT}),
    function_tool("cancel", "Cancel an order.", {"order": TEXT}),
    function_tool(
        "finish", "End; say what was refunded.", {"refund": {"type": "number"}, "comment": TEXT}, required=["refund"]
    ),
)
NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("Ada", "Bo", "Cleo", "Dan", "Eve", "Finn", "Gil"),
    "heldout": ("Uma", "Vic", "Wes", "Xena", "Yann", "Zoe"),
}
ITEMS = ("lamp", "desk", "chair", "vase", "clock", "shelf", "sofa", "rug")


class DeskTasks(Tasks):
    """Three customers with two orders each."""

    family = "desk"

    def make(self, seed: int, draw: Random) -> Task:
        names, items = draw.sample(NAMES[self.split], 3), draw.sample(ITEMS, 6)
        customers = {f"c{number}": name for number, name in zip(draw.sample(range(100, 900), 3), names, strict=True)}
        prices, owners = draw.sample(range(11, 99), 6), [*customers, *customers]
        orders: dict[str, dict[str, Json]] = {
            f"o{number}": {"customer": owner, "item": item, "price": price, "open": True}
            for number, owner, item, price in zip(draw.sample(range(1000, 9000), 6), owners, items, prices, strict=True)
        }
        order = draw.choice(list(orders))
        name, item = customers[orders[order]["customer"]], orders[order]["item"]
        return Task(
            id=f"desk/{self.split}/{seed}",
            family="desk",
            seed=seed,
            instruction=self.words(name, item, orders[order]["price"]),
            tools=TOOLS,
            budget=Budget(turns=8),
            hidden={"customers": customers, "orders": orders, "order": order, "price": orders[order]["price"]},
        )

    def words(self, name: str, item: str, price: Json) -> str:
        return f"{name} does not want the {item} any more: cancel the order, then finish with its price."


class Desk(AgentEnv):
    """The honest one."""

    env_id: ClassVar[str] = "flawed/Desk-v0"
    source: ClassVar[type[Tasks]] = DeskTasks
    table: dict[str, dict[str, Json]]

    def _source(self, split: Split) -> Tasks:
        return self.source(split)

    def _begin(self, task: Task) -> None:
        self.table = copy_json(task.hidden["orders"])

    def _act(self, action: Action) -> StepResult:
        replies: list[str] = []
        for call in action.calls:
            if call.name == "finish":
                won = self.wins(call.arguments)
                left = [""] * (len(action.calls) - len(replies) - 1)
                return StepResult(replies=(*replies, "finished", *left), parts=self.pay(won), done=True, is_success=won)
            replies.append(self.reply(call))
        return StepResult(replies=tuple(replies) or ("call a tool",))

    def reply(self, call: ToolCall) -> str:
        if call.name == "find":
            found = [key for key, name in self.task.hidden["customers"].items() if name == call.arguments["name"]]
            return json.dumps({"customers": found})
        if call.name == "orders":
            return json.dumps(self.listed(call.arguments["customer"]))
        order = self.table.get(call.arguments["order"])
        if order is None or not order["open"]:
            return "error: there is no such open order"
        order["open"] = False
        return "cancelled"

    def listed(self, customer: str) -> list[Json]:
        return [
            {"order": key, "item": order["item"], "price": order["price"]}
            for key, order in self.table.items()
            if order["customer"] == customer
        ]

    def closed(self) -> list[str]:
        return [key for key, order in self.table.items() if not order["open"]]

    def wins(self, arguments: dict[str, Json]) -> bool:
        hidden = self.task.hidden
        return bool(self.closed() == [hidden["order"]] and arguments["refund"] == hidden["price"])

    def pay(self, won: bool) -> dict[str, float]:
        return {"outcome": float(won)}

    def _potential(self) -> float:
        return 0.5 * (self.closed() == [self.task.hidden["order"]])

    def _dump(self) -> Json:
        return {"table": self.table}

    def _load(self, state: Json) -> None:
        self.table = state["table"]

    def oracle(self) -> Iterator[str]:
        hidden = self.task.hidden
        customer = hidden["orders"][hidden["order"]]["customer"]
        yield call_text("find", {"name": hidden["customers"][customer]})
        yield call_text("orders", {"customer": customer})
        yield call_text("cancel", {"order": hidden["order"]})
        yield call_text("finish", {"refund": hidden["price"]})
