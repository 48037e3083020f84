"""The file source: real time, lip-sync, loops without a seam, and getUserMedia's errors."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio
from media_session import MediaSession, Sink, wait_for

from aiortc_worker.media import testcode
from aiortc_worker.media.container import Container
from aiortc_worker.media.media_source import MediaSource
from aiortc_worker.media.pattern import Picture, Tone
from aiortc_worker.media.settings import AudioConstraints, VideoConstraints
from aiortc_worker.session.remote import CallError

SAMPLE = Path(__file__).parents[2] / "demo" / "media"
BOTH = {"audio": AudioConstraints(), "video": VideoConstraints()}


@pytest_asyncio.fixture
async def session() -> AsyncIterator[MediaSession]:
    session = MediaSession()
    yield session
    await session.close()


def write(
    path: Path, seconds: float, *, video: str | None = "libvpx", audio: str | None = "libopus", size: int = 64
) -> Path:
    """A file with pictures of ten a second and a tone of 500 Hz."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(video, rate=10) if video else None
        rate = 48000 if audio == "libopus" else 44100
        sound = container.add_stream(audio, rate=rate, layout="mono") if audio else None
        if pictures:
            pictures.width = pictures.height = size
            pictures.pix_fmt = "yuvj444p" if video == "mjpeg" else "yuv420p"
            pictures.options = {"auto-alt-ref": "0"} if video == "libvpx" else {}
            picture = Picture(size, size, Fraction(10), 3)
            for number in range(round(seconds * 10)):
                container.mux(pictures.encode(picture.draw(number)))
            container.mux(pictures.encode(None))
        if sound:
            resampler = av.AudioResampler(sound.format, "mono", rate, sound.codec_context.frame_size or 441)
            tone = Tone(500, 1)
            drawn = [tone.draw(number) for number in range(round(seconds * 50))]
            for frame in [each for one in [*drawn, None] for each in resampler.resample(one)]:
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return path


async def play(session: MediaSession, path: Path, **params: object) -> tuple[MediaSource, dict[str, Sink]]:
    source = session.source("file", source=str(path), **(BOTH | params))
    await source.open()
    sinks = {kind: Sink() for kind in source.feed.outputs}
    for kind, sink in sinks.items():
        source.output(kind).attach(sink)
    return source, sinks


async def test_who_consumes_a_file_before_it_is_open_gets_it_then(session: MediaSession) -> None:
    source = session.source("file", source=str(SAMPLE / "sample.webm"), **BOTH)
    sinks = [Sink(), Sink()]
    for kind, sink in zip(("audio", "video"), sinks, strict=True):
        source.output(kind).attach(sink)
    await source.open()
    for sink in sinks:
        await sink.until(3)


@pytest.mark.parametrize("name", ["sample.webm", "sample.mp4"])
async def test_a_file_plays_in_real_time_and_lip_sync(session: MediaSession, name: str) -> None:
    source, sinks = await play(session, SAMPLE / name)
    opened = source.feed._container.opened
    assert (opened.video.width, opened.video.height, opened.video.frame_rate) == (320, 240, 15)
    assert (opened.audio.sample_rate, opened.audio.channel_count) == (48000, 1)
    await sinks["audio"].until(50)
    codes = [testcode.decode(frame.to_ndarray()[:240]) for frame in sinks["video"].frames]
    assert codes == [(1515, number) for number in range(len(codes))]
    assert len(codes) in (14, 15, 16)
    late = {kind: np.array(sink.arrivals) - np.array(sink.times) for kind, sink in sinks.items()}
    assert abs(np.median(late["audio"]) - np.median(late["video"])) < 0.05
    assert np.ptp(late["audio"]) < 0.5


async def test_frames_are_what_the_seam_promises(session: MediaSession, tmp_path: Path) -> None:
    path = write(tmp_path / "odd.mkv", 0.5, video="mjpeg", audio="pcm_s24le", size=66)
    _, sinks = await play(session, path)
    await wait_for(lambda: sinks["video"].has_ended and sinks["audio"].has_ended)
    for frame in sinks["audio"].frames:
        assert (frame.format.name, frame.sample_rate, frame.samples) == ("s16", 48000, 960)
    assert set(np.diff([frame.pts for frame in sinks["audio"].frames])) == {960}
    assert len(sinks["audio"].frames) == 25
    for frame in sinks["video"].frames:
        assert (frame.format.name, frame.width % 2, frame.pict_type) == ("yuv420p", 0, 0)


async def test_the_end_is_told_to_consumers_and_by_event(session: MediaSession, tmp_path: Path) -> None:
    _, sinks = await play(session, write(tmp_path / "short.webm", 0.3))
    await wait_for(lambda: session.events == [("MediaSource", "ended")])
    assert all(sink.has_ended for sink in sinks.values())
    assert len(sinks["video"].frames) == 3


async def test_a_loop_has_no_seam(session: MediaSession, tmp_path: Path) -> None:
    _, sinks = await play(session, write(tmp_path / "loop.webm", 0.4), loop=True)
    await sinks["audio"].until(65)
    assert set(np.diff([frame.pts for frame in sinks["audio"].frames])) == {960}
    assert np.diff(sinks["video"].times) == pytest.approx(0.1, abs=0.002)
    counters = [testcode.decode(frame.to_ndarray()[:64]).counter for frame in sinks["video"].frames]
    assert counters[:9] == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    # The tone goes on through the seam: 0.4 s are 200 whole periods.
    sound = np.concatenate([frame.to_ndarray()[0] for frame in sinks["audio"].frames]).astype(float)
    crossings = np.flatnonzero((sound[:-1] < 0) & (sound[1:] >= 0))
    assert abs(np.diff(crossings) - 96).max() <= 8


async def test_it_stands_still_while_nobody_consumes(session: MediaSession) -> None:
    source, sinks = await play(session, SAMPLE / "sample.webm")
    await sinks["video"].until(3)
    for kind, sink in sinks.items():
        source.output(kind).detach(sink)
    count = len(sinks["video"].frames)
    await asyncio.sleep(0.4)
    assert len(sinks["video"].frames) == count
    source.output("video").attach(sinks["video"])
    await sinks["video"].until(count + 5)
    codes = [testcode.decode(frame.to_ndarray()[:240]).counter for frame in sinks["video"].frames]
    assert codes == list(range(len(codes)))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Times of the frames that were read ahead."""
    times: list[float] = []
    original = Container.read

    def noting(self: Container, seconds: float) -> object:
        block = original(self, seconds)
        times.extend(timed.time for timed in block)
        return block

    monkeypatch.setattr(Container, "read", noting)
    return times


async def test_it_reads_ahead_no_more_than_it_must(session: MediaSession, read: list[float]) -> None:
    _, sinks = await play(session, SAMPLE / "sample.webm")
    await sinks["audio"].until(20)
    assert max(read) < sinks["audio"].times[-1] + 1.0


async def test_one_kind_that_ends_early_does_not_hold_up_the_other(
    session: MediaSession, read: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "short-sound.mkv"
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mjpeg", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuvj420p"
        sound = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        container.mux(sound.encode(Tone(500, 1).draw(0)))
        picture = Picture(64, 64, Fraction(10), 3)
        for number in range(100):
            container.mux(pictures.encode(picture.draw(number)))
    _, sinks = await play(session, path)
    await sinks["video"].until(15)
    assert np.diff(sinks["video"].arrivals) == pytest.approx(0.1, abs=0.05)
    assert len(sinks["audio"].frames) == 1
    assert max(read) < sinks["video"].times[-1] + 2.0


async def test_reading_that_is_late_delays_both_kinds_alike(
    session: MediaSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Container.read
    stall = [0.0, 0.0, 0.0, 1.2]

    def slow(self: Container, seconds: float) -> object:
        time.sleep(stall.pop(0) if stall else 0)
        return original(self, seconds)

    monkeypatch.setattr(Container, "read", slow)
    _, sinks = await play(session, SAMPLE / "sample.webm")
    await wait_for(lambda: bool(sinks["audio"].times) and sinks["audio"].times[-1] > 1.2)
    late = {kind: np.array(sink.arrivals) - np.array(sink.times) for kind, sink in sinks.items()}
    delay = {kind: each[-3:].mean() - each[:3].mean() for kind, each in late.items()}
    assert delay["audio"] > 0.5
    assert delay["video"] == pytest.approx(delay["audio"], abs=0.05)
    assert np.diff(sinks["audio"].times) == pytest.approx(0.02)


async def test_only_the_kinds_asked_for_are_opened(session: MediaSession) -> None:
    source = session.source("file", source=str(SAMPLE / "sample.webm"), video=VideoConstraints())
    opened = await source.open()
    assert opened.audio is None
    assert list(source.feed.outputs) == ["video"]


async def test_a_file_url_is_a_path(session: MediaSession) -> None:
    source = session.source("file", source=(SAMPLE / "sample.webm").as_uri(), **BOTH)
    assert (await source.open()).video.width == 320


@pytest.mark.parametrize("name", ["missing.webm", "sample.webm/below"])
async def test_a_missing_file_is_not_found_and_named(session: MediaSession, name: str) -> None:
    path = SAMPLE / name
    with pytest.raises(CallError, match=str(path)) as error:
        await session.source("file", source=str(path), **BOTH).open()
    assert error.value.name == "NotFoundError"


async def test_what_is_no_media_is_not_readable(session: MediaSession, tmp_path: Path) -> None:
    text, pipe = tmp_path / "text.webm", tmp_path / "pipe"
    text.write_text("no media at all")
    os.mkfifo(pipe)
    for path in (text, pipe, tmp_path, Path("bad\0name")):
        with pytest.raises(CallError) as error:
            await session.source("file", source=str(path), **BOTH).open()
        assert error.value.name == "NotReadableError"


async def test_a_file_without_a_kind_is_not_found(session: MediaSession, tmp_path: Path) -> None:
    path = write(tmp_path / "silent.webm", 0.2, audio=None)
    with pytest.raises(CallError, match="no audio") as error:
        await session.source("file", source=str(path), **BOTH).open()
    assert error.value.name == "NotFoundError"


async def test_a_truncated_file_plays_as_far_as_it_goes(session: MediaSession, tmp_path: Path) -> None:
    whole = (SAMPLE / "sample.webm").read_bytes()
    path = tmp_path / "cut.webm"
    path.write_bytes(whole[: len(whole) // 8])
    _, sinks = await play(session, path)
    await wait_for(lambda: session.events == [("MediaSource", "ended")])
    assert len(sinks["video"].frames) > 3
    assert not session.failures


async def test_without_the_capability_a_file_is_not_allowed() -> None:
    session = MediaSession(frozenset())
    with pytest.raises(CallError) as error:
        session.source("file", source=str(SAMPLE / "sample.webm"), **BOTH)
    assert error.value.name == "NotAllowedError"
