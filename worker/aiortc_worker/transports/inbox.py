"""Datagrams that have arrived and were not read yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context

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
        self._reader: Callable[[list[bytes]], None] | None = None
        "Who is given what arrives; its context is the one in which it asked."
        self._context: Context | None = None
        self._giving = False
        "Whether it is given something in the next turn of the event loop."
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

    async def feed(self, reader: Callable[[list[bytes]], None]) -> None:
        """Gives `reader` what arrives, a batch in a turn of the event loop. Never returns.

        Raises what `reader` raises, and ConnectionError when the inbox is closed.
        """
        self._reader, self._context = reader, copy_context()
        self._waiter = ended = asyncio.get_running_loop().create_future()
        self._wake()
        try:
            await ended
        finally:
            # What is raised has this frame, and so must not be found from it.
            self._reader = self._waiter = None
            del ended
        raise ConnectionError("the ICE transport is closed")

    def _give(self) -> None:
        self._giving = False
        reader, ended = self._reader, self._waiter
        if reader is None or ended is None or ended.done():
            return
        try:
            reader(self._batch())
        except Exception as error:
            # Unless the reader has closed the inbox, too.
            if not ended.done():
                ended.set_exception(error)
            # The error has this frame: a name left here would keep the future, which keeps the error.
            del ended
            return
        self._wake()

    def _batch(self) -> list[bytes]:
        items = self._items
        if len(items) <= BATCH:
            batch = list(items)
            items.clear()
        else:
            batch = [items.popleft() for _ in range(BATCH)]
        self._room += sum(map(len, batch))
        return batch

    def close(self) -> None:
        """Ends every reading; what was queued is gone."""
        self._closed = True
        self._items.clear()
        self._room = self._limit
        self._wake()

    def _wake(self) -> None:
        if self._reader is None or self._closed:
            waiter, self._waiter = self._waiter, None
            if waiter is not None and not waiter.done():
                waiter.set_result(None)
        elif self._items and not self._giving:
            self._giving = True
            asyncio.get_running_loop().call_soon(self._give, context=self._context)
