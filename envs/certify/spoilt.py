"""Spoilt oracles: what is nearly right must fail. A verifier that lets them pass looks at too little.

Mutants change one acting step, leave something out of it, do it twice, do another beside it, or swap two. Those
that succeed are looked at again: a mutant that came to the oracle's own state did the same in other words; any
other is a hole in the verifier. Each kind is counted by itself: many that fail do not hide a few of a kind that pass.
Source of the idea: DeMillo, Lipton and Sayward 1978, "Hints on test data selection".
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from palestra.envs.base import Json, Task, copy_json, digest
from palestra.envs.certify.findings import Finding
from palestra.envs.certify.oracle import Recording, Step, actions_of
from palestra.envs.scripts import Episode, Shown

KILL_RATE = 0.9
ENOUGH = 5  # mutants of a kind, equivalent ones left out, for its own rate to count
_VALUES_EACH = 3  # mutants of one value
_LONGEST_TEXT = 80
_SHOWN = 40  # survivors in the evidence


@dataclass(frozen=True, slots=True)
class Mutant:
    """A spoilt oracle."""

    name: str
    actions: tuple[str, ...]
    kind: str = "own"  # of the family; ours are "value", "left out", "saying", "doubled", "extra" and "swapped"


Spoiler = Callable[[Task], Iterable[Mutant]]


def spoilt(
    recording: Recording, own: Spoiler, rng: np.random.Generator, world: Callable[[Json], Json] = lambda state: state
) -> Finding:
    """Play every mutant; at least 0.9 of those that are not equivalent must fail, of all and of each kind.

    Args:
        recording: of the oracle.
        own: makes the family's own mutants of a task's oracle.
        rng: what values are drawn from.
        world: what of the family's state is compared, such as all but how often something was done.
    """
    recording.replay(recording.episode.actions)  # so that its conversation is what values are drawn from
    wanted = digest(world(recording.env._dump()))
    tally: Counter[tuple[str, str]] = Counter()
    survivors: list[Json] = []
    for mutant in (*mutants(recording, rng), *own(recording.task)):
        episode = recording.replay(mutant.actions)
        fate = "killed"
        if episode.is_success:
            is_same = _is_told(recording, episode) and digest(world(recording.env._dump())) == wanted
            fate = "equivalent" if is_same else "hole"
            actions = "\n".join(episode.actions)[:500]
            survivors.append({"name": mutant.name, "kind": mutant.kind, "fate": fate, "actions": actions})
        tally[mutant.kind, fate] += 1
    kinds = sorted({kind for kind, _ in tally})
    fates = ("killed", "hole", "equivalent")
    return judged(
        {"kinds": {kind: {fate: tally[kind, fate] for fate in fates} for kind in kinds}, "survivors": survivors}
    )


def judged(found: Mapping[str, Json]) -> Finding:
    """Say whether enough mutants fail.

    Args:
        found: "kinds", by each kind's name how many were "killed", a "hole" and "equivalent"; and the "survivors".
    """
    kinds: dict[str, dict[str, int]] = found["kinds"]
    counted = {kind: (fates["killed"], fates["killed"] + fates["hole"]) for kind, fates in kinds.items()}
    killed, count = (sum(rate[place] for rate in counted.values()) for place in (0, 1))
    if not count:
        return Finding(False, "there is no mutant of the oracle that could fail", found)
    told = ", ".join(f"{kind} {one} of {all_}" for kind, (one, all_) in counted.items() if all_)
    equivalent = sum(fates["equivalent"] for fates in kinds.values())
    detail = f"{killed} of {count} mutants fail ({told})" + f", {equivalent} are equivalent" * bool(equivalent)
    weak = [kind for kind, (one, all_) in counted.items() if all_ >= ENOUGH and one < KILL_RATE * all_]
    if weak or killed < KILL_RATE * count:
        holes = [one for one in found["survivors"] if one["fate"] == "hole" and (not weak or one["kind"] in weak)]
        names = f", such as {holes[0]['name']!r}" if holes else ""
        return Finding(False, f"{detail}: too many of {' and '.join(weak) or 'all'} pass{names}", found)
    return Finding(True, detail, found)


def summed(found: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """Return what `judged` wants of many tasks' evidence: the counts of all, and the first survivors, holes first."""
    kinds: dict[str, Counter[str]] = {}
    for one in found:
        for kind, fates in one["kinds"].items():
            kinds.setdefault(kind, Counter()).update(fates)
    survivors = [survivor for one in found for survivor in one["survivors"]]
    survivors.sort(key=lambda survivor: survivor["fate"] != "hole")
    return {"kinds": {kind: dict(kinds[kind]) for kind in sorted(kinds)}, "survivors": survivors[:_SHOWN]}


def mutants(recording: Recording, rng: np.random.Generator) -> Iterator[Mutant]:
    """Yield the oracle with one acting step changed, done twice or joined by another, or two of them swapped."""
    steps, places = recording.steps, recording.acting
    shown = Shown.of(recording.env.messages)
    for place in places:
        step = steps[place]
        others = list(_changed(recording, step, shown, rng))
        for kind, name, other in others:
            yield Mutant(name, tuple(actions_of([*steps[:place], other, *steps[place + 1 :]])), kind)
        # Whoever acts after the last step may not be heard, which only the state can tell.
        is_last = place == len(steps) - 1
        if not is_last or recording.env.state_tells_answer:
            yield Mutant(f"{step.name} twice", _joined(steps, place, step, after=True), "doubled")
        for _, name, other in others[::_VALUES_EACH] if step.call else ():  # about one for each argument
            yield Mutant(f"{name} as well", _joined(steps, place, other, after=not is_last), "extra")
    for one, two in itertools.pairwise(places):
        order = list(steps)
        order[one], order[two] = (
            replace(steps[two], turn=steps[one].turn),
            replace(steps[one], turn=steps[two].turn),
        )
        yield Mutant(f"{steps[one].name} and {steps[two].name} swapped", tuple(actions_of(order)), "swapped")


def _joined(steps: Sequence[Step], place: int, more: Step, *, after: bool) -> tuple[str, ...]:
    """Return the actions that take one step more beside another: a saying in a turn of its own."""
    spaced = [replace(step, turn=2 * step.turn) for step in steps]
    turn = spaced[place].turn + (more.call is None)
    spaced.insert(place + after, replace(more, turn=turn))
    return tuple(actions_of(spaced))


def _is_told(recording: Recording, episode: Episode) -> bool:
    """Tell whether an episode's state tells what was answered, or its last action was the oracle's."""
    return recording.env.state_tells_answer or episode.actions[-1] == recording.episode.actions[-1]


def _changed(
    recording: Recording, step: Step, shown: Shown, rng: np.random.Generator
) -> Iterator[tuple[str, str, Step]]:
    """Yield the kind and the name of each change of a step, and the step with one value changed or left out."""
    if step.call is None:
        for number, text in enumerate(_misspelt(step.content, shown, rng)):
            yield "saying", f"saying #{number}", replace(step, content=text)
        return
    schema = next(
        tool["function"]["parameters"] for tool in recording.task.tools if tool["function"]["name"] == step.name
    )
    arguments = step.call.arguments

    for name, value in arguments.items():
        for number, other in enumerate(_others(schema["properties"].get(name, {}), value, shown, rng)):
            told = f"{step.name}.{name}#{number}"
            changed = {**copy_json(arguments), name: other}
            yield "value", told, replace(step, call=replace(step.call, arguments=changed))
        if name not in schema.get("required", ()):
            kept = {key: inner for key, inner in arguments.items() if key != name}
            told = f"{step.name}.{name} left out"
            yield "left out", told, replace(step, call=replace(step.call, arguments=kept))


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
        yield value + " x"  # in a program, an error even where x has a value
    elif isinstance(value, list):
        yield value[:-1]
        yield [*value, *value[:1]]
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            for other in _others(schema.get("properties", {}).get(name, {}), inner, shown, rng):
                yield {**value, name: other}
