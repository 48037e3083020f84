"""The url source: fetched by us, from addresses that were checked; and devices, where there are none."""

from __future__ import annotations

import asyncio
import http.server
import io
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from media_session import MediaSession, Sink, http_file, wait_for

from aiortc_worker.media import testcode
from aiortc_worker.media.container import Container
from aiortc_worker.media.live_feed import LiveFeed
from aiortc_worker.media.settings import AudioConstraints, VideoConstraints
from aiortc_worker.public_address import is_public
from aiortc_worker.session.remote import CallError

SAMPLE = (Path(__file__).parents[2] / "demo" / "media" / "sample.webm").read_bytes()
MP4 = (Path(__file__).parents[2] / "demo" / "media" / "sample.mp4").read_bytes()
BOTH = {"audio": AudioConstraints(), "video": VideoConstraints()}


def playlist(origin: str) -> bytes:
    """Names a file of the server by its whole URL."""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:5", "#EXTINF:5,", f"{origin}/sample.mp4", "#EXT-X-ENDLIST", ""]
    return "\n".join(lines).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the samples, with ranges or without, redirects, and what is not there."""

    requests: list[str]

    def do_GET(self) -> None:
        self.requests.append(self.path)
        path, _, to = self.path.partition("?")
        if path == "/redirect":
            self.send_response(302)
            self.send_header("Location", to)
            self.end_headers()
        elif path == "/stall":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SAMPLE[:45_000])
            self.wfile.flush()
            threading.Event().wait(20)
        elif path == "/list.m3u8":
            self._give(playlist(f"http://{self.headers['Host']}"), False)
        elif path in ("/sample.webm", "/plain.webm", "/sample.mp4"):
            self._give(MP4 if path.endswith("mp4") else SAMPLE, path != "/plain.webm")
        else:
            self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass

    def _give(self, body: bytes, ranges: bool) -> None:
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-")) if ranges else 0
        self.send_response(206 if ranges else 200)
        if ranges:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        # What was asked for may not be wanted to its end.
        try:
            self.wfile.write(body[start:])
        except ConnectionError:
            self.close_connection = True


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server's origin, and the paths that it was asked for."""
    requests: list[str] = []
    handler = type("TestHandler", (Handler,), {"requests": requests})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", requests
    server.shutdown()
    server.server_close()


@pytest_asyncio.fixture
async def session() -> AsyncIterator[MediaSession]:
    session = MediaSession()
    yield session
    await session.close()


@pytest.mark.parametrize("path", ["/sample.webm", "/plain.webm", "/redirect?/sample.webm", "/sample.mp4"])
async def test_a_url_plays_like_a_file(session: MediaSession, server: tuple[str, list[str]], path: str) -> None:
    source = session.source("url", source=server[0] + path, **BOTH)
    opened = await source.open()
    assert (opened.video.width, opened.audio.sample_rate) == (320, 48000)
    sink = Sink()
    source.output("video").attach(sink)
    await sink.until(5)
    codes = [testcode.decode(frame.to_ndarray()[:240]) for frame in sink.frames]
    assert codes == [(1515, number) for number in range(len(codes))]


async def test_what_the_server_has_not_is_not_found(session: MediaSession, server: tuple[str, list[str]]) -> None:
    with pytest.raises(CallError, match="404") as error:
        await session.source("url", source=server[0] + "/missing", **BOTH).open()
    assert error.value.name == "NotFoundError"


@pytest.mark.parametrize(
    ("path", "name"),
    [("/list.m3u8", "NotReadableError"), ("/redirect?/redirect", "NotReadableError")],
)
async def test_playlists_and_odd_redirects_are_refused(
    session: MediaSession, server: tuple[str, list[str]], path: str, name: str
) -> None:
    with pytest.raises(CallError) as error:
        await session.source("url", source=server[0] + path, **BOTH).open()
    assert error.value.name == name
    assert "/sample.mp4" not in server[1]


async def test_a_playlist_on_disk_cannot_reach_the_network(
    session: MediaSession, server: tuple[str, list[str]], tmp_path: Path
) -> None:
    path = tmp_path / "list.m3u8"
    path.write_bytes(playlist(server[0]))
    with pytest.raises(CallError) as error:
        await session.source("file", source=str(path), **BOTH).open()
    assert error.value.name == "NotReadableError"
    assert server[1] == []


async def test_private_addresses_are_refused_to_who_may_not_read_files(server: tuple[str, list[str]]) -> None:
    session = MediaSession(frozenset({"url"}))
    port = server[0].rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433"):
        with pytest.raises(CallError) as error:
            await session.source("url", source=f"http://{host}:{port}/sample.webm", **BOTH).open()
        assert error.value.name == "NotAllowedError"
    assert server[1] == []


async def test_a_redirect_to_a_private_address_is_refused(
    server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def first_is_public(address: str) -> bool:
        checked.append(address)
        return len(checked) == 1

    monkeypatch.setattr("aiortc_worker.media.http_file.is_public", first_is_public)
    with pytest.raises(CallError) as error:
        http_file(f"{server[0]}/redirect?{server[0]}/sample.webm")
    assert error.value.name == "NotAllowedError"
    assert server[1] == [f"/redirect?{server[0]}/sample.webm"]


def test_which_addresses_are_public() -> None:
    public = ("1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1")
    private = (
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::1.1.1.1",
        "64:ff9b:1::a00:1",
        "fec0::1",
        "::127.0.0.1",
        "::1.1.1.1",
    )
    assert all(is_public(address) for address in public)
    assert not any(is_public(address) for address in (*private, "224.0.0.1", "0.0.0.0", "2002:7f00:1::"))


@pytest.mark.parametrize("url", ["", "ftp://host/x", "http://", "file:///etc/passwd", "http://host:99999/"])
async def test_what_is_no_url_is_a_type_error(session: MediaSession, url: str) -> None:
    with pytest.raises(CallError) as error:
        await session.source("url", source=url, **BOTH).open()
    assert error.value.name == "TypeError"


def test_a_file_is_read_at_any_place_with_few_requests(server: tuple[str, list[str]]) -> None:
    file = http_file(server[0] + "/sample.webm", allow_private=True)
    assert file.read(10) == SAMPLE[:10]
    file.seek(1000)
    assert file.read(10) == SAMPLE[1000:1010]
    assert len(server[1]) == 1
    file.seek(5)
    assert file.read(10) == SAMPLE[5:15]
    assert len(server[1]) == 2
    assert file.seek(-4, io.SEEK_END) == len(SAMPLE) - 4
    assert file.read(100) == SAMPLE[-4:]
    assert file.read(100) == b""
    file.close()


async def test_closing_does_not_wait_for_a_server_that_stalls(
    session: MediaSession, server: tuple[str, list[str]]
) -> None:
    source = session.source("url", source=server[0] + "/stall", **BOTH)
    await source.open()
    reading = asyncio.ensure_future(session.run_blocking("file", source.feed._container.read, 10))
    # Long enough for what came to be decoded: from then on the thread waits in the socket, for 10 s.
    await asyncio.sleep(1.5)
    assert not reading.done()
    async with asyncio.timeout(5):
        await source.close()
    await asyncio.wait([reading])


def test_an_interrupted_file_ends_a_read_under_way_and_connects_no_more(server: tuple[str, list[str]]) -> None:
    file = http_file(server[0] + "/stall", allow_private=True)
    while file.tell() < 45_000:
        file.read(45_000 - file.tell())
    ended: list[bytes] = []
    reading = threading.Thread(target=lambda: ended.append(file.read(1)), daemon=True)
    reading.start()
    reading.join(0.1)
    assert reading.is_alive()
    file.interrupt()
    reading.join(5)
    assert ended == [b""]
    file.close()
    seekable = http_file(server[0] + "/sample.webm", allow_private=True)
    seekable.read(10)
    seekable.interrupt()
    seekable.seek(0)
    with pytest.raises(CallError) as error:
        seekable.read(4)
    assert error.value.name == "NotReadableError"
    assert server[1] == ["/stall", "/sample.webm"]
    seekable.close()


async def test_a_device_that_is_not_there_is_not_found(session: MediaSession) -> None:
    for params in (
        {"video": VideoConstraints(), "source": "/dev/video77"},
        {"video": VideoConstraints(), "source": "/etc/passwd"},
        {"audio": AudioConstraints(), "source": "lavfi:sine"},
    ):
        with pytest.raises(CallError) as error:
            await session.source("device", **params).open()
        assert error.value.name == "NotFoundError"


async def test_a_live_feed_passes_on_what_comes_and_ends_with_it(session: MediaSession) -> None:
    def make(kind: str) -> Container:
        graph = "testsrc=size=64x48:rate=25:duration=0.2" if kind == "video" else "sine=duration=0.2"
        return Container(graph, frozenset({kind}), name=graph, format="lavfi")

    source = session.source()
    feed = LiveFeed(
        make,
        frozenset({"audio", "video"}),
        source.spawn,
        partial(session.run_blocking, "file"),
        session.quotas.decoded_pixels,
    )
    sinks = {kind: Sink() for kind in feed.outputs}
    # One before it is open, the other after.
    feed.outputs["audio"].attach(sinks["audio"])
    opened = await feed.open()
    assert (opened.video.width, opened.video.frame_rate, opened.audio.channel_count) == (64, 25, 1)
    feed.outputs["video"].attach(sinks["video"])
    await wait_for(lambda: all(sink.has_ended for sink in sinks.values()))
    assert (len(sinks["video"].frames), len(sinks["audio"].frames)) == (5, 10)
    await feed.close()
