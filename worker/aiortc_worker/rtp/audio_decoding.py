"""Coded sound to sound without a gap, off the loop, while somebody wants it."""

from __future__ import annotations

import fractions
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import av

from .coded_frame import CodedFrame
from .continuous_sound import CHUNK, ContinuousSound, Sound
from .jitter_target import JitterTarget
from .pace import Pace
from .parameters import Codec
from .sound_decoder import make_sound_decoder
from .stats import InboundStats
from .timeline import Timeline

BACKLOG: Final = 50
"Packets that wait for the decoder: a second's."
RATE: Final = 48_000
"Units of pts a second, whatever the codec: every sample rate divides it."
TIME_BASE: Final = fractions.Fraction(1, RATE)
PATIENCE: Final = 0.12
"Seconds, and two packets, after which missing sound is made up: what is late or repaired by the next has come by then."
LATE_TICK: Final = 0.05
"Seconds between two ticks from which on the loop was late, and packets may lie in the socket."
MOST_AT_ONCE: Final = 5
"Chunks that a tick makes up."

RunCodec = Callable[..., Awaitable[Any]]


class _Arrival(NamedTuple):
    frame: CodedFrame
    timestamp: int
    now: float
    begins: bool
    "Whether it does not follow what came before."


class _Lack(NamedTuple):
    seconds: float
    now: float


@dataclass
class _Made:
    """What came of an arrival or a lack."""

    sound: Sound
    frames: list[av.AudioFrame] = field(default_factory=list)


@dataclass(frozen=True)
class DecodedSound:
    """Sound, in order."""

    frames: list[av.AudioFrame] = field(default_factory=list)
    failed: int = 0


class AudioDecoding:
    """Decodes one stream of sound with one codec, in order.

    While packets come, and for as long as `rest` is not called after them, there is sound for all time that passes: pts
    step by what frames last. `timeline` goes on over several of these.
    """

    def __init__(
        self, codec: Codec, stats: InboundStats, run: RunCodec, timeline: Timeline, jitter: JitterTarget
    ) -> None:
        self.codec = codec
        self.stats = stats
        self._run = run
        self._timeline = timeline
        self._jitter = jitter
        self._decoder = make_sound_decoder(codec)
        self._rate = self._decoder.sample_rate
        self._layout = "stereo" if self._decoder.channels == 2 else "mono"
        self._continuous = ContinuousSound(self._decoder, codec.clock_rate)
        self._pace = Pace()
        self._waiting: deque[_Arrival | _Lack] = deque()
        self._working = False
        self._resting = True
        self._ticked = 0.0
        self._packet = 0.0
        "Seconds of sound in the last packet."
        self._position = 0
        self._last = round(RATE * CHUNK)
        "What the last frame lasts, or the longest that came before: another epoch begins after it."
        self._epoch = object()

    @property
    def pending(self) -> bool:
        return bool(self._waiting)

    def put(self, frame: CodedFrame, timestamp: int, now: float) -> bool:
        """Takes a packet whose time has come at `now`; False when it lags too far. Then all that waited is dropped."""
        if len(self._waiting) >= BACKLOG:
            self.stats.frames_dropped += len(self._waiting) + 1
            self._waiting.clear()
            return False
        self._waiting.append(_Arrival(frame, timestamp, now, self._resting))
        self._resting = False
        return True

    def tick(self, now: float) -> None:
        """Makes up for sound that should have come."""
        late, self._ticked = now - self._ticked > LATE_TICK, now
        if late or self.pending or self._working or self._resting:
            return
        behind = self._pace.behind(now, PATIENCE + 2 * self._packet)
        if behind > 0:
            self._waiting.append(_Lack(CHUNK * min(MOST_AT_ONCE, math.ceil(behind / CHUNK)), now))

    def rest(self) -> None:
        """Makes nothing up until packets come; what is heard then has a place of its own in time."""
        self._resting = True

    async def step(self) -> DecodedSound:
        """Decodes what waits."""
        batch = list(self._waiting)
        self._waiting.clear()
        moves = bool(self._jitter.missing)
        wished = self._jitter.missing if moves else self._pace.wished
        begun = time.monotonic()
        self._working = True
        try:
            made: list[_Made] = await self._run(self._decode, batch, round(wished * self._rate))
        finally:
            self._working = False
        self.stats.total_decode_time += time.monotonic() - begun
        for cause, each in zip(batch, made, strict=True):
            self._keep_pace(cause, each.sound, moves)
            self._count(each.sound)
            self._place(each.frames, cause.now)
        return DecodedSound([frame for each in made for frame in each.frames], sum(each.sound.failed for each in made))

    def _decode(self, batch: Sequence[_Arrival | _Lack], wished: int) -> list[_Made]:
        made = []
        for cause in batch:
            sound = Sound()
            if isinstance(cause, _Lack):
                self._continuous.fill(round(cause.seconds * self._rate), sound)
            else:
                if cause.begins:
                    self._continuous.restart()
                self._continuous.packet(cause.frame, cause.timestamp, cause.now, wished, sound)
                wished -= sound.inserted - sound.removed
            made.append(_Made(sound, list(self._frames(sound))))
        return made

    def _frames(self, sound: Sound) -> Iterator[av.AudioFrame]:
        """As `media/frames.py` wants them: packed s16, at most 20 ms."""
        longest = int(self._rate * CHUNK)
        for part in sound.parts:
            for begin in range(0, len(part), longest):
                samples = part[begin : begin + longest]
                frame = av.AudioFrame(format="s16", layout=self._layout, samples=len(samples))
                frame.planes[0].update(samples.tobytes())
                frame.sample_rate = self._rate
                frame.time_base = TIME_BASE
                yield frame

    def _keep_pace(self, cause: _Arrival | _Lack, sound: Sound, moves: bool) -> None:
        seconds = sound.made / self._rate
        if isinstance(cause, _Lack):
            self._pace.filled(seconds, cause.now)
            return
        if cause.begins:
            self._pace = Pace()
            self._epoch = object()
        change = (sound.inserted - sound.removed) / self._rate
        if change and moves:
            self._jitter.moved(change)
        elif change:
            self._pace.stretched(change)
        if not sound.failed:
            self._packet = len(sound.parts[-1]) / self._rate
        if seconds:
            self._pace.came(seconds, cause.now)

    def _place(self, frames: Sequence[av.AudioFrame], now: float) -> None:
        for frame in frames:
            frame.pts = self._timeline.map(self._epoch, self._position, now, self._last)
            self._last = frame.samples * (RATE // self._rate)
            self._position += self._last

    def _count(self, sound: Sound) -> None:
        stats = self.stats
        stats.total_samples_received += sound.made
        stats.concealed_samples += sound.concealed
        stats.silent_concealed_samples += sound.silent
        stats.concealment_events += sound.events
        stats.inserted_samples_for_deceleration += sound.inserted
        stats.removed_samples_for_acceleration += sound.removed
