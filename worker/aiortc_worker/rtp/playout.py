"""From one of a receiver's streams to the consumers of its frames."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from ..media.fan_out import FanOut
from ..media.frames import Kind
from ..session.quotas import Rate
from .audio_decoding import AudioDecoding
from .coded_frame import CodedFrame
from .complaints import Complaints
from .inbound_stream import InboundStream
from .jitter_target import JitterTarget, Ripe
from .parameters import Codec
from .sequence import Unwrapper
from .timeline import Timeline
from .video_decoding import VideoDecoding

SWITCH_AFTER = 1.0
"Seconds of silence after which another stream of the section may take over."
LONGEST = 0.12
"Seconds of sound in a packet at most (RFC 7587, section 4.2)."

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
RunCodec = Callable[..., Awaitable[Any]]


class Playout:
    """Plays one stream at a time, and decodes it only while `out` is consumed."""

    def __init__(self, kind: Kind, spawn: Spawn, run: RunCodec, complaints: Complaints, decoded: Rate) -> None:
        self.out = FanOut(kind, self._on_demand)
        self.stream: InboundStream | None = None
        "The one that plays."
        self.jitter = JitterTarget(moves=kind == "audio")
        self._spawn = spawn
        self._run = run
        self._complaints = complaints
        self._decoded = decoded
        self._decoding: AudioDecoding | VideoDecoding | None = None
        self._timestamps = Unwrapper(32)
        self._timeline = Timeline(90_000 if kind == "video" else 48_000)
        self._video = kind == "video"
        self._emitted: int | None = None
        "The timestamp of the frame that was decoded last."
        self._busy = False

    def wants(self, stream: InboundStream) -> bool:
        """Whether anybody would see what `stream` has."""
        return stream is self.stream and self.out.demanded

    def choose(self, stream: InboundStream, rids: Sequence[str], now: float) -> None:
        """Plays the stream that began last, or the one that still comes; of several layers the first of `rids`."""
        if stream is self.stream or (rids and stream.stats.rid not in (None, rids[0])):
            return
        began = not stream.reception.received
        if self.stream is not None and not began and now - self.stream.last_packet < SWITCH_AFTER:
            return
        self.leave()
        self.stream = stream
        stream.restart()

    def leave(self) -> None:
        """Plays nothing, until a stream is chosen."""
        if self.stream is not None:
            self._restart(self.stream)
        self.stream = self._decoding = None

    def play(self, stream: InboundStream, frames: Sequence[CodedFrame], codecs: dict[int, Codec], now: float) -> None:
        """Takes coded frames of `stream`, in order; `codecs` by payload type. Without any it looks what is due."""
        if stream is not self.stream:
            return
        for frame in frames:
            if codec := codecs.get(frame.payload_type) or stream.codec:
                self.jitter.put(frame, self._timestamps(frame.timestamp), codec.clock_rate, now)
        for ripe in self.jitter.ripe(now):
            if codec := codecs.get(ripe.frame.payload_type) or stream.codec:
                self._emit(stream, ripe, codec, now)
        self._wake()

    def tick(self, now: float) -> None:
        """Makes up for sound that should have come."""
        if isinstance(self._decoding, AudioDecoding):
            self._decoding.tick(now)
            self._wake()

    def rest(self) -> None:
        """Makes nothing up until packets come: the track is muted."""
        if isinstance(self._decoding, AudioDecoding):
            self._decoding.rest()

    def _wake(self) -> None:
        if self._decoding is not None and self._decoding.pending and not self._busy:
            self._busy = True
            self._spawn(self._decode())

    def _emit(self, stream: InboundStream, ripe: Ripe, codec: Codec, now: float) -> None:
        self._count(stream, ripe, codec)
        if self._video:
            self._emit_picture(stream, ripe, codec, now)
        else:
            self._emit_sound(stream, ripe, codec, now)

    def _emit_picture(self, stream: InboundStream, ripe: Ripe, codec: Codec, now: float) -> None:
        decoding = self._decoding
        if not isinstance(decoding, VideoDecoding) or decoding.codec.name != codec.name:
            decoding = self._decoding = VideoDecoding(codec, stream.stats, stream.frame_rate, self._run, self._decoded)
        pts = self._timeline.map(stream.ssrc, ripe.timestamp, now)
        if not decoding.put(ripe.frame, pts):
            self._restart(stream)
            stream.request_keyframe(now)

    def _emit_sound(self, stream: InboundStream, ripe: Ripe, codec: Codec, now: float) -> None:
        decoding = self._decoding
        if not isinstance(decoding, AudioDecoding) or decoding.codec.name != codec.name:
            decoding = self._decoding = AudioDecoding(codec, stream.stats, self._run, self._timeline, self.jitter)
        if not decoding.put(ripe.frame, ripe.timestamp, now):
            self._restart(stream)
            decoding.rest()

    def _count(self, stream: InboundStream, ripe: Ripe, codec: Codec) -> None:
        """Pictures count one each, sound by its samples; those of a gap are not counted."""
        units = 1
        if not self._video:
            step = ripe.timestamp - (self._emitted or 0)
            units = step if self._emitted is not None and 0 < step <= codec.clock_rate * LONGEST else 0
            self._emitted = ripe.timestamp
        stream.stats.jitter_buffer_delay += ripe.waited * units
        stream.stats.jitter_buffer_target_delay += self.jitter.target * units
        stream.stats.jitter_buffer_emitted_count += units

    def _restart(self, stream: InboundStream) -> None:
        stream.restart()
        self.jitter.clear()
        self._emitted = None

    async def _decode(self) -> None:
        try:
            while (decoding := self._decoding) is not None and decoding.pending:
                decoded = await decoding.step()
                if decoded.failed and self.stream is not None:
                    self.stream.request_keyframe(time.monotonic())
                for frame in decoded.frames:
                    self.out.push(frame)
        except Exception as error:
            self._complaints.about(error, "decoding")
        finally:
            self._busy = False

    def _on_demand(self, demanded: bool) -> None:
        """Begins with a keyframe that it asks for, ends with nothing kept."""
        self._decoding = None
        if self.stream is None:
            return
        self._restart(self.stream)
        if demanded:
            self.stream.request_keyframe(time.monotonic())
