"""Tasks of tool use, made from a seed: a world, what is asked for in it, and how it is done."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from palestra.envs.base import SPLITS, Json, Split, Task, TaskError, derive_seed, merge_knobs
from palestra.envs.tooluse.assemble import assemble
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.goals import work_out
from palestra.envs.tooluse.operators.compose import augmented, compose, forbidden
from palestra.envs.tooluse.operators.operator import Refused
from palestra.envs.tooluse.parts import Part, Worked
from palestra.envs.tooluse.planner import Draft, Known, Rejected, depth
from palestra.envs.tooluse.reach import reach
from palestra.envs.tooluse.schema import Domain, Write
from palestra.envs.tooluse.statement import state
from palestra.envs.tooluse.templates import Kind, draw_parts, name_of, split_of
from palestra.envs.tooluse.world import FAMILY, Base, fill

KNOBS: Mapping[str, Json] = {
    "domain": "any",
    "scale": 1.0,
    "depth": 0,
    "width": 0,
    "kinds": "any",
    "indirection": -1,
    "tools": -1,
    "augment": "none",
    "augmentations": 2,
}
KINDS = ("question", "write", "both")
MAX_WIDTH, MAX_DEPTH, MAX_LEVEL, MAX_TOOLS, MAX_AUGMENTATIONS = 3, 4, 3, 40, 6
MIN_SCALE, MAX_SCALE = 0.2, 20.0
TRIES, TRIES_A_WORLD = 300, 40
_CARDS = 5  # dealt to a seed: one that is its own, and others where that one cannot be met
_ROWS = 5  # of a world on which a deep template is tried; others are easily replaced
_DRAWS = 60  # of a template until it is of the split and, by what is declared, as deep as asked for


class ToolUseSource:
    """The family's own tasks.

    Knobs: ``domain`` ("any", or the name of one), ``scale`` (rows, as a multiple of what the domain declares),
    ``depth`` (steps in the longest chain; 0 means any), ``width`` (how many things one request asks for, 1 to 3;
    0 means any), ``kinds`` ("any", "question", "write" or "both"), ``indirection`` (how rows are named: 0 by ids,
    1 by names, 2 through other rows, 3 by comparison or several attributes; -1 means any), ``tools`` (how many of
    the domain's tools there are beside those that the oracle uses; -1 means all), ``augment`` ("none", "random",
    or the names of operators in their order, joined by commas), ``augmentations`` (how many random ones). Any run
    of as many seeds as there are pairs of domain and shape, starting at a multiple of it, holds each pair once.

    Raises:
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"split must be one of {', '.join(SPLITS)}, not {split!r}")
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(KNOBS)

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed: the same bytes for the same arguments, in any process.

        Raises:
            TaskError: the seed is no natural number, a knob is unknown or out of range, or no task fits the knobs.
        """
        if type(seed) is not int or seed < 0:
            raise TaskError(f"a seed must be an integer of at least 0, not {seed!r}")
        knobs = _checked(self.split, merge_knobs(KNOBS, difficulty))
        cards = _dealt(seed, self.split, knobs["domain"], knobs["kinds"], knobs["width"])
        why: Counter[str] = Counter()
        for domain, kinds in cards:
            if task := self._tried(domain, kinds, seed, knobs, why):
                return task
        domain, kinds = cards[0]
        most = why.most_common(1)[0][0] if why else "no template of the split fits"
        raise TaskError(
            f"no task of {domain.name} ({', '.join(kinds)}) or the like fits the knobs {dict(difficulty or {})} "
            f"at seed {seed} in {len(cards) * TRIES} tries, mostly because {most}; ask for less"
        )

    def __iter__(self) -> Iterator[Task]:
        """Yield the tasks of seeds 0, 1, 2 ... without end."""
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    def _tried(
        self, domain: Domain, kinds: tuple[Kind, ...], seed: int, knobs: Mapping[str, Json], why: Counter[str]
    ) -> Task | None:
        """Return the first task of a shape that passes every check; None where none does, the reasons counted."""
        key = f"{domain.name}/{self.split}/{'+'.join(kinds)}"
        for attempt in range(TRIES):
            rng = random.Random(derive_seed(FAMILY, key, seed, f"attempt/{attempt}"))
            for _ in range(_DRAWS):
                parts = draw_parts(rng, domain, kinds, knobs["indirection"], knobs["depth"])
                if split_of(domain, name_of(parts)) == self.split and knobs["depth"] in (0, reach(domain, parts)):
                    break
            else:
                continue
            world_seed = derive_seed(FAMILY, key, seed, f"world/{attempt // TRIES_A_WORLD}")
            base = _filled(domain, self.split, world_seed, knobs["scale"])
            for _ in range(_ROWS if knobs["depth"] > 2 else 1):
                try:
                    return _augmented(rng, self._compose(rng, base, world_seed, parts, seed, knobs), knobs)
                except (Rejected, Refused) as reason:
                    why[str(reason)] += 1
        return None

    def _compose(
        self,
        rng: random.Random,
        base: Base,
        world_seed: int,
        parts: Sequence[Part],
        seed: int,
        knobs: Mapping[str, Json],
    ) -> Task:
        draft = Draft(base, self.split, rng)
        worked: list[Worked] = []
        waiting: list[Worked] = []  # writes: all that is asked for is found out before anything is changed
        for part in parts:
            if any(way.kind in ("made", "same") for way in part.ways):
                _carry_out(draft, waiting)
            worked.append(work_out(draft, part))
            waiting += worked[-1:] if part.kind == "write" else []
        _carry_out(draft, waiting)
        steps = draft.steps([one.source for one in worked if one.source is not None])
        if knobs["depth"] not in (0, depth(steps)):
            raise Rejected("its longest chain of steps is longer or shorter than asked for")
        if knobs["indirection"] not in (-1, max(part.level for part in parts)):
            raise Rejected("its rows are named in other ways than asked for")
        writing = [n for n, step in enumerate(steps) if isinstance(base.domain.tool[step.tool], Write)]
        is_ordered = any(one in writing for n in writing for one in steps[n].after)
        request = state(rng, self.split, base.domain, worked, is_ordered=is_ordered)
        answers = [Known(one.answer, one.source) for one in worked if one.source is not None]
        return assemble(draft, world_seed, request, answers, template=name_of(parts), seed=seed, knobs=knobs)


def _augmented(rng: random.Random, task: Task, knobs: Mapping[str, Json]) -> Task:
    if knobs["augment"] == "none":
        return task
    if knobs["augment"] == "random":
        return augmented(task, knobs["augmentations"], rng)
    return compose(task, knobs["augment"].split(","), rng)


def _filled(domain: Domain, split: Split, seed: int, scale: float) -> Base:
    try:
        return fill(domain, split, seed, scale)
    except ValueError as error:
        raise TaskError(f"knob 'scale' is too large for {domain.name} at {scale}: {error}") from error


def _carry_out(draft: Draft, waiting: list[Worked]) -> None:
    for one in waiting:
        tool = draft.domain.tool[one.part.tool]
        assert isinstance(tool, Write)
        assert one.arguments is not None  # of a write
        draft.write(tool, one.arguments)
    waiting.clear()


def _checked(split: Split, knobs: dict[str, Json]) -> dict[str, Json]:
    ranges = {
        "scale": (MIN_SCALE, MAX_SCALE),
        "depth": (0, MAX_DEPTH),
        "width": (0, MAX_WIDTH),
        "indirection": (-1, MAX_LEVEL),
        "tools": (-1, MAX_TOOLS),
        "augmentations": (1, MAX_AUGMENTATIONS),
    }
    for name, (low, high) in ranges.items():
        if not low <= knobs[name] <= high:
            raise TaskError(f"knob {name!r} must be from {low} to {high}, not {knobs[name]!r}")
    named = [domain.name for domain in domains_of(split)]
    if knobs["domain"] not in ("any", *named):
        raise TaskError(f"knob 'domain' must be any, {', '.join(named)} in {split}, not {knobs['domain']!r}")
    if knobs["kinds"] not in ("any", *KINDS):
        raise TaskError(f"knob 'kinds' must be any, {', '.join(KINDS)}, not {knobs['kinds']!r}")
    if knobs["augment"] not in ("none", "random") and (reason := forbidden(knobs["augment"].split(","))):
        raise TaskError(f"knob 'augment' must be none, random or names of operators: {reason}")
    if knobs["kinds"] == "both" and knobs["width"] == 1:
        raise TaskError("knob 'kinds' is both and knob 'width' is 1; a question and a write are two things")
    return knobs


def domains_of(split: Split) -> list[Domain]:
    """Return the domains that a split uses, in a fixed order."""
    return [domain for domain in DOMAINS.values() if split == "heldout" or not domain.is_held_out]


@lru_cache(maxsize=64)
def shapes(kinds: str, width: int) -> tuple[str, ...]:
    """Return the shapes of request: of what kind it is and how many things it asks for at least."""
    return tuple(
        f"{kind}{n}"
        for kind in (KINDS if kinds == "any" else (kinds,))
        for n in ((1, 2) if not width else (width,))
        if not (kind == "both" and n == 1)
    )


def _dealt(seed: int, split: Split, domain: str, kinds: str, width: int) -> list[tuple[Domain, tuple[Kind, ...]]]:
    """Deal domains and shapes like cards: every round of seeds has its own order, so strides do not alias.

    The first is the seed's; the ones after it are for knobs that it cannot meet.
    """
    cards = [(one, shape) for one in domains_of(split) if domain in ("any", one.name) for shape in shapes(kinds, width)]
    around, position = divmod(seed, len(cards))
    random.Random(derive_seed(FAMILY, split, around, "order")).shuffle(cards)
    rng = random.Random(derive_seed(FAMILY, split, seed, "shape"))
    return [(one, _kinds(rng, shape, width)) for one, shape in (cards[position:] + cards[:position])[:_CARDS]]


def _kinds(rng: random.Random, shape: str, width: int) -> tuple[Kind, ...]:
    kind, n = shape[:-1], int(shape[-1])
    if n > 1 and not width:
        n = rng.choice((2, 2, 3))
    if kind != "both":
        same: list[Kind] = ["question" if kind == "question" else "write"] * n
        return tuple(same)
    found: list[Kind] = ["question", "write", *rng.choices(("question", "write"), k=n - 2)]
    rng.shuffle(found)
    return tuple(found)
