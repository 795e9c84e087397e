"""How an environment behaves: seeds mean something, the end is the end, rewards are bounded and earned once."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import islice, pairwise

import numpy as np

from palestra.envs.base import SPLITS, EpisodeOver, Json, Task, digest
from palestra.envs.certify.findings import ZERO, Finding
from palestra.envs.certify.panel import NEGATIVES
from palestra.envs.certify.sample import Case, Sample, walk
from palestra.envs.env import AgentEnv
from palestra.envs.registry import make
from palestra.envs.scripts import DONE, SCRIPTS, Script, play, replay

_TASKS = 3
_AGAIN = 6  # resets with the same seed
_TOLD_APART = 0.9  # of the tasks by their instruction, where equal instructions mean equal tasks
_COMPARED = 40  # tasks of each split
_PLAYERS = ("oracle", "nop", "random", "spam", "hostile", "front_load")


def seeds_matter(sample: Sample) -> Finding:
    """Reset with one seed again and again: it begins alike. Other seeds are other tasks."""
    for case in sample.cases(_TASKS):
        starts = set()
        for again in range(_AGAIN):
            observation, info = case.env.reset(seed=case.seed)
            starts.add(digest([observation, info["messages"], info["state_key"], case.env.task.digest]))
            case.env.step(DONE)
            case.env.reset(seed=case.seed + 1 + again)  # what lies between must leave no trace
        if len(starts) > 1:
            return Finding(False, f"reset {_AGAIN} times with the seed of {case}, it begins in {len(starts)} ways")
    for split in sample.splits:
        with closing(make(sample.entry.id, split=split)) as env:
            made = {_content(env.tasks.sample(seed)) for seed in range(2 * _AGAIN)}
        if len(made) == 1:
            return Finding(False, f"{2 * _AGAIN} seeds of the split {split} make one and the same task")
    return Finding(True, f"the same seed begins alike {_AGAIN} times, and others make other tasks")


def splits_apart(sample: Sample) -> Finding:
    """Make tasks of both splits: none is in both, nor is an instruction where instructions tell tasks apart."""
    sources = {}
    for split in SPLITS:
        with closing(make(sample.entry.id, split=split)) as env:
            sources[split] = [env.tasks.sample(seed) for seed in range(_COMPARED)]
    contents = [{_content(task): task for task in tasks} for tasks in sources.values()]
    told = [{task.instruction: task for task in tasks} for tasks in sources.values()]
    found: list[tuple[str, Task, Task]] = [
        ("the same content", contents[0][key], contents[1][key]) for key in contents[0].keys() & contents[1].keys()
    ]
    if all(len(texts) >= _TOLD_APART * len(made) for texts, made in zip(told, contents, strict=True)):
        same = sorted(told[0].keys() & told[1].keys())
        found += [("the same instruction", told[0][key], told[1][key]) for key in same]
    if found:
        what, one, other = found[0]
        return Finding(False, f"{one.id!r} and {other.id!r} have {what}; {len(found)} such pairs in {_COMPARED} tasks")
    return Finding(True, f"no task of {_COMPARED} is in both splits")


def end_is_the_end(sample: Sample) -> Finding:
    """Go on after the end, and before the start: both are refused, and nothing changes."""
    for case in sample.cases(_TASKS):
        solution = _solution(case)
        for how, actions in {"solved": solution, "given up": [DONE] * case.task.budget.turns}.items():
            turns = len(list(walk(case, actions)))
            before = case.env.snapshot().digest
            for action in (*solution[-1:], DONE, ""):
                try:
                    _, reward, *_ = case.env.step(action)
                except EpisodeOver:
                    continue
                told = f"{how}, {case} goes on after its end and pays {reward:g}"
                return Finding(False, told, {"turns": turns})
            if case.env.snapshot().digest != before:
                return Finding(False, f"{how}, {case} is changed by a step after its end")
    return Finding(True, "after the end a step is refused and changes nothing")


def rewards_are_sound(sample: Sample) -> Finding:
    """Add up what different players are paid: finite, within [0, 1], and as told."""
    players = {name: script for name, script in {**SCRIPTS, **NEGATIVES}.items() if name in _PLAYERS}
    count = 0
    for case in sample.cases(_TASKS):
        for name, script in players.items():
            turns = list(walk(case, script(case.env, np.random.default_rng(case.seed))))
            for turn in turns:
                parts = dict(turn.info["reward_parts"])
                if not math.isfinite(turn.reward) or not math.isclose(sum(parts.values()), turn.reward, abs_tol=ZERO):
                    return Finding(False, f"{name} is paid {turn.reward!r}, told as {parts}, in {case}")
            total, outcome = sum(turn.reward for turn in turns), turns[-1].info["outcome"]
            if not -ZERO <= total <= 1 + ZERO:
                return Finding(False, f"{name} earns {total:g} in {case}, which is not within 0 and 1")
            if outcome is None or not math.isclose(outcome.reward, total, abs_tol=ZERO):
                return Finding(False, f"{name} earns {total:g} in {case}, and the outcome says {outcome!r}")
            count += 1
    return Finding(True, f"what is paid in {count} episodes is finite, within 0 and 1, and as told")


def shaping_is_taken_back(sample: Sample) -> Finding:
    """Play with and without shaping, and cut episodes short: the return must not depend on it."""
    for case in sample.cases(_TASKS):
        with closing(make(sample.entry.id, split=case.split, shaping="none")) as plain:
            for actions in _part_ways(case):
                shaped, bare = (sum(turn.reward for turn in walk(case, actions, env)) for env in (case.env, plain))
                if not math.isclose(shaped, bare, abs_tol=ZERO):
                    done = f"{len(actions)} of the oracle's turns"
                    return Finding(False, f"{done} earn {shaped:g} in {case}, and without shaping {bare:g}")
                shaped, bare = (_cut_short(env, case, actions) for env in (case.env, plain))
                if not math.isclose(shaped, bare, abs_tol=ZERO):
                    return Finding(False, f"cut short, {case} has paid {shaped:g}, and without shaping {bare:g}")
    return Finding(True, "returns are the same with shaping and without")


def repeats_earn_nothing(sample: Sample) -> Finding:
    """Do one thing of the oracle's again and again: it must not earn more than doing it once."""
    for case in sample.cases(_TASKS):
        solution = _solution(case)
        stopped = [play(case.env, _taking(actions), case.seed, case.task) for actions in _part_ways(case)]
        most = max([0.0, *(episode.reward for episode in stopped if not episode.is_success)])
        for number in range(len(solution)):
            often = [*solution[: number + 1], *[solution[number]] * case.task.budget.turns]
            twice = [*solution[: number + 1], *solution[number:]]
            for actions in (often, twice):
                episode = play(case.env, _taking(actions), case.seed, case.task)
                if episode.reward > (1.0 if episode.is_success else most) + ZERO:
                    told = f"repeating turn {number + 1} of the oracle earns {episode.reward:g} in {case}"
                    return Finding(False, told, {"transcript": episode.transcript})
    return Finding(True, "nothing that the oracle does earns more when it is repeated")


def episodes_are_apart(sample: Sample) -> Finding:
    """Play two episodes in turns, and let a fork go its own way: neither sees the other."""
    for split in sample.splits:
        cases = list(replace(sample, splits=(split,)).cases(2))
        pairs = list(pairwise(cases)) or [(cases[0], cases[0])]
        with closing(make(sample.entry.id, split=split)) as one, closing(make(sample.entry.id, split=split)) as two:
            for pair in pairs:
                if problem := _interleaved(pair, (one, two)) or _forked(pair[0], one):
                    return Finding(False, problem)
    return Finding(True, "episodes that run side by side, and forks, do not see each other")


QUESTIONS: Mapping[str, Callable[[Sample], Finding]] = {
    "seeds": seeds_matter,
    "splits": splits_apart,
    "end": end_is_the_end,
    "rewards": rewards_are_sound,
    "shaping": shaping_is_taken_back,
    "repeats": repeats_earn_nothing,
    "apart": episodes_are_apart,
}


def _content(task: Task) -> str:
    """Return a hash of what a task is, whatever it is called."""
    known: list[Json] = [task.instruction, list(task.tools), dict(task.public), dict(task.hidden)]
    return digest(known)


def _solution(case: Case) -> list[str]:
    """Return the actions that the oracle takes."""
    return list(play(case.env, SCRIPTS["oracle"], case.seed, case.task).actions)


def _taking(actions: Sequence[str]) -> Script:
    return lambda env, rng: iter(actions)


def _part_ways(case: Case) -> list[list[str]]:
    """Return the oracle's first actions, each number of them but all."""
    solution = _solution(case)
    return [solution[:count] for count in range(len(solution))]


def _cut_short(env: AgentEnv, case: Case, actions: Sequence[str]) -> float:
    """Take the actions, have the episode ended from outside, and return what it paid."""
    env.reset(seed=case.seed, options={"task": case.task})
    return sum(float(env.step(action)[1]) for action in actions) + env.cut("deadline")[0]


def _interleaved(pair: tuple[Case, Case], envs: tuple[AgentEnv, AgentEnv]) -> str:
    """Play both oracles' actions in turns; say what differs from playing them alone, if anything does."""
    alone = [play(env, SCRIPTS["oracle"], case.seed, case.task) for case, env in zip(pair, envs, strict=True)]
    for case, env in zip(pair, envs, strict=True):
        env.reset(seed=case.seed, options={"task": case.task})
    streams: list[list[str]] = [[], []]
    for turn in range(max(len(episode.actions) for episode in alone)):
        for env, episode, stream in zip(envs, alone, streams, strict=True):
            stream += replay(env, episode.actions[turn : turn + 1])
    for case, episode, stream in zip(pair, alone, streams, strict=True):
        if tuple(stream) != episode.stream[1:]:
            return f"{case} goes another way while another environment is played"
    swapped = play(envs[1], SCRIPTS["oracle"], pair[0].seed, pair[0].task)
    return "" if swapped.stream == alone[0].stream else f"{pair[0]} is something else in another environment"


def _forked(case: Case, env: AgentEnv) -> str:
    """Fork after every turn of the oracle's, let a fork act at random, and say who notices, if anybody does."""
    episode = play(env, SCRIPTS["oracle"], case.seed, case.task)
    for turn in range(len(episode.actions) + 1):
        env.reset(seed=case.seed, options={"task": case.task})
        replay(env, episode.actions[:turn])
        with ExitStack() as stack:
            stray, twin = (stack.enter_context(closing(fork)) for fork in env.fork(2))
            if twin.snapshot().digest != env.snapshot().digest:
                return f"after turn {turn} of {case} a fork is not in the state of the episode"
            _stray(stray, case, case.task.budget.turns - turn if turn < len(episode.actions) else 0)
            for who in (env, twin):
                if tuple(replay(who, episode.actions[turn:])) != episode.stream[turn + 1 :]:
                    return f"a fork after turn {turn} of {case} is noticed by the episode, or does not go on like it"
    return ""


def _stray(env: AgentEnv, case: Case, turns: int) -> None:
    """Act at random."""
    for action in islice(SCRIPTS["random"](env, np.random.default_rng(case.seed)), turns):
        *_, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            return
