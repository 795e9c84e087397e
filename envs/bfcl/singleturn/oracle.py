"""The reference solver: of everything that is accepted, calls that the tools' own schemas take."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence

from jsonschema import Draft202012Validator

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task, TaskError
from palestra.envs.bfcl.singleturn.match import Wanted

_LEFT_OUT = object()


def solve(wanted: Sequence[Wanted], tools: Sequence[Mapping[str, Json]]) -> list[dict[str, Json]]:
    """Return one call for each wanted one, in their order.

    Raises:
        TaskError: no accepted call fits its tool; the message names the parameter.
    """
    schemas = {one["function"]["name"]: one["function"]["parameters"] for one in tools}
    return [
        {"name": name, "arguments": _arguments(name, accepted, schemas[name])}
        for one in wanted
        for name, accepted in one.items()
    ]


def _arguments(name: str, accepted: Mapping[str, Sequence[Json]], schema: Mapping[str, Json]) -> dict[str, Json]:
    made = {}
    for parameter, values in accepted.items():
        declared = schema["properties"].get(parameter)
        needed = parameter in schema["required"]
        fitting = [
            value
            for choice in values
            for value in _values(choice, needed=needed)
            if value is _LEFT_OUT or (declared is not None and Draft202012Validator(declared).is_valid(value))
        ]
        if not fitting:
            raise TaskError(f"nothing that is accepted for {name}.{parameter} fits its schema: {values!r:.200}")
        if _LEFT_OUT not in fitting and None not in fitting:  # no more is said than must be
            made[parameter] = fitting[0]
    if lacking := [parameter for parameter in schema["required"] if parameter not in made]:
        raise TaskError(f"no value is accepted for {name}.{lacking[0]}, which is required")
    return made


def _values(choice: Json, *, needed: bool) -> Iterator[Json]:
    """Yield the values that one accepted choice stands for: objects in it hold lists of choices."""
    if choice == "" and not needed:
        yield _LEFT_OUT
    elif isinstance(choice, Mapping):
        yield _object(choice)
    elif isinstance(choice, list):
        yield [_object(item) if isinstance(item, Mapping) else item for item in choice]
    else:
        yield choice


def _object(choice: Mapping[str, Json]) -> dict[str, Json]:
    listed = {key: values if isinstance(values, list) else [values] for key, values in choice.items()}
    return {key: next(itertools.chain((v for v in values if v != ""), values)) for key, values in listed.items()}


def requests_of(task: Task) -> list[dict[str, Json]]:
    """Return a task's requests: what is said, what may be called, what is wanted, and the oracle's calls."""
    requests = [json.loads(request) for request in task.hidden["requests"]]
    return [{**request, "tools": tuple(request["tools"])} for request in requests]


def solution(task: Task) -> Iterator[str]:
    """Yield the actions that solve a task: for each request its calls, all in one turn."""
    for request in requests_of(task):
        yield "".join(call_text(call["name"], call["arguments"]) for call in request["calls"])
