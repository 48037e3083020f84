"""A session and a transport pair in memory, whose packets are lost by a seeded random, delayed, or queued."""

from __future__ import annotations

import asyncio
import fractions
import random
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import av
import numpy as np
from fakes import quotas
from msgspec import Struct

from aiortc_worker.media.fan_out import FanOut
from aiortc_worker.rtp.parameters import (
    Codec,
    DecodedEncoding,
    Encoding,
    HeaderExtension,
    ReceiveParameters,
    RtcpFeedback,
    SendParameters,
)
from aiortc_worker.rtp.router import Router
from aiortc_worker.rtp.rtp_receiver import RtpReceiver
from aiortc_worker.rtp.rtp_sender import ReplaceTrack, RtpSender
from aiortc_worker.session.remote import CallError, Remote

MID = HeaderExtension("urn:ietf:params:rtp-hdrext:sdes:mid", 1)
RID = HeaderExtension("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", 2)
REPAIRED_RID = HeaderExtension("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", 3)
ABS_SEND_TIME = HeaderExtension("http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", 4)
TRANSPORT_CC = HeaderExtension("http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", 5)
AUDIO_LEVEL = HeaderExtension("urn:ietf:params:rtp-hdrext:ssrc-audio-level", 6)
EXTENSIONS = [MID, RID, REPAIRED_RID, ABS_SEND_TIME, TRANSPORT_CC, AUDIO_LEVEL]

VIDEO_FEEDBACK = [
    RtcpFeedback("nack"),
    RtcpFeedback("nack", "pli"),
    RtcpFeedback("ccm", "fir"),
    RtcpFeedback("transport-cc"),
]
VP8 = Codec("video/VP8", 96, 90000, rtcp_feedback=VIDEO_FEEDBACK)
VP8_RTX = Codec("video/rtx", 97, 90000, parameters={"apt": "96"})
H264 = Codec(
    "video/H264",
    98,
    90000,
    parameters={"packetization-mode": "1", "profile-level-id": "42e01f"},
    rtcp_feedback=VIDEO_FEEDBACK,
)
H264_RTX = Codec("video/rtx", 99, 90000, parameters={"apt": "98"})
OPUS = Codec("audio/opus", 111, 48000, 2, {"stereo": "1"}, [RtcpFeedback("transport-cc")])
PCMU = Codec("audio/PCMU", 0, 8000, 1)
PCMA = Codec("audio/PCMA", 8, 8000, 1)
G722 = Codec("audio/G722", 9, 8000, 1)


class FakeSession:
    """What RtpSender and RtpReceiver use of a session."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}
        self.events: list[tuple[Remote, str, Struct | None]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.pool = ThreadPoolExecutor(2)
        self.quotas = quotas()

    def add(self, thing: Any) -> int:
        self.objects[len(self.objects) + 1] = thing
        return len(self.objects)

    def get(self, id: int, cls: type) -> Any:
        if id not in self.objects:
            raise CallError("NotFoundError", f"no object {id}")
        return self.objects[id]

    def emit(self, remote: Remote, event: str, out: Struct | None = None) -> None:
        self.events.append((remote, event, out))

    def named(self, remote: Remote) -> list[str]:
        return [event for owner, event, _ in self.events if owner is remote]

    def mutes(self, remote: Remote) -> list[str]:
        """Of the events those that change `muted`."""
        return [event for event in self.named(remote) if event in ("mute", "unmute")]

    def spawn(self, remote: Remote, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def run_blocking(self, kind: str, work: Callable[..., Any], *args: Any) -> Any:
        assert kind == "codec"
        return await asyncio.get_running_loop().run_in_executor(self.pool, work, *args)


class FakeTransport:
    """One end of a pair."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.state = "connected"
        self.router = Router(self.send_rtcp)
        self.sent_rtp: list[bytes] = []
        self.sent_rtcp: list[bytes] = []
        self.peer: FakeTransport

    def send_rtp(self, data: bytes, more: bool = False) -> bool:
        self.sent_rtp.append(data)
        self.network.carry(len(data), lambda: self.peer.router.handle_rtp(data, int(time.monotonic() * 1000)))
        return True

    def send_rtcp(self, data: bytes) -> bool:
        self.sent_rtcp.append(data)
        self.network.carry(len(data), lambda: self.peer.router.handle_rtcp(data))
        return True


class Network:
    """Loses a share of the packets, all while `dead`, and delays; a `rate` in bits per second has a queue of 0.3 s."""

    def __init__(self, loss: float = 0.0, delay: float = 0.01, seed: int = 1, rate: int | None = None) -> None:
        self.loss = loss
        self.delay = delay
        self.rate = rate
        self.dead = False
        self.lost = 0
        self._random = random.Random(seed)
        self._free = 0.0

    def carry(self, size: int, deliver: Callable[[], None]) -> None:
        if self.dead or self._random.random() < self.loss:
            self.lost += 1
            return
        now = time.monotonic()
        queued = 0.0
        if self.rate is not None:
            queued = max(0.0, self._free - now)
            if queued > 0.3:
                self.lost += 1
                return
            self._free = now + queued + size * 8 / self.rate
            queued = self._free - now
        asyncio.get_running_loop().call_later(self.delay + queued, deliver)


class Collector:
    """A consumer that keeps what it gets, with the time of it."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.at: list[float] = []
        self.is_ended = False

    def frame(self, frame: Any) -> None:
        self.frames.append(frame)
        self.at.append(time.monotonic())

    def ended(self) -> None:
        self.is_ended = True

    async def wait(self, count: int, seconds: float = 5.0) -> None:
        deadline = time.monotonic() + seconds
        while len(self.frames) < count:
            assert time.monotonic() < deadline, f"{len(self.frames)} of {count} frames"
            await asyncio.sleep(0.01)


class Camera:
    """A source of numbered pictures: the number is written in black and white blocks, a gradient moves behind."""

    def __init__(self, width: int = 320, height: int = 240, rate: int = 30) -> None:
        self.out = FanOut("video")
        self.kind = "video"
        self.width, self.height, self.rate = width, height, rate
        self.number = 0
        self.task: asyncio.Task[None] | None = None

    def attach(self, consumer: Any) -> None:
        self.out.attach(consumer)

    def detach(self, consumer: Any) -> None:
        self.out.detach(consumer)

    def start(self) -> Camera:
        self.task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    def picture(self) -> av.VideoFrame:
        frame = numbered(self.number, self.width, self.height)
        frame.pts = self.number * 90000 // self.rate
        frame.time_base = fractions.Fraction(1, 90000)
        self.number += 1
        return frame

    async def _run(self) -> None:
        begun = time.monotonic() - self.number / self.rate
        while True:
            self.out.push(self.picture())
            await asyncio.sleep(max(0.0, begun + self.number / self.rate - time.monotonic()))


def numbered(number: int, width: int, height: int) -> av.VideoFrame:
    luma = (np.arange(width)[None, :] + np.arange(height)[:, None] + number * 3) % 128 + 64
    block = width // 16
    for bit in range(16):
        luma[: height // 4, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 16
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = luma
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def number_of(frame: av.VideoFrame) -> int:
    """The number written into a picture, at whatever size it arrives."""
    luma = frame.to_ndarray()[: frame.height]
    block = frame.width / 16
    row = luma[frame.height // 8]
    return sum(1 << bit for bit in range(16) if row[int((bit + 0.5) * block)] > 125)


class Tone:
    """A source of a sine."""

    def __init__(self, frequency: float = 440.0, rate: int = 48000, layout: str = "mono") -> None:
        self.out = FanOut("audio")
        self.kind = "audio"
        self.frequency, self.rate, self.layout = frequency, rate, layout
        self.samples = 0
        self.task: asyncio.Task[None] | None = None

    attach = Camera.attach
    detach = Camera.detach
    stop = Camera.stop

    def start(self) -> Tone:
        self.task = asyncio.get_running_loop().create_task(self._run())
        return self

    def sound(self) -> av.AudioFrame:
        count = self.rate // 50
        at = (self.samples + np.arange(count)) / self.rate
        wave = (np.sin(2 * np.pi * self.frequency * at) * 12000).astype(np.int16)
        if self.layout == "stereo":
            wave = np.repeat(wave, 2)
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout=self.layout)
        frame.sample_rate = self.rate
        frame.pts = self.samples
        frame.time_base = fractions.Fraction(1, self.rate)
        self.samples += count
        return frame

    async def _run(self) -> None:
        begun = time.monotonic() - self.samples / self.rate
        while True:
            self.out.push(self.sound())
            await asyncio.sleep(max(0.0, begun + self.samples / self.rate - time.monotonic()))


def frequency_of(frames: list[av.AudioFrame]) -> float:
    """The strongest frequency of sound, left channel."""
    channels = frames[0].layout.nb_channels
    wave = np.concatenate([frame.to_ndarray().reshape(-1)[::channels] for frame in frames]).astype(float)
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    return float(np.argmax(spectrum) * frames[0].sample_rate / len(wave))


class Pair:
    """A sender and a receiver over a network."""

    def __init__(self, kind: str, network: Network) -> None:
        self.network = network
        self.session = FakeSession()
        self.near, self.far = FakeTransport(network), FakeTransport(network)
        self.near.peer, self.far.peer = self.far, self.near
        self.near_id, self.far_id = self.session.add(self.near), self.session.add(self.far)
        self.sender = RtpSender(self.session, 101, RtpSender.In(kind=kind))  # type: ignore[arg-type]
        self.receiver = RtpReceiver(self.session, 102, RtpReceiver.In(kind=kind))  # type: ignore[arg-type]
        self.collector = Collector()

    def send_parameters(
        self, codecs: list[Codec], encodings: list[Encoding] | None = None, **more: Any
    ) -> SendParameters:
        defaults = {
            "active": True,
            "mid": "0",
            "cname": "someone",
            "header_extensions": EXTENSIONS,
            "reduced_size": True,
        }
        return SendParameters(
            transport=self.near_id,
            codecs=codecs,
            encodings=encodings or [Encoding(ssrc=1000, rtx_ssrc=2000)],
            **{**defaults, **more},
        )

    def receive_parameters(self, codecs: list[Codec], **more: Any) -> ReceiveParameters:
        defaults: dict[str, Any] = {
            "active": True,
            "mid": "0",
            "header_extensions": EXTENSIONS,
            "encodings": [DecodedEncoding(ssrc=1000, rtx_ssrc=2000)],
            "reduced_size": True,
        }
        return ReceiveParameters(transport=self.far_id, codecs=codecs, **{**defaults, **more})

    async def start(self, codecs: list[Codec], source: Any, encodings: list[Encoding] | None = None) -> None:
        await self.receiver.start_receiving(self.receive_parameters(codecs))
        self.receiver.attach(self.collector)
        await self.sender.send(self.send_parameters(codecs, encodings))
        await self.replace(source)

    async def replace(self, source: Any) -> None:
        await self.sender.replaceTrack(ReplaceTrack(track=self.session.add(source) if source is not None else None))

    async def close(self) -> None:
        await self.sender.close()
        await self.receiver.close()
        await asyncio.gather(*self.session.tasks, return_exceptions=True)
        self.session.pool.shutdown(wait=True)


@asynccontextmanager
async def pair(kind: str, **network: Any) -> Any:
    made = Pair(kind, Network(**network))
    try:
        yield made
    finally:
        await made.close()
