"""`palestra/ToolUseMini-v0`: answer and act by tool calls against a seeded database."""

from collections.abc import Iterator
from typing import ClassVar

from palestra.envs.actions import Action, ToolCall, compact_json
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource, canonical_json
from palestra.envs.env import AgentEnv, StepResult
from palestra.envs.toolmini.generate import DOMAINS, FAMILY, ToolUseMiniSource
from palestra.envs.toolmini.oracle import solution
from palestra.envs.toolmini.tables import Schema, Tables, copy_tables
from palestra.envs.toolmini.verify import verify

NO_CALL = compact_json({"error": "call a tool, or answer"})
ENDED = compact_json({"ended": True})


class ToolUseMiniEnv(AgentEnv):
    """Tasks over a shop, a library and a clinic, each a small database behind five tools and ``answer``.

    An episode ends with the call ``answer(value)``; its outcome is 1.0 when the answer is right and the
    database holds exactly the expected changes, else 0.0. Calls of one turn are carried out in order.
    The potential is the share of the oracle's calls that were made and did not fail.
    """

    env_id: ClassVar[str] = "palestra/ToolUseMini-v0"
    system_prompt: ClassVar[str] = (
        "Use the tools to do what the user asks. Then call answer with the result, or with done after a change."
    )

    _tables: Tables
    _made: list[bool]  # which of the oracle's calls were made
    _tables_text: str = ""  # the tables as canonical JSON; "" until somebody asks, and after each write

    def _source(self, split: Split) -> TaskSource:
        return ToolUseMiniSource(split)

    @property
    def _schema(self) -> Schema:
        return DOMAINS[self.task.public["domain"]].schema

    def _begin(self, task: Task) -> None:
        lacking = {"db", "calls", "changes", "answer"} - set(task.hidden)
        if task.family != FAMILY or task.public.get("domain") not in list(DOMAINS) or lacking:
            raise TaskError(f"{task.id!r} is not a {FAMILY} task, or its hidden part lacks {sorted(lacking)}")
        self._tables, self._tables_text = copy_tables(task.hidden["db"]), ""
        self._made = [False] * len(task.hidden["calls"])

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return StepResult(replies=(NO_CALL,))
        replies: list[str] = []
        for number, call in enumerate(action.calls, start=1):
            if call.name == "answer":
                verdict = verify(self.task.hidden, self._tables, call.arguments["value"])
                left = len(action.calls) - number
                return StepResult(
                    replies=(*replies, *[ENDED] * (1 + left)),
                    parts={"outcome": verdict.score},
                    done=True,
                    is_success=verdict.passed,
                )
            reply = self._schema.call(self._tables, call.name, call.arguments)
            if self._schema.tool(call.name).kind == "set":
                self._tables_text = ""
            if "error" not in reply:
                self._note(call)
            replies.append(compact_json(reply))
        return StepResult(replies=tuple(replies))

    def _note(self, call: ToolCall) -> None:
        """Remember the call if it is one of the oracle's, whatever the case of its texts."""
        for number, wanted in enumerate(self.task.hidden["calls"]):
            if not self._made[number] and wanted["name"] == call.name and _same(wanted["arguments"], call.arguments):
                self._made[number] = True
                return

    def _potential(self) -> float:
        return sum(self._made) / max(1, len(self._made))

    def _dump(self) -> Json:
        return {"tables": self._tables, "made": self._made}

    def _load(self, state: Json) -> None:
        self._tables, self._made, self._tables_text = state["tables"], state["made"], ""

    def _state_text(self) -> str:
        self._tables_text = self._tables_text or canonical_json(self._tables)
        return f'{{"made":{canonical_json(self._made)},"tables":{self._tables_text}}}'

    def oracle(self) -> Iterator[str]:
        """Yield the actions that solve the current task, one call a turn."""
        return solution(self.task)


def _same(wanted: dict[str, str], given: dict[str, str]) -> bool:
    return {name: text.split() for name, text in _folded(wanted)} == {name: t.split() for name, t in _folded(given)}


def _folded(arguments: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, text.casefold()) for name, text in arguments.items()]
