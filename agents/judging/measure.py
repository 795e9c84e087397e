"""What a judge of steps is worth: pairs of a right and a wrong action, each shown both ways.

Pairwise and best-of-N accuracy are those of WebArbiter's WebPRMBench (arXiv:2601.21872), made stricter: a pair counts
as right only if it is right whichever action is shown first.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from palestra.agents.judging.preferences import kind_of, question_of, site_of
from palestra.agents.statistics import Interval, wilson
from palestra.envs.base import Json
from palestra.envs.web.labels import Preference
from palestra.rewards.judging.base import Panel, Question, StepJudge, StepVerdict
from palestra.sandbox.base import InfraError, PermanentInfraError

_DRAWS = 2000
_FEWEST = 5  # tasks that a bootstrap needs
_HOPELESS = 8  # pairs that fail before any is judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A right and a wrong action, and what was said of them.

    Attributes:
        preference: where they come from.
        state: its place among the preferences.
        negative: the wrong one.
        forth: the verdict with the right one shown first; scores are of the right one, then of the wrong one.
        back: the verdict with the wrong one shown first; its scores are in the same order.
    """

    preference: Preference
    state: int
    negative: str
    forth: StepVerdict
    back: StepVerdict

    @property
    def is_right(self) -> bool:
        """Whether the right action was preferred both ways."""
        return self.forth.best == self.back.best == 0

    def to_json(self) -> dict[str, Json]:
        """Return the pair with both verdicts as JSON data."""
        return {
            "task_id": self.preference.task_id,
            "state": self.state,
            "positive": self.preference.positive,
            "negative": self.negative,
            "is_right": self.is_right,
            "verdicts": [_told(self.forth), _told(self.back)],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """All pairs that were judged, and those that no server could be asked about."""

    pairs: tuple[Pair, ...]
    faults: int = 0
    last_fault: str = ""


def plainly(preference: Preference, negative: str, wrong: int) -> Question:
    """Return the question which of the right and a wrong action is better, the wrong one shown at a place: 0 or 1."""
    return question_of(preference, [preference.positive, negative][:: 1 if wrong else -1])


async def judge_pairs(
    judge: StepJudge,
    preferences: Sequence[Preference],
    *,
    votes: int = 1,
    seed: int = 0,
    concurrency: int = 8,
    ask: Callable[[Preference, str, int], Question] = plainly,
    seen: Callable[[int], None] = lambda done: None,
) -> Judged:
    """Return what a judge says of every pair of every preference.

    Args:
        judge: who is asked, `votes` times each way.
        preferences: the states with their right and wrong actions.
        votes: whose mean decides.
        seed: of whatever the judge draws.
        concurrency: pairs in work at one time.
        ask: what is asked of a preference and one of its negatives, with the wrong one's place.
        seen: told how many pairs are done.

    Raises:
        InfraError: the server refuses everything, or fails from the beginning. What fails later is counted, and its
            pair left out.
    """
    panel, gate = Panel(judge, votes, shuffles=False), asyncio.Semaphore(concurrency)
    pairs: dict[int, Pair] = {}
    faults: list[str] = []

    async def one(number: int, state: int, preference: Preference, negative: str) -> None:
        first_seed = (seed << 32) + 2 * votes * number
        async with gate:
            try:
                forth = await panel.judge(ask(preference, negative, 1), first_seed)
                back = await panel.judge(ask(preference, negative, 0), first_seed + votes)
            except PermanentInfraError:
                raise
            except InfraError as error:
                faults.append(str(error))
                if len(faults) >= _HOPELESS and not pairs:
                    raise
                return
        turned = replace(back, judgements=back.judgements[::-1])
        pairs[number] = Pair(preference=preference, state=state, negative=negative, forth=forth, back=turned)
        seen(len(pairs))

    asked = [(state, one, negative) for state, one in enumerate(preferences) for negative in one.negatives]
    try:
        async with asyncio.TaskGroup() as group:
            for number, (state, preference, negative) in enumerate(asked):
                group.create_task(one(number, state, preference, negative))
    except ExceptionGroup as errors:  # the first one says it
        raise errors.exceptions[0] from errors
    judged = tuple(pairs[number] for number in sorted(pairs))
    return Judged(pairs=judged, faults=len(faults), last_fault=faults[-1] if faults else "")


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of n, with a 95 % interval; None where too few tasks are there to tell."""

    rate: float
    interval: Interval | None
    n: int

    @classmethod
    def of(cls, hits: Iterable[tuple[str, bool]]) -> "Rate | None":
        """Return the share of hits, each given with its task; None if there are none.

        The interval is a bootstrap over tasks, because what one task gives hangs together. Where all hits are alike,
        a bootstrap says nothing, and it is Wilson's for as many trials as there are tasks.
        """
        groups: dict[str, list[bool]] = defaultdict(list)
        for task, hit in hits:
            groups[task].append(hit)
        if not groups:
            return None
        won = np.array([sum(group) for group in groups.values()])
        sizes = np.array([len(group) for group in groups.values()])
        rate, count = float(won.sum() / sizes.sum()), len(groups)
        if won.sum() in (0, sizes.sum()):
            return cls(rate, wilson(count if rate else 0, count), int(sizes.sum()))
        if count < _FEWEST:
            return cls(rate, None, int(sizes.sum()))
        drawn = np.random.default_rng(0).integers(0, count, size=(_DRAWS, count))
        low, high = np.quantile(won[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975])
        return cls(rate, (float(low), float(high)), int(sizes.sum()))

    def to_json(self) -> dict[str, Json]:
        """Return the rate as JSON data."""
        interval = None if self.interval is None else [round(end, 4) for end in self.interval]
        return {"rate": round(self.rate, 4), "interval": interval, "n": self.n}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a judge was worth. A rate is None where nothing was there to be counted.

    Attributes:
        pairwise: pairs that were right both ways; for chance a quarter.
        best_of_n: states all of whose pairs were; for chance and four wrong actions one in 256.
        one_way: verdicts that were right, each way by itself, as others count; for chance half.
        by_site, by_kind: `pairwise` of each site, and of each kind of wrong action.
        first: decided verdicts that preferred what was shown first; half where places do not matter.
        turned: pairs that were decided both ways, and differently.
        longer: decided verdicts between texts of different lengths that preferred the longer one.
        longer_is_right: pairs in which the longer one is right: what `longer` would be of a judge that is always right.
        abstained: verdicts that were none.
        reasons: of these.
    """

    states: int
    pairwise: Rate | None
    best_of_n: Rate | None
    one_way: Rate | None
    by_site: dict[str, Rate | None]
    by_kind: dict[str, Rate | None]
    first: Rate | None
    turned: Rate | None
    longer: Rate | None
    longer_is_right: Rate | None
    abstained: Rate | None
    reasons: dict[str, int]

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> "Report":
        """Return the report of some pairs; of a state, `best_of_n` needs all."""
        states: dict[int, list[Pair]] = defaultdict(list)
        for pair in pairs:
            states[pair.state].append(pair)
        whole = [group for group in states.values() if len(group) == len(group[0].preference.negatives)]
        ways = [(pair, place, said) for pair in pairs for place, said in enumerate((pair.forth, pair.back))]
        decided = [(pair, place, said.best) for pair, place, said in ways if said.best is not None]
        uneven = [pair for pair in pairs if len(pair.preference.positive) != len(pair.negative)]
        return cls(
            states=len(states),
            pairwise=_rate(pairs, lambda pair: pair.is_right),
            best_of_n=Rate.of((group[0].preference.task_id, all(pair.is_right for pair in group)) for group in whole),
            one_way=Rate.of((pair.preference.task_id, said.best == 0) for pair, _, said in ways),
            by_site=_split(pairs, lambda pair: site_of(pair.preference)),
            by_kind=_split(pairs, lambda pair: kind_of(pair.preference.positive, pair.negative)),
            first=Rate.of((pair.preference.task_id, best == place) for pair, place, best in decided),
            turned=_rate(
                [pair for pair in pairs if None not in (pair.forth.best, pair.back.best)],
                lambda pair: pair.forth.best != pair.back.best,
            ),
            longer=Rate.of(
                (pair.preference.task_id, (best == 0) == _is_longer(pair))
                for pair, _, best in decided
                if len(pair.preference.positive) != len(pair.negative)
            ),
            longer_is_right=_rate(uneven, _is_longer),
            abstained=Rate.of((pair.preference.task_id, bool(said.abstention)) for pair, _, said in ways),
            reasons=dict(Counter(said.abstention for _, _, said in ways if said.abstention).most_common()),
        )

    def to_json(self) -> dict[str, Json]:
        """Return the report as JSON data."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}


def _rate(pairs: Iterable[Pair], is_hit: Callable[[Pair], bool]) -> Rate | None:
    return Rate.of((pair.preference.task_id, is_hit(pair)) for pair in pairs)


def _split(pairs: Sequence[Pair], by: Callable[[Pair], str]) -> dict[str, Rate | None]:
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[by(pair)].append(pair)
    return {name: _rate(groups[name], lambda pair: pair.is_right) for name in sorted(groups)}


def _is_longer(pair: Pair) -> bool:
    return len(pair.preference.positive) > len(pair.negative)


def _plain(value: object) -> Json:
    if isinstance(value, Rate):
        return value.to_json()
    return {name: _plain(one) for name, one in value.items()} if isinstance(value, dict) else value


def _told(verdict: StepVerdict) -> dict[str, Json]:
    if verdict.abstention:
        return {"abstention": verdict.abstention, "reply": verdict.reply}
    reasons = [judgement.reason for judgement in verdict.judgements]
    return {"scores": list(verdict.scores), "reasons": reasons, "principles": list(verdict.principles)}
