"""Frames that are held back for as long as the application wishes, so that their pace need not be the network's."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from .coded_frame import CodedFrame

LIMIT: Final = 1024
"Frames that wait at most; then the oldest goes."
JUMP: Final = 2.0
"Seconds: a transit that changes by more is another timeline's."
DRIFT: Final = 0.002
"By how much of the difference the fastest transit follows the present one, a frame: clocks differ, paths change."


class Ripe(NamedTuple):
    """A frame whose time has come."""

    frame: CodedFrame
    timestamp: int
    "Unwrapped."
    waited: float
    "Seconds."


class _Held(NamedTuple):
    frame: CodedFrame
    timestamp: int
    early: float
    "When the fastest of them would have come."
    came: float


class JitterTarget:
    """Gives frames out `target` seconds after the fastest of them would have come; at once when that is 0.

    What came late is not held any longer than what came early, so the pace of the media is restored.

    @see https://www.w3.org/TR/webrtc/#dom-rtcrtpreceiver-jitterbuffertarget
    """

    def __init__(self) -> None:
        self.target = 0.0
        self._held: deque[_Held] = deque()
        self._fastest: float | None = None
        "The least of `now` less media time, seconds."

    def put(self, frame: CodedFrame, timestamp: int, clock_rate: int, now: float) -> None:
        """Takes a frame, in order."""
        media = timestamp / clock_rate
        transit = now - media
        if self._fastest is None or transit < self._fastest or transit - self._fastest > JUMP + self.target:
            self._fastest = transit
        else:
            self._fastest += (transit - self._fastest) * DRIFT
        self._held.append(_Held(frame, timestamp, media + self._fastest, now))

    def ripe(self, now: float) -> list[Ripe]:
        """The frames whose time has come."""
        ripe: list[Ripe] = []
        while self._held and self._is_ripe(self._held[0], now):
            frame, timestamp, _, came = self._held.popleft()
            ripe.append(Ripe(frame, timestamp, now - came))
        return ripe

    def clear(self) -> None:
        """Forgets what it holds, and the timeline."""
        self._held.clear()
        self._fastest = None

    def _is_ripe(self, held: _Held, now: float) -> bool:
        return not self.target or len(self._held) > LIMIT or now >= held.early + self.target
