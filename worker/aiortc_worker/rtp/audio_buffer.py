"""Packets of sound in order, at most 60 ms late."""

from __future__ import annotations

from collections import deque

from aiortc.rtp import RtpPacket

from .coded_frame import CodedFrame

PATIENCE = 0.06
"Seconds that a packet waits for one before it."

REMEMBERED = 64
"Packets given up of which it is known when they come after all."


class AudioBuffer:
    """Releases each packet once all before it have come, or have been waited for."""

    def __init__(self) -> None:
        self._packets: dict[int, tuple[RtpPacket, float]] = {}
        self._next: int | None = None
        self._given_up: deque[int] = deque(maxlen=REMEMBERED)
        self._after_loss = False
        self.late = 0
        "Packets that came after they had been given up."

    @property
    def next(self) -> int | None:
        """The sequence number that it waits for; nothing before it is of use."""
        return self._next

    def add(self, sequence: int, packet: RtpPacket, now: float) -> list[CodedFrame]:
        """Takes a packet by its unwrapped number; the frames that are ready."""
        if self._next is None:
            self._next = sequence
        if sequence >= self._next:
            self._packets[sequence] = (packet, now)
        elif sequence in self._given_up:
            self._given_up.remove(sequence)
            self.late += 1
        return self.take(now)

    def take(self, now: float) -> list[CodedFrame]:
        """The frames that are ready now."""
        frames: list[CodedFrame] = []
        while self._packets:
            assert self._next is not None
            if self._next not in self._packets:
                if now - min(at for _, at in self._packets.values()) < PATIENCE:
                    break
                self._give_up(self._next, min(self._packets))
            packet, _ = self._packets.pop(self._next)
            self._next += 1
            if packet.payload:
                frames.append(self._frame(packet))
        return frames

    def clear(self) -> None:
        """Forgets all."""
        self._packets.clear()
        self._given_up.clear()
        self._next = None
        self._after_loss = False

    def _give_up(self, first: int, following: int) -> None:
        self._given_up.extend(range(max(first, following - REMEMBERED), following))
        self._next = following
        self._after_loss = True

    def _frame(self, packet: RtpPacket) -> CodedFrame:
        after_loss, self._after_loss = self._after_loss, False
        return CodedFrame(packet.timestamp, packet.payload_type, packet.payload, keyframe=True, after_loss=after_loss)
