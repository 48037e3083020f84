"""Faults that may come with every packet, told now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

INTERVAL = 10.0
"Seconds between two complaints of one object."


class Complaints:
    """Tells, at most once in ten seconds, of what nobody awaits."""

    def __init__(self, tell: Callable[[str, Exception], None]) -> None:
        """`tell` is told what failed, and how."""
        self._tell = tell
        self._due = 0.0

    def about(self, error: Exception, doing: str) -> None:
        """Says that `doing` failed."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + INTERVAL
            self._tell(doing, error)
