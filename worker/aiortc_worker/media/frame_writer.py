"""Frames from the program."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, NamedTuple

import av
from msgspec import Struct

from ..session.quotas import Hold
from ..session.remote import CallError, ObjectId, Remote, call, names
from .frames import Kind
from .media_source import MediaSource
from .normalise import Pictures
from .payload import Assembly, AudioHeader, Received, VideoHeader, frame_bytes, read_audio, read_video
from .pixels import Converter
from .written_feed import WrittenFeed
from .written_sound import WrittenSound

if TYPE_CHECKING:
    from ..session.session import Session


MOST_PENDING: Final = 8
"Pictures that wait to be converted: a shim with the credit that it is given has one or two under way."

MOST_AT_ONCE: Final = 1920 * 1088
"Pixels of an I420 picture that the loop's thread takes itself: of odd size, the largest would stop it for 0.4 s."


class Demand(Struct, frozen=True):
    """Whether somebody consumes the source."""

    demanded: bool


class _Kept(NamedTuple):
    """The picture that came last while nobody consumed the source, with its share of what the session may hold."""

    picture: av.VideoFrame
    hold: Hold


class FrameWriter(Remote):
    """Feeds a MediaSource of type 'frames' with what the shim's MediaStreamTrackGenerator is given.

    Pictures are seen as they come, sound at the pace at which it is heard (WrittenSound). Both are turned into what
    encoders take here. While nobody consumes the source, no credit is given, and the picture that came last is kept:
    it may be the only one for long.
    """

    class In(Struct, frozen=True):
        source: Annotated[ObjectId, names("MediaSource")]

    events: ClassVar = {"demand": Demand}
    close_order = 55

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        source = session.get(params.source, MediaSource)
        if source.type != "frames" or not isinstance(source.feed, WrittenFeed):
            raise CallError("TypeError", f"Source {params.source} is of type '{source.type}'; only 'frames' is written")
        self._source = source
        self._feed = source.feed
        self._feed.on_demand = self._on_demand
        self._assembly = Assembly(session.quotas.held_bytes)
        self._pictures = _WrittenPictures()
        self._converting = asyncio.Lock()
        "Pictures keep their order."
        self._pending = 0
        self._sound: WrittenSound | None = None
        self._kept: _Kept | None = None
        self._owed = 0
        "Credit for frames that nobody consumed."
        self._demanded = False
        "As the shim was told."
        self._on_demand()

    @call
    async def reset(self) -> None:
        """Drops what was written and is not seen or heard yet."""
        self._kept = None
        if self._sound:
            self._sound.reset()

    def receive(self, kind: int, flags: int, payload: memoryview) -> None:
        received = self._receive(kind, flags, payload)
        if received is None:
            return
        header, planes, hold = received
        if isinstance(header, VideoHeader):
            self._see(header, planes, hold)
            return
        try:
            self._hear(header, planes)
        except ValueError as error:
            raise CallError("TypeError", f"No frame of media: {error}") from error
        finally:
            self._give_credit("audio")

    def _receive(self, kind: int, flags: int, payload: memoryview) -> Received | None:
        try:
            return self._assembly.take(kind, flags, payload)
        except CallError:
            # What is refused is done with: the next frame may fare better.
            self._give_credit(next(iter(self._feed.outputs)))
            raise

    async def close(self) -> None:
        self._assembly.clear()
        self._kept = None
        self._feed.on_demand = lambda: None
        self._owed = 0
        if self._sound:
            self._sound.close()
        for output in self._source.feed.outputs.values():
            output.end()

    def _on_demand(self) -> None:
        # Whoever attaches is about to be ready, and is so in the next turn; who is replaced by another makes no change.
        asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        demanded = any(output.demanded for output in self._feed.outputs.values())
        if demanded is not self._demanded:
            self._demanded = demanded
            self.emit("demand", Demand(demanded))
        if demanded:
            self._resume()

    def _resume(self) -> None:
        kept, self._kept = self._kept, None
        if kept:
            self._source.output("video").push(kept.picture)
        if self._owed:
            self.session.credit(self, self._owed)
        self._owed = 0

    def _see(self, header: VideoHeader, planes: memoryview, hold: Hold) -> None:
        self._source.output("video")
        is_quick = header.format == "I420" and header.width * header.height <= MOST_AT_ONCE
        if not is_quick or self._pending:
            if self._pending >= MOST_PENDING:
                raise CallError("OperationError", f"{self._pending} pictures wait already: none goes without credit")
            self._pending += 1
            self.spawn(self._see_converted(header, planes, hold))
            return
        try:
            self._show(self._pictures.add(header, planes, time.monotonic()))
        except ValueError as error:
            raise CallError("TypeError", f"No frame of media: {error}") from error
        finally:
            self._give_credit("video")

    async def _see_converted(self, header: VideoHeader, planes: memoryview, hold: Hold) -> None:
        try:
            async with self._converting:
                picture = await self.session.run_blocking("codec", self._pictures.add, header, planes, time.monotonic())
        except ValueError as error:
            raise CallError("TypeError", f"No frame of media: {error}") from error
        finally:
            hold.release()
            self._pending -= 1
            self._give_credit("video")
        self._show(picture)

    def _show(self, picture: av.VideoFrame | None) -> None:
        output = self._source.output("video")
        if picture and output.demanded:
            output.push(picture)
        elif picture:
            self._kept = None
            hold = self.session.quotas.held_bytes.try_hold(frame_bytes(picture))
            self._kept = _Kept(picture, hold) if hold else None

    def _hear(self, header: AudioHeader, samples: memoryview) -> None:
        self._sound = self._sound or WrittenSound(self._source.output("audio"))
        self._sound.write(read_audio(header, samples), header.timestamp / 1e6)

    def _give_credit(self, kind: Kind) -> None:
        if self._source.output(kind).demanded:
            self.session.credit(self, 1)
        else:
            self._owed += 1


class _WrittenPictures:
    """Pictures as a program writes them, made into those that `frames` promises. For one thread at a time."""

    def __init__(self) -> None:
        self._converter = Converter()
        self._pictures = Pictures()
        self._last: int | None = None
        "Of the program's timestamps, in microseconds."
        self._offset = 0
        self._at = 0.0

    def add(self, header: VideoHeader, planes: memoryview, now: float) -> av.VideoFrame | None:
        """A picture in I420; `now` is when it came, in seconds.

        A timestamp that is not after the last one begins anew: its picture comes as much later as it was written later.
        """
        frame = self._converter.convert(read_video(header, planes), "I420")
        timestamp = header.timestamp
        if self._last is None:
            self._offset = max(0, -timestamp)
        elif timestamp <= self._last:
            self._offset += self._last + max(1, round((now - self._at) * 1e6)) - timestamp
        self._last, self._at = timestamp, now
        return self._pictures.add(frame, (timestamp + self._offset) / 1e6)
