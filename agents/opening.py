"""From an agent's name to something that plays: a script, a recorded run, a server or a model."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from palestra.agents.base import Chat, ModelError, Policy
from palestra.agents.chat import ByteChat, MessagesChat
from palestra.agents.rollout import Episode, PolicyFor
from palestra.agents.runners import EnvRunner
from palestra.agents.scripted import ScriptedPolicy
from palestra.envs.scripts import SCRIPTS

REPLAY = "replay:"


@dataclass(frozen=True, slots=True)
class Agent:
    """What `Rollouts` needs of an agent."""

    policy: Policy | PolicyFor
    chat: Chat


def open_agent(
    name: str,
    *,
    seed: int = 0,
    tokenizer: str | None = None,
    served_model: str | None = None,
    api_key: str | None = None,
    concurrency: int = 64,
    device: str = "auto",
) -> Agent:
    """Return the agent of a name.

    Args:
        name: ``oracle``, ``nop``, ``random``; ``replay:FILE`` (episodes that `palestra run --out` wrote);
            an ``http://`` or ``https://`` address; else a model's name, folder or hub id.
        tokenizer: for a server that takes and returns token ids: the model whose template to use.
        served_model: the name under which a server knows its model.

    Raises:
        ModelError: there is no such agent.
        MissingExtraError: a model needs the extra ``train``.
    """
    if name in SCRIPTS:
        script = SCRIPTS[name]

        def follow(runner: EnvRunner, episode: Episode) -> Policy:
            return ScriptedPolicy(script(runner.env, np.random.default_rng([seed, episode.seed])))

        return Agent(follow, ByteChat())
    if name.startswith(REPLAY):
        return Agent(_replay(Path(name[len(REPLAY) :])), MessagesChat())
    if name.startswith(("http://", "https://")):
        return _server(name, tokenizer, served_model, api_key)
    return _model(name, concurrency, device)


def _replay(path: Path) -> Callable[[EnvRunner, Episode], Policy]:
    recorded: dict[str, list[list[str]]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ModelError(f"the episodes {str(path)!r} cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        try:
            episode = json.loads(line)
            said = [json.dumps(m) for m in episode["messages"] if m["role"] == "assistant"]
            recorded.setdefault(episode["task_id"], []).append(said)
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"line {number} of {str(path)!r} is no episode: {error!r}") from error

    def follow(runner: EnvRunner, episode: Episode) -> Policy:
        attempts = recorded.get(episode.task.id)
        if attempts is None:
            raise ModelError(f"{str(path)!r} has no episode of {episode.task.id!r}; give the same seed and knobs")
        return ScriptedPolicy(iter(attempts.pop(0) if len(attempts) > 1 else attempts[0]))

    return follow


def _server(url: str, tokenizer: str | None, model: str | None, api_key: str | None) -> Agent:
    from palestra.agents.http import ChatServerPolicy, TokenServerPolicy

    if tokenizer is None:
        return Agent(ChatServerPolicy(url, model=model, api_key=api_key), MessagesChat())
    from palestra.agents.chat import TemplateChat
    from palestra.agents.model import load_tokenizer

    policy = TokenServerPolicy(url, model=model, api_key=api_key)
    return Agent(policy, TemplateChat(load_tokenizer(tokenizer)))


def _model(name: str, concurrency: int, device: str) -> Agent:
    from palestra.agents.embedded import resolve_model

    resolve_model(name)  # a wrong name is told before PyTorch is imported
    import torch

    from palestra.agents.chat import TemplateChat
    from palestra.agents.local import LocalPolicy
    from palestra.agents.model import load_causal_lm, load_tokenizer, pick_device
    from palestra.agents.sampler import Sampler

    chat = TemplateChat(load_tokenizer(name))
    model = load_causal_lm(name, torch.bfloat16, pick_device(device))
    return Agent(LocalPolicy(Sampler(model), max_batch=concurrency), chat)
