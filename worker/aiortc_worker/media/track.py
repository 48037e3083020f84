"""A track: a source's frames, or black and silence in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar

import av
import numpy as np
from msgspec import Struct

from ..session.remote import CallError, Empty, ObjectId, Remote, call, names
from .fan_out import FanOut
from .frames import Consumer, Frame, Kind, Source
from .media_source import MediaSource

if TYPE_CHECKING:
    from ..session.session import Session


class Enabled(Struct, frozen=True):
    enabled: bool


class Track(Remote):
    """A Source that forwards another one's frames while somebody consumes them.

    Its source ends when the media does, which `ended` says; stop() and the drop of the track end only the track.
    """

    class In(Struct, frozen=True):
        source: Annotated[ObjectId, names("MediaSource", "RtpReceiver")]
        kind: Kind

    events: ClassVar = {"ended": Empty}
    close_order = 60

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        self.kind: Kind = params.kind
        self._enabled = True
        self._source = _source(session, params)
        self._out = FanOut(params.kind, self._on_demand)
        self._black = _Black()
        if isinstance(self._source, FanOut):
            self._source.on_end(self.ended)

    @property
    def demanded(self) -> bool:
        """Whether anybody consumes it."""
        return self._out.demanded

    def on_end(self, listener: Callable[[], None]) -> None:
        """Calls back when it ends, consumed or not."""
        self._out.on_end(listener)

    def attach(self, consumer: Consumer) -> None:
        self._out.attach(consumer)

    def detach(self, consumer: Consumer) -> None:
        self._out.detach(consumer)

    def frame(self, frame: Frame) -> None:
        """Takes a frame of the source."""
        self._out.push(frame if self._enabled else self._blank(frame))

    def ended(self) -> None:
        """The source has ended."""
        if self._out.ended:
            return
        self._out.end()
        self.emit("ended")

    @call
    async def setEnabled(self, params: Enabled) -> None:
        """From the next frame on: the source's, or black and silence at its pace."""
        self._enabled = params.enabled

    @call
    async def stop(self) -> None:
        """Ends the track for its consumers; its source goes on for others."""
        self._out.end()

    async def close(self) -> None:
        self._out.end()
        if isinstance(self._source, FanOut):
            self._source.forget(self.ended)

    def _on_demand(self, demanded: bool) -> None:
        if demanded:
            self._source.attach(self)
        else:
            self._source.detach(self)

    def _blank(self, frame: Frame) -> Frame:
        return self._black.of(frame) if isinstance(frame, av.VideoFrame) else _silence(frame)


class _Black:
    """Black pictures; the planes of the last size are kept, the frame is new each time, as encoders want it."""

    def __init__(self) -> None:
        self._planes = np.empty((0, 0), np.uint8)

    def of(self, frame: av.VideoFrame) -> av.VideoFrame:
        width, height = frame.width, frame.height
        if self._planes.shape != (height * 3 // 2, width):
            self._planes = np.full((height * 3 // 2, width), 128, np.uint8)
            self._planes[:height] = 16
        # Not a copy: of a large picture that would stop everything for 0.2 s.
        black = av.VideoFrame.from_numpy_buffer(self._planes, format="yuv420p")
        black.pts, black.time_base = frame.pts, frame.time_base
        return black


def _silence(frame: av.AudioFrame) -> av.AudioFrame:
    silence = av.AudioFrame("s16", frame.layout.name, frame.samples)
    for plane in silence.planes:
        plane.update(bytes(plane.buffer_size))
    silence.sample_rate, silence.pts, silence.time_base = frame.sample_rate, frame.pts, frame.time_base
    return silence


def _source(session: Session, params: Track.In) -> Source:
    source = session.get(params.source, Remote)
    if isinstance(source, MediaSource):
        return source.output(params.kind)
    # An RtpReceiver: media does not import rtp, which imports media.
    if not isinstance(source, Source) or isinstance(source, Track) or source.kind != params.kind:
        raise CallError("TypeError", f"Object {params.source} is no source of {params.kind}")
    return source
