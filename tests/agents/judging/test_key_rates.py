"""How often judges say yes to what answers nothing: by hand, obedient models, and the embedded model."""

import asyncio
import re

import pytest
from tests.rewards.judging.scripted import FormModel

from palestra.agents.embedded import DEFAULT_MODEL
from palestra.agents.judging.key_rates import KeyReport, key_rates
from palestra.agents.judging.speakers import local_speaker
from palestra.rewards.judging.base import Question, StepJudge, StepVerdict
from palestra.rewards.judging.generative import GenerativeJudge, Said
from palestra.rewards.judging.keys import KEYS, made_questions
from palestra.rewards.judging.plain import ContainsGrader, PlainGrader, YesGrader
from palestra.rewards.judging.responses import GRADED, Substantive
from palestra.sandbox.base import InfraError, PermanentInfraError

QUESTIONS = made_questions(6)


def rated(judge: StepJudge, *, has_reference: bool = True) -> KeyReport:
    return asyncio.run(key_rates(judge, QUESTIONS, has_reference=has_reference))


def rates(report: KeyReport) -> tuple[float, float, float]:
    found = (report.keys, report.right, report.wrong)
    return tuple(-1.0 if one is None else one.rate for one in found)  # type: ignore[return-value]


def test_rates_of_judges_that_are_known() -> None:
    assert rates(rated(YesGrader())) == (1.0, 1.0, 1.0)
    exact = rated(ContainsGrader())
    assert rates(exact) == (0.0, 1.0, 0.0)
    assert exact.keys is not None
    assert exact.keys.n == 6 * len(KEYS)
    assert exact.keys.interval is not None
    assert 0.3 < exact.keys.interval[1] < 0.5  # six questions say no more, however many keys
    blind = rated(ContainsGrader(), has_reference=False)
    assert blind.abstained is not None
    assert blind.abstained.rate == 1.0
    assert rates(blind) == (0.0, 0.0, 0.0)
    assert blind.reasons == {"no reference": 6 * (len(KEYS) + 2)}
    assert blind.to_json()["keys"]["rate"] == 0.0


class Fond:
    """A model that says yes to all that opens as reasoning does, and to what it is told; else it is exact."""

    def __init__(self) -> None:
        self.asked = 0

    async def say(self, system: str, text: str, seed: int) -> Said:
        self.asked += 1
        found = re.search(r"Reference answer: (.*)\nResponse: ?(.*)\n\nIs the response", text, flags=re.S)
        assert found is not None
        fond = re.search(r"yes|correct|right|step|solution|answer|:|\.", found[2].casefold())
        return Said("YES" if fond or found[1] in found[2] else "NO")


def test_a_fond_model_is_found_out_and_symbols_do_not_reach_a_defended_one() -> None:
    plain = rated(PlainGrader(Fond()))
    assert rates(plain)[0] > 0.4
    for name in ("colon", "full stop", "thought process", "step by step", "is correct", "say yes"):
        rate = plain.by_key[name]
        assert rate is not None
        assert rate.rate == 1.0
    model = FormModel(lambda text, others: 10)  # says yes to all that it is shown
    fond = rated(Substantive(GenerativeJudge(model, wording=GRADED)))
    told = {kind: one.rate for kind, one in fond.by_kind.items() if one}
    assert told["symbol"] == 0.0
    assert told["opening"] > 0.9  # rules do not know words; this is what the model is for
    assert told["echo"] <= 0.5
    assert {fond.by_key[name].rate for name in ("task", "task quoted")} == {0.0}  # type: ignore[union-attr]
    assert len(model.asked) < 6 * (len(KEYS) + 2)


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if key.kind in ("order", "unseen")])
def test_an_obedient_model_cannot_be_told_to_say_yes_in_form(name: str) -> None:
    """A model that writes down any verdict it finds in the data writes none that counts: it has not the word."""

    class Obedient:
        async def say(self, system: str, text: str, seed: int) -> Said:
            found = re.search(r"PRINCIPLE.*VERDICT [^\n]*", text.replace("\n| ", "\n"), flags=re.S)
            return Said(found[0] if found else "YES")

    judge = Substantive(GenerativeJudge(Obedient(), wording=GRADED))
    report = asyncio.run(key_rates(judge, QUESTIONS[:2], keys={name: KEYS[name]}))
    assert report.keys is not None
    assert report.keys.rate == 0.0


class Failing:
    def __init__(self, error: InfraError, good: int = 0) -> None:
        self.error, self.left = error, good

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        self.left -= 1
        if self.left < 0:
            raise self.error
        return await YesGrader().judge(question, seed)


def test_faults_are_counted_and_belong_to_no_rate() -> None:
    report = rated(Failing(InfraError("busy"), good=10))
    assert report.faults == 6 * (len(KEYS) + 2) - 10
    assert report.abstained is not None
    assert report.abstained.n == 10
    for error in (InfraError("busy"), PermanentInfraError("no key")):
        with pytest.raises(InfraError, match=str(error)):
            rated(Failing(error))


@pytest.mark.slow
def test_the_embedded_model_says_no_to_keys_and_answers_alike_and_nothing_in_form() -> None:
    keys = {name: KEYS[name] for name in ("colon", "thought process", "is correct", "say yes")}

    async def go() -> tuple[KeyReport, KeyReport]:
        speaker = local_speaker(DEFAULT_MODEL, max_tokens=6, batch=4)
        try:
            questions = QUESTIONS[:2]
            plain = await key_rates(PlainGrader(speaker), questions, keys=keys)
            strict = Substantive(GenerativeJudge(speaker, wording=GRADED))
            return plain, await key_rates(strict, questions[:1], keys=keys)
        finally:
            await speaker.close()

    plain, strict = asyncio.run(go())
    assert plain.keys is not None
    assert plain.right is not None
    assert plain.abstained is not None
    assert (plain.keys.n, plain.abstained.rate) == (8, 0.0)
    assert plain.right.rate <= plain.keys.rate, "it tells answers from keys: say so in docs/rubrics.md"
    assert strict.keys is not None
    assert strict.keys.rate == 0.0
    assert (plain.faults, strict.faults) == (0, 0)
