"""Larger packets, where the path carries them: on loopback, and in networks with jumbo frames.

Packets have at most `BASE` bytes at first, which every path carries. The peer is asked for an echo of a packet as long
as the network interface takes, with fragmentation forbidden; when it comes back, packets may be as long. Only a peer
that says that it knows PAD chunks is asked: aiortc would take a packet of more than 1,500 bytes for several.

@see https://www.rfc-editor.org/rfc/rfc8899#section-6.2
@see https://www.rfc-editor.org/rfc/rfc8261#section-5
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from .chunks import HEADER, Heartbeat, Pad
from .congestion import BASE
from .events import Event, KeepWhole
from .packet import FIRST_CHUNK
from .parameters import HEARTBEAT_INFO

ETHERNET: Final = 1384
"Bytes of a packet that fits, with what is around it, into 1,500: tried where an interface takes more than the path."
PROBES: Final = 3
"Packets of one length that may get lost before it is given up (MAX_PROBES)."
PROBE_SECONDS: Final = 1.0
"PROBE_TIMER, which is not to be less."
BLACK_HOLE: Final = 2
"Time-outs in a row, with nothing acknowledged between them, after which the path is no longer believed."


class PathProbing:
    """Looks for a larger packet, and returns to the base when larger ones get lost."""

    def __init__(self, events: list[Event], entropy: Callable[[int], bytes]) -> None:
        self.deadline = inf
        self.due = False
        "Whether a probe is to be sent in this turn."
        self._events = events
        self._entropy = entropy
        self._lengths: list[int] = []
        "To be tried, the best first."
        self._probes = 0
        "Of the first of them, sent so far."
        self._key = b""
        self._whole = False

    def look(self, largest: int) -> None:
        """Begins to look for a packet of up to `largest` bytes."""
        self.stop()
        largest &= ~3
        if largest <= BASE:
            return
        self._lengths = sorted({largest, min(largest, ETHERNET)}, reverse=True)
        self.keep_whole(True)
        self.due = True

    def probe(self, now: float) -> list[bytes]:
        """The chunks of the probe that is due; they fill a packet."""
        self.due = False
        self.deadline = now + PROBE_SECONDS
        self._probes += 1
        self._key = self._entropy(8)
        echo = Heartbeat((HEARTBEAT_INFO, self._key)).encode()
        padding = self._lengths[0] - FIRST_CHUNK - len(echo) - HEADER.size
        return [echo, Pad(padding).encode()]

    def timed_out(self) -> None:
        """A probe was not echoed."""
        self.deadline = inf
        if self._probes >= PROBES:
            self._probes = 0
            self._lengths.pop(0)
        self.due = bool(self._lengths)
        if not self._lengths:
            self.stop()
            self.keep_whole(False)

    def take(self, key: bytes) -> int:
        """Takes an echo; returns how long packets may be from now on, or 0 if it was not asked for."""
        if not self._lengths or key != self._key:
            return 0
        size = self._lengths[0]
        self.stop()
        return size

    def keep_whole(self, whole: bool) -> None:
        """Forbids that datagrams are fragmented on their way, or allows it again."""
        if whole != self._whole:
            self._whole = whole
            self._events.append(KeepWhole(whole))

    def stop(self) -> None:
        """Looks no more."""
        self._lengths = []
        self._probes = 0
        self._key = b""
        self.deadline = inf
        self.due = False
