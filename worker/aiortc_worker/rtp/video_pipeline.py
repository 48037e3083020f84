"""Pictures from a source to one or more streams, each at its own size and rate."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import av

from ..session.quotas import Rate
from .outbound_stream import OutboundStream
from .parameters import Codec, google_bitrate
from .quality import BusyShare, limitation
from .rate import RateKeeper, default_bitrate
from .timeline import Timeline
from .video_encoder import CLOCK_RATE, EncodedPicture, VideoEncoder, VideoSettings

FRAME_RATE = 30
"Frames a second that the rate control expects of a source."

STALE = 0.2
"Seconds without a new frame after which a wanted keyframe is made from the last one."

LOWEST = 30_000
"Bits per second that the lowest layer gets whatever the estimate."

LEAST = 10_000
"Bits per second below which no encoder goes."

Job = tuple["_Layer", VideoSettings]
RunCodec = Callable[..., Awaitable[list[tuple[EncodedPicture, float]]]]


class VideoPipeline:
    """Encodes the latest frame for every layer that is due; a frame that finds the encoders busy replaces the last."""

    def __init__(self, timeline: Timeline, run: RunCodec, encoded: Rate) -> None:
        """`encoded` is the session's share of pixels: beyond it frames are dropped, as when the encoders are busy."""
        self._timeline = timeline
        self._encoded = encoded
        self._run = run
        self._epoch = 0
        self._codec: Codec | None = None
        self._layers: list[_Layer] = []
        self._latest: tuple[av.VideoFrame, float] | None = None
        self._last: av.VideoFrame | None = None
        self._at = 0.0
        self._busy = BusyShare()

    @property
    def pending(self) -> bool:
        return self._latest is not None

    def configure(self, codec: Codec, streams: Sequence[OutboundStream]) -> None:
        """Takes the codec and the streams, the lowest layer first; a stream that goes on keeps its encoder."""
        known = {layer.stream: layer for layer in self._layers} if codec == self._codec else {}
        self._codec = codec
        self._layers = [known.get(stream) or _Layer(stream, VideoEncoder(codec)) for stream in streams]
        for index, layer in enumerate(self._layers):
            layer.stream.flow.layer = index
        if self._last is not None:
            self._size_flows(self._last)

    def change_source(self) -> None:
        """What comes from now on belongs to another source."""
        self._latest = self._last = None
        self._epoch += 1

    def put(self, frame: av.AudioFrame | av.VideoFrame) -> None:
        """Takes a frame; one that still waits is dropped for it."""
        if not isinstance(frame, av.VideoFrame) or not self._layers:
            return
        self._at = time.monotonic()
        if self._last is None or (self._last.width, self._last.height) != (frame.width, frame.height):
            self._size_flows(frame)
        self._last = frame
        self._busy.came(self._latest is not None)
        self._latest = (frame, self._at)

    def repeat_last(self) -> None:
        """Puts the last frame again when a keyframe is wanted and no new one comes: a still source, a slow one."""
        wanted = any(layer.stream.active and layer.stream.keyframe_wanted for layer in self._layers)
        if wanted and self._last is not None and time.monotonic() - self._at > STALE:
            self.put(self._last)

    def close(self) -> None:
        """Lets go of the encoders and the last frame."""
        self._layers = []
        self.change_source()

    async def step(self) -> None:
        """Encodes and sends the latest frame."""
        if self._latest is None:
            return
        (frame, at), self._latest = self._latest, None
        if is_over := not self._encoded.allows():
            self._busy.came(True)
        for layer in self._layers:
            layer.judge(self._busy.is_much, at)
        if is_over:
            return
        jobs = [(layer, settings) for layer in self._layers if (settings := layer.due(frame, at)) is not None]
        if not jobs:
            return
        timestamp = self._timeline.map(self._epoch, _position(frame), at)
        self._encoded.spend(sum(settings.width * settings.height for _, settings in jobs))
        results = await self._run(_encode, frame, timestamp, jobs)
        now = time.monotonic()
        for (layer, _), (picture, seconds) in zip(jobs, results, strict=True):
            if layer in self._layers and layer.stream.active:
                layer.send(picture, timestamp, seconds, now)

    def _size_flows(self, frame: av.VideoFrame) -> None:
        for index, layer in enumerate(self._layers):
            flow = layer.stream.flow
            flow.maximum = self._within(layer.stream.max_bitrate or default_bitrate(*layer.size(frame)))
            flow.minimum = min(flow.maximum, self._within(LOWEST) if index == 0 else flow.maximum // 3)

    def _within(self, bitrate: int) -> int:
        """Between what the peer names as least and most."""
        assert self._codec is not None
        least = google_bitrate(self._codec, "min") or LEAST
        return max(least, min(bitrate, google_bitrate(self._codec, "max") or bitrate))


class _Layer:
    """A stream with its encoder."""

    def __init__(self, stream: OutboundStream, encoder: VideoEncoder) -> None:
        self.stream = stream
        self.encoder = encoder
        self._rate = RateKeeper()
        self._next = 0.0
        stream.keyframe_wanted = True

    def size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """Width and height at which it sends `frame`: even, as I420 wants them."""
        by = max(1.0, self.stream.scale_down_by)
        return max(2, int(frame.width / by) & ~1), max(2, int(frame.height / by) & ~1)

    def judge(self, is_busy: bool, now: float) -> None:
        """Notes what keeps the layer from being better."""
        flow = self.stream.flow
        self.stream.limitation.take(
            limitation(flow.granted, flow.maximum, is_busy) if self.stream.active else "none", now
        )

    def due(self, frame: av.VideoFrame, now: float) -> VideoSettings | None:
        """How to encode `frame`; None when the stream skips it."""
        if not self.stream.active:
            return None
        if not self.stream.flow.granted:
            # What comes after a pause can only begin with a keyframe.
            self.stream.keyframe_wanted = True
            return None
        if self._too_soon(now):
            return None
        bitrate = self._rate.take(self.stream.flow.granted, self.stream.flow.maximum, now)
        frame_rate = max(1, min(FRAME_RATE, round(self.stream.max_framerate or FRAME_RATE)))
        return VideoSettings(*self.size(frame), bitrate, frame_rate, self.stream.keyframe_due(now))

    def send(self, picture: EncodedPicture, timestamp: int, seconds: float, now: float) -> None:
        """Sends an encoded picture and counts it."""
        stats = self.stream.stats
        stats.total_encode_time += seconds
        stats.target_bitrate = self._rate.bitrate
        if not picture.payloads:
            return
        stats.frames_encoded += 1
        stats.frames_sent += 1
        self.stream.frame_rate.count(now)
        stats.key_frames_encoded += picture.keyframe
        stats.frame_width, stats.frame_height = picture.width, picture.height
        if picture.keyframe:
            self.stream.encoded_keyframe(now)
        self.stream.send(picture.payloads, timestamp)

    def _too_soon(self, now: float) -> bool:
        """Keeps to maxFramerate, by a schedule that late frames do not stretch."""
        if not self.stream.max_framerate:
            return False
        interval = 1 / self.stream.max_framerate
        # A fifth of an interval early is a source's jitter.
        if now < self._next - interval / 5:
            return True
        self._next = max(self._next + interval, now)
        return False


def _encode(frame: av.VideoFrame, timestamp: int, jobs: Sequence[Job]) -> list[tuple[EncodedPicture, float]]:
    """All layers of a frame, on one thread: they are needed together."""
    results = []
    for layer, settings in jobs:
        begun = time.perf_counter()
        picture = layer.encoder.encode(frame, timestamp, settings)
        results.append((picture, time.perf_counter() - begun))
    return results


def _position(frame: av.VideoFrame) -> int:
    if frame.pts is None or frame.time_base is None:
        return 0
    return int(frame.pts * frame.time_base * CLOCK_RATE)
