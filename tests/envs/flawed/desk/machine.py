"""The desk, dependent on what must not matter: the clock, the machine, the process."""

import locale
import os
import random
import socket
import time
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from tests.envs.flawed.corpus import caught_by
from tests.envs.flawed.desk.env import Desk, DeskTasks

from palestra.envs.base import Json, Task


class _Talks(Desk):
    """The first observation ends with something that is not about the task."""

    def aside(self) -> object:
        raise NotImplementedError

    def _first_observation(self) -> str:
        return f"{super()._first_observation()}\n({self.aside()})"


class _HashedWords(DeskTasks):
    def words(self, name: str, item: str, price: Json) -> str:
        others = " nor the ".join({item, "teapot", "kettle", "saucer", "cup"} - {item})
        return f"{super().words(name, item, price)} This is not about the {others}."


@caught_by("determinism")
class SetOrder(Desk):
    """The prompt names the members of a set in the order of the process's hash seed."""

    source = _HashedWords


@caught_by("elsewhen", "oracle", "apart")
class TimeInTheReward(Desk):
    """Who is slow is paid less."""

    begun = 0.0

    def _begin(self, task: Task) -> None:
        super()._begin(task)
        self.begun = time.monotonic()

    def pay(self, won: bool) -> dict[str, float]:
        return {"outcome": float(won), "haste": -0.1 * won * (time.monotonic() - self.begun > 0.1)}


@caught_by("oracle", "seeds")
class TimeInTheObservation(_Talks):
    """The observation tells the time."""

    def aside(self) -> object:
        return datetime.now(UTC)


@caught_by("elsewhen")
class DateInTheObservation(_Talks):
    """The observation tells the date."""

    def aside(self) -> object:
        return date.today()


@caught_by("oracle")
class ChanceInTheStep(Desk):
    """Replies end with a number from the process's own generator."""

    def reply(self, call: Any) -> str:
        return f"{super().reply(call)} {random.random()}"


@caught_by("elsewhen", "determinism")
class ProcessInTheObservation(_Talks):
    """The observation tells the process's id."""

    def aside(self) -> object:
        return os.getpid()


@caught_by("elsewhen")
class HostInTheObservation(_Talks):
    """The observation tells the machine's name."""

    def aside(self) -> object:
        return socket.gethostname()


@caught_by("apart", "determinism")
class AddressInTheObservation(_Talks):
    """The observation tells where an object lies in memory."""

    def aside(self) -> object:
        return hex(id(self))


@caught_by("determinism")
class TimeZoneInTheObservation(_Talks):
    """The observation tells what hour it was when the epoch began, here."""

    def aside(self) -> object:
        return time.localtime(0).tm_hour


@caught_by("determinism")
class LocaleInTheObservation(_Talks):
    """The observation tells the locale's encoding."""

    def aside(self) -> object:
        return locale.getlocale(), os.environ.get("LC_ALL", "")


@caught_by("determinism")
class FolderInTheObservation(_Talks):
    """The observation tells the working folder."""

    def aside(self) -> object:
        return os.getcwd()


@caught_by("elsewhen", "determinism")
class ProcessorsInTheObservation(_Talks):
    """The observation depends on the number of processors."""

    def aside(self) -> object:
        return os.cpu_count()


@caught_by("determinism")
class ThreadsInTheObservation(_Talks):
    """The observation depends on how many threads a library may start."""

    def aside(self) -> object:
        return os.environ.get("OMP_NUM_THREADS", "all")


@caught_by("determinism")
class OrderOfTasks(_Talks):
    """The observation tells which tasks were played before in this process."""

    played: ClassVar[list[str]] = []

    def aside(self) -> object:
        self.played.append(self.task.digest)
        return list(dict.fromkeys(self.played)).index(self.task.digest)
