"""Who is heard: the contributing and synchronization sources of the last ten seconds.

https://www.w3.org/TR/webrtc/#dom-rtcrtpreceiver-getcontributingsources
"""

from __future__ import annotations

import time

from aiortc.rtp import RtpPacket
from msgspec import Struct, field

KEPT_MS = 10_000
INTERVAL = 0.1
"Seconds between two events."


class RtpSource(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """An RTCRtpContributingSource or an RTCRtpSynchronizationSource."""

    source: int
    timestamp: float
    "Milliseconds since the Unix epoch, of the last packet."
    rtp_timestamp: int
    audio_level: float | None = None
    "0 to 1."


class SourcesEvent(Struct, frozen=True):
    """The sources of the last ten seconds."""

    contributing: list[RtpSource] = field(default_factory=list)
    synchronization: list[RtpSource] = field(default_factory=list)


class Sources:
    """Notes packets, and tells what is new at most ten times a second."""

    def __init__(self) -> None:
        self._contributing: dict[int, RtpSource] = {}
        self._synchronization: dict[int, RtpSource] = {}
        self._changed = True
        self._due = 0.0

    def note(self, packet: RtpPacket) -> None:
        at = time.time() * 1000
        level = packet.extensions.audio_level
        loudness = linear_level(level[1]) if level is not None else None
        self._synchronization[packet.ssrc] = RtpSource(packet.ssrc, at, packet.timestamp, loudness)
        for csrc in packet.csrc:
            self._contributing[csrc] = RtpSource(csrc, at, packet.timestamp)
        self._changed = True

    def due(self, now: float) -> SourcesEvent | None:
        """The event that is due at `now` (monotonic seconds), if any."""
        if not self._changed or now < self._due:
            return None
        self._changed = False
        self._due = now + INTERVAL
        oldest = time.time() * 1000 - KEPT_MS
        for table in (self._contributing, self._synchronization):
            for source in [source for source in table.values() if source.timestamp < oldest]:
                del table[source.source]
        return SourcesEvent(list(self._contributing.values()), list(self._synchronization.values()))


def linear_level(level: int) -> float:
    """-dBov, 0 to 127, as the API has it: 0 for silence, 1 for full scale."""
    return 0.0 if level >= 127 else float(10 ** (-level / 20))
