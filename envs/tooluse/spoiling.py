"""Spoilt oracles of tool use: another ending, another order, a write beside the goal, and the same undone."""

import itertools
from collections.abc import Iterator, Mapping

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.tooluse.closing import DECLINE, FINISH, REPORT
from palestra.envs.tooluse.interpret import call, is_fault
from palestra.envs.tooluse.schema import Arg, Set, Write
from palestra.envs.tooluse.stage import Stage, stage
from palestra.envs.tooluse.world import World

_IMPOSSIBLE: Mapping[str, Json] = {"string": "none of them", "integer": -987_654, "number": -987_654.25}


def mutants(task: Task) -> Iterator[Mutant]:
    """Yield the oracle with another ending, with a list told backwards, or with writes beside the goal."""
    at = stage(task)
    actions, case = at.actions, at.case
    ends = {
        "decline": call_text(DECLINE, {"reason": "no_tool"}),
        "report": call_text(REPORT, {"code": "unavailable", "tool": task.tools[0]["function"]["name"]}),
        "finish": finishing(task, impossible(task)),
    }
    for name, end in ends.items():
        yield Mutant(f"ended by {name}", (*actions[:-1], end))
    if isinstance(case.goal.answer, (list, tuple)) and len(set(map(str, case.goal.answer))) > 1:
        backwards = call_text(FINISH, {"answer": list(case.goal.answer)[::-1]})
        if list(case.goal.answer)[::-1] != list(case.goal.answer):
            yield Mutant("answers in another order", (*actions[:-1], backwards))
    if not case.layers:
        for name, detour in _detours(at):
            yield Mutant(name, (*actions[:-1], *detour, actions[-1]))


def _detours(at: Stage) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield writes beside the goal, and the same undone: the world is as it should be, and was not in between."""
    for name, tool in at.tools.items():
        if not isinstance(tool, Write) or tool.requires or len(tool.effects) != 1 or len(tool.params) != 2:
            continue
        effect, (row, value) = tool.effects[0], tool.params
        if not isinstance(effect, Set) or effect.value != Arg(value.name) or "." in effect.path:
            continue
        goal = {(table, id_) for table, id_, _ in at.target.cells}
        world = at.world()
        for id_, held in itertools.islice(world.rows(row.table), 40):
            now = held[effect.path]
            away = next((one[effect.path] for _, one in world.rows(row.table) if one[effect.path] != now), None)
            if (row.table, id_) in goal or away is None or now is None:
                continue
            there, back = ({row.name: id_, value.name: one} for one in (away, now))
            if not (_is_open(at, world, name, there) and _is_open(at, world, name, back)):
                continue
            yield f"{name} beside the goal", (call_text(name, there),)
            yield f"{name} and back", (call_text(name, there), call_text(name, back))
            return


def _is_open(at: Stage, world: World, name: str, arguments: Mapping[str, Json]) -> bool:
    return not is_fault(call(world.copy(), name, arguments))


def answer_schema(task: Task) -> Mapping[str, Json]:
    """Return the schema of the answer that a task asks for; empty if it asks for none."""
    finish = next(tool["function"] for tool in task.tools if tool["function"]["name"] == FINISH)
    found: Mapping[str, Json] = finish["parameters"]["properties"].get("answer", {})
    return found


def impossible(task: Task) -> Json:
    """Return an answer of the right type that is never right."""
    kind = answer_schema(task).get("type")
    return [] if kind == "array" else _IMPOSSIBLE.get(str(kind), "")


def finishing(task: Task, answer: Json) -> str:
    """Return the call that ends an episode with an answer, if one is asked for."""
    return call_text(FINISH, {"answer": answer} if answer_schema(task) else {})
