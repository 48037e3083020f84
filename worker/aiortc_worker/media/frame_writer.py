"""Frames from the program."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import av
import msgspec
from msgspec import Struct

from ..session.remote import CallError, ObjectId, Remote, names
from ..session.wire import MEDIA, MEDIA_CONTINUES, MEDIA_MORE
from .frames import Kind
from .media_source import MediaSource
from .normalise import Pictures, Samples
from .payload import VideoHeader, read_audio, read_header, read_video
from .written_feed import WrittenFeed

if TYPE_CHECKING:
    from ..session.session import Session

MAX_FRAME: Final = 64 * 1024 * 1024
"Bytes: more than a picture of 7680 by 4320."


class Demand(Struct, frozen=True):
    """Whether somebody consumes the source."""

    demanded: bool


class FrameWriter(Remote):
    """Feeds a MediaSource of type 'frames' with what the shim's MediaStreamTrackGenerator is given.

    Their pace is the program's; a frame whose timestamp is not after the last one is left out. While nobody consumes
    the source, no credit is given, and the picture that came last is kept: it may be the only one for long.
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
        self._chunks = bytearray()
        self._pictures = Pictures()
        self._samples: Samples | None = None
        self._kept: av.VideoFrame | None = None
        self._owed = 0
        "Credit for frames that nobody consumed."
        self._demanded = False
        "As the shim was told."
        self._on_demand()

    def receive(self, kind: int, flags: int, payload: memoryview) -> None:
        if kind != MEDIA:
            raise CallError("TypeError", "A FrameWriter takes media, and nothing else")
        if not flags & MEDIA_CONTINUES:
            self._chunks.clear()
        if len(self._chunks) + len(payload) > MAX_FRAME:
            raise CallError("RangeError", f"A frame of media has at most {MAX_FRAME} bytes")
        self._chunks += payload
        if flags & MEDIA_MORE:
            return
        whole, self._chunks = bytes(self._chunks), bytearray()
        try:
            written = self._push(memoryview(whole))
        except (ValueError, msgspec.MsgspecError) as error:
            self.session.credit(self, 1)
            raise CallError("TypeError", f"No frame of media: {error}") from error
        if self._source.output(written).demanded:
            self.session.credit(self, 1)
        else:
            self._owed += 1

    async def close(self) -> None:
        self._feed.on_demand = lambda: None
        self._owed = 0
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
        picture, self._kept = self._kept, None
        if picture:
            self._source.output("video").push(picture)
        if self._owed:
            self.session.credit(self, self._owed)
        self._owed = 0

    def _push(self, whole: memoryview) -> Kind:
        """Gives the frame to those who consume the source; its kind."""
        size = int.from_bytes(whole[:4], "big")
        header, planes = read_header(whole[4 : 4 + size]), whole[4 + size :]
        seconds = header.timestamp / 1e6
        if isinstance(header, VideoHeader):
            picture = self._pictures.add(read_video(header, planes), seconds)
            output = self._source.output("video")
            if picture and output.demanded:
                output.push(picture)
            elif picture:
                self._kept = picture
            return "video"
        if not self._samples or self._samples.channels != min(header.number_of_channels, 2):
            self._samples = Samples(header.number_of_channels)
        for frame in self._samples.add(read_audio(header, planes), seconds):
            self._source.output("audio").push(frame)
        return "audio"
