"""How many threads pictures are encoded with."""

from __future__ import annotations

import pytest

from aiortc_worker.rtp import video_encoder
from aiortc_worker.rtp.video_encoder import thread_count


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_encoder.os, "cpu_count", lambda: 8)


@pytest.mark.parametrize("size", [(320, 240), (1280, 720), (1920, 1080), (1080, 1920)])
def test_one_thread_encodes_pictures_up_to_1080p(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setattr(video_encoder, "load", lambda: 0.0)
    assert thread_count(*size) == 1


@pytest.mark.parametrize(("load", "threads"), [(0.0, 4), (5.2, 2), (7.5, 1), (20.0, 1)])
def test_larger_ones_have_the_cores_that_are_idle(monkeypatch: pytest.MonkeyPatch, load: float, threads: int) -> None:
    monkeypatch.setattr(video_encoder, "load", lambda: load)
    assert thread_count(3840, 2160) == threads


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_an_encoder_has_the_threads_that_are_due(codec: str) -> None:
    settings = video_encoder.VideoSettings(1280, 720, 1_000_000, 30, keyframe=False)
    assert video_encoder._context(codec, settings).thread_count == 1
