"""Gymnasium's own vector environments, by name and with defaults that suit texts."""

from collections.abc import Mapping
from typing import Any, Literal

import gymnasium
from gymnasium.vector import VectorEnv

from palestra.envs.registry import find, register_in_gymnasium


def make_vec(
    env_id: str,
    num_envs: int = 1,
    *,
    vectorization_mode: Literal["sync", "async"] = "async",
    vector_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> VectorEnv[Any, Any, Any]:
    """Return a vector environment that steps in lock-step; `EnvPool` does not.

    Texts go through pipes, not through shared memory, which would reserve the longest text's room for
    each environment. `gymnasium.make_vec` works as well, with shared memory: a registration cannot
    hold another default for it.

    Args:
        env_id: such as ``palestra/ToolUseMini-v0``.
        num_envs: how many.
        vectorization_mode: "async", each in a process of its own, or "sync", one after the other.
        vector_kwargs: for `AsyncVectorEnv` or `SyncVectorEnv`, such as ``{"autoreset_mode": "SameStep"}``.
        kwargs: for the environment's class.

    Raises:
        UnknownEnvError: the name is unknown.
    """
    entry = find(env_id)
    register_in_gymnasium()
    defaults = {"shared_memory": False} if vectorization_mode == "async" else {}
    return gymnasium.make_vec(
        entry.id,
        num_envs=num_envs,
        vectorization_mode=vectorization_mode,
        vector_kwargs={**defaults, **(vector_kwargs or {})},
        **kwargs,
    )
