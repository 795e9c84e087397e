"""Right, wrong and nearly right answers for an entry, each with a name that says what was done to it."""

from collections.abc import Iterator, Mapping, Sequence

from palestra.envs.base import Json

Call = tuple[str, dict[str, Json]]
VALUES_EACH = 4  # parameters of the first call that are spoilt


def answers(
    functions: Sequence[Mapping[str, Json]], wanted: Sequence[Mapping[str, Json]]
) -> Iterator[tuple[str, list[Call]]]:
    """Yield names and answers: the right one, other accepted ones, and what is spoilt in one place.

    Args:
        functions: the entry's documents.
        wanted: what the entry accepts.
    """
    right = [(name, _first(accepted)) for one in wanted for name, accepted in one.items()]
    name, arguments = right[0]
    yield "right", right
    yield "none", []
    yield "another function", [(f"{name}_other", arguments), *right[1:]]
    yield "one call twice", [*right, right[0]]
    if len(right) > 1:
        yield "one call less", right[1:]
        yield "calls reversed", right[::-1]
        yield "calls rotated", [*right[1:], right[0]]
        yield "the first call for all", [right[0]] * len(right)
    yield "an unknown parameter", [(name, {**arguments, "surplus": 1}), *right[1:]]
    for told, changed in _changed(functions, name, arguments, wanted[0][name]):
        yield told, [(name, changed), *right[1:]]


def _first(accepted: Mapping[str, Sequence[Json]]) -> dict[str, Json]:
    """Return the first accepted value of each parameter; one that may only be left out is."""
    chosen = {key: next((value for value in values if value != ""), "") for key, values in accepted.items()}
    return {key: _plain(value) for key, value in chosen.items() if value != "" or "" not in accepted[key]}


def _plain(value: Json) -> Json:
    """Return an accepted value as one would give it: objects in it hold lists of choices."""
    if isinstance(value, Mapping):
        listed = {key: inner if isinstance(inner, list) else [inner] for key, inner in value.items()}
        return {key: next((one for one in inner if one != ""), "") for key, inner in listed.items()}
    if isinstance(value, list):
        return [_plain(item) if isinstance(item, Mapping) else item for item in value]
    return value


def _changed(
    functions: Sequence[Mapping[str, Json]],
    name: str,
    arguments: Mapping[str, Json],
    accepted: Mapping[str, Sequence[Json]],
) -> Iterator[tuple[str, dict[str, Json]]]:
    for key in list(arguments)[:VALUES_EACH]:
        yield "a parameter left out", {other: value for other, value in arguments.items() if other != key}
        yield "null for a value", {**arguments, key: None}
        for told, value in _others(arguments[key]):
            yield told, {**arguments, key: value}
        for value in accepted[key][1:]:
            if value != "":
                yield "another accepted value", {**arguments, key: _plain(value)}
    properties = next(document["parameters"]["properties"] for document in functions if document["name"] == name)
    for key in [key for key in properties if key not in arguments][:VALUES_EACH]:
        for told, value in (("''", ""), ("'---'", "---"), ("[]", []), ("null", None), ("0", 0)):
            yield f"{told} for what is left out", {**arguments, key: value}


def _others(value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, bool):
        yield from (
            ("another truth", not value),
            ("a number for a truth", int(value)),
            ("a text for a truth", str(value)),
        )
    elif isinstance(value, (int, float)):
        yield "another number", value + 1
        yield "the negative number", -value
        yield "a text for a number", str(value)
        if isinstance(value, int) or value == int(value):
            yield "the other kind of number", float(value) if isinstance(value, int) else int(value)
    elif isinstance(value, str):
        yield from _other_texts(value)
    elif isinstance(value, list):
        yield from _other_lists(value)
    elif isinstance(value, Mapping):
        yield "another key", {**value, "surplus": 1}
        yield "a key less", dict(list(value.items())[1:])
        yield "an empty object", {}


def _other_texts(value: str) -> Iterator[tuple[str, Json]]:
    yield "another text", f"{value}x"
    yield "an empty text", ""
    yield "marks alone", "---"
    yield "upper case", value.upper()
    yield "hyphens for spaces", value.replace(" ", "-")
    yield "no spaces and marks", "".join(letter for letter in value if letter not in " ,./-_*^")
    yield "spaces around", f" {value} "
    yield "a full stop more", f"{value}."
    yield "a list for a text", [value]
    first = next((place for place, letter in enumerate(value) if letter.isdigit()), -1)
    if first >= 0:
        yield "a minus before a digit", f"{value[:first]}-{value[first:]}"
        yield "a point within a number", f"{value[: first + 1]}.{value[first + 1 :]}"


def _other_lists(value: list[Json]) -> Iterator[tuple[str, Json]]:
    yield "an empty list", []
    yield "an item more", [*value, *value[:1]]
    yield "an item less", value[:-1]
    if value[::-1] != value:
        yield "items reversed", value[::-1]
    yield "items as text", [str(item) for item in value]
    if value and isinstance(value[0], (int, float)) and not isinstance(value[0], bool):
        other = float(value[0]) if isinstance(value[0], int) else int(value[0])
        yield "the other kind of number in a list", [other, *value[1:]]
        yield "truths in a list", [bool(item) for item in value]
