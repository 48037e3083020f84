"""Pictures and sound through a sender and a receiver."""

from __future__ import annotations

import itertools

import pytest
from rtp_fakes import (
    G722,
    H264,
    H264_RTX,
    OPUS,
    PCMA,
    PCMU,
    VP8,
    VP8_RTX,
    Camera,
    Tone,
    frequency_of,
    number_of,
    pair,
)


@pytest.mark.parametrize("codecs", [[VP8, VP8_RTX], [H264, H264_RTX]], ids=["VP8", "H264"])
async def test_pictures_arrive_with_their_numbers_in_order(codecs):
    async with pair("video") as link:
        camera = Camera().start()
        await link.start(codecs, camera)
        await link.collector.wait(30)
        await camera.stop()
        numbers = [number_of(frame) for frame in link.collector.frames]
        assert numbers[0] <= 2
        assert numbers == sorted(set(numbers))
        # A busy machine leaves pictures out where they are made.
        assert len(numbers) >= 0.6 * (numbers[-1] - numbers[0])
        pts = [frame.pts for frame in link.collector.frames]
        assert pts == sorted(set(pts))


@pytest.mark.parametrize("codec", [OPUS, PCMU, PCMA, G722], ids=lambda codec: codec.name)
@pytest.mark.parametrize("rate", [48000, 44100])
async def test_a_tone_keeps_its_frequency(codec, rate):
    async with pair("audio") as link:
        tone = Tone(440, rate).start()
        await link.start([codec], tone)
        await link.collector.wait(50)
        await tone.stop()
        frames = link.collector.frames[10:]
        assert abs(frequency_of(frames) - 440) < 3
        assert all(frame.samples <= frame.sample_rate // 50 for frame in frames)
        distances = {round((b.pts - a.pts) * b.time_base * 1000) for a, b in itertools.pairwise(frames)}
        assert distances == {20}
