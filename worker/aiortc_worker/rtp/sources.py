"""Who is heard: the contributing and synchronization sources of the last ten seconds.

https://www.w3.org/TR/webrtc/#dom-rtcrtpreceiver-getcontributingsources
"""

from __future__ import annotations

import time

from aiortc.rtp import RtpPacket
from msgspec import Struct, field

KEPT = 10.0
"Seconds."
WATCHED_INTERVAL = 0.1
"Seconds between two events for who asks."
INTERVAL = 5.0
"Seconds between two events while nobody has asked: well within what is kept."

MOST_SOURCES = 256
"Of each kind; a peer may name fifteen others in every packet."

_Heard = tuple[float, int, int | None]
"Of the last packet: monotonic seconds, RTP timestamp, level in -dBov."


class RtpSource(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """An RTCRtpContributingSource or an RTCRtpSynchronizationSource."""

    source: int
    age: float
    "Milliseconds since the last packet."
    rtp_timestamp: int
    audio_level: float | None = None
    "0 to 1."


class SourcesEvent(Struct, frozen=True):
    """The sources of the last ten seconds."""

    contributing: list[RtpSource] = field(default_factory=list)
    synchronization: list[RtpSource] = field(default_factory=list)


class Sources:
    """Notes packets, and tells what is new: now and then, ten times a second while it is `watched`.

    So the first who asks, whose question makes it watched, has an answer at once.
    """

    def __init__(self) -> None:
        self.watched = False
        self._contributing: dict[int, _Heard] = {}
        self._synchronization: dict[int, _Heard] = {}
        self._changed = False
        self._told_at: float | None = None

    def note(self, packet: RtpPacket) -> None:
        """A packet came."""
        level = packet.extensions.audio_level
        at = time.monotonic()
        _note(self._synchronization, packet.ssrc, (at, packet.timestamp, level[1] if level is not None else None))
        for csrc in packet.csrc:
            _note(self._contributing, csrc, (at, packet.timestamp, None))
        self._changed = True

    def due(self, now: float) -> SourcesEvent | None:
        """The event that is due at `now` (monotonic seconds), if any."""
        interval = WATCHED_INTERVAL if self.watched else INTERVAL
        if not self._changed or (self._told_at is not None and now < self._told_at + interval):
            return None
        self._changed = False
        self._told_at = now
        return SourcesEvent(_recent(self._contributing, now), _recent(self._synchronization, now))


def _note(table: dict[int, _Heard], source: int, heard: _Heard) -> None:
    """Puts a source behind all others; beyond MOST_SOURCES the one that was heard longest ago is forgotten."""
    table.pop(source, None)
    table[source] = heard
    if len(table) > MOST_SOURCES:
        del table[next(iter(table))]


def _recent(table: dict[int, _Heard], now: float) -> list[RtpSource]:
    """Forgets what is too old at `now`, and tells the rest."""
    for source in [source for source, (at, _, _) in table.items() if at < now - KEPT]:
        del table[source]
    return [
        RtpSource(source, (now - at) * 1000, timestamp, linear_level(level) if level is not None else None)
        for source, (at, timestamp, level) in table.items()
    ]


def linear_level(level: int) -> float:
    """-dBov, 0 to 127, as the API has it: 0 for silence, 1 for full scale."""
    return 0.0 if level >= 127 else float(10 ** (-level / 20))
