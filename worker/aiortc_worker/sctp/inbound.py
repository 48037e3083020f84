"""What has arrived: its numbers, when to acknowledge it, and how much more may come.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.2
"""

from __future__ import annotations

from math import inf
from typing import Final

from .chunks import IMMEDIATE, Data, ForwardTsn, Sack
from .events import Event
from .intervals import Intervals
from .numbers import unwrap
from .reassembly import Reassembly

WINDOW: Final = 1024 * 1024
"Bytes that the peer may send ahead of what is read, all streams together."
AHEAD: Final = 2**16 - 1
"TSNs beyond the cumulative one that an acknowledgement can tell of."
DELAY: Final = 0.02
"Seconds until a single packet is acknowledged; the RFC allows 0.5, and a sender in slow start waits for it."
GAPS: Final = 200
"Blocks in one acknowledgement, which has to fit into a packet; further ones wait for the next."
DUPLICATES: Final = 32


class Inbound:
    """The receiving half of an association."""

    def __init__(self, events: list[Event], tsn: int, interleaved: bool) -> None:
        self.cumulative = tsn - 1
        "All up to this TSN has arrived."
        self.reassembly = Reassembly(events, interleaved)
        self._interleaved = interleaved
        self.backlog = 0
        "Bytes of messages that were told and nobody has read."
        self.deadline = inf
        "When what was not acknowledged yet must be."
        self.urgent = False
        "Whether an acknowledgement must not wait."
        self.packets = 0
        "Packets with DATA since the latest acknowledgement."
        self._beyond = Intervals()
        "TSNs that have arrived beyond the cumulative one."
        self._duplicates: list[int] = []
        self._announced = WINDOW

    @property
    def window(self) -> int:
        """Bytes that may come."""
        return max(0, WINDOW - self.reassembly.held - self.backlog)

    def take(self, chunk: Data) -> None:
        """Takes a chunk of the peer's; one that cannot be kept was not received: the peer sends it again.

        The kind, DATA or I-DATA, that was not agreed on is void (RFC 8260, section 2.2.1).
        """
        if chunk.interleaved != self._interleaved:
            return
        tsn = unwrap(chunk.tsn, self.cumulative)
        if chunk.flags & IMMEDIATE:
            self.urgent = True
        held = self.reassembly.held
        if self.backlog >= WINDOW or (held > 2 * WINDOW and self._is_beyond_budget(tsn, held)):
            self.urgent = True
            return
        if tsn == self.cumulative + 1 and not self._beyond.starts:
            self.cumulative = tsn
        elif not self._mark(tsn):
            return
        self.reassembly.take(tsn, chunk)

    def skip(self, chunk: ForwardTsn) -> None:
        """Goes on behind what the peer has abandoned (RFC 3758, section 3.6)."""
        self.urgent = True
        old = self.cumulative
        new = unwrap(chunk.tsn, old)
        if new <= old:
            return
        self.cumulative = self._beyond.cut(new)
        self.reassembly.skip(old, new, chunk.skipped)

    def took_packet(self, now: float) -> None:
        """Counts a packet with DATA in."""
        self.packets += 1
        if self.deadline == inf:
            self.deadline = now + DELAY

    @property
    def is_due(self) -> bool:
        """Whether to acknowledge when the turn ends: at least every second packet (section 6.2)."""
        return self.urgent or self.packets >= 2

    def has_opened(self) -> bool:
        """Whether the peer should be told of a window that is much larger than the one it was told of."""
        # Of more than three quarters none can open by a quarter: what most messages find, cheaply.
        return self._announced <= WINDOW * 3 // 4 and self.window >= self._announced + WINDOW // 4

    def sack(self) -> bytes:
        """The acknowledgement of what has arrived."""
        self.packets = 0
        self.urgent = False
        self.deadline = inf
        self._announced = self.window
        last = self.cumulative
        duplicates, self._duplicates = self._duplicates, []
        beyond = zip(self._beyond.starts[:GAPS], self._beyond.ends[:GAPS], strict=True)
        gaps = [(start - last, end - last) for start, end in beyond]
        return Sack(last & 0xFFFFFFFF, self._announced, gaps, duplicates).encode()

    def _is_beyond_budget(self, tsn: int, held: int) -> bool:
        """Whether a chunk is too much to be kept. What closes a gap may free what is held: it may come for longer."""
        return tsn != self.cumulative + 1 or held > 3 * WINDOW

    def _mark(self, tsn: int) -> bool:
        """Counts a TSN in; False when it was there before, or is out of all bounds."""
        self.urgent = True
        if tsn <= self.cumulative:
            self._note_duplicate(tsn)
            return False
        if tsn - self.cumulative > AHEAD:
            return False
        if not self._beyond.add(tsn, tsn):
            self._note_duplicate(tsn)
            return False
        if tsn == self.cumulative + 1:
            self.cumulative = self._beyond.cut(tsn)
        return True

    def _note_duplicate(self, tsn: int) -> None:
        if len(self._duplicates) < DUPLICATES:
            self._duplicates.append(tsn & 0xFFFFFFFF)
