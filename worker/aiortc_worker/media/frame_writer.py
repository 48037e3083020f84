"""Frames from the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from ..session.remote import CallError, ObjectId, Remote
from ..session.wire import MEDIA, MEDIA_CONTINUES, MEDIA_MORE
from .media_source import MediaSource
from .normalise import Pictures, Samples
from .payload import VideoHeader, read_audio, read_header, read_video

if TYPE_CHECKING:
    from ..session.session import Session

MAX_FRAME: Final = 64 * 1024 * 1024
"Bytes: more than a picture of 7680 by 4320."


class FrameWriter(Remote):
    """Feeds a MediaSource of type 'frames' with what the shim's MediaStreamTrackGenerator is given.

    Their pace is the program's; a frame whose timestamp is not after the last one is left out.
    """

    class In(Struct, frozen=True):
        source: ObjectId

    close_order = 55

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        source = session.get(params.source, MediaSource)
        if source.type != "frames":
            raise CallError("TypeError", f"Source {params.source} is of type '{source.type}'; only 'frames' is written")
        self._source = source
        self._chunks = bytearray()
        self._pictures = Pictures()
        self._samples: Samples | None = None

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
            self._push(memoryview(whole))
        except (ValueError, msgspec.MsgspecError) as error:
            raise CallError("TypeError", f"No frame of media: {error}") from error
        finally:
            self.session.credit(self, 1)

    async def close(self) -> None:
        for output in self._source.feed.outputs.values():
            output.end()

    def _push(self, whole: memoryview) -> None:
        size = int.from_bytes(whole[:4], "big")
        header, planes = read_header(whole[4 : 4 + size]), whole[4 + size :]
        seconds = header.timestamp / 1e6
        if isinstance(header, VideoHeader):
            picture = self._pictures.add(read_video(header, planes), seconds)
            if picture:
                self._source.output("video").push(picture)
            return
        if not self._samples or self._samples.channels != min(header.number_of_channels, 2):
            self._samples = Samples(header.number_of_channels)
        for frame in self._samples.add(read_audio(header, planes), seconds):
            self._source.output("audio").push(frame)
