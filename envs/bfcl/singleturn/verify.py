"""What counts as solved: the calls are the wanted ones, each with one of its own, and nothing beside them.

`verify_as_bfcl` is the other judge, for figures that compare with the leaderboard's.
"""

from collections.abc import Mapping, Sequence

from palestra.envs.actions import ToolCall
from palestra.envs.base import Json, canonical_json
from palestra.envs.bfcl.schema import language_of
from palestra.envs.bfcl.singleturn.compatible import compatible
from palestra.envs.bfcl.singleturn.match import equal, matches, takes
from palestra.rewards.base import Check, Verdict

DECLINE = "decline"


def verify(request: Mapping[str, Json], calls: Sequence[ToolCall]) -> Verdict:
    """Judge the calls for one request by our rules: all or nothing.

    Args:
        request: one of the task's hidden part.
        calls: what the agent called. A request is declined by the one call of `DECLINE`.
    """
    return _verdict(matches([(call.name, call.arguments) for call in calls], request["wanted"]), calls)


def verify_as_bfcl(request: Mapping[str, Json], calls: Sequence[ToolCall]) -> Verdict:
    """Judge the calls for one request as BFCL does: where none is wanted, anything without a call is right."""
    given = [(call.name, call.arguments) for call in calls if call.name != DECLINE]
    wanted, category = request["wanted"], request["category"]
    if DECLINE in wanted[0]:
        return _verdict(not given, calls)
    return _verdict(compatible(given, wanted, request["functions"], category, language_of(category)), calls)


def own_words(request: Mapping[str, Json], calls: Sequence[ToolCall]) -> list[list[Json]]:
    """Return the calls without what is accepted as it stands, in an order of their own.

    Two answers that differ only in which accepted values they give, or leave out where that is accepted, have
    the same words: they leave an episode in the same state.
    """
    told = [
        [call.name, {name: value for name, value in call.arguments.items() if not verbatim(request, call, name)}]
        for call in calls
    ]
    return sorted(told, key=canonical_json)


def verbatim(request: Mapping[str, Json], call: ToolCall, name: str) -> bool:
    """Tell whether an argument is, letter by letter, one that is accepted for the function."""
    given = call.arguments[name]
    accepted = [value for one in request["wanted"] for value in one.get(call.name, {}).get(name, ())]
    if given is None:
        return takes(accepted, given)
    return given in accepted if isinstance(given, str) else any(equal(given, value) for value in accepted)


def _verdict(passed: bool, calls: Sequence[ToolCall]) -> Verdict:
    return Verdict.of([Check(name="calls", passed=passed, evidence=f"{[call.name for call in calls]}")])
