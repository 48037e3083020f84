"""What a receiver report says of one stream (RFC 3550, sections 6.4.1 and A.8)."""

from __future__ import annotations

import time

from aiortc.rtp import RtcpReceiverInfo, RtcpSrPacket, clamp_packets_lost

from . import clock
from .stats import RemoteOutboundStats


class Reception:
    """Counts arrivals by unwrapped sequence number."""

    def __init__(self, ssrc: int) -> None:
        self._ssrc = ssrc
        self.received = 0
        self.remote: RemoteOutboundStats | None = None
        self._first: int | None = None
        self._highest = 0
        self._expected_before = 0
        self._received_before = 0
        self._transit: float | None = None
        self._jitter = 0.0
        self._report: tuple[int, float] | None = None

    @property
    def lost(self) -> int:
        """Packets expected less those that came, repeats on an RTX SSRC not counted; negative with duplicates."""
        return self._expected - self.received

    @property
    def jitter(self) -> float:
        """Seconds."""
        return self._jitter

    def arrived(self, sequence: int, timestamp: int, clock_rate: int, now: float) -> None:
        """Counts a packet that came at `now` (monotonic seconds)."""
        self.received += 1
        if self._first is None:
            self._first = self._highest = sequence
        if sequence < self._highest:
            return
        self._highest = sequence
        transit = now - timestamp / clock_rate
        if self._transit is not None:
            # Timestamps wrap and sources change: a leap of seconds is neither.
            difference = abs(transit - self._transit)
            if difference < 1.0:
                self._jitter += (difference - self._jitter) / 16
        self._transit = transit

    def reported(self, packet: RtcpSrPacket, now: float) -> None:
        """Takes the sender's report."""
        info = packet.sender_info
        self._report = (info.ntp_timestamp >> 16 & 0xFFFFFFFF, now)
        remote = self.remote or RemoteOutboundStats()
        remote.packets_sent, remote.bytes_sent = info.packet_count, info.octet_count
        remote.remote_timestamp = clock.unix_ms(info.ntp_timestamp)
        remote.timestamp = time.time() * 1000
        remote.reports_sent += 1
        self.remote = remote

    def report(self, clock_rate: int, now: float) -> RtcpReceiverInfo:
        """A report block; fraction lost is that since the last one."""
        expected, received = self._expected - self._expected_before, self.received - self._received_before
        self._expected_before, self._received_before = self._expected, self.received
        lsr, at = self._report or (0, now)
        return RtcpReceiverInfo(
            ssrc=self._ssrc,
            fraction_lost=min(255, max(0, expected - received) * 256 // expected) if expected > 0 else 0,
            packets_lost=clamp_packets_lost(self.lost),
            highest_sequence=self._highest & 0xFFFFFFFF,
            jitter=int(self._jitter * clock_rate) & 0xFFFFFFFF,
            lsr=lsr,
            dlsr=int((now - at) * 65536) & 0xFFFFFFFF if lsr else 0,
        )

    @property
    def _expected(self) -> int:
        return self._highest - self._first + 1 if self._first is not None else 0
