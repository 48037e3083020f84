"""Spans of aioice by a clock that nobody sets."""

from __future__ import annotations

import time
from types import ModuleType


class Monotonic:
    """Stands for the module `time`, of which aioice uses this alone."""

    time = staticmethod(time.monotonic)


def use_monotonic(module: ModuleType) -> None:
    """Makes a module measure by the monotonic clock what it measures by `time.time()`.

    Of aioice when the binding of a TURN channel is refreshed (turn.py:332), which a clock that was put back let expire.
    """
    module.__dict__["time"] = Monotonic
