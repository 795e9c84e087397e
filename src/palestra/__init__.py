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

__version__ = "0.1.0"
__all__ = ["AgentEnv", "EnvEntry", "Snapshot", "Task", "__version__", "find", "list_envs", "make", "register"]

_LAZY = {"AgentEnv": "palestra.envs.env", "Snapshot": "palestra.envs.base", "Task": "palestra.envs.base"}

if "gymnasium" in sys.modules:
    register_in_gymnasium()
else:
    when_imported("gymnasium", register_in_gymnasium)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'palestra' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
