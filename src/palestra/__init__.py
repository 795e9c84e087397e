"""palestra: the gym where LLM agents train.

``import palestra`` is light: it registers every environment by name and imports none of them.
"""

import sys
from typing import TYPE_CHECKING, Any

from palestra._hook import when_imported
from palestra.envs.registry import EnvEntry, find, list_envs, make, register, register_in_gymnasium

if TYPE_CHECKING:
    from palestra.envs.base import Snapshot, Task
    from palestra.envs.env import AgentEnv
    from palestra.envs.pool import EnvPool
    from palestra.envs.vector import make_vec

__version__ = "0.1.0"
__all__ = [
    "AgentEnv",
    "EnvEntry",
    "EnvPool",
    "Snapshot",
    "Task",
    "__version__",
    "find",
    "list_envs",
    "make",
    "make_vec",
    "register",
]

_LAZY = {
    "AgentEnv": "palestra.envs.env",
    "EnvPool": "palestra.envs.pool",
    "Snapshot": "palestra.envs.base",
    "Task": "palestra.envs.base",
    "make_vec": "palestra.envs.vector",
}

if "gymnasium" in sys.modules:
    register_in_gymnasium()
else:
    when_imported("gymnasium", register_in_gymnasium)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'palestra' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
