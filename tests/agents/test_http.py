"""Servers as policies, against a real HTTP server that samples from the tiny model."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from palestra.agents.base import ModelError, Sampling
from palestra.agents.chat import MessagesChat, TemplateChat
from palestra.agents.http import ChatServerPolicy, TokenServerPolicy, read_completion
from palestra.agents.opening import open_agent
from palestra.agents.rollout import RolloutConfig, Rollouts, episodes_for
from palestra.agents.runners import RUNNERS, EnvMaker
from palestra.agents.sampler import Request, Sampler
from palestra.envs.registry import find, make
from palestra.envs.toolmini.env import ToolUseMiniEnv
from palestra.sandbox.base import InfraError


class Server(BaseHTTPRequestHandler):
    """Speaks the two interfaces: completions with token ids, and chat that follows a task's oracle."""

    sampler: ClassVar[Any]
    oracle: ClassVar[list[str]]
    fail_with: ClassVar[int] = 0
    seen: ClassVar[list[Any]]

    def do_GET(self) -> None:
        self._answer({"data": [{"id": "tiny"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).seen.append(body)
        if self.fail_with:
            self._answer({"error": "no"}, self.fail_with)
        elif self.path.endswith("/chat/completions"):
            self._answer({"choices": [{"message": self._chat(body), "finish_reason": "stop"}]})
        else:
            self._answer({"choices": [self._completion(body)]})

    def _completion(self, body: dict[str, Any]) -> dict[str, Any]:
        stop = tuple(body["stop_token_ids"])
        sampling = Sampling(
            max_tokens=body["max_tokens"], temperature=body["temperature"], seed=body["seed"], stop_ids=stop
        )
        (sample,) = self.sampler.sample([Request(tuple(body["prompt"]), sampling)])
        return {
            "token_ids": sample.output_ids,
            "prompt_token_ids": body["prompt"],
            "logprobs": {"token_logprobs": sample.logprobs},
            "finish_reason": sample.finish,
        }

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        turn = sum(message["role"] == "assistant" for message in body["messages"])
        call = json.loads(self.oracle[turn].removeprefix("<tool_call>").removesuffix("</tool_call>"))
        function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
        return {"content": None, "tool_calls": [{"id": f"c{turn}", "type": "function", "function": function}]}

    def _answer(self, data: dict[str, Any], status: int = 200) -> None:
        payload = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def url(tiny_model: Any) -> Iterator[str]:
    Server.sampler, Server.fail_with, Server.seen = Sampler(tiny_model), 0, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def ask(policy: Any, prompt: list[int], sampling: Sampling) -> Any:
    async def once() -> Any:
        try:
            return await policy.generate(prompt, sampling)
        finally:
            await policy.close()

    return asyncio.run(once())


def test_token_ids_go_in_and_come_out_with_their_logprobs(url: str, tiny_model: Any) -> None:
    sampling = Sampling(max_tokens=6, temperature=0.8, seed=5, stop_ids=(256,))
    sample = ask(TokenServerPolicy(url, version=4), [1, 2, 3], sampling)
    (local,) = Sampler(tiny_model).sample([Request((1, 2, 3), sampling)])
    assert (sample.output_ids, sample.finish, sample.version) == (local.output_ids, local.finish, 4)
    assert sample.logprobs == pytest.approx(local.logprobs, abs=1e-5)
    sent = Server.seen[0]
    assert (sent["model"], sent["return_token_ids"], sent["logprobs"], sent["top_p"]) == ("tiny", True, 0, 1.0)


def test_a_whole_episode_is_played_over_token_ids(url: str, tiny_tokenizer: Any, toys: None) -> None:
    policy, chat = TokenServerPolicy(url), TemplateChat(tiny_tokenizer)
    maker = EnvMaker(find("toy/Pair-v0"), {})
    rollouts = Rollouts("toy/Pair-v0", lambda: RUNNERS["inline"](maker), policy, chat)

    async def played() -> Any:
        try:
            return await rollouts.play(episodes_for([maker().tasks.sample(0)], attempts=3), RolloutConfig(max_tokens=3))
        finally:
            await policy.close()

    result = asyncio.run(played())
    assert len(result.trajectories) == 3
    assert all(len(one.turns) == 2 for one in result.trajectories)


def test_a_chat_server_plays_tool_calls(url: str) -> None:
    env = make("palestra/ToolUseMini-v0")
    assert isinstance(env, ToolUseMiniEnv)
    task = env.tasks.sample(5)
    env.reset(seed=task.seed, options={"task": task})
    Server.oracle = []
    for action in env.oracle():
        Server.oracle.append(action)
        env.step(action)
    agent = open_agent(url)
    assert isinstance(agent.chat, MessagesChat)
    rollouts = Rollouts(env.env_id, lambda: RUNNERS["inline"](EnvMaker(find(env.env_id), {})), agent.policy, agent.chat)

    async def played() -> Any:
        try:
            return await rollouts.play(episodes_for([task]), RolloutConfig())
        finally:
            await agent.policy.close()  # type: ignore[union-attr]

    result = asyncio.run(played())
    assert result.faults == []
    assert result.trajectories[0].outcome.is_success
    last = Server.seen[-1]
    assert [message["role"] for message in last["messages"][:4]] == ["system", "user", "assistant", "tool"]
    assert last["tools"][0]["type"] == "function"


@pytest.mark.parametrize(("status", "error"), [(503, InfraError), (429, InfraError), (400, ModelError)])
def test_a_refusal_is_the_models_fault_and_an_overload_the_infrastructures(
    url: str, status: int, error: type[Exception]
) -> None:
    Server.fail_with = status
    with pytest.raises(error, match=str(status)):
        ask(TokenServerPolicy(url, model="tiny"), [1], Sampling())


def test_a_server_that_is_not_there_is_an_infrastructure_fault() -> None:
    with pytest.raises(InfraError, match="ConnectError"):
        ask(ChatServerPolicy("http://127.0.0.1:9", model="m"), MessagesChat().render([], []), Sampling())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"choices": [{"text": "hello"}]}, "carry no token_ids with logprobs"),
        ({"choices": []}, "carry no token_ids"),
        ({"choices": [{"token_ids": [1, 2], "logprobs": {"token_logprobs": [-1.0]}}]}, "returned ids"),
        (
            {"choices": [{"token_ids": [1], "logprobs": {"token_logprobs": [-1.0]}, "prompt_token_ids": [0, 5]}]},
            "changed the prompt",
        ),
        ("nonsense", "carry no token_ids"),
    ],
)
def test_an_answer_that_cannot_be_trained_on_is_refused(answer: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        read_completion(answer, [5], 0)


@pytest.mark.parametrize("reason", ["abort", "error", "cancelled"])
def test_a_reply_that_the_server_broke_off_is_no_sample(reason: str) -> None:
    answer = {"choices": [{"token_ids": [1], "logprobs": {"token_logprobs": [-1.0]}, "finish_reason": reason}]}
    with pytest.raises(InfraError, match=f"finish_reason '{reason}'"):
        read_completion(answer, [5], 0)
    with pytest.raises(InfraError, match="broke a reply off"):
        read_completion({"choices": [{"finish_reason": reason}]}, [5], 0)  # whatever else is missing


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(ModelError, match="http://"):
        TokenServerPolicy("localhost:8000")
