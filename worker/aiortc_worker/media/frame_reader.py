"""Frames for the program: they leave the worker only here."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, NamedTuple

import av
from msgspec import Struct

from ..session.quotas import Hold
from ..session.remote import CallError, Empty, ObjectId, Remote, names
from ..session.wire import CREDIT, CREDIT_ABSOLUTE
from .frames import Frame
from .payload import frame_bytes, write_frame
from .pixels import Converter, PixelFormat
from .track import Track

if TYPE_CHECKING:
    from ..session.session import Session

MAX_AUDIO: Final = 1.0
"Seconds of audio that wait for credit; the oldest goes."
IDLE: Final = 10.0
"Seconds without credit after which the track is not consumed any more."


class _Waiting(NamedTuple):
    """A frame that may have to wait for credit, with its share of what the session may hold."""

    frame: Frame
    hold: Hold


class FrameReader(Remote):
    """Sends a track's frames, one for each credit, to the shim's MediaStreamTrackProcessor.

    Without credit the latest picture is kept, and audio up to MAX_AUDIO. However much credit there is, what waits and
    what the link has not taken count towards the session's `heldBytes`; a frame beyond them is dropped. The track is
    consumed from the first credit on, and until there was none for IDLE seconds, so that nothing is decoded for a
    processor that nobody reads.
    """

    class In(Struct, frozen=True):
        track: Annotated[ObjectId, names("Track")]
        format: PixelFormat = "I420"
        "Of the pictures."

    events: ClassVar = {"ended": Empty}
    close_order = 55

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        self._track = session.get(params.track, Track)
        self._reading = session.quotas.readers.hold()
        self._format = params.format
        self._converter = Converter()
        self._credit = 0
        self._attached = False
        self._listens = False
        "Whether it hears of the end without consuming."
        self._has_ended = False
        self._said_so = False
        self._waiting: deque[_Waiting] = deque()
        self._converting: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None

    def receive(self, kind: int, flags: int, payload: memoryview) -> None:
        if kind != CREDIT or len(payload) != 4:
            raise CallError("TypeError", "A FrameReader takes credit, and nothing else")
        amount = int.from_bytes(payload, "big")
        self._credit = amount if flags & CREDIT_ABSOLUTE else self._credit + amount
        self._watch()
        if self._credit and not self._attached:
            self._attached = True
            self._track.attach(self)
        self._send()

    def frame(self, frame: Frame) -> None:
        """Takes a frame of the track."""
        if self._track.kind == "video":
            self._waiting.clear()
        hold = self.session.quotas.held_bytes.try_hold(frame_bytes(frame, self._format))
        if hold is None:
            return
        self._waiting.append(_Waiting(frame, hold))
        while _seconds(self._waiting) > MAX_AUDIO:
            self._waiting.popleft()
        self._send()

    def ended(self) -> None:
        """The track has ended, which is said when what waits was sent: without credit, as nobody may ever read it."""
        self._has_ended = True
        self._send()

    async def close(self) -> None:
        self._reading.release()
        self._waiting.clear()
        self._track.detach(self)
        if self._idle:
            self._idle.cancel()

    def _send(self) -> None:
        while self._waiting and (self._credit or self._has_ended) and not self._converting:
            self._credit = max(0, self._credit - 1)
            self._watch()
            frame, hold = self._waiting.popleft()
            if isinstance(frame, av.VideoFrame) and self._format != "I420":
                self._converting = self.spawn(self._send_converted(frame, hold))
            else:
                self.session.send_media(self, *write_frame(frame), self._track.kind, hold)
        if self._has_ended and not self._waiting and not self._converting and not self._said_so:
            self._said_so = True
            self.emit("ended")

    async def _send_converted(self, frame: av.VideoFrame, hold: Hold) -> None:
        try:
            converted = await self.session.run_blocking("codec", self._converter.convert, frame, self._format)
            self.session.send_media(self, *write_frame(converted), "video", hold)
        finally:
            self._converting = None
        self._send()

    def _watch(self) -> None:
        """Begins to count the time without credit, or ceases to."""
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if not self._credit:
            self._idle = asyncio.get_running_loop().call_later(IDLE, self._pause)

    def _pause(self) -> None:
        """What waits will be old when somebody reads again; the last of an ended track is not."""
        if self._has_ended:
            return
        self._attached = False
        self._track.detach(self)
        self._waiting.clear()
        if not self._listens:
            self._listens = True
            self._track.on_end(self.ended)


def _seconds(waiting: deque[_Waiting]) -> float:
    """Of audio; a source has one rate."""
    sounds = [frame for frame, _ in waiting if isinstance(frame, av.AudioFrame)]
    return sum(frame.samples for frame in sounds) / sounds[0].sample_rate if sounds else 0.0
