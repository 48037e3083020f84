"""Coded frames to frames, off the loop, while somebody wants them."""

from __future__ import annotations

import fractions
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import av
from aiortc.codecs import get_decoder
from aiortc.jitterbuffer import JitterFrame

from ..media.frames import Frame
from .coded_frame import CodedFrame
from .parameters import Codec
from .stats import InboundStats

BACKLOG = {"video": 30, "audio": 50}
"Frames that wait for the decoder: a second's."

PACKET_SECONDS = 0.02


@dataclass(frozen=True)
class Decoded:
    """What became of some coded frames."""

    frames: list[Frame] = field(default_factory=list)
    failed: int = 0


RunCodec = Callable[..., Awaitable[Decoded]]


class Decoding:
    """Decodes one stream with one codec, in order."""

    def __init__(self, codec: Codec, stats: InboundStats, run: RunCodec) -> None:
        self.codec = codec
        self.stats = stats
        self._run = run
        self._decoder = get_decoder(codec.aiortc())
        self._waiting: deque[tuple[CodedFrame, int]] = deque()
        self._limit = BACKLOG["video" if codec.mime_type.lower().startswith("video/") else "audio"]

    @property
    def pending(self) -> bool:
        return bool(self._waiting)

    def put(self, frame: CodedFrame, pts: int) -> bool:
        """Takes a frame with the pts that it shall have, in units of the codec's clock; False when it lags too far.

        Then it has dropped all that waited, and pictures must go on from a keyframe.
        """
        if len(self._waiting) >= self._limit:
            self.stats.frames_dropped += len(self._waiting) + 1
            self._waiting.clear()
            return False
        self._waiting.append((frame, pts))
        return True

    async def step(self) -> Decoded:
        """Decodes what waits."""
        batch = list(self._waiting)
        self._waiting.clear()
        begun = time.monotonic()
        decoded = await self._run(self._decode, batch)
        stats = self.stats
        stats.total_decode_time += time.monotonic() - begun
        stats.frames_dropped += decoded.failed
        stats.frames_decoded += len(batch) - decoded.failed
        stats.key_frames_decoded += sum(frame.keyframe for frame, _ in batch)
        for frame in decoded.frames:
            if isinstance(frame, av.VideoFrame):
                stats.frame_width, stats.frame_height = frame.width, frame.height
            else:
                stats.total_samples_received += frame.samples
        return decoded

    def _decode(self, batch: Sequence[tuple[CodedFrame, int]]) -> Decoded:
        frames: list[Frame] = []
        failed = 0
        for coded, pts in batch:
            if not coded.data:
                # An empty packet would end the decoder: it is how libav is told that no more will come.
                failed += 1
                continue
            try:
                pictures = self._decoder.decode(JitterFrame(data=coded.data, timestamp=pts))
            except (av.FFmpegError, ValueError):
                failed += 1
                continue
            for frame in pictures:
                if isinstance(frame, av.VideoFrame | av.AudioFrame):
                    frames += _normal(frame)
        return Decoded(frames, failed)


def _normal(frame: Frame) -> Iterator[Frame]:
    """As `media/frames.py` wants it: yuv420p, or at most 20 ms of packed s16."""
    if isinstance(frame, av.VideoFrame):
        if frame.format.name == "yuv420p":
            yield frame
            return
        yield frame.reformat(format="yuv420p")
        return
    longest = int(frame.sample_rate * PACKET_SECONDS)
    if frame.samples <= longest:
        yield frame
        return
    data = bytes(frame.planes[0])
    width = 2 * frame.layout.nb_channels
    time_base = frame.time_base or fractions.Fraction(1, frame.sample_rate)
    for begin in range(0, frame.samples, longest):
        samples = min(longest, frame.samples - begin)
        part = av.AudioFrame(format="s16", layout=frame.layout.name, samples=samples)
        part.planes[0].update(data[begin * width : (begin + samples) * width])
        part.sample_rate, part.time_base = frame.sample_rate, time_base
        part.pts = (frame.pts or 0) + int(begin / frame.sample_rate / time_base)
        yield part
