"""Memory is freed by counting references: a process of media has no time for a full collection."""

from __future__ import annotations

from garbage import cycles_left_by
from pair import Peer, close, connect, put
from test_rtp_over_dtls import receive, send

from aiortc_worker.media.media_source import MediaSource
from aiortc_worker.media.settings import AudioConstraints, VideoConstraints
from aiortc_worker.media.track import Track


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
