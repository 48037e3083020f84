"""The test picture and tone: drawn, not decoded, so that a source needs neither file nor device."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from . import testcode
from .pixels import plane_rows
from .settings import CHUNK, SAMPLE_RATE

COLOURS: Final = ((180, 128, 128), (162, 44, 142), (131, 156, 44), (112, 72, 58), (84, 184, 198), (65, 100, 212))
"Y, U, V of the bars: white, yellow, cyan, green, magenta, red at 75 %."
SECONDS_A_LAP: Final = 4
"The square crosses the picture and is back after so long."
LEVEL: Final = 0.25
"Of full scale: -12 dBFS."


class Picture:
    """Draws I420 pictures: the cells of `testcode` above, colour bars with a moving square below. For threads.

    What it draws on is made with the first picture, and takes `held` bytes with the picture itself.
    """

    def __init__(self, width: int, height: int, frame_rate: Fraction, code: int) -> None:
        self.width, self.height, self.frame_rate, self.code = width, height, frame_rate, code
        self._columns, self._rows = testcode.cell_edges(width, height)
        self._bits = np.full((testcode.ROWS, testcode.COLUMNS), 2)
        self._top = self._rows[-1]
        self._side = max(2, (height - self._top) // 3)
        self.held = 3 * width * height
        "Bytes."
        self._picture: NDArray[np.uint8] = np.empty((0, width), np.uint8)
        self._background = self._picture
        self._lock = threading.Lock()
        "A picture that nobody waits for any more may still be drawn when the next one is."

    def draw(self, number: int) -> av.VideoFrame:
        """Frame `number`, with `number` for its pts in units of the frame's duration."""
        with self._lock:
            if not self._picture.size:
                self._picture = self._bars()
                self._background = self._picture[self._top : self.height].copy()
            self._draw_cells(number)
            self._draw_square(number)
            frame = self._copy()
        frame.pts, frame.time_base = number, 1 / self.frame_rate
        return frame

    def _copy(self) -> av.VideoFrame:
        """The picture as a frame. `from_ndarray` would keep all other threads waiting: 0.2 to 0.4 s at 7680x4320."""
        frame = av.VideoFrame(self.width, self.height, "yuv420p")
        left = self._picture.reshape(-1)
        for plane in frame.planes:
            size = plane.width * plane.height
            plane_rows(plane)[: plane.height, : plane.width] = left[:size].reshape(plane.height, plane.width)
            left = left[size:]
        return frame

    def _bars(self) -> NDArray[np.uint8]:
        """Y above U above V, as `from_ndarray` wants them."""
        luma, u, v = (np.empty((self.height // scale, self.width // scale), np.uint8) for scale in (1, 2, 2))
        for plane, index in ((luma, 0), (u, 1), (v, 2)):
            bar = np.arange(plane.shape[1]) * len(COLOURS) // plane.shape[1]
            plane[:] = np.array([colour[index] for colour in COLOURS], np.uint8)[bar]
        u[: self._top // 2] = v[: self._top // 2] = 128
        return np.concatenate([plane.reshape(-1) for plane in (luma, u, v)]).reshape(-1, self.width)

    def _draw_cells(self, number: int) -> None:
        bits = testcode.encode(self.code, number)
        # Few cells change from frame to frame; the rest is there already.
        for row, column in np.argwhere(bits != self._bits):
            cell = np.s_[self._rows[row] : self._rows[row + 1], self._columns[column] : self._columns[column + 1]]
            self._picture[cell] = testcode.WHITE if bits[row, column] else testcode.BLACK
        self._bits = bits

    def _draw_square(self, number: int) -> None:
        lap = float(number / self.frame_rate) / SECONDS_A_LAP % 1
        left = int((self.width - self._side) * (1 - abs(2 * lap - 1)))
        area = self._picture[self._top : self.height]
        area[:] = self._background
        area[self._side : 2 * self._side, left : left + self._side] = testcode.WHITE


class Tone:
    """A sine, its phase continuous over frames of 20 ms."""

    def __init__(self, frequency: float, channels: int) -> None:
        self.frequency, self.channels = frequency, channels

    def draw(self, number: int) -> av.AudioFrame:
        """Frame `number`: samples `number * CHUNK` and following."""
        first = number * CHUNK
        phase = 2 * np.pi * self.frequency / SAMPLE_RATE * np.arange(first, first + CHUNK)
        samples = (np.sin(phase) * LEVEL * 32767).astype(np.int16)
        return audio_frame(np.repeat(samples, self.channels), self.channels, first)


def audio_frame(interleaved: NDArray[np.int16], channels: int, pts: int) -> av.AudioFrame:
    """A frame of interleaved samples, at the rate of every source; `pts` in samples."""
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(interleaved).reshape(1, -1), format="s16", layout="mono" if channels == 1 else "stereo"
    )
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, pts, Fraction(1, SAMPLE_RATE)
    return frame
