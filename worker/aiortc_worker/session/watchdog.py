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
STARVED: Final = 0.2
"Seconds by which the watching thread itself is late when it is the machine that has no time, and nobody is at fault."


class Watchdog:
    """A clock in the loop, watched by a thread, which alone can see where the loop is stuck."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._main = threading.get_ident()
        self._last = time.monotonic()
        self._reported = 0.0
        self._stopped = threading.Event()
        self._timer = loop.call_later(TICK, self._tick)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._timer.cancel()

    def _tick(self) -> None:
        now = time.monotonic()
        if self._last == self._reported:
            logger.warning("the loop was blocked for %.1f s", now - self._last, extra={"kind": "loop-blocked"})
        self._last = now
        self._timer = self._loop.call_later(TICK, self._tick)

    def _watch(self) -> None:
        start = time.monotonic()
        while not self._stopped.wait(TICK):
            woken, last = time.monotonic(), self._last
            late = woken - start - TICK
            start = woken
            if late > STARVED or last == self._reported or woken - last < TICK + STALL:
                continue
            self._reported = last
            frame = sys._current_frames().get(self._main)
            where = "".join(traceback.format_stack(frame)) if frame else "unknown"
            logger.warning("the loop is blocked", extra={"kind": "loop-blocked", "fields": {"traceback": where}})
