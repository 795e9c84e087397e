"""What an environment is put through: its tasks' certificates, luck, and the same everywhere."""

import json
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Literal

from gymnasium.utils.env_checker import check_env

from palestra.envs.base import SPLITS, Json, Snapshot, Split
from palestra.envs.certify.certificate import LEVELS, Certificate, Level
from palestra.envs.certify.conduct import QUESTIONS
from palestra.envs.certify.declared import Declared, declared
from palestra.envs.certify.elsewhen import same_elsewhen
from palestra.envs.certify.findings import FAULTS, CheckResult, Finding, ask, raised
from palestra.envs.certify.fuzz import fuzz
from palestra.envs.certify.golden import has_golden, unchanged
from palestra.envs.certify.leaks import leaks
from palestra.envs.certify.matrix import Known, determinism, first_difference
from palestra.envs.certify.panel import NEGATIVES
from palestra.envs.certify.sample import Sample
from palestra.envs.certify.spoilt import judged, summed
from palestra.envs.certify.task import Certifier
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, find, make
from palestra.envs.scripts import SCRIPTS, Episode, Script, play, replay

SplitChoice = Literal["train", "heldout", "both"]
FEW = 4  # at level "quick", every so many-th task gets a full certificate


class CheckError(ValueError):
    """A check was asked for something that makes no sense, such as no tasks at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check found."""

    env_id: str
    level: Level
    n: int  # tasks of each split
    splits: tuple[Split, ...]
    seed: int  # of the first task; the others follow by one
    results: tuple[CheckResult, ...]

    @property
    def ok(self) -> bool:
        """True when nothing failed and no fault kept a question from its answer."""
        return all(result.ok for result in self.results)

    def to_dict(self) -> dict[str, Json]:
        """Return the report as plain JSON data."""
        return {"ok": self.ok, **asdict(self)}


def check(
    env_id: str,
    *,
    n: int = 20,
    split: SplitChoice = "both",
    seed: int = 0,
    level: Level = "quick",
    seen: Callable[[CheckResult], None] = lambda result: None,
) -> CheckReport:
    """Return what every check found.

    Args:
        env_id: a registered environment.
        n: how many tasks of each split are played; their seeds are ``seed``, ``seed + 1``, ...
        split: which tasks.
        seed: of the first task.
        level: "full" gives every task a full certificate, "quick" every fourth.
        seen: called with each result as soon as it is known.

    Raises:
        UnknownEnvError: the name is unknown.
        CheckError: `n`, `split` or `seed` makes no sense.
    """
    entry = find(env_id)
    if n < 1 or seed < 0:
        raise CheckError(f"a check needs n of at least 1 and a seed of at least 0, not n={n} and seed={seed}")
    if split not in (*SPLITS, "both"):
        raise CheckError(f"split must be 'train', 'heldout' or 'both', not {split!r}")
    if level not in LEVELS:
        raise CheckError(f"level must be 'quick' or 'full', not {level!r}")
    splits: tuple[Split, ...] = SPLITS if split == "both" else (split,)
    results = []
    for result in _Bench(entry, splits, range(seed, seed + n), level).results():
        seen(result)
        results.append(result)
    return CheckReport(env_id=entry.id, level=level, n=n, splits=splits, seed=seed, results=tuple(results))


def wilson_interval(successes: int, runs: int, z: float = 1.96) -> tuple[float, float]:
    """Return the interval that holds a success rate with 95 % confidence (for the default z).

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if not 0 <= successes <= runs or runs < 1:
        raise ValueError(f"{successes} successes in {runs} runs is no rate")
    rate, square = successes / runs, z * z / runs
    middle = (rate + square / 2) / (1 + square)
    half = math.sqrt(rate * (1 - rate) * square + square * square / 4) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class _Where:
    task_id: str
    split: Split
    seed: int

    def __str__(self) -> str:
        return f"{self.task_id!r} (split {self.split}, seed {self.seed})"


class _Bench:
    """One environment under check: its tasks, and the oracle's episodes that several questions look at."""

    def __init__(self, entry: EnvEntry, splits: tuple[Split, ...], seeds: range, level: Level) -> None:
        self.entry, self.splits, self.seeds = entry, splits, seeds
        self.level: Level = level
        self._oracle: list[tuple[Split, Episode]] = []

    def results(self) -> Iterator[CheckResult]:
        try:
            family = declared(self.entry)
        except Exception as error:  # the module is there and cannot be imported
            yield raised("attacks", error)
            family = Declared()
        yield ask("gymnasium", self.gymnasium)
        if family.absent:
            yield CheckResult(name="attacks", status="absent", detail=family.absent)
        yield from self.certificates(family)
        for name, share in family.floors.items():
            yield ask(f"floor:{name}", partial(self.wins_at_most, NEGATIVES[name], share))
        for name, (script, share) in family.guesses.items():
            yield ask(f"guess:{name}", partial(self.wins_at_most, script, share))
        sample = Sample(self.entry, self.splits, self.seeds)
        for name, behaves in {**QUESTIONS, "leaks": leaks, "elsewhen": same_elsewhen}.items():
            yield ask(name, partial(behaves, sample))
        if self.level == "full":
            yield ask("fuzz", partial(fuzz, sample))
        yield ask("determinism", self.determinism)
        yield ask("fork", self.fork)
        if has_golden(self.entry):
            yield ask("golden", partial(unchanged, self.entry))

    def certificates(self, family: Declared) -> Iterator[CheckResult]:
        """Yield one result for each question of the tasks' certificates, over all tasks."""
        asked: dict[str, list[tuple[_Where, CheckResult]]] = {}
        try:
            for where, certificate in self._certified(family):
                for result in certificate.results:
                    asked.setdefault(result.name, []).append((where, result))
        except FAULTS as error:
            yield CheckResult(name="tasks", status="fault", detail=f"{type(error).__name__}: {error}")
        except Exception as error:  # the family's generator may raise anything
            yield raised("tasks", error)
        for name, results in asked.items():
            found = _over_tasks(name, results)
            yield _by_kind(found, [result for _, result in results]) if name == "mutants" and found.ok else found

    def _certified(self, family: Declared) -> Iterator[tuple[_Where, Certificate]]:
        for split in self.splits:
            with closing(make(self.entry.id, split=split, render_mode="ansi")) as env:
                certifiers = {level: Certifier(self.entry, env, level, family=family) for level in LEVELS}
                for place, seed in enumerate(self.seeds):
                    level: Level = "full" if place % FEW == 0 else self.level
                    task = env.tasks.sample(seed)
                    yield _Where(task.id, split, seed), certifiers[level].certify(task)

    def gymnasium(self) -> Finding:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with closing(make(self.entry.id, split=self.splits[0])) as env:
                check_env(env)
        told = [str(warning.message) for warning in caught]
        return Finding(not told, told[0] if told else "check_env passes without a warning", {"warnings": told})

    def wins_at_most(self, script: Script, share: float) -> Finding:
        """Fail when somebody wins more than the family declares, by more than chance explains."""
        episodes = [episode for split in self.splits for episode in self._played(split, script)]
        wins = sum(episode.is_success for episode in episodes)
        low, high = wilson_interval(wins, len(episodes))
        told = f"wins {wins} of {len(episodes)} tasks (95 %: {low:.1%} to {high:.1%}), declared at most {share:.1%}"
        return Finding(low <= share, told, {"successes": wins, "runs": len(episodes), "wilson_95": [low, high]})

    def determinism(self) -> Finding:
        return determinism(self.entry, [Known.of(*played) for played in self.oracle_episodes()], self.level)

    def fork(self) -> Finding:
        """Stop in mid-oracle, restore the moment in another environment, and finish in both."""
        episodes = self.oracle_episodes()
        with ExitStack() as stack:
            envs: dict[Split, tuple[AgentEnv, AgentEnv]] = {
                split: (self._opened(stack, split), self._opened(stack, split)) for split in self.splits
            }
            for split, episode in episodes:
                if problem := _fork_problem(*envs[split], episode):
                    return Finding(False, f"{problem} in {_Where(episode.task_id, split, episode.seed)}")
        return Finding(True, f"restored in mid-episode, {len(episodes)} episodes finish the same")

    def oracle_episodes(self) -> list[tuple[Split, Episode]]:
        """Return the oracle's episodes on the tasks that the environment itself makes of the seeds."""
        if not self._oracle:
            self._oracle = [
                (split, episode) for split in self.splits for episode in self._played(split, SCRIPTS["oracle"])
            ]
        return self._oracle

    def _played(self, split: Split, script: Script) -> Iterator[Episode]:
        """Play a script on every task; one environment serves a split, as it would in training."""
        with closing(make(self.entry.id, split=split, render_mode="ansi")) as env:
            for seed in self.seeds:
                yield play(env, script, seed)

    def _opened(self, stack: ExitStack, split: Split) -> AgentEnv:
        return stack.enter_context(closing(make(self.entry.id, split=split)))


def _over_tasks(name: str, results: Sequence[tuple[_Where, CheckResult]]) -> CheckResult:
    """Return one result for a question that was asked of many tasks: the first that is not well, if any is not."""
    bad = [(where, result) for where, result in results if not result.ok]
    count = len(results)
    if not bad:
        return CheckResult(name=name, status="passed", detail=f"on all {count} tasks, such as: {results[0][1].detail}")
    where, first = next(((w, r) for w, r in bad if r.status == "failed"), bad[0])
    detail = f"on {where}: {first.detail}" + f" ({len(bad)} of {count} tasks)" * (count > 1)
    return CheckResult(name=name, status=first.status, detail=detail, evidence={**asdict(where), **first.evidence})


def _by_kind(passed: CheckResult, results: Sequence[CheckResult]) -> CheckResult:
    """Return whether enough mutants of each kind fail when those of all tasks are counted together."""
    found = judged(summed([result.evidence for result in results]))
    told = f"on all {len(results)} tasks, {found.detail}"
    return replace(passed, status="passed" if found.passed else "failed", detail=told, evidence=found.evidence)


def _fork_problem(env: AgentEnv, twin: AgentEnv, episode: Episode) -> str:
    """Play an episode again in one environment and its second half in the other; say what differs, if it does."""
    middle = len(episode.actions) // 2
    env.reset(seed=episode.seed)
    before = replay(env, episode.actions[:middle])
    twin.restore(Snapshot.from_dict(json.loads(json.dumps(env.snapshot().to_dict()))))  # as from another process
    after, restored = (replay(one, episode.actions[middle:]) for one in (env, twin))
    if (stream := (*episode.stream[:1], *before, *after)) != episode.stream:
        return f"the same actions gave something else at turn {first_difference(stream, episode.stream)}"
    if restored != after:
        return f"restored after turn {middle}, turn {middle + 1 + first_difference(restored, after)} differed"
    return ""
