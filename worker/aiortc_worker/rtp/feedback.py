"""What a transport tells its peer of the packets that arrive on it: transport-wide feedback, or REMB."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtpPacket, pack_remb_fci
from aiortc.utils import random32

from .delay import DelayEstimator
from .sequence import Unwrapper
from .transport_cc import MAX_STATUSES, pack

INTERVAL = 0.1
"Seconds between two transport-wide messages."

REMB_INTERVAL = 1.0
"Seconds between two REMBs; a smaller estimate is told at once."

KEPT = 500
"Arrivals kept, so that one who comes late can be told with its neighbours."


class ArrivalFeedback:
    """Feedback on all that arrives on one transport, whoever receives it, probation packets included."""

    def __init__(self, send_rtcp: Callable[[bytes], None]) -> None:
        self.transport_cc = False
        "Whether the descriptions have transport-cc; then REMB is not sent."
        self.goog_remb = False
        self._send_rtcp = send_rtcp
        self._ssrc = random32()
        self._media_ssrcs: dict[int, float] = {}
        self._unwrap = Unwrapper(16)
        self._arrivals: dict[int, float] = {}
        self._base: int | None = None
        self._number = 0
        self._due = 0.0
        self._last_ssrc = 0
        self._estimator = DelayEstimator()
        self._send_time = Unwrapper(24)
        self._told = 0
        self._estimate: int | None = None
        self._remb_due = 0.0

    def arrived(self, packet: RtpPacket, size: int, arrival_ms: int, now: float) -> None:
        """Takes note of a packet."""
        sequence = packet.extensions.transport_sequence_number
        if self.transport_cc and sequence is not None:
            self._note(self._unwrap(sequence), packet.ssrc, now)
        elif self.goog_remb and not self.transport_cc and packet.extensions.abs_send_time is not None:
            self._estimate_from(packet, size, arrival_ms, now)

    def tick(self, now: float) -> None:
        """Sends what is due."""
        if self._base is not None and self._arrivals and now >= self._due and max(self._arrivals) >= self._base:
            self._due = now + INTERVAL
            self._send_transport_cc()
        if self._estimate is not None and (now >= self._remb_due or self._estimate < 0.97 * self._told):
            self._send_remb(self._estimate, now)

    def _note(self, sequence: int, ssrc: int, now: float) -> None:
        self._last_ssrc = ssrc
        self._arrivals.setdefault(sequence, now)
        if self._base is None or self._base - KEPT < sequence < self._base:
            self._base = sequence
        while len(self._arrivals) > MAX_STATUSES:
            del self._arrivals[next(iter(self._arrivals))]

    def _send_transport_cc(self) -> None:
        assert self._base is not None
        told = sorted(sequence for sequence in self._arrivals if sequence >= self._base)
        base = self._base
        for sequence in told:
            if sequence < base:
                continue  # The message before has it.
            # Of a longer gap the end is told: a peer's numbers may leap by thousands from packet to packet.
            base = max(base, sequence - KEPT)
            end = told[bisect_left(told, base + MAX_STATUSES) - 1] + 1
            self._send_rtcp(pack(self._ssrc, self._last_ssrc, self._number, base, end - base, self._arrivals))
            self._number += 1
            base = end
        last = told[-1]
        self._base = last + 1
        for sequence in [sequence for sequence in self._arrivals if sequence <= last - KEPT]:
            del self._arrivals[sequence]

    def _estimate_from(self, packet: RtpPacket, size: int, arrival_ms: int, now: float) -> None:
        self._media_ssrcs[packet.ssrc] = now
        sent = self._send_time(packet.extensions.abs_send_time or 0) / (1 << 18)
        estimate = self._estimator.add(sent, arrival_ms / 1000, size)
        if estimate is not None:
            self._estimate = estimate

    def _send_remb(self, estimate: int, now: float) -> None:
        self._remb_due = now + REMB_INTERVAL
        self._told = estimate
        self._media_ssrcs = {ssrc: at for ssrc, at in self._media_ssrcs.items() if now - at < 10}
        ssrcs = list(self._media_ssrcs)[:255]
        if ssrcs:
            fci = pack_remb_fci(estimate, ssrcs)
            self._send_rtcp(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=self._ssrc, media_ssrc=0, fci=fci)))
