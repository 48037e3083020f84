"""Sound to payloads of 20 ms, or what the peer wishes, by aiortc's encoders."""

from __future__ import annotations

import fractions
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import av
import numpy as np
from aiortc.codecs import get_encoder
from aiortc.codecs.opus import OpusEncoder

from .opus import Pauses, opus_wishes, shape
from .parameters import Codec

FORMATS = {"opus": (48000, "mono"), "g722": (16000, "mono"), "pcmu": (8000, "mono"), "pcma": (8000, "mono")}
"""Sample rate and layout that each encoder takes; opus takes stereo where the peer wishes it.

The clock of G722 is 8000 though it samples at 16000 (RFC 3551).
"""

PACKET_SECONDS = fractions.Fraction(1, 50)
GAP = 0.03
"Seconds between where a frame should begin and where it does, from which on it begins anew."


class AudioPayload(NamedTuple):
    """What one packet carries."""

    position: int
    "Where it begins in its source, in units of the clock rate."
    data: bytes
    level: int
    "dBov below full scale, 0 to 127 (RFC 6464)."


class AudioEncoder:
    """Encodes one source after another with one codec. Its methods run on one thread at a time."""

    def __init__(self, codec: Codec, max_bitrate: int | None, loss: int = 0) -> None:
        self._sample_rate, self._layout = FORMATS[codec.name]
        self._clock_rate = codec.clock_rate
        self._encoder = get_encoder(codec.aiortc())
        self._packet = PACKET_SECONDS
        self._pauses: Pauses | None = None
        self._positions: list[tuple[int, int]] = []
        self._encoded = 0
        self.bitrate = 64_000
        "Bits per second of payload."
        self.repairs = False
        "Whether it makes in-band FEC for a path of which loss was told."
        if isinstance(self._encoder, OpusEncoder):
            self._take_wishes(self._encoder, codec, max_bitrate, loss)
        self._cutter = _Cutter(self._sample_rate, self._layout, self._packet)

    @property
    def step(self) -> int:
        """Clock units of a packet."""
        return int(self._clock_rate * self._packet)

    def encode(self, frames: Sequence[av.AudioFrame]) -> list[AudioPayload]:
        """Payloads of `frames`; what does not fill one yet comes with the next frames."""
        return [payload for frame in frames for cut in self._cutter.cut(frame) for payload in self._encode(*cut)]

    def _take_wishes(self, encoder: OpusEncoder, codec: Codec, max_bitrate: int | None, loss: int) -> None:
        wishes = opus_wishes(codec, max_bitrate)
        shape(encoder, wishes, loss)
        self._layout = wishes.layout
        self._packet = fractions.Fraction(wishes.packet_time, 1000)
        self._pauses = Pauses(wishes.packet_time) if wishes.pauses else None
        self.bitrate, self.repairs = wishes.bitrate, wishes.repairs

    def _encode(self, position: int, samples: bytes) -> Iterator[AudioPayload]:
        self._positions.append((position * self._clock_rate // self._sample_rate, audio_level(samples)))
        payloads, _ = self._encoder.encode(self._frame(samples))
        for data in payloads:
            begun, level = self._positions.pop(0)
            if self._pauses is None or self._pauses.sends(level):
                yield AudioPayload(begun, data, level)

    def _frame(self, samples: bytes) -> av.AudioFrame:
        count = int(self._sample_rate * self._packet)
        frame = av.AudioFrame(format="s16", layout=self._layout, samples=count)
        frame.planes[0].update(samples)
        frame.sample_rate = self._sample_rate
        frame.time_base = fractions.Fraction(1, self._sample_rate)
        # A count of our own: the encoder's resampler must never see a gap.
        frame.pts = self._encoded
        self._encoded += count
        return frame


class _Cutter:
    """Resamples to one format and cuts into packets, by position."""

    def __init__(self, rate: int, layout: str, packet: fractions.Fraction) -> None:
        self._rate = rate
        self._layout = layout
        self._samples = int(rate * packet)
        self._size = self._samples * 2 * (2 if layout == "stereo" else 1)
        self._resampler: av.AudioResampler | None = None
        self._input: tuple[int, str, str] | None = None
        self._buffer = bytearray()
        self._position = 0
        self._expected: float | None = None

    def cut(self, frame: av.AudioFrame) -> Iterator[tuple[int, bytes]]:
        at = float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base else self._expected or 0.0
        shape = (frame.sample_rate, frame.layout.name, frame.format.name)
        if shape != self._input or self._expected is None or abs(at - self._expected) > GAP:
            self._begin(shape, at)
        self._expected = at + frame.samples / frame.sample_rate
        for resampled in self._resample(frame):
            self._buffer += self._layered(resampled)
        while len(self._buffer) >= self._size:
            yield self._position, bytes(self._buffer[: self._size])
            del self._buffer[: self._size]
            self._position += self._samples

    def _layered(self, frame: av.AudioFrame) -> bytes:
        channels = frame.layout.nb_channels
        samples = np.frombuffer(bytes(frame.planes[0]), np.int16, frame.samples * channels)
        return samples.tobytes() if frame.layout.name == self._layout else np.repeat(samples, 2).tobytes()

    def _begin(self, shape: tuple[int, str, str], at: float) -> None:
        self._input = shape
        self._buffer.clear()
        self._position = round(at * self._rate)
        rate, layout, format_name = shape
        # Mono is doubled below: the resampler would take 3 dB of each side.
        target = layout if layout == "mono" else self._layout
        same = (rate, layout, format_name) == (self._rate, target, "s16")
        self._resampler = None if same else av.AudioResampler(format="s16", layout=target, rate=self._rate)

    def _resample(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
        if self._resampler is None:
            return [frame]
        return list(self._resampler.resample(frame))


def audio_level(samples: bytes) -> int:
    """The level of 16-bit samples in -dBov: 0 is a full-scale square wave, 127 silence (RFC 6465, appendix A)."""
    values = np.frombuffer(samples, np.int16).astype(np.float32)
    mean = float(np.dot(values, values)) / max(1, len(values))
    if mean <= 0:
        return 127
    return int(min(127, max(0, round(-10 * np.log10(mean / 32767**2)))))
