"""BFCL's own rules, for figures that compare with the leaderboard's: laxer here, stricter there, and not ours.

They are written anew from what the package's checker was seen to answer, on JSON values; benchmarks/bfcl.py
compares the two on every item. What they let through that `match` does not: texts lose all spaces and the
marks ``,./-_*^`` ("-5.3" is "53", "---" is ""), ``[]`` passes for an optional list, true may pass for 1 inside
a list. What they refuse that `match` takes: 5.0 for the integer 5, an integer for a float inside a list, and
calls that fit the wanted ones in another pairing than the first that comes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from palestra.envs.base import Json
from palestra.envs.bfcl.schema import Language
from palestra.envs.bfcl.singleturn.match import Wanted

_MARKS = re.compile(r"[ ,./\-_*^]")
_PYTHON: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "any": str,
}
_JAVA: Mapping[str, type] = {
    "byte": int,
    "short": int,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": bool,
    "char": str,
    "Array": list,
    "ArrayList": list,
    "HashMap": dict,
    "String": str,
    "any": str,
}
_JAVASCRIPT: Mapping[str, type] = {
    "String": str,
    "integer": int,
    "float": float,
    "Bigint": int,
    "Boolean": bool,
    "dict": dict,
    "array": list,
    "any": str,
}
_KINDS: Mapping[Language, Mapping[str, type]] = {"python": _PYTHON, "java": _JAVA, "javascript": _JAVASCRIPT}
_LISTS = ("array", "tuple", "Array", "ArrayList")
Call = tuple[str, Mapping[str, Json]]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a parameter is declared to be: its type, and its items' where it is a list."""

    name: str
    kind: type
    items: type | None


def compatible(
    given: Sequence[Call],
    wanted: Sequence[Wanted],
    functions: Sequence[Mapping[str, Json]],
    category: str,
    language: Language = "python",
) -> bool:
    """Tell whether BFCL's rules accept the calls.

    Args:
        given: the calls, each a name and its arguments as JSON values (in Java and JavaScript, too, where
            BFCL reads them from literals).
        wanted: the calls that are accepted.
        functions: BFCL's documents of the functions that may be called.
        category: "parallel" in it means any order, "multiple" any function.
        language: of the functions.
    """
    if len(given) != len(wanted):
        return False
    documents = {document["name"]: document for document in functions}
    if "parallel" not in category:
        name = next(iter(wanted[0])) if "multiple" in category else functions[0]["name"]
        return _call_ok(given[0], next(iter(wanted[0].values())), documents[name], language)
    left = list(given)
    for one in wanted:
        ((name, accepted),) = one.items()
        first = next((call for call in left if _call_ok(call, accepted, documents[name], language)), None)
        if first is None:
            return False
        del left[next(place for place, call in enumerate(left) if call is first)]
    return True


def _call_ok(
    call: Call, accepted: Mapping[str, Sequence[Json]], document: Mapping[str, Json], language: Language
) -> bool:
    name, arguments = call
    parameters = document["parameters"]
    if name != document["name"] or not set(parameters["required"]) <= set(arguments):
        return False
    for argument, value in arguments.items():
        if argument not in parameters["properties"] or argument not in accepted:
            return False
        declared = _declared(parameters["properties"][argument], language)
        if not _value_ok(value, accepted[argument], declared, language):
            return False
    return all(argument in arguments or "" in values for argument, values in accepted.items())


def _declared(schema: Mapping[str, Json], language: Language) -> Declared:
    kinds, name = _KINDS[language], schema["type"]
    return Declared(name, kinds[name], kinds[schema["items"]["type"]] if name in _LISTS else None)


def _value_ok(value: Json, accepted: Sequence[Json], declared: Declared, language: Language) -> bool:
    if language != "java" and declared.name == "float":
        value = _as_float(value)
    if language == "javascript" and declared.items is float and isinstance(value, list):
        value = [_as_float(item) for item in value]  # JavaScript's numbers are of one kind
    first = _first_type(accepted)
    is_variable = first is not None and first is not declared.kind  # named by a text instead of given
    kind: Any = type(value)
    if kind is declared.kind:
        if declared.items is not None and not _items_ok(value, accepted, declared.items):
            return False
    elif first is not None and kind is first:
        is_variable = True
    else:
        return False
    if is_variable:
        return value in accepted
    if declared.kind is dict:
        return _object_ok(value, accepted)
    if declared.kind is list:
        if declared.items is dict:
            return any(_objects_ok(value, choice) for choice in accepted)
        return _stripped_list(value) in [_stripped_list(choice) for choice in accepted]
    if declared.kind is str:
        return _stripped(value) in [_stripped(choice) for choice in accepted if isinstance(choice, str)]
    return value in accepted


def _as_float(value: Json) -> Json:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _first_type(accepted: Sequence[Json]) -> type | None:
    """Return the type of the first accepted value that does not stand for leaving it out."""
    return next((type(value) for value in accepted if value != ""), None)


def _items_ok(value: list[Json], accepted: Sequence[Json], kind: type) -> bool:
    """Tell whether the items' types are right for some choice, by the declaration or by the choice's own."""
    return any(
        not isinstance(choice, list) or all(type(item) in (kind, _first_type(choice)) for item in value)
        for choice in accepted
    )


def _object_ok(value: Mapping[str, Json], accepted: Sequence[Json]) -> bool:
    for choice in accepted:
        if not isinstance(choice, Mapping) or not set(value) <= set(choice):
            continue
        right = all(_stripped(inner) in [_stripped(one) for one in choice[key]] for key, inner in value.items())
        if right and all(key in value or "" in values for key, values in choice.items()):
            return True
    return False


def _objects_ok(value: list[Json], choice: Json) -> bool:
    if len(value) != len(choice):
        return False
    return all(
        isinstance(mine, Mapping) and _object_ok(mine, [theirs]) for mine, theirs in zip(value, choice, strict=True)
    )


def _stripped_list(value: Sequence[Json]) -> list[Json]:
    return [_stripped(item) for item in value]


def _stripped(value: Json) -> Json:
    """Return a text without spaces and marks, in lower case; anything else as it is."""
    return _MARKS.sub("", value).lower().replace("'", '"') if isinstance(value, str) else value
