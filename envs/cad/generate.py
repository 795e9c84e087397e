"""Parts from seeds: drawn, told, and asked for in five ways.

Held-out parts have trees, without their numbers, that training never has, and are told in other words. All of a task is
made without a kernel, so that a seed's bytes depend on none; the reference is built and proven when it is first needed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from palestra.envs.base import SPLITS, Budget, Json, Split, Task, TaskError, digest, merge_knobs
from palestra.envs.cad.actions import TOOLS
from palestra.envs.cad.parts import draw
from palestra.envs.cad.parts.part import Part, draw_part
from palestra.envs.cad.parts.phrases import DATUMS
from palestra.envs.cad.parts.reading import parse
from palestra.envs.cad.parts.tree import PartError, field_names, kind_of, to_json
from palestra.envs.cad.parts.words import Register
from palestra.envs.cad.records import ALIGNMENTS, Alignment
from palestra.envs.draws import Draws

Mode = Literal["text", "dims", "edit", "repair", "image"]
MODES: Final[tuple[Mode, ...]] = ("text", "dims", "edit", "repair", "image")
REGISTERS: Final[tuple[Register, ...]] = ("expert", "layman")  # of a text
GENERATOR_VERSION: Final = 1
TURNS: Final = 6
NEAR_MISSES: Final = 3  # of one task are played by its certificate
_LEFT_OUT: Final[Mapping[Mode, tuple[str, ...]]] = {  # knobs of parts that make no sense
    "text": ("edit_distance",),
    "dims": ("edit_distance",),
    "edit": (),
    "repair": ("edit_distance",),
    "image": ("edit_distance", "decimals", "implicit", "units"),
}
PLACED: Final[Mapping[Alignment, str]] = {
    "datum": "The shape counts where it stands: it must not be moved, turned, scaled or mirrored against this datum.",
    "translation": "The shape may stand anywhere, but must not be turned, scaled or mirrored.",
    "rotations": "The shape may stand anywhere, also in quarter turns, but must not be scaled or mirrored.",
}


class CadTasks:
    """The family's `TaskSource`, for one of its environments.

    Knobs are those of parts (see `palestra.envs.cad.parts.draw.KNOBS`) and ``alignment`` ("datum"; "translation";
    "rotations": the 24 proper ones of a cube, and translation); in texts ``register`` ("expert", "layman", "any").

    Raises:
        TaskError: the mode or the split is unknown.
    """

    def __init__(self, mode: Mode = "text", split: Split = "train") -> None:
        if mode not in MODES:
            raise TaskError(f"unknown mode {mode!r}; known: {', '.join(MODES)}")
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        self.mode: Mode = mode
        self.split: Split = split
        own: dict[str, Json] = {"alignment": "datum"} | ({"register": "any"} if mode in ("text", "repair") else {})
        left_out = {"edit": (), "image": ("decimals", "implicit", "units", "edit_distance")}.get(
            mode, ("edit_distance",)
        )
        self.knobs: Mapping[str, Json] = {**{n: v for n, v in draw.KNOBS.items() if n not in left_out}, **own}

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed, the same bytes in any process.

        Raises:
            TaskError: a knob is unknown or out of range, there is no such part, or its text does not tell all of it.
        """
        knobs = merge_knobs(self.knobs, difficulty)
        for name, known in (("alignment", ALIGNMENTS), ("register", (*REGISTERS, "any"))):
            if name in knobs and knobs[name] not in known:
                raise TaskError(f"knob {name!r} must be one of {', '.join(known)}, not {knobs[name]!r}")
        of_parts = {name: value for name, value in knobs.items() if name in draw.KNOBS}
        try:
            part = draw_part(self._draws(seed, "part"), of_parts, self.split)
            return self._task(part, seed, knobs)
        except PartError as error:
            raise TaskError(f"no part of seed {seed}: {error}") from error

    def _draws(self, seed: int, stage: str) -> Draws:
        return Draws("cad", f"{self.mode}/{self.split}", seed, stage)

    def _task(self, part: Part, seed: int, knobs: Mapping[str, Any]) -> Task:
        words = self._draws(seed, "words")
        given, fault = "", ""
        if self.mode == "edit":
            old, (part, told) = part, part.edit(self._draws(seed, "edit"), knobs["edit_distance"])
            given = old.program()
            instruction = f"{_EDIT}\n\n{_code(given)}\n\nThe change:\n{told}"
        elif self.mode == "repair":
            given, fault = self._draws(seed, "fault").pick(part.faults(self._draws(seed, "faults")))
            instruction = f"{_REPAIR}\n\n{_told(part, knobs, words)}\n\nThe program:\n{_code(given)}"
        elif self.mode == "image":
            instruction = f"{_IMAGE}\n\n{listed(part)}"
        else:
            instruction = f"{_TEXT}\n\n{_told(part, knobs, words)}"
        volume, error = part.volume()
        misses = self._draws(seed, "misses").shuffled(part.mutants())[:NEAR_MISSES]
        return Task(
            id=f"cad/{self.mode}/{self.split}/{digest(dict(knobs))[:8]}/{seed}",
            family="cad",
            seed=seed,
            instruction=f"{instruction}\n\n{PLACED[knobs['alignment']]}",
            difficulty=dict(knobs),
            tools=TOOLS,
            budget=Budget(turns=TURNS, seconds=120.0),
            public={"mode": self.mode, "given": given},
            hidden={
                "program": part.program(),
                "tree": to_json(part.tree),
                "tests": part.tests(),
                "solids": 1,
                "volume": volume,
                "volume_error": error,
                "alignment": knobs["alignment"],
                "free": given,
                "near_misses": [[kind, other.program()] for kind, other in misses],
            },
            provenance={
                "template": digest(part.template)[:16],
                "split": self.split,
                "generator": GENERATOR_VERSION,
                **({"fault": fault} if fault else {}),
            },
        )


def _told(part: Part, knobs: Mapping[str, Any], words: Draws) -> str:
    """Return a part in words.

    Raises:
        TaskError: they do not tell all of it.
    """
    register = knobs.get("register", "table")
    register = words.pick(REGISTERS) if register == "any" else register
    told = part.text(register, words.between(0, 2**31))
    if parse(told, register) != part.tree:
        raise TaskError(f"a text of the register {register!r} does not tell all of its part: {told!r}")
    return told


def listed(part: Part) -> str:
    """Return what views of a part do not tell: its datum, and the sizes of each thing, without where and how often."""
    tree = part.tree
    lines = [f"{DATUMS['expert'][int(part.split == 'heldout')][tree.datum]}.", ""]
    for node in (tree.base, *tree.edges, *(step.feature for step in tree.steps)):
        sizes = [f"{name.replace('_', ' ')} {getattr(node, name)}" for name in field_names(type(node))]
        lines.append(f"- {kind_of(node)}: {', '.join(size for size in sizes if not size.endswith(' None'))}")
    return "\n".join(lines)


def _code(program: str) -> str:
    return f"```python\n{program.strip()}\n```"


_TEXT: Final = "Build this part in CadQuery."
_EDIT: Final = "Change the part that this CadQuery program builds; all that the change does not name stays as it is."
_REPAIR: Final = "A CadQuery program should build this part, but fails or builds something else. Mend it."
_IMAGE: Final = (
    "Build the part of the views in CadQuery. They show it from the front, back, left, right, top and bottom and at an "
    "angle, with the overall dimensions in millimetres. Positions are whole millimetres, or halve something. Below "
    "stand the datum and the sizes of what it is made of."
)
