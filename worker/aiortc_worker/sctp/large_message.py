"""A message too large to be kept until all of it is here: it is passed on in parts, as its fragments come.

Only one is passed on at a time, that whose fragments are next by TSN. The fragments of a message are consecutive: of
all that is received without a gap, one message alone is incomplete. So what an association holds is bounded, whatever
is sent to it.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.9
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    SCTP_DATA_LAST_FRAG,
    SCTP_DATA_UNORDERED,
    DataChunk,
    InboundStream,
)

from .chunk import TSNS


@dataclass
class LargeMessage:
    """What has come of it, and what comes next."""

    stream_id: int
    protocol: int
    ordered: bool
    next_tsn: int
    parts: list[bytes] = field(default_factory=list)
    "Fragments that were not passed on yet."
    is_first: bool = True
    "Whether none was passed on."
    is_whole: bool = False

    def add(self, flags: int, data: bytes) -> None:
        """Adds the fragment that was next."""
        self.parts.append(data)
        self.next_tsn = (self.next_tsn + 1) % TSNS
        self.is_whole = bool(flags & SCTP_DATA_LAST_FRAG)

    def take_parts(self) -> bytes:
        """What is to be passed on now."""
        data = b"".join(self.parts)
        self.parts.clear()
        self.is_first = False
        return data


def begun(stream: InboundStream, latest_tsn: int) -> LargeMessage | None:
    """The message that a stream holds the beginning of, up to the TSN that came last; else None.

    The stream must hold nothing else: what is held before it, or beyond a gap, comes first.
    """
    held: list[DataChunk] = stream.reassembly
    first, last = held[0], held[-1]
    ordered = not first.flags & SCTP_DATA_UNORDERED
    if last.tsn != latest_tsn or (last.tsn - first.tsn) % TSNS != len(held) - 1:
        return None
    if not first.flags & SCTP_DATA_FIRST_FRAG or last.flags & SCTP_DATA_LAST_FRAG:
        return None
    if ordered and first.stream_seq != stream.sequence_number:
        return None
    return LargeMessage(first.stream_id, first.protocol, ordered, first.tsn)
