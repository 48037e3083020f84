"""When the garbage collector looks through everything: in idle moments."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Final

THRESHOLDS: Final = (10_000, 20, 100)
"""Objects are freed by counting references; the collector looks for what others leave. It looks through all by itself
after 20 million objects, which a worker that is never idle may make, in 0.1 to 0.3 ms a connection. Thousands of small
messages under way are no garbage: looking through the young objects at every 700 costs a seventh of a flood."""
LOOK: Final = 2.0
"Seconds between two looks at whether the process is idle."
IDLE: Final = 0.05
"Share of a core below which the process has time for a collection of everything."


class Collector:
    """Collects everything in idle moments, if anything was made since the last time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins. What the imports made is never looked at again: it would be 30 to 50 ms of each collection."""
        gc.freeze()
        self._loop = loop
        self._used = time.process_time()
        self._timer = loop.call_later(LOOK, self._look)

    def stop(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._loop.call_later(LOOK, self._look)
        before, self._used = self._used, time.process_time()
        _, young, old = gc.get_count()
        if self._used - before < IDLE * LOOK and (young or old):
            gc.collect()
