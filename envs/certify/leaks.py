"""Nothing hidden is told: not at the start, not beside the conversation, not by a tool's schema.

What is told at the start must be the same whatever the hidden part holds, so the hidden part is changed,
key by key, and the two starts are compared: no way of writing the answer down escapes that. A canary in the
hidden part must never be seen. And no place in the tools or the public part may hold what the oracle needs,
task after task, when it changes from task to task.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from palestra.envs.base import Json, Task
from palestra.envs.certify.findings import Finding
from palestra.envs.certify.oracle import Recording, leaves, shows
from palestra.envs.certify.panel import NEGATIVES
from palestra.envs.certify.sample import Case, Sample, walk
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import DONE, SCRIPTS, Script, play
from palestra.sandbox.base import InfraError

CANARY = "canary-7f3b1d0e5a92"
ORDINARY = frozenset(
    {"task_id", "messages", "tools", "reward_parts", "state_key", "is_success", "outcome", "error"}
)  # keys of info
_TASKS = 4
_ENOUGH = 3  # tasks in which a place must hold what the oracle needs to be taken for a leak
_SPIES: Mapping[str, Script] = {**SCRIPTS, "hostile": NEGATIVES["hostile"]}


def leaks(sample: Sample) -> Finding:
    """Look for what is hidden in what is told."""
    count = 0
    for case in sample.cases(_TASKS, render_mode="ansi"):
        if problem := _canary_seen(case) or _start_depends(case):
            return Finding(False, f"{problem} in {case}")
        count += 1
    if problem := _planted(sample):
        return Finding(False, problem)
    return Finding(True, f"in {count} tasks nothing that is told depends on what is hidden")


def _canary_seen(case: Case) -> str:
    """Put a canary into the hidden part and say where it is seen, if it is."""
    task = replace(case.task, hidden={**case.task.hidden, "canary": CANARY})
    for name, script in _SPIES.items():
        if name == "oracle" and not _plays(case.env, task, case.seed):
            return ""  # a family may refuse what it does not know
        for what, text in _everything(case.env, script, task, case.seed):
            if CANARY in text:
                return f"{what} tells the whole hidden part while the script {name!r} plays"
    return ""


def _plays(env: AgentEnv, task: Task, seed: int) -> bool:
    try:
        play(env, SCRIPTS["oracle"], seed, task)
    except (InfraError, MemoryError):
        raise
    except Exception:  # whatever a family says of a task that it did not make
        return False
    return True


def _everything(env: AgentEnv, script: Script, task: Task, seed: int) -> Iterator[tuple[str, str]]:
    """Yield what is told in an episode: where, and the text."""

    def listening(env: AgentEnv, rng: Any) -> Iterator[str]:
        for action in script(env, rng):
            told.append(("the conversation", _text(env.messages)))
            yield action

    told: list[tuple[str, str]] = []
    observation, info = env.reset(seed=seed, options={"task": task})
    told += [("the first observation", observation), ("info at the start", _text(info))]
    play(env, listening, seed, task)
    told += [("the conversation", _text(env.messages)), ("render", env.render() or "")]
    case = Case(env, task, "train", seed)
    told += [("info", _text(turn.info)) for turn in walk(case, ())]
    yield from told


def _start_depends(case: Case) -> str:
    """Change the hidden part key by key; say which part of the start tells of which key."""
    wanted = _start(case.env, case.task, case.seed)
    for key, value in case.task.hidden.items():
        other = _changed(value)
        if other == value:
            continue
        task = replace(case.task, hidden={**case.task.hidden, key: other})
        try:
            start = _start(case.env, task, case.seed)
        except (InfraError, MemoryError):
            raise
        except Exception:  # the family refuses such a task: nothing is known of this key
            continue
        if different := [part for part in {**wanted, **start} if start.get(part) != wanted.get(part)]:
            return f"{different[0]} tells of the hidden {key!r}"
    return ""


def _start(env: AgentEnv, task: Task, seed: int) -> dict[str, str]:
    """Return all that is told at the start, and what else info tells after a word that does nothing."""
    observation, info = env.reset(seed=seed, options={"task": task})
    info.pop("state_key")  # names the whole state, which nobody can read out of it
    parts = {"the first observation": observation, "what is rendered": env.render() or ""}
    parts |= {f"info[{name!r}]": _text(value) for name, value in info.items()}
    *_, later = env.step(DONE)
    extra = {name: value for name, value in later.items() if name not in ORDINARY}
    return parts | {f"info[{name!r}] after a step": _text(value) for name, value in extra.items()}


def _changed(value: Json) -> Json:
    """Return a value of the same shape in which every text, number and truth is another."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        return f"{value}q"
    if isinstance(value, Mapping):
        return {name: _changed(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_changed(inner) for inner in value]
    return value


def _planted(sample: Sample) -> str:
    """Say which place in the tools or the public part always holds what the oracle needs, if one does."""
    held: dict[str, list[tuple[str, bool]]] = {}
    for case in sample.cases(_TASKS):
        recording = Recording.of(case.env, case.task, case.seed)
        used = {leaf for step in recording.steps for leaf in step.leaves}
        needed = [leaf for leaf in used if not shows(case.task.instruction, leaf)]
        for place, text in _places(case.task):
            held.setdefault(place, []).append((text, any(shows(text, leaf) for leaf in needed)))
    for place, found in held.items():
        texts = {text for text, _ in found}
        if len(found) >= _ENOUGH and len(texts) > 1 and all(hit for _, hit in found):
            return f"{place} holds what the oracle needs in all of {len(found)} tasks, such as {found[0][0]!r:.80}"
    return ""


def _places(task: Task) -> Iterator[tuple[str, str]]:
    for tool in task.tools:
        yield from _leaves_by_place(tool["function"], f"the tool {tool['function']['name']!r}")
    yield from _leaves_by_place(task.public, "the public part")


def _leaves_by_place(value: Json, place: str) -> Iterator[tuple[str, str]]:
    """Yield every leaf with its path; a list of several is a choice, and tells nothing."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves_by_place(inner, f"{place}.{name}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) == 1 or any(isinstance(inner, (Mapping, list, tuple)) for inner in value):
            for number, inner in enumerate(value):
                yield from _leaves_by_place(inner, f"{place}[{number}]")
    else:
        yield from ((place, leaf) for leaf in leaves(value))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=repr)
