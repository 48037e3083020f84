"""Encodes what peers without encoders send, and decodes what peers without decoders received; on the worker's Python.

`media.py samples FOLDER` writes vp8.rec, h264.rec and opus.rec: records of a length (32 bits, little-endian) and that
many bytes, an encoded frame each; five seconds that loop. `media.py decode` reads lines `{"path": …, "codec": …}`, and
answers each with what all of the recording's records so far decode to.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

WIDTH, HEIGHT, RATE = 320, 240, 30
SAMPLE_RATE, CHUNK, FREQUENCY = 48_000, 960, 440
SECONDS = 5
OPTIONS = {
    "vp8": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    "h264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}),
}
DECODERS = {"vp8": "vp8", "h264": "h264", "opus": "libopus"}


def write_record(file: Any, data: bytes) -> None:
    file.write(len(data).to_bytes(4, "little") + data)


def draw(number: int) -> av.VideoFrame:
    """A bar that wanders over grey; level, so that a decoder's fault shows."""
    luma = np.full((HEIGHT, WIDTH), 110, np.uint8)
    at = number * 4 % WIDTH
    luma[:, at : at + 40] = 220
    chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, RATE)
    return frame


def write_video(path: Path, codec: str) -> None:
    name, options = OPTIONS[codec]
    encoder = av.CodecContext.create(name, "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.bit_rate, encoder.gop_size, encoder.options = 300_000, RATE // 2, options
    with path.open("wb") as file:
        for number in range(SECONDS * RATE):
            for packet in encoder.encode(draw(number)):
                write_record(file, bytes(packet))


def write_audio(path: Path) -> None:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = SAMPLE_RATE, "stereo", "s16", 64_000
    encoder.time_base = Fraction(1, SAMPLE_RATE)
    with path.open("wb") as file:
        for number in range(SECONDS * SAMPLE_RATE // CHUNK):
            times = (np.arange(CHUNK) + number * CHUNK) / SAMPLE_RATE
            tone = (8_000 * np.sin(2 * np.pi * FREQUENCY * times)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[np.newaxis], format="s16", layout="stereo")
            frame.sample_rate, frame.pts = SAMPLE_RATE, number * CHUNK
            for packet in encoder.encode(frame):
                write_record(file, bytes(packet))


class Recording:
    """A file that a peer is still writing, decoded as far as it goes."""

    def __init__(self, path: str, codec: str) -> None:
        self._path, self._read = path, 0
        self._decoder = av.CodecContext.create(DECODERS[codec], "r")
        if codec == "opus":
            self._decoder.sample_rate, self._decoder.layout = SAMPLE_RATE, "stereo"
        self._video = codec != "opus"
        self._left = b""
        self._last = b""
        self._frames = self._moving = self._samples = 0
        self._size = (0, 0)
        self._sound = np.zeros(0, np.float32)

    def read(self) -> dict[str, float]:
        for record in self._records():
            try:
                frames = self._decoder.decode(av.Packet(record))
            except av.FFmpegError:
                continue
            for frame in frames:
                self._see(frame) if self._video else self._hear(frame)
        if self._video:
            width, height = self._size
            return {"frames": self._frames, "moving": self._moving, "width": width, "height": height}
        return {"seconds": self._samples / SAMPLE_RATE, **self._tone()}

    def _records(self) -> Iterator[bytes]:
        with open(self._path, "rb") as file:
            file.seek(self._read)
            more = file.read()
        self._read += len(more)
        self._left += more
        while len(self._left) >= 4:
            length = int.from_bytes(self._left[:4], "little")
            if len(self._left) < 4 + length:
                return
            record, self._left = self._left[4 : 4 + length], self._left[4 + length :]
            yield record

    def _see(self, frame: av.VideoFrame) -> None:
        luma = frame.to_ndarray()[: frame.height].tobytes()
        self._frames += 1
        self._moving += luma != self._last
        self._last, self._size = luma, (frame.width, frame.height)

    def _hear(self, frame: av.AudioFrame) -> None:
        samples = frame.to_ndarray()
        scale = 32_768 if samples.dtype == np.int16 else 1
        # Interleaved channels are a row, planes are rows: every second sample of a row of two channels is the left one.
        left = samples[0, ::2] if samples.shape[0] == 1 else samples[0]
        self._samples += len(left)
        self._sound = np.concatenate([self._sound, left.astype(np.float32) / scale])[-SAMPLE_RATE // 2 :]

    def _tone(self) -> dict[str, float]:
        if len(self._sound) == 0:
            return {"level": 0.0}
        spectrum = np.abs(np.fft.rfft(self._sound))
        frequency = np.argmax(spectrum) * SAMPLE_RATE / len(self._sound)
        return {"level": float(np.sqrt(np.mean(self._sound**2))), "frequency": float(frequency)}


def decode() -> None:
    recordings: dict[str, Recording] = {}
    for line in sys.stdin:
        ask = json.loads(line)
        path = ask["path"]
        recording = recordings.get(path) or recordings.setdefault(path, Recording(path, ask["codec"].lower()))
        print(json.dumps(recording.read()), flush=True)


def samples(folder: Path) -> None:
    for codec in OPTIONS:
        write_video(folder / f"{codec}.rec", codec)
    write_audio(folder / "opus.rec")


if __name__ == "__main__":
    if sys.argv[1] == "samples":
        samples(Path(sys.argv[2]))
    else:
        decode()
