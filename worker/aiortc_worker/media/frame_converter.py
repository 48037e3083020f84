"""A picture of the program in another format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import av
from msgspec import Struct

from ..session.quotas import Hold
from ..session.remote import CallError, Remote
from .payload import Assembly, VideoHeader, read_video, write_frame
from .pixels import Converter, Matrix, PixelFormat

if TYPE_CHECKING:
    from ..session.session import Session


MOST_PENDING: Final = 4
"Pictures that wait to be converted: a shim sends one, and once more after each resume."


class FrameConverter(Remote):
    """Gives a picture back in another format, for the shim's VideoFrame.copyTo: one record in, one out."""

    class In(Struct, frozen=True, rename="camel"):
        format: PixelFormat
        "What the picture is turned into."
        matrix: Matrix = "bt709"
        "Of the YUV that it is in, or is turned into."
        full_range: bool = False
        "As `matrix`."

    close_order = 55

    def __init__(self, session: Session, id: int, params: In) -> None:
        super().__init__(session, id)
        self._params = params
        self._assembly = Assembly(session.quotas.held_bytes)
        self._converter = Converter()
        self._pending = 0

    def receive(self, kind: int, flags: int, payload: memoryview) -> None:
        received = self._assembly.take(kind, flags, payload)
        if received is None:
            return
        header, planes, hold = received
        if not isinstance(header, VideoHeader):
            raise CallError("TypeError", "A FrameConverter takes pictures")
        if self._pending >= MOST_PENDING:
            raise CallError("OperationError", f"{self._pending} pictures wait to be converted already")
        self._pending += 1
        self.spawn(self._convert(header, planes, hold))

    async def close(self) -> None:
        self._assembly.clear()

    async def _convert(self, header: VideoHeader, planes: memoryview, hold: Hold) -> None:
        try:
            converted = await self.session.run_blocking("codec", self._converted, header, planes)
        except ValueError as error:
            raise CallError("TypeError", f"No frame of media: {error}") from error
        finally:
            self._pending -= 1
        self.session.send_media(self, *write_frame(converted), "video", hold)

    def _converted(self, header: VideoHeader, planes: memoryview) -> av.VideoFrame:
        params = self._params
        return self._converter.convert(read_video(header, planes), params.format, params.matrix, params.full_range)
