"""Play the same tasks where everything that must not matter is different.

Each way is a fresh process: another hash seed, time zone, locale, number of threads, working folder or
umask, development mode, no asserts, the tasks in another order, or several environments at once.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from palestra.envs.base import Json, Split
from palestra.envs.certify.certificate import Level
from palestra.envs.certify.findings import FAULTS, Finding
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, make, register
from palestra.envs.scripts import SCRIPTS, Episode, play
from palestra.sandbox.base import InfraError

LIMIT_S = 1800.0
AT_ONCE = 2  # processes
_THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_ASCII = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
_UTF8 = {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "PYTHONUTF8": "1"}


class Played(NamedTuple):
    """What came of one task: its digest, and a hash of all that was shown and paid, turn by turn."""

    task: str
    stream: tuple[str, ...]


class Known(NamedTuple):
    """A task of an environment, by what makes it anew anywhere, and what came of it."""

    split: Split
    seed: int
    task_id: str
    played: Played

    @classmethod
    def of(cls, split: Split, episode: Episode) -> "Known":
        """Return what an episode of the oracle showed."""
        return cls(split, episode.seed, episode.task_id, Played(episode.task_digest, episode.stream))

    def __str__(self) -> str:
        return f"{self.task_id!r} (split {self.split}, seed {self.seed})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a process differs from this one."""

    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()  # of the interpreter
    folder: str = ""  # the name of a new one to work in; "" for this process's own
    umask: int = -1  # -1 for this process's own
    backwards: bool = False  # the last task first
    threads: int = 1  # each with an environment of its own; the tasks are dealt in turns

    def __add__(self, other: "Way") -> "Way":
        """Return the way that differs by both."""
        return Way(
            name=f"{self.name}, {other.name}",
            env={**self.env, **other.env},
            flags=(*self.flags, *other.flags),
            folder=self.folder or other.folder,
            umask=max(self.umask, other.umask),
            backwards=self.backwards or other.backwards,
            threads=max(self.threads, other.threads),
        )


AGAIN = Way(name="nothing changed", env={"PYTHONHASHSEED": "0"})
WAYS: tuple[Way, ...] = (
    Way(name="PYTHONHASHSEED=1", env={"PYTHONHASHSEED": "1"}),
    Way(name="PYTHONHASHSEED=4242", env={"PYTHONHASHSEED": "4242"}),
    Way(name="TZ=Pacific/Kiritimati", env={"TZ": "Pacific/Kiritimati"}),
    Way(name="TZ=America/St_Johns", env={"TZ": "America/St_Johns"}),
    Way(name="LC_ALL=C", env=_ASCII),
    Way(name="LC_ALL=C.UTF-8", env=_UTF8),
    Way(name="OMP_NUM_THREADS=1", env=dict.fromkeys(_THREAD_COUNTS, "1")),
    Way(name="OMP_NUM_THREADS=4", env=dict.fromkeys(_THREAD_COUNTS, "4")),
    Way(name="another working folder", folder="elsewhere"),
    Way(name="a working folder with an odd name", folder="off the bëaten track"),
    Way(name="umask 0077", umask=0o077),
    Way(name="umask 0002", umask=0o002),
    Way(name="-X dev", flags=("-X", "dev")),
    Way(name="-O", flags=("-O",)),
    Way(name="the tasks in reverse order", backwards=True),
    Way(name="4 threads at once", threads=4),
)
# Two processes differ in every second way each, so that together they differ in all.
TOGETHER: tuple[Way, ...] = tuple(sum(WAYS[first + 2 :: 2], WAYS[first]) for first in (0, 1))


def determinism(entry: EnvEntry, known: Sequence[Known], level: Level) -> Finding:
    """Play the oracle elsewhere, two processes at once: the same tasks, observations and rewards, bit by bit.

    Level "quick" starts two processes, each different in half of the ways. Level "full" changes each by
    itself as well, so that its finding names the one that matters.

    Raises:
        InfraError: the machine or a verifier failed over there.
        RuntimeError: the environment raised something else, or never ended; the message says what.
    """
    found = _differences(known, TOGETHER, _everywhere(entry, known, TOGETHER))
    told = "two processes that differ in all that must not matter"
    if level == "full":
        first, again, *others = _everywhere(entry, known, (AGAIN, AGAIN, *WAYS))
        there = [one._replace(played=played) for one, played in zip(known, first, strict=True)]
        single = _differences(there, WAYS, others)
        found = _differences(there, (AGAIN,), [again]) or single or found
        told = f"{len(WAYS)} processes that differ in one thing each, and in {told}"
    if found:
        return Finding(False, "; ".join(found), {"differences": list(found)})
    return Finding(True, f"{len(known)} tasks and all that is seen in them are the same in {told}")


def play_elsewhere(entry: EnvEntry, known: Sequence[Known], way: Way) -> list[Played]:
    """Play the oracle on these tasks in a new process, and return what came of each.

    Raises:
        InfraError: the machine or a verifier failed over there, or somebody killed the process.
        RuntimeError: the environment raised something else, or never ended.
    """
    path = os.pathsep.join(os.path.abspath(folder) for folder in sys.path)
    asked = {
        "entry": {**asdict(entry), "needs": sorted(entry.needs)},
        "tasks": [(one.split, one.seed) for one in known],
        "backwards": way.backwards,
        "threads": way.threads,
    }
    with tempfile.TemporaryDirectory() as parent:
        folder = os.path.join(parent, way.folder) if way.folder else os.getcwd()
        os.makedirs(folder, exist_ok=True)
        try:
            done = subprocess.run(
                [sys.executable, *way.flags, "-c", "from palestra.envs.certify.matrix import _child; _child()"],
                input=json.dumps(asked),
                env={**os.environ, **AGAIN.env, **way.env, "PYTHONPATH": path},
                cwd=folder,
                umask=way.umask,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"playing in another process ({way.name}) took more than {LIMIT_S:g} s") from error
        except OSError as error:
            raise InfraError(f"no other process ({way.name}) could be started: {error}") from error
    if done.returncode < 0:  # such as by the kernel, for want of memory: nobody knows what would have been seen
        raise InfraError(f"playing in another process ({way.name}) was ended by signal {_signal(-done.returncode)}")
    if done.returncode != 0:
        raise RuntimeError(f"playing in another process ({way.name}) failed: {done.stderr.strip()[-500:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    if "fault" in told:
        raise InfraError(told["fault"])
    return [Played(task, tuple(stream)) for task, stream in told["played"]]


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return str(number)


def _everywhere(entry: EnvEntry, known: Sequence[Known], ways: Sequence[Way]) -> list[list[Played]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda way: play_elsewhere(entry, known, way), ways))


def _differences(known: Sequence[Known], ways: Sequence[Way], there: Sequence[Sequence[Played]]) -> list[str]:
    """Return the first difference of each way."""
    found = []
    for way, played in zip(ways, there, strict=True):
        pairs = zip(known, played, strict=True)
        wrong = next(((here, other) for here, other in pairs if here.played != other), None)
        if wrong is not None:
            found.append(f"with {way.name}, {_difference(*wrong)}")
    return found


def _difference(here: Known, there: Played) -> str:
    if there.task != here.played.task:
        return f"another task is made of {here}"
    turn = first_difference(here.played.stream, there.stream)
    return f"something else is seen at turn {turn} of {here}"


def first_difference(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the first place where two different streams differ, their ends included."""
    places = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(places, min(len(one), len(other)))


def _child() -> None:
    """Play the oracle on the tasks that stand on standard input; print what came of each."""
    asked = json.load(sys.stdin)
    register(EnvEntry(**{**asked["entry"], "needs": frozenset(asked["entry"]["needs"])}))
    order = list(enumerate(asked["tasks"]))[:: -1 if asked["backwards"] else 1]
    hands = [order[first :: asked["threads"]] for first in range(asked["threads"])]
    try:
        with ThreadPoolExecutor(asked["threads"]) as pool:
            rounds = list(pool.map(lambda hand: _play(asked["entry"]["id"], hand), hands))
        numbered = sorted(one for played in rounds for one in played)
        told: dict[str, Json] = {"played": [played for _, played in numbered]}
    except FAULTS as error:
        told = {"fault": f"in another process: {error!r}"}
    print(json.dumps(told))


def _play(env_id: str, tasks: Iterable[tuple[int, tuple[Split, int]]]) -> list[tuple[int, Played]]:
    """Play the oracle on numbered tasks, those of one split in one environment."""
    played = []
    with ExitStack() as stack:
        envs: dict[Split, AgentEnv] = {}
        for number, (split, seed) in tasks:
            if split not in envs:
                envs[split] = stack.enter_context(closing(make(env_id, split=split)))
            episode = play(envs[split], SCRIPTS["oracle"], seed)
            played.append((number, Played(episode.task_digest, episode.stream)))
    return played
