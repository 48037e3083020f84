"""Who gets what arrives on a transport, by SSRC, MID and payload type; and the clock of its senders and receivers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from aiortc.rtp import (
    RTCP_PSFB_APP,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
)

from .bandwidth import Bandwidth
from .extensions import ExtensionsMap
from .feedback import ArrivalFeedback
from .parameters import HeaderExtension
from .rtcp import RtcpPart, parse_part, parts_of, remb_bitrate
from .transport_cc import MOST_STATUSES, covered

TICK = 0.02
"Seconds between two looks at what is due: NACKs, reports, feedback. A transport without sinks has no tick."

LATCHED_LIMIT = 256
"SSRCs learnt from packets; a peer that makes up more loses the oldest."


class RtpSink(Protocol):
    """A sender or a receiver, as its transport's router sees it. Nothing here may block."""

    def rtp(self, packet: RtpPacket, size: int, now: float) -> None:
        """Takes a packet of `size` bytes that arrived at `now` (monotonic seconds)."""

    def rtcp(self, packet: AnyRtcpPacket, now: float) -> None:
        """Takes a report or feedback that names one of its SSRCs."""

    def tick(self, now: float) -> None:
        """Does what is due; every 20 ms while attached."""

    def failed(self, error: Exception) -> None:
        """Hears of what one of the others raised."""


@dataclass(frozen=True)
class Routes:
    """What a sink wants of its transport."""

    mid: str = ""
    ssrcs: frozenset[int] = frozenset()
    "SSRCs that it receives, RTX ones included."
    payload_types: frozenset[int] = frozenset()
    "Payload types that it receives; the last resort, when one sink alone has it."
    local_ssrcs: frozenset[int] = frozenset()
    "SSRCs that it sends: reports and feedback on them are for it."
    header_extensions: tuple[HeaderExtension, ...] = ()
    transport_cc: bool = False
    "Whether its description has transport-wide feedback, of the direction in which it works."
    goog_remb: bool = False


class Router:
    """Routes the packets of one DTLS transport (RFC 8843, section 9.2) and owns what belongs to all its streams.

    `send_rtcp` sends one compound RTCP packet; it must not raise when the transport cannot send.
    """

    def __init__(self, send_rtcp: Callable[[bytes], None]) -> None:
        self.bandwidth = Bandwidth()
        self.feedback = ArrivalFeedback(send_rtcp)
        self._extensions = ExtensionsMap()
        self._routes: dict[RtpSink, Routes] = {}
        self._signalled: dict[int, RtpSink] = {}
        self._latched: dict[int, RtpSink] = {}
        self._mids: dict[str, RtpSink] = {}
        self._payload_types: dict[int, RtpSink | None] = {}
        self._local: dict[int, RtpSink] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.unreadable = Counter[str]()
        "Packets, and of RTCP parts of packets, that were dropped, by protocol."

    def attach(self, sink: RtpSink, routes: Routes) -> None:
        """Routes to `sink` from now on; again, with other routes, whenever they change."""
        self._routes[sink] = routes
        self._rebuild()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def detach(self, sink: RtpSink) -> None:
        """Routes nothing to `sink` any more; an unknown one is ignored."""
        if self._routes.pop(sink, None) is None:
            return
        self._rebuild()
        if not self._routes and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def handle_rtp(self, data: bytes, arrival_ms: int) -> None:
        """Takes a decrypted RTP packet. Never raises: what cannot be parsed or routed is dropped.

        `arrival_ms` is a clock in milliseconds, of any origin, that goes into the estimate of the incoming bitrate.
        """
        if not self._routes:
            return
        try:
            packet = RtpPacket.parse(data, self._extensions)
        except ValueError:
            self.unreadable["rtp"] += 1
            return
        now = time.monotonic()
        self.feedback.arrived(packet, len(data), arrival_ms, now)
        sink = self._sink_of(packet)
        if sink is not None:
            _guard(sink, sink.rtp, packet, len(data), now)

    def handle_rtcp(self, data: bytes) -> None:
        """Takes a decrypted compound RTCP packet. Never raises: parts that cannot be parsed are dropped alone."""
        now = time.monotonic()
        told = 0
        for part in self._parts(data):
            if part.is_transport_cc:
                told += covered(part.data)
                if told <= MOST_STATUSES:
                    self.bandwidth.feedback(part.data, now)
                continue
            try:
                self._route_rtcp(parse_part(part), now)
            except ValueError:
                self.unreadable["rtcp"] += 1

    def _parts(self, data: bytes) -> Iterator[RtcpPart]:
        try:
            yield from parts_of(data)
        except ValueError:
            self.unreadable["rtcp"] += 1

    def _sink_of(self, packet: RtpPacket) -> RtpSink | None:
        sink = self._signalled.get(packet.ssrc)
        if sink is not None:
            return sink
        # A MID moves an SSRC to its sink, whoever had it before: the packet itself is newer than what was learnt.
        mid = packet.extensions.mid
        sink = self._mids.get(mid) if mid is not None else self._latched.get(packet.ssrc)
        if sink is None:
            sink = self._latched.get(packet.ssrc) or self._payload_types.get(packet.payload_type)
        if sink is not None and self._latched.get(packet.ssrc) is not sink:
            self._latch(packet.ssrc, sink)
        return sink

    def _latch(self, ssrc: int, sink: RtpSink) -> None:
        if len(self._latched) >= LATCHED_LIMIT:
            del self._latched[next(iter(self._latched))]
        self._latched[ssrc] = sink

    def _route_rtcp(self, packet: AnyRtcpPacket, now: float) -> None:
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            if (bitrate := remb_bitrate(packet.fci)) is not None:
                self.bandwidth.remb(bitrate)
            return
        for sink in dict.fromkeys(self._sinks_of(packet)):
            _guard(sink, sink.rtcp, packet, now)

    def _sinks_of(self, packet: AnyRtcpPacket) -> Iterator[RtpSink]:
        if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
            yield from _known(self._local, (report.ssrc for report in packet.reports))
        if isinstance(packet, RtcpSrPacket):
            yield from self._receiving([packet.ssrc])
        if isinstance(packet, RtcpByePacket):
            yield from self._receiving(packet.sources)
        if isinstance(packet, RtcpPsfbPacket | RtcpRtpfbPacket):
            # A FIR names its target in the FCI, not in the header (RFC 5104, section 4.3.1.1).
            fci = getattr(packet, "fci", b"")
            named = (int.from_bytes(fci[at : at + 4], "big") for at in range(0, len(fci) - 7, 8))
            yield from _known(self._local, [packet.media_ssrc, *named])

    def _receiving(self, ssrcs: Iterable[int]) -> Iterator[RtpSink]:
        for ssrc in ssrcs:
            sink = self._signalled.get(ssrc) or self._latched.get(ssrc)
            if sink is not None:
                yield sink

    def _rebuild(self) -> None:
        self._signalled = {ssrc: sink for sink, routes in self._routes.items() for ssrc in routes.ssrcs}
        self._local = {ssrc: sink for sink, routes in self._routes.items() for ssrc in routes.local_ssrcs}
        self._latched = {ssrc: sink for ssrc, sink in self._latched.items() if sink in self._routes}
        # A sender of a section has its MID too, but takes no RTP.
        receivers = {sink: routes for sink, routes in self._routes.items() if routes.payload_types}
        self._mids = {routes.mid: sink for sink, routes in receivers.items() if routes.mid}
        self._payload_types = {}
        for sink, routes in receivers.items():
            for payload_type in routes.payload_types:
                self._payload_types[payload_type] = None if payload_type in self._payload_types else sink
        extensions = [extension for routes in self._routes.values() for extension in routes.header_extensions]
        self._extensions = ExtensionsMap(extensions)
        senders = [routes for routes in self._routes.values() if routes.local_ssrcs]
        self.bandwidth.limited = any(routes.transport_cc or routes.goog_remb for routes in senders)
        self.feedback.transport_cc = any(routes.transport_cc for routes in receivers.values())
        self.feedback.goog_remb = any(routes.goog_remb for routes in receivers.values())

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)
        now = time.monotonic()
        for sink in list(self._routes):
            _guard(sink, sink.tick, now)
        # Wishes may have changed.
        self.bandwidth.allocate()
        self.feedback.tick(now)


def _guard(sink: RtpSink, take: Callable[..., None], *args: Any) -> None:
    """Calls `sink`, one fault of which must end neither the transport's pump nor another stream."""
    try:
        take(*args)
    except Exception as error:
        sink.failed(error)


def _known(table: dict[int, RtpSink], ssrcs: Iterable[int]) -> Iterator[RtpSink]:
    for ssrc in ssrcs:
        sink = table.get(ssrc)
        if sink is not None:
            yield sink
