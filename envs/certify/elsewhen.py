"""The same episode on another day, on another machine and at another pace: nothing may be different.

The family's own modules are given another clock, another host, another process and another number of
processors for a while; everybody else keeps the real ones. What they do not reach (an import inside a
function, a library's clock) other questions do: fresh processes in other time zones, and slow play.
"""

import datetime
import getpass
import os
import platform
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from palestra.envs.certify.findings import Finding
from palestra.envs.certify.sample import Sample
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import SCRIPTS, play

PAUSE_S = 0.03
_TASKS = 2
_PAUSES = 4  # in one episode
_LATER = datetime.timedelta(days=403, hours=13, minutes=37)
_LATER_S = _LATER.total_seconds()


def same_elsewhen(sample: Sample) -> Finding:
    """Play the oracle as it is, and slowly, a year later and on another machine."""
    for case in sample.cases(_TASKS):
        wanted = play(case.env, SCRIPTS["oracle"], case.seed, case.task)
        slow = play(case.env, _slow_oracle, case.seed, case.task)
        if slow.stream != wanted.stream:
            return Finding(False, f"played slowly, {case} is something else: it earns {slow.reward:g}")
        with elsewhere(sample.entry.entry_point):
            later = play(case.env, SCRIPTS["oracle"], case.seed, case.task)
            made = case.env.tasks.sample(case.seed)
        if later.stream != wanted.stream or made.digest != case.task.digest:
            return Finding(False, f"on another day or another machine {case} is something else")
    return Finding(True, "slow play, another day and another machine change nothing")


@contextmanager
def elsewhere(entry_point: str) -> Iterator[None]:
    """Give the modules of a family another clock, host, process id and number of processors."""
    package = entry_point.split(":")[0].rpartition(".")[0] or entry_point.split(":")[0]
    others = _others()
    found: list[tuple[dict[str, Any], str, Any]] = []
    for name, module in list(sys.modules.items()):
        if name == package or name.startswith(f"{package}."):
            names = vars(module)
            found += [(names, held, value) for held, value in names.items() if id(value) in others]
    try:
        for names, held, value in found:
            names[held] = others[id(value)]
        yield
    finally:
        for names, held, value in found:
            names[held] = value


def _slow_oracle(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    for number, action in enumerate(env.oracle()):
        if number < _PAUSES:
            time.sleep(PAUSE_S)
        yield action


class _Other:
    """A module of which some names are others."""

    def __init__(self, module: ModuleType, names: Mapping[str, Any]) -> None:
        self.__dict__.update(names)
        self.__dict__["_module"] = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Dates(type):
    """What is an instance of the real class is one of the other as well."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.__bases__[0])


class _Date(datetime.date, metaclass=_Dates):
    @classmethod
    def today(cls) -> "_Date":
        return super().today() + _LATER


class _Datetime(datetime.datetime, metaclass=_Dates):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "_Datetime":
        return super().now(tz) + _LATER

    @classmethod
    def today(cls) -> "_Datetime":
        return cls.now()

    @classmethod
    def utcnow(cls) -> "_Datetime":
        return cls.now(datetime.UTC).replace(tzinfo=None)


def _others() -> dict[int, Any]:
    """Return what stands in for what, by its identity."""
    names: dict[ModuleType, dict[str, Any]] = {
        time: _clock(),
        datetime: {"date": _Date, "datetime": _Datetime},
        os: {
            "getpid": lambda: 4_000_001,
            "cpu_count": lambda: 3 * (os.cpu_count() or 1),
            "sched_getaffinity": lambda pid: set(range(7 * (os.cpu_count() or 1))),
            "uname": lambda: os.uname_result(("Other", "elsewhere", "0", "0", "other")),
            "urandom": lambda size: b"\x2a" * size,
        },
        socket: {"gethostname": lambda: "elsewhere", "getfqdn": lambda name="": "elsewhere.example"},
        platform: {"node": lambda: "elsewhere", "platform": lambda *words: "Other-0"},
        getpass: {"getuser": lambda: "somebody"},
    }
    others: dict[int, Any] = {}
    for module, replaced in names.items():
        others[id(module)] = _Other(module, replaced)
        others |= {id(getattr(module, name)): value for name, value in replaced.items() if hasattr(module, name)}
    return others


def _clock() -> dict[str, Any]:
    def seconds(given: float | None) -> float:
        return time.time() + _LATER_S if given is None else given

    def told(form: str, moment: time.struct_time | None = None) -> str:
        return time.strftime(form, moment or time.localtime(seconds(None)))

    def localtime(given: float | None = None) -> time.struct_time:
        return time.localtime(seconds(given))

    def gmtime(given: float | None = None) -> time.struct_time:
        return time.gmtime(seconds(given))

    return {
        "time": lambda: seconds(None),
        "time_ns": lambda: int(seconds(None) * 1e9),
        "localtime": localtime,
        "gmtime": gmtime,
        "strftime": told,
    }
