"""Every kind of predicate that is judged of a tree alone, and its judgement: a reason, or none.

This and what it imports is also what runs in the verifier's slot, on what an agent left: it needs nothing beside the
standard library, and a predicate that cannot be judged is one that does not hold.
"""

from collections.abc import Callable, Mapping
from typing import Final

from palestra.envs.terminal.predicates.archives import archive
from palestra.envs.terminal.predicates.content import Predicate, UnmetError, one_line
from palestra.envs.terminal.predicates.database import sqlite
from palestra.envs.terminal.predicates.history import git
from palestra.envs.terminal.predicates.nodes import folder, link, mode, mtime, owner, same
from palestra.envs.terminal.predicates.texts import checksums, file
from palestra.envs.terminal.predicates.values import csv_file, ini_file, json_file, toml_file
from palestra.envs.terminal.tree import Tree

JUDGES: Final[Mapping[str, Callable[[Tree, Predicate], None]]] = {
    "file": file,
    "checksums": checksums,
    "json": json_file,
    "toml": toml_file,
    "ini": ini_file,
    "csv": csv_file,
    "mode": mode,
    "owner": owner,
    "mtime": mtime,
    "link": link,
    "folder": folder,
    "same": same,
    "archive": archive,
    "sqlite": sqlite,
    "git": git,
}


def reason(tree: Tree, asked: Predicate) -> str:
    """Return why a predicate does not hold of a tree; "" if it does."""
    try:
        JUDGES[asked["kind"]](tree, asked)
    except UnmetError as unmet:
        return one_line(str(unmet)) or "it does not hold"
    except MemoryError:
        return f"{asked.get('path')}: it takes more memory than there is to look at it"
    except Exception as error:  # whatever somebody hostile has thought of
        return one_line(f"{asked.get('path')}: it cannot be judged: {type(error).__name__}: {error!s:.160}")
    return ""
