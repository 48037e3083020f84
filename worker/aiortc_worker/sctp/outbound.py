"""Messages on their way out: streams, fragments, TSNs, and what was given up.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.9
@see https://www.rfc-editor.org/rfc/rfc3758#section-3.5
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import Final

from .chunks import DATA, FIRST, I_DATA, LAST, PADDING, UNORDERED, WHOLE, ForwardTsn

MOST_SKIPPED: Final = 100
"Streams that a FORWARD TSN names, which has to fit into a packet; what was abandoned beyond waits for the next."


class Outgoing:
    """A message of several fragments, or one that may be given up."""

    __slots__ = (
        "abandoned",
        "expiry",
        "first",
        "last",
        "limit",
        "next_fragment",
        "protocol",
        "sequence",
        "unordered",
        "whole",
    )

    def __init__(self, protocol: int, sequence: int, unordered: bool, expiry: float, limit: int) -> None:
        self.protocol = protocol
        self.sequence = sequence
        self.unordered = unordered
        self.expiry = expiry
        "Seconds on the clock of `now`; infinity for none."
        self.limit = limit
        "How often each fragment may be sent again; -1 without limit."
        self.next_fragment = 0
        self.whole = False
        "Whether its last fragment was queued."
        self.first = -1
        self.last = -1
        "The TSNs that were used of it."
        self.abandoned = False

    def is_over(self, sends: int, now: float) -> bool:
        """Whether a fragment sent so often is not to be sent again (RFC 7496, sections 4.1 and 4.2)."""
        return self.abandoned or self.expiry < now or (self.limit >= 0 and sends > self.limit)


class OutboundChunk:
    """A DATA or I-DATA chunk, and what became of it."""

    __slots__ = (
        "acked",
        "flags",
        "fragment",
        "in_flight",
        "message",
        "payload",
        "protocol",
        "sends",
        "sent_at",
        "sequence",
        "size",
        "stream",
        "tsn",
    )

    def __init__(
        self,
        flags: int,
        stream: int,
        sequence: int,
        protocol: int,
        fragment: int,
        payload: bytes,
        size: int,
        message: Outgoing | None,
    ) -> None:
        self.flags = flags
        self.stream = stream
        self.sequence = sequence
        self.protocol = protocol
        self.fragment = fragment
        self.payload = payload
        self.size = size
        "What it takes in a packet: thousands of small chunks are more than their payload."
        self.message = message
        self.tsn = -1
        self.sent_at = 0.0
        self.sends = 0
        self.in_flight = False
        self.acked = False
        "In a gap block (section 3.3.4)."

    @property
    def is_abandoned(self) -> bool:
        """Whether its message was given up."""
        return self.message is not None and self.message.abandoned


class Outbound:
    """The sending half of an association, but for when to send."""

    def __init__(self, tsn: int, interleaved: bool) -> None:
        self.next_tsn = tsn
        self.cumulative = tsn - 1
        "All up to this TSN was acknowledged."
        self.advanced = tsn - 1
        "All up to this TSN was acknowledged or given up (Advanced.Peer.Ack.Point)."
        self.outstanding: dict[int, OutboundChunk] = {}
        "What was sent and is beyond the cumulative TSN, by TSN, in order."
        self.interleaved = interleaved
        self.gave_up = False
        "Whether something may have to be skipped that the peer was not told of."
        self._header = I_DATA.size if interleaved else DATA.size
        self.waiting: deque[OutboundChunk] = deque()
        "What was queued and not sent."
        self._sequences: dict[int, int] = {}
        "Of the next ordered message of a stream; of unordered ones with I-DATA under the stream's complement."
        self._unfinished: dict[int, Outgoing] = {}
        "Messages whose rest is still to be queued, by stream."
        self._last_tsns: dict[int, int] = {}
        "By stream, the TSN used last."
        self._skipped: dict[tuple[int, bool], int] = {}
        "Streams of what was given up beyond the cumulative TSN, and the last sequence number of each."

    def queue(
        self,
        packet_size: int,
        stream: int,
        protocol: int,
        data: bytes,
        ordered: bool,
        expiry: float,
        limit: int,
        more: bool,
    ) -> bool:
        """Queues a message, or with `more` a part of one that is not the last.

        `data` is not empty, and `packet_size` is what a packet has room for. Without I-DATA nothing else may be queued
        before the last part: the TSNs of a message are consecutive. Returns False when it was given up meanwhile.
        """
        message = self._unfinished.get(stream) if self._unfinished else None
        most = (packet_size - self._header) & ~3
        size = len(data)
        if message is None:
            sequence = self._number(stream, ordered)
            if size <= most and not more:
                limited = (
                    Outgoing(protocol, sequence, not ordered, expiry, limit) if expiry < inf or limit >= 0 else None
                )
                flags = WHOLE if ordered else WHOLE | UNORDERED
                taken = self._header + ((size + 3) & ~3)
                self.waiting.append(OutboundChunk(flags, stream, sequence, protocol, 0, data, taken, limited))
                if limited is not None:
                    limited.whole = True
                return True
            message = Outgoing(protocol, sequence, not ordered, expiry, limit)
        elif message.abandoned:
            self.abandon(stream)
            return False
        self._fragment(stream, message, data, most, more)
        return True

    def _number(self, stream: int, ordered: bool) -> int:
        """The sequence number of a new message; message identifiers of I-DATA count unordered ones by themselves."""
        if not ordered and not self.interleaved:
            return 0
        key = stream if ordered else ~stream
        sequence = self._sequences.get(key, 0)
        self._sequences[key] = (sequence + 1) & (0xFFFFFFFF if self.interleaved else 0xFFFF)
        return sequence

    def _fragment(self, stream: int, message: Outgoing, data: bytes, most: int, more: bool) -> None:
        size = len(data)
        flags = UNORDERED if message.unordered else 0
        for start in range(0, size, most):
            position = flags
            if message.next_fragment == 0:
                position |= FIRST
            if not more and start + most >= size:
                position |= LAST
            piece = data[start : start + most]
            taken = self._header + ((len(piece) + 3) & ~3)
            self.waiting.append(
                OutboundChunk(
                    position, stream, message.sequence, message.protocol, message.next_fragment, piece, taken, message
                )
            )
            message.next_fragment += 1
        message.whole = not more
        if more:
            self._unfinished[stream] = message
        else:
            self._unfinished.pop(stream, None)

    def abandon(self, stream: int) -> None:
        """Gives up the message of a stream whose last part was not queued (RFC 3758, section 3.5)."""
        message = self._unfinished.pop(stream, None)
        if message is None:
            return
        message.abandoned = message.whole = self.gave_up = True
        # A last fragment that is never sent: peers take the beginning of a message right behind a middle for an error.
        flags = LAST | (UNORDERED if message.unordered else 0)
        end = OutboundChunk(flags, stream, message.sequence, 0, message.next_fragment, b"", self._header, message)
        self.waiting.append(end)

    def unfinished(self, stream: int) -> Outgoing | None:
        """The message of a stream whose last part was not queued."""
        return self._unfinished.get(stream)

    def next_chunk(self) -> OutboundChunk | None:
        """The next chunk to be sent for the first time, with its TSN; None when there is none."""
        waiting = self.waiting
        while waiting:
            chunk = waiting.popleft()
            message = chunk.message
            if message is not None:
                if message.abandoned and not chunk.flags & LAST:
                    continue
                if message.first < 0:
                    message.first = self.next_tsn
                message.last = self.next_tsn
            tsn = self.next_tsn
            chunk.tsn = tsn
            self.next_tsn = tsn + 1
            self.outstanding[tsn] = chunk
            self._last_tsns[chunk.stream] = tsn
            if message is not None and message.abandoned:
                self.gave_up = True
                continue
            return chunk
        return None

    def encode(self, chunk: OutboundChunk) -> bytes:
        """A chunk as it is sent."""
        data = chunk.payload
        size = len(data)
        tsn = chunk.tsn & 0xFFFFFFFF
        if self.interleaved:
            last = chunk.protocol if chunk.flags & FIRST else chunk.fragment
            length = I_DATA.size + size
            header = I_DATA.pack(64, chunk.flags, length, tsn, chunk.stream, 0, chunk.sequence, last)
        else:
            header = DATA.pack(0, chunk.flags, DATA.size + size, tsn, chunk.stream, chunk.sequence, chunk.protocol)
        return header + data + PADDING[size & 3] if size & 3 else header + data

    def of(self, message: Outgoing) -> list[OutboundChunk]:
        """The fragments of a message that were sent and not acknowledged for good."""
        if message.first < 0:
            return []
        every = map(self.outstanding.get, range(max(message.first, self.cumulative + 1), message.last + 1))
        return [chunk for chunk in every if chunk is not None and chunk.message is message]

    def advance(self) -> bool:
        """Goes on behind what was given up; True when the peer is to be told (RFC 3758, section 3.5)."""
        self.gave_up = False
        outstanding, skipped = self.outstanding, self._skipped
        if self.advanced <= self.cumulative:
            self.advanced = self.cumulative
            skipped.clear()
        while (chunk := outstanding.get(self.advanced + 1)) is not None and chunk.is_abandoned:
            unordered = bool(chunk.flags & UNORDERED)
            if self.interleaved or not unordered:
                if (chunk.stream, unordered) not in skipped and len(skipped) >= MOST_SKIPPED:
                    break
                skipped[chunk.stream, unordered] = chunk.sequence
            self.advanced += 1
        return self.advanced > self.cumulative

    def forward_tsn(self) -> bytes:
        """Tells the peer of what was given up."""
        skipped = [(stream, sequence, unordered) for (stream, unordered), sequence in self._skipped.items()]
        return ForwardTsn(self.advanced & 0xFFFFFFFF, skipped, self.interleaved).encode()

    def reset(self, stream: int) -> None:
        """The peer has taken the reset of an outgoing stream: its messages are counted from 0 again."""
        self._sequences.pop(stream, None)
        self._sequences.pop(~stream, None)
        self._last_tsns.pop(stream, None)

    def is_under_way(self, stream: int) -> bool:
        """Whether data of a stream is not acknowledged yet."""
        return self._last_tsns.get(stream, -1) > self.cumulative or any(each.stream == stream for each in self.waiting)

    @property
    def is_idle(self) -> bool:
        """Whether all that was queued is acknowledged."""
        return not self.waiting and not self.outstanding

    def drop_unfinished(self) -> None:
        """Forgets messages whose end was never queued; for an association that is being shut down."""
        for stream in tuple(self._unfinished):
            self.abandon(stream)
