"""Threads for what would block the loop: name resolution, files, codecs. They keep no process alive."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Literal, TypeVar

T = TypeVar("T")
Kind = Literal["dns", "file", "draw", "codec"]

CORES: Final = max(2, os.cpu_count() or 2)
SIZES: Final[dict[Kind, int | None]] = {"dns": None, "file": None, "draw": CORES, "codec": CORES}
"""Threads that sessions share. Those that wait for others are as many as the sessions may have together: what one
waits for must not keep another from its files. Those that compute are as many as there are cores."""
IDLE: Final = 10.0
"Seconds without work after which a thread ends."

Job = tuple[Future[Any], Callable[[], Any]]


class DaemonPool:
    """Up to `size` daemon threads, started as work comes; and others, for what must not wait.

    `concurrent.futures` would join its threads at exit.
    """

    def __init__(self, name: str, size: int | None, idle: float = IDLE) -> None:
        self.threads = 0
        self._name = name
        self._size = size
        self._idle = idle
        self._started = 0
        self._work: deque[Job] = deque()
        self._waiting = 0
        "Threads that wait for work."
        self._changed = threading.Condition()

    def submit(self, work: Callable[[], T], at_once: bool = False) -> Future[T]:
        """Queues `work`; with `at_once` it waits for no other, whatever the size."""
        future: Future[T] = Future()
        with self._changed:
            if at_once:
                self._work.appendleft((future, work))
            else:
                self._work.append((future, work))
            if self._waiting >= len(self._work):
                self._changed.notify()
            elif at_once or self._size is None or self.threads < self._size:
                self._start()
        return future

    def _start(self) -> None:
        self.threads += 1
        self._started += 1
        threading.Thread(target=self._run, name=f"{self._name}-{self._started}", daemon=True).start()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            _do(*job)
            # A thread that waits keeps nothing.
            del job

    def _next(self) -> Job | None:
        """Waits for work; None when the thread is to end, having waited for long."""
        with self._changed:
            while not self._work:
                self._waiting += 1
                in_time = self._changed.wait(self._idle)
                self._waiting -= 1
                if not in_time and not self._work:
                    self.threads -= 1
                    return None
            return self._work.popleft()


def _do(future: Future[Any], work: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)


_pools: dict[Kind, DaemonPool] = {}


class Executors:
    """A session's share of the process's threads: `limit` of each kind, of which one waits for no other session."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._slots: dict[Kind, asyncio.Semaphore] = {}
        self._busy: Counter[Kind] = Counter()

    async def run(self, kind: Kind, work: Callable[[], T]) -> T:
        """Runs `work` on a thread of `kind`; waits its turn when the session has `limit` there already."""
        slots = self._slots.setdefault(kind, asyncio.Semaphore(self._limit))
        loop = asyncio.get_running_loop()
        await slots.acquire()
        pool = _pools.get(kind) or _pools.setdefault(kind, DaemonPool(kind, SIZES[kind]))
        future = pool.submit(work, at_once=not self._busy[kind])
        self._busy[kind] += 1
        # The slot is free when the thread is, not when who waited for it was cancelled.
        future.add_done_callback(lambda _: _on_loop(loop, self._done, kind))
        return await asyncio.wrap_future(future)

    def _done(self, kind: Kind) -> None:
        self._busy[kind] -= 1
        self._slots[kind].release()


def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[Kind], None], kind: Kind) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, kind)
