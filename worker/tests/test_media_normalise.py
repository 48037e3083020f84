"""Frames of any shape, made into what the seam promises."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from aiortc_worker.media.normalise import Pictures, Samples


def sound(
    samples: int, rate: int = 48000, format: str = "s16", layout: str = "mono", level: float = 0.5
) -> av.AudioFrame:
    channels = av.AudioLayout(layout).nb_channels
    kind = {"s16": np.int16, "flt": np.float32, "u8": np.uint8}[format]
    scale = {"s16": 32767, "flt": 1, "u8": 127}[format]
    array = np.full((1, samples * channels), level * scale + (128 if format == "u8" else 0)).astype(kind)
    frame = av.AudioFrame.from_ndarray(array, format=format, layout=layout)
    frame.sample_rate = rate
    return frame


def starts(frames: list[av.AudioFrame]) -> list[int]:
    return [frame.pts for frame in frames]


@pytest.mark.parametrize(
    ("rate", "format", "layout", "channels"),
    [(48000, "s16", "mono", 1), (44100, "flt", "stereo", 2), (8000, "u8", "mono", 1), (96000, "flt", "5.1", 2)],
)
def test_sound_of_any_shape_becomes_s16_of_20_ms(rate: int, format: str, layout: str, channels: int) -> None:
    samples = Samples(av.AudioLayout(layout).nb_channels)
    size = rate // 10
    frames = [each for n in range(5) for each in samples.add(sound(size, rate, format, layout), n / 10)]
    frames += samples.flush()
    assert starts(frames) == list(range(0, 960 * len(frames), 960))
    assert 25 <= len(frames) <= 26
    for frame in frames:
        assert (frame.format.name, frame.sample_rate, frame.samples) == ("s16", 48000, 960)
        assert frame.layout.nb_channels == channels
    middle = frames[10].to_ndarray()[0].astype(float) / 32768
    assert np.abs(middle).min() > 0.3


def test_timestamps_that_were_rounded_leave_no_gap() -> None:
    samples = Samples(1)
    frames = [each for n in range(50) for each in samples.add(sound(1024), round(n * 1024 / 48) / 1000)]
    assert starts(frames) == list(range(0, 960 * len(frames), 960))
    assert all((frame.to_ndarray() != 0).all() for frame in frames)


def test_a_gap_is_filled_with_silence() -> None:
    samples = Samples(1)
    frames = [*samples.add(sound(960), 0), *samples.add(sound(960), 0.1)]
    assert starts(frames) == [0, 960, 1920, 2880, 3840, 4800]
    assert [bool(frame.to_ndarray().any()) for frame in frames] == [True, False, False, False, False, True]


def test_a_long_gap_is_jumped_over() -> None:
    samples = Samples(1)
    frames = [*samples.add(sound(1000), 0), *samples.add(sound(960), 3600)]
    assert starts(frames) == [0, 960, 3600 * 48000]


def test_what_overlaps_is_heard_once() -> None:
    samples = Samples(1)
    frames = [*samples.add(sound(1920), 0), *samples.add(sound(1920, level=0.25), 0.02), *samples.flush()]
    assert starts(frames) == [0, 960, 1920]
    assert [int(frame.to_ndarray()[0, 480]) for frame in frames] == [16383, 16383, 8191]


def test_it_begins_where_the_source_does() -> None:
    assert starts(list(Samples(1).add(sound(960), 0.5))) == [24000]


@pytest.mark.parametrize(("format", "width", "height"), [("yuv420p", 64, 48), ("rgb24", 65, 49), ("yuvj422p", 33, 31)])
def test_pictures_of_any_shape_become_i420_of_even_size(format: str, width: int, height: int) -> None:
    picture = Pictures().add(av.VideoFrame(width, height, format), 0.1)
    assert picture is not None
    assert (picture.format.name, picture.width, picture.height) == ("yuv420p", width & ~1, height & ~1)
    assert (picture.pts, picture.time_base) == (9000, Fraction(1, 90000))


def test_pictures_never_go_back() -> None:
    pictures = Pictures()
    times = (0.0, 0.1, 0.05, 0.1, 0.2)
    assert [bool(pictures.add(av.VideoFrame(32, 32, "yuv420p"), time)) for time in times] == [
        True,
        True,
        False,
        False,
        True,
    ]
