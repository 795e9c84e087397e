"""Fuzzing tasks from seeds: a program around an input that is drawn first, kept only if chance does not find it.

Training programs are made of training stages, pairs of stages and constants. Held-out programs have a stage or a pair
of neighbouring stages that no training program has, and other constants, words and letters.
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from palestra.envs.actions import function_tool
from palestra.envs.base import SPLITS, Budget, Json, Split, Task, TaskError, derive_seed, merge_knobs
from palestra.envs.draws import Draws
from palestra.envs.fuzz import c, python
from palestra.envs.fuzz.encoding import HOW, encode
from palestra.envs.fuzz.fuzzers import draws_of, random_search
from palestra.envs.fuzz.layout import LAYOUTS, lay_out
from palestra.envs.fuzz.stages import HELDOUT_STAGES, STAGES, Room, Stage
from palestra.envs.fuzz.target import MARK, REACHED, Target

FAMILY: Final = "fuzz"
GENERATOR_VERSION: Final = 1
KNOBS: Final[dict[str, Json]] = {
    "language": "any",
    "kind": "any",
    "layout": "any",
    "depth": 3,
    "size": 6,
    "decoys": 2,
    "input_bytes": 256,
}
LANGUAGES: Final = ("c", "python")
FUZZ_TRIES: Final = 10_000  # changes of the start, none of which may reach the target
_RANGES: Final = {"depth": (2, 6), "size": (3, 16), "decoys": (0, 6), "input_bytes": (128, 1024)}
_HELDOUT_PAIRS: Final = 4  # one pair in so many is never trained on
_ATTEMPTS: Final = 400
_RELEVANT: Final = 0.6  # of the witness's bytes, at least
_CHANGES: Final = (1, 2, 128)  # of a byte that is relevant, by exclusive or: none of the inputs reaches the target

_INPUT: Final = {"input": {"type": "string", "description": f"the bytes of the input: {HOW}"}}
TOOLS: Final = (
    function_tool("run", "Run the program on an input and see which way it went and how far from the target.", _INPUT),
    function_tool("submit", "Hand in an input that reaches the target. This ends the episode.", _INPUT),
)
_TITLES: Final = {"c": "C", "python": "Python"}

Language = Literal["c", "python"]


class FuzzTasks:
    """The family's `TaskSource`.

    Knobs: ``language`` of the program (c, python, or any), a ``kind`` of stage that it has, its ``layout`` (guards,
    nested, late, or any), its ``depth`` in stages (2 to 6), the ``size`` of its larger stages in bytes (3 to 16),
    ``decoys``, decisions beside the way to the target (0 to 6), and how many ``input_bytes`` it reads (128 to 1024).

    Raises:
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(KNOBS)

    def __iter__(self) -> Iterator[Task]:
        for seed in itertools.count():
            yield self.sample(seed)

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed, the same bytes in any process.

        Raises:
            TaskError: a knob is unknown or out of range.
        """
        knobs = merge_knobs(self.knobs, difficulty)
        _check_knobs(knobs, self.split)
        name = "/".join(str(knobs[knob]) for knob in KNOBS if knob != "language")
        for attempt in range(_ATTEMPTS):
            draws = Draws(FAMILY, f"{self.split}/{name}", seed, f"program/{attempt}")
            kinds = _draw_kinds(draws, self.split, knobs["kind"], knobs["depth"])
            if kinds is None:
                continue
            layout = draws.pick(LAYOUTS) if knobs["layout"] == "any" else knobs["layout"]
            stages = _draw_stages(draws, self.split, kinds, knobs["size"])
            text = lay_out(stages, layout, knobs["decoys"], draws)
            witness, start = (b"".join(part) for part in zip(*((s.witness, s.other) for s in stages), strict=True))
            target = Target(text, knobs["input_bytes"])
            relevant = _proven(target, witness, start, derive_seed(FAMILY, name, seed, f"fuzz/{attempt}"))
            if relevant:
                template = f"{layout}:{'-'.join(kinds)}"
                language = _language(knobs["language"], self.split, seed)
                return _task(target, language, witness, start, relevant, template, self.split, seed, knobs)
        raise TaskError(f"no fair task of the knobs {knobs} for seed {seed} in {_ATTEMPTS} draws")


def is_heldout_pair(first: str, second: str) -> bool:
    """Return whether no training program has these two stages one after the other."""
    return hashlib.sha256(f"fuzz|{first}|{second}".encode()).digest()[0] % _HELDOUT_PAIRS == 0


def is_heldout(kinds: Sequence[str]) -> bool:
    """Return whether a program of these stages has one, or a neighbouring pair, that training never shows."""
    return any(kind in HELDOUT_STAGES for kind in kinds) or any(
        is_heldout_pair(a, b) for a, b in itertools.pairwise(kinds)
    )


def _check_knobs(knobs: Mapping[str, Json], split: Split) -> None:
    kinds = [kind for kind in sorted(STAGES) if split == "heldout" or kind not in HELDOUT_STAGES]
    for name, known in (("language", LANGUAGES), ("kind", kinds), ("layout", LAYOUTS)):
        if knobs[name] != "any" and knobs[name] not in known:
            raise TaskError(f"knob {name!r} must be any, {', '.join(known)} in the split {split}, not {knobs[name]!r}")
    for name, (low, high) in _RANGES.items():
        if not low <= knobs[name] <= high:
            raise TaskError(f"knob {name!r} must be {low} to {high}, not {knobs[name]}")


def _draw_kinds(draws: Draws, split: Split, wanted: str, depth: int) -> list[str] | None:
    """Return the kinds of the stages of a program, or None where the draw is not of the split or not as wanted."""
    known = [kind for kind in sorted(STAGES) if split == "heldout" or kind not in HELDOUT_STAGES]
    kinds = [draws.pick(known) for _ in range(depth)]
    if wanted != "any" and wanted not in kinds:
        kinds[draws.between(0, depth - 1)] = wanted
    alike = any(a == b for a, b in itertools.pairwise(kinds))
    if alike or kinds[0] == "checksum" or is_heldout(kinds) != (split == "heldout"):
        return None
    return kinds


def _draw_stages(draws: Draws, split: Split, kinds: Sequence[str], size: int) -> list[Stage]:
    stages: list[Stage] = []
    for number, kind in enumerate(kinds):
        before = b"".join(stage.witness for stage in stages)
        stages.append(STAGES[kind](Room(draws=draws, split=split, tag=str(number + 1), size=size, before=before)))
    return stages


def _proven(target: Target, witness: bytes, start: bytes, seed: int) -> list[int]:
    """Return the places of the witness's bytes that matter; none if the target is not reached, or too easily.

    The witness reaches it; the start and `FUZZ_TRIES` changes of it do not; and most bytes of the witness matter.
    """
    run = python.plain_in_process(target)

    def hits(data: bytes) -> bool:
        return run(data) == REACHED

    if len(witness) > target.most or not hits(witness) or hits(start):
        return []
    relevant = [place for place in range(len(witness)) if not any(hits(one) for one in _changed(witness, place))]
    if len(relevant) < _RELEVANT * len(witness):
        return []
    return [] if random_search(hits, start, draws_of(seed), FUZZ_TRIES, target.most) else relevant


def _changed(data: bytes, place: int) -> Iterator[bytes]:
    for change in _CHANGES:
        yield data[:place] + bytes([data[place] ^ change]) + data[place + 1 :]


def _language(knob: str, split: Split, seed: int) -> Language:
    chosen = Draws(FAMILY, split, seed, "language").pick(LANGUAGES) if knob == "any" else knob
    return "c" if chosen == "c" else "python"


def _task(
    target: Target,
    language: Language,
    witness: bytes,
    start: bytes,
    relevant: list[int],
    template: str,
    split: Split,
    seed: int,
    knobs: Mapping[str, Json],
) -> Task:
    source = (c if language == "c" else python).shown(target)
    line = next(number for number, text in enumerate(source.splitlines(), 1) if text.endswith(f" {MARK}"))
    told = (
        f"Find an input on which this {_TITLES[language]} program reaches line {line}, which is marked as the target."
    )
    fence = f"```{language}\n{source.strip()}\n```"
    how = f"It reads at most {target.most} bytes from stdin. In an input, {HOW}."
    rest = f"{how}\nAn input that does not get there: {encode(start)}"
    return Task(
        id=f"fuzz/{split}/{language}-{knobs['depth']}-{knobs['size']}-{knobs['decoys']}/{seed}",
        family=FAMILY,
        seed=seed,
        instruction=f"{told}\n\n{fence}\n\n{rest}",
        difficulty=dict(knobs),
        tools=TOOLS,
        budget=Budget(turns=8, seconds=120.0),
        public={
            "language": language,
            "source": source,
            "target_line": line,
            "start": encode(start),
            "input_bytes": target.most,
        },
        hidden={
            "description": target.text,
            "witness": encode(witness),
            "relevant": relevant,
            "start_distance": python.probed_in_process(target)(start).distance(target),
        },
        provenance={"template": template, "split": split, "generator": GENERATOR_VERSION},
    )
