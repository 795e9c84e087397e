"""Tasks of MiniWoB++: a page and a seed. What is asked is what the page itself says, so a browser is needed."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from palestra.envs.base import SPLITS, Budget, Json, Split, Task, TaskError, merge_knobs
from palestra.envs.web.actions import MINIWOB_TOOLS
from palestra.envs.web.miniwob.names import PAGES
from palestra.envs.web.miniwob.package import VERSION, fields
from palestra.envs.web.miniwob.stage import Play, stage_for

FAMILY: Final = "miniwob"
GENERATOR_VERSION: Final = f"miniwob {VERSION}"
KNOBS: Final[Mapping[str, Json]] = {"timed": False}
TURNS: Final = 40


class MiniWobTasks:
    """The tasks of one page.

    Seeds of the split "train" are those of MiniWoB++ itself: ``Math.seedrandom(seed)``, in the data mode "train". Those
    of "heldout" are others, in the data mode "test", which five pages know: their words are not those of training.

    Knobs: ``timed`` (whether the page ends by its own limit of 7 to 30 s of its time, with -1).

    Raises:
        TaskError: the split or the page is unknown.
    """

    def __init__(self, page: str, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"split must be one of {', '.join(SPLITS)}, not {split!r}")
        if page not in PAGES:
            raise TaskError(f"MiniWoB++ has no page {page!r}; there are: {', '.join(PAGES)}")
        self.page = page
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(KNOBS)

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed: the same bytes for the same arguments, in any process.

        Raises:
            TaskError: the seed is no integer, or a knob is unknown.
            InfraError: there is no browser, or it failed.
        """
        if type(seed) is not int or seed < 0:
            raise TaskError(f"a seed must be an integer of at least 0, not {seed!r}")
        knobs = merge_knobs(KNOBS, difficulty)
        play = play_of(self.page, self.split, seed, is_timed=knobs["timed"])
        with stage_for(play) as stage:
            utterance, told = stage.utterance, stage.fields
        return Task(
            id=f"{FAMILY}/{self.page}/{self.split}/{seed}",
            family=FAMILY,
            seed=seed,
            instruction=utterance,
            difficulty=knobs,
            tools=MINIWOB_TOOLS,
            budget=Budget(turns=TURNS),
            public={"page": self.page, "fields": told or fields(self.page, utterance)},
            hidden={"seed": play.seed, "mode": play.mode},
            provenance={"template": self.page, "split": self.split, "generator": GENERATOR_VERSION},
        )

    def __iter__(self) -> Iterator[Task]:
        return (self.sample(seed) for seed in itertools.count())


def play_of(page: str, split: Split, seed: int, *, is_timed: bool = False) -> Play:
    """Return what is played for a seed of a split."""
    if split == "train":
        return Play(page, seed, "train", is_timed)
    return Play(page, f"heldout {seed}", "test", is_timed)


def play_in(task: Task) -> Play:
    """Return what is played in a task.

    Raises:
        TaskError: it is no task of this family.
    """
    try:
        page, seed, mode = task.public["page"], task.hidden["seed"], task.hidden["mode"]
        is_timed = task.difficulty.get("timed", False)
    except KeyError as error:
        raise TaskError(f"{task.id!r} is not a task of MiniWoB++: {error} is missing") from error
    if page not in PAGES or type(seed) not in (int, str) or mode not in ("train", "test"):
        raise TaskError(f"{task.id!r} is not a task of MiniWoB++: page {page!r}, seed {seed!r}, mode {mode!r}")
    return Play(page, seed, mode, bool(is_timed))
