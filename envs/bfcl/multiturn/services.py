"""The package's simulated services: loaded as private copies, pinned, and called by name with JSON arguments.

The code that runs is the package's own. It is never given text to evaluate: a call is a method's name and JSON
values, and only the methods that its documents name can be called. The copies are ours alone, so pinning their
clock and generator changes nothing for who uses the package beside us.
"""

import importlib.util
import inspect
from collections.abc import Mapping
from copy import deepcopy
from functools import cache, lru_cache
from types import ModuleType, SimpleNamespace
from typing import Any

from palestra.envs.base import Json, copy_json
from palestra.envs.bfcl import package
from palestra.envs.bfcl.multiturn.pinned import NOW, CountedRandom, PinnedDatetime

MODULES: Mapping[str, str] = {
    "GorillaFileSystem": "gorilla_file_system",
    "MathAPI": "math_api",
    "MessageAPI": "message_api",
    "TwitterAPI": "posting_api",
    "TicketAPI": "ticket_api",
    "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking",
    "VehicleControlAPI": "vehicle_control",
}
_STATELESS = frozenset({"MathAPI"})
# Neither their answers nor the state tell what was asked, a date, a password or a passport: arguments count as well.
UNTOLD = frozenset(
    {
        "authenticate_travel",
        "estimate_drive_feasibility_by_mileage",
        "get_flight_cost",
        "purchase_insurance",
        "ticket_login",
        "trading_login",
        "verify_traveler_information",
    }
)
MOST = 10**15  # the size of an integer argument; larger ones only make the services slow
MOST_DIGITS = 1_000  # of precision


class ArgumentError(ValueError):
    """An argument that would stall the services."""


@cache
def module(name: str) -> ModuleType:
    """Return our pinned copy of the module of a service."""
    path = package.api_source(MODULES[name])
    spec = importlib.util.spec_from_file_location(f"{__name__}.{MODULES[name]}", path)
    if spec is None or spec.loader is None:
        raise package.BfclMissingError(f"the source of {name} is not at {path}; {package.INSTALL}")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    if hasattr(made, "random"):
        made.random = SimpleNamespace(Random=CountedRandom)  # type: ignore[attr-defined]
    if hasattr(made, "datetime"):
        whole = inspect.ismodule(made.datetime)
        made.datetime = SimpleNamespace(datetime=PinnedDatetime) if whole else PinnedDatetime  # type: ignore[attr-defined]
    if hasattr(made, "CURRENT_TIME"):
        made.CURRENT_TIME = PinnedDatetime(*NOW)  # type: ignore[attr-defined]
    if hasattr(made, "subprocess"):
        made.subprocess = None  # type: ignore[attr-defined]  # imported there and not used
    return made


@lru_cache(maxsize=1)
def classes() -> Mapping[str, type]:
    """Return every class that a state may hold, by name."""
    found = {name: getattr(module(name), name) for name in MODULES}
    files = module("GorillaFileSystem")
    return {**found, "File": files.File, "Directory": files.Directory}


@cache
def methods(name: str) -> Mapping[str, inspect.Signature]:
    """Return the methods of a service that may be called, in its documents' order, with their parameters."""
    cls = classes()[name]
    names = [document["name"] for document in package.documents(MODULES[name])]
    return {method: inspect.signature(getattr(cls, method)) for method in names}


def create(name: str, config: Mapping[str, Json], *, long_context: bool) -> Any:
    """Return a service as an entry's configuration begins it; it shares nothing with any other."""
    instance = classes()[name]()
    if name not in _STATELESS:
        instance._load_scenario(copy_json(config), long_context=long_context)
    return deepcopy(instance)  # else it would hold, and change, constants of its module


def invoke(instance: Any, method: str, arguments: Mapping[str, Json]) -> Any:
    """Return what a method answers.

    Raises:
        ArgumentError: an argument is out of all proportion.
        Exception: whatever the package's code raises.
    """
    given: dict[str, Json] = copy_json(arguments)
    _check_sizes(given)
    for name in ("precision", "decimal_places"):
        if isinstance(given.get(name), (int, float)) and abs(given[name]) > MOST_DIGITS:
            raise ArgumentError(f"{name} must be at most {MOST_DIGITS}")
    if method == "power":  # of integers it would be exact, however long
        given = {name: float(value) for name, value in given.items()}
    for name, parameter in methods(type(instance).__name__)[method].parameters.items():
        if name not in given and isinstance(parameter.default, (list, dict)):
            given[name] = deepcopy(parameter.default)  # the method's own would outlive the episode
    return getattr(instance, method)(**given)


def _check_sizes(value: Json) -> None:
    if isinstance(value, int) and abs(value) > MOST:
        raise ArgumentError(f"an integer must be at most {MOST}")
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _check_sizes(item)
