"""Frames for the program: they leave the worker only here."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import av
from msgspec import Struct

from ..session.remote import CallError, Empty, ObjectId, Remote, names
from ..session.wire import CREDIT, CREDIT_ABSOLUTE
from .frames import Frame
from .payload import write_frame
from .track import Track

if TYPE_CHECKING:
    from ..session.session import Session

MAX_AUDIO: Final = 1.0
"Seconds of audio that wait for credit; the oldest goes."


class FrameReader(Remote):
    """Sends a track's frames, one for each credit, to the shim's MediaStreamTrackProcessor.

    Without credit the latest picture is kept, and audio up to MAX_AUDIO. The track is consumed from the first credit
    on, so that nothing is decoded for a processor that nobody reads.
    """

    class In(Struct, frozen=True):
        track: Annotated[ObjectId, names("Track")]

    events: ClassVar = {"ended": Empty}
    close_order = 55

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        self._track = session.get(params.track, Track)
        self._credit = 0
        self._attached = False
        self._has_ended = False
        self._said_so = False
        self._waiting: deque[Frame] = deque()

    def receive(self, kind: int, flags: int, payload: memoryview) -> None:
        if kind != CREDIT or len(payload) != 4:
            raise CallError("TypeError", "A FrameReader takes credit, and nothing else")
        amount = int.from_bytes(payload, "big")
        self._credit = amount if flags & CREDIT_ABSOLUTE else self._credit + amount
        if self._credit and not self._attached:
            self._attached = True
            self._track.attach(self)
        self._send()

    def frame(self, frame: Frame) -> None:
        """Takes a frame of the track."""
        if self._track.kind == "video":
            self._waiting.clear()
        self._waiting.append(frame)
        while _seconds(self._waiting) > MAX_AUDIO:
            self._waiting.popleft()
        self._send()

    def ended(self) -> None:
        """The track has ended, which is said when what waits was sent: without credit, as nobody may ever read it."""
        self._has_ended = True
        self._send()

    async def close(self) -> None:
        self._waiting.clear()
        self._track.detach(self)

    def _send(self) -> None:
        while self._waiting and (self._credit or self._has_ended):
            self._credit = max(0, self._credit - 1)
            self.session.send_media(self, *write_frame(self._waiting.popleft()), self._track.kind)
        if self._has_ended and not self._said_so:
            self._said_so = True
            self.emit("ended")


def _seconds(frames: deque[Frame]) -> float:
    """Of audio; a source has one rate."""
    sounds = [frame for frame in frames if isinstance(frame, av.AudioFrame)]
    return sum(frame.samples for frame in sounds) / sounds[0].sample_rate if sounds else 0.0
