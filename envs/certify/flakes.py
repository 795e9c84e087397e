"""How often the same play gives something else when the machine is busy."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

from palestra.envs.base import Json, Task
from palestra.envs.certify.environment import wilson_interval
from palestra.envs.certify.findings import CheckResult, Finding, ask
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, make
from palestra.envs.scripts import SCRIPTS, Episode, play
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError


def flakes(entry: EnvEntry, tasks: Sequence[Task], *, repeat: int, load: int) -> CheckResult:
    """Let the oracle play each task alone, then repeatedly in a crowd, and count the plays that differ.

    Args:
        entry: the environment.
        tasks: which are played.
        repeat: how often each.
        load: how many at once, each in a thread with an environment of its own.

    Returns:
        "flakes": failed if a play saw or earned something else than alone, a fault if one was lost; the evidence
        holds both counts and the 95 % interval of the share that differ (Wilson).
    """
    return ask("flakes", lambda: _Crowd(entry, tasks, load).played(repeat))


class _Crowd:
    def __init__(self, entry: EnvEntry, tasks: Sequence[Task], load: int) -> None:
        self.entry, self.tasks, self.load = entry, tasks, load
        self._own = threading.local()
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def played(self, repeat: int) -> Finding:
        with closing(make(self.entry.id, render_mode="ansi")) as env:
            alone = [_oracle(env, task) for task in self.tasks]
        plays = list(zip(self.tasks, alone, strict=True)) * repeat
        with self._stack, ThreadPoolExecutor(self.load) as threads:
            told = list(threads.map(self._compare, *zip(*plays, strict=True)))
        lost = [problem for problem in told if isinstance(problem, Exception)]
        differ = [problem for problem in told if isinstance(problem, str) and problem]
        if lost and not differ:
            raise InfraError(f"{len(lost)} of {len(told)} plays were lost, {self.load} at once; the first: {lost[0]!r}")
        low, high = wilson_interval(len(differ), len(told) - len(lost))
        rate = f"{len(differ)} of {len(told)} plays, {self.load} at once, differ (95 %: {low:.1%} to {high:.1%})"
        evidence: dict[str, Json] = {"plays": len(told), "differ": len(differ), "lost": len(lost)}
        first = f"; the first: {differ[0]}" if differ else ""
        return Finding(not differ, rate + first, {**evidence, "wilson_95": [low, high], "load": self.load})

    def _compare(self, task: Task, alone: Episode) -> str | Exception:
        """Play once in this thread; return what differs, or what the machine failed with."""
        try:
            episode = _oracle(self._env(), task)
        except (InfraError, VerifierError) as error:
            return error
        if episode.stream == alone.stream:
            return ""
        places = (turn for turn, (a, b) in enumerate(zip(episode.stream, alone.stream, strict=False)) if a != b)
        return f"{task.id!r} from turn {next(places, -1)} on, earning {episode.reward:g} instead of {alone.reward:g}"

    def _env(self) -> AgentEnv:
        env: AgentEnv | None = getattr(self._own, "env", None)
        if env is None:
            env = self._own.env = make(self.entry.id, render_mode="ansi")
            with self._lock:
                self._stack.callback(env.close)
        return env


def _oracle(env: AgentEnv, task: Task) -> Episode:
    return play(env, SCRIPTS["oracle"], 0, task)
