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
STEP: Final = 0.0025
"Seconds: the delay of sound gets no closer to its target than this before it is set to it."


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

    What came late is not held any longer than what came early, so the pace of the media is restored. Pictures take
    another target at once. Sound comes to it by `moved`, as it is stretched, so that it neither stops nor hurries.

    @see https://www.w3.org/TR/webrtc/#dom-rtcrtpreceiver-jitterbuffertarget
    """

    def __init__(self, moves: bool = False) -> None:
        self._moves = moves
        self._target = 0.0
        self._delay = 0.0
        self._held: deque[_Held] = deque()
        self._fastest: float | None = None
        "The least of `now` less media time, seconds."

    @property
    def target(self) -> float:
        """Seconds."""
        return self._target

    @target.setter
    def target(self, seconds: float) -> None:
        self._target = seconds
        if not self._moves or self._fastest is None:
            self._delay = seconds
        self.moved(0.0)

    @property
    def missing(self) -> float:
        """Seconds by which frames should be held back longer; negative when shorter."""
        return self._target - self._delay

    def moved(self, seconds: float) -> None:
        """Holds frames back so much longer, or shorter, as the sound before them was stretched by it."""
        self._delay += seconds
        if abs(self.missing) < STEP:
            self._delay = self._target

    def put(self, frame: CodedFrame, timestamp: int, clock_rate: int, now: float) -> None:
        """Takes a frame, in order."""
        media = timestamp / clock_rate
        transit = now - media
        if self._fastest is None or transit < self._fastest or transit - self._fastest > JUMP + self._delay:
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
        self._delay = self._target

    def _is_ripe(self, held: _Held, now: float) -> bool:
        return not self._delay or len(self._held) > LIMIT or now >= held.early + self._delay
