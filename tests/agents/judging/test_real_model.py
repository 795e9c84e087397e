"""The embedded model behind a real server, as a judge: whatever it says is a verdict or a counted abstention."""

import asyncio
import threading
from typing import Any

import pytest
import torch
from tests.agents.judging.given import PREFERENCES

from palestra.agents.base import Sampling
from palestra.agents.chat import TemplateChat
from palestra.agents.embedded import DEFAULT_MODEL
from palestra.agents.judging.preferences import plain_action
from palestra.agents.judging.resistance import WITHOUT, resistance
from palestra.agents.judging.speakers import ServerSpeaker
from palestra.agents.model import load_causal_lm, load_tokenizer
from palestra.agents.sampler import Request, Sampler
from palestra.envs.endpoint import Backend
from palestra.rewards.judging.generative import ActionsOnly, GenerativeJudge
from palestra.rewards.judging.hostile import ATTACKS


@pytest.mark.slow
def test_the_embedded_model_judges_behind_a_server(scripted: Any) -> None:
    chat = TemplateChat(load_tokenizer(DEFAULT_MODEL))
    sampler = Sampler(load_causal_lm(DEFAULT_MODEL, torch.bfloat16, "cpu"))
    lock = threading.Lock()

    def answer(body: dict[str, Any]) -> Any:
        sampling = Sampling(
            max_tokens=body["max_tokens"], temperature=body["temperature"], stop_ids=chat.stop_ids, seed=body["seed"]
        )
        with lock:
            (sample,) = sampler.sample([Request(tuple(chat.render(body["messages"], [])), sampling)])
        return scripted.Answer(content=str(chat.parse(sample.output_ids)), finish=sample.finish)

    scripted.answer = answer

    async def go() -> tuple[Any, GenerativeJudge]:
        backend = Backend(scripted.url, model="m", max_tokens=48, temperature=0.0, timeout_s=600.0)
        speaker = ServerSpeaker(backend, concurrency=2)
        judge = GenerativeJudge(speaker, key=b"the same words each time")
        try:
            found = await resistance(
                ActionsOnly(judge, plain_action), PREFERENCES[:1], attacks={"plain claim": ATTACKS["plain claim"]}
            )
            return found, judge
        finally:
            await speaker.close()

    found, judge = asyncio.run(go())
    assert set(found) == {WITHOUT, "plain claim"}
    assert [one.faults for one in found.values()] == [0, 0]
    assert len(scripted.asked) == 4
    abstained = sum(round(one.abstained.rate * one.abstained.n) for one in found.values())
    assert abstained == judge.abstentions.total()
    assert abstained == 4, "it has learnt the form: tell it in docs/web_judge.md"
