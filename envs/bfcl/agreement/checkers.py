"""The package's own checkers, imported without the many clients of models that it otherwise asks for."""

import importlib
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from itertools import count
from types import ModuleType, SimpleNamespace
from typing import Any

from palestra.envs.base import Json, copy_json
from palestra.envs.bfcl import package
from palestra.envs.bfcl.agreement.literals import literal
from palestra.envs.bfcl.schema import language_of

_MODELS = "bfcl_eval.constants.model_config"
_FOLDER = "bfcl_eval.eval_checker"
_numbers = count()
Calls = Sequence[tuple[str, Mapping[str, Json]]]


def single_turn(entry: Mapping[str, Json], category: str, calls: Calls, beside: str = "") -> bool | None:
    """Return what the package says of the calls for an entry; None where its checker raises.

    Values become literals for functions of Java and JavaScript, as the package wants them.

    Args:
        entry: the entry.
        category: its own.
        calls: names and arguments.
        beside: another function that each call names as well, if any.
    """
    with _models():
        checker = importlib.import_module(f"{_FOLDER}.ast_eval.ast_checker")
        enums = importlib.import_module("bfcl_eval.constants.enums")
    language = language_of(category)
    more: dict[str, Json] = {beside: {}} if beside else {}
    given = [{name: _literals(entry, name, arguments, language), **more} for name, arguments in calls]
    wanted = package.answers(category)[entry["id"]]
    try:
        with redirect_stdout(StringIO()):
            told = checker.ast_checker(
                entry["function"], given, wanted, enums.Language[language.upper()], category, "none"
            )
    except Exception:  # another package's checker on odd values: that it raises is what is reported
        return None
    return bool(told["valid"])


def multi_turn(entry: Mapping[str, Json], category: str, turns: Sequence[Sequence[Sequence[str]]]) -> bool | None:
    """Return what the package says of an episode; None where its checker raises.

    Args:
        entry: the entry.
        category: its own.
        turns: for each of the user's turns, for each of the agent's steps, its calls as Python source, which
            the package evaluates: never give it text of an agent.
    """
    checker = importlib.import_module(f"{_FOLDER}.multi_turn_eval.multi_turn_checker")
    executor = importlib.import_module(f"{_FOLDER}.multi_turn_eval.multi_turn_utils")
    name = f"episode{next(_numbers)}"
    wanted = package.answers(f"multi_turn_{category}")[entry["id"]]
    try:
        with redirect_stdout(StringIO()):
            told = checker.multi_turn_checker(turns, wanted, copy_json(entry), f"multi_turn_{category}", name)
    except Exception:  # likewise
        return None
    finally:
        for left in [one for one in vars(executor) if one.startswith(f"{name}_")]:
            del vars(executor)[left]  # the package keeps every episode's services
    return bool(told["valid"])


def evaluated(text: str) -> str:
    """Return what the package makes of a call that it is given as text, in a file system of its own."""
    executor = importlib.import_module(f"{_FOLDER}.multi_turn_eval.multi_turn_utils")
    results, _ = executor.execute_multi_turn_func_call([text], {}, ["GorillaFileSystem"], "none", f"{next(_numbers)}")
    return str(results[0])


def source(call: Mapping[str, Json]) -> str:
    """Return a call of ours as the package wants it in several turns: Python source."""
    return f"{call['name']}({', '.join(f'{name}={value!r}' for name, value in call['arguments'].items())})"


def _literals(entry: Mapping[str, Json], name: str, arguments: Mapping[str, Json], language: Any) -> dict[str, Json]:
    if language == "python":
        return dict(arguments)
    schemas = {document["name"]: document["parameters"]["properties"] for document in entry["function"]}.get(name, {})
    return {key: literal(value, schemas.get(key, {"type": "any"}), language) for key, value in arguments.items()}


@contextmanager
def _models() -> Iterator[None]:
    """Stand in for the package's list of models while it is imported: no model is asked for anything here."""
    if _MODELS in sys.modules:
        yield
        return
    stub = ModuleType(_MODELS)
    stub.MODEL_CONFIG_MAPPING = defaultdict(lambda: SimpleNamespace(underscore_to_dot=False))  # type: ignore[attr-defined]
    sys.modules[_MODELS] = stub
    try:
        yield
    finally:
        del sys.modules[_MODELS]
