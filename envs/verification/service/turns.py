"""A queue that serves its clients in turn, however much each of them has waiting."""

import asyncio
from collections import OrderedDict, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """What waits, by client. Each `get` takes the oldest of the client whose turn it is, who then is last in turn.

    A client that has nothing waiting is forgotten. For one event loop.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Item]] = OrderedDict()
        self._length = 0
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        return self._length

    @property
    def clients(self) -> int:
        """How many clients have something waiting."""
        return len(self._waiting)

    def waiting(self, client: str) -> int:
        """Return how much a client has waiting."""
        return len(self._waiting.get(client, ()))

    def put(self, client: str, item: Item) -> None:
        """Add what a client wants, after all else of that client."""
        self._waiting.setdefault(client, deque()).append(item)
        self._length += 1
        self._arrived.set()

    async def get(self) -> Item:
        """Return what is next; wait until there is something."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        client, items = self._waiting.popitem(last=False)
        item = items.popleft()
        self._length -= 1
        if items:
            self._waiting[client] = items
        return item

    def remove(self, client: str, item: Item) -> bool:
        """Take back what a client has waiting; return whether it was there."""
        items = self._waiting.get(client, deque())
        if item not in items:
            return False
        items.remove(item)
        self._length -= 1
        if not items:
            del self._waiting[client]
        return True

    def clear(self) -> list[Item]:
        """Return all that waits, by client, and forget it."""
        items = [item for waiting in self._waiting.values() for item in waiting]
        self._waiting.clear()
        self._length = 0
        return items
