"""Shell tasks from seeds: operators are drawn and composed, and told as one instruction.

Held-out tasks have templates that training never has, and words and values of other pools.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from palestra.envs.base import SPLITS, Budget, Json, Split, Task, TaskError, digest, merge_knobs
from palestra.envs.draws import Draws
from palestra.envs.terminal.compose import AREAS, TOOLS, Composed, Wish, compose
from palestra.envs.terminal.statement import state
from palestra.envs.terminal.step import Knobs
from palestra.envs.terminal.tools import TOOLS as FUNCTIONS
from palestra.envs.terminal.tree import File

GENERATOR_VERSION: Final = 1
KNOBS: Final[dict[str, Json]] = {
    "operators": 2,
    "area": "any",
    "size": 12,
    "decoys": 1,
    "indirect": False,
    "faults": 0,
    "strict": False,
    "without": "",
    "cap": 6,
}
OPERATORS_OF_A_TASK: Final = range(1, 5)
SIZES: Final = range(4, 201)
DECOYS: Final = range(0, 6)
CAPS: Final = range(2, 21)
HELDOUT_TEMPLATES: Final = 4  # one in so many is never trained on
_ATTEMPTS: Final = 200


class TerminalTasks:
    """The family's `TaskSource`.

    Knobs: ``operators`` composed (1 to 4); their ``area`` (files, logs, data, scripting, databases, or any);
    ``size`` of the data in lines, rows or files, roughly (4 to 200); ``decoys``, files of similar names and of no
    concern (0 to 5); ``indirect``, values stand in files that the text names; ``faults``, how many of the operators
    mend something; ``strict``, formats count to the byte where an operator knows another way; ``without``, programs
    that the machine lacks, of python3, perl, awk, sed, jq and sqlite3, with commas between; ``cap``, turns for each
    call of the oracle (2 to 20).

    Raises:
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(KNOBS)

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed, the same bytes in any process.

        Raises:
            TaskError: a knob is unknown or out of range, or there is no such task.
        """
        knobs = merge_knobs(self.knobs, difficulty)
        return make_task(self.composed(seed, difficulty), self.split, seed, knobs)

    def composed(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Composed:
        """Return what the task of a seed is made from.

        Raises:
            TaskError: as `sample`.
        """
        knobs = merge_knobs(self.knobs, difficulty)
        check_knobs(knobs)
        wish = Wish(
            steps=knobs["operators"],
            area=knobs["area"],
            faults=knobs["faults"],
            without=_listed(knobs["without"]),
            knobs=Knobs(size=knobs["size"], decoys=knobs["decoys"], indirect=knobs["indirect"], strict=knobs["strict"]),
        )
        for attempt in range(_ATTEMPTS):
            found = compose(wish, self.split, seed, attempt, lambda one: is_heldout(one) == (self.split == "heldout"))
            if found is not None:
                return found
        raise TaskError(f"no task was found for seed {seed} with the knobs {knobs} in {_ATTEMPTS} draws")


def is_heldout(template: Json) -> bool:
    """Return whether training never has a template."""
    return bool(hashlib.sha256(digest(template).encode()).digest()[0] % HELDOUT_TEMPLATES == 0)


def make_task(composed: Composed, split: Split, seed: int, knobs: Mapping[str, Any]) -> Task:
    """Return what was composed as a task."""
    named = digest(composed.template)[:16]
    usual = {name: value for name, value in knobs.items() if KNOBS[name] != value}
    turns = (len(composed.steps) + 1) * int(knobs["cap"])
    without = _listed(knobs["without"])
    instruction = state(composed, split, without, turns, Draws("terminal", f"state/{split}", seed, named))
    return Task(
        id="/".join(["terminal", named, split, *([digest(usual)[:8]] if usual else []), str(seed)]),
        family="terminal",
        seed=seed,
        instruction=instruction,
        difficulty=dict(knobs),
        tools=FUNCTIONS,
        budget=Budget(turns=turns, seconds=600.0),
        public={"limits": {}, "image": ""},
        hidden=_hidden(composed, without),
        provenance={
            "template": named,
            "operators": [step.operator for step in composed.steps],
            "structure": composed.template,
            "split": split,
            "generator": GENERATOR_VERSION,
        },
    )


def step_knobs(knobs: Mapping[str, Any]) -> Knobs:
    """Return those of a task's knobs that operators heed."""
    return Knobs(**{name: knobs[name] for name in ("size", "decoys", "indirect", "strict")})


def check_knobs(knobs: Mapping[str, Any]) -> None:
    """Refuse knobs that are out of range.

    Raises:
        TaskError: one is.
    """
    ranges = {"operators": OPERATORS_OF_A_TASK, "size": SIZES, "decoys": DECOYS, "cap": CAPS}
    for name, known in ranges.items():
        if knobs[name] not in known:
            raise TaskError(f"knob {name!r} must be {known[0]} to {known[-1]}, not {knobs[name]}")
    if not 0 <= knobs["faults"] <= knobs["operators"]:
        raise TaskError(f"knob 'faults' must be 0 to the number of operators, not {knobs['faults']}")
    if knobs["area"] not in ("any", *AREAS):
        raise TaskError(f"knob 'area' must be any, {', '.join(AREAS)}, not {knobs['area']!r}")
    if unknown := [name for name in _listed(knobs["without"]) if name not in TOOLS]:
        raise TaskError(f"knob 'without' names programs of {', '.join(TOOLS)}, not {unknown[0]!r}")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _hidden(composed: Composed, without: tuple[str, ...]) -> dict[str, Json]:
    """Return what the verifier and the oracle know."""
    setups = [step.setup for step in composed.steps if step.setup]
    return {
        "start": composed.start.to_json(),
        "setup": "\n".join([*setups, *([_removal(without)] if without else [])]),
        "services": [one for step in composed.steps for one in step.extra.get("services", ())],
        "checks": composed.checks,
        "collect": [*composed.folders, *sorted({path.rpartition("/")[0] for path in composed.noise})],
        "keeps": _keeps(composed),
        "made": {
            path: hashlib.sha256(node.data).hexdigest()
            for step in composed.steps
            for path in step.makes
            if isinstance(node := composed.end.get(path), File)
        },
        "steps": [
            {
                "operator": step.operator,
                "choices": list(step.choices),
                "source": source,
                "solve": step.solve,
                "wrong": dict(step.wrong),
            }
            for step, source in zip(composed.steps, composed.sources, strict=True)
        ],
    }


def _keeps(composed: Composed) -> dict[str, Json]:
    """Return the hashes of files that must stay: those of no concern, those told, and what nothing is asked of."""
    kept = {path: node for path, node in composed.noise.items() if isinstance(node, File)}
    for step in composed.steps:
        closed = step.operator.startswith(("files_", "logs_", "data_"))  # their effect tells all that may change
        for path, node in step.starts.items():
            if isinstance(node, File) and (path in step.keeps or closed):
                kept[path] = node
    stays = {path: node for path, node in kept.items() if _data(composed, path) == node.data}
    return {path: hashlib.sha256(node.data).hexdigest() for path, node in sorted(stays.items())}


def _data(composed: Composed, path: str) -> bytes | None:
    node = composed.end.get(path)
    return node.data if isinstance(node, File) else None


def _removal(tools: tuple[str, ...]) -> str:
    """Return bash that takes programs away, with the variants that other names lead to."""
    patterns = {"python3": "python3*", "perl": "perl*", "awk": "*awk", "sed": "sed", "jq": "jq", "sqlite3": "sqlite3"}
    places = " ".join(f"{place}/{patterns[tool]}" for tool in tools for place in ("/usr/bin", "/usr/local/bin"))
    return f"rm -f {places}"
