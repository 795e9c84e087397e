"""Is an environment fair, solvable and the same everywhere? Questions put to it through its own step API.

Nothing here trusts a family's word: the oracle is replayed, doing nothing and acting at random are
paid what they earn, known attacks are carried out, the same seeds are played in another process and
moments in mid-episode are restored. A fault of the machine is reported as such and proves nothing.
"""

import importlib
import json
import math
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Literal

from gymnasium.utils.env_checker import check_env

from palestra.envs.base import SPLITS, Json, Split
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, find, make, register
from palestra.envs.scripts import SCRIPTS, Episode, Script, play, replay
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError

Status = Literal["passed", "failed", "fault", "absent"]
SplitChoice = Literal["train", "heldout", "both"]
_ZERO = 1e-9  # rewards are sums of floats: what differs by less is equal
_CHILD_LIMIT_S = 1800.0


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


def check(env_id: str, *, n: int = 20, split: SplitChoice = "both", seed: int = 0) -> CheckReport:
    """Return what every check found; see `iter_checks`."""
    results = tuple(iter_checks(env_id, n=n, split=split, seed=seed))
    return CheckReport(env_id=find(env_id).id, n=n, splits=_splits(split), seed=seed, results=results)


def iter_checks(env_id: str, *, n: int = 20, split: SplitChoice = "both", seed: int = 0) -> Iterator[CheckResult]:
    """Yield the result of one check after another, each as soon as it is known.

    Args:
        env_id: a registered environment.
        n: how many tasks of each split are played; their seeds are ``seed``, ``seed + 1``, ...
        split: which tasks.
        seed: of the first task.

    Raises:
        UnknownEnvError: the name is unknown.
        CheckError: `n`, `split` or `seed` makes no sense.
    """
    if n < 1 or seed < 0:
        raise CheckError(f"a check needs n of at least 1 and a seed of at least 0, not n={n} and seed={seed}")
    bench = _Bench(find(env_id), _splits(split), range(seed, seed + n))
    return bench.results()


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


def _splits(split: str) -> tuple[Split, ...]:
    if split not in (*SPLITS, "both"):
        raise CheckError(f"split must be 'train', 'heldout' or 'both', not {split!r}")
    return tuple(name for name in SPLITS if split in (name, "both"))


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
            attacks, absent = _attacks(self.entry)
        except Exception as error:  # the module is there and cannot be imported
            yield _raised("attacks", error)
            return
        if absent:
            yield CheckResult(name="attacks", status="absent", detail=absent)
        for name, script in attacks.items():
            yield _ask(f"attack:{name}", partial(self.earns_nothing, script))

    def episodes(self, script: Script) -> Iterator[tuple[Split, Episode]]:
        """Play a script on every task; one environment serves a split, as it would in training."""
        for split in self.splits:
            with closing(make(self.entry.id, split=split, render_mode="ansi")) as env:
                for seed in self.seeds:
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

    def earns_nothing(self, script: Script) -> _Finding:
        count = 0
        for split, episode in self.episodes(script):
            count += 1
            if episode.is_success or abs(episode.reward) > _ZERO:
                return False, f"on {_where(split, episode)} it earned {episode.reward:g}", _exhibit(split, episode)
        return True, f"earns 0 on all {count} tasks", {}

    def random(self) -> _Finding:
        episodes = [episode for _, episode in self.episodes(SCRIPTS["random"])]
        runs, successes = len(episodes), sum(episode.is_success for episode in episodes)
        floor = math.fsum(episode.reward for episode in episodes) / runs
        best = math.fsum(episode.reward for _, episode in self.oracle_episodes()) / runs
        low, high = wilson_interval(successes, runs)
        detail = f"succeeds on {successes} of {runs} tasks (95 %: {low:.1%} to {high:.1%}), mean reward {floor:.3f}"
        evidence = {"successes": successes, "runs": runs, "wilson_95": [low, high], "mean_reward": floor}
        return floor < best - _ZERO, detail, evidence

    def determinism(self) -> _Finding:
        """Play the oracle elsewhere: other hash seed, time zone, locale and folder, tasks in reverse order."""
        episodes = self.oracle_episodes()[::-1]
        there = _play_elsewhere(self.entry, [(split, episode.seed) for split, episode in episodes])
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
        for split, episode in episodes:
            middle = len(episode.actions) // 2
            with closing(make(self.entry.id, split=split)) as env, closing(make(self.entry.id, split=split)) as twin:
                env.reset(seed=episode.seed)
                before = replay(env, episode.actions[:middle])
                twin.restore(env.snapshot())
                after, restored = (replay(one, episode.actions[middle:]) for one in (env, twin))
            if (stream := (*episode.stream[:1], *before, *after)) != episode.stream:
                turn = _first_difference(stream, episode.stream)
                return False, f"the same actions gave something else at turn {turn} of {_where(split, episode)}", {}
            if restored != after:
                turn = middle + 1 + _first_difference(restored, after)
                return False, f"restored after turn {middle}, turn {turn} differed in {_where(split, episode)}", {}
        return True, f"restored in mid-episode, {len(episodes)} episodes finish the same", {}


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


def _attacks(entry: EnvEntry) -> tuple[Mapping[str, Script], str]:
    """Return the family's attacks, or none and why: they stand beside the module of its class."""
    package = entry.entry_point.split(":")[0].rpartition(".")[0]
    name = f"{package}.attacks".lstrip(".")
    if not package:
        return {}, f"{entry.entry_point} stands in no package that could hold an attacks module"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        return {}, f"there is no module {name}"
    attacks: Mapping[str, Script] = getattr(module, "ATTACKS", {})
    return attacks, "" if attacks else f"{name} names no ATTACKS"


def _play_elsewhere(entry: EnvEntry, tasks: list[tuple[Split, int]]) -> list[tuple[str, list[str]]]:
    """Play the oracle in a process that differs in all that must not matter; see `_child`."""
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    child_env = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Pacific/Kiritimati", "LC_ALL": "C"}
    child_env["PYTHONPATH"] = os.pathsep.join(os.path.abspath(folder) for folder in sys.path)
    program = "from palestra.envs.check import _child; _child()"
    known = {**asdict(entry), "needs": sorted(entry.needs)}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps({"entry": known, "tasks": tasks}),
            env=child_env,
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_CHILD_LIMIT_S,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"playing in another process failed: {done.stderr.strip()[-500:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    if "fault" in told:
        raise InfraError(told["fault"])
    return [(task_digest, stream) for task_digest, stream in told["episodes"]]


def _child() -> None:
    """Play the oracle on the tasks that stand on standard input; print their digests and streams."""
    wanted = json.load(sys.stdin)
    register(EnvEntry(**{**wanted["entry"], "needs": frozenset(wanted["entry"]["needs"])}))
    told: dict[str, Json] = {"episodes": []}
    with ExitStack() as stack:
        envs: dict[Split, AgentEnv] = {}
        try:
            for split, seed in wanted["tasks"]:
                if split not in envs:
                    envs[split] = stack.enter_context(closing(make(wanted["entry"]["id"], split=split)))
                episode = play(envs[split], SCRIPTS["oracle"], seed)
                told["episodes"].append([episode.task_digest, episode.stream])
        except (InfraError, VerifierError) as error:
            told = {"fault": f"in another process: {error!r}"}
    print(json.dumps(told))


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
