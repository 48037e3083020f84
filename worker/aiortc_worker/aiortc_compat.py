"""What this worker leans on in private parts of aiortc 1.16.0 and aioice 0.13.0, one function each.

Subclasses that override private methods are in `compat`. Nothing else may reach into the two packages' private names;
`tests/test_aiortc_compat.py` fails when one has moved.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from aioice import Candidate


def reached_at(candidate: Candidate) -> str:
    """Where a candidate is: its address, or what its mDNS name was resolved to (aioice/candidate.py:66)."""
    return candidate._network_host


def run_now(work: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine of aiortc's sending side to its end at once, without a task.

    Down to the socket, which asyncio writes or buffers, none of them waits (aiortc/rtcsctptransport.py:1511,
    rtcdtlstransport.py:704). Raises RuntimeError when one does.
    """
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError(f"{work!r} waited")
