"""Memory is freed by counting references: a process of media has no time for a full collection."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from garbage import cycles_left_by
from media_session import MediaSession, wait_for
from pair import Peer, close, connect, put
from test_media_file import SAMPLE
from test_media_track import picture, writer_of
from test_rtp_over_dtls import receive, send
from wire_peer import WirePeer

from aiortc_worker.compat.ice import IceConnection
from aiortc_worker.media.frame_reader import FrameReader
from aiortc_worker.media.media_source import MediaSource
from aiortc_worker.media.settings import AudioConstraints, VideoConstraints
from aiortc_worker.media.track import Track
from aiortc_worker.session import collector
from aiortc_worker.session.entry import Entry
from aiortc_worker.session.wire import CREDIT, MEDIA
from aiortc_worker.transports.data_channel import DataChannel
from aiortc_worker.transports.dtls_transport import DtlsTransport
from aiortc_worker.transports.ice_transport import IceTransport
from aiortc_worker.transports.sctp_transport import SctpTransport


async def close_and_forget(*peers: Peer) -> None:
    """Closes; what a test's session records of its objects is no part of the worker."""
    await close(*peers)
    for peer in peers:
        vars(peer.session).clear()


async def test_a_pair_that_sent_data_leaves_no_cycle():
    async def work() -> None:
        a, b = Peer("controlling"), Peer("controlled")
        await connect(a, b)
        ours = a.channel(label="x")
        theirs = await b.accept()
        put(ours, b"hello")
        await b.session.until(lambda: b.session.messages.get(theirs) == [b"hello"])
        await close_and_forget(a, b)

    assert await cycles_left_by(work) == []


async def test_a_pair_that_was_closed_by_its_peer_leaves_no_cycle():
    async def work() -> None:
        a, b = Peer("controlling"), Peer("controlled")
        await connect(a, b)
        a.channel(label="x")
        await b.accept()
        await a.dtls.stop()
        await b.session.state(b.dtls, "closed")
        await close_and_forget(a, b)

    assert await cycles_left_by(work) == []


async def test_a_pair_that_sent_media_leaves_no_cycle():
    async def work() -> None:
        a, b = Peer("controlling"), Peer("controlled")
        source = a.session.make(
            MediaSource,
            type="test",
            audio=AudioConstraints(),
            video=VideoConstraints(width=160, height=120, frame_rate=30),
        )
        await source.open()
        for kind, ssrc in (("video", 1000), ("audio", 2000)):
            track = a.session.make(Track, source=source.id, kind=kind)
            await send(a, kind, track, ssrc)
        _, pictures = await receive(b, "video", 1000)
        _, sound = await receive(b, "audio", 2000)
        await connect(a, b)
        await pictures.wait(10)
        await sound.wait(20)
        await close_and_forget(a, b)

    assert await cycles_left_by(work) == []


@pytest.mark.parametrize("params", [{"type": "test"}, {"type": "file", "source": str(SAMPLE / "sample.webm")}])
async def test_a_source_that_was_read_leaves_no_cycle(params: dict[str, str]):
    async def work() -> None:
        session = MediaSession()
        source = session.source(**params)
        await source.open()
        for kind in ("audio", "video"):
            reader = session.add(FrameReader, track=session.track(source, kind).id)
            reader.receive(CREDIT, 0, memoryview((5).to_bytes(4, "big")))
        await wait_for(lambda: len(session.sent) == 10)
        await session.close()
        vars(session).clear()

    assert await cycles_left_by(work) == []


async def test_a_source_that_was_written_leaves_no_cycle():
    async def work() -> None:
        session = MediaSession()
        writer, sink = await writer_of(session, "video")
        writer.receive(MEDIA, 0, memoryview(picture(0)))
        await sink.until(1)
        await session.close()
        vars(session).clear()

    assert await cycles_left_by(work) == []


async def test_objects_that_a_session_has_dropped_are_gone_and_leave_no_cycle():
    shim = await WirePeer.connect()
    ids = itertools.count(1)
    of = (IceTransport, IceConnection, DtlsTransport, SctpTransport, DataChannel, Entry)
    counts: list[dict[str, int]] = []

    async def work() -> None:
        await connect_over_wire(shim, ids)
        counts.append(Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, of)))

    assert await cycles_left_by(work) == []
    first, second = counts
    assert second == first, "as many as in the run before, so that run's are gone"
    await shim.close()


async def connect_over_wire(shim: WirePeer, ids: Iterator[int]) -> None:
    """Joins two sets of transports of one session, as a shim would, and drops them."""
    events: list[dict[str, Any]] = []

    async def event(on: int, name: str, **out: Any) -> dict[str, Any]:
        while True:
            for each in events:
                if each["on"] == on and each["event"] == name and out.items() <= each["out"].items():
                    return each["out"]
            frame = await shim.frame()
            if isinstance(frame, dict) and "event" in frame:
                events.append(frame)

    def make(type: str, **params: Any) -> int:
        id = next(ids)
        shim.text({"new": id, "type": type, "in": params})
        return id

    def call(on: int, do: str, **params: Any) -> None:
        shim.text({"call": next(ids), "on": on, "do": do, "in": params})

    certificate = make("Certificate", algorithm="ECDSA")
    local = [{"usernameFragment": f"ufrag{next(ids)}", "password": "p" * 22} for _ in range(2)]
    roles = ("controlling", "controlled")
    ices = [make("IceTransport", **own, role=role) for own, role in zip(local, roles, strict=True)]
    dtlses = [make("DtlsTransport", ice=ice, certificate=certificate) for ice in ices]
    sctps = [make("SctpTransport", dtls=dtls) for dtls in dtlses]
    channel = make("DataChannel", transport=sctps[0], label="x")
    for ice in ices:
        call(ice, "gather")
        await event(ice, "gatheringstatechange", state="complete")
    fingerprints = (await event(certificate, "ready"))["fingerprints"]
    for index in range(2):
        other = 1 - index
        call(ices[index], "start", **local[other])
        for each in [each for each in events if each["on"] == ices[other] and each["event"] == "candidate"]:
            call(ices[index], "addRemoteCandidate", candidate=each["out"]["candidate"])
        call(dtlses[index], "start", role=("client", "server")[index], fingerprints=fingerprints)
        call(sctps[index], "start", remotePort=5000, maxMessageSize=65536)
    for sctp in sctps:
        await event(sctp, "statechange", state="connected")
    await event(channel, "open")
    for id in (*sctps, channel, *dtlses, *ices, certificate):
        shim.text({"drop": id})


class Cycle:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize("is_busy", [False, True])
async def test_everything_is_collected_in_idle_moments_alone(monkeypatch: pytest.MonkeyPatch, is_busy: bool):
    monkeypatch.setattr(collector, "LOOK", 0.05)
    gc.collect()
    watched = collector.Collector(asyncio.get_running_loop())
    try:
        gone = weakref.ref(cycle := Cycle())
        gc.collect(1)  # It has survived the collections that come by themselves.
        del cycle
        until = time.monotonic() + 0.5
        for _ in iter(lambda: time.monotonic() < until, False):
            await asyncio.sleep(0 if is_busy else 0.05)
        assert (gone() is None) is not is_busy
    finally:
        watched.stop()
        gc.unfreeze()
