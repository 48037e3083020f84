"""What this worker leans on in private parts of aiortc 1.16.0 and aioice 0.13.0, one function each.

Subclasses that override private methods are in `compat`. Nothing else may reach into the two packages' private names;
`tests/test_aiortc_compat.py` fails when one has moved.
"""

from __future__ import annotations

from aioice import Candidate


def reached_at(candidate: Candidate) -> str:
    """Where a candidate is: its address, or what its mDNS name was resolved to (aioice/candidate.py:66)."""
    return candidate._network_host
