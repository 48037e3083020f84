"""The end of PyPI's wrtc, libwebrtc in Python: does what lines of JSON on standard input ask for.

driver/protocol.ts has the protocol. Runs in an environment of its own, with the packages of its lock.
"""

from __future__ import annotations

import array
import asyncio
import base64
import hashlib
import importlib.metadata
import itertools
import json
import math
import sys
import time
from collections.abc import Callable
from typing import Any

import webrtc

TONE, RATE, CHUNK = 440, 48_000, 480
WIDTH, HEIGHT, FRAME_RATE = 320, 240, 30
HIGH = 1 << 20


def say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


class End:
    """One connection, from open to close."""

    def __init__(self) -> None:
        self.connection = webrtc.RTCPeerConnection()
        self.connection.on("icecandidate", lambda event: self._on_candidate(event.candidate))
        self.connection.on("datachannel", lambda event: self._adopt(event.channel))
        self.connection.on("track", lambda event: self._watch(event.track))
        self.channels: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        self.flooded = {"count": 0, "bytes": 0}
        self.tasks: list[asyncio.Task[None]] = []
        self.sound = array.array("f")
        self.seconds = 0.0
        self.seen: dict[str, int] | None = None

    async def offer(self, restart: bool = False) -> dict[str, Any]:
        if restart:
            self.connection.restart_ice()
        await self.connection.set_local_description()
        return {"sdp": self.connection.local_description.sdp}

    async def answer(self, sdp: str) -> dict[str, Any]:
        await self._describe("offer", sdp)
        await self.connection.set_local_description()
        return {"sdp": self.connection.local_description.sdp}

    async def accept(self, sdp: str) -> None:
        await self._describe("answer", sdp)

    async def _describe(self, kind: str, sdp: str) -> None:
        await self.connection.set_remote_description(webrtc.RTCSessionDescriptionInit(type=kind, sdp=sdp))

    async def candidate(self, candidate: dict[str, Any] | None) -> None:
        if not candidate:
            return
        init = webrtc.RTCIceCandidateInit(
            candidate=candidate["candidate"],
            sdp_mid=candidate.get("sdpMid"),
            sdp_m_line_index=candidate.get("sdpMLineIndex"),
        )
        await self.connection.add_ice_candidate(init)

    def _on_candidate(self, candidate: Any) -> None:
        line = candidate and {
            "candidate": candidate.candidate,
            "sdpMid": candidate.sdp_mid,
            "sdpMLineIndex": candidate.sdp_m_line_index,
        }
        say({"event": "candidate", "candidate": line})

    async def channel(self, label: str) -> None:
        self._adopt(self.connection.create_data_channel(label))

    def _adopt(self, channel: Any) -> None:
        self.channels[channel.label] = channel
        channel.on("message", lambda event: self._received(channel.label, event.data))

    def _received(self, label: str, message: str | bytes) -> None:
        data = message.encode() if isinstance(message, str) else bytes(message)
        if label == "flood":
            self.flooded["count"] += 1
            self.flooded["bytes"] += len(data)
            return
        kind = "text" if isinstance(message, str) else "binary"
        digest = hashlib.sha256(data).hexdigest()
        self.messages.append({"label": label, "type": kind, "bytes": len(data), "digest": digest})

    async def send(self, label: str, text: str | None = None, base64: str | None = None) -> None:
        self.channels[label].send(decode(base64 or "") if text is None else text)

    async def flood(self, label: str, count: int, bytes: int) -> None:
        channel = self.channels[label]
        message = b"\0" * bytes
        for _ in range(count):
            while channel.buffered_amount > HIGH:  # noqa: ASYNC110  # There is no event of it.
                await asyncio.sleep(0.002)
            channel.send(message)

    async def media(self, kind: str, codec: str | None = None) -> None:
        track = webrtc.MediaStreamTrackGenerator(kind)
        sender = self.connection.add_track(track)
        if codec:
            known = webrtc.RTCRtpReceiver.get_capabilities("video").codecs
            transceiver = next(each for each in self.connection.get_transceivers() if each.sender == sender)
            transceiver.set_codec_preferences([each for each in known if each.mime_type == f"video/{codec}"])
        period, make = (CHUNK / RATE, sound) if kind == "audio" else (1 / FRAME_RATE, picture)
        self.tasks.append(asyncio.create_task(write(track, period, make)))

    async def unmedia(self, kind: str) -> None:
        sender = next(each for each in self.connection.get_senders() if each.track and each.track.kind == kind)
        self.connection.remove_track(sender)

    def _watch(self, track: Any) -> None:
        hear_or_see = self._hear if track.kind == "audio" else self._see
        self.tasks.append(asyncio.create_task(self._read(track, hear_or_see)))

    async def _read(self, track: Any, take: Callable[[Any], None]) -> None:
        processor = webrtc.MediaStreamTrackProcessor(webrtc.MediaStreamTrackProcessorInit(track=track))
        async for frame in processor.readable:
            take(frame)
            frame.close()

    def _hear(self, data: Any) -> None:
        options = webrtc.AudioDataCopyToOptions(plane_index=0, format="f32-planar")
        samples = array.array("f", bytes(data.allocation_size(options)))
        data.copy_to(samples, options)
        self.seconds += len(samples) / data.sample_rate
        self.sound = (self.sound + samples)[-RATE // 2 :]

    def _see(self, frame: Any) -> None:
        frames = self.seen["frames"] if self.seen else 0
        self.seen = {"frames": frames + 1, "width": frame.coded_width, "height": frame.coded_height}

    async def report(self) -> dict[str, Any]:
        report: dict[str, Any] = {
            "connection": str(self.connection.connection_state.value),
            "channels": {label: str(channel.ready_state.value) for label, channel in self.channels.items()},
            "messages": self.messages,
            "flood": self.flooded,
            "sent": {},
            "received": {},
        }
        if self.connection.sctp:
            report["maxMessageSize"] = int(self.connection.sctp.max_message_size)
        if self.seen:
            report["seen"] = self.seen
        if self.seconds:
            report["heard"] = {"seconds": self.seconds, **tone_of(self.sound)}
        return report

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.connection.close()


async def write(track: Any, period: float, make: Callable[[int], Any]) -> None:
    writer = track.writable.get_writer()
    started = time.monotonic()
    number = 0
    while True:
        await writer.write(make(number))
        number += 1
        await asyncio.sleep(max(0.0, started + number * period - time.monotonic()))


def sound(number: int) -> Any:
    start = number * CHUNK
    samples = (int(8_000 * math.sin(2 * math.pi * TONE * (start + index) / RATE)) for index in range(CHUNK))
    init = webrtc.AudioDataInit(
        format="s16",
        sample_rate=RATE,
        number_of_frames=CHUNK,
        number_of_channels=1,
        timestamp=start * 1_000_000 // RATE,
        data=array.array("h", samples).tobytes(),
    )
    return webrtc.AudioData(init)


def picture(number: int) -> Any:
    """A bar that wanders over grey."""
    at = number * 4 % WIDTH
    bar = min(40, WIDTH - at)
    row = b"\x6e" * at + b"\xdc" * bar + b"\x6e" * (WIDTH - at - bar)
    init = webrtc.VideoFrameBufferInit(
        format="I420",
        coded_width=WIDTH,
        coded_height=HEIGHT,
        timestamp=number * 1_000_000 // FRAME_RATE,
    )
    return webrtc.VideoFrame(row * HEIGHT + b"\x80" * (WIDTH * HEIGHT // 2), init)


def tone_of(samples: array.array[float]) -> dict[str, float]:
    level = math.sqrt(sum(sample * sample for sample in samples) / max(1, len(samples)))
    rising = sum(before <= 0 < after for before, after in itertools.pairwise(samples))
    return {"level": level, "frequency": rising * RATE / max(1, len(samples))}


def decode(text: str) -> bytes:
    return base64.b64decode(text)


async def answer(end: End, ask: dict[str, Any]) -> None:
    number, what = ask.pop("id"), ask.pop("do")
    try:
        out = await getattr(end, what)(**ask)
        say({"id": number, **(out or {})})
    except Exception as error:
        say({"id": number, "error": f"{type(error).__name__}: {error}"})


async def main() -> None:
    say({"event": "ready", "version": importlib.metadata.version("wrtc")})
    loop = asyncio.get_running_loop()
    end: End | None = None
    running = set()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        ask = json.loads(line)
        if ask["do"] == "open":
            end = End()
            say({"id": ask["id"]})
            continue
        task = asyncio.create_task(answer(end, ask))
        running.add(task)
        task.add_done_callback(running.discard)


asyncio.run(main())
