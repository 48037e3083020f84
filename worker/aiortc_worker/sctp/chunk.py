"""DATA chunks on their way out."""

from __future__ import annotations

from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    SCTP_DATA_LAST_FRAG,
    SCTP_DATA_UNORDERED,
    DataChunk,
)

from .packet import DATA

TSNS = 2**32
SEQUENCES = 2**16
WHOLE = SCTP_DATA_FIRST_FRAG | SCTP_DATA_LAST_FRAG

_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


class OutboundChunk(DataChunk):
    """A DATA chunk and what became of it; most of that never changes, so it is the class's."""

    _abandoned = False
    _acked = False
    _expiry: float | None = None
    _in_flight = False
    _max_retransmits: int | None = None
    _misses = 0
    _retransmit = False
    _sent_count = 0
    _sent_time: float | None = None
    resent_before = -1
    "The TSN that was to be sent next when this chunk was last sent again, else -1."

    def __init__(self, flags: int, tsn: int, stream_id: int, stream_seq: int, protocol: int, user_data: bytes) -> None:
        self.flags = flags
        self.tsn = tsn
        self.stream_id = stream_id
        self.stream_seq = stream_seq
        self.protocol = protocol
        self.user_data = user_data
        # What it takes in a packet: thousands of small chunks are more than their payload.
        self._book_size = DATA.size + ((len(user_data) + 3) & ~3)

    def __bytes__(self) -> bytes:
        data = self.user_data
        size = len(data)
        header = DATA.pack(0, self.flags, DATA.size + size, self.tsn, self.stream_id, self.stream_seq, self.protocol)
        return header + data + _PADDING[size & 3] if size & 3 else header + data


class InboundChunk(DataChunk):
    """A DATA chunk that waits for the rest of its message."""

    def __init__(self, flags: int, tsn: int, stream_id: int, stream_seq: int, protocol: int, user_data: bytes) -> None:
        self.flags = flags
        self.tsn = tsn
        self.stream_id = stream_id
        self.stream_seq = stream_seq
        self.protocol = protocol
        self.user_data = user_data


def fragments(
    tsn: int,
    stream_id: int,
    stream_seq: int,
    protocol: int,
    data: bytes,
    *,
    most: int,
    ordered: bool,
    expiry: float | None = None,
    max_retransmits: int | None = None,
    position: int = WHOLE,
) -> list[OutboundChunk]:
    """The chunks of a message or a part of one, of at most `most` bytes each, the first with the TSN given.

    `data` is not empty; `position` says whether it has the first and the last fragment of its message.
    """
    flags = 0 if ordered else SCTP_DATA_UNORDERED
    size = len(data)
    if size <= most:
        chunks = [OutboundChunk(flags | position, tsn, stream_id, stream_seq, protocol, data)]
    else:
        pieces = [data[start : start + most] for start in range(0, size, most)]
        chunks = [
            OutboundChunk(flags, (tsn + index) % TSNS, stream_id, stream_seq, protocol, piece)
            for index, piece in enumerate(pieces)
        ]
        chunks[0].flags |= position & SCTP_DATA_FIRST_FRAG
        chunks[-1].flags |= position & SCTP_DATA_LAST_FRAG
    if expiry is not None or max_retransmits is not None:
        for chunk in chunks:
            chunk._expiry = expiry
            chunk._max_retransmits = max_retransmits
    return chunks
