"""Frames as records of media: docs/protocol.md, "Media payload"."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Final, Literal, NamedTuple

import av
import msgspec
import numpy as np
from msgspec import Meta, Struct

from ..session.quotas import Amount, Hold
from ..session.remote import CallError
from ..session.wire import MEDIA, MEDIA_CONTINUES, MEDIA_MORE
from .frames import Frame
from .pixels import PIXEL_FORMATS, PixelFormat, libav_name, plane_rows, plane_sizes

MICROSECONDS: Final = Fraction(1, 1_000_000)
MAX_FRAME: Final = 64 * 1024 * 1024
"Bytes: more than a picture of 7680 by 4320 in I420, or of 4096 by 4000 in RGBA."

LONGEST_SOUND: Final = 10.0
"Seconds of a frame of sound that are read, its last: to resample more would stop everything else for seconds."

Size = Annotated[int, Meta(ge=1, le=7680)]
SampleFormat = Literal["u8", "s16", "s32", "f32", "u8-planar", "s16-planar", "s32-planar", "f32-planar"]

SAMPLE_TYPES: Final[dict[str, tuple[str, type[np.generic]]]] = {
    "u8": ("u8", np.uint8),
    "s16": ("s16", np.int16),
    "s32": ("s32", np.int32),
    "f32": ("flt", np.float32),
}
"What libav and numpy call them."


class VideoHeader(Struct, frozen=True):
    timestamp: int
    "Microseconds."
    format: PixelFormat
    width: Size
    height: Size
    duration: int | None = None
    "Microseconds."
    rotation: int = 0


class AudioHeader(Struct, frozen=True, rename="camel"):
    timestamp: int
    "Microseconds."
    format: SampleFormat
    sample_rate: Annotated[int, Meta(ge=3000, le=768_000)]
    number_of_channels: Annotated[int, Meta(ge=1, le=32)]
    number_of_frames: Annotated[int, Meta(ge=1, le=16 * 768_000)]


class _AnyHeader(Struct, frozen=True):
    format: str


Header = VideoHeader | AudioHeader
_encoder = msgspec.json.Encoder()
_any_decoder = msgspec.json.Decoder(_AnyHeader)
_video_decoder = msgspec.json.Decoder(VideoHeader)
_audio_decoder = msgspec.json.Decoder(AudioHeader)


class Received(NamedTuple):
    """A whole frame as it came."""

    header: Header
    planes: memoryview
    hold: Hold
    "Its share of what the session may hold, to be kept as long as the planes are."


class Assembly:
    """Puts the chunks of frames of media together; what is refused is dropped, with all that follows of it."""

    def __init__(self, held: Amount) -> None:
        self._held = held
        self._chunks = bytearray()
        self._hold: Hold | None = None
        "Of the frame that is coming; None when there is none, or it was refused."

    def take(self, kind: int, flags: int, payload: memoryview) -> Received | None:
        """The frame that a record completes, else None.

        Raises CallError: RangeError when it is too large, QuotaExceededError when the session holds too much, TypeError
        when it has no header or is no record of media.
        """
        if kind != MEDIA:
            raise CallError("TypeError", "Media is taken, and nothing else")
        if not flags & MEDIA_CONTINUES:
            self._begin()
        if self._hold is None:
            return None
        if len(self._chunks) + len(payload) > MAX_FRAME:
            self.clear()
            raise CallError("RangeError", f"A frame of media has at most {MAX_FRAME} bytes")
        if not self._hold.grow(len(payload)):
            self.clear()
            raise self._held.failure()
        self._chunks += payload
        return None if flags & MEDIA_MORE else self._whole(self._hold)

    def clear(self) -> None:
        """Forgets what is not whole."""
        self._chunks = bytearray()
        self._hold = None

    def _begin(self) -> None:
        self._chunks = bytearray()
        self._hold = Hold(self._held)

    def _whole(self, hold: Hold) -> Received:
        whole = memoryview(self._chunks).toreadonly()
        self.clear()
        size = int.from_bytes(whole[:4], "big")
        try:
            return Received(read_header(whole[4 : 4 + size]), whole[4 + size :], hold)
        except msgspec.MsgspecError as error:
            raise CallError("TypeError", f"No frame of media: {error}") from error


def frame_bytes(frame: Frame, format: PixelFormat = "I420") -> int:
    """Bytes of a frame's planes without padding; of a picture, in `format`."""
    if isinstance(frame, av.AudioFrame):
        return frame.samples * frame.layout.nb_channels * 2
    return sum(width * height for width, height in plane_sizes(format, frame.width, frame.height))


def write_frame(frame: Frame) -> tuple[bytes, Sequence[memoryview]]:
    """The header, and the planes without padding; they share the frame's memory where they can."""
    timestamp = round((frame.pts or 0) * (frame.time_base or 0) / MICROSECONDS)
    if isinstance(frame, av.AudioFrame):
        header: Header = AudioHeader(timestamp, "s16", frame.sample_rate, frame.layout.nb_channels, frame.samples)
        size = frame.samples * frame.layout.nb_channels * 2
        return _encoder.encode(header), [memoryview(frame.planes[0])[:size]]
    format = PIXEL_FORMATS[frame.format.name]
    header = VideoHeader(timestamp, format, frame.width, frame.height)
    sizes = plane_sizes(format, frame.width, frame.height)
    return _encoder.encode(header), [_unpadded(*each) for each in zip(frame.planes, sizes, strict=True)]


def read_header(payload: bytes | memoryview) -> Header:
    """Raises msgspec.ValidationError or DecodeError when it is none."""
    format = _any_decoder.decode(payload).format
    return (_video_decoder if format in PIXEL_FORMATS.values() else _audio_decoder).decode(payload)


def read_video(header: VideoHeader, planes: memoryview) -> av.VideoFrame:
    """A picture in the format it came in; `pts` is in microseconds. Raises ValueError when sizes do not fit."""
    sizes = plane_sizes(header.format, header.width, header.height)
    expected = sum(width * height for width, height in sizes)
    if len(planes) != expected:
        what = f"{header.format} of {header.width}x{header.height}"
        raise ValueError(f"{len(planes)} bytes of planes; {what} has {expected}")
    frame = av.VideoFrame(header.width, header.height, libav_name(header.format))
    for plane, (width, height) in zip(frame.planes, sizes, strict=True):
        rows = np.frombuffer(planes[: width * height], np.uint8).reshape(height, width)
        plane_rows(plane)[:height, :width] = rows
        planes = planes[width * height :]
    frame.pts, frame.time_base = header.timestamp, MICROSECONDS
    return frame


def read_audio(header: AudioHeader, samples: memoryview) -> av.AudioFrame:
    """Samples as they came, of any format and rate, of the first two channels if libav knows no such layout.

    Of a frame longer than LONGEST_SOUND it is the end.

    `pts` is in microseconds. Raises ValueError on a wrong size.
    """
    type, _, planar = header.format.partition("-")
    name, dtype = SAMPLE_TYPES[type]
    channels = header.number_of_channels
    expected = header.number_of_frames * channels * dtype().itemsize
    if len(samples) != expected:
        raise ValueError(f"{len(samples)} bytes of samples; {header.number_of_frames} frames have {expected}")
    array = np.frombuffer(samples, dtype).reshape((channels, -1) if planar else (-1, channels))
    interleaved = array.T if planar else array
    interleaved = interleaved[-int(LONGEST_SOUND * header.sample_rate) :]
    if channels > 8:
        interleaved, channels = interleaved[:, :2], 2
    frame = av.AudioFrame.from_ndarray(interleaved.reshape(1, -1), format=name, layout=_layout(channels))
    frame.sample_rate, frame.pts, frame.time_base = header.sample_rate, header.timestamp, MICROSECONDS
    return frame


def _layout(channels: int) -> str:
    """As Web Audio has them: four are the corners of a room."""
    return "quad" if channels == 4 else f"{channels}c"


def _unpadded(plane: av.video.plane.VideoPlane, size: tuple[int, int]) -> memoryview:
    width, height = size
    if plane.line_size == width:
        return memoryview(plane)[: width * height]
    return memoryview(plane_rows(plane)[:height, :width].tobytes())
