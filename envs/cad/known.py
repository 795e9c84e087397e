"""A kernel that remembers: the same program, and the same shape beside the same reference, cost their time once.

Attempts at one task repeat one another: forks, replays, groups of equal answers, every question of a certificate. What
is remembered is what came of bytes, so that a program that asks the clock has one answer as long as it is remembered.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from palestra.envs.base import canonical_json
from palestra.envs.cad.records import Built, Comparison, Kernel, Picture, Properties, ShapeError, Wanted

Answer = TypeVar("Answer")

MOST: Final = 512  # answers
BYTES: Final = 64 * 1024 * 1024  # of all shapes that are remembered


class KnownKernel:
    """A kernel in front of another, which it ends when it is closed. Thread-safe as that one is."""

    def __init__(self, kernel: Kernel, most: int = MOST, most_bytes: int = BYTES) -> None:
        self._kernel = kernel
        self._most, self._most_bytes = most, most_bytes
        self._bytes = 0
        self._known: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._lock = threading.Lock()

    def build(self, source: str, *, timeout_s: float = 10.0) -> Built:
        """Run a program, unless it was run before and came to its end, or ran out of as much time twice."""
        text = _hash(source.encode("utf-8", "surrogatepass"))

        def is_kept(built: Built) -> bool:
            if built.timed_out:  # once, the machine may be to blame
                return self._again(("late", text, timeout_s))
            return True

        return self._answer(
            ("build", text, timeout_s), lambda: self._kernel.build(source, timeout_s=timeout_s), is_kept
        )

    def measure(self, brep: bytes) -> Properties:
        """Return what is known of a shape; raises ShapeError."""
        return self._answer(("measure", _hash(brep)), lambda: self._kernel.measure(brep))

    def judge(self, brep: bytes, wanted: Wanted) -> Comparison:
        """Compare a shape with a reference; raises ShapeError."""
        asked = canonical_json([wanted.solids, wanted.alignment, list(wanted.tests), wanted.seed, wanted.points])
        key = ("judge", _hash(brep), _hash(wanted.brep), _hash(asked.encode()))
        return self._answer(key, lambda: self._kernel.judge(brep, wanted))

    def draw(self, brep: bytes, picture: Picture) -> NDArray[np.uint8]:
        """Return shaded views; they are drawn each time."""
        return self._kernel.draw(brep, picture)

    def close(self) -> None:
        """End the kernel and forget."""
        with self._lock:
            self._known.clear()
            self._bytes = 0
        self._kernel.close()

    def _answer(
        self,
        key: tuple[object, ...],
        ask: Callable[[], Answer],
        is_kept: Callable[[Answer], bool] = lambda answer: True,
    ) -> Answer:
        """Return the answer to a question, remembered or asked for; what a shape is refused for is an answer, too."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                known: Answer = _given(self._known[key])
                return known
        try:
            answer = ask()
        except ShapeError as error:
            self._keep(key, error.args)
            raise
        if is_kept(answer):
            self._keep(key, answer)
        return answer

    def _again(self, key: tuple[object, ...]) -> bool:
        """Return whether something happens again, and remember that it did."""
        with self._lock:
            known = key in self._known
        self._keep(key, True)
        return known

    def _keep(self, key: tuple[object, ...], answer: Any) -> None:
        with self._lock:
            self._bytes += _size(answer) - _size(self._known.pop(key, None))
            self._known[key] = answer
            while len(self._known) > self._most or self._bytes > self._most_bytes:
                self._bytes -= _size(self._known.popitem(last=False)[1])


def _given(answer: Any) -> Any:
    """Return an answer; the words of a refusal, which stand there as a tuple, are raised anew."""
    if isinstance(answer, tuple):
        raise ShapeError(*answer)
    return answer


def _size(answer: Any) -> int:
    return len(answer.brep or b"") if isinstance(answer, Built) else 0


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
