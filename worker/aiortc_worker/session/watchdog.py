"""Says when something blocked the loop, for how long, and where."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from typing import Final

logger = logging.getLogger(__name__)

TICK: Final = 0.5
"Seconds between two looks at the clock."
STALL: Final = 1.0
"Seconds without a tick, beyond its due time, that are reported."


class Watchdog:
    """A clock in the loop, watched by a thread, which alone can see where the loop is stuck."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.worst = 0.0
        "Seconds that a tick came late, at most."
        self._loop = loop
        self._main = threading.get_ident()
        self._last = time.monotonic()
        self._stopped = threading.Event()
        self._timer = loop.call_later(TICK, self._tick)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._timer.cancel()

    def _tick(self) -> None:
        now = time.monotonic()
        late = now - self._last - TICK
        self._last = now
        self.worst = max(self.worst, late)
        if late > STALL:
            logger.warning("the loop was blocked for %.1f s", late)
        self._timer = self._loop.call_later(TICK, self._tick)

    def _watch(self) -> None:
        reported = 0.0
        while not self._stopped.wait(TICK):
            last = self._last
            if last == reported or time.monotonic() - last < TICK + STALL:
                continue
            reported = last
            frame = sys._current_frames().get(self._main)
            where = "".join(traceback.format_stack(frame)) if frame else "unknown"
            logger.warning("the loop is blocked here:\n%s", where)
