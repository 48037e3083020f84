"""RtpSender: the encodings of one section, fed by one track after another."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Protocol

from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    HeaderExtensionsMap,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
)
from aiortc.utils import random32
from msgspec import Meta, Struct

from ..media.frames import Frame, Kind, Source
from ..media.track import Track
from ..session.remote import CallError, ErrorInfo, ObjectId, Remote, call, names
from ..session.session import Session
from ..transports.dtls_transport import DtlsTransport
from ..weak import weakly
from . import clock
from .audio_pipeline import AudioPipeline
from .complaints import Complaints
from .extensions import ExtensionsMap
from .outbound_stream import HEADER_ESTIMATE, OutboundStream
from .parameters import (
    Codec,
    SendParameters,
    google_bitrate,
    media_codecs,
    rtx_of,
    telephone_event,
    uses_transport_cc,
)
from .router import Routes
from .stats import OutboundStats, SenderStats
from .timeline import Timeline
from .tones import play
from .video_pipeline import VideoPipeline


class ReplaceTrack(Struct, frozen=True):
    """Another source, or none."""

    track: Annotated[ObjectId, names("Track")] | None = None


class PlayTone(Struct, frozen=True):
    """A DTMF tone."""

    tone: Annotated[str, Meta(pattern="^[0-9A-D*#]$")]
    duration: Annotated[int, Meta(ge=40, le=6000)]
    "Milliseconds."


class Pipeline(Protocol):
    """From frames to streams."""

    @property
    def pending(self) -> bool: ...
    def configure(self, codec: Codec, streams: list[OutboundStream]) -> None: ...
    def change_source(self) -> None: ...
    def put(self, frame: Frame) -> None: ...
    def repeat_last(self) -> None: ...
    def close(self) -> None: ...
    async def step(self) -> None: ...


class RtpSender(Remote):
    """Sends what a track gives, until it is told to stop; no fault of the track ends it.

    @see https://www.w3.org/TR/webrtc/#rtcrtpsender-interface
    """

    class In(Struct, frozen=True):
        kind: Kind
        track: Annotated[ObjectId, names("Track")] | None = None

    close_order = 10

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        self.kind: Kind = params.kind
        self._source: Source | None = self._track(params.track)
        self._attached: Source | None = None
        self._parameters: SendParameters | None = None
        self._transport: DtlsTransport | None = None
        self._extensions = HeaderExtensionsMap()
        self._transport_cc = False
        self._clock_rate = 90_000 if params.kind == "video" else 48_000
        self._timeline = Timeline(self._clock_rate, random32())
        self._streams: dict[int, OutboundStream] = {}
        self._pipeline: Pipeline = (
            VideoPipeline(self._timeline, weakly(self._run), session.quotas.encoded_pixels)
            if params.kind == "video"
            else AudioPipeline(self._timeline, weakly(self._run))
        )
        self._busy = False
        self._tone: asyncio.Task[None] | None = None
        self._stopped = False
        self._report_due = 0.0
        self._complaints = Complaints(weakly(self._complain))

    @call
    async def send(self, params: SendParameters) -> None:
        """Sends by `params` from now on. InvalidStateError after stop, NotSupportedError without a codec of ours."""
        if self._stopped:
            raise CallError("InvalidStateError", "the sender is stopped")
        codec = _codec(params)
        if codec is None:
            self._pause()
            if not params.active:
                return
            names = [codec.mime_type for codec in params.codecs]
            raise CallError("NotSupportedError", f"none of {names} can be encoded")
        transport = self.session.get(params.transport, DtlsTransport)
        if self._transport not in (None, transport):
            self._leave_transport()
        self._transport = transport
        self._parameters = params
        self._clock_rate = codec.clock_rate
        self._extensions = ExtensionsMap(params.header_extensions)
        self._transport_cc = uses_transport_cc([codec], params.header_extensions)
        self._configure_streams(params, codec)
        self._route(params, codec)
        self._listen()

    @call
    async def replaceTrack(self, params: ReplaceTrack) -> None:
        """Sends another track, or nothing, on the same streams; TypeError for one of the other kind."""
        self._source = self._track(params.track)
        self._listen()

    @call
    async def playTone(self, params: PlayTone) -> None:
        """Begins a tone, after the one before. InvalidStateError unless a stream and a codec for events are there."""
        stream = next((stream for stream in self._streams.values() if stream.active), None)
        codecs = self._parameters.codecs if self._parameters is not None else []
        codec = telephone_event(codecs, self._clock_rate)
        if stream is None or codec is None:
            raise CallError("InvalidStateError", "no telephone events were negotiated, or nothing is being sent")
        self._tone = self.spawn(self._play(self._tone, stream, codec, params))

    @call
    async def getStats(self) -> SenderStats:
        """The counters of every encoding."""
        estimate = self._transport.router.bandwidth.estimate if self._transport is not None else None
        return SenderStats(
            streams=[_stats(stream) for stream in self._streams.values()], available_outgoing_bitrate=estimate
        )

    @call
    async def stop(self) -> None:
        """Ends the streams with a BYE; irreversible."""
        await self.close()

    async def close(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        self._source = None
        self._listen()
        self._leave_transport()
        self._pipeline.close()

    # Consumer

    def frame(self, frame: Frame) -> None:
        """Takes a frame of the track; until the transport is connected, sound is dropped and the last picture waits."""
        if self._tone is not None or (self.kind == "audio" and not self._connected()):
            return
        self._pipeline.put(frame)
        if self._connected():
            self._wake()

    def ended(self) -> None:
        """Another track may follow: the streams stay."""

    # RtpSink

    def rtp(self, packet: RtpPacket, size: int, now: float) -> None:
        """A sender's SSRCs are ours: what comes with one is a loop, or a lie."""

    def rtcp(self, packet: AnyRtcpPacket, now: float) -> None:
        if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
            for report in packet.reports:
                if report.ssrc in self._streams:
                    self._streams[report.ssrc].reported(report, self._clock_rate)
        elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            stream = self._streams.get(packet.media_ssrc)
            if stream is not None and self._connected():
                stream.repeat(packet.lost, now)
        elif isinstance(packet, RtcpPsfbPacket):
            self._keyframe_asked(packet)

    def tick(self, now: float) -> None:
        if not self._connected():
            return
        self._pipeline.repeat_last()
        self._wake()
        if now >= self._report_due and any(stream.stats.packets_sent for stream in self._streams.values()):
            # RFC 3550, section 6.2, varies the interval so that reports do not meet.
            self._report_due = now + random.uniform(0.5, 1.5)
            self._send_rtcp(self._reports(now))

    def failed(self, error: Exception) -> None:
        self._complaints.about(error, "RTP")

    def _complain(self, doing: str, error: Exception) -> None:
        self.emit("error", ErrorInfo(name="OperationError", message=f"{doing} failed: {error!r}"))

    def _track(self, id: ObjectId | None) -> Source | None:
        if id is None:
            return None
        track = self.session.get(id, Track)
        if track.kind != self.kind:
            raise CallError("TypeError", f"track {id} is {track.kind}, the sender {self.kind}")
        return track

    def _configure_streams(self, params: SendParameters, codec: Codec) -> None:
        """Keeps the streams whose SSRC stays, so that their sequence goes on; the rest end or begin."""
        kept = {encoding.ssrc for encoding in params.encodings}
        self._end([ssrc for ssrc in self._streams if ssrc not in kept])
        rtx = rtx_of(params.codecs, codec.payload_type)
        for encoding in params.encodings:
            stream = self._streams.get(encoding.ssrc) or OutboundStream(
                encoding.ssrc, encoding.rtx_ssrc, self._transmit
            )
            self._streams[encoding.ssrc] = stream
            active = params.active and encoding.active
            stream.keyframe_wanted = stream.keyframe_wanted or (active and not stream.active)
            stream.active = active
            stream.mid, stream.rid = params.mid, encoding.rid
            stream.rtx_ssrc = encoding.rtx_ssrc
            stream.payload_type = codec.payload_type
            stream.rtx_payload_type = rtx.payload_type if rtx is not None else None
            stream.repeats_plain = codec.feeds_back("nack")
            stream.max_bitrate, stream.max_framerate = encoding.max_bitrate, encoding.max_framerate
            stream.scale_down_by = encoding.scale_resolution_down_by or 1.0
        ordered = [self._streams[encoding.ssrc] for encoding in params.encodings]
        # The allocation serves the smallest picture first, in whatever order the encodings were named.
        self._pipeline.configure(codec, sorted(ordered, key=lambda stream: -stream.scale_down_by))

    def _pause(self) -> None:
        for stream in self._streams.values():
            stream.active = stream.flow.active = False
        self._listen()

    def _route(self, params: SendParameters, codec: Codec) -> None:
        assert self._transport is not None
        router = self._transport.router
        routes = Routes(
            local_ssrcs=frozenset(self._streams),
            transport_cc=self._transport_cc,
            goog_remb=codec.feeds_back("goog-remb"),
        )
        router.attach(self, routes)
        router.bandwidth.start = google_bitrate(codec, "start") or router.bandwidth.start
        for stream in self._streams.values():
            stream.flow.active = stream.active
            router.bandwidth.add(stream.flow)

    def _listen(self) -> None:
        """Is attached to the track exactly while it would send what the track gives."""
        wanted = self._source if any(stream.active for stream in self._streams.values()) and not self._stopped else None
        if wanted is self._attached:
            return
        if self._attached is not None:
            self._attached.detach(self)
        self._attached = wanted
        self._pipeline.change_source()
        if wanted is not None:
            wanted.attach(self)

    def _wake(self) -> None:
        if self._pipeline.pending and not self._busy:
            self._busy = True
            self.spawn(self._encode())

    async def _encode(self) -> None:
        try:
            while self._pipeline.pending and self._connected():
                await self._pipeline.step()
        except Exception as error:
            # The next frame may fare better.
            self._complaints.about(error, "encoding")
        finally:
            self._busy = False

    async def _play(
        self, before: asyncio.Task[None] | None, stream: OutboundStream, codec: Codec, params: PlayTone
    ) -> None:
        """Meanwhile the track is not sent: a stream says one thing at a time (RFC 4733, section 2.5.1.6)."""
        if before is not None:
            await asyncio.wait([before])
        try:
            if self._connected() and stream.active:
                # An epoch of its own: what follows is stamped later.
                timestamp = self._timeline.map(object(), 0, time.monotonic())
                await play(stream, codec, params.tone, params.duration / 1000, timestamp)
        finally:
            if self._tone is asyncio.current_task():
                self._tone = None

    async def _run(self, work: Callable[..., Any], *args: Any) -> Any:
        return await self.session.run_blocking("codec", work, *args)

    def _transmit(self, packet: RtpPacket, more: bool) -> int:
        """Stamps and sends a packet, with the next one when there are `more`; its size."""
        assert self._transport is not None
        packet.extensions.abs_send_time = clock.abs_send_time()
        if self._transport_cc:
            size = len(packet.payload) + HEADER_ESTIMATE
            packet.extensions.transport_sequence_number = self._transport.router.bandwidth.next_sequence(
                size, time.monotonic()
            )
        data = packet.serialize(self._extensions)
        self._transport.send_rtp(data, more)
        return len(data)

    def _keyframe_asked(self, packet: RtcpPsfbPacket) -> None:
        if packet.fmt == RTCP_PSFB_PLI and packet.media_ssrc in self._streams:
            stream = self._streams[packet.media_ssrc]
            stream.stats.pli_count += 1
            stream.keyframe_wanted = True
        elif packet.fmt == RTCP_PSFB_FIR:
            # Entries of SSRC, command number and padding (RFC 5104, section 4.3.1.1).
            for at in range(0, len(packet.fci) - 7, 8):
                named = self._streams.get(int.from_bytes(packet.fci[at : at + 4], "big"))
                if named is not None:
                    named.stats.fir_count += 1
                    named.keyframe_wanted = True

    def _reports(self, now: float) -> bytes:
        assert self._parameters is not None
        timestamp, cname = self._timeline.at(now), self._parameters.cname
        # A report on a stream that has sent nothing would fix a timestamp that it may never have.
        started = [stream for stream in self._streams.values() if stream.stats.packets_sent]
        return b"".join(stream.report(timestamp, cname) for stream in started)

    def _end(self, ssrcs: Iterable[int]) -> None:
        """Ends streams, with a BYE for those that had begun."""
        ended = [self._streams.pop(ssrc) for ssrc in ssrcs]
        if self._transport is not None:
            for stream in ended:
                self._transport.router.bandwidth.remove(stream.flow)
        begun = [stream.ssrc for stream in ended if stream.stats.packets_sent]
        if begun:
            self._send_rtcp(bytes(RtcpByePacket(sources=begun)))

    def _leave_transport(self) -> None:
        self._end(list(self._streams))
        if self._transport is not None:
            self._transport.router.detach(self)
            self._transport = None

    def _connected(self) -> bool:
        return self._transport is not None and self._transport.state == "connected"

    def _send_rtcp(self, data: bytes) -> None:
        if self._transport is not None and self._connected():
            self._transport.send_rtcp(data)


def _codec(params: SendParameters) -> Codec | None:
    """The codec of the first encoding that names one, else the first that we can encode."""
    codecs = media_codecs(params.codecs)
    named = {encoding.payload_type for encoding in params.encodings}
    return next((codec for codec in codecs if codec.payload_type in named), codecs[0] if codecs else None)


def _stats(stream: OutboundStream) -> OutboundStats:
    stats = stream.stats
    stats.rid, stats.rtx_ssrc, stats.active = stream.rid, stream.rtx_ssrc, stream.active
    stats.payload_type = stream.payload_type
    now = time.monotonic()
    stats.frames_per_second = stream.frame_rate.of(now)
    stats.quality_limitation_reason = stream.limitation.reason
    stats.quality_limitation_durations = stream.limitation.durations(now)
    stats.remote = stream.remote
    return stats
