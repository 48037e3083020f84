"""What getStats() says of how well pictures are sent."""

from __future__ import annotations

import asyncio

import pytest
from fakes import quotas
from rtp_fakes import VP8, VP8_RTX, Camera, pair

from aiortc_worker.rtp.outbound_stream import OutboundStream
from aiortc_worker.rtp.quality import BusyShare, FrameRate, QualityLimitation, limitation
from aiortc_worker.rtp.timeline import Timeline
from aiortc_worker.rtp.video_pipeline import VideoPipeline

CODECS = [VP8, VP8_RTX]


def test_frames_a_second_are_those_of_the_last_one():
    rate = FrameRate()
    for number in range(90):
        rate.count(number / 30)
    assert rate.of(2.99) == 30
    assert rate.of(3.5) == 14
    assert rate.of(4) == 0


@pytest.mark.parametrize(
    ("granted", "maximum", "is_busy", "reason"),
    [
        (1_000_000, 1_000_000, False, "none"),
        (999_000, 1_000_000, False, "none"),
        (500_000, 1_000_000, False, "bandwidth"),
        (0, 1_000_000, False, "bandwidth"),
        (500_000, 1_000_000, True, "cpu"),
    ],
)
def test_quality_is_limited_by_what_is_granted_or_by_encoders_that_are_busy(granted, maximum, is_busy, reason):
    assert limitation(granted, maximum, is_busy) == reason


def test_one_late_frame_is_no_limit_and_every_fifth_is():
    share = BusyShare()
    share.came(True)
    assert not share.is_much
    for number in range(50):
        share.came(number % 5 == 0)
    assert share.is_much
    for _ in range(50):
        share.came(False)
    assert not share.is_much


def test_durations_add_up_to_the_time_since_the_first_frame():
    limited = QualityLimitation()
    assert set(limited.durations(5).values()) == {0}
    limited.take("none", 10)
    limited.take("bandwidth", 12)
    limited.take("bandwidth", 12.5)
    limited.take("none", 13)
    assert limited.durations(14) == {"none": 3, "cpu": 0, "bandwidth": 1, "other": 0}
    assert limited.durations(15)["none"] == 4


@pytest.mark.parametrize(
    ("share", "waits", "reason"), [(1.0, 0, "none"), (0.5, 0, "bandwidth"), (0.0, 0, "bandwidth"), (0.5, 3, "cpu")]
)
async def test_a_pipeline_tells_what_limits_it(share, waits, reason):
    async def run(work, *args):
        return work(*args)

    pipeline = VideoPipeline(Timeline(90_000), run, quotas().encoded_pixels)
    stream = OutboundStream(1, None, lambda _packet, _more: 100)
    stream.active = True
    pipeline.configure(VP8, [stream])
    camera = Camera()
    for _ in range(10):
        for _ in range(1 + waits):
            pipeline.put(camera.picture())
        stream.flow.granted = int(stream.flow.maximum * share)
        await pipeline.step()
    assert stream.limitation.reason == reason


async def test_frames_a_second_are_told_at_both_ends():
    async with pair("video") as link:
        camera = Camera(rate=20).start()
        await link.start(CODECS, camera)
        await asyncio.sleep(2)
        for end in (link.sender, link.receiver):
            # A machine that is busy has fewer.
            assert 5 < (await end.getStats()).streams[0].frames_per_second <= 25
        durations = (await link.sender.getStats()).streams[0].quality_limitation_durations
        assert 1 < sum(durations.values()) <= 2.5
        await camera.stop()
        await asyncio.sleep(1.5)
        for end in (link.sender, link.receiver):
            assert (await end.getStats()).streams[0].frames_per_second == 0


async def test_pictures_beyond_the_share_of_encoding_are_dropped_and_cpu_is_the_reason():
    encoded = 0

    async def run(work, *args):
        nonlocal encoded
        encoded += 1
        return work(*args)

    camera = Camera(320, 240)
    share = quotas(encoded_pixels=5 * 320 * 240).encoded_pixels
    pipeline, other = (VideoPipeline(Timeline(90_000), run, share) for _ in range(2))
    stream, idle = (OutboundStream(ssrc, None, lambda _packet, _more: 100) for ssrc in (1, 2))
    for each, its in ((pipeline, stream), (other, idle)):
        its.active = True
        each.configure(VP8, [its])
    for _ in range(20):
        pipeline.put(camera.picture())
        stream.flow.granted = stream.flow.maximum
        await pipeline.step()
    # A second's worth, and what the bucket got meanwhile.
    assert 5 <= encoded <= 9
    assert stream.limitation.reason == "cpu"
    assert share.refused == 20 - encoded
    # What is wanted of a picture that was dropped is wanted of the next.
    other.put(camera.picture())
    idle.flow.granted = 1_000_000
    await other.step()
    assert idle.keyframe_wanted
    await asyncio.sleep(1)
    before = encoded
    other.put(camera.picture())
    await other.step()
    assert encoded == before + 1
    assert idle.stats.key_frames_encoded == 1
