"""How often a judge is talked over: hostile texts in favour of wrong actions, and the same pairs without them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from palestra.agents.judging.measure import Judged, Pair, Rate, judge_pairs, plainly
from palestra.envs.base import Json
from palestra.envs.web.labels import Preference
from palestra.rewards.judging.base import Question, StepJudge
from palestra.rewards.judging.hostile import ATTACKS, Attack

WITHOUT = "(nothing)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resistance:
    """What one kind of text did.

    Attributes:
        where: it stood; "" for the pairs without any.
        fooled: verdicts that preferred the wrong action.
        abstained: verdicts that were none.
        faults: pairs that the judge could not be asked about.
    """

    where: str
    fooled: Rate | None
    abstained: Rate | None
    faults: int

    @classmethod
    def of(cls, where: str, judged: Judged) -> "Resistance":
        """Return what came of some pairs."""
        return cls(
            where=where,
            fooled=Rate.of((pair.preference.task_id, best == 1) for pair in judged.pairs for best in _bests(pair)),
            abstained=Rate.of(
                (pair.preference.task_id, bool(said.abstention))
                for pair in judged.pairs
                for said in (pair.forth, pair.back)
            ),
            faults=judged.faults,
        )

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON data."""
        rates = {"fooled": self.fooled, "abstained": self.abstained}
        told = {name: rate and rate.to_json() for name, rate in rates.items()}
        return {"where": self.where, **told, "faults": self.faults}


async def resistance(
    judge: StepJudge,
    preferences: Sequence[Preference],
    *,
    attacks: Mapping[str, Attack] = ATTACKS,
    votes: int = 1,
    seed: int = 0,
    concurrency: int = 8,
    seen: Callable[[int], None] = lambda done: None,
) -> dict[str, Resistance]:
    """Return what each attack did, and `WITHOUT` any what is to be compared with, by name.

    The first wrong action of each preference is the one that is spoken for. Arguments as for `judge_pairs`;
    `seen` hears of each attack's pairs anew.

    Raises:
        InfraError: the judge cannot be asked.
    """
    pairs = [replace(one, negatives=one.negatives[:1]) for one in preferences]
    found: dict[str, Resistance] = {}
    for name, attack in {WITHOUT: None, **attacks}.items():
        judged = await judge_pairs(
            judge, pairs, votes=votes, seed=seed, concurrency=concurrency, ask=_asking(attack), seen=seen
        )
        found[name] = Resistance.of(attack.where if attack else "", judged)
    return found


def _asking(attack: Attack | None) -> Callable[[Preference, str, int], Question]:
    def ask(preference: Preference, negative: str, wrong: int) -> Question:
        question = plainly(preference, negative, wrong)
        return attack.on(question, wrong) if attack else question

    return ask


def _bests(pair: Pair) -> tuple[int | None, int | None]:
    return pair.forth.best, pair.back.best
