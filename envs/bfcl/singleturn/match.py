"""Are the calls that were made the calls that were wanted? Ours is the strict answer, on JSON values only.

What counts as equal is declared here and nowhere else:

- a number equals a number of the same value, so 5 is 5.0; true is no number and "5" is none either;
- texts are equal without case, with ' for ", and with every run of spaces and of the marks ``,./-_*^`` taken
  for one space, save a mark that stands before a digit: "New York, NY" is "new york ny", but "-5.3" is not "53";
- lists are equal place by place, objects key by key;
- a parameter or key may be left out (or be null, or "") where "" is among what is accepted.

Calls may come in any order: there must be a perfect matching between the given and the wanted ones.
"""

import re
from collections.abc import Mapping, Sequence

from palestra.envs.base import Json

Wanted = Mapping[str, Mapping[str, Sequence[Json]]]  # one function's name: each parameter's accepted values
_RUN = re.compile(r"(?:[,./\-_*^](?![0-9])|\s)+")


def matches(given: Sequence[tuple[str, Mapping[str, Json]]], wanted: Sequence[Wanted]) -> bool:
    """Tell whether each given call can be paired with a wanted one of its own, with none left over.

    Args:
        given: the calls, each a name and its arguments.
        wanted: the calls that are accepted, each with every accepted value of each parameter.
    """
    if len(given) != len(wanted):
        return False
    fitting = [[place for place, one in enumerate(wanted) if fits(*call, one)] for call in given]
    holder: dict[int, int] = {}  # which call holds which place
    return all(_seat(number, fitting, holder, set()) for number in range(len(given)))


def _seat(number: int, fitting: list[list[int]], holder: dict[int, int], tried: set[int]) -> bool:
    """Find a place for a call, moving those that hold one where that helps (an augmenting path)."""
    for place in fitting[number]:
        if place in tried:
            continue
        tried.add(place)
        if place not in holder or _seat(holder[place], fitting, holder, tried):
            holder[place] = number
            return True
    return False


def fits(name: str, arguments: Mapping[str, Json], wanted: Wanted) -> bool:
    """Tell whether one call is the wanted one."""
    if name not in wanted:
        return False
    accepted = wanted[name]
    known = all(argument in accepted or value is None for argument, value in arguments.items())
    return known and all(takes(values, arguments.get(argument)) for argument, values in accepted.items())


def takes(accepted: Sequence[Json], given: Json) -> bool:
    """Tell whether a value is accepted; None stands for one that was left out."""
    if given is None:
        return any(value is None or value == "" for value in accepted)
    return any(equal(given, value) for value in accepted)


def equal(given: Json, wanted: Json, *, choices: bool = True) -> bool:
    """Tell whether a value is the wanted one.

    Args:
        given: any JSON value.
        wanted: any JSON value.
        choices: whether the wanted objects hold lists of accepted values, as BFCL writes them, or plain values.
    """
    if isinstance(wanted, bool) or isinstance(given, bool):
        return given is wanted
    if isinstance(wanted, (int, float)):
        return isinstance(given, (int, float)) and given == wanted
    if isinstance(wanted, str):
        return isinstance(given, str) and (plain(given) == plain(wanted) if plain(wanted) else given == wanted)
    if isinstance(wanted, list):
        if not isinstance(given, list) or len(given) != len(wanted):
            return False
        return all(equal(mine, theirs, choices=choices) for mine, theirs in zip(given, wanted, strict=True))
    if isinstance(wanted, Mapping):
        return isinstance(given, Mapping) and _equal_objects(given, wanted, choices)
    return given is wanted


def _equal_objects(given: Mapping[str, Json], wanted: Mapping[str, Json], choices: bool) -> bool:
    if not choices:
        return set(given) == set(wanted) and all(equal(given[key], wanted[key], choices=False) for key in wanted)
    if not set(given) <= set(wanted):
        return False
    for key, values in wanted.items():
        accepted = values if isinstance(values, list) else [values]
        if not (key in given and any(equal(given[key], value, choices=False) for value in accepted)) and not (
            given.get(key) is None and "" in accepted
        ):
            return False
    return True


def plain(text: str) -> str:
    """Return a text as it is compared."""
    return _RUN.sub(" ", text.casefold().replace("'", '"')).strip()
