"""A path for sound in virtual time: packets that are lost, late, reordered or repeated, and what a listener gets."""

from __future__ import annotations

import fractions
import heapq
from collections.abc import Callable, Coroutine, Iterable
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import av
import numpy as np
from aiortc.rtp import RtpPacket
from fakes import quotas
from numpy.typing import NDArray

from aiortc_worker.rtp.audio_encoder import FORMATS, AudioEncoder
from aiortc_worker.rtp.complaints import Complaints
from aiortc_worker.rtp.inbound_stream import InboundStream
from aiortc_worker.rtp.parameters import Codec
from aiortc_worker.rtp.playout import Playout

OPUS = Codec("audio/opus", 111, 48000, 2)
OPUS_FEC = Codec("audio/opus", 111, 48000, 2, {"useinbandfec": "1"})
PCMU = Codec("audio/PCMU", 0, 8000, 1)
G722 = Codec("audio/G722", 9, 8000, 1)
TICK = 0.02
EXPECTED = 10
"Percent of loss that an encoder with FEC is told."
FIRST = 1000
"A sequence number."


class Sent(NamedTuple):
    """A packet, and when it leaves; `at` in seconds."""

    sequence: int
    at: float
    timestamp: int
    data: bytes


@cache
def payloads(codec: str, count: int, fec: bool = False, is_voice: bool = False) -> tuple[bytes, ...]:
    """Packets of 20 ms of a tone, or of what an encoder takes for a voice (it repeats nothing else)."""
    encoder = AudioEncoder({"opus": OPUS_FEC if fec else OPUS, "pcmu": PCMU, "g722": G722}[codec], None, EXPECTED * fec)
    rate = FORMATS[codec][0]
    make = voice if is_voice else tone
    made = [payload.data for at in range(count + 4) for payload in encoder.encode([frame_of(make(rate, at), rate, at)])]
    return tuple(made[:count])


def tone(rate: int, number: int) -> NDArray[np.int16]:
    """The 20 ms of 440 Hz with this number."""
    return (np.sin(2 * np.pi * 440 * _time(rate, number)) * 12000).astype(np.int16)


def voice(rate: int, number: int) -> NDArray[np.int16]:
    """Syllables at a pitch that moves about 150 Hz."""
    at = _time(rate, number)
    phase = 2 * np.pi * 150 * at - 20 / 0.7 * np.cos(2 * np.pi * 0.7 * at)
    harmonics = sum(np.sin(k * phase) / k * (1 + 0.8 * np.cos(k * 0.7)) for k in range(1, 20))
    return (harmonics * (0.55 + 0.45 * np.sin(2 * np.pi * 2.5 * at)) * 5000).astype(np.int16)


def _time(rate: int, number: int) -> NDArray[np.float64]:
    return (np.arange(rate // 50) + number * rate // 50) / rate


def sending(codec: Codec, data: Iterable[bytes], pace: float = 1.0) -> list[Sent]:
    """Packets each 20 ms; `pace` is of the sender's clock."""
    step = codec.clock_rate // 50
    return [Sent(FIRST + i, i * 0.02 * pace, i * step, each) for i, each in enumerate(data)]


class Listener:
    """What comes out of a receiver's playout, with the time at which it did."""

    def __init__(self, codec: Codec, jitter_target: float = 0.0) -> None:
        self.codec = codec
        self.frames: list[av.AudioFrame] = []
        self.at: list[float] = []
        self.now = 0.0
        self.stream = InboundStream(1, 2, lambda data: None)
        self.playout = Playout("audio", _finish, _run, Complaints(_fail), quotas().decoded_pixels)
        self.playout.jitter.target = jitter_target
        self.playout.out.attach(self)

    @property
    def stats(self):
        return self.stream.stats

    def frame(self, frame: Any) -> None:
        self.frames.append(frame)
        self.at.append(self.now)

    def ended(self) -> None: ...

    def hear(
        self, arrivals: Iterable[tuple[float, Sent]], until: float, on_tick: Callable[[float], None] | None = None
    ) -> Listener:
        """Lets packets arrive, and ticks pass, `until` a time."""
        queue = [(at, 1, index, sent) for index, (at, sent) in enumerate(arrivals)]
        queue += [(self.now + tick * TICK, 0, tick, None) for tick in range(round((until - self.now) / TICK))]
        heapq.heapify(queue)
        while queue:
            self.now, _, _, sent = heapq.heappop(queue)
            if sent is None:
                if on_tick is not None:
                    on_tick(self.now)
                self._tick()
            else:
                self._arrive(sent)
        return self

    def samples(self) -> NDArray[np.int16]:
        """The left channel of all."""
        return np.concatenate(
            [frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0] for frame in self.frames]
        )

    def is_continuous(self) -> bool:
        """Whether each frame begins where the one before ended."""
        return all(
            start_of(b) == start_of(a) + fractions.Fraction(a.samples, a.sample_rate) for a, b in pairwise(self.frames)
        )

    def seconds(self) -> float:
        return sum(frame.samples / frame.sample_rate for frame in self.frames)

    def _arrive(self, sent: Sent) -> None:
        packet = RtpPacket(
            self.codec.payload_type, 0, sent.sequence & 0xFFFF, sent.timestamp & 0xFFFFFFFF, 1, sent.data
        )
        self.playout.choose(self.stream, [], self.now)
        frames = self.stream.packet(packet, 12 + len(sent.data), self.codec, self.now, wanted=True)
        self.playout.play(self.stream, frames, {}, self.now)

    def _tick(self) -> None:
        self.playout.play(self.stream, self.stream.tick(self.now, wanted=True), {}, self.now)
        self.playout.tick(self.now)


def start_of(frame: av.AudioFrame) -> fractions.Fraction:
    return frame.pts * frame.time_base


def longest_silence(samples: NDArray[np.int16]) -> int:
    """Samples of the longest run of near silence."""
    edges = np.flatnonzero(np.concatenate([[True], np.abs(samples) > 30, [True]]))
    return int(np.diff(edges).max() - 1)


def frame_of(samples: NDArray[np.int16], rate: int, number: int) -> av.AudioFrame:
    """Samples of one channel as a frame, in the place of the 20 ms with this number."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, number * len(samples), fractions.Fraction(1, rate)
    return frame


def _finish(work: Coroutine[Any, Any, None]) -> Any:
    try:
        work.send(None)
    except StopIteration:
        return None
    raise AssertionError("it waited")


async def _run(work: Callable[..., Any], *args: Any) -> Any:
    return work(*args)


def _fail(doing: str, error: Exception) -> None:
    raise AssertionError(doing) from error
