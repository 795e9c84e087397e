"""Is an environment fair, solvable and the same everywhere? Questions put to it through its own step API.

Nothing here trusts a family's word: the oracle is replayed, doing nothing and acting at random are
paid what they earn, known attacks are carried out, the same seeds are played in another process and
moments in mid-episode are restored. A fault of the machine is reported as such and proves nothing.
"""

import importlib
import math
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from functools import partial
from types import ModuleType
from typing import Literal

from gymnasium.utils.env_checker import check_env

from palestra.envs.base import SPLITS, Json, Split
from palestra.envs.elsewhere import play_elsewhere
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, find, make
from palestra.envs.scripts import SCRIPTS, Episode, Script, play, replay
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError

Status = Literal["passed", "failed", "fault", "absent"]
SplitChoice = Literal["train", "heldout", "both"]
_ZERO = 1e-9  # rewards are sums of floats: what differs by less is equal


class CheckError(ValueError):
    """A check was asked for something that makes no sense, such as no tasks at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The answer to one question.

    `status` is "passed", "failed" (the environment is wrong), "fault" (the machine or a verifier
    failed, so nothing is known) or "absent" (the family declares nothing to look at).
    """

    name: str
    status: Status
    detail: str
    evidence: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check found."""

    env_id: str
    n: int  # tasks of each split
    splits: tuple[Split, ...]
    seed: int  # of the first task; the others follow by one
    results: tuple[CheckResult, ...]

    @property
    def ok(self) -> bool:
        """True when nothing failed and no fault kept a question from its answer."""
        return all(result.status in ("passed", "absent") for result in self.results)

    def to_dict(self) -> dict[str, Json]:
        """Return the report as plain JSON data."""
        return {"ok": self.ok, **asdict(self)}


def check(
    env_id: str,
    *,
    n: int = 20,
    split: SplitChoice = "both",
    seed: int = 0,
    seen: Callable[[CheckResult], None] = lambda result: None,
) -> CheckReport:
    """Return what every check found.

    Args:
        env_id: a registered environment.
        n: how many tasks of each split are played; their seeds are ``seed``, ``seed + 1``, ...
            Attacks are tried on the first quarter of them.
        split: which tasks.
        seed: of the first task.
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
    splits: tuple[Split, ...] = SPLITS if split == "both" else (split,)
    results = []
    for result in _Bench(entry, splits, range(seed, seed + n)).results():
        seen(result)
        results.append(result)
    return CheckReport(env_id=entry.id, n=n, splits=splits, seed=seed, results=tuple(results))


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
class _Wins:
    successes: int
    runs: int

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.successes, self.runs)

    def evidence(self) -> dict[str, Json]:
        return {"successes": self.successes, "runs": self.runs, "wilson_95": list(self.interval)}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.successes} of {self.runs} tasks (95 %: {low:.1%} to {high:.1%})"


_Finding = tuple[bool, str, dict[str, Json]]  # passed, detail, evidence


class _Bench:
    """One environment under check: its tasks, and the oracle's episodes that several questions look at."""

    def __init__(self, entry: EnvEntry, splits: tuple[Split, ...], seeds: range) -> None:
        self.entry, self.splits, self.seeds = entry, splits, seeds
        self._oracle: list[tuple[Split, Episode]] = []

    def results(self) -> Iterator[CheckResult]:
        questions: dict[str, Callable[[], _Finding]] = {
            "gymnasium": self.gymnasium,
            "oracle": self.oracle,
            "nop": partial(self.earns_nothing, SCRIPTS["nop"]),
            "random": self.random,
            "determinism": self.determinism,
            "fork": self.fork,
        }
        for name, question in questions.items():
            yield _ask(name, question)
        try:
            module, absent = _attacks_module(self.entry)
        except Exception as error:  # the module is there and cannot be imported
            yield _raised("attacks", error)
            return
        if absent:
            yield CheckResult(name="attacks", status="absent", detail=absent)
        # An attack is on the verifier more than on a task, and some wait for a time limit: fewer tasks will do.
        few = self.seeds[: max(1, len(self.seeds) // 4)]
        for name, script in getattr(module, "ATTACKS", {}).items():
            yield _ask(f"attack:{name}", partial(self.earns_nothing, script, few))
        for name, (script, share) in getattr(module, "GUESSES", {}).items():
            yield _ask(f"guess:{name}", partial(self.wins_at_most, script, share))

    def episodes(self, script: Script, seeds: range | None = None) -> Iterator[tuple[Split, Episode]]:
        """Play a script on tasks, all if not told which; one environment serves a split, as it would in training."""
        for split in self.splits:
            with closing(make(self.entry.id, split=split, render_mode="ansi")) as env:
                for seed in seeds or self.seeds:
                    yield split, play(env, script, seed)

    def oracle_episodes(self) -> list[tuple[Split, Episode]]:
        if not self._oracle:
            self._oracle = list(self.episodes(SCRIPTS["oracle"]))
        return self._oracle

    def gymnasium(self) -> _Finding:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with closing(make(self.entry.id, split=self.splits[0])) as env:
                check_env(env)
        told = [str(warning.message) for warning in caught]
        return not told, told[0] if told else "check_env passes without a warning", {"warnings": told}

    def oracle(self) -> _Finding:
        episodes = self.oracle_episodes()
        for split, episode in episodes:
            if not (episode.is_success and math.isclose(episode.reward, 1.0, abs_tol=_ZERO)):
                earned = f"earned {episode.reward:g}" + ("" if episode.is_success else " and did not succeed")
                return False, f"on {_where(split, episode)} the oracle {earned}", _exhibit(split, episode)
        turns = [len(episode.actions) for _, episode in episodes]
        return True, f"earns 1 on all {len(episodes)} tasks", {"turns_mean": sum(turns) / len(turns)}

    def earns_nothing(self, script: Script, seeds: range | None = None) -> _Finding:
        count = 0
        for split, episode in self.episodes(script, seeds):
            count += 1
            if episode.is_success or abs(episode.reward) > _ZERO:
                return False, f"on {_where(split, episode)} it earned {episode.reward:g}", _exhibit(split, episode)
        return True, f"earns 0 on all {count} tasks", {}

    def random(self) -> _Finding:
        wins, floor = self._wins(SCRIPTS["random"])
        best = math.fsum(episode.reward for _, episode in self.oracle_episodes()) / wins.runs
        detail = f"succeeds on {wins}, mean reward {floor:.3f}"
        return floor < best - _ZERO, detail, {**wins.evidence(), "mean_reward": floor}

    def wins_at_most(self, script: Script, share: float) -> _Finding:
        """Fail when a guess wins more than the family declares, by more than chance explains."""
        wins, _ = self._wins(script)
        return wins.interval[0] <= share, f"wins {wins}, declared at most {share:.1%}", wins.evidence()

    def _wins(self, script: Script) -> tuple["_Wins", float]:
        episodes = [episode for _, episode in self.episodes(script)]
        wins = _Wins(sum(episode.is_success for episode in episodes), len(episodes))
        return wins, math.fsum(episode.reward for episode in episodes) / len(episodes)

    def determinism(self) -> _Finding:
        """Play the oracle elsewhere: other hash seed, time zone, locale and folder, tasks in reverse order."""
        episodes = self.oracle_episodes()[::-1]
        there = play_elsewhere(self.entry, [(split, episode.seed) for split, episode in episodes])
        for (split, episode), (task_digest, stream) in zip(episodes, there, strict=True):
            if task_digest != episode.task_digest:
                return False, f"another process makes another task of {_where(split, episode)}", {}
            if stream != list(episode.stream):
                turn = _first_difference(stream, episode.stream)
                return False, f"another process sees something else at turn {turn} of {_where(split, episode)}", {}
        return True, f"{len(episodes)} tasks and all that is seen in them are the same in another process", {}

    def fork(self) -> _Finding:
        """Stop in mid-oracle, restore the moment in another environment, and finish in both."""
        episodes = self.oracle_episodes()
        with ExitStack() as stack:
            envs: dict[Split, tuple[AgentEnv, AgentEnv]] = {
                split: (self._opened(stack, split), self._opened(stack, split)) for split in self.splits
            }
            for split, episode in episodes:
                if problem := _fork_problem(*envs[split], episode):
                    return False, f"{problem} in {_where(split, episode)}", {}
        return True, f"restored in mid-episode, {len(episodes)} episodes finish the same", {}

    def _opened(self, stack: ExitStack, split: Split) -> AgentEnv:
        return stack.enter_context(closing(make(self.entry.id, split=split)))


def _fork_problem(env: AgentEnv, twin: AgentEnv, episode: Episode) -> str:
    """Play an episode again in one environment and its second half in the other; say what differs, if it does."""
    middle = len(episode.actions) // 2
    env.reset(seed=episode.seed)
    before = replay(env, episode.actions[:middle])
    twin.restore(env.snapshot())
    after, restored = (replay(one, episode.actions[middle:]) for one in (env, twin))
    if (stream := (*episode.stream[:1], *before, *after)) != episode.stream:
        return f"the same actions gave something else at turn {_first_difference(stream, episode.stream)}"
    if restored != after:
        return f"restored after turn {middle}, turn {middle + 1 + _first_difference(restored, after)} differed"
    return ""


def _ask(name: str, question: Callable[[], _Finding]) -> CheckResult:
    """Turn a question's answer, or what it raised, into a result; a machine's fault is not a failure."""
    try:
        passed, detail, evidence = question()
    except (InfraError, VerifierError) as error:
        return CheckResult(name=name, status="fault", detail=f"{type(error).__name__}: {error}")
    except Exception as error:  # a family's code may raise anything: that is a finding, not a crash
        return _raised(name, error)
    return CheckResult(name=name, status="passed" if passed else "failed", detail=detail, evidence=evidence)


def _raised(name: str, error: Exception) -> CheckResult:
    trace = {"traceback": "".join(traceback.format_exception(error))}
    return CheckResult(name=name, status="failed", detail=f"raised {error!r}", evidence=trace)


def _attacks_module(entry: EnvEntry) -> tuple[ModuleType | None, str]:
    """Return the module of the family's attacks, which stands beside that of its class, or none and why."""
    package = entry.entry_point.split(":")[0].rpartition(".")[0]
    if not package:
        return None, f"{entry.entry_point} stands in no package that could hold an attacks module"
    name = f"{package}.attacks"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None, f"there is no module {name}"
    return module, "" if getattr(module, "ATTACKS", None) else f"{name} names no ATTACKS"


def _first_difference(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the first place where two different streams differ, their ends included."""
    places = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(places, min(len(one), len(other)))


def _where(split: Split, episode: Episode) -> str:
    return f"{episode.task_id!r} (split {split}, seed {episode.seed})"


def _exhibit(split: Split, episode: Episode) -> dict[str, Json]:
    return {
        "task_id": episode.task_id,
        "split": split,
        "seed": episode.seed,
        "reward": episode.reward,
        "transcript": episode.transcript,
    }
