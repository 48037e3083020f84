"""Datagrams that have arrived and were not read yet."""

from __future__ import annotations

import asyncio
from collections import deque

LIMIT = 4 * 1024 * 1024
"Bytes kept; a datagram that would exceed them is dropped, as a full socket buffer would drop it."
BATCH = 64
"Datagrams that are read at once, before others have their turn."


class Inbox:
    """A bounded queue with one reader. It outlives the sockets that fill it, and says so only when it is closed."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.packets = 0
        "Datagrams taken in."
        self.bytes = 0
        "Bytes taken in."
        self.dropped = 0
        "Datagrams for which there was no room."
        self._limit = limit
        self._room = limit
        self._items: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def put(self, data: bytes) -> None:
        """Queues a datagram; drops it when there is no room."""
        size = len(data)
        if size > self._room or self._closed:
            self.dropped += 1
            return
        self._room -= size
        self.packets += 1
        self.bytes += size
        self._items.append(data)
        self._wake()

    async def get(self) -> bytes:
        """The next datagram.

        Raises ConnectionError when the inbox is closed, and never otherwise.
        """
        while not self._items and not self._closed:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._closed:
            raise ConnectionError("the ICE transport is closed")
        data = self._items.popleft()
        self._room += len(data)
        return data

    async def get_all(self) -> list[bytes]:
        """What has arrived, at least a datagram and at most a batch.

        Raises ConnectionError when the inbox is closed, and never otherwise.
        """
        batch = [await self.get()]
        while self._items and len(batch) < BATCH:
            data = self._items.popleft()
            self._room += len(data)
            batch.append(data)
        return batch

    def close(self) -> None:
        """Ends every reading; what was queued is gone."""
        self._closed = True
        self._items.clear()
        self._room = self._limit
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
