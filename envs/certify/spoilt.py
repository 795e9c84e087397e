"""Spoilt oracles: what is nearly right must fail. A verifier that lets them pass looks at too little.

Mutants change one acting step. Those that succeed are looked at again: a mutant whose every reply and last
state are the oracle's did the same in other words; any other is a hole in the verifier.
Source of the idea: DeMillo, Lipton and Sayward 1978, "Hints on test data selection".
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from palestra.envs.base import Json, Task, copy_json
from palestra.envs.certify.findings import Finding
from palestra.envs.certify.oracle import Recording, Step, actions_of
from palestra.envs.scripts import Episode, Shown

KILL_RATE = 0.9
_VALUES_EACH = 3  # mutants of one value
_LONGEST_TEXT = 80


@dataclass(frozen=True, slots=True)
class Mutant:
    """A spoilt oracle."""

    name: str
    actions: tuple[str, ...]


Spoiler = Callable[[Task], Iterable[Mutant]]


def spoilt(recording: Recording, own: Spoiler, rng: np.random.Generator) -> Finding:
    """Play every mutant; at least 0.9 of those that are not equivalent must fail.

    Args:
        recording: of the oracle.
        own: makes the family's own mutants of a task's oracle.
        rng: what values are drawn from.
    """
    survivors: list[Json] = []
    holes = killed = 0
    for mutant in (*mutants(recording, rng), *own(recording.task)):
        name, episode = mutant.name, recording.replay(mutant.actions)
        if not episode.is_success:
            killed += 1
            continue
        kind = "equivalent" if _is_equivalent(recording, episode) else "hole"
        holes += kind == "hole"
        survivors.append({"name": name, "kind": kind, "actions": "\n".join(episode.actions)[:500]})
    evidence: dict[str, Json] = {"killed": killed, "holes": holes, "survivors": survivors}
    if not killed + holes:
        return Finding(False, "there is no mutant of the oracle that could fail", evidence)
    rate = killed / (killed + holes)
    detail = f"{killed} of {killed + holes} mutants fail" + (
        f", {len(survivors) - holes} are equivalent" * (holes < len(survivors))
    )
    return Finding(rate >= KILL_RATE, detail, evidence)


def mutants(recording: Recording, rng: np.random.Generator) -> Iterator[Mutant]:
    """Yield the oracle with one acting step changed, or two of them swapped."""
    steps, places = recording.steps, recording.acting
    shown = Shown.of(recording.env.messages)
    for place in places:
        step = steps[place]
        if step.call is None:
            for number, text in enumerate(_misspelt(step.content, shown, rng)):
                yield _mutant(f"saying #{number}", [*steps[:place], replace(step, content=text), *steps[place + 1 :]])
            continue
        for name, arguments in _changed(recording, step, shown, rng):
            other = replace(step, call=replace(step.call, arguments=arguments))
            yield _mutant(f"{step.name}.{name}", [*steps[:place], other, *steps[place + 1 :]])
    for one, two in itertools.pairwise(places):
        order = list(steps)
        order[one], order[two] = (
            replace(steps[two], turn=steps[one].turn),
            replace(steps[one], turn=steps[two].turn),
        )
        yield _mutant(f"{steps[one].name} and {steps[two].name} swapped", order)


def _mutant(name: str, steps: Sequence[Step]) -> Mutant:
    return Mutant(name, tuple(actions_of(steps)))


def _is_equivalent(recording: Recording, episode: Episode) -> bool:
    """Tell whether an episode came to the oracle's state, and by its last action where the state does not tell it."""
    oracle = recording.episode
    is_told = recording.env.state_tells_answer or episode.actions[-1] == oracle.actions[-1]
    return is_told and episode.state_keys[-1] == oracle.state_keys[-1]


def _changed(
    recording: Recording, step: Step, shown: Shown, rng: np.random.Generator
) -> Iterator[tuple[str, dict[str, Json]]]:
    """Yield a step's arguments with one value changed or one optional argument dropped."""
    assert step.call is not None  # its caller has looked
    schema = next(
        tool["function"]["parameters"] for tool in recording.task.tools if tool["function"]["name"] == step.name
    )
    arguments = step.call.arguments
    for name, value in arguments.items():
        for number, other in enumerate(_others(schema["properties"].get(name, {}), value, shown, rng)):
            yield f"{name}#{number}", {**copy_json(arguments), name: other}
        if name not in schema.get("required", ()):
            yield f"{name} left out", {key: kept for key, kept in arguments.items() if key != name}


def _misspelt(text: str, shown: Shown, rng: np.random.Generator) -> Iterator[str]:
    """Yield texts that are nearly this one, or hold it."""
    if len(text) > _LONGEST_TEXT:
        return
    other = shown.texts[int(rng.integers(len(shown.texts)))]
    yield from (f"{text}x", f"x{text}", f"not {text}", f"{text} or {other}x", f"{other}x {text} {other}x")
    if len(text) > 1:
        yield from (text[:-1], text[1:])


def _others(schema: Mapping[str, Json], value: Json, shown: Shown, rng: np.random.Generator) -> Iterator[Json]:
    """Yield values of the same type that are not this one."""
    if "enum" in schema:
        yield from [other for other in schema["enum"] if other != value][:_VALUES_EACH]
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from (value + 1, value - 1, -value if value else 7)
    elif isinstance(value, str) and len(value) <= _LONGEST_TEXT:  # a longer one is a program or a letter: the family's
        others = [text for text in shown.texts if text.casefold().strip() != value.casefold().strip()]
        yield from [others[int(place)] for place in rng.permutation(len(others))[: _VALUES_EACH - 1]]
        yield value + "x"
    elif isinstance(value, list):
        yield value[:-1]
        yield [*value, *value[:1]]
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            for other in _others(schema.get("properties", {}).get(name, {}), inner, shown, rng):
                yield {**value, name: other}
