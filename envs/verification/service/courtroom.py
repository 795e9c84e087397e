"""What a worker process of the service does: it judges solutions, with environments of its own."""

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from palestra.envs.base import Json, Task
from palestra.envs.verification.judged import Judges, Result

MOST_TASKS: Final = 32  # kept as objects by a worker
_ABOUT_THE_MACHINE: Final = ("InfraError", "PermanentInfraError", "CapabilityError")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One solution to be judged."""

    env_id: str
    task_digest: str
    task_text: str  # JSON, hidden part included
    solution: str


class Courtroom:
    """Environments, and the tasks that were judged last."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._judges = Judges(**options)
        self._tasks: OrderedDict[str, Task] = OrderedDict()

    def task(self, order: Order) -> Task:
        """Return an order's task, read at most once while it is in use."""
        if order.task_digest not in self._tasks:
            self._tasks[order.task_digest] = Task.from_dict(json.loads(order.task_text))
            if len(self._tasks) > MOST_TASKS:
                self._tasks.popitem(last=False)
        self._tasks.move_to_end(order.task_digest)
        return self._tasks[order.task_digest]

    def judge(self, order: Order) -> Result:
        """Return the result of an order.

        Raises:
            UnknownEnvError, TaskError: there is no such environment, or it judges no texts.
        """
        return self._judges.judge(order.env_id, self.task(order), order.solution)

    def close(self) -> None:
        """Give back what the environments hold."""
        self._judges.close()


def greet(_room: Courtroom) -> None:
    """Do nothing: whoever did it is ready to judge."""


def carry_out(order: Order, room: Courtroom) -> Json:
    """Return the result of an order as JSON data, explanation included."""
    return room.judge(order).to_dict()


def fault(env_id: str, task_id: str, why: str) -> Json:
    """Return the result of what could not be judged, as JSON data."""
    return Result(task_id=task_id, env_id=env_id, status="fault", detail=why).to_dict()


def without_hidden(told: dict[str, Json]) -> dict[str, Json]:
    """Return a result without what may show a task's hidden part: its explanation, and what its broken tests say."""
    detail = told["detail"]
    if told["status"] == "fault" and (kind := detail.partition(":")[0]) not in _ABOUT_THE_MACHINE:
        detail = f"{kind}: the server's log has more"
    return {**told, "detail": detail, "explanation": ""}
