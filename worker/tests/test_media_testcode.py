"""The code in the test picture."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from aiortc_worker.media import testcode
from aiortc_worker.media.pattern import Picture


def luma(frame: av.VideoFrame) -> testcode.Luma:
    return frame.to_ndarray(format="yuv420p")[: frame.height]


def coded(codec: str, width: int, height: int, bit_rate: int) -> list[av.VideoFrame]:
    """Twenty pictures, encoded as for a call and decoded again."""
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.bit_rate, encoder.framerate, encoder.time_base = bit_rate, 30, Fraction(1, 30)
    encoder.options = (
        {"deadline": "realtime", "cpu-used": "8"}
        if codec == "libvpx"
        else {"tune": "zerolatency", "preset": "ultrafast"}
    )
    decoder = av.CodecContext.create("vp8" if codec == "libvpx" else "h264", "r")
    picture = Picture(width, height, Fraction(30), 4242)
    packets = [packet for n in range(20) for packet in encoder.encode(picture.draw(n))] + encoder.encode(None)
    return [frame for packet in [*packets, None] for frame in decoder.decode(packet)]


@pytest.mark.parametrize("size", [(32, 32), (160, 120), (320, 240), (642, 362), (1280, 720)])
@pytest.mark.parametrize("code", [0, 1, 7, 65535])
def test_a_picture_of_any_size_carries_code_and_counter(size: tuple[int, int], code: int) -> None:
    picture = Picture(*size, Fraction(30), code)
    for number in (0, 1, 41, 65535, 65536):
        assert testcode.decode(luma(picture.draw(number))) == (code, number % 65536)


@pytest.mark.parametrize("codec", ["libvpx", "libx264"])
@pytest.mark.parametrize(("width", "height", "bit_rate"), [(320, 240, 60_000), (640, 480, 100_000)])
def test_the_code_survives_a_low_bitrate(codec: str, width: int, height: int, bit_rate: int) -> None:
    frames = coded(codec, width, height, bit_rate)
    assert [testcode.decode(luma(frame)) for frame in frames] == [(4242, number) for number in range(len(frames))]
    assert len(frames) >= 18


def test_the_code_survives_scaling() -> None:
    frame = Picture(640, 480, Fraction(30), 99).draw(5)
    for width, height in ((320, 240), (160, 120), (500, 380)):
        assert testcode.decode(luma(frame.reformat(width, height))) == (99, 5)


def test_a_picture_without_a_code_has_none() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (240, 320), np.uint8)
    for plain in (np.full((240, 320), level, np.uint8) for level in (0, 16, 126, 235, 255)):
        assert testcode.decode(plain) is None
    assert testcode.decode(noise) is None


def test_a_cell_that_is_wrong_or_unclear_makes_the_code_invalid() -> None:
    drawn = luma(Picture(320, 240, Fraction(30), 7).draw(3))
    columns, rows = testcode.cell_edges(320, 240)
    for row, column in ((0, 0), (2, 3), (5, 7)):
        cell = np.s_[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
        flipped, grey = drawn.copy(), drawn.copy()
        flipped[cell] = 251 - drawn[cell]
        grey[cell] = 126
        assert testcode.decode(flipped) is None
        assert testcode.decode(grey) is None


def test_the_tone_frequency_and_square_move_with_the_frame_number() -> None:
    picture = Picture(320, 240, Fraction(30), 7)
    first, later = luma(picture.draw(0))[144:], luma(picture.draw(20))[144:]
    assert (first != later).any()
