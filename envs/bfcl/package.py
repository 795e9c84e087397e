"""The installed `bfcl-eval` package as files: where it is, and the entries that it carries.

Only data is read here. The package is found without being imported, so nothing of what it depends on
has to be installed.
"""

import json
from functools import cache, lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from palestra.envs.base import Json, TaskError

DISTRIBUTION = "bfcl-eval"
VERSION = "2026.3.23"
INSTALL = f"pip install --no-deps {DISTRIBUTION}=={VERSION} && pip install 'mpmath>=1.3'"


class BfclMissingError(TaskError):
    """The `bfcl-eval` package is not installed, or is not the version that the tasks are made from."""


@lru_cache(maxsize=1)
def root() -> Path:
    """Return the folder of the installed package.

    Raises:
        BfclMissingError: it is missing or of another version; the message says what to install.
    """
    spec = find_spec("bfcl_eval")
    if spec is None or not spec.submodule_search_locations:
        raise BfclMissingError(f"BFCL's tasks come from the package {DISTRIBUTION}, which is missing here: {INSTALL}")
    installed = metadata.version(DISTRIBUTION)
    if installed != VERSION:
        raise BfclMissingError(f"BFCL's tasks are those of {DISTRIBUTION} {VERSION}, not of {installed}: {INSTALL}")
    return Path(spec.submodule_search_locations[0])


def api_source(name: str) -> Path:
    """Return the source file of one of the package's simulated services."""
    return root() / "eval_checker" / "multi_turn_eval" / "func_source_code" / f"{name}.py"


@cache
def entries(category: str) -> tuple[dict[str, Json], ...]:
    """Return a category's entries in the package's order; they are shared, so nobody may change them."""
    return _lines(root() / "data" / f"BFCL_v4_{category}.json")


@cache
def answers(category: str) -> dict[str, Json]:
    """Return what each of a category's entries accepts, by id; categories without answers give nothing."""
    path = root() / "data" / "possible_answer" / f"BFCL_v4_{category}.json"
    return {line["id"]: line["ground_truth"] for line in _lines(path)} if path.exists() else {}


@cache
def documents(name: str) -> tuple[dict[str, Json], ...]:
    """Return the function documents of one of the simulated services."""
    return _lines(root() / "data" / "multi_turn_func_doc" / f"{name}.json")


def _lines(path: Path) -> tuple[dict[str, Json], ...]:
    return tuple(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
