"""Packets of sound to sound without a gap: what was lost is repaired or concealed, what was not sent is a pause."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from .coded_frame import CodedFrame
from .sound_decoder import SoundDecoder
from .stretch import Samples, stretched

CHUNK: Final = 0.02
"Seconds of concealment that are made at once."
FADE, SILENCE = 0.12, 0.3
"Seconds of concealment after which it begins to fade, and after which it is silent."
RISE: Final = 0.005
"Seconds in which sound comes back after a silence."
JUMP: Final = 2.0
"Seconds: timestamps that leave out more, or more than has passed since gaps were made up, begin another timeline."
PAUSE_PEAK: Final = 4
"What a peer does not send after sound below this peak was a pause (DTX), not a loss."
PATIENCE: Final = 5
"Frames that may pass until a period must be cut or put in, however unlike the next."


@dataclass
class Sound:
    """What came of some packets, in samples of a channel."""

    parts: list[Samples] = field(default_factory=list)
    made: int = 0
    "All of them together."
    concealed: int = 0
    silent: int = 0
    "Of the concealed."
    events: int = 0
    "Concealments, however long."
    inserted: int = 0
    removed: int = 0
    repaired: int = 0
    "Packets that were lost, and came as a copy in the next (in-band FEC)."
    failed: int = 0
    "Packets that could not be decoded."

    def add(self, samples: Samples) -> None:
        self.parts.append(samples)
        self.made += len(samples)


class ContinuousSound:
    """The sound of one stream; n samples for n samples of its time, but for what was stretched or filled in ahead."""

    def __init__(self, decoder: SoundDecoder, clock_rate: int) -> None:
        self._decoder = decoder
        self._rate = decoder.sample_rate
        self._clock_rate = clock_rate
        self._last: Samples | None = None
        self._next: int | None = None
        "The timestamp that follows what was decoded last."
        self._ahead = 0
        "Samples that were made for what follows it."
        self._made_up = 0
        "Samples since the last that were sent."
        self._concealing = False
        self._pausing = False
        self._broken = False
        "Whether the last packet could not be decoded: it is as good as lost."
        self._unstretched = 0
        self._allowed = JUMP
        "Seconds of gaps that may be made up: no more than passes, or a peer's timestamps would make hours of sound."
        self._arrived: float | None = None

    def restart(self) -> None:
        """Whatever comes next is not what followed."""
        self._next = None

    def fill(self, count: int, sound: Sound) -> None:
        """Makes up `count` samples, since nothing has come."""
        if self._next is None:
            return
        self._ahead += count
        if self._pauses():
            self._pause(count, sound)
        else:
            self._conceal(count, sound)

    def packet(self, frame: CodedFrame, timestamp: int, now: float, stretch: int, sound: Sound) -> None:
        """Decodes the next packet, after what is missing before it; `stretch` samples may be put in, or cut."""
        self._allow(now)
        gap = self._gap(timestamp)
        self._allowed -= max(0, gap) / self._rate
        if gap > 0 and (frame.after_loss or self._broken):
            self._make_up(frame.data, gap, sound)
        elif gap > 0:
            self._pause(gap, sound)
        self._ahead += max(0, gap)
        try:
            samples = self._decoder.decode(frame.data) if frame.data else None
        except ValueError:
            samples = None
        self._broken = samples is None
        if samples is None:
            # Its length is not known: what follows tells it, and finds a gap.
            sound.failed += 1
            return
        self._pausing = self._decoder.begins_pause(frame.data)
        self._last = samples
        self._next = timestamp + len(samples) * self._clock_rate // self._rate
        self._ahead = 0
        sound.add(self._stretch(self._risen(samples), stretch, sound))
        self._made_up = 0
        self._concealing = False

    def _allow(self, now: float) -> None:
        if self._arrived is not None:
            self._allowed = min(JUMP, self._allowed + max(0.0, now - self._arrived))
        self._arrived = now

    def _gap(self, timestamp: int) -> int:
        """Samples between what was made and the packet of `timestamp`; 0 on another timeline."""
        if self._next is None:
            return 0
        step = timestamp - self._next
        if not 0 <= step <= self._allowed * self._clock_rate:
            self._ahead = 0
            return 0
        return step * self._rate // self._clock_rate - self._ahead

    def _make_up(self, data: bytes, gap: int, sound: Sound) -> None:
        repairable = self._decoder.repairable(data)
        if not 0 < repairable <= gap:
            self._conceal(gap, sound)
            return
        self._conceal(gap - repairable, sound)
        try:
            samples = self._decoder.repair(data)
        except ValueError:
            self._conceal(repairable, sound)
            return
        sound.add(self._risen(samples))
        sound.repaired += 1
        self._made_up = 0
        self._concealing = False

    def _conceal(self, count: int, sound: Sound) -> None:
        if count <= 0:
            return
        if not self._concealing:
            self._concealing = True
            sound.events += 1
        sound.concealed += count
        for samples in self._invent(count):
            sound.silent += 0 if samples.any() else len(samples)
            sound.add(samples)

    def _pause(self, count: int, sound: Sound) -> None:
        """Comfort noise, where the codec has it, or silence: nothing is concealed, for nothing was sent."""
        self._concealing = False
        for samples in self._invent(count):
            sound.add(samples)

    def _pauses(self) -> bool:
        if self._pausing:
            return True
        return self._last is not None and int(np.abs(self._last).max(initial=0)) <= PAUSE_PEAK

    def _invent(self, count: int) -> list[Samples]:
        """The decoder's own going on; it fades, unless the peer said that it pauses: then it is comfort noise."""
        parts = []
        while count > 0:
            chunk = min(count, int(self._rate * CHUNK))
            parts.append(self._invented(chunk))
            self._made_up += chunk
            count -= chunk
        return parts

    def _invented(self, count: int) -> Samples:
        if not self._pausing and self._made_up >= self._rate * SILENCE:
            return np.zeros((count, self._decoder.channels), np.int16)
        try:
            samples = self._decoder.conceal(count)
        except ValueError:
            samples = np.zeros((count, self._decoder.channels), np.int16)
        if self._pausing or self._made_up + count <= self._rate * FADE:
            return samples
        at = (self._made_up + np.arange(count)) / self._rate
        gain = np.clip((SILENCE - at) / (SILENCE - FADE), 0, 1)
        return (samples * gain[:, None]).astype(np.int16)

    def _risen(self, samples: Samples) -> Samples:
        """Without the click of sound that begins after concealment has faded."""
        if self._pausing or self._made_up < self._rate * FADE:
            return samples
        count = min(int(self._rate * RISE), len(samples))
        rise = np.linspace(0, 1, count)[:, None]
        return np.concatenate([(samples[:count] * rise).astype(np.int16), samples[count:]])

    def _stretch(self, samples: Samples, wished: int, sound: Sound) -> Samples:
        """At most every other frame, so that it is not heard."""
        self._unstretched += 1
        if not wished or self._unstretched < 2:
            return samples
        shaped = stretched(samples, self._rate, wished, must=self._unstretched > PATIENCE)
        change = len(shaped) - len(samples)
        sound.inserted += max(0, change)
        sound.removed += max(0, -change)
        if change:
            self._unstretched = 0
        return shaped
