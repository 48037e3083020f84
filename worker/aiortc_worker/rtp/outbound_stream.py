"""One SSRC that is sent, with its RTX SSRC: sequence numbers, history, counters, feedback."""

from __future__ import annotations

import random
from collections.abc import Callable

from aiortc.rtp import (
    HeaderExtensions,
    RtcpReceiverInfo,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    RtpPacket,
    wrap_rtx,
)

from . import clock
from .bandwidth import Flow
from .history import PacketHistory
from .quality import FrameRate, QualityLimitation
from .stats import OutboundStats, RemoteInboundStats

HEADER_ESTIMATE = 32
"Bytes of header, extensions and SRTP tag, before they are written."

ACTIVE_KEYFRAME_INTERVAL = 0.25
"Seconds between keyframes on demand: several receivers ask for the same one."


class OutboundStream:
    """An encoding's RTP stream.

    `transmit` takes each packet with its header extensions filled, but for the times, and whether more of the same
    frame follow at once.
    """

    def __init__(self, ssrc: int, rtx_ssrc: int | None, transmit: Callable[[RtpPacket, bool], int]) -> None:
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.rid: str | None = None
        self.mid = ""
        self.payload_type = 0
        self.rtx_payload_type: int | None = None
        self.active = False
        self.max_bitrate: int | None = None
        self.max_framerate: float | None = None
        self.scale_down_by = 1.0
        self.repeats_plain = False
        "Whether a NACK without RTX repeats the packet itself."
        self.flow = Flow(layer=0, minimum=0, maximum=0)
        self.stats = OutboundStats(ssrc=ssrc, rtx_ssrc=rtx_ssrc)
        self.frame_rate = FrameRate()
        self.limitation = QualityLimitation()
        self.remote: RemoteInboundStats | None = None
        self.keyframe_wanted = True
        self._keyframe_at = -1.0
        self._transmit = transmit
        # The lower half, so that the first wrap is far: receivers guess the rollover counter from it (RFC 3711).
        self._sequence = random.randrange(1 << 15)
        self._rtx_sequence = random.randrange(1 << 15)
        self._history = PacketHistory()

    def keyframe_due(self, now: float) -> bool:
        return self.keyframe_wanted and now - self._keyframe_at >= ACTIVE_KEYFRAME_INTERVAL

    def encoded_keyframe(self, now: float) -> None:
        self.keyframe_wanted = False
        self._keyframe_at = now

    def send(self, payloads: list[bytes], timestamp: int, level: int | None = None) -> None:
        """Sends a frame; the last packet is marked. `timestamp` does not wrap."""
        last = len(payloads) - 1
        for index, payload in enumerate(payloads):
            self._send(payload, self.payload_type, timestamp, index == last, level, more=index < last)

    def send_event(self, payload: bytes, payload_type: int, timestamp: int, begins: bool) -> None:
        """Sends a report on a telephone event; that which begins one is marked (RFC 4733, section 2.5.1.1)."""
        self._send(payload, payload_type, timestamp, begins, None)

    def _send(
        self, payload: bytes, payload_type: int, timestamp: int, marker: bool, level: int | None, more: bool = False
    ) -> None:
        packet = RtpPacket(
            payload_type=payload_type,
            marker=int(marker),
            sequence_number=self._sequence,
            timestamp=timestamp & 0xFFFFFFFF,
            ssrc=self.ssrc,
            payload=payload,
        )
        packet.extensions = HeaderExtensions(mid=self.mid or None, rtp_stream_id=self.rid)
        if level is not None:
            # Speech is not detected; anything above a whisper counts as it.
            packet.extensions.audio_level = (level < 60, level)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._history.add(packet)
        self._count(packet, self._transmit(packet, more))

    def repeat(self, sequences: list[int], now: float) -> None:
        """Answers a NACK."""
        self.stats.nack_count += 1
        round_trip = self.remote.round_trip_time if self.remote is not None else None
        for sequence in sequences:
            # aiortc adds up without wrapping (rtp.py, RtcpRtpfbPacket.parse).
            packet = self._history.take(sequence & 0xFFFF, self.flow.granted, round_trip, now)
            repeat = self._repeat_of(packet) if packet is not None else None
            if repeat is None:
                continue
            size = self._transmit(repeat, False)
            self._count(repeat, size)
            self.stats.retransmitted_packets_sent += 1
            self.stats.retransmitted_bytes_sent += len(repeat.payload)

    def report(self, timestamp: int, cname: str) -> bytes:
        """A sender report with the name of its source; `timestamp` is the RTP time of now."""
        info = RtcpSenderInfo(
            ntp_timestamp=clock.ntp(),
            rtp_timestamp=timestamp & 0xFFFFFFFF,
            packet_count=self.stats.packets_sent & 0xFFFFFFFF,
            octet_count=self.stats.bytes_sent & 0xFFFFFFFF,
        )
        source = RtcpSourceInfo(ssrc=self.ssrc, items=[(1, cname.encode()[:255])])
        return bytes(RtcpSrPacket(ssrc=self.ssrc, sender_info=info)) + bytes(RtcpSdesPacket(chunks=[source]))

    def reported(self, report: RtcpReceiverInfo, clock_rate: int) -> None:
        """Takes a receiver's report on this stream."""
        remote = self.remote or RemoteInboundStats()
        remote.packets_lost = report.packets_lost
        remote.fraction_lost = report.fraction_lost / 256
        remote.jitter = report.jitter / clock_rate
        if report.lsr:
            # RFC 3550, section 6.4.1; a peer's delay may round to more than the whole.
            trip = (clock.ntp_middle() - report.lsr - report.dlsr) & 0xFFFFFFFF
            if trip < 1 << 31:
                remote.round_trip_time = trip / 65536
                remote.total_round_trip_time += remote.round_trip_time
                remote.round_trip_time_measurements += 1
        self.remote = remote

    def _repeat_of(self, packet: RtpPacket) -> RtpPacket | None:
        if self.rtx_ssrc is None or self.rtx_payload_type is None:
            return packet if self.repeats_plain else None
        repeat = wrap_rtx(packet, self.rtx_payload_type, self._rtx_sequence, self.rtx_ssrc)
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        # Both: a receiver without the one extension learns the layer from the other.
        repeat.extensions = HeaderExtensions(
            mid=self.mid or None, rtp_stream_id=self.rid, repaired_rtp_stream_id=self.rid
        )
        return repeat

    def _count(self, packet: RtpPacket, size: int) -> None:
        self.stats.packets_sent += 1
        self.stats.bytes_sent += len(packet.payload)
        self.stats.header_bytes_sent += size - len(packet.payload)
