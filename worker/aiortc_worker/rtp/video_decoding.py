"""Coded pictures to pictures, off the loop, while somebody wants them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import av
from aiortc.codecs import get_decoder
from aiortc.codecs.base import Decoder
from aiortc.codecs.h264 import H264Decoder
from aiortc.jitterbuffer import JitterFrame

from ..media.frames import pixel_count
from ..session.quotas import Rate
from .coded_frame import CodedFrame
from .depayload import vp8_pixels
from .parameters import Codec
from .quality import FrameRate
from .stats import InboundStats

BACKLOG = 30
"Frames that wait for the decoder: a second's."

MOST_PIXELS = 7680 * 4320
"Of a picture; a peer's 91 bytes can claim 268 million, which take libvpx 800 MiB."


@dataclass(frozen=True)
class Decoded:
    """What became of some coded frames."""

    frames: list[av.VideoFrame] = field(default_factory=list)
    failed: int = 0


RunCodec = Callable[..., Awaitable[Any]]


class VideoDecoding:
    """Decodes one stream of pictures with one codec, in order."""

    def __init__(self, codec: Codec, stats: InboundStats, frame_rate: FrameRate, run: RunCodec, decoded: Rate) -> None:
        """`decoded` is the session's share of pixels: beyond it frames are decoded late, then from a keyframe on."""
        self.codec = codec
        self._decoded = decoded
        self.stats = stats
        self._frame_rate = frame_rate
        self._run = run
        self._decoder = _bounded_decoder(codec)
        self._waiting: deque[tuple[CodedFrame, int]] = deque()

    @property
    def pending(self) -> bool:
        return bool(self._waiting)

    def put(self, frame: CodedFrame, pts: int) -> bool:
        """Takes a frame with the pts that it shall have, in units of the codec's clock; False when it lags too far.

        Then it has dropped all that waited, and pictures must go on from a keyframe.
        """
        if len(self._waiting) >= BACKLOG:
            self.stats.frames_dropped += len(self._waiting) + 1
            self._waiting.clear()
            return False
        self._waiting.append((frame, pts))
        return True

    async def step(self) -> Decoded:
        """Decodes what waits."""
        await self._decoded.turn()
        batch = list(self._waiting)
        self._waiting.clear()
        if not batch:
            return Decoded()
        begun = time.monotonic()
        decoded: Decoded = await self._run(self._decode, batch)
        self._decoded.spend(sum(map(pixel_count, decoded.frames)))
        stats = self.stats
        now = time.monotonic()
        stats.total_decode_time += now - begun
        stats.frames_dropped += decoded.failed
        stats.frames_decoded += len(batch) - decoded.failed
        stats.key_frames_decoded += sum(frame.keyframe for frame, _ in batch)
        for frame in decoded.frames:
            self._frame_rate.count(now)
            stats.frame_width, stats.frame_height = frame.width, frame.height
        return decoded

    def _decode(self, batch: Sequence[tuple[CodedFrame, int]]) -> Decoded:
        frames: list[av.VideoFrame] = []
        failed = 0
        for coded, pts in batch:
            # An empty packet would end the decoder: it is how libav is told that no more will come.
            if not coded.data or (self.codec.name == "vp8" and vp8_pixels(coded.data) > MOST_PIXELS):
                failed += 1
                continue
            try:
                pictures = self._decoder.decode(JitterFrame(data=coded.data, timestamp=pts))
            except (av.FFmpegError, ValueError):
                failed += 1
                continue
            # As media/frames.py wants them.
            frames += [
                picture if picture.format.name == "yuv420p" else picture.reformat(format="yuv420p")
                for picture in pictures
                if isinstance(picture, av.VideoFrame)
            ]
        return Decoded(frames, failed)


def _bounded_decoder(codec: Codec) -> Decoder:
    """A decoder that refuses larger pictures before it allocates them; libvpx cannot, hence `vp8_pixels`."""
    decoder = get_decoder(codec.aiortc())
    if isinstance(decoder, H264Decoder):
        decoder.codec.options = {"max_pixels": str(MOST_PIXELS)}
    return decoder
