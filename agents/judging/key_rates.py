"""How often a judge says yes to responses that answer nothing, beside right and wrong ones."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from palestra.agents.judging.measure import Rate
from palestra.envs.base import Json
from palestra.rewards.judging.base import StepJudge, StepVerdict
from palestra.rewards.judging.keys import KEYS, Answered, Key
from palestra.rewards.judging.responses import ACCEPTED, asked
from palestra.sandbox.base import InfraError, PermanentInfraError

RIGHT, WRONG = "(right)", "(wrong)"
_HOPELESS = 8  # verdicts that fail before there is one on an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReport:
    """What a judge was fooled by.

    Attributes:
        keys: verdicts on all keys that said yes: the false-positive rate; an abstention is no yes.
        by_kind, by_key: the same of each kind and of each key.
        right: verdicts on right responses that said yes. A judge that never says yes is fooled by nothing, too.
        wrong: verdicts on wrong responses that said yes.
        abstained: verdicts of all that were none.
        reasons: of these.
        faults: verdicts that the judge could not be asked for.
    """

    keys: Rate | None
    by_kind: dict[str, Rate | None]
    by_key: dict[str, Rate | None]
    right: Rate | None
    wrong: Rate | None
    abstained: Rate | None
    reasons: dict[str, int] = field(default_factory=dict)
    faults: int = 0

    def to_json(self) -> dict[str, Json]:
        """Return the report as JSON data."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}


async def key_rates(
    judge: StepJudge,
    questions: Sequence[Answered],
    *,
    keys: Mapping[str, Key] = KEYS,
    has_reference: bool = True,
    seed: int = 0,
    concurrency: int = 8,
    seen: Callable[[int], None] = lambda done: None,
) -> KeyReport:
    """Return how often a judge of single responses says yes to what answers nothing.

    Intervals are over questions, because verdicts on one hang together; they say nothing of keys that are not in the
    list.

    Args:
        judge: who grades; a score of at least one half is a yes.
        questions: what is asked.
        keys: responses to each of them.
        has_reference: show the judge the right answer.
        seed: of what the judge draws.
        concurrency: verdicts in work at one time.
        seen: told how many verdicts there are.

    Raises:
        InfraError: the judge refuses everything, or fails from the beginning. What fails later is counted, and left
            out.
    """
    gate, faults = asyncio.Semaphore(concurrency), 0
    found: dict[tuple[int, str], StepVerdict] = {}
    answers: set[str] = set()  # to what no rule decides

    async def one(number: int, name: str, response: str, place: int) -> None:
        nonlocal faults
        graded = questions[number]
        question = asked(graded.task, response, reference=graded.reference if has_reference else "")
        async with gate:
            try:
                found[number, name] = await judge.judge(question, (seed << 32) + place)
            except InfraError as error:
                faults += 1
                if isinstance(error, PermanentInfraError) or (faults >= _HOPELESS and not answers):
                    raise
                return
        answers.update({name} & {RIGHT, WRONG})
        seen(len(found))

    try:
        async with asyncio.TaskGroup() as group:
            for number, graded in enumerate(questions):
                responses = {name: key.on(graded.task) for name, key in keys.items()}
                told = {RIGHT: graded.right, WRONG: graded.wrong, **responses}
                for place, (name, response) in enumerate(told.items()):
                    group.create_task(one(number, name, response, place))
    except ExceptionGroup as errors:  # the first one says it
        raise errors.exceptions[0] from errors
    return _report(found, keys, faults)


def _report(found: Mapping[tuple[int, str], StepVerdict], keys: Mapping[str, Key], faults: int) -> KeyReport:
    def accepted(names: Iterable[str]) -> Rate | None:
        wanted = set(names)
        return Rate.of(
            (str(number), not said.abstention and said.scores[0] >= ACCEPTED)
            for (number, name), said in sorted(found.items(), key=lambda one: one[0])
            if name in wanted
        )

    kinds = dict.fromkeys(key.kind for key in keys.values())
    reasons = Counter(said.abstention for said in found.values() if said.abstention)
    return KeyReport(
        keys=accepted(keys),
        by_kind={kind: accepted(name for name, key in keys.items() if key.kind == kind) for kind in kinds},
        by_key={name: accepted([name]) for name in keys},
        right=accepted([RIGHT]),
        wrong=accepted([WRONG]),
        abstained=Rate.of((str(number), bool(said.abstention)) for (number, _), said in sorted(found.items())),
        reasons=dict(reasons.most_common()),
        faults=faults,
    )


def _plain(value: object) -> Json:
    if isinstance(value, Rate):
        return value.to_json()
    return {name: _plain(one) for name, one in value.items()} if isinstance(value, dict) else value
