"""What the package's answers say, as data: calls with JSON arguments, and what they must lead to.

The package writes a wanted call as Python source. It is read here as syntax, once, and never evaluated.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from palestra.envs.base import Json, TaskError
from palestra.envs.bfcl.multiturn import services
from palestra.envs.bfcl.multiturn.world import World
from palestra.envs.reading import python_expression


def read_call(text: str, names: Sequence[str]) -> dict[str, Json]:
    """Return a wanted call as its name and its arguments, those without a name named.

    Args:
        text: such as ``sort('report.txt')``.
        names: the services whose methods may be meant.

    Raises:
        TaskError: it is no call of a method of theirs with literal arguments.
    """
    try:
        call: Any = python_expression(text)
        name = call.func.id
        signature = next(services.methods(one)[name] for one in names if name in services.methods(one))
        positional = [ast.literal_eval(value) for value in call.args]
        named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
        bound = signature.bind(None, *positional, **named).arguments
    except (AttributeError, StopIteration, SyntaxError, TypeError, ValueError) as error:
        raise TaskError(f"cannot read the wanted call {text!r:.200}: {error!r}") from error
    return {"name": name, "arguments": {key: value for key, value in bound.items() if key != "self"}}


def act_out(
    names: Sequence[str], configs: Mapping[str, Json], turns: Sequence[Sequence[str]], *, long_context: bool
) -> list[dict[str, Json]]:
    """Carry out an entry's wanted calls in a fresh world.

    Returns:
        For each turn its calls, the digests of their answers in order ("results"), and the digest of what the
        world shows after them ("state").

    Raises:
        TaskError: a call cannot be read.
    """
    world = World.create(names, configs, long_context=long_context)
    told = []
    for turn in turns:
        calls = [read_call(text, names) for text in turn]
        results = [world.call(call["name"], call["arguments"])[1] for call in calls]
        told.append({"calls": calls, "results": sorted(results), "state": world.visible()})
    return told
