"""The test source: paced by the clock, in sync, and idle while nobody looks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from media_session import MediaSession, Sink

from aiortc_worker.media import testcode
from aiortc_worker.media.pattern import Picture
from aiortc_worker.media.settings import AudioConstraints, VideoConstraints
from aiortc_worker.session.remote import CallError


@pytest_asyncio.fixture
async def session() -> AsyncIterator[MediaSession]:
    session = MediaSession()
    yield session
    await session.close()
    assert not session.failures


async def test_it_says_what_it_gives(session: MediaSession) -> None:
    opened = await session.source(audio=AudioConstraints(channel_count=2), video=VideoConstraints()).open()
    assert (opened.audio.sample_rate, opened.audio.channel_count) == (48000, 2)
    assert (opened.video.width, opened.video.height, opened.video.frame_rate) == (640, 480, 30)


async def test_pictures_come_at_their_rate_with_the_code_asked_for(session: MediaSession) -> None:
    source = session.source(video=VideoConstraints(width=160, height=120, frame_rate=50, code=31))
    await source.open()
    sink = Sink()
    source.output("video").attach(sink)
    await sink.until(25)
    codes = [testcode.decode(frame.to_ndarray()[:120]) for frame in sink.frames]
    assert [code.code for code in codes] == [31] * len(codes)
    assert [code.counter for code in codes] == [frame.pts for frame in sink.frames]
    assert np.diff(sink.times) == pytest.approx(0.02, abs=0.021)
    # Each frame arrives when its pts says, whatever the ones before did.
    lateness = np.array(sink.arrivals) - np.array(sink.times)
    assert np.median(lateness) - lateness.min() < 0.1


async def test_the_tone_has_the_frequency_asked_for_without_a_gap(session: MediaSession) -> None:
    source = session.source(audio=AudioConstraints(frequency=1000, channel_count=2))
    await source.open()
    sink = Sink()
    source.output("audio").attach(sink)
    await sink.until(10)
    frame = sink.frames[0]
    assert (frame.format.name, frame.layout.name, frame.samples, frame.sample_rate) == ("s16", "stereo", 960, 48000)
    assert set(np.diff([each.pts for each in sink.frames])) == {960}
    left = np.concatenate([each.to_ndarray()[0, ::2] for each in sink.frames]).astype(float)
    crossings = np.flatnonzero((left[:-1] < 0) & (left[1:] >= 0))
    assert set(np.diff(crossings)) == {48}


async def test_audio_and_video_share_a_clock(session: MediaSession) -> None:
    source = session.source()
    await source.open()
    audio, video = Sink(), Sink()
    source.output("video").attach(video)
    await asyncio.sleep(0.1)
    source.output("audio").attach(audio)
    await audio.until(10)
    offsets = [np.median(np.array(sink.arrivals) - np.array(sink.times)) for sink in (audio, video)]
    assert abs(offsets[0] - offsets[1]) < 0.1


async def test_nothing_is_drawn_while_nobody_consumes_and_time_goes_on(session: MediaSession) -> None:
    source = session.source(video=VideoConstraints(width=160, height=120))
    await source.open()
    sink = Sink()
    output = source.output("video")
    output.attach(sink)
    await sink.until(3)
    output.detach(sink)
    count, last = len(sink.frames), sink.times[-1]
    await asyncio.sleep(0.2)
    assert len(sink.frames) == count
    output.attach(sink)
    await sink.until(count + 1)
    assert sink.times[count] > last + 0.15


async def test_a_stalled_loop_skips_pictures_and_catches_up_with_sound(session: MediaSession) -> None:
    source = session.source()
    await source.open()
    audio, video = Sink(), Sink()
    source.output("audio").attach(audio)
    source.output("video").attach(video)
    await audio.until(3)
    before = len(video.frames)
    time.sleep(0.25)  # noqa: ASYNC251 - the loop is to stall
    await audio.until(len(audio.frames) + 15)
    assert set(np.diff([frame.pts for frame in audio.frames])) == {960}
    assert max(np.diff([frame.pts for frame in video.frames[before - 1 :]])) >= 5
    assert all(np.diff(video.times) > 0)


async def test_who_consumes_it_before_it_is_open_gets_it_then(session: MediaSession) -> None:
    source = session.source()
    sinks = [Sink(), Sink()]
    for kind, sink in zip(("audio", "video"), sinks, strict=True):
        source.output(kind).attach(sink)
    await asyncio.sleep(0.05)
    assert not any(sink.frames for sink in sinks)
    await source.open()
    for sink in sinks:
        await sink.until(3)
        assert sink.times[0] < 0.05


async def test_all_consumers_get_every_frame(session: MediaSession) -> None:
    source = session.source(video=VideoConstraints(width=160, height=120))
    await source.open()
    sinks = [Sink(), Sink()]
    for sink in sinks:
        source.output("video").attach(sink)
    await sinks[0].until(3)
    assert sinks[0].times == sinks[1].times


async def test_closing_ends_it(session: MediaSession) -> None:
    source = session.source(video=VideoConstraints())
    await source.open()
    sink, late = Sink(), Sink()
    source.output("video").attach(sink)
    await sink.until(1)
    await source.close()
    source.output("video").attach(late)
    assert sink.has_ended
    assert late.has_ended
    assert session.events == [("MediaSource", "ended")]


async def test_a_source_gives_only_what_was_asked_for(session: MediaSession) -> None:
    source = session.source(video=VideoConstraints())
    with pytest.raises(CallError, match="no audio"):
        source.output("audio")
    with pytest.raises(CallError, match="audio, video or both"):
        session.source(audio=None, video=None)


async def test_a_picture_that_cannot_be_drawn_ends_it(session: MediaSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(self: Picture, number: int) -> None:
        raise MemoryError

    monkeypatch.setattr(Picture, "draw", no_memory)
    source = session.source(video=VideoConstraints(width=160, height=120))
    await source.open()
    ended = asyncio.Event()
    source.output("video").on_end(ended.set)
    sink = Sink()
    source.output("video").attach(sink)
    await asyncio.wait_for(ended.wait(), 5)
    await asyncio.sleep(0.01)
    assert sink.has_ended
    assert session.events == [("MediaSource", "ended")]
    assert [type(failure) for failure in session.failures] == [MemoryError]
    session.failures.clear()
