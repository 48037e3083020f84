"""Threads for what would block the loop: name resolution, files, codecs. They keep no process alive."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Literal, TypeVar

T = TypeVar("T")
Kind = Literal["dns", "file", "codec"]

SIZES: Final[dict[Kind, int]] = {"dns": 8, "file": 8, "codec": max(2, os.cpu_count() or 2)}


class DaemonPool:
    """Up to `size` daemon threads, started as work comes. `concurrent.futures` would join its threads at exit."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Queues `work`; called from one thread only."""
        future: Future[T] = Future()
        self._work.put((future, work))
        if not self._idle.acquire(blocking=False) and self._threads < self._size:
            self._threads += 1
            threading.Thread(target=self._run, name=f"{self._name}-{self._threads}", daemon=True).start()
        return future

    def _run(self) -> None:
        while True:
            future, work = self._work.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:
                    future.set_exception(error)
            del future, work
            self._idle.release()


_pools: dict[Kind, DaemonPool] = {}


class Executors:
    """A session's share of the process's threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._slots: dict[Kind, asyncio.Semaphore] = {}

    async def run(self, kind: Kind, work: Callable[[], T]) -> T:
        """Runs `work` on a thread of `kind`; waits its turn when the session has `limit` there already."""
        slots = self._slots.setdefault(kind, asyncio.Semaphore(self._limit))
        loop = asyncio.get_running_loop()
        await slots.acquire()
        pool = _pools.get(kind) or _pools.setdefault(kind, DaemonPool(kind, SIZES[kind]))
        future = pool.submit(work)
        # The slot is free when the thread is, not when who waited for it was cancelled.
        future.add_done_callback(lambda _: _release(loop, slots))
        return await asyncio.wrap_future(future)


def _release(loop: asyncio.AbstractEventLoop, slots: asyncio.Semaphore) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(slots.release)
