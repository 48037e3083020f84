"""Real objects all the way: a test source, its track, a sender, DTLS over ICE, a receiver, its track."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from pair import Peer, close, connect
from rtp_fakes import EXTENSIONS, OPUS, VP8, VP8_RTX, Collector, frequency_of

from aiortc_worker.media.media_source import MediaSource
from aiortc_worker.media.settings import AudioConstraints, VideoConstraints
from aiortc_worker.media.testcode import decode
from aiortc_worker.media.track import Enabled, Track
from aiortc_worker.rtp.parameters import DecodedEncoding, Encoding, ReceiveParameters, SendParameters
from aiortc_worker.rtp.rtp_receiver import RtpReceiver
from aiortc_worker.rtp.rtp_sender import RtpSender


async def send(peer: Peer, kind: str, track: Track, ssrc: int) -> RtpSender:
    sender = peer.session.make(RtpSender, kind=kind, track=track.id)
    await sender.send(SendParameters(**common(peer, kind), cname="x", encodings=[Encoding(ssrc, ssrc + 1)]))
    return sender


async def receive(peer: Peer, kind: str, ssrc: int) -> tuple[RtpReceiver, Collector]:
    receiver = peer.session.make(RtpReceiver, kind=kind)
    await receiver.start_receiving(ReceiveParameters(**common(peer, kind), encodings=[DecodedEncoding(ssrc, ssrc + 1)]))
    collector = Collector()
    peer.session.make(Track, source=receiver.id, kind=kind).attach(collector)
    return receiver, collector


def common(peer: Peer, kind: str) -> dict[str, Any]:
    return {
        "transport": peer.dtls.id,
        "active": True,
        "mid": kind,
        "codecs": [OPUS] if kind == "audio" else [VP8, VP8_RTX],
        "header_extensions": EXTENSIONS,
        "reduced_size": True,
    }


async def test_picture_and_tone_cross_dtls_and_a_disabled_track_is_dark():
    a, b = Peer("controlling"), Peer("controlled")
    source = a.session.make(
        MediaSource,
        type="test",
        audio=AudioConstraints(frequency=660),
        video=VideoConstraints(width=320, height=240, frame_rate=30, code=77),
    )
    await source.open()
    camera = a.session.make(Track, source=source.id, kind="video")
    microphone = a.session.make(Track, source=source.id, kind="audio")
    senders = [await send(a, "video", camera, 1000), await send(a, "audio", microphone, 2000)]
    receiver, pictures = await receive(b, "video", 1000)
    _, sound = await receive(b, "audio", 2000)
    # All of it was set up before there was a path.
    await connect(a, b)
    await pictures.wait(30)
    await sound.wait(60)
    assert decode(pictures.frames[-1].to_ndarray()[:240]).code == 77
    assert abs(frequency_of(sound.frames[10:60]) - 660) < 5
    await camera.setEnabled(Enabled(False))
    await asyncio.sleep(0.3)
    dark = pictures.frames[-1].to_ndarray()[:240]
    assert dark.mean() < 25
    stats = (await senders[0].getStats()).streams[0]
    assert stats.remote is None or stats.remote.packets_lost == 0
    assert (await receiver.getStats()).streams[0].packets_lost == 0
    await close(a, b)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("audio", "video"))]
