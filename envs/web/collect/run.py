"""Collecting demonstrations: episodes beside each other, each explored, told, checked, and written down."""

import os
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from palestra.envs.base import Json, Split, TaskError, derive_seed, digest, merge_knobs
from palestra.envs.draws import Draws
from palestra.envs.endpoint import Backend, Usage
from palestra.envs.rows import json_line
from palestra.envs.web.collect.demonstration import BY_TEMPLATE, NotShown, reworded, shown_by
from palestra.envs.web.collect.explore import Chance, Episode, Found, Policy, explore
from palestra.envs.web.collect.journal import Journal
from palestra.envs.web.collect.model import ModelPolicy, worded
from palestra.envs.web.generate import KNOBS, check_knobs
from palestra.envs.web.site import Site
from palestra.envs.web.sites.catalogue import SITES
from palestra.envs.web.tasks import FAMILY, SITE_KNOBS, site_of
from palestra.sandbox.base import InfraError

VERSION: Final = 1
TRIES: Final = 3  # of one episode, where faults are in the way
PolicyName = Literal["random", "scripted", "model"]
LabelName = Literal["template", "model"]
_KNOBS: Final[Mapping[str, Json]] = {
    **SITE_KNOBS,
    **{name: KNOBS[name] for name in ("site", "longest", "nearest")},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is collected.

    Raises:
        TaskError: a knob is unknown or out of range, or a number is.
    """

    policy: PolicyName = "random"
    label: LabelName = "template"
    split: Split = "train"
    seed: int = 0  # the number of the first episode; the others follow by one
    steps: int = 24  # actions of an episode, at most
    every: int = 8  # actions after which somebody looks whether anything came of them
    knobs: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_knobs({**KNOBS, **merge_knobs(_KNOBS, self.knobs)})
        if not 1 <= self.every <= self.steps or self.seed < 0:
            raise TaskError(
                f"steps are at least every ({self.every}), and seed 0 or more, not {self.steps}, {self.seed}"
            )


@dataclass(slots=True, kw_only=True)
class Collected:
    """What a collection has come to, earlier runs that it goes on with included."""

    episodes: int = 0
    looks: int = 0  # starts of episodes that were worth an instruction
    kept: int = 0  # demonstrations that are written
    actions: int = 0
    refused: int = 0  # actions that could not be read or carried out
    cut: Counter[str] = field(default_factory=Counter)  # episodes, by why
    dropped: Counter[str] = field(default_factory=Counter)  # what was looked at, by why it is no demonstration
    usage: Usage = field(default_factory=Usage)
    faults: int = 0  # of this run
    last_fault: str = ""

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON data."""
        told = {name: getattr(self, name) for name in ("episodes", "looks", "kept", "actions", "refused", "faults")}
        return {**told, "cut": dict(self.cut), "dropped": dict(self.dropped), "usage": self.usage.to_json()}


def collect(
    order: Order,
    out: Path,
    *,
    n: int,
    backend: Backend | None = None,
    concurrency: int = 1,
    resume: bool = False,
    seen: Callable[[Collected], None] = lambda collected: None,
) -> Collected:
    """Write a file of demonstrations, and return what it took.

    The file is written at the end, also where a fault or an interruption is the end, from a journal beside it. Its
    bytes are the same for any concurrency, and whether or not the run was stopped; with a model, as far as that is.

    Args:
        order: what is wanted.
        out: the file, JSONL.
        n: episodes, those of earlier runs included.
        backend: the model's server, where the order has a model do something.
        concurrency: episodes at one time.
        resume: go on with a run that was stopped, or that is to bring more.
        seen: called now and then.

    Raises:
        TaskError: a file is in the way, or of another run, or there is no model.
        InfraError: the server refuses, or fails again and again; go on with `resume`.
        OSError: the files cannot be written.
    """
    if "model" in (order.policy, order.label) and backend is None:
        raise TaskError("a model is to explore, or to label, but no server is told")
    path = journal_path(out)
    if out.exists() and not path.exists():
        raise TaskError(f"{str(out)!r} is there already; remove it or write to another file")
    header = {"collection": VERSION, **asdict(order), "model": backend.model if backend else None}
    with closing(Journal(path, header, resume=resume)) as journal:
        run = _Run(order, backend, journal, seen)
        try:
            run.go(n, concurrency)
        finally:
            collected = _published(journal, out)
        collected.faults, collected.last_fault = run.faults, run.last_fault
    return collected


def journal_path(out: Path) -> Path:
    """Return where the journal of a file stands."""
    return out.with_name(f"{out.name}.journal")


class _Run:
    def __init__(
        self, order: Order, backend: Backend | None, journal: Journal, seen: Callable[[Collected], None]
    ) -> None:
        self._order, self._backend, self._journal, self._seen = order, backend, journal, seen
        self._knobs = merge_knobs(_KNOBS, order.knobs)
        self._in_a_row: set[int] = set()  # episodes that met faults since anything went well
        self._met: Counter[int] = Counter()
        self._spent: dict[int, Usage] = {}  # by episodes that met faults
        self.faults, self.last_fault = 0, ""

    def go(self, n: int, concurrency: int) -> None:
        numbers = range(self._order.seed, self._order.seed + n)
        waiting = deque(number for number in numbers if number not in self._journal.lines)
        running: dict[Future[None], int] = {}
        with ThreadPoolExecutor(concurrency, thread_name_prefix="episode") as pool:
            try:
                while waiting or running:
                    while waiting and len(running) < concurrency:
                        number = waiting.popleft()
                        running[pool.submit(self._episode, number)] = number
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        number = running.pop(future)
                        if (error := future.exception()) is None:
                            self._in_a_row.clear()
                        else:
                            self._put_off(number, error, waiting, min(concurrency, len(running) + len(waiting) + 1))
                    self._seen(_counted(self._journal)[0])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                if self._backend is not None:
                    self._backend.close()
                raise

    def _put_off(self, number: int, error: BaseException, waiting: deque[int], crowd: int) -> None:
        """See to an episode that met a fault: it is tried again later, unless whatever is tried meets faults."""
        if not isinstance(error, InfraError):
            raise error
        self.faults, self.last_fault = self.faults + 1, str(error)
        self._in_a_row.add(number)
        self._met[number] += 1
        if not error.retryable or len(self._in_a_row) >= max(2, crowd):
            raise error
        if self._met[number] < TRIES:
            waiting.append(number)
        else:
            self._note(number, Episode(found=[], cut=f"the server failed {TRIES} times"), [], [])

    def _episode(self, number: int) -> None:
        """Explore once, and write down what came of it."""
        usage = self._spent.setdefault(number, Usage())
        site = _drawn(self._order, self._knobs, number)
        episode = explore(site, self._policy(site, number, usage), self._order.steps, self._order.every)
        rows: list[Json] = []
        dropped: list[str] = []
        for place, found in enumerate(episode.found):
            try:
                rows.append(self._shown(site, found, number, place, usage))
            except NotShown as why:
                dropped.append(str(why))
        self._note(number, episode, rows, dropped)

    def _note(self, number: int, episode: Episode, rows: list[Json], dropped: list[str]) -> None:
        told = {"rows": rows, "dropped": dropped, "looks": len(episode.found), "cut": episode.cut}
        told |= {"actions": episode.actions, "refused": episode.refused, "usage": self._spent[number].to_json()}
        self._journal.note(number, told)

    def _policy(self, site: Site, number: int, usage: Usage) -> Policy:
        draws = Draws(FAMILY, f"collect/{self._order.policy}", number, "explore")
        if self._order.policy == "model":
            return ModelPolicy(self._server, draws, number * 1000, usage)
        return Chance(site, draws, is_eager=self._order.policy == "scripted")

    def _shown(self, site: Site, found: Found, number: int, place: int, usage: Usage) -> Json:
        provenance: dict[str, Json] = {
            "policy": self._order.policy,
            "label": BY_TEMPLATE,
            "episode": number,
            "looked": found.looked,
            "steps": len(found.calls) + 1,
        }
        if "model" in (self._order.policy, self._order.label):
            provenance["model"] = self._server.model
        made = shown_by(site, found, self._knobs, f"{number}.{place}", provenance)
        if self._order.label == "model":  # which is asked about what is a demonstration only
            intent = worded(self._server, found.goal, number * 1000 + place, usage)
            made = reworded(made, intent, {**provenance, "label": "model"})
        return made.to_json()

    @property
    def _server(self) -> Backend:
        if self._backend is None:
            raise TaskError("a model is to explore, or to label, but no server is told")
        return self._backend


def _drawn(order: Order, knobs: Mapping[str, Any], number: int) -> Site:
    name = knobs["site"]
    if name == "any":
        name = Draws(FAMILY, f"collect/{order.split}", number, "site").pick(sorted(SITES))
    return site_of(name, derive_seed(FAMILY, f"collect/{name}", number, "site") % 2**31, order.split, knobs)


def _counted(journal: Journal) -> tuple[Collected, list[Json]]:
    """Return what has come of all episodes, and the rows, in the order of their numbers, none twice."""
    counts, rows, met = Collected(), [], set[str]()
    for number in sorted(journal.lines):
        line = journal.lines[number]
        counts.episodes += 1
        for name in ("looks", "actions", "refused"):
            setattr(counts, name, getattr(counts, name) + line[name])
        counts.cut.update([line["cut"]] if line["cut"] else [])
        counts.dropped.update(line["dropped"])
        counts.usage.add(line["usage"])
        for row in line["rows"]:
            if (key := digest([row["task"]["instruction"], [step["action"] for step in row["steps"]]])) in met:
                counts.dropped["it is there already"] += 1
                continue
            met.add(key)
            rows.append(row)
    counts.kept = len(rows)
    return counts, rows


def _published(journal: Journal, out: Path) -> Collected:
    collected, rows = _counted(journal)
    if not rows:
        out.unlink(missing_ok=True)
        return collected
    staging = out.with_name(f".{out.name}.part")
    staging.write_text("".join(map(json_line, rows)), encoding="ascii")
    os.replace(staging, out)
    return collected
