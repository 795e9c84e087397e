"""Models that a generative judge can ask: one behind a server, or one in this process."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from palestra.agents.base import Chat, ModelError, Policy, Sampling
from palestra.agents.opening import open_agent
from palestra.envs.endpoint import Backend, RequestRefused, Usage
from palestra.rewards.judging.generative import Said, Speaker, Unasked


class CountingSpeaker(Speaker, Protocol):
    """A speaker that counts what it costs, until it is closed."""

    usage: Usage

    async def close(self) -> None:
        """Give back what it holds."""
        ...


class ServerSpeaker:
    """A model behind any OpenAI-compatible server.

    Args:
        backend: the server, with its retries; it is closed with the speaker.
        concurrency: requests that are under way at one time, at most.
    """

    def __init__(self, backend: Backend, *, concurrency: int = 8) -> None:
        self.usage = Usage()
        self._backend, self._lock = backend, threading.Lock()
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="palestra-judge")

    async def say(self, system: str, text: str, seed: int) -> Said:
        """Return what the model says.

        Raises:
            Unasked: the server refuses this request, such as one that is too long.
            InfraError: it fails as often as it is tried, or refuses everything.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._chat, system, text, seed)

    async def close(self) -> None:
        """Close the connections; who waits is told so."""
        self._backend.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _chat(self, system: str, text: str, seed: int) -> Said:
        spent = Usage()
        messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        try:
            reply = self._backend.chat(messages, seed=seed, usage=spent)
        except RequestRefused as error:
            raise Unasked("refused by the server") from error
        finally:
            with self._lock:
                self.usage.add(spent)
        return Said(reply.content, reply.is_cut)


class PolicySpeaker:
    """A policy and its chat template, such as a local model; what is asked at one time is sampled in one batch.

    Args:
        policy: the model; it is closed with the speaker.
        chat: how messages become its tokens.
        max_tokens: of one reply.
        temperature: 0 is greedy.
        max_context: tokens that prompt and reply may have together.
    """

    def __init__(
        self, policy: Policy, chat: Chat, *, max_tokens: int, temperature: float = 0.0, max_context: int = 1 << 30
    ) -> None:
        self.usage = Usage()
        self._policy, self._chat = policy, chat
        self._max_tokens, self._temperature, self._max_context = max_tokens, temperature, max_context

    async def say(self, system: str, text: str, seed: int) -> Said:
        """Return what the model says.

        Raises:
            Unasked: the prompt and a reply do not fit its context.
        """
        prompt = self._chat.render([{"role": "system", "content": system}, {"role": "user", "content": text}], [])
        if len(prompt) + self._max_tokens > self._max_context:
            raise Unasked("longer than the context")
        sampling = Sampling(
            max_tokens=self._max_tokens, temperature=self._temperature, stop_ids=self._chat.stop_ids, seed=seed
        )
        sample = await self._policy.generate(prompt, sampling)
        self.usage.requests += 1
        self.usage.prompt_tokens += len(prompt)
        self.usage.completion_tokens += len(sample.output_ids)
        said = self._chat.parse(sample.output_ids)
        text = said if isinstance(said, str) else str(said.get("content") or "")
        return Said(text, sample.finish == "length")

    async def close(self) -> None:
        """Close the policy."""
        await self._policy.close()


def local_speaker(
    name: str, *, max_tokens: int, temperature: float = 0.0, batch: int = 8, device: str = "auto"
) -> PolicySpeaker:
    """Return a model of transformers as a speaker.

    Args:
        name: "smollm2-135m" for the embedded default, a folder, or a hub id.
        max_tokens: of one reply.
        temperature: 0 is greedy.
        batch: replies sampled together, at most.
        device: auto, cpu or cuda.

    Raises:
        ModelError: there is no such model.
        MissingExtraError: the extra ``train`` is missing.
    """
    agent = open_agent(name, concurrency=batch, device=device)
    from palestra.agents.local import LocalPolicy  # of the extra `train`

    if not isinstance(agent.policy, LocalPolicy):
        raise ModelError(f"{name!r} is no model; name a folder, a hub id, or 'smollm2-135m'")
    context = agent.policy.sampler.max_context
    return PolicySpeaker(agent.policy, agent.chat, max_tokens=max_tokens, temperature=temperature, max_context=context)
