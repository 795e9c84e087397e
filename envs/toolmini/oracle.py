"""The reference solver: the calls that solve a task, and what they leave in the tables."""

from collections.abc import Iterator
from dataclasses import dataclass

from palestra.envs.actions import call_text, compact_json
from palestra.envs.base import Json, Task
from palestra.envs.toolmini.domain import Domain, Template
from palestra.envs.toolmini.tables import Record, Tables, changes, copy_tables


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls that solve a task, the texts that they are answered with, and the changes that they make."""

    calls: list[dict[str, Json]]
    replies: list[str]
    changes: list[list[Json]]


def plan(domain: Domain, template: Template, tables: Tables, subject: Record) -> Plan:
    """Return how a template is solved for a subject.

    The calls are carried out on a copy, so a plan that does not work is never returned.

    Raises:
        ValueError: a call failed.
    """
    schema, after = domain.schema, copy_tables(tables)
    calls: list[dict[str, Json]] = []
    replies: list[str] = []
    for name, *paths in template.calls:
        values = [domain.value(tables, template, subject, path) for path in paths]
        arguments = dict(zip(schema.parameters(schema.tool(name)), values, strict=True))
        reply = schema.call(after, name, arguments)
        if "error" in reply:
            raise ValueError(f"the plan of {domain.name}/{template.name} fails at {name}{tuple(values)}: {reply}")
        calls.append({"name": name, "arguments": arguments})
        replies.append(compact_json(reply))
    return Plan(calls, replies, changes(tables, after))


def solution(task: Task) -> Iterator[str]:
    """Yield the actions that solve a task, one call a turn."""
    for call in task.hidden["calls"]:
        yield call_text(call["name"], call["arguments"])
    yield call_text("answer", {"value": task.hidden["answer"]})
