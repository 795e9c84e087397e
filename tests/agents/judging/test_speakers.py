"""Models that judge: behind a server with its faults, and in this process."""

import asyncio
from typing import Any

import pytest
from tests.agents.judging.given import PREFERENCES, Prompt, honest

from palestra.agents.base import ModelError
from palestra.agents.chat import TemplateChat
from palestra.agents.judging.measure import Judged, Report, judge_pairs
from palestra.agents.judging.preferences import plain_action, question_of
from palestra.agents.judging.speakers import PolicySpeaker, ServerSpeaker, local_speaker
from palestra.agents.local import LocalPolicy
from palestra.agents.sampler import Sampler
from palestra.envs.endpoint import Backend
from palestra.rewards.judging.base import Candidate, Panel, Question
from palestra.rewards.judging.generative import ActionsOnly, GenerativeJudge, Said, Unasked

ASKED = 4 * len(PREFERENCES)


def ask(url: str, *, concurrency: int = 4, votes: int = 1) -> tuple[Judged, ServerSpeaker, GenerativeJudge]:
    backend = Backend(url, model="m", retries=2, pause_s=0.001, max_tokens=300, temperature=0.0)
    speaker = ServerSpeaker(backend, concurrency=concurrency)
    judge = GenerativeJudge(speaker)

    async def go() -> Judged:
        try:
            return await judge_pairs(ActionsOnly(judge, plain_action), PREFERENCES, concurrency=16, votes=votes)
        finally:
            await speaker.close()

    return asyncio.run(go()), speaker, judge


def test_an_honest_model_is_right_and_its_cost_is_counted(scripted: Any) -> None:
    scripted.answer = lambda body: scripted.Answer(content=honest(body))
    judged, speaker, judge = ask(scripted.url)
    told = Report.of(judged.pairs)
    assert told.pairwise is not None
    assert told.pairwise.rate == 1.0
    assert judged.pairs[0].forth.principles == ("do what was asked",)
    assert judged.pairs[0].to_json()["verdicts"][0]["reasons"] == ["so it seems"] * 2
    assert (speaker.usage.requests, speaker.usage.prompt_tokens) == (ASKED, 100 * ASKED)
    assert not judge.abstentions
    assert scripted.most_at_once <= 4
    words = {Prompt.of(body).word for body in scripted.asked}
    assert len(words) == ASKED  # drawn for each prompt


def test_what_a_server_could_not_take_is_sent_again(scripted: Any) -> None:
    left = [scripted.Answer(status=429, raw="busy"), scripted.Answer(status=500, raw="<html>")]
    scripted.answer = lambda body: left.pop() if left else scripted.Answer(content=honest(body))
    judged, speaker, _ = ask(scripted.url, concurrency=1)
    assert (len(judged.pairs), judged.faults, speaker.usage.retries) == (16, 0, 2)


def test_what_is_no_verdict_is_an_abstention_with_its_reason(scripted: Any) -> None:
    answers: list[dict[str, Any]] = [
        {"content": "The first one."},
        {"content": "", "finish": "length"},
        {"content": None},
        {"raw": "too long", "status": 400},
    ]

    def answer(body: dict[str, Any]) -> Any:
        number = next(place for place, one in enumerate(PREFERENCES) if one.intent in body["messages"][1]["content"])
        return scripted.Answer(**answers[number % 4])

    scripted.answer = answer
    judged, _, judge = ask(scripted.url)
    assert judged.faults == 0
    assert Report.of(judged.pairs).reasons == {"not the form": 16, "cut off": 8, "refused by the server": 8}
    assert judge.abstentions == Report.of(judged.pairs).reasons
    assert judged.pairs[0].forth.reply == "The first one."


def test_texts_that_are_no_action_are_worth_nothing_and_not_shown(scripted: Any) -> None:
    def judge(*actions: str) -> Any:
        async def go() -> Any:
            speaker = ServerSpeaker(Backend(scripted.url, model="m"))
            asked = Question(
                instruction="x", state="y", candidates=tuple(Candidate(action=action) for action in actions)
            )
            try:
                return await ActionsOnly(GenerativeJudge(speaker), plain_action).judge(asked)
            finally:
                await speaker.close()

        return asyncio.run(go())

    scripted.answer = lambda body: scripted.Answer(content=Prompt.of(body).answer(Prompt.of(body).names[1]))
    said = judge(":", "click('1')", "Thought process:", "noop()  # VERDICT")
    assert said.scores == (0.0, 0.1, 0.0, 0.8)
    assert list(Prompt.of(scripted.asked[0]).candidates.values()) == ["click('1')", "noop()"]
    assert judge(":", "click('1')").scores == (0.0, 1.0)
    assert judge(":", "").scores == (0.0, 0.0)
    assert len(scripted.asked) == 1  # the other two needed nobody


def test_all_candidates_of_a_state_may_be_compared_at_once(scripted: Any) -> None:
    scripted.answer = lambda body: scripted.Answer(content=honest(body))
    one = PREFERENCES[2]
    actions = [one.negatives[0], one.positive, "go_back()", "noop()", one.negatives[1]]

    async def go() -> Any:
        speaker = ServerSpeaker(Backend(scripted.url, model="m"))
        try:
            return await Panel(GenerativeJudge(speaker), 3).judge(question_of(one, actions))
        finally:
            await speaker.close()

    said = asyncio.run(go())
    assert said.best == 1
    assert said.scores == pytest.approx((0.1, 0.8, 0.1, 0.1, 0.1))


def test_a_local_model_speaks_within_its_context(tiny_model: Any, tiny_tokenizer: Any) -> None:
    sampler = Sampler(tiny_model)

    async def go() -> tuple[list[Said], PolicySpeaker]:
        speaker = PolicySpeaker(
            LocalPolicy(sampler), TemplateChat(tiny_tokenizer), max_tokens=5, max_context=sampler.max_context
        )
        said = await asyncio.gather(*(speaker.say("be fair", "who?", seed) for seed in range(3)))
        with pytest.raises(Unasked, match="longer than the context"):
            await speaker.say("be fair", "x" * 2000, 0)
        await speaker.close()
        return list(said), speaker

    said, speaker = asyncio.run(go())
    assert len({one.text for one in said}) == 1  # greedy
    assert (speaker.usage.requests, speaker.usage.completion_tokens) == (3, 15)
    assert all(one.is_cut for one in said)


def test_only_models_are_local_speakers(tiny_folder: Any) -> None:
    with pytest.raises(ModelError, match="is no model"):
        local_speaker("oracle", max_tokens=5)
    with pytest.raises(ModelError, match="no model named"):
        local_speaker("nowhere", max_tokens=5)
    speaker = local_speaker(str(tiny_folder), max_tokens=5, device="cpu")
    asyncio.run(speaker.close())
