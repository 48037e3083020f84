"""Decoders of sound that can say what may have been lost."""

from __future__ import annotations

from typing import Protocol

import av
import numpy as np
from aiortc.codecs import get_decoder
from aiortc.jitterbuffer import JitterFrame

from ..compat.libopus import LibopusDecoder, is_available
from .audio_encoder import FORMATS
from .concealment import Repetition
from .parameters import Codec
from .stretch import Samples

OPUS_CHANNELS = 2
"Of all opus that is decoded, as in aiortc: the packets of one stream may be of either kind."
DTX_SIZE = 2
"Bytes of the longest opus packet that says nothing but that a pause begins or goes on."


class SoundDecoder(Protocol):
    """Decodes one stream. Its methods run on one thread at a time."""

    sample_rate: int
    channels: int

    def decode(self, data: bytes) -> Samples:
        """The sound of a packet. Raises ValueError when it is none."""

    def conceal(self, count: int) -> Samples:
        """`count` samples that may have followed; at most 20 ms."""

    def repairable(self, data: bytes) -> int:
        """How many samples before it `data` carries a copy of (in-band FEC)."""

    def repair(self, data: bytes) -> Samples:
        """Those samples; `data` itself is decoded next."""

    def begins_pause(self, data: bytes) -> bool:
        """Whether `data` says that nothing will be sent for a while (DTX)."""


def make_sound_decoder(codec: Codec) -> SoundDecoder:
    """The best that there is for `codec`."""
    if codec.name == "opus" and is_available():
        return _OpusDecoder()
    return _PlainDecoder(codec)


class _OpusDecoder(LibopusDecoder):
    """By libopus, with all that it can."""

    sample_rate = 48_000
    channels = OPUS_CHANNELS

    def __init__(self) -> None:
        super().__init__(self.sample_rate, self.channels)

    def begins_pause(self, data: bytes) -> bool:
        return len(data) <= DTX_SIZE


class _PlainDecoder:
    """By aiortc; what is lost is made of what came before."""

    def __init__(self, codec: Codec) -> None:
        self.sample_rate = FORMATS[codec.name][0]
        self.channels = OPUS_CHANNELS if codec.name == "opus" else 1
        self._is_opus = codec.name == "opus"
        self._decoder = get_decoder(codec.aiortc())
        self._repetition = Repetition(self.sample_rate, self.channels)

    def decode(self, data: bytes) -> Samples:
        try:
            frames = self._decoder.decode(JitterFrame(data=data, timestamp=0))
        except av.FFmpegError as error:
            raise ValueError(str(error)) from error
        parts = [self._samples(frame) for frame in frames if isinstance(frame, av.AudioFrame)]
        if not parts:
            raise ValueError("a packet without sound")
        return self._repetition.heard(np.concatenate(parts) if len(parts) > 1 else parts[0])

    def conceal(self, count: int) -> Samples:
        return self._repetition.conceal(count)

    def repairable(self, data: bytes) -> int:
        return 0

    def repair(self, data: bytes) -> Samples:
        raise ValueError("no copy of what was lost")

    def begins_pause(self, data: bytes) -> bool:
        return self._is_opus and len(data) <= DTX_SIZE

    def _samples(self, frame: av.AudioFrame) -> Samples:
        """A view of the frame's packed s16."""
        samples: Samples = np.frombuffer(memoryview(frame.planes[0]), np.int16, frame.samples * self.channels)
        return samples.reshape(-1, self.channels)
