"""Cases written by hand, on the retail world of one seed."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task
from palestra.envs.tooluse.case import Case, Goal, Place, Source, Step
from palestra.envs.tooluse.closing import closing_tools, public_of
from palestra.envs.tooluse.describe import function
from palestra.envs.tooluse.domains.retail import RETAIL
from palestra.envs.tooluse.env import ToolUseEnv
from palestra.envs.tooluse.interpret import call
from palestra.envs.tooluse.world import World, fill

SEED = 7
BASE = fill(RETAIL, "train", SEED)
PENDING = [id_ for id_, row in BASE.rows["orders"].items() if row["status"] == "pending"]


def task_of(case: Case, instruction: str = "Please do it.", turns: int = 12) -> Task:
    """Return a task of a case."""
    tools = (*(function(RETAIL, tool) for tool in RETAIL.tools), *closing_tools(case.goal.answer))
    task = Task(
        id=f"tooluse/retail/by_hand/train/{SEED}",
        family="tooluse",
        seed=SEED,
        instruction=instruction,
        tools=tools,
        public=public_of(BASE),
        hidden=case.to_dict(),
    )
    return replace(task, budget=replace(task.budget, turns=turns))


def carrier_of(order: str) -> str:
    """Return a carrier that an order does not have."""
    return "Bluebox" if BASE.rows["orders"][order]["carrier"] != "Bluebox" else "Parcelo"


def carrier_case(order: str, **changed: Any) -> Case:
    """Return the case of an order that another carrier shall deliver."""
    world, arguments = World(BASE), {"order_id": order, "carrier": carrier_of(order)}
    assert call(world, "change_carrier", arguments) == {"ok": True}
    case = Case(
        place=Place(domain="retail", split="train", seed=SEED, digest=BASE.digest()),
        steps=(Step(tool="change_carrier", arguments=arguments),),
        goal=Goal(changes=tuple(tuple(cell) for cell in world.diff())),
    )
    return replace(case, **changed)


def both_case(order: str) -> Case:
    """Return the case of an order whose fee is asked for, and which another carrier shall deliver afterwards."""
    case = carrier_case(order)
    look = Step(tool="get_order", arguments={"order_id": order})
    goal = replace(
        case.goal,
        answer=BASE.rows["orders"][order]["shipping_fee"],
        sources=(Source(kind="reply", step=0, path="shipping_fee"),),
    )
    return replace(case, steps=(look, replace(case.steps[0], after=(0,))), goal=goal)


def say(name: str, **arguments: Json) -> str:
    """Return a call as text."""
    return call_text(name, arguments)


def earn(env: ToolUseEnv, task: Task, actions: Iterable[str]) -> float:
    """Return what the actions earn; then nothing is done until the end."""
    env.reset(seed=0, options={"task": task})
    total, over, moves = 0.0, False, iter(actions)
    while not over:
        _, reward, terminated, truncated, _ = env.step(next(moves, "nothing"))
        total += reward
        over = terminated or truncated
    return round(total, 9)
