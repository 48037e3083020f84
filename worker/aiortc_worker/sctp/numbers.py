"""Serial numbers: on the wire they wrap, inside they only grow.

@see https://www.rfc-editor.org/rfc/rfc9260#section-1.6
"""

from __future__ import annotations

from typing import Final

TSNS: Final = 2**32
HALF: Final = 2**31


def unwrap(number: int, near: int) -> int:
    """The number that ends in these 32 bits and is closest to `near`."""
    return near + ((number - near + HALF) & 0xFFFFFFFF) - HALF
