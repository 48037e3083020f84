"""Tracks, readers and writers: what stands between a source and those who take its frames."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from media_session import MediaSession, Sink, wait_for

from aiortc_worker.media import testcode
from aiortc_worker.media.frame_reader import FrameReader
from aiortc_worker.media.frame_writer import MOST_PENDING, FrameWriter
from aiortc_worker.media.pattern import Tone
from aiortc_worker.media.settings import AudioConstraints, VideoConstraints
from aiortc_worker.media.track import Enabled, Track
from aiortc_worker.session.remote import CallError
from aiortc_worker.session.wire import CREDIT, CREDIT_ABSOLUTE, MEDIA, MEDIA_CONTINUES, MEDIA_MORE


@pytest_asyncio.fixture
async def session() -> AsyncIterator[MediaSession]:
    session = MediaSession()
    yield session
    await session.close()
    assert not session.failures


async def opened(session: MediaSession, kind: str) -> Track:
    source = session.source()
    await source.open()
    return session.track(source, kind)


async def test_a_disabled_track_is_black_at_the_pace_of_its_source(session: MediaSession) -> None:
    track, sink = await opened(session, "video"), Sink()
    track.attach(sink)
    await sink.until(3)
    await track.setEnabled(Enabled(False))
    start = len(sink.frames)
    await sink.until(start + 6)
    await track.setEnabled(Enabled(True))
    end = len(sink.frames)
    await sink.until(end + 3)
    for frame in sink.frames[start:end]:
        picture = frame.to_ndarray()
        assert (frame.width, frame.height) == (160, 120)
        assert set(np.unique(picture[:120])) == {16}
        assert set(np.unique(picture[120:])) == {128}
    assert testcode.decode(sink.frames[end].to_ndarray()[:120])
    assert np.diff(sink.times) == pytest.approx(1 / 30, abs=0.035)


async def test_a_disabled_track_is_silent(session: MediaSession) -> None:
    track, sink = await opened(session, "audio"), Sink()
    await track.setEnabled(Enabled(False))
    track.attach(sink)
    await sink.until(5)
    await track.setEnabled(Enabled(True))
    end = len(sink.frames)
    await sink.until(end + 2)
    assert not any(frame.to_ndarray().any() for frame in sink.frames[:end])
    assert sink.frames[end].to_ndarray().any()
    assert set(np.diff([frame.pts for frame in sink.frames])) == {960}


async def test_disabling_one_track_leaves_its_sibling(session: MediaSession) -> None:
    source = session.source(video=VideoConstraints(width=160, height=120))
    await source.open()
    tracks, sinks = [session.track(source, "video") for _ in range(2)], [Sink(), Sink()]
    for track, sink in zip(tracks, sinks, strict=True):
        track.attach(sink)
    await tracks[0].setEnabled(Enabled(False))
    await sinks[1].until(2)
    assert testcode.decode(sinks[0].frames[-1].to_ndarray()[:120]) is None
    assert testcode.decode(sinks[1].frames[-1].to_ndarray()[:120])


async def test_stop_ends_the_track_and_not_its_source(session: MediaSession) -> None:
    source = session.source(video=VideoConstraints(width=160, height=120))
    await source.open()
    stopped, other = session.track(source, "video"), session.track(source, "video")
    sinks = [Sink(), Sink()]
    stopped.attach(sinks[0])
    other.attach(sinks[1])
    await sinks[0].until(1)
    await stopped.stop()
    assert sinks[0].has_ended
    await sinks[1].until(len(sinks[1].frames) + 2)
    assert session.events == []


async def test_a_track_that_nobody_consumes_hears_of_the_end(session: MediaSession) -> None:
    source = session.source()
    await source.open()
    session.track(source, "audio")
    source.output("audio").end()
    assert session.events == [("Track", "ended")]


async def test_a_track_of_the_wrong_kind_or_of_no_source_is_refused(session: MediaSession) -> None:
    source = session.source(video=VideoConstraints())
    with pytest.raises(CallError, match="no audio"):
        session.track(source, "audio")
    with pytest.raises(CallError, match="no source of video"):
        session.track(session.track(source, "video"), "video")


def credit(reader: FrameReader, frames: int, flags: int = 0) -> None:
    reader.receive(CREDIT, flags, memoryview(frames.to_bytes(4, "big")))


def headers(session: MediaSession) -> list[Any]:
    return [json.loads(header) for header, _ in session.sent]


async def test_a_reader_sends_one_frame_a_credit(session: MediaSession) -> None:
    track = await opened(session, "video")
    reader = session.add(FrameReader, track=track.id)
    await asyncio.sleep(0.1)
    assert session.sent == []
    credit(reader, 2)
    await wait_for(lambda: len(session.sent) == 2)
    await asyncio.sleep(0.1)
    assert len(session.sent) == 2
    header, planes = session.sent[0]
    assert json.loads(header) | {"timestamp": 0} == {
        "timestamp": 0,
        "format": "I420",
        "width": 160,
        "height": 120,
        "duration": None,
        "rotation": 0,
    }
    assert len(planes) == 160 * 120 * 3 // 2
    assert testcode.decode(np.frombuffer(planes, np.uint8)[: 160 * 120].reshape(120, 160))


async def test_padding_of_planes_is_left_out(session: MediaSession) -> None:
    source = session.source(video=VideoConstraints(width=74, height=50))
    await source.open()
    credit(session.add(FrameReader, track=session.track(source, "video").id), 1)
    await wait_for(lambda: len(session.sent) == 1)
    _, planes = session.sent[0]
    assert len(planes) == 74 * 50 * 3 // 2
    assert testcode.decode(np.frombuffer(planes, np.uint8)[: 74 * 50].reshape(50, 74))


async def test_a_reader_without_credit_keeps_the_latest_picture(session: MediaSession) -> None:
    reader = session.add(FrameReader, track=(await opened(session, "video")).id)
    credit(reader, 1)
    await wait_for(lambda: len(session.sent) == 1)
    await asyncio.sleep(0.3)
    credit(reader, 1)
    assert len(session.sent) == 2
    first, second = headers(session)
    assert second["timestamp"] - first["timestamp"] > 200_000


async def test_a_reader_without_credit_keeps_a_second_of_sound(session: MediaSession) -> None:
    track = await opened(session, "audio")
    reader = session.add(FrameReader, track=track.id)
    credit(reader, 1)
    await wait_for(lambda: len(session.sent) == 1)
    for _ in range(80):
        track.frame(Tone(440, 1).draw(0))
    credit(reader, 1000, CREDIT_ABSOLUTE)
    assert len(session.sent) == 51
    assert headers(session)[1] | {"timestamp": 0} == {
        "timestamp": 0,
        "format": "s16",
        "sampleRate": 48000,
        "numberOfChannels": 1,
        "numberOfFrames": 960,
    }
    assert len(session.sent[1][1]) == 1920


async def test_the_end_follows_the_last_frame_and_waits_for_no_credit(session: MediaSession) -> None:
    track = await opened(session, "video")
    reader = session.add(FrameReader, track=track.id)
    credit(reader, 1)
    await wait_for(lambda: len(session.sent) == 1)
    await asyncio.sleep(0.1)
    await track.stop()
    assert len(session.sent) == 2
    assert session.events == [("FrameReader", "ended")]
    credit(reader, 5)
    assert session.events == [("FrameReader", "ended")]


async def test_a_reader_of_an_ended_track_ends(session: MediaSession) -> None:
    track = await opened(session, "video")
    await track.stop()
    credit(session.add(FrameReader, track=track.id), 1)
    assert session.events == [("FrameReader", "ended")]


def media(header: dict[str, Any], planes: bytes) -> bytes:
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(4, "big") + encoded + planes


def picture(timestamp: int, level: int = 100) -> bytes:
    header = {"timestamp": timestamp, "duration": None, "format": "I420", "width": 32, "height": 32, "rotation": 0}
    return media(header, bytes([level]) * (32 * 32 * 3 // 2))


async def writer_of(session: MediaSession, kind: str) -> tuple[FrameWriter, Sink]:
    constraints = {"audio": AudioConstraints()} if kind == "audio" else {"video": VideoConstraints()}
    source = session.source("frames", **constraints)
    await source.open()
    sink = Sink()
    session.track(source, kind).attach(sink)
    return session.add(FrameWriter, source=source.id), sink


async def test_written_pictures_reach_the_track_in_chunks_and_whole(session: MediaSession) -> None:
    writer, sink = await writer_of(session, "video")
    ahead = session.credits
    writer.receive(MEDIA, 0, memoryview(picture(0)))
    second = picture(33_000, 200)
    writer.receive(MEDIA, MEDIA_MORE, memoryview(second[:500]))
    writer.receive(MEDIA, MEDIA_CONTINUES, memoryview(second[500:]))
    assert [round(seconds, 3) for seconds in sink.times] == [0, 0.033]
    assert [int(frame.to_ndarray()[0, 0]) for frame in sink.frames] == [100, 200]
    assert session.credits == ahead + 2


async def test_a_frame_whose_rest_never_came_is_forgotten(session: MediaSession) -> None:
    writer, sink = await writer_of(session, "video")
    writer.receive(MEDIA, MEDIA_MORE, memoryview(picture(0)[:500]))
    writer.receive(MEDIA, 0, memoryview(picture(1000, 50)))
    assert [int(frame.to_ndarray()[0, 0]) for frame in sink.frames] == [50]


async def test_pictures_whose_timestamps_begin_anew_are_seen_after_those_before(session: MediaSession) -> None:
    writer, sink = await writer_of(session, "video")
    for timestamp in (500_000, 533_000):
        writer.receive(MEDIA, 0, memoryview(picture(timestamp)))
    await asyncio.sleep(0.1)
    for timestamp in (0, 33_000):
        writer.receive(MEDIA, 0, memoryview(picture(timestamp)))
    first, second, third, fourth = sink.times
    assert (first, second) == pytest.approx((0.5, 0.533))
    assert third - second == pytest.approx(0.1, abs=0.09)
    assert third - second >= 0.1
    assert fourth - third == pytest.approx(0.033, abs=0.001)


async def test_written_pictures_of_any_format_are_seen_as_i420(session: MediaSession) -> None:
    writer, sink = await writer_of(session, "video")
    red = {"RGBA": [255, 0, 0, 255], "RGBX": [255, 0, 0, 0], "BGRA": [0, 0, 255, 0], "BGRX": [0, 0, 255, 255]}
    for number, (format, pixel) in enumerate(red.items()):
        header = {"timestamp": number * 33_000, "format": format, "width": 34, "height": 30}
        writer.receive(MEDIA, 0, memoryview(media(header, bytes(pixel) * (34 * 30))))
    header = {"timestamp": 200_000, "format": "NV12", "width": 34, "height": 30}
    writer.receive(MEDIA, 0, memoryview(media(header, bytes([81]) * (34 * 30) + bytes([90, 240]) * (17 * 15))))
    await sink.until(5)
    for frame in sink.frames:
        assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 34, 30)
        luma, u, v = frame.to_ndarray()[:30], *np.split(frame.to_ndarray()[30:].reshape(-1), 2)
        for plane, value in ((luma, 81), (u, 90), (v, 240)):
            assert np.abs(plane.astype(int) - value).max() <= 1
    assert sink.times == sorted(sink.times)
    assert session.credits == 5


async def test_pictures_that_no_credit_allowed_are_refused(session: MediaSession) -> None:
    writer, sink = await writer_of(session, "video")
    for number in range(MOST_PENDING + 1):
        header = {"timestamp": number * 33_000, "format": "NV12", "width": 34, "height": 30}
        record = memoryview(media(header, bytes(34 * 30 * 3 // 2)))
        if number == MOST_PENDING:
            with pytest.raises(CallError, match="without credit"):
                writer.receive(MEDIA, 0, record)
        else:
            writer.receive(MEDIA, 0, record)
    await sink.until(MOST_PENDING)
    writer.receive(MEDIA, 0, memoryview(picture(10_000_000)))
    assert len(sink.frames) == MOST_PENDING + 1


async def test_a_picture_that_takes_long_is_made_beside_the_loop_and_those_behind_it_wait(
    session: MediaSession,
) -> None:
    writer, sink = await writer_of(session, "video")
    width, height = 2049, 1089
    planes = bytes(width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2))
    header = {"timestamp": 0, "format": "I420", "width": width, "height": height}
    writer.receive(MEDIA, 0, memoryview(media(header, planes)))
    writer.receive(MEDIA, 0, memoryview(picture(33_000)))
    assert sink.frames == []
    await sink.until(2)
    assert [frame.width for frame in sink.frames] == [2048, 32]


async def test_reset_drops_the_sound_and_the_picture_that_wait(session: MediaSession) -> None:
    writer, sink = await writer_of(session, "audio")
    header = {"timestamp": 0, "format": "u8", "sampleRate": 8000, "numberOfChannels": 1, "numberOfFrames": 8000}
    writer.receive(MEDIA, 0, memoryview(media(header, bytes([255]) * 8000)))
    await sink.until(3)
    await writer.reset()
    heard = len(sink.frames)
    await sink.until(heard + 5)
    loud = [frame.to_ndarray().any() for frame in sink.frames]
    assert loud == [True] * heard + [False] * (len(loud) - heard)
    source = session.source("frames", video=VideoConstraints())
    pictures = session.add(FrameWriter, source=source.id)
    pictures.receive(MEDIA, 0, memoryview(picture(0)))
    await pictures.reset()
    late = Sink()
    session.track(source, "video").attach(late)
    await asyncio.sleep(0.05)
    assert late.frames == []


async def test_a_reader_gives_pictures_in_the_format_it_was_asked_for(session: MediaSession) -> None:
    writer, _ = await writer_of(session, "video")
    track = session.get(2, Track)
    reader = session.add(FrameReader, track=track.id, format="BGRA")
    credit(reader, 1)
    grey = {"timestamp": 0, "format": "I420", "width": 32, "height": 32}
    writer.receive(MEDIA, 0, memoryview(media(grey, bytes([126]) * 1024 + bytes([90]) * 256 + bytes([240]) * 256)))
    await wait_for(lambda: len(session.sent) == 1)
    header, planes = session.sent[0]
    assert json.loads(header)["format"] == "BGRA"
    pixels = np.frombuffer(planes, np.uint8).reshape(32, 32, 4)
    assert np.abs(pixels.astype(int) - [52, 53, 255, 255]).max() <= 3
    await track.stop()
    assert session.events[-1] == ("FrameReader", "ended")


async def test_a_reader_that_nobody_asks_lets_go_of_the_track(
    session: MediaSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiortc_worker.media.frame_reader.IDLE", 0.1)
    track = await opened(session, "video")
    reader = session.add(FrameReader, track=track.id)
    assert not track.demanded
    credit(reader, 1)
    assert track.demanded
    await wait_for(lambda: len(session.sent) == 1)
    await wait_for(lambda: not track.demanded)
    credit(reader, 1)
    await wait_for(lambda: len(session.sent) == 2)
    first, second = headers(session)
    assert second["timestamp"] - first["timestamp"] > 100_000
    await wait_for(lambda: not track.demanded)
    await track.stop()
    assert session.events[-1] == ("FrameReader", "ended")


async def test_a_picture_written_before_anybody_looks_is_kept_and_its_credit_too(session: MediaSession) -> None:
    source = session.source("frames", video=VideoConstraints())
    writer = session.add(FrameWriter, source=source.id)
    track, sink = session.track(source, "video"), Sink()
    ahead = session.credits
    writer.receive(MEDIA, 0, memoryview(picture(0, 100)))
    writer.receive(MEDIA, 0, memoryview(picture(33_000, 200)))
    assert session.credits == ahead
    track.attach(sink)
    await sink.until(1)
    assert [int(frame.to_ndarray()[0, 0]) for frame in sink.frames] == [200]
    assert session.credits == ahead + 2
    track.detach(sink)
    writer.receive(MEDIA, 0, memoryview(picture(66_000, 50)))
    assert session.credits == ahead + 2


async def test_sound_written_before_anybody_listens_is_dropped_and_its_credit_kept(session: MediaSession) -> None:
    source = session.source("frames", audio=AudioConstraints())
    writer = session.add(FrameWriter, source=source.id)
    header = {"format": "s16", "sampleRate": 48000, "numberOfChannels": 1, "numberOfFrames": 960}
    frames = [media(header | {"timestamp": number * 20_000}, bytes(1920)) for number in range(3)]
    ahead = session.credits
    for frame in frames[:2]:
        writer.receive(MEDIA, 0, memoryview(frame))
    assert session.credits == ahead
    sink = Sink()
    session.track(source, "audio").attach(sink)
    await wait_for(lambda: session.credits == ahead + 2)
    writer.receive(MEDIA, 0, memoryview(frames[2]))
    assert [frame.pts for frame in sink.frames] == [1920]
    assert session.credits == ahead + 3


async def test_a_writer_says_when_its_source_begins_and_ceases_to_be_consumed(session: MediaSession) -> None:
    source = session.source("frames", video=VideoConstraints())
    track, sink = session.track(source, "video"), Sink()
    session.add(FrameWriter, source=source.id)
    await asyncio.sleep(0.01)
    assert session.events == []
    # Who leaves in the turn in which another comes makes no change.
    track.attach(sink)
    track.detach(sink)
    track.attach(sink)
    await asyncio.sleep(0.01)
    track.detach(sink)
    track.attach(sink)
    await asyncio.sleep(0.01)
    assert session.events == [("FrameWriter", "demand")]
    track.detach(sink)
    await asyncio.sleep(0.01)
    assert session.events == [("FrameWriter", "demand")] * 2


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        media({"format": "I420"}, b""),
        media({"format": "I422", "timestamp": 0}, b""),
        picture(0)[:-1],
        picture(0).replace(b'"width": 32', b'"width": 31'),
        b"\xff\xff\xff\xff{}",
    ],
)
async def test_what_is_no_frame_is_refused_and_the_writer_goes_on(session: MediaSession, bad: bytes) -> None:
    writer, sink = await writer_of(session, "video")
    with pytest.raises(CallError):
        writer.receive(MEDIA, 0, memoryview(bad))
    writer.receive(MEDIA, 0, memoryview(picture(10)))
    assert len(sink.frames) == 1
