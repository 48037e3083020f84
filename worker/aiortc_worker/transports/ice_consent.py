"""Consent to send: asked again and again, missed, lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from ..compat.ice import IceConnection

RETRY = 1.0
"Seconds between two checks once one was missed."


async def keep_consent(connection: IceConnection, on_change: Callable[[bool], None]) -> None:
    """Asks for consent until it has expired, then returns; `on_change` hears that it is missed, and that it is back.

    @see https://www.rfc-editor.org/rfc/rfc7675#section-5.1
    """
    timing = connection.timing
    last = time.monotonic()
    missed = False
    while True:
        interval = timing.consent_interval * (0.8 + 0.4 * random.random())
        await asyncio.sleep(min(RETRY, interval) if missed else interval)
        asked = time.monotonic()
        if await connection.consent(timing.consent_answer):
            last = asked
        answered = last == asked
        if answered is missed:
            missed = not answered
            on_change(answered)
        if time.monotonic() - last >= timing.consent_expiry:
            return
