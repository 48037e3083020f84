"""Frames as records of media: docs/protocol.md, "Media payload"."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Final

import av
import msgspec
import numpy as np
from msgspec import Meta, Struct

from .frames import Frame

MICROSECONDS: Final = Fraction(1, 1_000_000)
Size = Annotated[int, Meta(ge=2, le=7680)]


class VideoHeader(Struct, frozen=True, tag_field="format", tag="I420"):
    timestamp: int
    "Microseconds."
    width: Size
    height: Size
    duration: int | None = None
    "Microseconds."
    rotation: int = 0


class AudioHeader(Struct, frozen=True, tag_field="format", tag="s16", rename="camel"):
    timestamp: int
    "Microseconds."
    sample_rate: Annotated[int, Meta(ge=3000, le=768_000)]
    number_of_channels: Annotated[int, Meta(ge=1, le=8)]
    number_of_frames: Annotated[int, Meta(ge=1, le=768_000)]


Header = VideoHeader | AudioHeader
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Header] = msgspec.json.Decoder(Header)


def write_frame(frame: Frame) -> tuple[bytes, Sequence[memoryview]]:
    """The header, and the planes without padding; they share the frame's memory where they can."""
    timestamp = round((frame.pts or 0) * (frame.time_base or 0) / MICROSECONDS)
    if isinstance(frame, av.AudioFrame):
        header: Header = AudioHeader(timestamp, frame.sample_rate, frame.layout.nb_channels, frame.samples)
        size = frame.samples * frame.layout.nb_channels * 2
        return _encoder.encode(header), [memoryview(frame.planes[0])[:size]]
    header = VideoHeader(timestamp, frame.width, frame.height)
    return _encoder.encode(header), [_unpadded(plane) for plane in frame.planes]


def read_header(payload: bytes | memoryview) -> Header:
    """Raises msgspec.ValidationError or DecodeError when it is none."""
    return _decoder.decode(payload)


def read_video(header: VideoHeader, planes: memoryview) -> av.VideoFrame:
    """A picture; `pts` is in microseconds. Raises ValueError when sizes do not fit."""
    if header.width % 2 or header.height % 2:
        raise ValueError(f"{header.width}x{header.height}: sizes must be even")
    expected = header.width * header.height * 3 // 2
    if len(planes) != expected:
        raise ValueError(f"{len(planes)} bytes of planes; {header.width}x{header.height} has {expected}")
    array = np.frombuffer(planes, np.uint8).reshape(header.height * 3 // 2, header.width)
    frame = av.VideoFrame.from_ndarray(array, format="yuv420p")
    frame.pts, frame.time_base = header.timestamp, MICROSECONDS
    return frame


def read_audio(header: AudioHeader, samples: memoryview) -> av.AudioFrame:
    """Samples as they came, of any rate and length; `pts` is in microseconds. Raises ValueError on a wrong size."""
    expected = header.number_of_frames * header.number_of_channels * 2
    if len(samples) != expected:
        raise ValueError(f"{len(samples)} bytes of samples; {header.number_of_frames} frames have {expected}")
    array = np.frombuffer(samples, np.int16).reshape(1, -1)
    layout = {1: "mono", 2: "stereo"}.get(header.number_of_channels, f"{header.number_of_channels}c")
    frame = av.AudioFrame.from_ndarray(array, format="s16", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = header.sample_rate, header.timestamp, MICROSECONDS
    return frame


def _unpadded(plane: av.video.plane.VideoPlane) -> memoryview:
    packed = memoryview(plane)[: plane.line_size * plane.height]
    if plane.line_size == plane.width:
        return packed
    rows = np.frombuffer(packed, np.uint8).reshape(plane.height, plane.line_size)
    return memoryview(rows[:, : plane.width].tobytes())
