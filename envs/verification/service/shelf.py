"""Tasks that were handed over once, by digest, within a bound of memory."""

from collections import OrderedDict
from dataclasses import dataclass

from palestra.envs.base import Task, TaskError, json_text
from palestra.envs.verification.service.refusal import Refusal


@dataclass(slots=True, kw_only=True, eq=False)
class HeldTask:
    """A task as text; `uses` counts what is yet to be judged of it."""

    digest: str
    id: str
    family: str
    text: str
    uses: int = 0


class Shelf:
    """The tasks that submissions may name. When it is full, those that were not used for longest make room."""

    def __init__(self, most_chars: int) -> None:
        self._most_chars = most_chars
        self._tasks: OrderedDict[str, HeldTask] = OrderedDict()
        self._chars = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def put(self, data: object) -> HeldTask:
        """Keep a task that came as JSON data and return it.

        Raises:
            Refusal: it is no task, or there is no room because all that are kept are in use.
        """
        try:
            task = Task.from_dict(data)  # type: ignore[arg-type]  # says what is wrong with what is no mapping
            digest = task.digest
            if digest not in self._tasks:
                text = json_text(task.to_dict())
                self._make_room(len(text))
                self._chars += len(text)
                self._tasks[digest] = HeldTask(digest=digest, id=task.id, family=task.family, text=text)
        except TaskError as error:
            raise Refusal(400, f"'task' is no task: {error}") from error
        except RecursionError as error:
            raise Refusal(400, "'task' is nested too deeply") from error
        return self.get(digest)

    def get(self, digest: str) -> HeldTask:
        """Return a task that was put here.

        Raises:
            Refusal: it is not here, or not any more.
        """
        if digest not in self._tasks:
            raise Refusal(404, f"no task has the digest {digest!r:.80}; hand it over with POST /v1/tasks")
        self._tasks.move_to_end(digest)
        return self._tasks[digest]

    def _make_room(self, chars: int) -> None:
        idle = [held for held in self._tasks.values() if not held.uses]
        while self._chars + chars > self._most_chars:
            if not idle:
                raise Refusal(503, "no room for another task: all that are held are waited for", 5)
            oldest = self._tasks.pop(idle.pop(0).digest)
            self._chars -= len(oldest.text)
