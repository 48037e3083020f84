"""What a session may have of sources, readers, files and memory for frames."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import av
import pytest
from media_session import MediaSession, Sink, wait_for
from test_media_track import credit, picture
from test_media_url import SAMPLE

from aiortc_worker.media.frame_converter import FrameConverter
from aiortc_worker.media.frame_reader import FrameReader
from aiortc_worker.media.frame_writer import FrameWriter
from aiortc_worker.media.pattern import Picture
from aiortc_worker.media.settings import AudioConstraints, VideoConstraints
from aiortc_worker.session.remote import CallError
from aiortc_worker.session.wire import MEDIA, MEDIA_CONTINUES, MEDIA_MORE

BOTH = {"audio": AudioConstraints(), "video": VideoConstraints()}
PICTURE_BYTES = 32 * 32 * 3 // 2


@asynccontextmanager
async def session_of(**limits: int) -> AsyncIterator[MediaSession]:
    """A session with less than the defaults, of which nothing is held at its end."""
    session = MediaSession(**limits)
    try:
        yield session
    finally:
        await session.close()
    session.holds.clear()
    quotas = session.quotas
    assert (quotas.sources.held, quotas.readers.held, quotas.files.held, quotas.held_bytes.held) == (0, 0, 0, 0)


# --- how many


async def test_sources_beyond_their_number_are_refused_and_one_that_closes_makes_room() -> None:
    async with session_of(sources=2) as session:
        first = session.source()
        session.source("frames")
        with pytest.raises(CallError, match=r"2 sources .*--limit sources=") as error:
            session.source()
        assert error.value.name == "NotReadableError"
        await first.close()
        session.source()
        assert len(session.warnings) == 1


async def test_files_and_urls_beyond_their_number_are_refused_and_test_sources_are_not() -> None:
    async with session_of(files=2) as session:
        first = session.source("file", source="/no/such/file")
        session.source("url", source="http://127.0.0.1:9/")
        with pytest.raises(CallError, match=r"2 files, URLs and devices .*--limit files=") as error:
            session.source("device")
        assert error.value.name == "NotReadableError"
        # Its traceback has what could not be made.
        del error
        session.source()
        await first.close()
        session.source("file", source="/no/such/file")


async def test_readers_beyond_their_number_are_refused_and_one_that_closes_makes_room() -> None:
    async with session_of(readers=1) as session:
        track = session.track(session.source(), "video")
        reader = session.add(FrameReader, track=track.id)
        with pytest.raises(CallError, match=r"read 1 tracks .*--limit readers=") as error:
            session.add(FrameReader, track=track.id)
        assert error.value.name == "QuotaExceededError"
        await reader.close()
        session.add(FrameReader, track=track.id)


# --- bytes held


async def test_a_reader_with_endless_credit_holds_no_more_than_the_session_may() -> None:
    one = 160 * 120 * 3 // 2
    async with session_of(held_bytes=4 * one + 3 * 160 * 120) as session:
        source = session.source(video=VideoConstraints(width=160, height=120, frame_rate=60))
        await source.open()
        reader = session.add(FrameReader, track=session.track(source, "video").id)
        credit(reader, 2**32 - 1)
        # The link takes nothing.
        await wait_for(lambda: session.quotas.held_bytes.refused > 3)
        assert len(session.sent) == 4
        assert len(session.warnings) == 1
        assert f"hold {4 * one + 3 * 160 * 120} bytes" in session.warnings[0]
        session.holds.clear()
        await wait_for(lambda: len(session.sent) == 8)
        await reader.close()
        session.holds.clear()


async def test_a_reader_of_another_format_counts_what_that_takes() -> None:
    async with session_of(held_bytes=160 * 120 * (3 + 4)) as session:
        source = session.source(video=VideoConstraints(width=160, height=120))
        await source.open()
        reader = session.add(FrameReader, track=session.track(source, "video").id, format="RGBA")
        credit(reader, 10)
        await wait_for(lambda: session.quotas.held_bytes.refused > 3)
        assert len(session.sent) == 1


async def test_a_test_picture_that_is_too_large_for_the_session_is_refused_when_it_is_opened() -> None:
    async with session_of() as session:
        size = VideoConstraints(width=7680, height=4320)
        for _ in range(5):
            await session.source(video=size).open()
        with pytest.raises(CallError, match=r"hold 536870912 bytes .*--limit heldBytes=") as error:
            await session.source(video=size).open()
        assert error.value.name == "NotReadableError"
        await session.source(video=VideoConstraints(width=640, height=360)).open()


async def test_frames_that_are_never_whole_are_bounded_together_and_the_next_whole_one_is_taken() -> None:
    whole = picture(0)
    async with session_of(held_bytes=3 * len(whole)) as session:
        source = session.source("frames", video=VideoConstraints())
        sink = Sink()
        session.track(source, "video").attach(sink)
        writer = session.add(FrameWriter, source=source.id)
        others: list[Any] = [session.add(FrameConverter, format="RGBA") for _ in range(3)]
        for each in others[:2]:
            each.receive(MEDIA, MEDIA_MORE, memoryview(whole))
        before = session.credits
        writer.receive(MEDIA, MEDIA_MORE, memoryview(whole)[:500])
        with pytest.raises(CallError, match="--limit heldBytes=") as error:
            others[2].receive(MEDIA, MEDIA_MORE, memoryview(whole))
        assert error.value.name == "QuotaExceededError"
        # What follows of a frame that was refused is nobody's error any more.
        others[2].receive(MEDIA, MEDIA_CONTINUES, memoryview(whole))
        with pytest.raises(CallError, match="--limit heldBytes="):
            writer.receive(MEDIA, MEDIA_CONTINUES | MEDIA_MORE, memoryview(bytes(len(whole))))
        writer.receive(MEDIA, MEDIA_CONTINUES, memoryview(whole))
        assert sink.frames == []
        # Or its program would wait for ever.
        assert session.credits == before + 1
        writer.receive(MEDIA, 0, memoryview(picture(1)))
        assert len(sink.frames) == 1
        assert session.quotas.held_bytes.held == 2 * len(whole)
        # A new frame on the same object replaces what was not whole.
        others[0].receive(MEDIA, MEDIA_MORE, memoryview(whole)[:10])
        assert session.quotas.held_bytes.held == len(whole) + 10


async def test_a_picture_counts_until_it_is_converted_and_sent() -> None:
    async with session_of() as session:
        converter = session.add(FrameConverter, format="RGBA")
        converter.receive(MEDIA, 0, memoryview(picture(0)))
        assert session.quotas.held_bytes.held == len(picture(0))
        await wait_for(lambda: len(session.sent) == 1)
        assert session.quotas.held_bytes.held == len(picture(0))
        session.holds.clear()
        await asyncio.sleep(0)
        assert session.quotas.held_bytes.held == 0


async def test_a_picture_that_waits_to_be_consumed_counts_and_one_that_has_no_room_is_dropped() -> None:
    async with session_of(held_bytes=len(picture(1000)) + PICTURE_BYTES) as session:
        writers = []
        for _ in range(2):
            source = session.source("frames", video=VideoConstraints())
            writers.append((session.add(FrameWriter, source=source.id), session.track(source, "video")))
        writers[0][0].receive(MEDIA, 0, memoryview(picture(0, 10)))
        assert session.quotas.held_bytes.held == PICTURE_BYTES
        # Another one in its place takes no more.
        writers[0][0].receive(MEDIA, 0, memoryview(picture(1000, 20)))
        assert session.quotas.held_bytes.held == PICTURE_BYTES
        writers[1][0].receive(MEDIA, 0, memoryview(picture(0)))
        assert session.quotas.held_bytes.refused == 1
        sinks = [Sink(), Sink()]
        for (_, track), sink in zip(writers, sinks, strict=True):
            track.attach(sink)
        await asyncio.sleep(0.05)
        assert [len(sink.frames) for sink in sinks] == [1, 0]
        assert sinks[0].frames[0].to_ndarray()[0, 0] == 20  # type: ignore[union-attr]
        assert session.quotas.held_bytes.held == 0


# --- pixels a second


async def test_test_pictures_beyond_the_share_are_fewer_and_numbered_by_the_clock() -> None:
    async with session_of(generated_pixels=320 * 240 * 10) as session:
        sinks = [Sink() for _ in range(2)]
        for sink in sinks:
            source = session.source(video=VideoConstraints(width=320, height=240, frame_rate=30))
            await source.open()
            source.output("video").attach(sink)
        await asyncio.sleep(3)
        counts = [len(sink.frames) for sink in sinks]
        # Ten to begin with and ten a second, for both; one more each may be under way.
        assert sum(counts) <= 10 + 10 * 3.5 + 2
        assert min(counts) > 5
        assert session.quotas.generated_pixels.refused > 0
        assert len(session.warnings) == 1
        numbers = [frame.pts or 0 for frame in sinks[0].frames]
        assert numbers[-1] > 60
        assert numbers == sorted(set(numbers))


async def test_small_pictures_count_as_those_of_256_by_256() -> None:
    async with session_of(generated_pixels=64 * 1024 * 10) as session:
        source = session.source(video=VideoConstraints(width=32, height=32, frame_rate=120))
        await source.open()
        sink = Sink()
        source.output("video").attach(sink)
        await asyncio.sleep(1.5)
        assert 8 < len(sink.frames) <= 10 + 10 * 2 + 1


async def test_a_file_beyond_the_share_of_decoding_plays_later_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "sample.webm"
    path.write_bytes(SAMPLE)
    async with session_of(decoded_pixels=320 * 240 * 10) as session:
        source = session.source("file", source=str(path), video=VideoConstraints())
        await source.open()
        sink = Sink()
        source.output("video").attach(sink)
        await sink.until(40, 10)
        assert session.quotas.decoded_pixels.refused > 0
        assert sink.arrivals[39] - sink.arrivals[0] > 1.5
        numbers = [round(seconds * 30) for seconds in sink.times]
        assert numbers == sorted(set(numbers))


async def test_test_pictures_are_drawn_by_other_threads_than_the_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()
    draw, prepare = Picture.draw, Picture._bars

    def drawn(picture: Picture, number: int) -> av.VideoFrame:
        threads.add(threading.get_ident())
        return draw(picture, number)

    def prepared(picture: Picture) -> Any:
        threads.add(threading.get_ident())
        return prepare(picture)

    monkeypatch.setattr(Picture, "draw", drawn)
    monkeypatch.setattr(Picture, "_bars", prepared)
    async with session_of() as session:
        # The first of forty of these held the loop for 0.25 s.
        source = session.source(video=VideoConstraints(width=7680, height=4320))
        await source.open()
        sink = Sink()
        source.output("video").attach(sink)
        await sink.until(2, 20)
    assert threads
    assert threading.get_ident() not in threads


# --- URLs


class Dripping(http.server.BaseHTTPRequestHandler):
    """Gives a byte a tenth of a second until its server's gate opens.

    Of the answer's head (/head), of the film's beginning (/start), of what comes behind its first seconds (/middle).
    """

    def do_GET(self) -> None:
        if self.path == "/whole":
            self._give(b"HTTP/1.1 200 OK\r\n\r\n" + SAMPLE)
            return
        parts = {
            "/head": b"HTTP/1.1 200 OK\r\nX-Padding: ",
            "/start": b"HTTP/1.1 200 OK\r\n\r\n" + SAMPLE[:64],
            "/middle": b"HTTP/1.1 200 OK\r\n\r\n" + SAMPLE[:45_000],
        }
        self._give(parts[self.path])
        with suppress(OSError):
            while not self.server.gate.wait(0.1):  # type: ignore[attr-defined]
                self.wfile.write(b"x")

    def log_message(self, *_: object) -> None:
        pass

    def _give(self, data: bytes) -> None:
        # What was asked for may not be wanted to its end.
        with suppress(OSError):
            self.wfile.write(data)


class Drip(NamedTuple):
    """A server that drips."""

    origin: str
    gate: threading.Event
    "Ends what drips."


@pytest.fixture
def drip() -> Iterator[Drip]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    server.daemon_threads = True
    gate = server.gate = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Drip(f"http://127.0.0.1:{server.server_address[1]}", gate)
    finally:
        gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("path", ["/head", "/start"])
async def test_a_url_that_drips_is_given_up_when_its_time_is_over(drip: Drip, path: str) -> None:
    async with session_of(url_seconds=1) as session:
        with pytest.raises(CallError, match=r"wait 1 s for a URL .*--limit urlSeconds=") as error:
            async with asyncio.timeout(8):
                await session.source("url", source=drip.origin + path, **BOTH).open()
        assert error.value.name == "NotReadableError"


async def test_a_url_that_drips_while_it_plays_ends_with_the_reason_after_what_came_was_played(drip: Drip) -> None:
    async with session_of(url_seconds=1) as session:
        source = session.source("url", source=drip.origin + "/middle", **BOTH)
        await source.open()
        sink = Sink()
        source.output("video").attach(sink)
        await wait_for(lambda: sink.has_ended, 15)
        assert len(sink.frames) > 5
        await wait_for(lambda: bool(session.failures))
        assert "--limit urlSeconds=" in str(session.failures[0])


async def test_a_url_may_play_for_longer_than_it_may_take_to_open(drip: Drip) -> None:
    async with session_of(url_seconds=1) as session:
        source = session.source("url", source=drip.origin + "/whole", **BOTH)
        await source.open()
        sink = Sink()
        source.output("video").attach(sink)
        # All of it: it is read a second ahead at most.
        await wait_for(lambda: sink.has_ended, 15)
        assert not session.failures


async def test_sessions_whose_urls_drip_keep_no_other_from_its_files(drip: Drip, tmp_path: Path) -> None:
    path = tmp_path / "sample.webm"
    path.write_bytes(SAMPLE)
    hostile = [MediaSession() for _ in range(3)]
    opening: list[asyncio.Task[Any]] = []
    try:
        for each in hostile:
            sources = [each.source("url", source=drip.origin + "/start", **BOTH) for _ in range(6)]
            opening += [asyncio.ensure_future(source.open()) for source in sources]
        await asyncio.sleep(0.5)
        async with session_of() as session:
            for type, place in (("file", str(path)), ("url", drip.origin + "/whole")):
                async with asyncio.timeout(5):
                    opened = await session.source(type, source=place, **BOTH).open()
                assert opened.video.width == 320
        assert not any(task.done() for task in opening)
    finally:
        drip.gate.set()
        await asyncio.gather(*opening, return_exceptions=True)
        for each in hostile:
            await each.close()
