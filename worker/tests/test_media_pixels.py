"""Formats of pictures and samples: what is read is what was written, and conversions are right."""

from __future__ import annotations

import json
from itertools import product

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_session import MediaSession, wait_for
from numpy.typing import NDArray

from aiortc_worker.media.frame_converter import MOST_PENDING, FrameConverter
from aiortc_worker.media.payload import LONGEST_SOUND, AudioHeader, VideoHeader, read_audio, read_video, write_frame
from aiortc_worker.media.pixels import PIXEL_FORMATS, Converter, PixelFormat, is_rgb, plane_sizes
from aiortc_worker.session.remote import CallError
from aiortc_worker.session.wire import MEDIA

FORMATS = list(PIXEL_FORMATS.values())


def planes_of(frame: av.VideoFrame) -> bytes:
    return b"".join(write_frame(frame)[1])


@given(st.sampled_from(FORMATS), st.integers(1, 70), st.integers(1, 40), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_a_picture_of_any_format_and_size_is_written_as_it_was_read(
    format: PixelFormat, width: int, height: int, random: np.random.Generator
) -> None:
    planes = random.randbytes(sum(a * b for a, b in plane_sizes(format, width, height)))  # type: ignore[attr-defined]
    frame = read_video(VideoHeader(7, format, width, height), memoryview(planes))
    header, written = write_frame(frame)
    assert json.loads(header) == {
        "timestamp": 7,
        "format": format,
        "width": width,
        "height": height,
        "duration": None,
        "rotation": 0,
    }
    assert b"".join(written) == planes


def smooth(width: int, height: int, phase: float) -> bytes:
    """Planes of I420 that are well inside of what RGB can say."""
    rows, columns = np.mgrid[0:height, 0:width]
    luma = 120 + 50 * np.sin(rows / 17 + phase) * np.cos(columns / 23)
    u, v = (128 + 24 * np.sin(rows[::2, ::2] / 19 + columns[::2, ::2] / 29 + shift) for shift in (phase, 2 * phase))
    return b"".join(plane.round().astype(np.uint8).tobytes() for plane in (luma, u, v))


@given(
    st.sampled_from(FORMATS),
    st.sampled_from([(64, 48), (66, 50), (72, 34), (322, 182)]),
    st.sampled_from(["bt709", "smpte170m"]),
    st.floats(0, 6),
)
@settings(max_examples=80, deadline=None)
def test_i420_is_itself_again_after_any_other_format(
    format: PixelFormat, size: tuple[int, int], matrix: str, phase: float
) -> None:
    planes = smooth(*size, phase)
    frame = read_video(VideoHeader(0, "I420", *size), memoryview(planes))
    converter = Converter()
    other = converter.convert(frame, format, matrix)  # type: ignore[arg-type]
    again = converter.convert(other, "I420", matrix)  # type: ignore[arg-type]
    before, after = (np.frombuffer(each, np.uint8).astype(int) for each in (planes, planes_of(again)))
    assert np.abs(before - after).max() <= (3 if is_rgb(format) else 0)


def exact(planes: bytes, width: int, height: int, matrix: str, full_range: bool) -> NDArray[np.float64]:
    """RGB by the definition of the matrix."""
    red, blue = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114)}[matrix]
    luma, u, v = np.split(np.frombuffer(planes, np.uint8).astype(float), [width * height, width * height * 5 // 4])
    black, white, chroma = (0, 255, 255) if full_range else (16, 219, 224)
    y = (luma.reshape(height, width) - black) / white
    u, v = ((each.reshape(height // 2, -1).repeat(2, 0).repeat(2, 1) - 128) / chroma for each in (u, v))
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    return np.stack([r, (y - red * r - blue * b) / (1 - red - blue), b], -1) * 255


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("width", [322, 328, 336, 2])
@pytest.mark.parametrize(("format", "matrix"), list(product(["RGBA", "RGBX", "BGRA", "BGRX"], ["bt709", "smpte170m"])))
def test_rgb_is_what_the_matrix_says(format: PixelFormat, matrix: str, width: int, full_range: bool) -> None:
    planes = smooth(width, 182, 1.0)
    frame = read_video(VideoHeader(0, "I420", width, 182), memoryview(planes))
    converted = Converter().convert(frame, format, matrix, full_range)  # type: ignore[arg-type]
    pixels = np.frombuffer(planes_of(converted), np.uint8).reshape(182, width, 4).astype(float)
    colours = pixels[..., :3] if format.startswith("RGB") else pixels[..., 2::-1]
    assert np.abs(colours - exact(planes, width, 182, matrix, full_range)).max() <= 3
    assert (pixels[..., 3] == 255).all()


def test_alpha_is_kept() -> None:
    size = (64, 48)
    alpha = bytes(range(256)) * (64 * 48 // 256)
    frame = read_video(VideoHeader(0, "I420A", *size), memoryview(smooth(*size, 0) + alpha))
    pixels = np.frombuffer(planes_of(Converter().convert(frame, "RGBA")), np.uint8)
    assert pixels[3::4].tobytes() == alpha


async def test_a_converter_gives_back_what_it_was_given_in_another_format() -> None:
    session = MediaSession()
    converter = session.add(FrameConverter, format="NV12")
    header = json.dumps({"timestamp": 0, "format": "I420", "width": 5, "height": 3}).encode()
    planes = bytes(range(15 + 12))
    converter.receive(MEDIA, 0, memoryview(len(header).to_bytes(4, "big") + header + planes))
    await wait_for(lambda: len(session.sent) == 1)
    uv = bytes(value for pair in zip(planes[15:21], planes[21:], strict=True) for value in pair)
    assert session.sent[0][1] == planes[:15] + uv
    await session.close()
    assert not session.failures


@pytest.mark.parametrize("channels", [1, 2, 4, 6, 8, 11])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("type", ["u8", "s16", "s32", "f32"])
def test_samples_of_any_format_are_read(type: str, planar: bool, channels: int) -> None:
    level = {"u8": np.uint8(192), "s16": np.int16(16384), "s32": np.int32(2**30), "f32": np.float32(0.5)}[type]
    samples = np.zeros((480, channels), level.dtype)
    if type == "u8":
        samples[:] = 128
    samples[:, 0] = level
    header = AudioHeader(0, f"{type}-planar" if planar else type, 48_000, channels, 480)  # type: ignore[arg-type]
    data = np.ascontiguousarray(samples.T if planar else samples).tobytes()
    frame = read_audio(header, memoryview(data))
    frame.pts = None
    (s16,) = av.AudioResampler("s16", "mono" if channels == 1 else "stereo", 48_000).resample(frame)
    left = s16.to_ndarray().reshape(480, -1)[:, 0]
    # The resampler makes room for the channels that it mixes in.
    assert (left == left[0]).all()
    assert left[0] == 16384 if channels in (1, 2, 11) else 3_000 < left[0] <= 16384


async def test_a_converter_refuses_what_nobody_waits_for() -> None:
    session = MediaSession()
    converter = session.add(FrameConverter, format="NV12")
    header = json.dumps({"timestamp": 0, "format": "I420", "width": 4, "height": 4}).encode()
    record = memoryview(len(header).to_bytes(4, "big") + header + bytes(24))
    for _ in range(MOST_PENDING):
        converter.receive(MEDIA, 0, record)
    with pytest.raises(CallError, match="wait to be converted"):
        converter.receive(MEDIA, 0, record)
    await wait_for(lambda: len(session.sent) == MOST_PENDING)
    converter.receive(MEDIA, 0, record)
    await wait_for(lambda: len(session.sent) == MOST_PENDING + 1)
    await session.close()


def test_of_a_frame_of_an_hour_the_end_is_read() -> None:
    samples = np.full(3_000 * 3_600, 128, np.uint8)
    samples[-3_000 * 10 :] = 192
    header = AudioHeader(0, "u8", 3_000, 1, len(samples))
    frame = read_audio(header, memoryview(samples.tobytes()))
    assert frame.samples == 3_000 * LONGEST_SOUND
    assert (frame.to_ndarray() == 192).all()
