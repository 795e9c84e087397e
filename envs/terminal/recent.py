"""What was found out last, so that it need not be found out again."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Found = TypeVar("Found")


class Recent(Generic[Found]):
    """The answers to some questions: those that were kept last. Thread-safe."""

    def __init__(self, size: int) -> None:
        """Keep no more than so many."""
        self._size = size
        self._kept: OrderedDict[str, Found] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, question: str) -> Found | None:
        """Return the answer to a question, if it is kept."""
        with self._lock:
            if question in self._kept:
                self._kept.move_to_end(question)
            return self._kept.get(question)

    def put(self, question: str, answer: Found) -> None:
        """Keep an answer."""
        with self._lock:
            self._kept[question] = answer
            self._kept.move_to_end(question)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
