"""Packets sent, kept for those who missed them; and how much may be spent on sending them again."""

from __future__ import annotations

from collections import OrderedDict

from aiortc.rtp import RtpPacket

HISTORY = 1024
"Packets: some 8 s of a 1.2 Mb/s stream."

REPEAT_AFTER = 0.05
LONGEST_REPEAT_AFTER = 0.2
"Seconds between two repeats of one packet, if no round trip says more: a NACK may cross the repeat on its way."

BUDGET = 0.2
"What repeats may cost, as a share of the stream's rate."

BUDGET_FLOOR = 100_000
"Bits per second that repeats may always cost."


class PacketHistory:
    """The last packets of a stream, by sequence number, with a budget for repeating them."""

    def __init__(self) -> None:
        self._packets: OrderedDict[int, RtpPacket] = OrderedDict()
        self._repeated: dict[int, float] = {}
        self._tokens = BUDGET_FLOOR / 8
        self._filled = 0.0

    def add(self, packet: RtpPacket) -> None:
        # A sequence number that comes round again replaces the packet of the lap before.
        self._packets.pop(packet.sequence_number, None)
        self._repeated.pop(packet.sequence_number, None)
        self._packets[packet.sequence_number] = packet
        if len(self._packets) > HISTORY:
            oldest, _ = self._packets.popitem(last=False)
            self._repeated.pop(oldest, None)

    def take(self, sequence: int, bitrate: int, round_trip: float | None, now: float) -> RtpPacket | None:
        """The packet to repeat, None when it is gone, was just repeated, or the budget of `bitrate` is spent."""
        packet = self._packets.get(sequence)
        again = min(LONGEST_REPEAT_AFTER, max(REPEAT_AFTER, round_trip or 0.0))
        if packet is None or now - self._repeated.get(sequence, 0.0) < again:
            return None
        self._fill(max(BUDGET_FLOOR, BUDGET * bitrate) / 8, now)
        size = len(packet.payload) + 40
        if size > self._tokens:
            return None
        self._tokens -= size
        self._repeated[sequence] = now
        return packet

    def _fill(self, rate: float, now: float) -> None:
        """Adds what the time since the last look is worth, at most one second's."""
        self._tokens = min(rate, self._tokens + rate * (now - self._filled))
        self._filled = now
