"""Sound from a source to a stream: bounded, in order, encoded off the loop."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import av

from .audio_encoder import AudioEncoder, AudioPayload
from .opus import expected_loss
from .outbound_stream import OutboundStream
from .parameters import Codec
from .timeline import Timeline

BACKLOG = 25
"Frames that wait for the encoder: half a second, as a busy loop may give at once."

HEADROOM = 1.25
"What the bandwidth allocation reserves over the encoder's rate, for headers."

LOSSY_FOR = 30.0
"Seconds after the last report of so much loss until less is expected: each change is heard."

RunCodec = Callable[..., Awaitable[list[AudioPayload]]]


class AudioPipeline:
    """Feeds one stream from whatever source is attached."""

    def __init__(self, timeline: Timeline, run: RunCodec) -> None:
        self._timeline = timeline
        self._run = run
        self._frames: deque[av.AudioFrame] = deque(maxlen=BACKLOG)
        self._epoch = 0
        self._codec: Codec | None = None
        self._max_bitrate: int | None = None
        self._encoder: AudioEncoder | None = None
        self._stream: OutboundStream | None = None
        self._loss = 0
        "Percent that the encoder expects."
        self._loss_until = 0.0

    @property
    def pending(self) -> bool:
        return bool(self._frames)

    def configure(self, codec: Codec, streams: Sequence[OutboundStream]) -> None:
        """Takes the codec and the streams, the first active of which is fed: simulcast is for pictures."""
        self._stream = next((stream for stream in streams if stream.active), None)
        max_bitrate = self._stream.max_bitrate if self._stream is not None else None
        if self._encoder is None or (codec, max_bitrate) != (self._codec, self._max_bitrate):
            self._codec, self._max_bitrate = codec, max_bitrate
            self._encoder = AudioEncoder(codec, max_bitrate, self._loss)
            self._timeline.change_clock(codec.clock_rate)
        for stream in streams:
            stream.flow.layer = -1
            stream.flow.minimum = stream.flow.maximum = int(self._encoder.bitrate * HEADROOM)

    def change_source(self) -> None:
        """What comes from now on belongs to another source."""
        self._frames.clear()
        self._epoch += 1

    def put(self, frame: av.AudioFrame | av.VideoFrame) -> None:
        """Takes a frame; the oldest goes when the encoder lags."""
        if isinstance(frame, av.AudioFrame) and self._stream is not None:
            self._frames.append(frame)

    def repeat_last(self) -> None:
        """Sound needs no keyframe."""

    def close(self) -> None:
        """Lets go of the encoder and of what waits for it."""
        self._encoder = self._stream = None
        self.change_source()

    async def step(self) -> None:
        """Encodes and sends what waits."""
        begun = time.monotonic()
        self._take_loss(begun)
        frames, epoch, encoder = list(self._frames), self._epoch, self._encoder
        self._frames.clear()
        if encoder is None or not frames:
            return
        try:
            payloads = await self._run(encoder.encode, frames)
        except av.FFmpegError:
            if encoder is self._encoder and self._codec is not None:
                self._encoder = AudioEncoder(self._codec, self._max_bitrate, self._loss)
            raise
        now = time.monotonic()
        stream = self._stream
        if stream is None or encoder is not self._encoder:
            return
        stream.stats.total_encode_time += now - begun
        for payload in payloads:
            timestamp = self._timeline.map(epoch, payload.position, now, encoder.step)
            stream.send([payload.data], timestamp, payload.level)

    def _take_loss(self, now: float) -> None:
        """FEC costs clarity: an encoder that can make it begins when packets are lost."""
        remote = self._stream.remote if self._stream is not None else None
        loss = expected_loss(remote.fraction_lost) if remote is not None else 0
        if loss >= self._loss:
            self._loss_until = now + LOSSY_FOR
        if loss == self._loss or (loss < self._loss and now < self._loss_until):
            return
        self._loss = loss
        self._loss_until = now + LOSSY_FOR
        if self._codec is not None and self._encoder is not None and self._encoder.repairs:
            self._encoder = AudioEncoder(self._codec, self._max_bitrate, loss)
