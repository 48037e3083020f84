"""Faults that may come with every packet, told now and then."""

from __future__ import annotations

import time

from ..session.remote import ErrorInfo, Remote

INTERVAL = 10.0
"Seconds between two `error` events of one object."


class Complaints:
    """Emits an object's `error` for what nobody awaits, at most once in ten seconds."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._due = 0.0

    def tell(self, error: Exception, doing: str) -> None:
        """Says that `doing` failed."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + INTERVAL
        self._remote.emit("error", ErrorInfo(name="OperationError", message=f"{doing}: {error!r}"))
