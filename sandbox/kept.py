"""Something costly to work in: started when it is first needed, given up after a fault, given back at the end."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from palestra.sandbox.base import InfraError


class Closeable(Protocol):
    """What is given back by `close`."""

    def close(self) -> None:
        """Give it back; a second call does nothing."""
        ...


Place = TypeVar("Place", bound=Closeable)
Made = TypeVar("Made")


class Kept(Generic[Place]):
    """One place, or none at present. Not thread-safe."""

    def __init__(self, start: Callable[[], Place]) -> None:
        """Remember how a place is started; none is yet."""
        self._start = start
        self._place: Place | None = None

    def use(self, job: Callable[[Place], Made]) -> Made:
        """Return what a job makes of the place, which is started if need be.

        Raises:
            InfraError: the job, or the start, met a fault of ours; the next job has another place.
        """
        try:
            if self._place is None:
                self._place = self._start()
            return job(self._place)
        except InfraError:
            self.close()
            raise

    def close(self) -> None:
        """Give the place back, if there is one; another is started when it is needed again."""
        place, self._place = self._place, None
        if place is not None:
            place.close()
