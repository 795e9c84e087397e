"""All that one task is put through."""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from palestra.envs.base import Task, derive_seed
from palestra.envs.certify.certificate import Certificate, Level, code_digest, version
from palestra.envs.certify.declared import Declared, declared
from palestra.envs.certify.findings import ZERO, CheckResult, Finding, Question, ask
from palestra.envs.certify.oracle import Recording, necessary, solvable
from palestra.envs.certify.panel import NEGATIVES
from palestra.envs.certify.same import otherwise, reformatted, renamed, reordered
from palestra.envs.certify.spoilt import spoilt
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry
from palestra.envs.scripts import Episode, Script

QUICK_PANEL = ("nop", "empty", "random")
NO_LUCK = 1e-4  # who wins so often that chance does it less often than this wins by something else


class Certifier:
    """Puts tasks of one environment to the test.

    Args:
        entry: the registered environment.
        env: a live one of it, whose episodes are used up; ``shaping`` must leave returns as they are.
        level: "quick" asks only whether the oracle solves and needs its steps, and doing nothing or anything does not.
        seed: of the scripts.
        family: what the family declares, if it is known already.
    """

    def __init__(
        self, entry: EnvEntry, env: AgentEnv, level: Level = "full", seed: int = 0, family: Declared | None = None
    ) -> None:
        self.entry, self.env, self.seed = entry, env, seed
        self.level: Level = level
        self._declared = declared(entry) if family is None else family
        self._code = code_digest(entry.entry_point)

    def certify(self, task: Task) -> Certificate:
        """Return a task's certificate, whatever it says."""
        results = tuple(self._results(task))
        solved = results[0]
        return Certificate(
            env_id=self.entry.id,
            task_id=task.id,
            task_digest=task.digest,
            level=self.level,
            seed=self.seed,
            trace=str(solved.evidence.get("trace", "")) if solved.status == "passed" else "",
            version=version(),
            code=self._code,
            results=results,
        )

    def _results(self, task: Task) -> Iterator[CheckResult]:
        seed = derive_seed("certify", task.digest, self.seed, "scripts") % 2**31
        recordings: list[Recording] = []

        def solve() -> Finding:
            finding, recording = solvable(self.env, task, seed)
            recordings.append(recording)
            return finding

        solved = ask("oracle", solve)
        yield solved
        if solved.status != "passed":
            return  # what is not solvable is not looked at any further
        for name, question in self._questions(recordings[0]).items():
            yield ask(name, question)

    def _questions(self, recording: Recording) -> dict[str, Question]:
        family, rng = self._declared, np.random.default_rng(recording.seed)
        questions: dict[str, Question] = {
            "necessary": lambda: necessary(recording, {**family.optional, **family.idle(recording.task)}, family.twins)
        }
        for name in NEGATIVES if self.level == "full" else QUICK_PANEL:
            questions[name] = partial(earns_nothing, recording, NEGATIVES[name], family.floors.get(name, 0.0))
        questions["reformatted"] = lambda: reformatted(recording)
        if self.level == "quick":
            return questions
        for name, script in family.attacks.items():
            questions[f"attack:{name}"] = partial(earns_nothing, recording, script, 0.0)
        questions["mutants"] = lambda: spoilt(recording, family.mutants, rng, family.world)
        questions["reordered"] = lambda: reordered(recording)
        if family.equivalents:
            questions["equivalents"] = lambda: otherwise(recording, family.equivalents)
        if family.variants:
            questions["variants"] = lambda: renamed(recording, family.variants, rng)
        return questions


def certify(entry: EnvEntry, env: AgentEnv, task: Task, *, level: Level = "full", seed: int = 0) -> Certificate:
    """Return the certificate of one task; see `Certifier`, which many of them should share."""
    return Certifier(entry, env, level, seed).certify(task)


def earns_nothing(recording: Recording, script: Script, floor: float) -> Finding:
    """Let a script play the task: it must not earn anything, or with a declared floor, not in one way after another.

    Who does the same again is lucky or not on this task; how often is counted over many tasks.
    """
    won: list[Episode] = []
    while len(won) < _tries(floor):
        episode = recording.play(script, recording.seed + len(won))
        if not episode.is_success and math.isfinite(episode.reward) and episode.reward <= ZERO:
            return Finding(True, f"won {len(won)} times by luck, which is declared" if won else "earns nothing")
        if episode.actions in [other.actions for other in won]:
            return Finding(True, f"wins this task by luck, which is declared (a share of {floor:g})")
        won.append(episode)
    detail = f"it earned {won[0].reward:g}" + f", {len(won)} times in a row" * (len(won) > 1)
    return Finding(False, detail, {"transcript": won[0].transcript})


def _tries(floor: float) -> int:
    """Return how many wins in a row are no luck."""
    return math.ceil(math.log(NO_LUCK) / math.log(min(floor, 0.9))) if floor else 1
