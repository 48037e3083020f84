"""RtpReceiver: what one section receives, decoded while somebody looks or listens."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Any, ClassVar

from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpRrPacket,
    RtcpSrPacket,
    RtpPacket,
    unwrap_rtx,
)
from aiortc.utils import random32
from msgspec import Struct

from ..media.frames import Consumer, Kind
from ..session.remote import CallError, Empty, ObjectId, Remote, call, call_as
from ..session.session import Session
from ..transports.dtls_transport import DtlsTransport
from ..weak import weakly
from .complaints import Complaints
from .inbound_stream import InboundStream
from .parameters import Codec, ReceiveParameters, media_codecs, uses_transport_cc
from .playout import Playout
from .router import Routes
from .sources import Sources, SourcesEvent
from .stats import InboundStats, ReceiverStats

logger = logging.getLogger(__name__)

MUTE_AFTER = 2.0
"Seconds without a packet after which the track is muted: more than what DTX pauses."

LONGEST_TARGET = 4000
"Milliseconds that an application may wish frames to be held back (webrtc-pc, jitterBufferTarget)."

STREAMS = 16
"SSRCs that a receiver remembers."


class JitterBufferTarget(Struct, frozen=True):
    """How long frames shall be held back."""

    milliseconds: float | None = None
    "0 to 4000; None for as short as the path allows, which is what 0 is, too."


class RtpReceiver(Remote):
    """A Source of the frames that arrive; it decodes only while it is attached.

    @see https://www.w3.org/TR/webrtc/#rtcrtpreceiver-interface
    """

    class In(Struct, frozen=True):
        kind: Kind

    events: ClassVar[dict[str, type[Struct]]] = {"mute": Empty, "unmute": Empty, "sources": SourcesEvent}
    close_order = 10

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        self.kind: Kind = params.kind
        self._parameters: ReceiveParameters | None = None
        self._transport: DtlsTransport | None = None
        self._codecs: dict[int, Codec] = {}
        self._repairs: dict[int, int] = {}
        self._rtx_ssrcs: dict[int, int] = {}
        self._streams: dict[int, InboundStream] = {}
        self._local_ssrc = random32()
        self._sources = Sources()
        self._muted = True
        self._stopped = False
        self._report_due = 0.0
        # No `error` event, which would end the track: the next packet may fare better.
        self._complaints = Complaints(weakly(self._complain))
        self._playout = Playout(
            params.kind, weakly(self.spawn), weakly(self._run), self._complaints, session.quotas.decoded_pixels
        )

    @call_as("receive")
    async def start_receiving(self, params: ReceiveParameters) -> None:
        """Receives by `params` from now on; InvalidStateError after stop, NotFoundError without the transport."""
        if self._stopped:
            raise CallError("InvalidStateError", "the receiver is stopped")
        transport = self.session.get(params.transport, DtlsTransport)
        if self._transport not in (None, transport):
            self._leave_transport()
        self._transport = transport
        self._parameters = params
        self._learn(params)
        if not params.active:
            transport.router.detach(self)
            self._mute()
            return
        transport.router.attach(self, _routes(params, self._codecs))

    @call
    async def getStats(self) -> ReceiverStats:
        """The counters of every stream."""
        return ReceiverStats(streams=[self._stats(stream) for stream in self._streams.values()])

    @call
    async def setJitterBufferTarget(self, params: JitterBufferTarget) -> None:
        """Holds frames back from now on. TypeError outside 0 to 4000."""
        wished = params.milliseconds or 0
        if not 0 <= wished <= LONGEST_TARGET:
            raise CallError("TypeError", f"a target of {wished} ms; 0 to {LONGEST_TARGET}")
        self._playout.jitter.target = wished / 1000

    @call
    async def watchSources(self) -> None:
        """Sends `sources` events ten times a second from now on, where it has sent one now and then."""
        self._sources.watched = True

    @call
    async def stop(self) -> None:
        """Ends the receiver and, for its consumers, the source; irreversible."""
        await self.close()

    async def close(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        self._leave_transport()
        self._playout.leave()
        self._playout.out.end()

    # Source

    def attach(self, consumer: Consumer) -> None:
        self._playout.out.attach(consumer)

    def detach(self, consumer: Consumer) -> None:
        self._playout.out.detach(consumer)

    # RtpSink

    def rtp(self, packet: RtpPacket, size: int, now: float) -> None:
        codec = self._codecs.get(packet.payload_type)
        if codec is None:
            return
        if codec.name == "rtx":
            self._repaired(packet, codec, size, now)
            return
        stream = self._streams.get(packet.ssrc) or self._begin(packet)
        self._unmute()
        self._sources.note(packet)
        self._playout.choose(stream, self._parameters.rids if self._parameters is not None else [], now)
        frames = stream.packet(packet, size, codec, now, self._playout.wants(stream))
        self._playout.play(stream, frames, self._codecs, now)

    def rtcp(self, packet: AnyRtcpPacket, now: float) -> None:
        if isinstance(packet, RtcpSrPacket) and packet.ssrc in self._streams:
            self._streams[packet.ssrc].reception.reported(packet, now)
        elif isinstance(packet, RtcpByePacket) and self._plays_any(packet.sources):
            # An SFU that pauses may say so; the track goes on when packets do.
            self._mute()

    def tick(self, now: float) -> None:
        for stream in self._streams.values():
            frames = stream.tick(now, self._playout.wants(stream))
            self._playout.play(stream, frames, self._codecs, now)
        self._playout.tick(now)
        if not self._muted and all(now - stream.last_packet > MUTE_AFTER for stream in self._streams.values()):
            self._mute()
        if now >= self._report_due and any(stream.reception.received for stream in self._streams.values()):
            self._report_due = now + random.uniform(0.5, 1.5)
            self._send_rtcp(self._report(now))
        sources = self._sources.due(now)
        if sources is not None:
            self.emit("sources", sources)

    def failed(self, error: Exception) -> None:
        self._complaints.about(error, "RTP")

    def _complain(self, doing: str, error: Exception) -> None:
        logger.warning("RtpReceiver %d: %s failed", self.id, doing, exc_info=error, extra={"kind": "receiver-failed"})

    def _plays_any(self, ssrcs: list[int]) -> bool:
        return self._playout.stream is not None and self._playout.stream.ssrc in ssrcs

    def _learn(self, params: ReceiveParameters) -> None:
        """Takes codecs and SSRCs; streams that the description no longer has are forgotten."""
        ours = {codec.payload_type: codec for codec in media_codecs(params.codecs)}
        self._repairs = {
            codec.payload_type: int(apt)
            for codec in params.codecs
            if codec.name == "rtx" and (apt := codec.parameters.get("apt", "")).isdecimal() and int(apt) in ours
        }
        rtx = {codec.payload_type: codec for codec in params.codecs if codec.payload_type in self._repairs}
        self._codecs = {**ours, **rtx}
        self._rtx_ssrcs = {each.rtx_ssrc: each.ssrc for each in params.encodings if each.rtx_ssrc is not None}
        announced = {each.ssrc for each in params.encodings}
        if announced:
            self._streams = {ssrc: stream for ssrc, stream in self._streams.items() if ssrc in announced}
        if self._playout.stream not in self._streams.values():
            self._playout.leave()

    def _begin(self, packet: RtpPacket) -> InboundStream:
        stream = InboundStream(packet.ssrc, self._local_ssrc, weakly(self._send_feedback))
        stream.stats.rid = packet.extensions.rtp_stream_id
        self._streams[packet.ssrc] = stream
        # A peer that makes up SSRCs gets no more memory than one that changes them now and then.
        for ssrc in list(self._streams)[: max(0, len(self._streams) - STREAMS)]:
            if self._streams[ssrc] is not self._playout.stream:
                del self._streams[ssrc]
        return stream

    def _repaired(self, packet: RtpPacket, codec: Codec, size: int, now: float) -> None:
        stream = self._stream_of_repair(packet)
        # Without an original sequence number it is padding, sent to probe.
        if stream is None or len(packet.payload) < 2:
            return
        original = unwrap_rtx(packet, self._repairs[codec.payload_type], stream.ssrc)
        frames = stream.repaired(original, size, now, self._playout.wants(stream))
        self._playout.play(stream, frames, self._codecs, now)

    def _stream_of_repair(self, packet: RtpPacket) -> InboundStream | None:
        """By the description, else by the layer that it repairs, else the one that plays (RFC 4588, section 5.3)."""
        ssrc = self._rtx_ssrcs.get(packet.ssrc)
        if ssrc is not None:
            return self._streams.get(ssrc)
        rid = packet.extensions.repaired_rtp_stream_id or packet.extensions.rtp_stream_id
        if rid is not None:
            return next((stream for stream in self._streams.values() if stream.stats.rid == rid), None)
        return self._playout.stream

    async def _run(self, work: Callable[..., Any], *args: Any) -> Any:
        return await self.session.run_blocking("codec", work, *args)

    def _mute(self) -> None:
        if not self._muted:
            self._muted = True
            self._playout.rest()
            self.emit("mute")

    def _unmute(self) -> None:
        if self._muted:
            self._muted = False
            self.emit("unmute")

    def _report(self, now: float) -> bytes:
        heard = [stream for stream in self._streams.values() if stream.reception.received and stream.codec is not None]
        blocks = [stream.reception.report(stream.codec.clock_rate, now) for stream in heard if stream.codec is not None]
        return bytes(RtcpRrPacket(ssrc=self._local_ssrc, reports=blocks[:31]))

    def _send_feedback(self, data: bytes) -> None:
        """Sends feedback, behind a report where the description does not allow it alone (RFC 5506)."""
        reduced = self._parameters is not None and self._parameters.reduced_size
        self._send_rtcp(data if reduced else bytes(RtcpRrPacket(ssrc=self._local_ssrc)) + data)

    def _send_rtcp(self, data: bytes) -> None:
        if self._transport is not None and self._transport.state == "connected":
            self._transport.send_rtcp(data)

    def _leave_transport(self) -> None:
        if self._transport is not None:
            self._transport.router.detach(self)
            self._transport = None

    def _stats(self, stream: InboundStream) -> InboundStats:
        stats = stream.stats
        stats.mid = self._parameters.mid if self._parameters is not None else ""
        stats.rtx_ssrc = next((rtx for rtx, ssrc in self._rtx_ssrcs.items() if ssrc == stream.ssrc), None)
        stats.packets_lost, stats.jitter = stream.reception.lost, stream.reception.jitter
        stats.frames_per_second = stream.frame_rate.of(time.monotonic())
        stats.remote = stream.reception.remote
        return stats


def _routes(params: ReceiveParameters, codecs: dict[int, Codec]) -> Routes:
    ssrcs = {each.ssrc for each in params.encodings} | {each.rtx_ssrc for each in params.encodings if each.rtx_ssrc}
    return Routes(
        mid=params.mid,
        ssrcs=frozenset(ssrcs),
        payload_types=frozenset(codecs),
        header_extensions=tuple(params.header_extensions),
        transport_cc=uses_transport_cc(params.codecs, params.header_extensions),
        goog_remb=any(codec.feeds_back("goog-remb") for codec in params.codecs),
    )
