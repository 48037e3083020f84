"""Sound that a program wrote, given on at the pace at which it is heard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import av
import numpy as np
from numpy.typing import NDArray

from .fan_out import FanOut
from .pattern import audio_frame
from .payload import LONGEST_SOUND
from .settings import CHUNK, SAMPLE_RATE

CHUNK_SECONDS: Final = CHUNK / SAMPLE_RATE
PATIENCE: Final = 0.06
"Seconds until silence is given in the place of sound that is due: a frame may take 20 ms to be whole, and 40 are late."
MAX_LAG: Final = 0.5
"Seconds by which a late loop is caught up; what is beyond is skipped."
SURPLUS: Final = 0.16
"Seconds ahead from which on sound is given 1 % faster: the program's clock is the faster one, or it does not wait."
MOST: Final = LONGEST_SOUND
"Seconds that may be ahead; of what is beyond, the oldest is dropped. The shim sends a tenth of a second ahead."

LEAST_GAP: Final = 0.05
MOST_GAP: Final = 1.0
"Timestamps further apart than the sound between them by so many seconds leave a gap; beyond, they begin anew."


class Timer(Protocol):
    """As asyncio.TimerHandle."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What is needed of a loop."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], None], /) -> Timer: ...


class WrittenSound:
    """Makes one continuous stream of what is written: s16 in frames of 20 ms, of one or two channels.

    What follows within PATIENCE is given without a seam, and silence in between. It runs from the first sound on while
    `output` is consumed; what is written meanwhile is dropped. Timestamps count only where they leave a gap.
    """

    def __init__(self, output: FanOut, loop: Clock | None = None) -> None:
        self._output = output
        self._loop: Clock = loop or asyncio.get_running_loop()
        self._frames: deque[NDArray[np.int16]] = deque()
        "Of CHUNK samples a channel, interleaved."
        self._rest: NDArray[np.int16] = np.empty(0, np.int16)
        "What makes no whole frame yet."
        self._resampler: av.AudioResampler | None = None
        self._shape: tuple[int, str, str] | None = None
        self._channels = 1
        self._expected: float | None = None
        "Seconds: the timestamp of what follows without a gap, if anything came before."
        self._unheard = 0
        "Samples of silence given since the last sound."
        self._pts: int | None = None
        self._due = 0.0
        self._is_silent = True
        "Whether silence is given, and nothing has come since."
        self._timer: Timer | None = None

    def write(self, frame: av.AudioFrame, time: float) -> None:
        """Takes sound whose first sample is at `time` seconds of the program's."""
        if not self._output.demanded:
            return
        gap = 0.0 if self._expected is None else time - self._expected
        if LEAST_GAP <= gap <= MOST_GAP:
            self._append(np.zeros(max(0, round(gap * SAMPLE_RATE) - self._unheard) * self._channels, np.int16))
        self._expected = time + frame.samples / frame.sample_rate
        self._append(self._resample(frame))
        self._unheard = 0
        self._is_silent = False
        while len(self._frames) * CHUNK_SECONDS > MOST:
            self._frames.popleft()
        now = self._loop.time()
        if self._timer is None:
            self._begin(time, now)
        if self._timer is None or (self._frames and self._due <= now):
            self._play()

    def reset(self) -> None:
        """Drops what is not heard yet."""
        self._frames.clear()
        self._rest = np.empty(0, np.int16)
        self._resampler = self._shape = self._expected = None

    def close(self) -> None:
        """Gives nothing any more."""
        self.reset()
        if self._timer:
            self._timer.cancel()

    def _begin(self, time: float, now: float) -> None:
        """Starts the clock; what was consumed before keeps its distance in time."""
        if self._pts is None:
            self._pts = max(0, round(time * SAMPLE_RATE))
        else:
            self._pts += max(0, round((now - self._due) * SAMPLE_RATE))
        self._due = now

    def _play(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not self._output.demanded or self._output.ended:
            self.reset()
            return
        now = self._loop.time()
        self._skip(now)
        while self._due <= now and (self._frames or self._is_silent or now >= self._due + PATIENCE):
            self._give()
        waiting = not self._frames and not self._is_silent
        # Late sound comes by itself: what is waited for is the end of patience.
        self._timer = self._loop.call_at(self._due + PATIENCE if waiting else self._due, self._play)

    def _skip(self, now: float) -> None:
        missed = int((now - self._due - MAX_LAG) / CHUNK_SECONDS)
        if missed > 0 and self._pts is not None:
            self._due += missed * CHUNK_SECONDS
            self._pts += missed * CHUNK

    def _give(self) -> None:
        assert self._pts is not None
        if not self._frames:
            self._finish()
        self._is_silent = not self._frames
        samples = self._frames.popleft() if self._frames else np.zeros(CHUNK * self._channels, np.int16)
        if self._is_silent:
            self._unheard += CHUNK
        surplus = len(self._frames) * CHUNK_SECONDS > SURPLUS
        self._due += CHUNK_SECONDS * (0.99 if surplus else 1.0)
        pts, self._pts = self._pts, self._pts + CHUNK
        self._output.push(audio_frame(samples, samples.size // CHUNK, pts))

    def _finish(self) -> None:
        """Nothing followed in time: what is left is given, filled up with silence."""
        if self._resampler is not None:
            self._append(_samples(self._resampler.resample(None)))
            self._resampler = self._shape = None
        if self._rest.size:
            missing = CHUNK * self._channels - self._rest.size
            self._unheard = missing // self._channels
            self._append(np.zeros(missing, np.int16))

    def _append(self, samples: NDArray[np.int16]) -> None:
        size = CHUNK * self._channels
        whole = np.concatenate([self._rest, samples])
        count = whole.size // size
        self._frames.extend(whole[: count * size].reshape(count, size))
        self._rest = whole[count * size :]

    def _resample(self, frame: av.AudioFrame) -> NDArray[np.int16]:
        shape = (frame.sample_rate, frame.layout.name, frame.format.name)
        if shape != self._shape or self._resampler is None:
            self._finish()
            self._shape = shape
            self._channels = min(frame.layout.nb_channels, 2)
            self._resampler = av.AudioResampler("s16", "mono" if self._channels == 1 else "stereo", SAMPLE_RATE)
        # The resampler would want pts to be continuous.
        frame.pts = None
        return _samples(self._resampler.resample(frame))


def _samples(frames: list[av.AudioFrame]) -> NDArray[np.int16]:
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return np.concatenate(parts) if parts else np.empty(0, np.int16)
