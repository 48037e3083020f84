"""Messages of a TURN server out of a stream of TCP or TLS: STUN messages and ChannelData.

aioice copies all that it has left for every message that it takes out, which makes one read of 256 KiB of empty
ChannelData 65,536 copies, and waits for ever behind bytes that begin neither.

@see https://www.rfc-editor.org/rfc/rfc8656#section-12.5
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

HEADER: Final = struct.Struct("!HH")
"Type or channel, length of what follows the header."
STUN_HEADER: Final = 20


class TurnStream:
    """Cuts a stream; what is incomplete is kept, at most the 64 KiB of a message and what came with them."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def messages(self, data: bytes) -> Iterator[bytes]:
        """The messages that `data` completes. Raises ValueError when neither kind begins: nothing can follow then."""
        self._rest += data
        at, end = 0, len(self._rest)
        try:
            while at + HEADER.size <= end:
                size = self._size(at)
                if at + size > end:
                    return
                yield bytes(self._rest[at : at + size])
                at += size
        finally:
            del self._rest[:at]

    def _size(self, at: int) -> int:
        """Bytes of the message that begins at an offset, padding included."""
        kind: int
        length: int
        kind, length = HEADER.unpack_from(self._rest, at)
        if kind >> 14 == 1:
            return HEADER.size + ((length + 3) & ~3)
        if kind >> 14 == 0 and length % 4 == 0:
            return STUN_HEADER + length
        raise ValueError(f"{kind:#06x} begins neither a STUN message nor ChannelData")
