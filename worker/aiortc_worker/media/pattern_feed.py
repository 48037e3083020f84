"""The test source: a picture and a tone, paced by the clock."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from fractions import Fraction
from functools import partial
from typing import Final

from ..session.quotas import Hold, Quotas
from .fan_out import FanOut
from .feed import RunBlocking, Spawn
from .frames import Frame, Kind
from .pattern import Picture, Tone
from .settings import CHUNK, SAMPLE_RATE, AudioConstraints, AudioSettings, Opened, VideoConstraints, VideoSettings

LEAST: Final = 64 * 1024
"Pixels that a picture counts at least: small ones cost as much to hand on."
Draw = Callable[[int], Awaitable[Frame]]

MAX_LAG: Final[dict[Kind, float]] = {"audio": 0.5, "video": 0.0}
"Seconds by which a late loop may be caught up; beyond it frames are skipped. A picture is worth nothing when late."


class PatternFeed:
    """Both kinds run on one clock, which starts when the source opens and never stops."""

    def __init__(
        self,
        audio: AudioConstraints | None,
        video: VideoConstraints | None,
        spawn: Spawn,
        draw: RunBlocking,
        quotas: Quotas,
    ) -> None:
        """Pictures are drawn by `draw`, tones at once: they are quick."""
        self._spawn, self._draw = spawn, draw
        self._quotas = quotas
        self._hold: Hold | None = None
        self._picture: Picture | None = None
        self._tasks: dict[Kind, asyncio.Task[None]] = {}
        self._numbers: dict[Kind, int] = {"audio": 0, "video": 0}
        self._started: float | None = None
        self._looks: list[Callable[[], None]] = []
        self.outputs: dict[Kind, FanOut] = {}
        self._opened = Opened(
            AudioSettings(SAMPLE_RATE, audio.channel_count or 1) if audio else None,
            VideoSettings(_even(video.width or 640), _even(video.height or 480), video.frame_rate or 30.0)
            if video
            else None,
        )
        if audio and self._opened.audio:
            tone = Tone(audio.frequency or 440.0, min(self._opened.audio.channel_count, 2))
            self._add("audio", Fraction(SAMPLE_RATE, CHUNK), partial(_at_once, tone))
        if video and self._opened.video:
            size = self._opened.video
            rate = Fraction(size.frame_rate).limit_denominator(1001)
            picture = self._picture = Picture(size.width, size.height, rate, video.code or 0)
            self._add("video", rate, partial(self._picture_of, picture))

    async def open(self) -> Opened:
        if self._picture and not self._hold:
            self._hold = self._quotas.held_bytes.hold(self._picture.held, "NotReadableError")
        self._started = asyncio.get_running_loop().time()
        # Somebody may have begun to consume it before.
        for look in self._looks:
            look()
        return self._opened

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        # A cancelled task keeps its frames, and they this object.
        self._tasks.clear()
        self._looks.clear()
        self._hold = None

    def _add(self, kind: Kind, rate: Fraction, draw: Draw) -> None:
        def look() -> None:
            """Draws while it is open and consumed."""
            demanded = self.outputs[kind].demanded
            if demanded and self._started is not None and kind not in self._tasks:
                play = self._play(self.outputs[kind], self._started, float(rate), draw)
                self._tasks[kind] = self._spawn(play)
            elif not demanded and kind in self._tasks:
                self._tasks.pop(kind).cancel()

        self._looks.append(look)
        self.outputs[kind] = FanOut(kind, lambda _: look())

    async def _play(self, output: FanOut, started: float, rate: float, draw: Draw) -> None:
        loop = asyncio.get_running_loop()
        kind = output.kind
        # It was not consumed until now: what was due meanwhile is skipped, not caught up.
        self._numbers[kind] = max(self._numbers[kind], math.ceil((loop.time() - started) * rate))
        while True:
            due = started + self._numbers[kind] / rate
            # Sleeping even when late lets other tasks have their turn.
            await asyncio.sleep(max(0.0, due - loop.time()))
            if kind == "video":
                # What is due while others of the session have their turn is skipped.
                await self._quotas.generated_pixels.turn()
            oldest = math.floor((loop.time() - started - MAX_LAG[kind]) * rate)
            number = max(self._numbers[kind], oldest)
            self._numbers[kind] = number + 1
            try:
                output.push(await draw(number))
            except Exception:
                # Memory is short, say: who reads is told rather than left waiting.
                output.end()
                raise

    async def _picture_of(self, picture: Picture, number: int) -> Frame:
        self._quotas.generated_pixels.spend(max(LEAST, picture.width * picture.height))
        return await self._draw(picture.draw, number)


async def _at_once(tone: Tone, number: int) -> Frame:
    return tone.draw(number)


def _even(size: int) -> int:
    return max(32, size - size % 2)
