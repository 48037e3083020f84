"""What an application gets that wishes for a longer buffer."""

from __future__ import annotations

import asyncio
from itertools import accumulate, pairwise

import pytest
from rtp_fakes import OPUS, VP8, VP8_RTX, Camera, Tone, pair

from aiortc_worker.rtp.coded_frame import CodedFrame
from aiortc_worker.rtp.jitter_target import LIMIT, JitterTarget
from aiortc_worker.rtp.rtp_receiver import JitterBufferTarget
from aiortc_worker.session.remote import CallError

FRAME = CodedFrame(timestamp=0, payload_type=96, data=b"", keyframe=False)
RATE = 1000
"Of the timestamps below: they are milliseconds."


def play(jitter: JitterTarget, arrivals: list[float]) -> list[tuple[int, float]]:
    """Frames of 20 ms that come at `arrivals`, in milliseconds: the index of each, and when it was given out."""
    given: list[tuple[int, float]] = []
    last = int(max(arrivals) + jitter.target * 1000) + 100
    for now in range(0, last, 5):
        for index, came in enumerate(arrivals):
            if now - 5 < came <= now:
                jitter.put(FRAME, index * 20, RATE, now / 1000)
        given += [(ripe.timestamp // 20, now) for ripe in jitter.ripe(now / 1000)]
    return given


def test_without_a_target_frames_go_on_as_they_come() -> None:
    arrivals = [0.0, 20.0, 90.0, 90.0, 95.0]
    assert play(JitterTarget(), arrivals) == list(enumerate([0, 20, 90, 90, 95]))


def test_a_target_restores_the_pace_at_which_frames_were_made() -> None:
    jitter = JitterTarget()
    jitter.target = 0.1
    arrivals = list(accumulate((index * 20.0 + (37 * index) % 60 for index in range(100)), max))
    given = play(jitter, arrivals)
    assert [index for index, _ in given] == list(range(100))
    assert all(15 <= after - before <= 25 for (_, before), (_, after) in pairwise(given[20:]))
    assert all(95 <= at - index * 20 <= 120 for index, at in given[20:])


def test_what_comes_later_than_the_target_goes_at_once() -> None:
    jitter = JitterTarget()
    jitter.target = 0.1
    assert play(jitter, [0, 20, 240, 240, 240, 240])[2:4] == [(2, 240), (3, 240)]


def test_a_lower_target_lets_go_what_it_no_longer_holds() -> None:
    jitter = JitterTarget()
    jitter.target = 1.0
    for index in range(10):
        jitter.put(FRAME, index * 20, RATE, index * 0.02)
    assert jitter.ripe(0.2) == []
    jitter.target = 0.1
    assert len(jitter.ripe(0.2)) == 6
    jitter.target = 0
    assert len(jitter.ripe(0.2)) == 4


def test_another_timeline_is_not_held_by_the_old_one() -> None:
    jitter = JitterTarget()
    jitter.target = 0.1
    jitter.put(FRAME, 1_000_000, RATE, 0.0)
    jitter.put(FRAME, 20, RATE, 0.02)
    assert jitter.ripe(0.05) == []
    assert len(jitter.ripe(0.13)) == 2


def test_a_flood_is_not_kept() -> None:
    jitter = JitterTarget()
    jitter.target = 4.0
    for index in range(LIMIT + 10):
        jitter.put(FRAME, index, RATE, 0.0)
    assert len(jitter.ripe(0.0)) == 10


def test_sound_comes_to_a_target_as_it_is_stretched_and_to_one_that_is_as_good_as_reached_at_once() -> None:
    jitter = JitterTarget(moves=True)
    jitter.target = 0.1
    assert jitter.missing == 0
    jitter.put(FRAME, 0, RATE, 0.0)
    jitter.target = 0.2
    assert jitter.missing == pytest.approx(0.1)
    jitter.moved(0.06)
    assert jitter.ripe(0.15) == []
    assert len(jitter.ripe(0.16)) == 1
    jitter.moved(0.039)
    assert jitter.missing == 0
    jitter.target = 0.201
    assert jitter.missing == 0


@pytest.mark.parametrize("kind", ["audio", "video"])
async def test_a_receiver_delays_by_its_target_says_so_and_catches_up(kind: str) -> None:
    async with pair(kind) as link:
        source = (Camera() if kind == "video" else Tone()).start()
        await link.start([VP8, VP8_RTX] if kind == "video" else [OPUS], source)
        await link.collector.wait(20)
        assert await delay(link.receiver) < 0.05
        await link.receiver.setJitterBufferTarget(JitterBufferTarget(400))
        # Until what was under way has passed; sound is stretched meanwhile.
        await asyncio.sleep(1 if kind == "video" else 3)
        assert 0.3 < await delay(link.receiver) < 0.6
        await link.receiver.setJitterBufferTarget(JitterBufferTarget(None))
        await asyncio.sleep(0.3 if kind == "video" else 3)
        assert await delay(link.receiver) < 0.05
        await source.stop()


async def test_a_target_outside_what_may_be_wished_is_refused() -> None:
    async with pair("audio") as link:
        for milliseconds in (-1, 4001, float("nan")):
            with pytest.raises(CallError) as error:
                await link.receiver.setJitterBufferTarget(JitterBufferTarget(milliseconds))
            assert error.value.name == "TypeError"


async def delay(receiver) -> float:
    """Seconds for which what is played in the next second was held back."""
    (before,) = (await receiver.getStats()).streams
    held, count = before.jitter_buffer_delay, before.jitter_buffer_emitted_count
    await asyncio.sleep(1)
    (after,) = (await receiver.getStats()).streams
    assert after.jitter_buffer_emitted_count > count
    return (after.jitter_buffer_delay - held) / (after.jitter_buffer_emitted_count - count)
