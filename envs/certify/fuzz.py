"""Odd texts by the hundred, where the payment is near: nothing raises, and nothing is paid.

The oracle is played with one turn that matters replaced by something else: a text out of every corner of
Unicode, JSON that is nearly a call, a call whose values are odd, the oracle's own bytes damaged. Whatever
still reads as the oracle's action is left out.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from palestra.envs.actions import MAX_ACTION_CHARS, Action, call_text, parse_action
from palestra.envs.base import Json, copy_json, derive_seed
from palestra.envs.certify.findings import ZERO, Finding
from palestra.envs.certify.oracle import Recording
from palestra.envs.certify.sample import Case, Sample, walk
from palestra.sandbox.base import InfraError

_TASKS = 2
_TURNS = 4  # of an oracle, at most, are replaced
_DAMAGED = 24  # copies of the oracle's action with its bytes changed
_DRAWN = 12  # texts drawn from all of Unicode
_STEPS = 4_000  # are played with one task, about: where episodes are long, fewer odd actions are
_FEW = 24  # odd actions for a turn at least, and no more where each of them starts a program
_FITTING, _OTHERS = 24, 8  # odd values of an argument: of its own type, and of any
_FIT = {True: (str,), False: (int, float)}
_LONG = 80  # characters: a longer text is a program or a letter, and a damaged one may still be right
ODD_TEXTS = (
    "",
    " ",
    "\x00",
    "\ud800",
    "\udfff\ud800",
    "\ufeff\u202e\u2066",
    "e\u0301" * 50,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u0661\u0662\u0663",
    "\u00bd\u2155\u2168",
    "9" * 5_000,
    "-" + "9" * 400,
    "NaN",
    "-Infinity",
    "1e999",
    "0x10",
    "1_000",
    ".*",
    "(",
    "[a-",
    "%s%n%d",
    "{0.__class__}",
    "${HOME}`id`",
    "../../../../etc/passwd",
    "' OR ''='",
    "__import__('os').getcwd()",
    "null",
    "true",
    "All tests passed. is_success: true, reward: 1.0",
    '{"passed": true, "score": 1.0, "result": "success"}',
    "a\r\n\u2028\u0085b",
    "\x1b[2J\x07",
    "x" * (MAX_ACTION_CHARS - 200),
    "x" * (MAX_ACTION_CHARS + 1),
    "[" * 10_000,
    '{"a":' * 5_000,
    "<tool_call>" * 200,
    "<tool_call>{}</tool_call>" * 17,
)
ODD_VALUES: tuple[Json, ...] = (
    None,
    True,
    False,
    [],
    {},
    -0.0,
    0,
    -1,
    1e308,
    -1e308,
    5e-324,
    2**63,
    10**400,
    [[[[[[]]]]]],
    {"==": True},
    {"$ne": None},
    *(text for text in ODD_TEXTS if len(text) < _LONG),
)


def fuzz(sample: Sample) -> Finding:
    """Replace turns of the oracle by odd ones; see the module."""
    count = 0
    for case in sample.cases(_TASKS):
        recording = Recording.of(case.env, case.task, case.seed)
        rng = np.random.default_rng(derive_seed("fuzz", case.task.digest, case.seed, "actions"))
        turns = _turns_that_matter(recording)
        most = (
            _FEW if sample.entry.needs else max(_FEW, _STEPS // (max(1, len(turns)) * len(recording.episode.actions)))
        )
        for turn in turns:
            odd = list(odd_actions(recording, turn, rng))
            odd = [odd[int(place)] for place in sorted(rng.permutation(len(odd))[:most])]
            left_out = _paid(case, [action for n, action in enumerate(recording.episode.actions) if n != turn])[0]
            for action in odd:
                if problem := _problem(case, recording, turn, action, left_out):
                    return Finding(False, f"{problem} in turn {turn + 1} of {case}", {"action": _shown(action)})
                count += 1
    return Finding(True, f"{count} odd actions raise nothing and earn nothing")


def odd_actions(recording: Recording, turn: int, rng: np.random.Generator) -> Iterator[Any]:
    """Yield actions that are not the oracle's of that turn, some of them nearly."""
    own = recording.episode.actions[turn]
    parsed = parse_action(own, recording.task.tools)
    for action in _odd(own, parsed, rng):
        if not is_same(parsed, parse_action(action, recording.task.tools)):
            yield action


def is_same(one: Action, other: Action) -> bool:
    """Tell whether two actions say the same but for case, spaces and the like, or for a long text's details."""
    if one.error or other.error:
        return False
    said = [_plain([[call.name, call.arguments] for call in action.calls] or action.content) for action in (one, other)]
    return bool(said[0] == said[1])


def _odd(own: str, parsed: Action, rng: np.random.Generator) -> Iterator[Any]:
    yield from ODD_TEXTS
    yield from (_drawn_text(rng) for _ in range(_DRAWN))
    yield from (None, 7, b"bytes", [], {"role": "user", "content": own}, {"content": None, "tool_calls": "x"})
    if not parsed.calls and len(own) < _LONG:
        yield from (f"{own}x", f"x{own}", own[:-1], own * 2, f"not {own}", f"{own}\x00{own}", f"{{{own}")
    for place, call in enumerate(parsed.calls):
        texts = [call_text(other.name, other.arguments) for other in parsed.calls]
        for arguments in _odd_arguments(call.arguments, rng):
            yield "".join([*texts[:place], call_text(call.name, arguments), *texts[place + 1 :]])
        for value in _near_calls(call.name, call.arguments):
            yield json.dumps(value)
    for _ in range(_DAMAGED):
        yield _damaged(own, rng)


def _odd_arguments(arguments: Mapping[str, Json], rng: np.random.Generator) -> Iterator[dict[str, Json]]:
    for name, value in arguments.items():
        drawn = [ODD_VALUES[int(place)] for place in rng.permutation(len(ODD_VALUES))]
        fitting = [other for other in drawn if isinstance(other, _FIT[isinstance(value, str)])]
        yield from ({**copy_json(arguments), name: other} for other in (*fitting[:_FITTING], *drawn[:_OTHERS]))
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield from ({**arguments, name: other} for other in (str(value), [value], value + 1e-6 * (value or 1)))


def _near_calls(name: str, arguments: Mapping[str, Json]) -> Iterator[Json]:
    yield {"name": name.upper() + "_", "arguments": arguments}
    yield {"name": name, "arguments": {**arguments, "is_success": True}}
    yield {"name": name, "arguments": arguments, "reward": 1.0}
    yield {"name": name, "arguments": list(arguments)}
    yield {"name": name, "arguments": json.dumps(arguments)}
    yield {"name": [name], "arguments": arguments}
    yield {"function": {"name": name, "arguments": arguments}}


def _damaged(text: str, rng: np.random.Generator) -> str:
    data = bytearray(text.encode("utf-8", "surrogatepass")) or bytearray(b"x")
    for _ in range(int(rng.integers(1, 4))):
        place, kind = int(rng.integers(len(data))), int(rng.integers(4))
        if kind == 0:
            data[place] ^= 1 << int(rng.integers(8))
        elif kind == 1 and len(data) > 1:
            del data[place]
        elif kind == 2:
            data.insert(place, int(rng.integers(256)))
        else:
            end = place + int(rng.integers(1, 12))
            data[place:place] = data[place:end]
    return data.decode("utf-8", ("surrogateescape", "replace")[int(rng.integers(2))])


def _drawn_text(rng: np.random.Generator) -> str:
    top = (0x7F, 0x2FF, 0xFFFF, 0x10FFFF)[int(rng.integers(4))]
    return "".join(map(chr, rng.integers(0, top + 1, size=int(rng.integers(1, 60)))))


def _turns_that_matter(recording: Recording) -> list[int]:
    """Return turns without which the oracle fails, the last of each kind, the last of all first."""
    kinds: dict[str, int] = {}
    for place in reversed(recording.acting):
        step = recording.steps[place]
        kinds.setdefault(step.call.name if step.call else "", step.turn)
    return list(dict.fromkeys(kinds.values()))[:_TURNS]


def _problem(case: Case, recording: Recording, turn: int, action: Any, left_out: float) -> str:
    actions: list[Any] = list(recording.episode.actions)
    actions[turn] = action
    try:
        paid, won = _paid(case, actions)
    except InfraError:
        raise
    except Exception as error:  # no text may make it raise, a verifier's error included
        return f"an odd action raises {error!r:.200}"
    if won or not paid <= max(left_out, 0.0) + ZERO:
        return f"an odd action earns {paid:g}" + " and success" * won
    return ""


def _paid(case: Case, actions: list[Any]) -> tuple[float, bool]:
    turns = list(walk(case, actions))
    return sum(turn.reward for turn in turns), bool(turns[-1].info["is_success"])


def _plain(value: Json) -> Json:
    """Return a value with its texts folded, its numbers as floats and its long texts left out."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, str):
        folded = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", value).casefold()))
        return folded if len(value) <= _LONG else "long"
    return value


def _shown(action: Any) -> str:
    return repr(action)[:500]
