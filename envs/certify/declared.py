"""What a family declares in its ``attacks`` module, beside the module of its class."""

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from palestra.envs.base import Json, Task
from palestra.envs.certify.same import Variant
from palestra.envs.certify.spoilt import Spoiler
from palestra.envs.registry import EnvEntry
from palestra.envs.scripts import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A family's attacks and what it says of luck, spoilt oracles and other names; all of it is put to the test."""

    attacks: Mapping[str, Script] = field(default_factory=dict)  # earn nothing on any task
    guesses: Mapping[str, tuple[Script, float]] = field(default_factory=dict)  # luck, and the share it may win
    floors: Mapping[str, float] = field(default_factory=dict)  # the share that one of the panel may win
    mutants: Spoiler = lambda task: ()  # spoilt oracles of a task, which must fail
    equivalents: Mapping[str, Script] = field(default_factory=dict)  # the oracle told otherwise, which must not
    variants: Mapping[str, Variant] = field(default_factory=dict)  # the same task under other names
    twins: Callable[[Task], Iterable[Task]] = lambda task: ()  # tasks that differ in what one step shows
    optional: Mapping[str, str] = field(default_factory=dict)  # tools whose calls may be idle, and why
    idle: Callable[[Task], Mapping[str, str]] = lambda task: {}  # such tools of one task
    world: Callable[[Json], Json] = lambda state: state  # what of two states is compared
    absent: str = ""  # why there are no attacks


def declared(entry: EnvEntry) -> Declared:
    """Return what the family of an environment declares.

    Raises:
        Exception: whatever importing the family's module raises.
    """
    package = entry.entry_point.split(":")[0].rpartition(".")[0]
    if not package:
        return Declared(absent=f"{entry.entry_point} stands in no package that could hold an attacks module")
    name = f"{package}.attacks"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return Declared(absent=f"there is no module {name}")
    fields = [name for name in Declared.__dataclass_fields__ if name != "absent"]
    found = {field: getattr(module, field.upper()) for field in fields if hasattr(module, field.upper())}
    return Declared(**found, absent="" if found.get("attacks") else f"{name} names no ATTACKS")
