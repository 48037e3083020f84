"""Frames of any shape made into those that `frames` promises."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from .pattern import audio_frame
from .settings import CHUNK, SAMPLE_RATE

VIDEO_TIME_BASE: Final = Fraction(1, 90_000)
TOLERANCE: Final = SAMPLE_RATE // 100
"Samples by which timestamps may stray before silence fills the gap: containers round them to milliseconds."
LONGEST_FILL: Final = SAMPLE_RATE
"A longer gap is not filled: pts jump."


class Pictures:
    """I420 of even size, with pts that rise."""

    def __init__(self) -> None:
        self._last = -1

    def add(self, frame: av.VideoFrame, time: float) -> av.VideoFrame | None:
        """`frame`, or what it had to be turned into, at `time` seconds; None when that is not after the last one."""
        pts = round(time / VIDEO_TIME_BASE)
        if pts <= self._last:
            return None
        self._last = pts
        width, height = max(2, frame.width & ~1), max(2, frame.height & ~1)
        if frame.format.name != "yuv420p" or (width, height) != (frame.width, frame.height):
            frame = frame.reformat(width, height, "yuv420p")
        frame.pts, frame.time_base = pts, VIDEO_TIME_BASE
        # An encoder would take a decoded keyframe's type for an order to make another.
        frame.pict_type = PictureType.NONE
        return frame


class Samples:
    """s16 frames of 20 ms, without gaps, of one or two channels."""

    def __init__(self, channels: int) -> None:
        self.channels = min(channels, 2)
        self._resampler = self._new_resampler()
        self._pending: NDArray[np.int16] = np.empty(0, np.int16)
        self._position: int | None = None
        "Where the pending samples begin, in samples."

    def add(self, frame: av.AudioFrame, time: float) -> Iterator[av.AudioFrame]:
        """Gives the frames that became whole; `time` is of the first sample, in seconds."""
        start = round(time * SAMPLE_RATE)
        if self._position is None:
            self._position = max(0, start)
        stray = start - (self._position + self._pending.size // self.channels)
        if stray > LONGEST_FILL:
            yield from self.flush()
            self._position = start
        elif stray > TOLERANCE:
            self._append(np.zeros(stray * self.channels, np.int16))
        samples = self._resample(frame)
        # What overlaps has been heard already.
        self._append(samples[-stray * self.channels :] if stray < -TOLERANCE else samples)
        yield from self._whole()

    def flush(self) -> Iterator[av.AudioFrame]:
        """Gives what is left, filled up with silence."""
        self._append(self._resample(None))
        self._resampler = self._new_resampler()
        missing = -self._pending.size % (CHUNK * self.channels)
        self._append(np.zeros(missing, np.int16))
        yield from self._whole()

    def _whole(self) -> Iterator[av.AudioFrame]:
        size = CHUNK * self.channels
        while self._pending.size >= size and self._position is not None:
            chunk, self._pending = self._pending[:size], self._pending[size:]
            position, self._position = self._position, self._position + CHUNK
            yield audio_frame(chunk, self.channels, position)

    def _append(self, samples: NDArray[np.int16]) -> None:
        self._pending = np.concatenate([self._pending, samples])

    def _resample(self, frame: av.AudioFrame | None) -> NDArray[np.int16]:
        if frame is not None:
            # The resampler would want pts to be continuous; they are looked after here.
            frame.pts = None
        parts = [part.to_ndarray().reshape(-1) for part in self._resampler.resample(frame)]
        return np.concatenate(parts) if parts else np.empty(0, np.int16)

    def _new_resampler(self) -> av.AudioResampler:
        return av.AudioResampler("s16", "mono" if self.channels == 1 else "stereo", SAMPLE_RATE)
