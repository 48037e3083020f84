"""Packets to whole pictures, in order, from a keyframe on."""

from __future__ import annotations

from aiortc.rtp import RtpPacket

from .coded_frame import CodedFrame
from .depayload import depayload, starts_keyframe
from .parameters import Codec

KEPT = 2048
"Packets that wait at most; a keyframe of a large picture has some hundreds."


class VideoBuffer:
    """Releases a frame as soon as it is whole, by its marker: the next one need not have begun.

    Until the first keyframe, and after a loss that could not be repaired, nothing is released but from a keyframe on.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._packets: dict[int, RtpPacket] = {}
        self._parts: list[RtpPacket] = []
        self._next: int | None = None

    @property
    def waits_for_keyframe(self) -> bool:
        """Whether no keyframe has begun from which to go on."""
        return self._next is None

    @property
    def next(self) -> int | None:
        """The sequence number that it waits for; nothing before it is of use."""
        return self._next

    def add(self, sequence: int, packet: RtpPacket) -> list[CodedFrame]:
        """Takes a packet by its unwrapped number; the frames that it completes."""
        if self._next is not None and sequence < self._next:
            return []
        self._packets[sequence] = packet
        if self._next is None and starts_keyframe(self._codec.name, packet.payload):
            self._begin_at(sequence)
        if len(self._packets) > KEPT:
            # The one that came first: near enough the lowest.
            del self._packets[next(iter(self._packets))]
        return self._take()

    def skip(self, sequence: int) -> list[CodedFrame]:
        """Gives up `sequence` and all before it; goes on at the next keyframe. The frames that this completes."""
        if self._next is not None and sequence < self._next:
            return []
        starts = [
            number
            for number, packet in self._packets.items()
            if number > sequence and starts_keyframe(self._codec.name, packet.payload)
        ]
        self._parts.clear()
        self._next = None
        if not starts:
            return []
        self._begin_at(min(starts))
        return self._take()

    def clear(self) -> None:
        """Forgets all; waits for a keyframe."""
        self._packets.clear()
        self._parts.clear()
        self._next = None

    def _begin_at(self, sequence: int) -> None:
        self._next = sequence
        self._packets = {number: packet for number, packet in self._packets.items() if number >= sequence}

    def _take(self) -> list[CodedFrame]:
        frames: list[CodedFrame] = []
        while self._next is not None and (packet := self._packets.pop(self._next, None)) is not None:
            self._next += 1
            if self._parts and packet.timestamp != self._parts[0].timestamp:
                # Not every sender sets the marker.
                frames.append(self._join())
            # Empty ones are padding, and belong to no frame.
            if packet.payload:
                self._parts.append(packet)
                if packet.marker or len(self._parts) >= KEPT:
                    frames.append(self._join())
        return frames

    def _join(self) -> CodedFrame:
        parts, self._parts = self._parts, []
        return CodedFrame(
            timestamp=parts[0].timestamp,
            payload_type=parts[0].payload_type,
            data=b"".join(_depayload(self._codec.name, part.payload) for part in parts),
            keyframe=starts_keyframe(self._codec.name, parts[0].payload),
            packets=len(parts),
        )


def _depayload(codec: str, payload: bytes) -> bytes:
    try:
        return depayload(codec, payload)
    except ValueError:
        # Malformed: the decoder says what it can make of the rest.
        return b""
