"""What a peer sends that cannot be read: counted, and told in one line a minute."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Final

logger = logging.getLogger(__name__)

INTERVAL: Final = 60.0
"Seconds that one line tells of."
NOTABLE: Final = 100
"Packets of an interval from which on whoever runs the worker is told. A network that doubles or delays makes a few."


class BadPackets:
    """Tells how many packets a transport could not read. Ends with `close`."""

    def __init__(self, transport: str, count: Callable[[], Mapping[str, int]]) -> None:
        """`count` gives the packets dropped so far, by protocol; a count may begin again at 0."""
        self._transport = transport
        self._count = count
        self._before: Mapping[str, int] = {}
        self._timer = self._later()

    def close(self) -> None:
        """Tells of what has come since the last line."""
        self._timer.cancel()
        self._tell()

    def _later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(INTERVAL, self._tick, context=copy_context())

    def _tick(self) -> None:
        self._tell()
        self._timer = self._later()

    def _tell(self) -> None:
        now = dict(self._count())
        grown = {name: _growth(self._before.get(name, 0), count) for name, count in now.items()}
        self._before = now
        bad = {name: count for name, count in grown.items() if count > 0}
        if not bad:
            return
        level = logging.WARNING if sum(bad.values()) >= NOTABLE else logging.DEBUG
        counts = ", ".join(f"{count} {name}" for name, count in bad.items())
        logger.log(
            level,
            "%s dropped packets that it could not read: %s",
            self._transport,
            counts,
            extra={"kind": "bad-packets", "fields": bad},
        )


def _growth(before: int, now: int) -> int:
    return now - before if now >= before else now
