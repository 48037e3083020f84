"""One SSRC that is received, with its RTX SSRC: order, holes, requests for what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtpPacket,
)

from .audio_buffer import PATIENCE, AudioBuffer
from .coded_frame import CodedFrame
from .nack import NackList
from .parameters import Codec
from .quality import FrameRate
from .reception import Reception
from .sequence import Unwrapper
from .sources import linear_level
from .stats import InboundStats
from .video_buffer import VideoBuffer

GIVE_UP = 0.6
"Seconds after which a missing packet of a picture is not waited for any longer."

MISORDER = 1000
"Packets; one further behind belongs to another sequence, if its successor comes next (RFC 3550, section A.1)."

PLI_INTERVAL = 0.5
"Seconds between two requests for a keyframe."


class InboundStream:
    """A stream of one receiver. `feed_back` sends RTCP; while `wanted` is False packets are counted and dropped."""

    def __init__(self, ssrc: int, local_ssrc: int, feed_back: Callable[[bytes], None]) -> None:
        self.ssrc = ssrc
        self.stats = InboundStats(ssrc=ssrc)
        self.frame_rate = FrameRate()
        self.reception = Reception(ssrc)
        self.codec: Codec | None = None
        self.last_packet = 0.0
        "Monotonic seconds."
        self._local_ssrc = local_ssrc
        self._feed_back = feed_back
        self._unwrap = Unwrapper(16)
        self._highest: int | None = None
        self._floor: int | None = None
        "What came before the restart; of that, packets that are sent again, to probe, lack their successors."
        self._buffer: VideoBuffer | AudioBuffer | None = None
        self._nack: NackList | None = None
        self._restart_at: int | None = None
        self._pli_at = 0.0
        self._fir_number = 0

    def packet(self, packet: RtpPacket, size: int, codec: Codec, now: float, wanted: bool) -> list[CodedFrame]:
        """Takes a media packet as it came; the frames that are ready."""
        sequence = self._in_sequence(packet.sequence_number)
        if sequence is None:
            self.stats.packets_discarded += 1
            return []
        self._count(packet, size, sequence, codec, now)
        silent, self.last_packet = now - self.last_packet, now
        if codec != self.codec:
            self._use(codec)
        if not wanted:
            self._highest = max(sequence, self._highest or sequence)
            return []
        self._note_gap(sequence, silent, now)
        return self._insert(sequence, packet, now)

    def repaired(self, packet: RtpPacket, size: int, now: float, wanted: bool) -> list[CodedFrame]:
        """Takes a packet that came again by RTX, unwrapped; the frames that are ready."""
        self.stats.retransmitted_packets_received += 1
        self.stats.retransmitted_bytes_received += len(packet.payload)
        self.stats.packets_received += 1
        self.stats.bytes_received += len(packet.payload)
        self.stats.header_bytes_received += max(0, size - len(packet.payload))
        if not wanted or self._highest is None:
            return []
        return self._insert(self._unwrap(packet.sequence_number), packet, now)

    def tick(self, now: float, wanted: bool) -> list[CodedFrame]:
        """Asks for what is missing and gives up what is too late; the frames that this makes ready."""
        if not wanted or self._buffer is None:
            return []
        frames: list[CodedFrame] = []
        if self._nack is not None:
            expired = self._nack.expire(now)
            if expired is not None and isinstance(self._buffer, VideoBuffer):
                frames += self._buffer.skip(expired)
            self._forget_old()
            self._send_nack(self._nack.due(now))
        if isinstance(self._buffer, AudioBuffer):
            frames += self._buffer.take(now)
        elif self._buffer.waits_for_keyframe and now - self.last_packet < 1.0:
            self.request_keyframe(now)
        return frames

    def restart(self) -> None:
        """Forgets what it had; pictures go on from the next keyframe, which is asked for when packets come."""
        self._floor = self._highest
        if self._buffer is not None:
            self._buffer.clear()
        if self._nack is not None:
            self._nack.clear()

    def request_keyframe(self, now: float) -> None:
        """Sends a PLI, or a FIR where only that is negotiated; at most two a second."""
        if self.codec is None or now - self._pli_at < PLI_INTERVAL:
            return
        if self.codec.feeds_back("nack", "pli"):
            self._pli_at = now
            self.stats.pli_count += 1
            self._feed_back(bytes(RtcpPsfbPacket(RTCP_PSFB_PLI, self._local_ssrc, self.ssrc)))
        elif self.codec.feeds_back("ccm", "fir"):
            self._pli_at = now
            self.stats.fir_count += 1
            self._fir_number = (self._fir_number + 1) & 0xFF
            fci = self.ssrc.to_bytes(4, "big") + bytes([self._fir_number, 0, 0, 0])
            self._feed_back(bytes(RtcpPsfbPacket(RTCP_PSFB_FIR, self._local_ssrc, 0, fci)))

    def _in_sequence(self, number: int) -> int | None:
        """The unwrapped number, None for one that is of no sequence yet; the second of a new one begins it."""
        sequence = self._unwrap(number)
        if self._highest is None or sequence > self._highest - MISORDER:
            return sequence
        if number != self._restart_at:
            self._restart_at = (number + 1) & 0xFFFF
            return None
        self._restart_at = None
        self._unwrap = Unwrapper(16)
        self._highest = None
        remote, self.reception = self.reception.remote, Reception(self.ssrc)
        self.reception.remote = remote
        self.restart()
        return self._unwrap(number)

    def _use(self, codec: Codec) -> None:
        video = codec.mime_type.lower().startswith("video/")
        self.codec = codec
        self.stats.payload_type = codec.payload_type
        self._buffer = VideoBuffer(codec) if video else AudioBuffer()
        self._nack = NackList(GIVE_UP if video else PATIENCE) if codec.feeds_back("nack") else None

    def _note_gap(self, sequence: int, silent: float, now: float) -> None:
        if self._highest is None or sequence <= self._highest:
            self._highest = max(sequence, self._highest or sequence)
            if self._nack is not None:
                self._nack.arrived(sequence)
            return
        first, self._highest = self._highest + 1, sequence
        if first == sequence:
            return
        if silent > GIVE_UP or self._nack is None or not self._nack.gap(first, sequence - 1, now):
            # The path was dead, or nothing can be asked for: what was missed is not waited for.
            self._skip(sequence - 1)
            return
        self._send_nack(self._nack.due(now))

    def _skip(self, sequence: int) -> None:
        if isinstance(self._buffer, VideoBuffer):
            self._buffer.skip(sequence)
            if self._nack is not None:
                self._nack.forget_before(sequence + 1)

    def _insert(self, sequence: int, packet: RtpPacket, now: float) -> list[CodedFrame]:
        if self._nack is not None:
            self._nack.arrived(sequence)
        if isinstance(self._buffer, AudioBuffer):
            late = self._buffer.late
            frames = self._buffer.add(sequence, packet, now)
            self.stats.packets_discarded += self._buffer.late - late
            return frames
        if self._buffer is None or (self._floor is not None and sequence <= self._floor):
            return []
        frames = self._buffer.add(sequence, packet)
        if self._buffer.waits_for_keyframe:
            self.request_keyframe(now)
        return frames

    def _forget_old(self) -> None:
        following = self._buffer.next if self._buffer is not None else None
        if self._nack is not None and following is not None:
            self._nack.forget_before(following)

    def _send_nack(self, sequences: list[int]) -> None:
        # aiortc writes no list that wraps (rtp.py, RtcpRtpfbPacket.__bytes__): one message a lap.
        laps: dict[int, list[int]] = {}
        for sequence in sequences:
            laps.setdefault(sequence >> 16, []).append(sequence & 0xFFFF)
        for lost in laps.values():
            self.stats.nack_count += 1
            self._feed_back(bytes(RtcpRtpfbPacket(RTCP_RTPFB_NACK, self._local_ssrc, self.ssrc, lost)))

    def _count(self, packet: RtpPacket, size: int, sequence: int, codec: Codec, now: float) -> None:
        self.reception.arrived(sequence, packet.timestamp, codec.clock_rate, now)
        stats = self.stats
        stats.packets_received += 1
        stats.bytes_received += len(packet.payload)
        stats.header_bytes_received += size - len(packet.payload)
        stats.last_packet_received_timestamp = time.time() * 1000
        stats.frames_received += packet.marker
        if packet.extensions.audio_level is not None:
            stats.audio_level = linear_level(packet.extensions.audio_level[1])
