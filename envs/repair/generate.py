"""Programs to be mended, from seeds: the reference of a programming task, with faults put in.

The splits are those of programming tasks: held-out programs solve held-out problems.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from palestra.envs.actions import function_tool
from palestra.envs.base import SPLITS, Budget, Json, Split, Task, TaskError, derive_seed, merge_knobs
from palestra.envs.code.draws import Draws
from palestra.envs.code.generate import KNOBS as CODE_KNOBS
from palestra.envs.code.generate import CodeTasks
from palestra.envs.code.hunks import lines_changed
from palestra.envs.code.languages.shelf import find_language
from palestra.envs.code.verify import language_name
from palestra.envs.repair.faults import Broken, broken
from palestra.envs.repair.sources import KINDS
from palestra.envs.repair.text import MOST_CHARS, numbered

GENERATOR_VERSION: Final = 1
OWN_KNOBS: Final[dict[str, Json]] = {"faults": 1, "fault_kind": "any", "visible": True, "minimal": False}
MOST_FAULTS: Final = 3
SPARE_LINES: Final = 1  # may be changed beyond those that must, where few may
_ATTEMPTS: Final = 60
_LINE: Final = {"type": "integer", "minimum": 1, "maximum": MOST_CHARS}
_TEXT: Final = {"type": "string", "description": "whole lines, with their indentation"}
TOOLS: Final[tuple[Mapping[str, Json], ...]] = (
    function_tool("view", "Show the program as it is now, with line numbers.", {"first": _LINE, "last": _LINE}, ()),
    function_tool(
        "replace",
        "Put other lines in the place of lines first to last; an empty text takes them away.",
        {"first": _LINE, "last": _LINE, "text": _TEXT},
    ),
    function_tool(
        "insert",
        "Put lines after a line; after line 0 is before the first.",
        {"after": {**_LINE, "minimum": 0}, "text": _TEXT},
    ),
    function_tool(
        "run",
        "Run the program on the examples or, if an input is given, on that.",
        {"input": {"type": "string", "description": "what the program reads, instead of the examples"}},
        (),
    ),
    function_tool("submit", "Hand in the program. It is judged on hidden inputs; this ends the episode.", {}),
)


class RepairTasks:
    """The family's `TaskSource`.

    Knobs: all of `CodeTasks`, which say what program it is and in which language, and ``faults`` (1 to 3),
    ``fault_kind`` (one of `KINDS`, or any), ``visible`` (an example shows each fault, or else none does) and
    ``minimal`` (no more lines may be changed than must, and one).

    Raises:
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        self.split: Split = split
        self.knobs: Mapping[str, Json] = {**CODE_KNOBS, **OWN_KNOBS}
        self._programs = CodeTasks(split)

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed, the same bytes in any process.

        Raises:
            TaskError: a knob is unknown or out of range, or no program could be given such faults.
        """
        knobs = merge_knobs(self.knobs, difficulty)
        _check_knobs(knobs)
        asked = {name: knobs[name] for name in CODE_KNOBS}
        for attempt in range(_ATTEMPTS):
            whole = self._programs.sample(derive_seed("repair", self.split, seed, f"program {attempt}") >> 32, asked)
            draws = Draws(f"{self.split}/{whole.provenance['template']}", seed, f"faults {attempt}")
            made = broken(whole, draws, faults=knobs["faults"], kind=knobs["fault_kind"], visible=knobs["visible"])
            if made is not None:
                return _task(whole, made, self.split, seed, knobs)
        raise TaskError(f"no program with such faults was found for seed {seed} in {_ATTEMPTS} draws: {knobs}")


def _check_knobs(knobs: Mapping[str, Any]) -> None:
    if not 1 <= knobs["faults"] <= MOST_FAULTS:
        raise TaskError(f"knob 'faults' must be 1 to {MOST_FAULTS}, not {knobs['faults']}")
    if knobs["fault_kind"] not in ("any", *KINDS):
        raise TaskError(f"knob 'fault_kind' must be any, {', '.join(KINDS)}, not {knobs['fault_kind']!r}")


def _task(whole: Task, made: Broken, split: Split, seed: int, knobs: Mapping[str, Any]) -> Task:
    faulty, reference = made.program.splitlines(), made.reference.splitlines()
    public = {
        "language": language_name(whole),
        "program": made.program,
        "examples": whole.public["examples"],
        "limits": whole.public["limits"],
    }
    few = ""
    if knobs["minimal"]:
        most = lines_changed(faulty, reference, len(faulty) + len(reference)) + SPARE_LINES
        public["most_changed"] = most
        few = f" Change no more than {most} lines, all in all; a long line counts as several."
    faults = "a fault" if knobs["faults"] == 1 else f"{knobs['faults']} faults"
    title = find_language(language_name(whole)).title
    return Task(
        id=f"repair/{split}/{whole.id.split('/')[2]}-{knobs['faults']}/{seed}",
        family="repair",
        seed=seed,
        instruction=(
            f"A program in {title} has {faults}. Find what is wrong, mend it and hand it in.{few}\n\n"
            f"It was to solve this task:\n\n{_statement(whole)}\n\nThe program:\n\n{numbered(faulty)}"
        ),
        difficulty=dict(knobs),
        tools=TOOLS,
        budget=Budget(turns=10, seconds=240.0),
        public=public,
        hidden={
            "tests": whole.hidden["tests"],
            "checker": whole.hidden.get("checker", "lines"),
            "oracle": made.reference,
            "faults": [fault.to_json() for fault in made.faults],
            "passed": made.passed,
            "mutants": list(made.near),
        },
        provenance={
            "template": f"{whole.provenance['template']} with {' and '.join(fault.kind for fault in made.faults)}",
            "split": split,
            "generator": GENERATOR_VERSION,
            "program": {"seed": whole.seed, "generator": whole.provenance["generator"]},
        },
    )


def _statement(whole: Task) -> str:
    """Return what a programming task asks for, without its first line, which asks for a program."""
    return whole.instruction.split("\n", 1)[1].strip()
