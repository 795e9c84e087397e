"""Every kind of predicate that is judged of a tree alone, and its judgement: a reason, or none.

This and what it imports is also what runs in the verifier's slot, on what an agent left: it needs nothing beside the
standard library, and a predicate that cannot be judged is one that does not hold.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Final

from palestra.envs.terminal.predicates.content import Predicate, UnmetError, one_line
from palestra.envs.terminal.tree import Tree

_PACKAGE: Final = "palestra.envs.terminal.predicates"
JUDGES: Final[Mapping[str, tuple[str, str]]] = {  # module and function, which a slot loads only where it needs them
    "file": ("texts", "file"),
    "checksums": ("texts", "checksums"),
    "json": ("values", "json_file"),
    "toml": ("values", "toml_file"),
    "ini": ("values", "ini_file"),
    "csv": ("values", "csv_file"),
    "mode": ("nodes", "mode"),
    "owner": ("nodes", "owner"),
    "mtime": ("nodes", "mtime"),
    "link": ("nodes", "link"),
    "folder": ("nodes", "folder"),
    "same": ("nodes", "same"),
    "archive": ("archives", "archive"),
    "sqlite": ("database", "sqlite"),
    "git": ("history", "git"),
}


def judge_of(kind: str) -> Callable[[Tree, Predicate], None]:
    """Return what raises UnmetError unless a predicate of a kind holds of a tree; KeyError: there is no such kind."""
    module, function = JUDGES[kind]
    judge: Callable[[Tree, Predicate], None] = getattr(importlib.import_module(f"{_PACKAGE}.{module}"), function)
    return judge


def reason(tree: Tree, asked: Predicate) -> str:
    """Return why a predicate does not hold of a tree; "" if it does."""
    try:
        judge_of(asked["kind"])(tree, asked)
    except UnmetError as unmet:
        return one_line(str(unmet)) or "it does not hold"
    except MemoryError:
        return f"{asked.get('path')}: it takes more memory than there is to look at it"
    except Exception as error:  # whatever somebody hostile has thought of
        return one_line(f"{asked.get('path')}: it cannot be judged: {type(error).__name__}: {error!s:.160}")
    return ""
